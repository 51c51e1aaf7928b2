"""What facts do to what holds a desk back: the kill, lifts of single blocks, repeated executions. See `evolve.py`."""

from __future__ import annotations

from engine import messages as m
from engine.domain import NS, Side
from engine.execution import lifecycle
from engine.execution.desk import Child, Desk, KillState, Lift

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
