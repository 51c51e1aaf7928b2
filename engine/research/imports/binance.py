"""Raw frames of a Binance future as events: depth updates, best prices and trades, one instrument a recording.

A line is `TIME JSON`: the receiver's clock in ms, µs or ns (told by its number of digits) or in ISO 8601 (the raw feed
of Tardis), and a frame of a combined stream, or the answer to a request for the whole book, bare or in a frame.
Several files that follow each other are one recording.

The book starts at an answer: updates that end before its number are dropped, the first that ends at or after it must
follow an update that it holds, and from there on each names the one before it (`pu`; Binance, "How to manage a local
order book correctly", USDⓈ-M futures). Where one is missing the book is unknown until the next answer: an empty
snapshot says so. Opening reads everything once and holds the rebuilt book against the best prices beside it.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from engine.research.imports.events import Best, Event, Level2, Levels, Printed
from engine.research.imports.found import Bad, BadRecording, Progress, silent
from engine.research.imports.grid import divisor
from engine.research.imports.ladder import Agreement, Ladder
from engine.research.imports.lines import lines
from engine.research.imports.times import ISO, LATEST, of_count, of_iso

EARLY = 10_000  # updates that wait for the first whole book

_Price = Annotated[float, msgspec.Meta(gt=0, lt=1e12)]
_Size = Annotated[float, msgspec.Meta(ge=0, lt=1e15)]
_Side = tuple[tuple[_Price, _Size], ...]


class _Depth(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="depthUpdate"):
    s: str
    u: int
    pu: int
    bids: _Side = msgspec.field(name="b")
    asks: _Side = msgspec.field(name="a")


class _Ticker(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="bookTicker"):
    s: str
    u: int
    bid: _Price = msgspec.field(name="b")
    bid_size: _Size = msgspec.field(name="B")
    ask: _Price = msgspec.field(name="a")
    ask_size: _Size = msgspec.field(name="A")


class _Trade(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="trade"):
    s: str
    id: int = msgspec.field(name="t")
    price: _Price = msgspec.field(name="p")
    size: _Size = msgspec.field(name="q")
    bid_was_maker: bool = msgspec.field(name="m")
    by: str = msgspec.field(name="X", default="MARKET")


class _Frame(msgspec.Struct, frozen=True, gc=False):
    data: _Depth | _Ticker | _Trade


class _Whole(msgspec.Struct, frozen=True, gc=False):
    u: int = msgspec.field(name="lastUpdateId")
    bids: _Side
    asks: _Side
    s: str = msgspec.field(name="symbol", default="")


class _Fed(msgspec.Struct, frozen=True, gc=False):
    data: _Whole


class _Kind(msgspec.Struct):
    e: str


class _Other(msgspec.Struct):
    data: _Kind


class _Wrong(NamedTuple):
    why: str


_frame = msgspec.json.Decoder(_Frame, strict=False)  # the venue writes decimals as strings
_whole = msgspec.json.Decoder(_Whole, strict=False)
_fed = msgspec.json.Decoder(_Fed, strict=False)
_other = msgspec.json.Decoder(_Other)
_LINE = re.compile(rb"(\d{13,19}|" + ISO + rb") (\{.+)", re.DOTALL)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Said = _Depth | _Ticker | _Trade | _Whole | _Kind | _Wrong


def _said(line: bytes) -> tuple[int, _Said]:
    """One line → its time and what it says. Never raises."""
    match = _LINE.fullmatch(line.strip())
    t = None if match is None else of_count(match[1]) or of_iso(match[1])
    if match is None or t is None or t >= LATEST:
        return 0, _Wrong("it is not 'TIME JSON'")
    try:
        if b'"lastUpdateId"' in match[2][:200]:
            return t, _whole.decode(match[2]) if match[2].startswith(b'{"lastUpdateId"') else _fed.decode(match[2]).data
        return t, _frame.decode(match[2]).data
    except _UNREADABLE as error:
        try:
            kind = _other.decode(match[2]).data
        except _UNREADABLE:
            return t, _Wrong(str(error))
        return t, _Wrong(str(error)) if kind.e in ("depthUpdate", "bookTicker", "trade") else kind


class _Chain:
    """Which updates make the book, in which order."""

    def __init__(self) -> None:
        self.last: int | None = None  # the last update that the book holds; None: the book is unknown
        self.gaps = 0
        self.unplaced = 0  # updates that belong to no known book
        self._fresh = False  # a whole book, no update on it yet
        self._early: deque[_Depth] = deque(maxlen=EARLY)

    def whole(self, t: int, book: _Whole) -> Iterator[tuple[Level2, int]]:
        if self.last is not None and book.u < self.last:
            return  # older than what is held
        yield Level2(t, True, book.bids, book.asks), book.u
        self.last, self._fresh = book.u, True
        early, self._early = self._early, deque(maxlen=EARLY)
        for update in early:
            yield from self.update(t, update)

    def update(self, t: int, update: _Depth) -> Iterator[tuple[Level2, int]]:
        if self.last is None:
            self._wait(update)
            return
        if self._fresh and update.u < self.last:
            self.unplaced += 1
            return
        if update.pu > self.last if self._fresh else update.pu != self.last:
            self.gaps += 1
            self.last = None
            self._wait(update)
            yield Level2(t, True, (), ()), 0
            return
        self.last, self._fresh = update.u, False
        yield Level2(t, False, update.bids, update.asks), update.u

    def left_out(self) -> int:
        return self.unplaced + len(self._early)

    def _wait(self, update: _Depth) -> None:
        self.unplaced += len(self._early) == EARLY
        self._early.append(update)


class _Reading:
    """One pass through the files: events with their numbers, and what is counted on the way."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self.symbol = ""
        self.counts: Counter[str] = Counter()
        self.chain = _Chain()
        self.back = self.forced = self.strangers = 0
        self.bad = [Bad(path.name) for path in paths]

    def __call__(self, heard: Progress = silent) -> Iterator[tuple[Event, int]]:
        last = 0
        for place, path in enumerate(self.paths):
            bad = self.bad[place]
            for number, line in lines(path, bad, lambda share, before=place: heard((before + share) / len(self.paths))):  # type: ignore[misc]
                if not line.strip():
                    continue
                t, said = _said(line)
                if isinstance(said, _Wrong):
                    bad.add(number, said.why)
                    continue
                if not isinstance(said, _Kind) and self._stranger(said.s):
                    continue
                self.back += t < last
                last = max(last, t)
                yield from self._events(last, said)

    def _stranger(self, symbol: str) -> bool:
        self.symbol = self.symbol or symbol
        other = bool(symbol) and symbol != self.symbol
        self.strangers += other
        return other

    def _events(self, t: int, said: _Said) -> Iterator[tuple[Event, int]]:
        match said:
            case _Depth():
                self.counts["depthUpdate"] += 1
                yield from self.chain.update(t, said)
            case _Ticker():
                self.counts["bookTicker"] += 1
                yield Best(t, said.bid, said.bid_size, said.ask, said.ask_size), said.u
            case _Trade():
                self.counts["trade"] += 1
                if said.by == "MARKET" and said.size:
                    yield Printed(t, said.price, said.size, -1 if said.bid_was_maker else 1), said.id
                else:
                    self.forced += 1
            case _Whole():
                self.counts["whole book"] += 1
                yield from self.chain.whole(t, said)
            case _Kind():
                self.counts[said.e] += 1


