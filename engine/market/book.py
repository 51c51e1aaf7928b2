"""One instrument's full-depth book, kept from snapshots and changes, or marked stale: never wrong.

A change names the change it follows. If that is not the last one seen, something was lost; the book is then
dropped, says why in `stale`, and ignores changes until the next snapshot. The same happens on a price or an
amount off the grid, on a level that is changed or deleted without being there, and on a crossed book: each
means that what we hold is not what the venue holds.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from typing import Any

from engine.domain import MS, Instrument, OffGrid, Side
from engine.market.deribit.data import BookData, Level

REMEMBERED = 4096
NO_SNAPSHOT = "no snapshot yet"


class BadLevel(ValueError):
    """A level that cannot be in this book. Its text is fit for a person."""


class Book:
    """Levels by price: `bids`, `asks` are lots by units, not to be changed from outside.

    `stale` is empty while the book can be trusted, else says why not; `t` is the venue's time of the last
    message in ns, `change_id` its number.
    """

    __slots__ = (
        "_ask_prices",
        "_bid_prices",
        "_lots",
        "_units",
        "asks",
        "bids",
        "change_id",
        "instrument",
        "stale",
        "t",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.stale = NO_SNAPSHOT
        self.change_id = 0
        self.t = 0
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self._bid_prices: list[int] = []  # both ascending: the best bid is last, the best ask first
        self._ask_prices: list[int] = []
        self._units: dict[float, int] = {}  # decimals met before: the same few come all day
        self._lots: dict[float, int] = {}

    @property
    def best_bid(self) -> int | None:
        return self._bid_prices[-1] if self._bid_prices else None

    @property
    def best_ask(self) -> int | None:
        return self._ask_prices[0] if self._ask_prices else None

    def levels(self, side: Side, depth: int) -> list[tuple[int, int]]:
        """`[(units, lots)]`, best first, at most `depth`. BUY is the bids."""
        if side is Side.BUY:
            book, prices = self.bids, self._bid_prices[: -depth - 1 : -1]
        else:
            book, prices = self.asks, self._ask_prices[:depth]
        return [(units, book[units]) for units in prices]

    def drop(self, reason: str) -> None:
        """Forget all levels and say why; only a snapshot brings the book back."""
        self._clear()
        self.stale = reason

    def snapshot(self, data: BookData) -> None:
        """Take the venue's whole book in place of ours. One that cannot be is not taken: the book is then stale."""
        self._clear()
        self.stale = ""
        self._apply(data)

    def change(self, data: BookData) -> bool:
        """Apply one change. False if it was not applied: the chain broke or the data is bad (both drop the book),
        or the book was stale already (its reason stays)."""
        if self.stale:
            return False
        if data.prev_change_id != self.change_id:
            self.drop(f"change {data.prev_change_id} is missing after {self.change_id}")
            return False
        return self._apply(data)

    def _apply(self, data: BookData) -> bool:
        self.change_id = data.change_id
        self.t = data.timestamp * MS
        try:
            if data.bids:
                self._take(data.bids, self.bids, self._bid_prices)
            if data.asks:
                self._take(data.asks, self.asks, self._ask_prices)
        except (OffGrid, BadLevel) as error:
            self.drop(f"bad data: {error}")
            return False
        if self._bid_prices and self._ask_prices and self._bid_prices[-1] >= self._ask_prices[0]:
            self.drop(f"crossed: bid {self._bid_prices[-1]} is not below ask {self._ask_prices[0]}")
            return False
        return True

    def _take(self, levels: list[Level], book: dict[int, int], prices: list[int]) -> None:
        for action, price, amount in levels:
            units = self._units.get(price) or self._count_units(price)
            if action == "delete":
                if book.pop(units, None) is None:
                    raise BadLevel(f"level {price:g} is deleted but not there")
                del prices[bisect_left(prices, units)]
                continue
            if units not in book:
                if action != "new":
                    raise BadLevel(f"level {price:g} is changed but not there")
                insort(prices, units)
            book[units] = self._lots.get(amount) or self._count_lots(amount)

    def _count_units(self, price: float) -> int:
        units = self.instrument.units(price)
        if units <= 0:
            raise BadLevel(f"a level at price {price:g}")
        return _remember(self._units, price, units)

    def _count_lots(self, amount: float) -> int:
        lots = self.instrument.lots(amount)
        if lots <= 0:
            raise BadLevel(f"a level of amount {amount:g}")
        return _remember(self._lots, amount, lots)

    def _clear(self) -> None:
        self.bids.clear()
        self.asks.clear()
        self._bid_prices.clear()
        self._ask_prices.clear()

    def dump(self) -> dict[str, Any]:
        """All but the instrument, which whoever keeps books keeps once."""
        return {
            "stale": self.stale,
            "change_id": self.change_id,
            "t": self.t,
            # in the order of arrival, so that whoever walks the loaded book walks it as he would have this one
            "bids": [list(level) for level in self.bids.items()],
            "asks": [list(level) for level in self.asks.items()],
        }

    @classmethod
    def load(cls, instrument: Instrument, value: Mapping[str, Any]) -> Book:
        book = cls(instrument)
        book.stale, book.change_id, book.t = value["stale"], value["change_id"], value["t"]
        book.bids.update((units, lots) for units, lots in value["bids"])
        book.asks.update((units, lots) for units, lots in value["asks"])
        book._bid_prices.extend(sorted(book.bids))
        book._ask_prices.extend(sorted(book.asks))
        return book


def _remember(known: dict[float, int], decimal: float, count: int) -> int:
    if len(known) >= REMEMBERED:
        known.clear()
    known[decimal] = count
    return count
