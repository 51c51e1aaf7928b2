"""A client's door: orders placed, edited and cancelled, each looked at before anything is changed.

Refusals are values (`Refusal`) with the venue's code. Every request is charged to the account's allowance first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from engine.paper.floor.checks import ONLY_TAKES, fixed, late, not_open
from engine.paper.floor.state import copied
from engine.paper.floor.trading import Trading
from engine.paper.orders import advanced, triggers
from engine.paper.orders.matching import CANCELLED, OPEN, UNTRIGGERED, Order
from engine.paper.orders.terms import KINDS, TRIGGERS, Ask, Change, Placed, Refusal

TOO_MANY = Refusal(10028, "too_many_requests")
_NOT_FOUND = Refusal(10004, "order_not_found")


class Entering(Trading):
    """An exchange that clients enter: each request is charged, looked at, and done or refused."""

    # looking

    def order(self, account: int, order_id: int) -> Order | None:
        """A client's order in whatever state; None when it has none of that id."""
        order = (
            self.accounts[account].open.get(order_id)
            or self.finished.get(order_id)
            or self.triggers.waiting.get(order_id)
        )
        return order if order is not None and order.account == account else None

    def working(self, account: int) -> Iterator[Order]:
        """The account's orders that rest ("open"), then those that wait ("untriggered")."""
        yield from self.accounts[account].open.values()
        if self.triggers.waiting:
            yield from self.triggers.of(account)

    def by_label(self, account: int, label: str, n: int | None = None) -> list[Order]:
        """The account's working orders of this label, of one instrument or all: what edit_by_label chooses from."""
        named = self.accounts[account].labels.get(label, [])
        return [o for o in named if o.state in (OPEN, UNTRIGGERED) and (n is None or o.instrument == n)]

    # asking

    def admit(self, t: int, account: int, sweep: bool = False) -> Refusal | None:
        """Charge one request to the account's matching-engine allowance; the refusal when it has none left.

        `place`, `edit` and `cancel` do so themselves. Whoever calls `cancel_where` for a client asks here first, with
        `sweep`: the venue counts those apart.
        """
        return None if (self.sweeps if sweep else self.requests).take(t, account) else TOO_MANY

    def place(self, t: int, account: int, ask: Ask) -> Placed | Refusal:
        refusal = self.admit(t, account) or late(t, ask.valid_until)
        if refusal is not None:
            return refusal
        order = Order(self._id(), account, ask.instrument, ask.side, ask.price, ask.amount, t, t, kind=ask.kind,
                      tif=ask.tif, label=ask.label, post_only=ask.post_only, session=ask.session,
                      reject_post_only=ask.reject_post_only, reduce_only=ask.reduce_only,
                      show=ask.show if ask.show < ask.amount else 0, mmp=ask.mmp, advanced=ask.advanced,
                      anchor=ask.anchor if ask.advanced else 0.0, trigger=ask.trigger, trigger_price=ask.trigger_price,
                      trigger_offset=ask.trigger_offset)  # fmt: skip
        if ask.kind in TRIGGERS:
            return self._wait(order)
        refusal = self._complete(t, order)
        return refusal if refusal is not None else self._take(t, order)

    def edit(self, t: int, account: int, order_id: int, change: Change) -> Placed | Refusal:
        """A smaller amount at the same price keeps the queue place; anything else goes to the end of it."""
        order = self.order(account, order_id)
        refusal = self.admit(t, account) or late(t, change.valid_until) or not_open(order)
        if refusal is not None or order is None:
            return refusal or _NOT_FOUND
        wanted = _changed(order, change)
        if wanted.amount <= order.filled:
            return Refusal(11008, "already_filled")
        if order.state == UNTRIGGERED:
            return self._rewait(t, order, wanted)
        refusal = self._advance(t, wanted) or self._checks.refuse(t, wanted, wanted.price, order)
        return refusal if refusal is not None else self._replace(t, order, wanted)

    def cancel(self, t: int, account: int, order_id: int) -> Order | Refusal:
        order = self.order(account, order_id)
        refusal = self.admit(t, account) or not_open(order)
        if refusal is not None or order is None:
            return refusal or _NOT_FOUND
        refusal = fixed(self.stats[order.instrument].state)
        if refusal is not None:
            return refusal
        self._end(t, order, CANCELLED, "user_request")
        return copied(order)

    def cancel_where(self, t: int, account: int, picks: Callable[[Order], bool], reason: str = "user_request") -> int:
        """Cancel the account's working orders that `picks`; how many there were. A client's own wish leaves alone
        what cannot be cancelled as its book is; the venue's reasons do not."""
        chosen = [order for order in self.working(account) if picks(order)]
        if reason == "user_request":
            chosen = [order for order in chosen if fixed(self.stats[order.instrument].state) is None]
        for order in chosen:
            self._end(t, order, CANCELLED, reason)
        return len(chosen)

    # within: orders that enter a book

    def _complete(self, t: int, order: Order) -> Refusal | None:
        """Give an order the price it does not say itself, and nothing that means nothing for its kind."""
        if order.kind not in KINDS:
            return Refusal(11029, "invalid_arguments", "type")
        order.trigger, order.trigger_price, order.trigger_offset = "", 0, 0
        if order.tif in ONLY_TAKES or order.kind == "market":
            order.show = 0
        return self._advance(t, order) or self._stop_at_best(order)

    def _advance(self, t: int, order: Order) -> Refusal | None:
        """The coin price of an order that is held at something else."""
        if not order.advanced:
            return None
        refusal = advanced.refuse(order, self.instruments[order.instrument], t, self.rules)
        if refusal is None:
            order.price = advanced.coin_price(self.marks, t, order)
        return refusal

    def _stop_at_best(self, order: Order) -> Refusal | None:
        """A market-limit order is a limit at the best price there is; what is not taken rests there."""
        if order.kind != "market_limit":
            return None
        best = self.books[order.instrument].half(order.side.other).best
        if order.post_only:
            return Refusal(11055, "post_only_not_allowed")
        if best is None:
            return Refusal(11030, "other_reject", "there is no price to take")
        order.kind, order.original, order.price = "limit", "market_limit", best
        return None

    def _take(self, t: int, order: Order) -> Placed | Refusal:
        """Look at a complete order, and enter it."""
        limit = self._checks.limit(order)
        refusal = self._checks.refuse(t, order, limit, None)
        if refusal is not None:
            return refusal
        self._register(order)
        return self._enter(t, order, limit)

    def _enter(self, t: int, order: Order, limit: int) -> Placed:
        limit = order.price if order.kind != "market" else limit
        if order.tif == "fill_or_kill" and not self._fillable(order, limit):
            order.state = CANCELLED
        else:
            self._match(t, order, limit)
        if order.state == OPEN:
            if order.kind == "market" or order.tif in ONLY_TAKES:
                order.state = CANCELLED
            else:
                self._rest(order)
        if order.state != OPEN:
            self.finished[order.id] = order
        self._note(order)
        fills = self._news.fills(order.account)
        return Placed(copied(order), tuple(f for f in fills if f.order == order.id))

    def _fillable(self, order: Order, limit: int) -> bool:
        """Whether all of it is sure to trade now. Own orders do not count; nor do reduce-only ones of an account that
        has others in reach, as trading those may take them away."""
        makers = [o for o in self.books[order.instrument].reachable(order.side, limit) if o.account != order.account]
        others = {o.account for o in makers if not o.reduce_only}
        sure = sum(o.rest for o in makers if not o.reduce_only or o.account not in others)
        return sure >= order.rest

    def _replace(self, t: int, order: Order, wanted: Order, by_venue: bool = False) -> Placed:
        """Make a resting order what is wanted, which was looked at before."""
        kept = (wanted.price == order.price and wanted.amount <= order.amount and wanted.show == order.show
                and wanted.reduce_only == order.reduce_only)  # fmt: skip
        order.updated, order.mmp = t, wanted.mmp
        order.post_only, order.reject_post_only = wanted.post_only, wanted.reject_post_only
        order.advanced, order.anchor = wanted.advanced, wanted.anchor
        order.replaced, order.auto_replaced = order.replaced or not by_venue, order.auto_replaced or by_venue
        if kept:
            self.books[order.instrument].reduce(order, order.amount - wanted.amount)
            self._news.book(order.instrument)
            self._note(order)
            return Placed(copied(order), ())
        self._lift(order)
        order.price, order.amount, order.show = wanted.price, wanted.amount, wanted.show
        order.reduce_only = wanted.reduce_only
        return self._enter(t, order, order.price)

    # within: orders that wait

    def _wait(self, order: Order) -> Placed | Refusal:
        """Let a trigger order wait for its price."""
        now = self._reference(order.instrument, order.trigger)
        refusal = self._checks.refuse_wait(order, now, None)
        if refusal is not None:
            return refusal
        order.state = UNTRIGGERED
        self._set_off(order, now)
        self._register(order)
        self.triggers.add(order)
        self._note(order)
        return Placed(copied(order), ())

    def _rewait(self, t: int, order: Order, wanted: Order) -> Placed | Refusal:
        now = self._reference(order.instrument, order.trigger)
        refusal = self._checks.refuse_wait(wanted, now, order)
        if refusal is not None:
            return refusal
        trails_anew = wanted.trigger_offset != order.trigger_offset
        for name in ("price", "amount", "show", "post_only", "reject_post_only", "reduce_only", "mmp",
                     "trigger_price", "trigger_offset"):  # fmt: skip
            setattr(order, name, getattr(wanted, name))
        order.updated, order.replaced = t, True
        if trails_anew:
            self._set_off(order, now)
        self.triggers.add(order)
        self._note(order)
        return Placed(copied(order), ())

    def _set_off(self, order: Order, now: int) -> None:
        """Where a trailing stop begins."""
        if order.kind == "trailing_stop":
            order.trigger_reference = now
            order.trigger_price = now + order.side.sign * order.trigger_offset

    def _reference(self, n: int, trigger: str) -> int:
        """What trigger orders of this kind look at, in units of `triggers.unit`; 0 where there is nothing."""
        if trigger == "last":
            return self.stats[n].last
        value = self.marks.index if trigger == "index" else float(self.marks.price[n])
        return round(value / triggers.unit(self.instruments[n], trigger))


def _changed(order: Order, change: Change) -> Order:
    """The order as it is wanted."""
    wanted = msgspec.structs.replace(order, post_only=change.post_only, reject_post_only=change.reject_post_only)
    for name in ("price", "amount", "reduce_only", "show", "mmp", "advanced", "anchor", "trigger_price",
                 "trigger_offset"):  # fmt: skip
        value = getattr(change, name)
        if value is not None:
            setattr(wanted, name, value)
    if not wanted.advanced:
        wanted.anchor = 0.0
    if change.show is not None and wanted.show >= wanted.amount:
        wanted.show = 0
    return wanted
