"""Rows of Tardis's CSV files, typed: book updates, trades, quotes, option chains and derivative tickers.

The first line names the columns (docs.tardis.dev, "Data types"); their order is not relied on. Times are in µs; files
in ms or ns are told by the number of digits. `local_timestamp` is the receiver's and orders the rows. An empty cell
is no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

from engine.research.imports.found import Bad, BadRecording, Progress, silent
from engine.research.imports.lines import head, lines
from engine.research.imports.times import LATEST, of_count

_START = b"exchange,symbol,timestamp,local_timestamp,"


class Row(NamedTuple):
    """`t` the receiver's time, `stamp` the venue's, ns; `values` as the kind's columns, NaN where the cell is empty;
    `word` is a side or a type, `name` an id or the name of an underlying."""

    number: int
    t: int
    stamp: int
    symbol: str
    word: str
    name: str
    snapshot: bool
    values: tuple[float, ...]


class Kind(NamedTuple):
    """One type of file: its columns of numbers, and which of them must be there and above zero."""

    name: str
    numbers: tuple[str, ...]
    above: int = 0  # of the numbers, so many from the first
    word: str = ""
    words: tuple[str, ...] = ()  # what the word may be
    called: str = ""
    snapshot: bool = False


_GREEKS = ("delta", "gamma", "vega", "theta", "rho")
BOOK = Kind("incremental_book_L2", ("price", "amount"), 1, "side", ("bid", "ask"), snapshot=True)
TRADES = Kind("trades", ("price", "amount"), 2, "side", ("buy", "sell", "unknown"), "id")
QUOTES = Kind("quotes", ("bid_price", "bid_amount", "ask_price", "ask_amount"))
CHAIN = Kind(
    "options_chain",
    ("strike_price", "expiration", "open_interest", "last_price", "bid_price", "bid_amount", "bid_iv", "ask_price",
     "ask_amount", "ask_iv", "mark_price", "mark_iv", "underlying_price", *_GREEKS),
    2, "type", ("call", "put"), "underlying_index",
)  # fmt: skip
TICKER = Kind(
    "derivative_ticker", ("funding_timestamp", "funding_rate", "predicted_funding_rate", "open_interest", "last_price",
                          "index_price", "mark_price"),
)  # fmt: skip
KINDS = (CHAIN, BOOK, TRADES, TICKER, QUOTES)
_MAY_BE_NEGATIVE = {*_GREEKS, "funding_rate", "predicted_funding_rate"}

Wanted: TypeAlias = Callable[[str], bool]


class Table(NamedTuple):
    """What the first lines of a file say."""

    kind: Kind
    columns: tuple[str, ...]
    exchange: str


def is_tardis_csv(start: bytes) -> bool:
    return start.startswith(_START)


def table_of(path: Path) -> Table:
    """Raises BadRecording where the columns are of no kind known here, or where there is no row."""
    first, _, rest = head(path, 1 << 16).partition(b"\n")
    columns = tuple(first.strip().decode("utf-8", "replace").split(","))
    for kind in KINDS:
        if set(_needed(kind)) <= set(columns):
            return Table(kind, columns, rest.partition(b",")[0].decode("utf-8", "replace")[:40])
    known = ", ".join(kind.name for kind in KINDS)
    shown = ", ".join(columns)[:200]
    raise BadRecording(f"'{path}' is a Tardis CSV, but its columns are those of none of {known}: {shown}")


def rows(
    path: Path, table: Table, bad: Bad, heard: Progress = silent, wanted: Wanted = lambda _: True
) -> Iterator[Row]:
    """The sound rows whose symbol is wanted; every other is counted as bad."""
    parse = _Parse(table)
    for number, line in lines(path, bad, heard):
        if number == 1 or not line.strip():
            continue
        cells = line.rstrip(b"\r").split(b",")
        try:
            row = parse(number, cells, wanted)
        except _Wrong as wrong:
            bad.add(number, str(wrong))
            continue
        if row is not None:
            yield row


class _Wrong(Exception):
    pass


def _needed(kind: Kind) -> Iterator[str]:
    yield from (*_START.decode().strip(",").split(","), *kind.numbers)
    yield from filter(None, (kind.word, kind.called, "is_snapshot" if kind.snapshot else ""))


class _Parse:
    """Cells → Row. Raises _Wrong."""

    def __init__(self, table: Table) -> None:
        self.kind, self.width, self.exchange = table.kind, len(table.columns), table.exchange.encode()
        at = {name: place for place, name in enumerate(table.columns)}
        self.exchange_at, self.symbol_at = at["exchange"], at["symbol"]
        self.stamp_at, self.t_at = at["timestamp"], at["local_timestamp"]
        self.number_at = [at[name] for name in self.kind.numbers]
        self.negative = [name in _MAY_BE_NEGATIVE for name in self.kind.numbers]
        self.word_at, self.name_at = at.get(self.kind.word, -1), at.get(self.kind.called, -1)
        self.snapshot_at = at["is_snapshot"] if self.kind.snapshot else -1

    def __call__(self, number: int, cells: list[bytes], wanted: Wanted) -> Row | None:
        if len(cells) != self.width:
            raise _Wrong(f"it has {len(cells)} cells, not {self.width}")
        if cells[self.exchange_at] != self.exchange:
            raise _Wrong(f"it is of another exchange than {self.exchange.decode(errors='replace')}")
        symbol = _text(cells[self.symbol_at])
        t, stamp = of_count(cells[self.t_at]), of_count(cells[self.stamp_at])
        if t is None or stamp is None or max(t, stamp) >= LATEST:
            raise _Wrong("its times are no times in µs")
        if not wanted(symbol):
            return None
        word = _text(cells[self.word_at]) if self.word_at >= 0 else ""
        if self.kind.words and word not in self.kind.words:
            raise _Wrong(f"its {self.kind.word} is '{word[:20]}', not {' or '.join(self.kind.words)}")
        name = _text(cells[self.name_at]) if self.name_at >= 0 else ""
        return Row(number, t, stamp, symbol, word, name, self._snapshot(cells), self._values(cells))

    def _snapshot(self, cells: list[bytes]) -> bool:
        if self.snapshot_at < 0:
            return False
        told = cells[self.snapshot_at]
        if told not in (b"true", b"false"):
            raise _Wrong("its is_snapshot is neither true nor false")
        return told == b"true"

    def _values(self, cells: list[bytes]) -> tuple[float, ...]:
        values = [_number(cells[at]) for at in self.number_at]
        for place, value in enumerate(values):
            if value is None or (value < 0 and not self.negative[place]):
                raise _Wrong(f"its {self.kind.numbers[place]} is '{_shown(cells[self.number_at[place]])}'")
            if place < self.kind.above and not value > 0:
                raise _Wrong(f"its {self.kind.numbers[place]} is not above 0")
        if self.kind is BOOK and math.isnan(values[1] or 0.0):
            raise _Wrong("it has no amount")
        return cast("tuple[float, ...]", tuple(values))


@lru_cache(maxsize=1 << 14)  # the same few cells come all day
def _text(cell: bytes) -> str:
    try:
        return cell.decode()
    except UnicodeDecodeError:
        raise _Wrong("it is not text in UTF-8") from None


def _shown(cell: bytes) -> str:
    return cell[:20].decode("utf-8", "replace")


@lru_cache(maxsize=1 << 16)
def _number(cell: bytes) -> float | None:
    """NaN for an empty cell, None for what is no finite number."""
    if not cell:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and b"_" not in cell else None
