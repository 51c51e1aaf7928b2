"""What a command did, collected while it runs and announced at its end.

Always in this order: each account's own orders and trades, the public trades, the public book changes (one for each
touched instrument), and what instruments' states have become.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from engine.paper.orders.matching import Order, OrderBook
from engine.paper.orders.terms import (
    Announcement,
    BookChange,
    BookState,
    Closed,
    Fill,
    Platform,
    Protected,
    Report,
    Trade,
    Trades,
)


class News:
    """`number` gives the next of the exchange's numbers, for change ids."""

    def __init__(self, number: Callable[[], int]) -> None:
        self._number = number
        self._out: list[Announcement] = []
        self._accounts: dict[int, dict[int, Order]] = {}
        self._fills: dict[int, list[Fill]] = {}
        self._trades: dict[int, list[Trade]] = {}
        self._books: dict[int, None] = {}
        self._protected: dict[int, int] = {}
        self._states: list[Closed | BookState | Platform] = []

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

    def protected(self, account: int, until: int) -> None:
        """An account's protection was set off; it is frozen until then."""
        self._protected[account] = until

    def state(self, state: Closed | BookState | Platform) -> None:
        self._states.append(state)

    def commit(self, t: int, books: Sequence[OrderBook]) -> None:
        if self._accounts or self._protected:
            self._private(t)
        if self._trades:
            self._out += [Trades(t, n, tuple(trades)) for n, trades in self._trades.items()]
            self._trades.clear()
        for n in self._books:
            changed = books[n].announce()
            if changed is not None:
                before, books[n].change_id = books[n].change_id, self._number()
                self._out.append(BookChange(t, n, books[n].change_id, before, *changed))
        self._books.clear()
        if self._states:
            self._out += self._states
            self._states.clear()

    def drain(self) -> list[Announcement]:
        out, self._out = self._out, []
        return out

    def _private(self, t: int) -> None:
        for account, orders in self._accounts.items():
            now = tuple(msgspec.structs.replace(order) for order in orders.values())
            self._out.append(Report(t, account, now, tuple(self._fills.pop(account, ()))))
        self._accounts.clear()
        self._out += [Protected(t, account, until) for account, until in self._protected.items()]
        self._protected.clear()
