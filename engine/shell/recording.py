"""Recorded frames made into a session, so that they are replayed through the very loop that runs live.

A recording has no clock ticks, no link and nobody looking: those inputs are laid between its frames. Ticks stand on
the 100 ms grid of the recording's own time. Where nothing at all was recorded for an hour or more, the recorder was
off: the link is down from a minute after the last frame, and up again with the next.

Tickers alone that were asked for in sweeps differ in three ways. The venue's listing is told as it grew (see
`listing`). There are no books to look at. And the clock steps by seconds: often enough that every expiry is fitted
while its quotes are fresh, and so seldom that days are folded in a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from engine import messages as m
from engine.config import STEP_NS, Config, Limits
from engine.domain import NS, Instrument
from engine.shell.listing import Listing
from engine.shell.store.folders import Meta
from engine.shell.store.tape import Tape

OFF_NS = 3600 * NS  # of silence: the recorder was off
LAST_NS = 60 * NS  # ticks go on for so long
SWEEP_STEP_NS = 4 * NS  # ten expiries are gone round twice while a quote is fresh
REST_STEPS = 4  # when none is, of so many steps only the last is made: to see smiles grow old
SILENCE_S = 420.0  # a sweep begins every five minutes: one that is missing is silence, a pause between two is not


def lay(
    folder: Path,
    instruments: tuple[Instrument, ...],
    frames: Iterable[tuple[int, bytes]],
    *,
    model: str,
    code: str,
    born: Mapping[str, int] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Write frames `(t ns, bytes)`, in order of time, as a session; returns the number of inputs. With `born`, when
    each instrument was listed (ns), they are sweeps. `progress` hears the time come to, ns. Raises BadSession."""
    laid: _Laid | None = None
    try:
        for t, data in frames:
            if laid is None:
                laid = _Laid(folder, instruments, t, code, born)
                laid.open(model)
            laid.frame(t, data)
            if laid.n % 1000 == 0:
                progress(t)
        if laid is not None and born is not None:
            laid.ticks(laid.last + LAST_NS)  # or what was asked for last would never be fitted
    finally:
        if laid is not None:
            laid.tape.close()
    return 0 if laid is None else laid.n


class _Laid:
    """A session as far as it is laid: `n` inputs, the last frame at `last`."""

    def __init__(
        self, folder: Path, instruments: tuple[Instrument, ...], t: int, code: str, born: Mapping[str, int] | None
    ) -> None:
        coins = [instrument.coin for instrument in instruments]
        self.coin = max(set(coins), key=coins.count) if coins else "BTC"
        self.instruments = instruments
        self.listing = None if born is None else Listing(self.coin, instruments, born, t)
        meta = Meta(name=folder.name, mode="replay", started=t, code=code, instruments=len(instruments))
        self.tape = Tape.create(folder, meta)
        self.n = 0
        self.last = t
        self._beat = STEP_NS if born is None else SWEEP_STEP_NS
        self._step = t // self._beat + 1

    def open(self, model: str) -> None:
        limits = Limits() if self.listing is None else Limits(silence_s=SILENCE_S)
        config = Config(mode="replay", coin=self.coin, model=model, limits=limits)
        known = self.instruments if self.listing is None else ()
        meta = self.tape.meta
        self._put(m.Started, self.last, config=config, code=meta.code, model=model, seed=0, session=meta.name,
                  instruments=known)  # fmt: skip
        self._up(self.last)

    def frame(self, t: int, data: bytes) -> None:
        if t - self.last >= OFF_NS:
            self.ticks(self.last + LAST_NS)
            self._put(m.Link, self.last + LAST_NS, up=False, reason="nothing was recorded")
            self._up(t)
            self._step = t // self._beat + 1
        else:
            self.ticks(t)
        for said in self.listing.news(t) if self.listing else ():
            self._put(m.Frame, t, data=said)
        self._put(m.Frame, t, data=data)
        self.last = t

    def ticks(self, until: int) -> None:
        while (t := self._step * self._beat) <= until:
            if self.listing is None or t - self.last <= LAST_NS or self._step % REST_STEPS == 0:
                self._put(m.Tick, t)
            self._step += 1

    def _up(self, t: int) -> None:
        self._put(m.Link, t, up=True, authenticated=self.listing is None)
        names = [instrument.name for instrument in self.instruments] if self.listing is None else []
        self._put(m.Focus, t, instruments=tuple(names[: Config().focus_limit]))

    def _put(self, kind: Callable[..., m.Input], t: int, **fields: object) -> None:
        self.n += 1
        item = kind(n=self.n, t=t, **fields)
        self.tape.append(item)
        for said in self.listing.answers(item) if self.listing else ():
            self._put(m.Frame, t, data=said)
