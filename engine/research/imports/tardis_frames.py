"""Tardis's CSV rows of Deribit made into the frames that the venue would have sent, so that a session can replay them.

The rows carry less than the frames did. What is made up here, and said in the notes: the chain of change ids of a book
(from 1 for each instrument), the sequence numbers of trades, and whether a level is new, changed or deleted (from the
levels before). Everything else is as recorded; what is not in the rows is left away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.domain import MS, instrument_of
from engine.market.deribit.data import BookData, Greeks, InstrumentData, Level, TickerData, TradeData
from engine.market.deribit.frames import notification
from engine.market.deribit.wire import Push
from engine.research.imports.found import Bad, BadRecording, Progress, silent
from engine.research.imports.frames import Timed
from engine.research.imports.tardis_csv import BOOK, CHAIN, QUOTES, TICKER, TRADES, Row, rows, table_of

VENUE = "deribit"


class TardisFrames:
    """A reader (see frames) of Deribit rows. Raises BadRecording for another exchange's, and for quotes."""

    format = "Tardis CSV"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self.listed: dict[str, InstrumentData] = {}
        self.table = table_of(path)
        if self.table.exchange != VENUE:
            other = self.table.exchange or "no exchange"
            raise BadRecording(f"'{path}' is of {other}; a session is made of Deribit's rows only")
        if self.table.kind is QUOTES:
            raise BadRecording(f"'{path}' holds best prices only; a session takes its books from incremental_book_L2")
        self.strange: dict[str, str] = {}

    def read(self, bad: Bad, heard: Progress = silent) -> Iterator[Timed]:
        found = rows(self.path, self.table, bad, heard, self._ours)
        match self.table.kind.name:
            case BOOK.name:
                books = _Books()
                yield from books.frames(found)
                self.notes += books.notes(bad.count)
            case TRADES.name:
                trades = _Trades()
                yield from trades.frames(found)
                self.notes += trades.notes()
            case CHAIN.name:
                yield from (_ticker(row, _option(row)) for row in found)
            case TICKER.name:
                yield from (_ticker(row, _future(row)) for row in found)
        if self.strange:
            some = ", ".join(list(self.strange)[:3])
            self.notes.append(f"{len(self.strange)} instruments are not inverse BTC or ETH and are left out ({some} …)")

    def _ours(self, symbol: str) -> bool:
        known = _known(symbol)
        if not known:
            self.strange.setdefault(symbol, "")
        return known


@lru_cache(maxsize=8192)
def _known(symbol: str) -> bool:
    try:
        return instrument_of(symbol).name == symbol
    except ValueError:
        return False


class _Book:
    def __init__(self) -> None:
        self.id = 0
        self.sides: dict[str, set[float]] = {"bid": set(), "ask": set()}

    def snapshot(self, message: list[Row]) -> dict[str, list[Level]]:
        out: dict[str, list[Level]] = {}
        for side in self.sides:
            levels = {row.values[0]: row.values[1] for row in message if row.word == side and row.values[1]}
            self.sides[side] = set(levels)
            out[side] = [("new", price, amount) for price, amount in levels.items()]
        return out

    def change(self, message: list[Row]) -> dict[str, list[Level]]:
        out: dict[str, list[Level]] = {"bid": [], "ask": []}
        for row in message:
            (price, amount), there = row.values, self.sides[row.word]
            if amount:
                out[row.word].append(("change" if price in there else "new", price, amount))
                there.add(price)
            elif price in there:  # what is deleted without having been there says nothing
                out[row.word].append(("delete", price, 0.0))
                there.remove(price)
        return out


