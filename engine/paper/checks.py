"""Why the exchange does not take an order. All checks are made before anything is changed.

Two of them change the order that is asked for, as the venue does: a post-only order that would trade is moved, and a
reduce-only order is cut to the position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engine.domain import Instrument, Side
from engine.paper import margin
from engine.paper.accounts import Account
from engine.paper.marks import Marks
from engine.paper.matching import FILLED, OPEN, Order, OrderBook
from engine.paper.terms import Refusal, Stats

MAX_OPEN = 1000


def late(t: int, valid_until: int) -> Refusal | None:
    """A request that arrives at or after the time it is valid until; 0 is for ever."""
    return Refusal(13888, "timed_out") if valid_until and t >= valid_until else None


def not_open(order: Order | None) -> Refusal | None:
    if order is None:
        return Refusal(10004, "order_not_found")
    if order.state == FILLED:
        return Refusal(11008, "already_filled")
    return None if order.state == OPEN else Refusal(11044, "not_open_order")


class Floor(Protocol):
    """What the checks look at: the exchange as it is."""

    marks: Marks
    accounts: list[Account]
    books: list[OrderBook]
    stats: list[Stats]

    @property
    def instruments(self) -> Sequence[Instrument]: ...


class Checks:
    def __init__(self, floor: Floor) -> None:
        self.floor = floor

    def limit(self, order: Order) -> int:
        """The worst price it may trade at: a market order's is the venue's own bound."""
        if order.kind != "market":
            return order.price
        low, high = self.floor.marks.band(order.instrument)
        return high if order.side is Side.BUY else low

    def refuse(self, order: Order, limit: int, instead_of: Order | None) -> Refusal | None:
        """Every reason not to take this order, in the venue's order. Re-prices post-only and trims reduce-only."""
        instrument = self.floor.instruments[order.instrument]
        if self.floor.stats[order.instrument].closed:
            return Refusal(10012, "book_closed")
        if order.amount <= 0:
            return Refusal(10002, "qty_too_low")
        if order.kind != "market" and not instrument.on_tick(order.price):
            return Refusal(10043, "price_wrong_tick")
        return (
            self._out_of_band(order)
            or self._trim(order, instead_of)
            or self._post(order)
            or self._overlap(order, limit, instead_of)
            or self._poor(order, instead_of)
        )

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
        if order.kind == "market" or order.tif in ("immediate_or_cancel", "fill_or_kill"):
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

    def _overlap(self, order: Order, limit: int, instead_of: Order | None) -> Refusal | None:
        """Self-trade prevention, reject_taker: refused when it would reach an own order."""
        left, own = order.rest, order.account
        limit = order.price if order.kind != "market" else limit
        if not any(o.side is not order.side for o in self.floor.accounts[own].open.values()):
            return None
        for maker in self.floor.books[order.instrument].reachable(order.side, limit):
            if left <= 0:
                break
            if maker.account == own and maker is not instead_of:
                return Refusal(10003, "order_overlap")
            left -= maker.rest
        return None

    def _poor(self, order: Order, instead_of: Order | None) -> Refusal | None:
        holder = self.floor.accounts[order.account]
        if len(holder.open) >= MAX_OPEN:
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
