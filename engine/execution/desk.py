"""The desk: parents, proposals, children, positions. Changed by facts (`evolve.py`), and by nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from engine import messages as m
from engine.config import Config
from engine.domain import MINUTE_NS, Side
from engine.execution.today import Day


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
    chased_from: int = 0  # price of the first resting child since the last fill, 0 for none
    version: int = 1  # one more with each edit
    view: m.TraderView | None = None
    asked_for: int = 0  # children so far
    asked_at: int = 0  # when the last of them was requested
    took_at: int = 0  # when the last that crosses was
    suspended: str = ""  # why nobody can trade its instrument now
    seen: int = 0  # when the market was last looked at for its cost

    @property
    def remaining(self) -> int:
        return self.order.quantity - self.filled

    def by_itself(self, lots: int) -> bool:
        """Whether the dial lets a child of this size go without being asked."""
        return self.dial == "auto" or (self.dial == "semi" and lots <= self.order.auto_limit)


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
    schedule_ticks: float | None = None
    viewed: bool = False  # the trader's own view is weighed in it


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
    lots: int = 0  # its size since it was amended; 0: as requested
    amend: m.AmendRequested | None = None  # what it is to become, while that is not answered
    amended: int = 0  # the venue's time of its last amend: older news of it means nothing
    amend_asked: int = 0  # when it was last to be amended
    placed: int = 0  # since when it has its place in the queue

    @property
    def quantity(self) -> int:
        """Its whole size as the venue has it."""
        return self.lots or self.request.quantity

    @property
    def remaining(self) -> int:
        """Lots that may still fill: while an amend is not answered, of the larger size."""
        most = max(self.quantity, self.amend.quantity) if self.amend else self.quantity
        return most - self.filled

    @property
    def bound(self) -> int:
        """The worst price that it may fill at: while an amend is not answered, the worse of both."""
        return side_price(self.request.side.other, self.price, self.amend.price) if self.amend else self.price


class KillState(msgspec.Struct):
    by: str
    t: int
    account: bool
    asked: int = 0
    call: str = ""
    took: int = 0  # 0 until the venue has confirmed
    delta: float = 0.0


class Lift(msgspec.Struct):
    """Leave for one order of this person in this instrument to pass this block; `state` is of `lifecycle.LIFT`."""

    block: str
    instrument: str
    by: str
    reason: str
    state: str
    until: int


class Flattening(msgspec.Struct):
    """A position that is being closed, at whose word, and until when it is tried."""

    by: str
    until: int


class Amending(NamedTuple):
    """When an amend of this order was requested."""

    t: int
    child: str


class Due(NamedTuple):
    """A fill to be marked again at `t`."""

    t: int
    trade: str
    seconds: int
    instrument: str


HEDGES = "hedges"  # whose lots are those of hedges, beside the parents'


class Hedge(msgspec.Struct):
    """How the book is hedged, as it was last set; None: as the settings say."""

    on: bool | None = None
    dial: m.Dial | None = None
    target: float | None = None  # coin
    waits: bool = False  # every hedge is asked for: the engine started anew, and nobody has set hedging since
    quiet_until: int = 0  # no new hedge before: the trader rejected one, or the venue did
    reason: str = ""  # of that
    asked_at: int = 0  # when the last one was requested


class Desk(msgspec.Struct):
    """Everything decided. `facts` is the number of the last fact; ids are made of such numbers."""

    facts: int = 0
    tag: str = ""  # sets this journal's labels apart from any other's on the same account
    session: str = ""
    config: Config = Config()
    epoch: str = ""
    epoch_at: int = 0  # the fact it began with: what was filled before is not held any more
    parents: dict[str, Parent] = {}
    proposals: dict[str, Proposal] = {}
    children: dict[str, Child] = {}
    live: dict[str, None] = {}  # ids of those three that have not ended, in order: few, where the history is long
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
    amends: list[Amending] = []  # the last amends among them
    day: Day = msgspec.field(default_factory=Day)
    executions: dict[str, list[int]] = {}  # "side instrument" → times of the last orders that were executed
    tripped: dict[str, str] = {}  # the same → why nothing more of it goes out until a person re-arms it
    lifts: dict[str, Lift] = {}  # asked for or granted
    traded: dict[str, dict[str, int]] = {}  # user → instrument → lots, signed: whose position is whose
    due: list[Due] = []  # fills to be marked again, the next first
    hedge: Hedge = msgspec.field(default_factory=Hedge)
    holders: dict[str, dict[str, int]] = {}  # instrument → parent or HEDGES → lots filled, signed; the rest is nobody's
    adopted: dict[str, str] = {}  # trade id of a fill made elsewhere → the parent it counts towards
    flattening: dict[str, Flattening] = {}  # by instrument

    @property
    def live_children(self) -> list[Child]:
        return [self.children[k] for k in self.live if k in self.children]

    @property
    def live_parents(self) -> list[Parent]:
        return [self.parents[k] for k in self.live if k in self.parents]

    @property
    def live_proposals(self) -> list[Proposal]:
        return [self.proposals[k] for k in self.live if k in self.proposals]

    def children_of(self, parent: str) -> list[Child]:
        """Live children of a parent."""
        return [c for c in self.live_children if c.request.parent == parent]

    def working(self, parent: str) -> int:
        """Lots of a parent that are on their way or resting."""
        return sum(c.remaining for c in self.children_of(parent))

    @property
    def hedge_children(self) -> list[Child]:
        return [c for c in self.live_children if c.request.hedge]

    @property
    def hedge_proposal(self) -> Proposal | None:
        """The live proposal of a hedge: the book has at most one."""
        return next((p for p in self.live_proposals if p.born.hedge), None)

    def proposal_of(self, parent: str) -> Proposal | None:
        """A parent's live proposal: it has at most one."""
        return next((p for p in self.live_proposals if p.born.parent == parent), None)

    def owner(self, parent: str, by: str) -> str:
        """Whose order it is: the parent's, or, by hand, whoever sent it."""
        return self.parents[parent].order.user if parent in self.parents else by

    def message(self, t: int) -> None:
        """An order or an amend was requested: it counts for the rate of messages, and of the day."""
        self.requests = [before for before in self.requests if t - before < MINUTE_NS] + [t]
        if self.day.turn(t):
            self.day.orders += 1

    def next_id(self, prefix: str) -> str:
        return f"{prefix}{self.facts + 1}"

    def dump(self) -> Any:
        return msgspec.to_builtins(self, builtin_types=(bytes,))

    @staticmethod
    def load(value: Any) -> Desk:
        return msgspec.convert(value, Desk)


def side_price(side: Side, a: int, b: int) -> int:
    """The better of two prices for this side: the lower for a buyer."""
    return min(a, b) if side is Side.BUY else max(a, b)
