"""What slower channels gather between two of their frames: a book's net change, a ticker's fields, own news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.domain import Side
from engine.market.deribit.account import ChangesData, OrderData, UserTradeData
from engine.market.deribit.data import BookData
from engine.paper.orders.matching import OrderBook
from engine.paper.orders.terms import BookChange
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.statements import Statements


class CollectedBook:
    """Changes of one book since a paced channel last spoke."""

    def __init__(self, book: OrderBook, say: Statements, n: int) -> None:
        self.book, self.say, self.n = book, say, n
        self.since = book.change_id
        self.seen: dict[tuple[Side, int], bool] = {}  # touched level → whether it was there when last spoken of

    def add(self, said: BookChange) -> None:
        for side, rows in ((Side.BUY, said.bids), (Side.SELL, said.asks)):
            for action, price, _ in rows:
                self.seen.setdefault((side, price), action != "new")

    def take(self, t: int) -> BookData | None:
        """The net change, None when the book has not changed."""
        if self.since == self.book.change_id:
            return None
        bids: list[tuple[str, int, int]] = []
        asks: list[tuple[str, int, int]] = []
        for (side, price), existed in self.seen.items():
            now = self.book.half(side).total(price)
            if existed or now:
                action = "delete" if not now else "change" if existed else "new"
                (bids if side is Side.BUY else asks).append((action, price, now))
        self.seen.clear()
        since, self.since = self.since, self.book.change_id
        return self.say.change(BookChange(t, self.n, self.book.change_id, since, bids, asks))


class Incremental:
    """A ticker told once whole, and then by the fields that have changed."""

    def __init__(self, say: Statements, n: int) -> None:
        self.say, self.n = say, n
        self._said: dict[str, Any] = {}

    def whole(self, t: int) -> dict[str, Any]:
        return {"type": "snapshot"} | self._fields(t)

    def change(self, t: int) -> dict[str, Any] | None:
        """What is other than it was last said; everything the first time. None when only the time is."""
        fields, before = self._fields(t), self._said
        self._said = fields
        news = {name: value for name, value in fields.items() if name not in before or before[name] != value}
        if news.keys() <= {"timestamp"}:
            return None
        head = {"type": "change", "timestamp": fields["timestamp"], "instrument_name": fields["instrument_name"]}
        return head | news

    def _fields(self, t: int) -> dict[str, Any]:
        ticker = self.say.ticker(self.n, t)
        return {f: value for f in ticker.__struct_fields__ if (value := getattr(ticker, f)) is not None}


class OwnNews:
    """One account's orders and fills, by instrument in the order of their first news."""

    def __init__(self, own: OwnStatements, account: int) -> None:
        self.own, self.account = own, account
        self._orders: dict[int, dict[str, OrderData]] = {}
        self._fills: dict[int, list[UserTradeData]] = {}

    def add(self, n: int, orders: list[OrderData], fills: list[UserTradeData]) -> None:
        """Of an order only its latest state is kept."""
        mine = self._orders.setdefault(n, {})
        for order in orders:
            mine.pop(order.order_id, None)
            mine[order.order_id] = order
        self._fills.setdefault(n, []).extend(fills)

    def raw(self, family: str) -> Iterator[Any]:
        """As a raw channel says it: each order by itself."""
        if family == "user.orders":
            yield from (order for mine in self._orders.values() for order in mine.values())
        else:
            yield from self.paced(family)

    def paced(self, family: str) -> Iterator[Any]:
        """Orders in one list, trades in one, changes one for each instrument."""
        if family == "user.orders":
            orders = [order for mine in self._orders.values() for order in mine.values()]
            yield from (orders,) if orders else ()
        elif family == "user.trades":
            fills = [fill for some in self._fills.values() for fill in some]
            yield from (fills,) if fills else ()
        else:
            yield from (self._changes(n) for n in self._orders)

    def _changes(self, n: int) -> ChangesData:
        fills = self._fills[n]
        positions = [self.own.position(self.account, n)] if fills else []
        name = self.own.exchange.instruments[n].name
        orders = list(self._orders[n].values())
        return ChangesData(instrument_name=name, orders=orders, trades=fills, positions=positions)
