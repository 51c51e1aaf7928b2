"""What a command did, collected while it runs and announced at its end.

Always in this order: each account's own orders and trades, the public trades, the public book changes (one for each
touched instrument), and what expired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from engine.paper.matching import Order, OrderBook
from engine.paper.terms import Announcement, BookChange, Closed, Fill, Report, Trade, Trades


class News:
    """`number` gives the next of the exchange's numbers, for change ids."""

    def __init__(self, number: Callable[[], int]) -> None:
        self._number = number
        self._out: list[Announcement] = []
        self._accounts: dict[int, dict[int, Order]] = {}
        self._fills: dict[int, list[Fill]] = {}
        self._trades: dict[int, list[Trade]] = {}
        self._books: dict[int, None] = {}
        self._closed: list[Closed] = []

    def order(self, order: Order) -> None:
        """A client's order is new or other than it was; told once, as it is at the end."""
        self._accounts.setdefault(order.account, {})[order.id] = order

    def money(self, account: int) -> None:
        """An account has something to be told that is not an order's."""
        self._accounts.setdefault(account, {})

    def fill(self, account: int, fill: Fill) -> None:
        self._fills.setdefault(account, []).append(fill)

    def fills(self, account: int) -> Sequence[Fill]:
        """What the running command has filled so far for this account."""
        return self._fills.get(account, ())

    def trade(self, trade: Trade) -> None:
        self._trades.setdefault(trade.instrument, []).append(trade)

    def book(self, n: int) -> None:
        """This book was touched."""
        self._books[n] = None

    def closed(self, closed: Closed) -> None:
        self._closed.append(closed)

    def commit(self, t: int, books: Sequence[OrderBook]) -> None:
        for account, orders in self._accounts.items():
            now = tuple(msgspec.structs.replace(order) for order in orders.values())
            self._out.append(Report(t, account, now, tuple(self._fills.pop(account, ()))))
        self._accounts.clear()
        self._out += [Trades(t, n, tuple(trades)) for n, trades in self._trades.items()]
        self._trades.clear()
        for n in self._books:
            self._announce(t, n, books[n])
        self._books.clear()
        self._out += self._closed
        self._closed.clear()

    def drain(self) -> list[Announcement]:
        out, self._out = self._out, []
        return out

    def _announce(self, t: int, n: int, book: OrderBook) -> None:
        changed = book.announce()
        if changed is not None:
            before, book.change_id = book.change_id, self._number()
            self._out.append(BookChange(t, n, book.change_id, before, *changed))
