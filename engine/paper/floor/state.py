"""What the exchange's jobs share: its state, and the few things that are done to an order whatever the reason.

The lowest of the exchange's layers: trading, entering and the exchange stand on it, each a subclass of the one below.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.domain import Instrument
from engine.paper.clearing.accounts import INSURANCE, PICO, VENUE, Account, Money
from engine.paper.clearing.settlement import log
from engine.paper.floor.news import News
from engine.paper.instruments.day import Day
from engine.paper.instruments.fees import Fees
from engine.paper.instruments.marks import Marks
from engine.paper.orders.allowance import Allowance
from engine.paper.orders.matching import OPEN, UNTRIGGERED, Order, OrderBook
from engine.paper.orders.protection import Protections
from engine.paper.orders.terms import BOOK_OPEN, CREATED, BookState, Fill, Rules, Stats
from engine.paper.orders.triggers import Triggers


class Floor:
    """One coin's listing, books, marks and accounts. `first_id` is the first number it gives to anything."""

    def __init__(
        self, instruments: Sequence[Instrument], index: float, first_id: int = 1, rules: Rules | None = None,
        fees: Fees | None = None,
    ) -> None:  # fmt: skip
        self.rules, self.fees = rules or Rules(), fees or Fees()
        self.instruments = tuple(instruments)
        self.number = {i.name: n for n, i in enumerate(self.instruments)}
        self.marks = Marks(self.instruments, index)
        self.books = [OrderBook() for _ in self.instruments]
        self.stats = [Stats() for _ in self.instruments]
        self.days = [Day() for _ in self.instruments]
        self.money = [Money(i, self.fees) for i in self.instruments]
        self.accounts = [Account(VENUE, "venue", True, 0, 0), Account(INSURANCE, "insurance", True, 0, 0)]
        self.finished: dict[int, Order] = {}  # clients' orders that neither rest nor wait any more, by id
        self.fills: dict[int, list[Fill]] = {}  # clients' fills, by account
        self.hits: dict[int, dict[int, int]] = {}  # the crowd's account → instrument → lots got passively, signed
        self.triggers = Triggers()
        self.protections = Protections()
        self.cancels_makers: set[int] = set()  # accounts whose own resting order gives way, not the incoming one
        self.requests = Allowance(self.rules.order_rate, self.rules.order_burst)
        self.sweeps = Allowance(self.rules.sweep_rate, self.rules.sweep_burst)
        self._next = first_id
        self._news = News(self._id)

    def open_account(self, name: str, coin: float, house: bool = False) -> int:
        """A new account with this much paid in; its number."""
        paid = round(coin * PICO)
        account = Account(len(self.accounts), name, house, paid, paid)
        self.accounts.append(account)
        if not house:
            log(account, self.marks.t, self.marks, type="deposit", cashflow=paid)
        return account.id

    def enlist(self, t: int, new: Sequence[Instrument]) -> None:
        """List more: numbered after what there is, announced as created, and open at once."""
        first = len(self.instruments)
        self._extend(new)
        for n in range(first, len(self.instruments)):
            for state in (CREATED, BOOK_OPEN):
                self._news.state(BookState(t, n, state))

    def _extend(self, new: Sequence[Instrument]) -> None:
        first = len(self.instruments)
        self.instruments = (*self.instruments, *new)
        self.marks.extend(new)
        for n, instrument in enumerate(new, first):
            self.number[instrument.name] = n
            self.books.append(OrderBook())
            self.stats.append(Stats())
            self.days.append(Day())
            self.money.append(Money(instrument, self.fees))

    def money_moved(self, account: int) -> None:
        """A client is to be told of its money, though no order of its changed."""
        if not self.accounts[account].house:
            self._news.money(account)

    def trades(self, n: int) -> bool:
        """Whether this instrument's book takes orders."""
        return self.stats[n].state == BOOK_OPEN

    def _id(self) -> int:
        self._next += 1
        return self._next - 1

    def _note(self, order: Order) -> None:
        """A client's order is other than it was told to be."""
        if not self.accounts[order.account].house:
            self._news.order(order)

    def _register(self, order: Order) -> None:
        """A client's order is known from now on, by its number and by its label."""
        holder = self.accounts[order.account]
        holder.orders.append(order)
        if order.label:
            holder.labels.setdefault(order.label, []).append(order)
        if len(holder.orders) > 2 * self.rules.kept:
            self._forget(holder)

    def _forget(self, holder: Account) -> None:
        """Of an account's orders that are over, only the latest are kept."""
        kept = holder.orders[-self.rules.kept :]
        for order in holder.orders[: -self.rules.kept]:
            self.finished.pop(order.id, None)
        older = [order for order in holder.orders[: -self.rules.kept] if order.state in (OPEN, UNTRIGGERED)]
        holder.orders = older + kept
        holder.labels = {}
        for order in holder.orders:
            if order.label:
                holder.labels.setdefault(order.label, []).append(order)

    def _rest(self, order: Order) -> None:
        self.books[order.instrument].rest(order)
        self._news.book(order.instrument)
        holder = self.accounts[order.account]
        holder.open[order.id] = order
        holder.reducing += order.reduce_only

    def _lift(self, order: Order) -> None:
        """Take a working order out of its book, or from where it waits, and out of its account's open ones."""
        if order.state == UNTRIGGERED:
            self.triggers.remove(order)
            return
        self.books[order.instrument].take_out(order)
        self._news.book(order.instrument)
        holder = self.accounts[order.account]
        del holder.open[order.id]
        holder.reducing -= order.reduce_only

    def _end(self, t: int, order: Order, state: str, reason: str = "") -> None:
        """A working order is over."""
        self._lift(order)
        order.state, order.reason, order.updated = state, reason, t
        if not self.accounts[order.account].house:
            self.finished[order.id] = order
            self._news.order(order)


def copied(order: Order) -> Order:
    """The order as it is now, for whoever may keep it."""
    return msgspec.structs.replace(order)