def _begins(path: Path) -> int:
    return next((t for _, line in lines(path, Bad()) if (t := _said(line)[0])), 0)


class BinanceLog:
    """A Binance depth log, see EventRecording. Raises BadRecording where it holds no event at all."""

    format = "Binance depth log"

    def __init__(self, paths: Sequence[Path], progress: Progress = silent) -> None:
        self.paths = tuple(sorted(paths, key=_begins))
        self.events = self.first_t = self.last_t = 0
        self._prices: set[float] = set()
        self._sizes: set[float] = set()
        ladder, agreement, reading = Ladder(), Agreement(), _Reading(self.paths)
        for event, number in reading(progress):
            self._count(event)
            if isinstance(event, Level2):
                ladder.apply(event)
                agreement.book(number, ladder.best())
            elif isinstance(event, Best):
                agreement.best(number, event[1:])
        self.checks = agreement.checks
        self._conclude(reading)

    def __iter__(self) -> Iterator[Event]:
        for event, _ in _Reading(self.paths)():
            yield event

    def _count(self, event: Event) -> None:
        self.events += 1
        self.first_t = self.first_t or event.t
        self.last_t = event.t
        if isinstance(event, Level2):
            self._see(event.bids)
            self._see(event.asks)
        elif isinstance(event, Printed):
            self._see(((event.price, event.size),))

    def _see(self, levels: Levels) -> None:
        if levels:
            prices, sizes = zip(*levels, strict=True)
            self._prices.update(prices)
            self._sizes.update(sizes)

    def _conclude(self, reading: _Reading) -> None:
        names = ", ".join(f"'{path}'" for path in self.paths)
        if not self.events:
            raise BadRecording(f"{names} looks like a Binance depth log, but no line of it is an event of a market")
        self.symbol, self.inverse = reading.symbol, reading.symbol.endswith("USD_PERP")
        self.tick, self.lot = divisor(self._prices), divisor(self._sizes)
        self.counts = dict(reading.counts)
        self.gaps = reading.chain.gaps
        self.bad = tuple(line for bad in reading.bad for line in bad.listed)[:1000]
        self.bad_count = sum(bad.count for bad in reading.bad)
        self.notes = tuple(_notes(reading, self))


def _notes(reading: _Reading, log: BinanceLog) -> Iterator[str]:
    left_out = reading.chain.left_out()
    if "whole book" not in log.counts and log.counts.get("depthUpdate"):
        yield f"there is no whole book in it to start from: its {left_out} depth updates are left out"
    elif left_out:
        yield f"{left_out} depth updates belong to no known book and are left out"
    if log.gaps:
        yield f"the chain of updates breaks {log.gaps} times; the book is unknown until the next whole one"
    if log.checks.made:
        yield f"the rebuilt book was held against the recorded best {log.checks.made} times: {log.checks.off} differ"
    if reading.forced:
        yield f"{reading.forced} trades are not of the market (a liquidation's, say) and are left out"
    if reading.strangers:
        yield f"{reading.strangers} lines are of another instrument than {log.symbol} and are left out"
    if reading.back:
        yield f"{reading.back} lines go back in time; they keep the time before them"


def is_binance(head: bytes) -> bool:
    first = [line.strip() for line in head.splitlines()[:50]]
    return any(_LINE.fullmatch(line) and (b'"lastUpdateId"' in line or b'"stream"' in line) for line in first)
