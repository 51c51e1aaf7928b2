"""One instrument's order book, matched by price, then time. Integer units and lots only.

A level is a queue in order of arrival: a `dict` keeps that order and gives removal from the middle in O(1). A
half of the book is a dict of levels and a sorted list of ranks, where a rank is the price times the side's sign so
that the best price is always the first. The book holds only what rests; it knows no account but its number.

An iceberg rests with the part it shows. When that is traded away, the next part is shown at the end of the queue.
Levels add up what is shown; what is hidden trades all the same, after all that is shown at its price.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.domain import Side

OPEN, FILLED, CANCELLED, REJECTED = "open", "filled", "cancelled", "rejected"
UNTRIGGERED, TRIGGERED = "untriggered", "triggered"  # waits for its price; has had it, and another order stands for it


class Order(msgspec.Struct):
    """An order at the venue. `price` is units (0 only inside a market order's request), amounts are lots.

    A trigger order keeps its kind ("stop_limit", …) and ends as "triggered"; what it enters is another order, of kind
    "limit" or "market", whose `trigger_order` is its number. A "market_limit" order that rests is a "limit" from then
    on, and `original` says what it was.
    """

    id: int
    account: int
    instrument: int
    side: Side
    price: int
    amount: int
    created: int
    updated: int
    filled: int = 0
    traded: int = 0  # Σ units × lots of its fills, for the average price
    state: str = OPEN
    kind: str = "limit"
    tif: str = "good_til_cancelled"
    label: str = ""
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool = False
    replaced: bool = False
    web: bool = False
    reason: str = ""
    session: int = 0  # the connection that sent it; 0 for none
    show: int = 0  # lots an iceberg shows at once; 0 for all
    shown: int = 0  # lots of it that are in sight now; only for an iceberg that rests
    original: str = ""
    mmp: bool = False
    liquidation: bool = False
    advanced: str = ""  # "implv" | "usd": the price follows the forward
    anchor: float = 0.0  # what it is held at: IV in per cent, or USD
    auto_replaced: bool = False  # the venue itself has re-priced it
    trigger: str = ""  # "index" | "mark" | "last"
    trigger_price: int = 0  # units of `triggers.unit`; of a trailing stop, where it is now
    trigger_offset: int = 0  # of a trailing stop
    trigger_reference: int = 0  # of a trailing stop: the best price it has seen
    trigger_order: int = 0  # the trigger order that entered this one

    @property
    def rest(self) -> int:
        return self.amount - self.filled


class Level:
    """Orders at one price, oldest first, and the sum of what they show."""

    __slots__ = ("orders", "total")

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.total = 0


class Half:
    """One side of a book, and which levels were touched since the last change was announced."""

    __slots__ = ("levels", "ranks", "sign", "touched")

    def __init__(self, side: Side) -> None:
        self.sign = -side.sign  # bids rank from the highest, asks from the lowest
        self.levels: dict[int, Level] = {}
        self.ranks: list[int] = []
        self.touched: dict[int, int] = {}  # price → the level's total when last announced

    @property
    def best(self) -> int | None:
        return self.ranks[0] * self.sign if self.ranks else None

    def prices(self) -> Iterator[int]:
        """Best first."""
        sign = self.sign
        return (rank * sign for rank in self.ranks)

    def total(self, price: int) -> int:
        level = self.levels.get(price)
        return level.total if level is not None else 0

    def add(self, order: Order) -> None:
        """At the end of the queue of its price; an iceberg with what it shows."""
        price = order.price
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level()
            insort(self.ranks, price * self.sign)
        if price not in self.touched:
            self.touched[price] = level.total
        level.orders[order.id] = order
        level.total += order.shown if order.show else order.amount - order.filled

    def remove(self, order: Order) -> None:
        price = order.price
        level = self.levels[price]
        if price not in self.touched:
            self.touched[price] = level.total
        del level.orders[order.id]
        level.total -= order.shown if order.show else order.amount - order.filled
        if not level.orders:
            self._drop(price)

    def reduce(self, order: Order, lots: int) -> None:
        """Make a resting order smaller without its losing the queue place; of an iceberg, what is hidden first."""
        level = self.levels[order.price]
        if order.price not in self.touched:
            self.touched[order.price] = level.total
        order.amount -= lots
        if order.show:
            lots = max(0, order.shown - order.rest)
            order.shown -= lots
        level.total -= lots

    def fill(self, maker: Order, lots: int) -> None:
        """Trade `lots` of what a resting order shows; it leaves the book when nothing is left."""
        price = maker.price
        level = self.levels[price]
        if price not in self.touched:
            self.touched[price] = level.total
        maker.filled += lots
        maker.traded += lots * price
        level.total -= lots
        if maker.show:
            maker.shown -= lots
            if not maker.shown and maker.filled < maker.amount:
                self._refill(level, maker)
        if maker.filled == maker.amount:
            del level.orders[maker.id]
            if not level.orders:
                self._drop(price)

    def _refill(self, level: Level, iceberg: Order) -> None:
        """Show the next part, at the end of the queue."""
        iceberg.shown = min(iceberg.show, iceberg.rest)
        level.total += iceberg.shown
        del level.orders[iceberg.id]
        level.orders[iceberg.id] = iceberg

    def _drop(self, price: int) -> None:
        del self.levels[price]
        del self.ranks[bisect_left(self.ranks, price * self.sign)]

    def changes(self) -> list[tuple[str, int, int]]:
        """Touched levels as (new | change | delete, units, lots), and forget that they were."""
        rows = []
        levels = self.levels
        for price, before in self.touched.items():
            level = levels.get(price)
            now = level.total if level is not None else 0
            if now != before:
                rows.append(("delete" if not now else "change" if before else "new", price, now))
        self.touched.clear()
        return rows

    def dump(self) -> list[Any]:
        """Best first: price, then its orders' numbers in the order of their place."""
        return [[price, list(self.levels[price].orders)] for price in self.prices()]


class OrderBook:
    """Both halves, and the number of the last change that was announced."""

    __slots__ = ("asks", "bids", "change_id")

    def __init__(self) -> None:
        self.bids = Half(Side.BUY)
        self.asks = Half(Side.SELL)
        self.change_id = 0

    def half(self, side: Side) -> Half:
        return self.bids if side is Side.BUY else self.asks

    def rest(self, order: Order) -> None:
        order.shown = min(order.show, order.rest)
        self.half(order.side).add(order)

    def take_out(self, order: Order) -> None:
        self.half(order.side).remove(order)
        order.shown = 0

    def reduce(self, order: Order, lots: int) -> None:
        self.half(order.side).reduce(order, lots)

    def levels(self, side: Side, limit: int) -> Iterator[Level]:
        """What an incoming `side` order up to `limit` could trade with, level by level, in the order it would."""
        half = self.half(side.other)
        bound = limit * half.sign
        for rank in half.ranks:
            if rank > bound:
                return
            yield half.levels[rank * half.sign]

    def reachable(self, side: Side, limit: int) -> Iterator[Order]:
        """The same, order by order, each once and with all it has."""
        for level in self.levels(side, limit):
            yield from level.orders.values()

    def orders(self) -> list[Order]:
        """All that rests: bids, then asks, best first."""
        halves = (self.bids, self.asks)
        return [order for half in halves for at in half.prices() for order in half.levels[at].orders.values()]

    def announce(self) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]] | None:
        """Touched levels of bids and of asks; None when nothing changed."""
        bids, asks = self.bids.changes(), self.asks.changes()
        return (bids, asks) if bids or asks else None

    def dump(self) -> list[Any]:
        """Between commands, when nothing is left to announce."""
        return [self.change_id, self.bids.dump(), self.asks.dump()]

    def load(self, value: list[Any], orders: Mapping[int, Order]) -> None:
        self.change_id = value[0]
        self.bids, self.asks = Half(Side.BUY), Half(Side.SELL)
        for half, rows in ((self.bids, value[1]), (self.asks, value[2])):
            for _, numbers in rows:
                for number in numbers:
                    half.add(orders[number])
            half.touched.clear()
