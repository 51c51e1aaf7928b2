"""What each fact does to the desk. It never decides: running and recovering share it.

So folding the journal gives the very desk that wrote it.
"""

from __future__ import annotations

from typing import Any

from engine import messages as m
from engine.execution import guards, lifecycle, markout
from engine.execution.amended import amend_refused, amend_requested, amended
from engine.execution.desk import Child, Desk, Flattening, Parent, Proposal


def evolve(desk: Desk, fact: m.Fact) -> Desk:
    """Take one fact in. Raises IllegalMove or KeyError when it cannot follow from the desk: an invariant is broken."""
    desk.facts = fact.n
    _EVOLVE[type(fact)](desk, fact)
    return desk


def _began(desk: Desk, fact: m.Began) -> None:
    desk.tag = desk.tag or "".join(letter for letter in fact.session if letter.isalnum())[-16:]
    desk.hedge.waits = bool(desk.session) and not fact.config.resume_after_recovery
    desk.session, desk.config = fact.session, fact.config
    desk.reconciled, desk.reconciling = False, ""


def _epoch(desk: Desk, fact: m.EpochBegan) -> None:
    desk.epoch, desk.epoch_at = fact.epoch, fact.n
    desk.positions, desk.traded, desk.holders = {}, {}, {}
    desk.day.traded = {}


def _parent(desk: Desk, fact: m.ParentAccepted) -> None:
    desk.parents[fact.id] = Parent(order=fact, state="working", dial=fact.dial, start=fact.start, done_at_start=0)
    desk.live[fact.id] = None


def _edited(desk: Desk, fact: m.ParentEdited) -> None:
    parent = desk.parents[fact.parent]
    parent.state = lifecycle.parent(parent.state, "edit")
    parent.order, parent.version = fact.order, fact.version
    _rebase(parent, max(fact.t, fact.order.start))


def _view(desk: Desk, fact: m.ViewSet) -> None:
    desk.parents[fact.parent].view = fact.view


def _paused(desk: Desk, fact: m.ParentPaused) -> None:
    parent = desk.parents[fact.parent]
    parent.state, parent.reason = lifecycle.parent(parent.state, "pause"), fact.reason


def _resumed(desk: Desk, fact: m.ParentResumed) -> None:
    parent = desk.parents[fact.parent]
    parent.state, parent.reason = lifecycle.parent(parent.state, "resume"), ""
    parent.suspended = ""
    parent.halted_until = parent.quiet_until = parent.halts = parent.chased_from = 0
    _rebase(parent, max(fact.rebased, parent.order.start))


def _halted(desk: Desk, fact: m.ParentHalted) -> None:
    parent = desk.parents[fact.parent]
    parent.halted_until, parent.halts = fact.until, parent.halts + 1
    _rebase(parent, fact.until)
    parent.reason = f"halted by the row '{fact.row}'"


def _rested(desk: Desk, fact: m.ParentRested) -> None:
    parent = desk.parents[fact.parent]
    parent.quiet_until, parent.reason = max(parent.quiet_until, fact.until), fact.reason


def _suspended(desk: Desk, fact: m.ParentSuspended) -> None:
    parent = desk.parents[fact.parent]
    parent.suspended = parent.reason = fact.reason


def _dial(desk: Desk, fact: m.DialSet) -> None:
    desk.parents[fact.parent].dial = fact.dial


def _parent_ended(desk: Desk, fact: m.ParentEnded) -> None:
    parent = desk.parents[fact.parent]
    parent.state, parent.reason = lifecycle.parent(parent.state, fact.outcome), fact.reason
    del desk.live[fact.parent]


def _proposed(desk: Desk, fact: m.Proposed) -> None:
    desk.proposals[fact.id] = Proposal(
        born=fact,
        state="live",
        revision=1,
        quantity=fact.quantity,
        worst=fact.worst,
        cross=fact.cross,
        row=fact.row,
        reason=fact.reason,
        forecast=fact.forecast,
        cost_ticks=fact.cost_ticks,
        wait_ticks=fact.wait_ticks,
        refreshed=fact.t,
        shown={1: (fact.quantity, fact.worst, fact.row)},
        schedule_ticks=fact.schedule_ticks,
        viewed=fact.view is not None,
    )
    desk.live[fact.id] = None


