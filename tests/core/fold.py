"""Fold a tape in a process of its own: `python -m tests.core.fold TAPE [WEIGHTS]` says what came of it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from engine import messages as m
from engine.core import Core, Market
from engine.execution.desk import Desk
from engine.forecast.stream import Weights


def core_for(items: list[m.Input], weights: Weights | None) -> Core:
    """A core as it stood before the first input."""
    first = items[0]
    assert isinstance(first, m.Started)
    return Core(Market(first.config, weights), Desk())


def fold(core: Core, items: Iterable[m.Input]) -> Iterator[bytes]:
    """The facts of each input, packed."""
    for item in items:
        yield b"".join(m.pack(fact) for fact in core.step(item).facts)


def pack_tape(items: Iterable[m.Input]) -> bytes:
    return msgspec.msgpack.encode([m.pack(item) for item in items])


def unpack_tape(data: bytes) -> list[m.Input]:
    items = [m.unpack_taped(row) for row in msgspec.msgpack.decode(data, type=list[bytes])]
    return [item for item in items if not isinstance(item, m.Forecasts)]


def main(tape: str, weights: str = "") -> None:
    items = unpack_tape(Path(tape).read_bytes())
    core = core_for(items, Weights.from_bytes(Path(weights).read_bytes()) if weights else None)
    facts = b"".join(fold(core, items))
    print(hashlib.sha256(facts).hexdigest(), core.desk.facts, core.digest())


if __name__ == "__main__":
    main(*sys.argv[1:])
