"""Recorded frames made into a session, so that they are replayed through the very loop that runs live.

A recording has no clock ticks, no link and nobody looking: those inputs are laid between its frames. Ticks stand on
the 100 ms grid of the recording's own time. Where nothing at all was recorded for an hour or more, the recorder was
off: the link is down from a minute after the last frame, and up again with the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from engine import messages as m
from engine.config import STEP_NS, Config
from engine.domain import NS, Instrument
from engine.shell.store.folders import Meta
from engine.shell.store.tape import Tape

OFF_NS = 3600 * NS  # of silence: the recorder was off
LAST_NS = 60 * NS  # ticks go on for so long


def lay(
    folder: Path,
    instruments: tuple[Instrument, ...],
    frames: Iterable[tuple[int, bytes]],
    *,
    model: str,
    code: str,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write frames `(t ns, bytes)`, in order of time, as a session; returns the number of inputs. `progress` hears the
    time come to, ns. Raises BadSession."""
    tape: Tape | None = None
    n = step = last = 0

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
                step, last = t // STEP_NS + 1, t
            off = t - last >= OFF_NS
            while step * STEP_NS <= (last + LAST_NS if off else t):
                put(m.Tick, step * STEP_NS)
                step += 1
            if off:
                put(m.Link, last + LAST_NS, up=False, reason="nothing was recorded")
                put(m.Link, t, up=True, authenticated=True)
                put(m.Focus, t, instruments=_focus(instruments))
                step = t // STEP_NS + 1
            put(m.Frame, t, data=data)
            last = t
            if n % 1000 == 0:
                progress(t)
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
    put(m.Focus, t, instruments=_focus(instruments))


def _focus(instruments: tuple[Instrument, ...]) -> tuple[str, ...]:
    return tuple(instrument.name for instrument in instruments)[: Config().focus_limit]