def _refreshed(desk: Desk, fact: m.Refreshed) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state = lifecycle.proposal(proposal.state, "refresh")
    for name in (
        "revision", "quantity", "worst", "cross", "row", "reason", "forecast", "cost_ticks", "wait_ticks",
        "schedule_ticks",
    ):  # fmt: skip
        setattr(proposal, name, getattr(fact, name))
    proposal.viewed, proposal.refreshed = fact.view is not None, fact.t
    proposal.shown[fact.revision] = (fact.quantity, fact.worst, fact.row)


def _approved(desk: Desk, fact: m.Approved) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state = lifecycle.proposal(proposal.state, "approve")
    proposal.quantity, proposal.worst = fact.quantity, fact.worst
    del desk.live[fact.proposal]


def _rejected(desk: Desk, fact: m.Rejected) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state, proposal.reason = lifecycle.proposal(proposal.state, "reject"), fact.reason or proposal.reason
    del desk.live[fact.proposal]
    if proposal.born.hedge:
        guards.hedge_quiet(desk, fact.quiet_until, "rejected by the trader")
        return
    parent = desk.parents[proposal.born.parent]
    parent.quiet_until = fact.quiet_until
    _rebase(parent, fact.quiet_until)


def _lapsed(desk: Desk, fact: m.Lapsed) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state, proposal.reason = lifecycle.proposal(proposal.state, "lapse"), fact.reason
    desk.live.pop(fact.proposal, None)  # an approved one has left already
    if not proposal.born.hedge:
        _rebase(desk.parents[proposal.born.parent], fact.rebased)


def _rebase(parent: Parent, start: int) -> None:
    """From `start` on, what is left is spread anew: the time lost is not owed. 0 leaves the schedule as it is."""
    if start:
        parent.start, parent.done_at_start = start, parent.filled


def _requested(desk: Desk, fact: m.OrderRequested) -> None:
    desk.children[fact.child] = Child(request=fact, state="requested", price=fact.price)
    desk.live[fact.child] = None
    if fact.parent:
        parent = desk.parents[fact.parent]
        parent.asked_for, parent.asked_at = parent.asked_for + 1, fact.t
        parent.took_at = parent.took_at if fact.post_only else fact.t
        parent.chased_from = parent.chased_from or (fact.price if fact.post_only else 0)
    if fact.hedge:
        desk.hedge.asked_at = fact.t
    desk.message(fact.t)
    for lift in fact.lifted:
        lifecycle.lift(desk.lifts.pop(lift).state, "used")


def _sent(desk: Desk, fact: m.OrderSent) -> None:
    child = desk.children[fact.child]
    child.state = lifecycle.child(child.state, "sent")


def _opened(desk: Desk, fact: m.OrderOpened) -> None:
    child = desk.children[fact.child]
    child.state, child.order, child.price = lifecycle.child(child.state, "open"), fact.order, fact.price
    child.opened, child.placed, child.ask_call = child.opened or fact.t, child.placed or fact.t, ""


def _filled(desk: Desk, fact: m.Filled) -> None:
    desk.trades[fact.trade] = fact.n
    desk.fills.append(fact)
    markout.owe(desk, fact)
    desk.positions[fact.instrument] = desk.positions.get(fact.instrument, 0) + fact.side.sign * fact.quantity
    if desk.day.turn(fact.at):
        desk.day.fill(fact.instrument, fact.side, fact.quantity, fact.price, fact.fee)
    if not fact.child:
        return
    child = desk.children[fact.child]
    guards.executed(desk, child, fact)
    guards.held(desk, child, fact)
    child.filled += fact.quantity
    child.notional += fact.quantity * fact.price
    child.state = lifecycle.child(child.state, "part")
    if child.request.parent:
        parent = desk.parents[child.request.parent]
        parent.filled += fact.quantity
        parent.notional += fact.quantity * fact.price
        parent.chased_from = 0


def _order_ended(desk: Desk, fact: m.OrderEnded) -> None:
    child = desk.children[fact.child]
    if fact.state == "cancelled" and not child.request.post_only and desk.day.turn(fact.t):
        desk.day.orders += 1
    child.state, child.reason = lifecycle.child(child.state, fact.state), fact.reason
    child.ask_call, child.amend = "", None
    del desk.live[fact.child]


