"""The desk: parents, proposals, children, positions. Changed by facts, and by nothing else.

`evolve` never decides: running and recovering share it, so folding the journal gives the very desk that wrote it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine import messages as m
from engine.config import Config
from engine.domain import Side
from engine.execution import lifecycle
from engine.execution.lifecycle import LIVE_CHILD, LIVE_PARENT


class Parent(msgspec.Struct):
    """An accepted parent order. Sizes in lots, prices in units, times in ns."""

    order: m.ParentAccepted
    state: str
    dial: m.Dial
    start: int  # from when, and with how much done, the schedule spreads the rest
    done_at_start: int
    filled: int = 0
    notional: int = 0  # Σ lots × units
    reason: str = ""
    halted_until: int = 0
    halts: int = 0
    quiet_until: int = 0  # no new proposal before: the trader rejected one

    @property
    def remaining(self) -> int:
        return self.order.quantity - self.filled


class Proposal(msgspec.Struct):
    """The newest revision, and of each one that a screen may have shown: (quantity, worst, row)."""

    born: m.Proposed
    state: str
    revision: int
    quantity: int
    worst: int
    cross: bool
    row: str
    reason: str
    forecast: m.Forecast | None
    cost_ticks: float | None
    wait_ticks: float | None
    refreshed: int
    shown: dict[int, tuple[int, int, str]]


class Child(msgspec.Struct):
    request: m.OrderRequested
    state: str
    price: int
    order: str = ""
    filled: int = 0
    notional: int = 0
    reason: str = ""
    cancelling: int = 0  # when a cancel was last asked for
    asked: int = 0  # when the venue was last asked about it
    ask_call: str = ""
    opened: int = 0

    @property
    def remaining(self) -> int:
        return self.request.quantity - self.filled


class KillState(msgspec.Struct):
    by: str
    t: int
    account: bool
    asked: int = 0
    call: str = ""
    took: int = 0  # 0 until the venue has confirmed
    delta: float = 0.0


class Desk(msgspec.Struct):
    """Everything decided. `facts` is the number of the last fact; ids are made of such numbers."""

    facts: int = 0
    tag: str = ""  # sets this journal's labels apart from any other's on the same account
    session: str = ""
    config: Config = Config()
    epoch: str = ""
    parents: dict[str, Parent] = {}
    proposals: dict[str, Proposal] = {}
    children: dict[str, Child] = {}
    fills: list[m.Filled] = []
    trades: dict[str, int] = {}  # trade id → fact: a fill counts once
    positions: dict[str, int] = {}
    killed: KillState | None = None
    reconciled: bool = False
    reconciling: str = ""  # prefix of the calls that ask the venue; empty while the link is down
    reconciling_since: int = 0
    checked: list[str] = []  # steps of the reconciliation behind us
    differences: list[str] = []
    requests: list[int] = []  # times of the last order requests, for the message rate

    @property
    def live_children(self) -> list[Child]:
        return [c for c in self.children.values() if c.state in LIVE_CHILD]

    @property
    def live_parents(self) -> list[Parent]:
        return [p for p in self.parents.values() if p.state in LIVE_PARENT]

    def children_of(self, parent: str) -> list[Child]:
        """Live children of a parent."""
        return [c for c in self.live_children if c.request.parent == parent]

    def working(self, parent: str) -> int:
        """Lots of a parent that are on their way or resting."""
        return sum(c.remaining for c in self.children_of(parent))

    def proposal_of(self, parent: str) -> Proposal | None:
        """A parent's live proposal: it has at most one."""
        return next((p for p in self.proposals.values() if p.state == "live" and p.born.parent == parent), None)

    def next_id(self, prefix: str) -> str:
        return f"{prefix}{self.facts + 1}"

    def dump(self) -> Any:
        return msgspec.to_builtins(self, builtin_types=(bytes,))

    @staticmethod
    def load(value: Any) -> Desk:
        return msgspec.convert(value, Desk)


def evolve(desk: Desk, fact: m.Fact) -> Desk:
    """Take one fact in. Raises IllegalMove or KeyError when it cannot follow from the desk: an invariant is broken."""
    desk.facts = fact.n
    _EVOLVE[type(fact)](desk, fact)
    return desk


def _began(desk: Desk, fact: m.Began) -> None:
    desk.tag = desk.tag or "".join(letter for letter in fact.session if letter.isalnum())[-16:]
    desk.session, desk.config = fact.session, fact.config
    desk.reconciled, desk.reconciling = False, ""


def _epoch(desk: Desk, fact: m.EpochBegan) -> None:
    desk.epoch = fact.epoch
    desk.positions = {}


def _parent(desk: Desk, fact: m.ParentAccepted) -> None:
    desk.parents[fact.id] = Parent(order=fact, state="working", dial=fact.dial, start=fact.start, done_at_start=0)


def _paused(desk: Desk, fact: m.ParentPaused) -> None:
    parent = desk.parents[fact.parent]
    parent.state, parent.reason = lifecycle.parent(parent.state, "pause"), fact.reason


def _resumed(desk: Desk, fact: m.ParentResumed) -> None:
    parent = desk.parents[fact.parent]
    parent.state, parent.reason = lifecycle.parent(parent.state, "resume"), ""
    parent.halted_until = parent.quiet_until = 0
    _rebase(parent, fact.rebased)


