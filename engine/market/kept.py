"""How the venue's state is written down and read back: plain values by name, exact."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from engine.domain import Instrument
from engine.market.listed import PRINTS_KEPT
from engine.market.meter import Meter
from engine.market.places import Place
from engine.market.told import Print, Quote, Resting

_AS_IT_IS = {
    "coin", "cancel_on_disconnect", "now", "up", "authenticated", "down_reason", "introduced", "listening",
    "introducing", "epoch", "heard", "lag", "garbage", "gaps", "calls", "ended", "own_trades", "index", "dvol",
}  # fmt: skip
_KINDS: dict[str, Any] = {  # what a loaded value must become, and must not share with what it was loaded from
    "awaiting": dict[str, str],
    "resyncs": dict[str, int],
    "states": dict[str, str],
    "account": dict[str, float],
    "meter": Meter,
    "asked": set[str],
    "focus": tuple[str, ...],
    "instruments": dict[str, Instrument],
    "quotes": dict[str, Quote],
    "prints": dict[str, list[Print]],
    "resting": dict[str, Resting],
    "places": dict[str, Place],
}


def dump(part: object) -> dict[str, Any]:
    """What is kept of a part of the venue's state. The present input's news is not, nor what has a dump of its own."""
    return {name: _plain(value) for name, value in vars(part).items() if name in _AS_IT_IS or name in _KINDS}


def load(part: object, value: Mapping[str, Any]) -> None:
    """Give a part back what stands under its names."""
    for name in [name for name in vars(part) if name in value]:
        if name in _AS_IT_IS:
            setattr(part, name, value[name])
        elif name in _KINDS:
            setattr(part, name, _bounded(msgspec.convert(value[name], _KINDS[name]), name))


def _bounded(value: Any, name: str) -> Any:
    return {key: deque(rows, PRINTS_KEPT) for key, rows in value.items()} if name == "prints" else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        value = {key: list(rows) if isinstance(rows, deque) else rows for key, rows in value.items()}
    return msgspec.to_builtins(sorted(value) if isinstance(value, set) else value)
