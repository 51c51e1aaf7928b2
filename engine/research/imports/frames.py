"""Frames of the venue from files of any format, one after the other or merged in order of time.

A format is a reader: it yields what stands in the file, line by line, and says its notes when it has come to the end.
Here lines are put in order, counted and judged; and files are put together.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.domain import NS, Instrument
from engine.market.deribit.wire import Event, InstrumentData
from engine.research.imports.found import LISTED, Bad, BadLine, BadRecording, Progress, silent
from engine.research.imports.instruments import Seen, instruments_seen
from engine.research.imports.times import LATEST

LEAP_NS = 3600 * NS  # a line that is ahead of both its neighbours by more has a wrong time


class Timed(NamedTuple):
    """A frame, the line it stands on, its receiver's time, and what it says."""

    number: int
    t: int
    frame: bytes
    event: Event


class Reader(Protocol):
    """One pass through a file. `listed` and `notes` are complete at its end."""

    notes: list[str]
    listed: dict[str, InstrumentData]

    def read(self, bad: Bad, heard: Progress) -> Iterator[Timed]: ...


class Source:
    """One file. Opening reads it through; iterating streams `(t, frame)`. `born`, of tickers that were asked for in
    sweeps: when each instrument was first seen to be listed, ns; None of frames as they came. Raises OSError only."""

    def __init__(
        self,
        path: Path,
        format: str,  # noqa: A002
        reader: Callable[[Path], Reader],
        progress: Progress = silent,
        born: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.format, self._reader, self.born = path, format, reader, born
        self.frames = self.first_t = self.last_t = back = 0
        self.seen, self.bad = Seen(), Bad(path.name)
        reading = reader(path)
        for line in _believed(reading.read(self.bad, progress), self.bad):
            self.seen.take(line.event)
            back += line.t < self.last_t
            self.first_t = self.first_t or line.t
            self.last_t = max(self.last_t, line.t)
            self.frames += 1
        self.listed = reading.listed
        late = [f"{back} lines go back in time; they keep the time before them"] if back else []
        self.notes = [*late, *reading.notes]

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        t, nobody = 0, Bad()
        for line in _believed(self._reader(self.path).read(nobody, silent), nobody):
            t = max(t, line.t)
            yield t, line.frame


def _believed(lines: Iterable[Timed], bad: Bad) -> Iterator[Timed]:
    """Without those whose time is far ahead of the line before and of the line after: one wrong digit would else drag
    all that follows into the future."""
    last = 0
    held: Timed | None = None
    for line in lines:
        if line.t >= LATEST:
            bad.add(line.number, "its time is no time: it lies after the year 2100")
            continue
        if held is not None:
            if last and held.t - last > LEAP_NS and held.t - line.t > LEAP_NS:
                bad.add(held.number, f"its time, {_date(held.t)}, is far ahead of the lines around it")
            else:
                last = held.t
                yield held
        held = line
    if held is not None:
        yield held


class Frames:
    """Sources together. Iterating yields `(t, frame)` in order, t in ns UTC and never falling, and can be done again;
    what lies at the same time keeps the order of the files. `instruments` are those of all files, on one grid; `bad` is
    the first thousand of `bad_count` lines; `born` as a source's. Raises BadRecording where there is no frame, where
    two files hold the same book at the same time, or where sweeps are put together with frames."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sorted(sources, key=lambda source: source.first_t))
        self.paths = tuple(source.path for source in self.sources)
        self.format = " and ".join(dict.fromkeys(source.format for source in self.sources))
        full = [source for source in self.sources if source.frames]
        self.frames = sum(source.frames for source in full)
        if not full:
            raise BadRecording(_no_frame(self.sources))
        self.first_t, self.last_t = full[0].first_t, max(source.last_t for source in full)
        _refuse_twice(full)
        self.born = _born(full)
        seen = Seen()
        listed: dict[str, InstrumentData] = {}
        for source in self.sources:
            seen.merge(source.seen)
            listed |= source.listed
        self.instruments: tuple[Instrument, ...]
        self.instruments, inferred = instruments_seen(seen, listed)
        self.notes = (*self._of_files(), *inferred)
        self.bad: tuple[BadLine, ...] = tuple(line for source in self.sources for line in source.bad.listed)[:LISTED]
        self.bad_count = sum(source.bad.count for source in self.sources)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        if len(self.sources) == 1:
            return iter(self.sources[0])
        return heapq.merge(*self.sources, key=lambda frame: frame[0])

    def _of_files(self) -> Iterator[str]:
        for source in self.sources:
            prefix = f"{source.path.name}: " if len(self.sources) > 1 else ""
            for note in source.notes:
                yield f"{prefix}{note}"


def _born(sources: Sequence[Source]) -> Mapping[str, int] | None:
    """The earliest that any of them says. A venue's frames say themselves what is listed: sweeps beside them would
    tell it twice."""
    swept = [source.born for source in sources if source.born is not None]
    if not swept:
        return None
    if len(swept) < len(sources):
        paths = [next(one for one in sources if (one.born is None) is plain).path for plain in (False, True)]
        raise BadRecording(f"'{paths[0]}' holds sweeps, '{paths[1]}' frames as they came: take one kind")
    out: dict[str, int] = {}
    for born in swept:
        out |= {name: min(t, out.get(name, t)) for name, t in born.items()}
    return out


def _refuse_twice(sources: Sequence[Source]) -> None:
    """Two records of one book that overlap cannot be told apart: their changes would follow each other wrongly."""
    for place, first in enumerate(sources):
        for second in sources[place + 1 :]:
            if second.first_t < first.last_t and (twice := sorted(first.seen.books & second.seen.books)):
                raise BadRecording(
                    f"'{first.path}' and '{second.path}' both hold the book of {twice[0]} at the same time: take one"
                )


def _no_frame(sources: Sequence[Source]) -> str:
    if len(sources) == 1:
        return f"'{sources[0].path}' looks like a {sources[0].format}, but no line of it is a frame of Deribit"
    return f"no line of {', '.join(repr(str(source.path)) for source in sources)} is a frame of Deribit"


def _date(t: int) -> str:
    try:
        return f"{dt.datetime.fromtimestamp(t // NS, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{t} ns"
