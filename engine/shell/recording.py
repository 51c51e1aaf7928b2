"""Recorded frames made into a session, so that they are replayed through the very loop that runs live.

A recording has no clock ticks, no link and nobody looking: those inputs are laid between its frames. Ticks stand on
the 100 ms grid of the recording's own time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from engine import messages as m
from engine.config import STEP_NS, Config
from engine.domain import Instrument
from engine.shell.store.folders import Meta
from engine.shell.store.tape import Tape


def lay(
    folder: Path,
    instruments: tuple[Instrument, ...],
    frames: Iterable[tuple[int, bytes]],
    *,
    model: str,
    code: str,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write frames `(t ns, bytes)`, in order of time, as a session; returns the number of inputs. Raises BadSession."""
    tape: Tape | None = None
    n = step = 0

    def put(kind: Callable[..., m.Input], t: int, **fields: object) -> None:
        nonlocal n
        assert tape is not None
        n += 1
        tape.append(kind(n=n, t=t, **fields))

    try:
        for t, data in frames:
            if tape is None:
                meta = Meta(name=folder.name, mode="replay", started=t, code=code, instruments=len(instruments))
                tape = Tape.create(folder, meta)
                _open(put, t, instruments, model, code, folder.name)
                step = t // STEP_NS + 1
            while step * STEP_NS <= t:
                put(m.Tick, step * STEP_NS)
                step += 1
            put(m.Frame, t, data=data)
            if n % 1000 == 0:
                progress(n)
    finally:
        if tape is not None:
            tape.close()
    return n


def _open(
    put: Callable[..., None], t: int, instruments: tuple[Instrument, ...], model: str, code: str, session: str
) -> None:
    coins = [instrument.coin for instrument in instruments]
    config = Config(mode="replay", coin=max(set(coins), key=coins.count) if coins else "BTC", model=model)
    put(m.Started, t, config=config, code=code, model=model, seed=0, session=session, instruments=instruments)
    put(m.Link, t, up=True, authenticated=True)
    put(m.Focus, t, instruments=tuple(i.name for i in instruments)[: config.focus_limit])
