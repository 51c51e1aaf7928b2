"""Why the exchange does not take an order. All checks are made before anything is changed.

Two of them change the order that is asked for, as the venue does: a post-only order that would trade is moved, and a
reduce-only order is cut to the position.
"""

from __future__ import annotations

import msgspec

from engine.domain import Side
from engine.paper.clearing import margin
from engine.paper.floor.state import Floor
from engine.paper.orders import triggers
from engine.paper.orders.matching import FILLED, OPEN, UNTRIGGERED, Order
from engine.paper.orders.terms import BOOK_OPEN, HALTED, INACTIVE, LOCKED, SETTLEMENT, Refusal

ONLY_TAKES = ("immediate_or_cancel", "fill_or_kill")


def late(t: int, valid_until: int) -> Refusal | None:
    """A request that arrives at or after the time it is valid until; 0 is for ever."""
    return Refusal(13888, "timed_out") if valid_until and t >= valid_until else None


def not_open(order: Order | None) -> Refusal | None:
    if order is None:
        return Refusal(10004, "order_not_found")
    if order.state == FILLED:
        return Refusal(11008, "already_filled")
    return None if order.state in (OPEN, UNTRIGGERED) else Refusal(11044, "not_open_order")


def shut(state: str) -> Refusal | None:
    """Why a book in this state takes no order."""
    if state == BOOK_OPEN:
        return None
    if state == SETTLEMENT:
        return Refusal(10041, "settlement_in_progress")
    if state == LOCKED:
        return Refusal(10019, "locked_by_admin")
    return Refusal(11051, "system_maintenance") if state == HALTED else Refusal(10012, "book_closed")


def fixed(state: str) -> Refusal | None:
    """Why an order in a book of this state cannot even be cancelled."""
    return None if state in (BOOK_OPEN, LOCKED, INACTIVE) else shut(state)


