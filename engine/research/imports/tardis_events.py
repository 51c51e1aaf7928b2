"""Tardis's CSV rows of any exchange as events, of one instrument: its book updates, trades and best prices, each from
a file of its own, merged in order of time."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from engine.domain import instrument_of
from engine.research.imports.events import Best, Checks, Event, Level2, Printed
from engine.research.imports.found import LISTED, Bad, BadLine, BadRecording, Progress, silent
from engine.research.imports.grid import divisor
from engine.research.imports.tardis_csv import BOOK, CHAIN, QUOTES, TICKER, TRADES, Row, Table, rows, table_of
from engine.research.imports.tardis_frames import VENUE


class TardisEvents:
    """See EventRecording. The instrument is the first that occurs. Raises BadRecording where there is no event."""

    format = "Tardis CSV"

    def __init__(self, paths: Sequence[Path], progress: Progress = silent) -> None:
        self.paths = tuple(paths)
        self.tables = [table_of(path) for path in self.paths]
        self.symbol = ""
        self.events = self.first_t = self.last_t = self.gaps = 0
        self.checks = Checks()
        self._strangers = self._unknown = 0
        self._refuse()
        bad = [Bad(path.name) for path in self.paths]
        kinds: Counter[str] = Counter()
        prices: set[float] = set()
        sizes: set[float] = set()
        for event in self._merged(bad, progress):
            self.events += 1
            self.first_t, self.last_t = self.first_t or event.t, event.t
            kinds[type(event).__name__] += 1
            for price, size in _levels(event):
                prices.add(price)
                sizes.add(size)
        if not self.events:
            raise BadRecording(f"no row of {', '.join(repr(str(path)) for path in self.paths)} is an event of a market")
        self.counts = dict(kinds)
        self.tick, self.lot = divisor(prices), divisor(sizes)
        self.inverse = self.tables[0].exchange == VENUE and _is_ours(self.symbol)
        self.bad: tuple[BadLine, ...] = tuple(line for each in bad for line in each.listed)[:LISTED]
        self.bad_count = sum(each.count for each in bad)
        self.notes = tuple(self._notes())

    def __iter__(self) -> Iterator[Event]:
        return self._merged([Bad() for _ in self.paths], silent)

    def _refuse(self) -> None:
        for path, table in zip(self.paths, self.tables, strict=True):
            if table.kind in (CHAIN, TICKER):
                raise BadRecording(f"'{path}' holds {table.kind.name}, which are no events of a book")
            if table.exchange != self.tables[0].exchange:
                raise BadRecording(f"'{path}' is of another exchange than '{self.paths[0]}'")

    def _merged(self, bad: list[Bad], progress: Progress) -> Iterator[Event]:
        heard = [_part(progress, place, len(self.paths)) for place in range(len(self.paths))]
        streams = [
            self._events(path, table, bad[place], heard[place])
            for place, (path, table) in enumerate(zip(self.paths, self.tables, strict=True))
        ]
        last = 0
        for event in heapq.merge(*streams, key=lambda event: event.t):
            last = max(last, event.t)
            yield event if event.t == last else event._replace(t=last)

    def _events(self, path: Path, table: Table, bad: Bad, heard: Progress) -> Iterator[Event]:
        found = rows(path, table, bad, heard, self._wanted)
        if table.kind is BOOK:
            return _book(found)
        return self._trades(found) if table.kind is TRADES else _quotes(found)

    def _wanted(self, symbol: str) -> bool:
        self.symbol = self.symbol or symbol
        self._strangers += symbol != self.symbol
        return symbol == self.symbol

    def _trades(self, found: Iterator[Row]) -> Iterator[Event]:
        for row in found:
            if row.word == "unknown":
                self._unknown += 1
            else:
                yield Printed(row.t, row.values[0], row.values[1], 1 if row.word == "buy" else -1)

    def _notes(self) -> Iterator[str]:
        if self._strangers:
            yield f"{self._strangers} rows are of another instrument than {self.symbol} and are left out"
        if self._unknown:
            yield f"{self._unknown} trades do not say who was the aggressor and are left out"
        if any(table.kind is BOOK for table in self.tables) and not any(t.kind is QUOTES for t in self.tables):
            yield "there are no quotes beside the book to hold it against"


def _book(found: Iterator[Row]) -> Iterator[Event]:
    """A snapshot begins where the row before was none; one in several messages goes on as an update."""
    was_snapshot = begun = False
    for (t, snapshot), group in groupby(found, key=lambda row: (row.t, row.snapshot)):
        message = list(group)
        begun = begun or snapshot
        if begun:
            sides = {side: tuple((row.values[0], row.values[1]) for row in message if row.word == side)
                     for side in ("bid", "ask")}  # fmt: skip
            yield Level2(t, snapshot and not was_snapshot, sides["bid"], sides["ask"])
        was_snapshot = snapshot


def _quotes(found: Iterator[Row]) -> Iterator[Event]:
    for row in found:
        bid, bid_size, ask, ask_size = row.values
        if not any(math.isnan(value) for value in row.values) and 0 < bid < ask:
            yield Best(row.t, bid, bid_size, ask, ask_size)


def _levels(event: Event) -> Iterator[tuple[float, float]]:
    match event:
        case Level2():
            yield from (*event.bids, *event.asks)
        case Printed():
            yield event.price, event.size
        case Best():
            yield from ((event.bid, event.bid_size), (event.ask, event.ask_size))


def _part(progress: Progress, place: int, of: int) -> Progress:
    return lambda share: progress((place + share) / of)


def _is_ours(symbol: str) -> bool:
    try:
        return bool(instrument_of(symbol).name)
    except ValueError:
        return False
