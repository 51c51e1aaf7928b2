"""One coin's exchange: deterministic, without clock, socket or file. Everything is told the time.

A command (place, edit, cancel, or a crowd agent's turn) changes books and accounts at once and collects what there is
to announce. `commit` ends it: trigger orders whose price it brought about enter, and then everything is said, always in
this order: to each account its own orders and trades, then the public trades, then the public book changes, one per
touched instrument, then states. `drain` hands the announcements over.

Refusals are values (`Refusal`) with the venue's code. Clients' accounts are checked for everything; the crowd enters
by `quote`, which checks nothing, because it is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.domain import Instrument
from engine.paper.clearing.accounts import Account
from engine.paper.clearing.house import Clearing, ClearingSettings
from engine.paper.clearing.settlement import next_settlement
from engine.paper.floor.checks import fixed
from engine.paper.floor.entering import Entering
from engine.paper.instruments.fees import Fees
from engine.paper.orders import advanced
from engine.paper.orders.matching import CANCELLED, OPEN, REJECTED, TRIGGERED, UNTRIGGERED, Order
from engine.paper.orders.protection import Limits, Protection
from engine.paper.orders.terms import (
    ARCHIVIZED,
    BOOK_OPEN,
    DELIVERED,
    HALTED,
    INACTIVE,
    LOCKED,
    SETTLEMENT,
    Announcement,
    BookState,
    Closed,
    Fill,
    Platform,
    Refusal,
    Rules,
    Stats,
)

SETTABLE = (BOOK_OPEN, SETTLEMENT, INACTIVE, LOCKED, HALTED)  # what can be undone; delivery is `settle`


class Exchange(Entering):
    """`clearing` is to be driven once a second from `start_ns` on (`Clearing.turn`), by whoever runs the venue."""

    _repriced = 0  # ns, when IV and USD orders last followed the forward

    def __init__(
        self, instruments: Sequence[Instrument], index: float, first_id: int = 1, rules: Rules | None = None,
        fees: Fees | None = None, start_ns: int = 0, clearing: ClearingSettings | None = None,
    ) -> None:  # fmt: skip
        super().__init__(instruments, index, first_id, rules, fees)
        self.clearing = Clearing(self, start_ns, clearing)
        self._first_listed = len(self.instruments)

    # announcements

    def commit(self, t: int) -> None:
        """End of a command: what it set off happens, and what it changed is announced, private before public."""
        if self.triggers.waiting:
            self._fire(t)
        self._news.commit(t, self.books)

    def drain(self) -> list[Announcement]:
        """What was announced since the last time, in order."""
        return self._news.drain()

    # what an account chooses for itself

    def set_self_trading(self, account: int, mode: str) -> None:
        """What happens when an account's order would meet its own: "reject_taker" (10003) or "cancel_maker"."""
        if mode == "cancel_maker":
            self.cancels_makers.add(account)
        else:
            self.cancels_makers.discard(account)

    def self_trading(self, account: int) -> str:
        return "cancel_maker" if account in self.cancels_makers else "reject_taker"

    def set_protection(self, account: int, limits: Limits) -> None:
        """Market-maker protection over this coin's index; an interval of 0 removes it."""
        self.protections.set(account, limits)

    def protection(self, account: int) -> Protection | None:
        """Its limits, and until when it is frozen (`until`, ns; past or 0 when it is not); None where none is set."""
        return self.protections.of.get(account)

    def reset_protection(self, account: int) -> bool:
        """Thaw, and count from nothing; False where none is set."""
        protection = self.protections.of.get(account)
        if protection is not None:
            protection.clear()
        return protection is not None

    # what the venue does

    def reprice(self, t: int) -> None:
        """Once a second: IV and USD orders follow the forward, orders of the day and those too near expiry end."""
        follow = t - self._repriced >= self.rules.reprice_ns
        if follow:
            self._repriced = t
        for account in self.accounts:
            if account.house:
                continue
            for order in list(self.working(account.id)):
                if order.state not in (OPEN, UNTRIGGERED) or fixed(self.stats[order.instrument].state) is not None:
                    continue
                if order.tif == "good_til_day" and t >= next_settlement(order.created):
                    self._end(t, order, CANCELLED, "settlement")
                elif order.advanced and follow:
                    self._follow(t, order)

    def set_state(self, t: int, n: int | None, state: str) -> Refusal | None:
        """Put one instrument, or all (None), into one of `SETTABLE`, or what was delivered into the archive.

        What has ended stays ended. What rests stays. Announced as `BookState` for each instrument whose state changed,
        and as one `Platform` for all.
        """
        numbers = range(len(self.instruments)) if n is None else (n,)
        chosen = [k for k in numbers if state in SETTABLE and not self.stats[k].closed]
        chosen += [k for k in numbers if state == ARCHIVIZED and self.stats[k].state == DELIVERED]
        if not chosen:
            return Refusal(10012, "book_closed")
        for k in chosen:
            if self.stats[k].state != state:
                self.stats[k].state = state
                self._news.state(BookState(t, k, state))
        if n is None:
            self._news.state(Platform(t, state))
        return None

    def settle(self, t: int, n: int, price: float) -> None:
        """Expiry: every order is cancelled, every position is paid out at the delivery price in USD."""
        for order in (*self.books[n].orders(), *self.triggers.on(n)):
            self._end(t, order, CANCELLED, "settlement")
        self.stats[n].state = DELIVERED
        self.clearing.deliver(t, n, price)
        self.stats[n].open_interest = 0
        self._news.state(Closed(t, n, price))

    def dump(self) -> dict[str, Any]:
        """Between commands, when all is committed and drained."""
        orders = {o.id: o for a in self.accounts for o in (*a.orders, *a.open.values())}
        return {
            "next": self._next, "orders": [msgspec.to_builtins(order) for order in orders.values()],
            "books": [book.dump() for book in self.books], "marks": self.marks.dump(),
            "stats": [msgspec.to_builtins(stats) for stats in self.stats],
            "accounts": [account.dump() for account in self.accounts],
            "fills": [[account, msgspec.to_builtins(fills)] for account, fills in self.fills.items()],
            "hits": [[account, list(map(list, got.items()))] for account, got in self.hits.items()],
            "finished": list(self.finished), "waiting": self.triggers.dump(), "repriced": self._repriced,
            "protections": self.protections.dump(), "cancels_makers": sorted(self.cancels_makers),
            "requests": self.requests.dump(), "sweeps": self.sweeps.dump(),
            "enlisted": [msgspec.to_builtins(i) for i in self.instruments[self._first_listed :]],
            "days": [day.dump() for day in self.days], "clearing": self.clearing.dump(),
        }  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        """Into an exchange of the same listing; it goes on exactly as the dumped one would."""
        enlisted = msgspec.convert(value["enlisted"], list[Instrument])
        self._extend(enlisted[len(self.instruments) - self._first_listed :])
        orders = {order.id: order for order in msgspec.convert(value["orders"], list[Order])}
        self._next, self._repriced = value["next"], value["repriced"]
        for book, kept in zip(self.books, value["books"], strict=True):
            book.load(kept, orders)
        self.marks.load(value["marks"])
        self.stats = msgspec.convert(value["stats"], list[Stats])
        self.accounts = [Account.load(kept, orders) for kept in value["accounts"]]
        self.fills = {account: msgspec.convert(kept, list[Fill]) for account, kept in value["fills"]}
        self.hits = {account: dict(got) for account, got in value["hits"]}
        self.finished = {number: orders[number] for number in value["finished"]}
        self.triggers.load(value["waiting"], orders)
        self.protections.load(value["protections"])
        self.cancels_makers = set(value["cancels_makers"])
        self.requests.load(value["requests"])
        self.sweeps.load(value["sweeps"])
        for day, traded in zip(self.days, value["days"], strict=True):
            day.load(traded)
        self.clearing.load(value["clearing"])

    # within

    def _follow(self, t: int, order: Order) -> None:
        """Bring an IV or USD order to where the forward is; one that cannot be there any more ends."""
        if advanced.ended(self.instruments[order.instrument], t, self.rules):
            self._end(t, order, CANCELLED)
            return
        price = advanced.coin_price(self.marks, t, order)
        if price == order.price or not self.trades(order.instrument):
            return
        wanted = msgspec.structs.replace(order, price=price)
        if self._checks.refuse(t, wanted, price, order) is not None:
            self._end(t, order, CANCELLED, "risk_mitigation")
        else:
            self._replace(t, order, wanted, by_venue=True)

    def _fire(self, t: int) -> None:
        """Let in what waited for what is now so. One order may move the price to another's."""
        while self.triggers.waiting:
            fired, moved = self.triggers.due(self._live)
            for order in moved:
                order.updated = t
                self._note(order)
            if not fired:
                return
            for order in fired:
                if order.state == UNTRIGGERED:
                    self._let_in(t, order)

    def _live(self, n: int, trigger: str) -> int:
        return self._reference(n, trigger) if self.trades(n) else 0

    def _let_in(self, t: int, order: Order) -> None:
        """A trigger order has had its price: another order enters for it, or is refused as any might be."""
        self.triggers.remove(order)
        self.finished[order.id] = order
        self._note(order)
        kind = "limit" if order.kind.endswith("_limit") else "market"
        entering = msgspec.structs.replace(order, id=self._id(), kind=kind, state=OPEN, created=t, updated=t,
                                           replaced=False, trigger_order=order.id)  # fmt: skip
        refusal = self._complete(t, entering)
        outcome = refusal if refusal is not None else self._take(t, entering)
        order.updated, order.state = t, TRIGGERED
        if isinstance(outcome, Refusal):
            order.state, order.reason = REJECTED, outcome.message
