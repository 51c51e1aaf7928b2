"""What facts do to what holds a desk back: the kill, lifts of single blocks, repeated executions; and to its hedging.
See `evolve.py`."""

from __future__ import annotations

import msgspec

from engine import messages as m
from engine.domain import NS, Side
from engine.execution import lifecycle
from engine.execution.desk import HEDGES, Child, Desk, KillState, Lift

EXECUTIONS_KEPT_NS = 600 * NS


def killed(desk: Desk, fact: m.Killed) -> None:
    desk.killed = KillState(by=fact.by, t=fact.t, account=fact.account)


def kill_asked(desk: Desk, fact: m.KillAsked) -> None:
    if desk.killed:
        desk.killed.asked, desk.killed.call = fact.t, fact.call


def kill_confirmed(desk: Desk, fact: m.KillConfirmed) -> None:
    if desk.killed:
        desk.killed.took, desk.killed.delta = fact.took, fact.delta


def rearmed(desk: Desk, _: m.Rearmed) -> None:
    desk.killed = None


def lift_asked(desk: Desk, fact: m.LiftAsked) -> None:
    desk.lifts = {k: lift for k, lift in desk.lifts.items() if fact.t < lift.until}
    desk.lifts[fact.id] = Lift(fact.block, fact.instrument, fact.by, fact.reason, "asked", fact.until)


def lift_granted(desk: Desk, fact: m.LiftGranted) -> None:
    lift = desk.lifts[fact.id]
    lift.state, lift.until = lifecycle.lift(lift.state, "grant"), fact.until


def tripped(desk: Desk, fact: m.RepeatsTripped) -> None:
    reason = f"{fact.side} orders of {fact.instrument} were executed {fact.count} times in {fact.seconds:.12g} s"
    desk.tripped[f"{fact.side} {fact.instrument}"] = reason


def repeats_rearmed(desk: Desk, fact: m.RepeatsRearmed) -> None:
    for side in Side:
        desk.tripped.pop(f"{side} {fact.instrument}", None)
        desk.executions.pop(f"{side} {fact.instrument}", None)


def executed(desk: Desk, child: Child, fact: m.Filled) -> None:
    """Whose position it is, and, with an order's first fill, one execution more of its side of its instrument."""
    owner = desk.traded.setdefault(desk.owner(child.request.parent, child.request.by), {})
    owner[fact.instrument] = owner.get(fact.instrument, 0) + fact.side.sign * fact.quantity
    if not child.filled:
        key = f"{fact.side} {fact.instrument}"
        kept = [t for t in desk.executions.get(key, []) if fact.t - t < EXECUTIONS_KEPT_NS]
        desk.executions[key] = [*kept, fact.t]


def held(desk: Desk, child: Child, fact: m.Filled) -> None:
    """Which parent's the lots are, or the hedges'."""
    if holder := HEDGES if child.request.hedge else child.request.parent:
        holds(desk, holder, fact)


def holds(desk: Desk, holder: str, fact: m.Filled) -> None:
    """The lots of a fill are this parent's, or the hedges'."""
    holders = desk.holders.setdefault(fact.instrument, {})
    holders[holder] = holders.get(holder, 0) + fact.side.sign * fact.quantity


def hedge_set(desk: Desk, fact: m.HedgeSet) -> None:
    hedge = desk.hedge
    hedge.on, hedge.dial, hedge.target, hedge.waits = fact.on, fact.dial, fact.target, False
    hedge_quiet(desk, 0, "")


def parent_hedge(desk: Desk, fact: m.ParentHedgeSet) -> None:
    parent = desk.parents[fact.parent]
    parent.order = msgspec.structs.replace(parent.order, hedge=fact.dial)


def hedge_rested(desk: Desk, fact: m.HedgeRested) -> None:
    hedge_quiet(desk, fact.until, fact.reason)


def hedge_quiet(desk: Desk, until: int, reason: str) -> None:
    desk.hedge.quiet_until, desk.hedge.reason = until, reason


def unhalted(desk: Desk, _: m.Unhalted) -> None:
    desk.hedge.waits = True