class _Books:
    """Rows of one message share an instrument and a time."""

    def __init__(self) -> None:
        self.books: dict[str, _Book] = {}
        self.early = 0

    def frames(self, found: Iterator[Row]) -> Iterator[Timed]:
        for (name, _, snapshot), group in groupby(found, key=lambda row: (row.symbol, row.t, row.snapshot)):
            message = list(group)
            book = self.books.get(name)
            if book is None and not snapshot:
                self.early += len(message)
                continue
            book = self.books.setdefault(name, book or _Book())
            levels = book.snapshot(message) if snapshot else book.change(message)
            if not snapshot and not levels["bid"] and not levels["ask"]:
                continue
            book.id += 1
            data = BookData(
                type="snapshot" if snapshot else "change", timestamp=message[-1].stamp // MS, instrument_name=name,
                change_id=book.id, prev_change_id=None if snapshot else book.id - 1,
                bids=levels["bid"], asks=levels["ask"],
            )  # fmt: skip
            yield _timed(message[0], f"book.{name}.raw", data)

    def notes(self, bad_rows: int) -> Iterator[str]:
        if self.books and bad_rows:
            yield f"what {bad_rows} bad rows said of a level is missing in its book until the next snapshot"
        if self.books:
            yield f"the change ids of {len(self.books)} books are made here, from 1: the file has none"
        if self.early:
            yield f"{self.early} rows come before the first snapshot of their book and are left out"


class _Trades:
    def __init__(self) -> None:
        self.made: dict[str, int] = {}
        self.unknown = 0

    def frames(self, found: Iterator[Row]) -> Iterator[Timed]:
        for (name, _), group in groupby(found, key=lambda row: (row.symbol, row.t)):
            message = list(group)
            prints = [self._print(row) for row in message if row.word != "unknown"]
            self.unknown += len(message) - len(prints)
            if prints:
                yield _timed(message[0], f"trades.{name}.raw", prints)

    def _print(self, row: Row) -> TradeData:
        self.made[row.symbol] = number = self.made.get(row.symbol, 0) + 1
        return TradeData(
            trade_seq=number, trade_id=row.name or f"{row.symbol}-{number}", timestamp=row.stamp // MS,
            instrument_name=row.symbol, price=row.values[0], amount=row.values[1],
            direction="buy" if row.word == "buy" else "sell",
        )  # fmt: skip

    def notes(self) -> Iterator[str]:
        if self.made:
            yield f"the sequence numbers of the trades of {len(self.made)} instruments are made here, from 1"
        if self.unknown:
            yield f"{self.unknown} trades do not say who was the aggressor and are left out"


def _option(row: Row) -> dict[str, Any]:
    (_, _, interest, last, bid, bid_size, bid_iv, ask, ask_size, ask_iv, mark, mark_iv, forward, *greeks) = row.values
    delta, gamma, vega, theta, rho = (_value(each) for each in greeks)
    return {
        "open_interest": _value(interest), "last_price": _value(last),
        "best_bid_price": _value(bid) or 0.0, "best_bid_amount": (_value(bid_size) or 0.0) if bid > 0 else 0.0,
        "best_ask_price": _value(ask) or 0.0, "best_ask_amount": (_value(ask_size) or 0.0) if ask > 0 else 0.0,
        "bid_iv": _value(bid_iv) or 0.0, "ask_iv": _value(ask_iv) or 0.0, "mark_iv": _value(mark_iv),
        "mark_price": _value(mark), "underlying_price": _value(forward), "underlying_index": row.name or None,
        "greeks": Greeks(delta=delta, gamma=gamma, vega=vega, theta=theta, rho=rho),
    }  # fmt: skip


def _future(row: Row) -> dict[str, Any]:
    _, funding, _, interest, last, index, mark = (_value(each) for each in row.values)
    return {
        "open_interest": interest, "last_price": last, "index_price": index, "mark_price": mark,
        "current_funding": funding,
    }  # fmt: skip


def _ticker(row: Row, fields: dict[str, Any]) -> Timed:
    data = TickerData(instrument_name=row.symbol, timestamp=row.stamp // MS, **fields)
    return _timed(row, f"ticker.{row.symbol}.raw", data)


def _timed(row: Row, channel: str, data: Any) -> Timed:
    return Timed(row.number, row.t, notification(channel, data), Push(channel, data))


def _value(number: float) -> float | None:
    return None if math.isnan(number) else number