def _halted(desk: Desk, fact: m.ParentHalted) -> None:
    parent = desk.parents[fact.parent]
    parent.halted_until, parent.halts = fact.until, parent.halts + 1
    _rebase(parent, fact.until)
    parent.reason = f"halted by the row '{fact.row}'"


def _dial(desk: Desk, fact: m.DialSet) -> None:
    desk.parents[fact.parent].dial = fact.dial


def _parent_ended(desk: Desk, fact: m.ParentEnded) -> None:
    parent = desk.parents[fact.parent]
    parent.state, parent.reason = lifecycle.parent(parent.state, fact.outcome), ""


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
    )


def _refreshed(desk: Desk, fact: m.Refreshed) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state = lifecycle.proposal(proposal.state, "refresh")
    for name in ("revision", "quantity", "worst", "cross", "row", "reason", "forecast", "cost_ticks", "wait_ticks"):
        setattr(proposal, name, getattr(fact, name))
    proposal.refreshed = fact.t
    proposal.shown[fact.revision] = (fact.quantity, fact.worst, fact.row)


def _approved(desk: Desk, fact: m.Approved) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state = lifecycle.proposal(proposal.state, "approve")
    proposal.quantity, proposal.worst = fact.quantity, fact.worst


def _rejected(desk: Desk, fact: m.Rejected) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state, proposal.reason = lifecycle.proposal(proposal.state, "reject"), fact.reason or proposal.reason
    parent = desk.parents[proposal.born.parent]
    parent.quiet_until = fact.quiet_until
    _rebase(parent, fact.quiet_until)


def _lapsed(desk: Desk, fact: m.Lapsed) -> None:
    proposal = desk.proposals[fact.proposal]
    proposal.state, proposal.reason = lifecycle.proposal(proposal.state, "lapse"), fact.reason
    _rebase(desk.parents[proposal.born.parent], fact.rebased)


def _rebase(parent: Parent, start: int) -> None:
    """From `start` on, what is left is spread anew: the time lost is not owed. 0 leaves the schedule as it is."""
    if start:
        parent.start, parent.done_at_start = start, parent.filled


def _requested(desk: Desk, fact: m.OrderRequested) -> None:
    desk.children[fact.child] = Child(request=fact, state="requested", price=fact.price)
    desk.requests = [t for t in desk.requests if fact.t - t < 60 * 10**9] + [fact.t]


def _sent(desk: Desk, fact: m.OrderSent) -> None:
    child = desk.children[fact.child]
    child.state = lifecycle.child(child.state, "sent")


def _opened(desk: Desk, fact: m.OrderOpened) -> None:
    child = desk.children[fact.child]
    child.state, child.order, child.price = lifecycle.child(child.state, "open"), fact.order, fact.price
    child.opened, child.ask_call = child.opened or fact.t, ""


def _filled(desk: Desk, fact: m.Filled) -> None:
    desk.trades[fact.trade] = fact.n
    desk.fills.append(fact)
    desk.positions[fact.instrument] = desk.positions.get(fact.instrument, 0) + fact.side.sign * fact.quantity
    if not fact.child:
        return
    child = desk.children[fact.child]
    child.filled += fact.quantity
    child.notional += fact.quantity * fact.price
    child.state = lifecycle.child(child.state, "part")
    if child.request.parent:
        parent = desk.parents[child.request.parent]
        parent.filled += fact.quantity
        parent.notional += fact.quantity * fact.price


def _order_ended(desk: Desk, fact: m.OrderEnded) -> None:
    child = desk.children[fact.child]
    child.state, child.reason = lifecycle.child(child.state, fact.state), fact.reason
    child.ask_call = ""


def _cancel_requested(desk: Desk, fact: m.CancelRequested) -> None:
    desk.children[fact.child].cancelling = fact.t
    desk.children[fact.child].reason = fact.reason


def _asked(desk: Desk, fact: m.Asked) -> None:
    child = desk.children[fact.child]
    child.asked, child.ask_call = fact.t, fact.call


def _killed(desk: Desk, fact: m.Killed) -> None:
    desk.killed = KillState(by=fact.by, t=fact.t, account=fact.account)


def _kill_asked(desk: Desk, fact: m.KillAsked) -> None:
    if desk.killed:
        desk.killed.asked, desk.killed.call = fact.t, fact.call


def _kill_confirmed(desk: Desk, fact: m.KillConfirmed) -> None:
    if desk.killed:
        desk.killed.took, desk.killed.delta = fact.took, fact.delta


def _rearmed(desk: Desk, _: m.Rearmed) -> None:
    desk.killed = None


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


def _nothing(_: Desk, __: m.Fact) -> None:
    """Kept for the record; the desk does not change."""


_EVOLVE: dict[type, Any] = {
    m.Began: _began,
    m.EpochBegan: _epoch,
    m.Refused: _nothing,
    m.ParentAccepted: _parent,
    m.ParentPaused: _paused,
    m.ParentResumed: _resumed,
    m.ParentHalted: _halted,
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
    m.Killed: _killed,
    m.KillAsked: _kill_asked,
    m.KillConfirmed: _kill_confirmed,
    m.Rearmed: _rearmed,
    m.Reconciling: _reconciling,
    m.Checked: _checked,
    m.Reconciled: _reconciled,
    m.PositionSet: _position,
}


def side_price(side: Side, a: int, b: int) -> int:
    """The better of two prices for this side: the lower for a buyer."""
    return min(a, b) if side is Side.BUY else max(a, b)