class Checks:
    """Of one floor's orders; each check returns the refusal, None where there is nothing against it."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor

    def limit(self, order: Order) -> int:
        """The worst price it may trade at: a market order's is the venue's own bound."""
        if order.kind != "market":
            return order.price
        low, high = self.floor.marks.band(order.instrument)
        return high if order.side is Side.BUY else low

    def refuse(self, t: int, order: Order, limit: int, instead_of: Order | None) -> Refusal | None:
        """Every reason not to take this order, in the venue's order. Re-prices post-only and trims reduce-only."""
        instrument = self.floor.instruments[order.instrument]
        refusal = shut(self.floor.stats[order.instrument].state)
        if refusal is not None:
            return refusal
        if order.amount <= 0:
            return Refusal(10002, "qty_too_low")
        if order.mmp and self.floor.protections.frozen(t, order.account):
            return Refusal(13030, "mmp_trigger")
        if order.kind != "market" and not instrument.on_tick(order.price):
            return Refusal(10043, "price_wrong_tick")
        return (
            self._out_of_band(order)
            or self._trim(order, instead_of)
            or self._iceberg(order)
            or self._post(order)
            or self._overlap(order, limit, instead_of)
            or self._poor(order, instead_of)
        )

    def refuse_wait(self, order: Order, reference: int, instead_of: Order | None) -> Refusal | None:
        """Every reason not to let this trigger order wait. What it enters is looked at when it does."""
        instrument, floor = self.floor.instruments[order.instrument], self.floor
        refusal = shut(floor.stats[order.instrument].state)
        if refusal is not None:
            return refusal
        if order.amount <= 0:
            return Refusal(10002, "qty_too_low")
        limited = order.kind in ("stop_limit", "take_limit")
        if limited and order.price <= 0:
            return Refusal(10005, "price_too_low")
        if limited and not instrument.on_tick(order.price):
            return Refusal(10043, "price_wrong_tick")
        if order.post_only and (not limited or order.tif in ONLY_TAKES):
            return Refusal(11055, "post_only_not_allowed")
        if instead_of is None and sum(1 for _ in floor.triggers.of(order.account)) >= floor.rules.max_triggers:
            return Refusal(11035, "no_more_triggers")
        return self._iceberg(order) or triggers.refuse(order, instrument, reference)

    def _out_of_band(self, order: Order) -> Refusal | None:
        if order.kind == "market":
            return None
        low, high = self.floor.marks.band(order.instrument)
        if order.price <= 0 or (order.side is Side.SELL and order.price < low):
            return Refusal(10005, "price_too_low")
        if order.side is Side.BUY and order.price > high:
            return Refusal(10007, "price_too_high")
        return None

    def _trim(self, order: Order, instead_of: Order | None) -> Refusal | None:
        """A reduce-only order is cut to what is left of the position."""
        if not order.reduce_only:
            return None
        room = self.room(order.account, order.instrument, order.side)
        if instead_of is not None and instead_of.reduce_only:
            room += instead_of.rest
        if room <= 0:
            return Refusal(11030, "other_reject", "reduce_only: there is no position to reduce")
        order.amount = order.filled + min(order.rest, room)
        return None

    def room(self, account: int, n: int, side: Side) -> int:
        """Lots a further reduce-only order on this side may have."""
        holder = self.floor.accounts[account]
        resting = sum(o.rest for o in holder.open.values() if o.reduce_only and o.instrument == n and o.side is side)
        return -holder.size(n) * side.sign - resting

    def _post(self, order: Order) -> Refusal | None:
        """A post-only order that would trade is refused, or moved one tick before the other side's best."""
        best = self.floor.books[order.instrument].half(order.side.other).best
        if not order.post_only:
            return None
        if order.kind != "limit" or order.tif in ONLY_TAKES:
            return Refusal(11055, "post_only_not_allowed")
        if best is None or (order.price - best) * order.side.sign < 0:
            return None
        if order.reject_post_only:
            return Refusal(11054, "post_only_reject")
        moved = self.floor.instruments[order.instrument].step(best, -order.side.sign)
        if (moved - best) * order.side.sign >= 0:  # nothing lies below the smallest price
            return Refusal(11054, "post_only_reject")
        order.price = moved
        return None

    def _iceberg(self, order: Order) -> Refusal | None:
        """What it shows is enough, and not too little of the whole."""
        if not order.show:
            return None
        rules, hidden = self.floor.rules, order.rest - order.show
        if order.show < rules.show_lots or hidden >= rules.show_ratio * order.show:
            return Refusal(10036, "invalid_max_show_amount")
        return None

    def _overlap(self, order: Order, limit: int, instead_of: Order | None) -> Refusal | None:
        """Self-trade prevention, reject_taker: refused when it would reach an own order."""
        left, own = order.rest, order.account
        limit = order.price if order.kind != "market" else limit
        if own in self.floor.cancels_makers:
            return None
        if not any(o.side is not order.side for o in self.floor.accounts[own].open.values()):
            return None
        for level in self.floor.books[order.instrument].levels(order.side, limit):
            before = 0  # all that is shown at a price trades before anything hidden there
            for maker in level.orders.values():
                if left <= before:
                    return None
                if maker.account == own and maker is not instead_of:
                    return Refusal(10003, "order_overlap")
                before += maker.shown if maker.show else maker.rest
            left -= sum(maker.rest for maker in level.orders.values())
            if left <= 0:
                return None
        return None

    def _poor(self, order: Order, instead_of: Order | None) -> Refusal | None:
        holder = self.floor.accounts[order.account]
        if instead_of is None and len(holder.open) >= self.floor.rules.max_open:
            return Refusal(10047, "matching_engine_queue_full", "too many open orders")
        others = [o for o in holder.open.values() if o is not instead_of]
        before = list(holder.open.values())
        priced = order
        if order.kind == "market":
            priced = msgspec.structs.replace(order, price=self._worst(order))
        after = margin.available(holder, self.floor.marks, [*others, priced])
        if after < 0 and after < margin.available(holder, self.floor.marks, before) - 1e-12:
            return Refusal(10009, "not_enough_funds")
        return None

    def _worst(self, order: Order) -> int:
        """The price of the last lot a market order would take now."""
        worst, left = 0, order.rest
        for maker in self.floor.books[order.instrument].reachable(order.side, self.limit(order)):
            worst, left = maker.price, left - maker.rest
            if left <= 0:
                break
        return worst