def _cancel_requested(desk: Desk, fact: m.CancelRequested) -> None:
    desk.children[fact.child].cancelling = fact.t
    desk.children[fact.child].reason = fact.reason


def _asked(desk: Desk, fact: m.Asked) -> None:
    child = desk.children[fact.child]
    child.asked, child.ask_call = fact.t, fact.call


def _reconciling(desk: Desk, fact: m.Reconciling) -> None:
    desk.reconciled, desk.reconciling = False, fact.call
    desk.reconciling_since, desk.checked, desk.differences = fact.t, [], []


def _checked(desk: Desk, fact: m.Checked) -> None:
    desk.checked.append(fact.what)
    desk.differences.extend(fact.differences)


def _reconciled(desk: Desk, _: m.Reconciled) -> None:
    desk.reconciled = True


def _position(desk: Desk, fact: m.PositionSet) -> None:
    desk.positions[fact.instrument] = fact.size


def _adopted(desk: Desk, fact: m.FillAdopted) -> None:
    desk.adopted[fact.trade] = fact.parent
    fill, parent = next(fill for fill in reversed(desk.fills) if fill.trade == fact.trade), desk.parents[fact.parent]
    parent.filled += fill.quantity
    parent.notional += fill.quantity * fill.price
    guards.holds(desk, fact.parent, fill)
    owner = desk.traded.setdefault(parent.order.user, {})
    owner[fill.instrument] = owner.get(fill.instrument, 0) + fill.side.sign * fill.quantity


def _flatten(desk: Desk, fact: m.FlattenAsked) -> None:
    desk.flattening |= {name: Flattening(fact.by, fact.until) for name in fact.instruments}


def _flattened(desk: Desk, fact: m.FlattenEnded) -> None:
    del desk.flattening[fact.instrument]


def _nothing(_: Desk, __: m.Fact) -> None:
    """Kept for the record; the desk does not change."""


_EVOLVE: dict[type, Any] = {
    m.Began: _began,
    m.EpochBegan: _epoch,
    m.Refused: _nothing,
    m.ParentAccepted: _parent,
    m.ParentEdited: _edited,
    m.ViewSet: _view,
    m.ParentPaused: _paused,
    m.ParentResumed: _resumed,
    m.ParentHalted: _halted,
    m.ParentRested: _rested,
    m.ParentSuspended: _suspended,
    m.DialSet: _dial,
    m.ParentEnded: _parent_ended,
    m.Proposed: _proposed,
    m.Refreshed: _refreshed,
    m.Approved: _approved,
    m.Rejected: _rejected,
    m.Lapsed: _lapsed,
    m.OrderRequested: _requested,
    m.OrderSent: _sent,
    m.OrderOpened: _opened,
    m.Filled: _filled,
    m.OrderEnded: _order_ended,
    m.CancelRequested: _cancel_requested,
    m.Asked: _asked,
    m.AmendRequested: amend_requested,
    m.Amended: amended,
    m.AmendRefused: amend_refused,
    m.Killed: guards.killed,
    m.KillAsked: guards.kill_asked,
    m.KillConfirmed: guards.kill_confirmed,
    m.Rearmed: guards.rearmed,
    m.Reconciling: _reconciling,
    m.Checked: _checked,
    m.Reconciled: _reconciled,
    m.PositionSet: _position,
    m.LiftAsked: guards.lift_asked,
    m.LiftGranted: guards.lift_granted,
    m.RepeatsTripped: guards.tripped,
    m.RepeatsRearmed: guards.repeats_rearmed,
    m.FillAdopted: _adopted,
    m.ForeignCancelRequested: _nothing,
    m.FlattenAsked: _flatten,
    m.FlattenEnded: _flattened,
    m.HedgeSet: guards.hedge_set,
    m.ParentHedgeSet: guards.parent_hedge,
    m.HedgeRested: guards.hedge_rested,
    m.UnhaltAsked: _nothing,
    m.Unhalted: guards.unhalted,
    m.ModelAsked: _nothing,
    m.ModelChanged: _nothing,
    m.ModelRefused: _nothing,
    m.MarketSeen: markout.seen,
    m.MarkedOut: markout.marked_out,
}
