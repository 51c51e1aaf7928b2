"""Somebody who reads every fact beside the desk, keeps simple books of his own, and objects to whatever is unlawful.

What he knows he has from the facts alone, in the order they came: he shares no code with what decides and evolves. The
market he looks at only to see whether a book could be acted on. `against_venue` holds the same books against what the
venue itself has on record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine import messages as m
from engine.config import Config
from engine.core import Market
from engine.domain import NS, Instrument, Kind
from tests.link import Frames, World

LIVE_PARENT = ("working", "paused")
ENTRIES = ("private/buy", "private/sell", "private/edit")
SAID = (m.Refused, m.ParentPaused, m.ParentRested, m.Lapsed, m.AmendRefused, m.CancelRequested, m.PositionSet)


@dataclass
class Order:
    """`lots` and `worst` are the most that may stand at the venue: an amend that is not answered may have come true."""

    request: m.OrderRequested
    lots: int
    worst: int
    filled: int = 0
    live: bool = True
    standing: set[int] = field(default_factory=set)  # prices it may stand at

    def beyond(self, price: int) -> bool:
        return self.request.side.sign * (price - self.worst) > 0

    def may_stand(self, lots: int, price: int) -> None:
        self.lots = max(self.lots, lots)
        self.worst = price if self.beyond(price) else self.worst
        self.standing.add(price)


@dataclass
class Parent:
    order: m.ParentAccepted
    state: str = "working"
    filled: int = 0
    halted_until: int = 0


@dataclass
class Proposal:
    shown: dict[int, tuple[int, int]]  # by revision: lots, worst price
    approved: m.Approved | None = None
    ends: int = 0


class Overseer:
    def __init__(self) -> None:
        self.config = Config()
        self.orders: dict[str, Order] = {}
        self.parents: dict[str, Parent] = {}
        self.proposals: dict[str, Proposal] = {}
        self.seen: Counter[type] = Counter()
        self.reconciled = self.killed = False

    def read(self, facts: list[m.Fact]) -> Overseer:
        for fact in facts:
            self.see(fact)
        return self

    def see(self, fact: m.Fact, market: Market | None = None) -> None:
        """Take a fact in. Without a market, as of a journal that is read again, nobody looks at books."""
        self.seen[type(fact)] += 1
        if isinstance(fact, SAID):
            assert fact.reason, f"without a reason: {fact}"
        match fact:
            case m.Began():
                self.config, self.reconciled = fact.config, False
            case m.Reconciling():
                self.reconciled = False
            case m.Reconciled():
                self.reconciled = True
            case m.Killed():
                self.killed = True
            case m.Rearmed():
                self.killed = False
            case m.Proposed() | m.Refreshed() | m.Approved() | m.Rejected() | m.Lapsed():
                self._proposal(fact)
            case m.OrderRequested():
                self._requested(fact, market)
            case m.AmendRequested():
                self._amend_requested(fact, market)
            case m.OrderOpened() | m.Amended() | m.AmendRefused() | m.Filled() | m.OrderEnded():
                self._told(fact)
            case _:
                self._parent(fact)

    def _parent(self, fact: m.Fact) -> None:
        match fact:
            case m.ParentAccepted():
                assert fact.id not in self.parents
                self.parents[fact.id] = Parent(fact)
            case m.ParentEdited():
                assert self.parents[fact.parent].state in LIVE_PARENT
                self.parents[fact.parent].order = fact.order
            case m.ParentPaused():
                self._moves(fact.parent, "paused")
            case m.ParentResumed():
                self._moves(fact.parent, "working")
                self.parents[fact.parent].halted_until = 0
            case m.ParentHalted():
                self.parents[fact.parent].halted_until = fact.until
            case m.ParentEnded():
                self._moves(fact.parent, fact.outcome)
                assert fact.outcome != "expired" or fact.reason
                done = self.parents[fact.parent].filled >= self.parents[fact.parent].order.quantity
                assert done is (fact.outcome == "done"), fact

    def _moves(self, parent: str, state: str) -> None:
        assert self.parents[parent].state in LIVE_PARENT
        self.parents[parent].state = state

    def _proposal(self, fact: m.Proposed | m.Refreshed | m.Approved | m.Rejected | m.Lapsed) -> None:
        if isinstance(fact, m.Proposed):
            assert fact.id not in self.proposals
            assert not fact.parent or self.parents[fact.parent].state == "working"
            self.proposals[fact.id] = Proposal({1: (fact.quantity, fact.worst)})
            return
        proposal = self.proposals[fact.proposal]
        assert not proposal.ends, f"{fact.proposal} ends, or goes on after its end: {fact}"
        if isinstance(fact, m.Refreshed):
            assert fact.revision == max(proposal.shown) + 1
            proposal.shown[fact.revision] = fact.quantity, fact.worst
            return
        proposal.ends += 1
        if isinstance(fact, m.Approved):
            lots, worst = proposal.shown[fact.revision]
            assert fact.edited or (fact.worst == worst and fact.quantity <= lots)
            proposal.approved = fact

    # ------------------------------------------------------------ orders

    def _requested(self, fact: m.OrderRequested, market: Market | None) -> None:
        assert fact.child not in self.orders, f"{fact.child} is requested twice"
        assert fact.quantity > 0
        limits = self.config.limits
        assert sum(order.live for order in self.orders.values()) < limits.open_orders or fact.lifted
        lately = [o for o in self.orders.values() if o.request.t > fact.t - 10 * NS]
        assert len(lately) < limits.orders_per_10s or fact.lifted
        self.orders[fact.child] = order = Order(fact, fact.quantity, fact.price, standing={fact.price})
        self._may_leave(order, fact.t, fact.price, reducing=fact.reduce_only)
        if market is not None:
            self._fit_market(order, fact.quantity, fact.price, market, lifted=bool(fact.lifted))
        if fact.parent:
            assert self.parents[fact.parent].state == "working", f"a silent parent spoke: {fact}"
        if fact.proposal:
            approved = self.proposals[fact.proposal].approved
            assert approved is not None
            assert fact.side.sign * (fact.price - approved.worst) <= 0
            assert fact.quantity <= approved.quantity

    def _amend_requested(self, fact: m.AmendRequested, market: Market | None) -> None:
        order = self.orders[fact.child]
        assert order.live
        assert fact.quantity > order.filled
        order.may_stand(fact.quantity, fact.price)
        self._may_leave(order, fact.t, fact.price, reducing=order.request.reduce_only)
        if market is not None:
            self._fit_market(order, fact.quantity, fact.price, market, lifted=bool(fact.lifted))

    def _may_leave(self, order: Order, t: int, price: int, *, reducing: bool) -> None:
        """Nothing goes while we do not know where we stand, nor beyond what its parent allows."""
        assert self.reconciled
        assert not self.killed or reducing
        parent = self.parents.get(order.request.parent)
        if parent is None:
            return
        assert max(parent.order.start, parent.halted_until) <= t < parent.order.end
        assert order.request.side.sign * (price - parent.order.limit) <= 0, f"beyond its parent's limit: {price}"
        mine = [o for o in self.orders.values() if o.request.parent == parent.order.id and o.live]
        assert parent.filled + sum(o.lots - o.filled for o in mine) <= parent.order.quantity

    def _fit_market(self, order: Order, lots: int, price: int, market: Market, *, lifted: bool) -> None:
        name, side = order.request.instrument, order.request.side
        instrument, book = market.venue.instruments[name], market.venue.books[name]
        assert not book.stale, f"on a book that is stale: {book.stale}"
        assert market.venue.up
        bid, ask = (next(iter(book.levels(s, 1)), (None, 0))[0] for s in (side, side.other))
        assert bid is None or ask is None or side.sign * (ask - bid) > 0, "on a crossed book"
        assert instrument.on_tick(price)
        assert lifted or self._small(instrument, lots)
        for other in self.orders.values():
            if other.live and other.request.instrument == name and other.request.side is not side:
                assert all(side.sign * (price - theirs) < 0 for theirs in other.standing), "it could meet our own order"

    def _small(self, instrument: Instrument, lots: int) -> bool:
        limits, amount = self.config.limits, instrument.amount(lots)
        return amount <= (limits.order_contracts if instrument.kind is Kind.OPTION else limits.future_usd)

    def _told(self, fact: m.OrderOpened | m.Amended | m.AmendRefused | m.Filled | m.OrderEnded) -> None:
        if isinstance(fact, m.Filled):
            self._filled(fact)
            return
        order = self.orders[fact.child]
        assert order.live or not isinstance(fact, m.OrderEnded), f"{fact.child} ends twice"
        match fact:
            case m.OrderOpened() | m.Amended():
                assert not order.beyond(fact.price), f"the venue has it at a worse price: {fact}"
                order.standing = {fact.price}
                if isinstance(fact, m.Amended):
                    order.lots = fact.quantity
            case m.OrderEnded():
                assert fact.reason or fact.state == "filled", f"without a reason: {fact}"
                order.live = False

    def _filled(self, fact: m.Filled) -> None:
        if not fact.child:
            return
        order = self.orders[fact.child]
        order.filled += fact.quantity
        assert order.filled <= order.lots
        assert not order.beyond(fact.price), f"filled at a worse price: {fact}"
        if parent := self.parents.get(order.request.parent):
            parent.filled += fact.quantity
            assert parent.filled <= parent.order.quantity


def against_venue(world: World) -> None:
    """What the venue itself has on record of us: each order once, all known here, none larger or at a worse price than
    it was asked for, parents never overfilled, and never both sides of a trade."""
    overseer = Overseer().read(world.facts)
    history = [order for order in world.venue_history() if order.label]
    assert set(Counter(order.label for order in history).values()) <= {1}
    filled: Counter[str] = Counter()
    for theirs in history:
        ours = overseer.orders.get(theirs.label)
        assert ours is not None, f"the venue has {theirs.label}, and the journal lacks it"
        request, instrument = ours.request, world.instrument(theirs.instrument_name)
        assert (theirs.instrument_name, theirs.direction) == (request.instrument, request.side)
        assert instrument.lots(theirs.amount) <= ours.lots
        assert not ours.beyond(instrument.units(float(theirs.price)))
        filled[request.parent] += instrument.lots(theirs.filled_amount)
    for name, parent in overseer.parents.items():
        assert filled[name] <= parent.order.quantity
    prints = Counter((trade.instrument_name, trade.trade_seq) for trade in world.venue_trades())
    assert set(prints.values()) <= {1}, "the account stands on both sides of a trade"


class Watched(World):
    """A world with an overseer at every step, who looks at every call too."""

    overseer: Overseer
    seen = 0

    def take(self, kind: Callable[..., m.Input], **fields: Any) -> list[m.Fact]:
        """An input may bring another before it is done with (a call that does not leave): facts are seen in order."""
        if kind is m.Started:
            self.overseer, self.seen = Overseer().read(self.facts), len(self.facts)
        facts = super().take(kind, **fields)
        while self.seen < len(self.facts):
            self.seen += 1
            self.overseer.see(self.facts[self.seen - 1], self.core.market)
        return facts

    def _perform(self, effect: m.Effect) -> bool:
        if isinstance(effect, m.Call) and effect.child and effect.method in ENTRIES:
            child = self.desk.children[effect.child]
            assert self.desk.reconciled
            assert not self.desk.killed
            assert self.kept >= child.request.n, "an order left before its fact was durable"
            assert child.state == ("amending" if effect.method == "private/edit" else "requested")
            assert not self.core.market.venue.books[child.request.instrument].stale
        return super()._perform(effect)

    jumble: Callable[[Frames], Frames] = list  # what becomes of the market's frames on their way

    def _settle(self) -> None:
        frames = self.jumble([frame for _, frame in self.line.take()])
        if self.up:
            self._inbox += frames
        self.deliver()
