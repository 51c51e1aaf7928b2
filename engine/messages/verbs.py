"""Verbs: what a person may ask of the desk, in a `Command`. Every one is answered by facts, a refusal among them."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.config import Row
from engine.domain import Side


class _Verb(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    pass


Dial = Literal["manual", "semi", "auto"]
HedgeDial = Literal["off", "manual", "semi", "auto"]  # off: the delta is wanted, and left in the book
Baseline = Literal["twap", "vwap", "pov", "almgren_chriss"]
Algorithm = Literal["twap", "vwap", "pov", "almgren_chriss", "adaptive"]


class SubmitParent(_Verb, frozen=True, kw_only=True, tag="submit"):
    """Decimals as the trader typed them; decide turns them into units and lots, or refuses."""

    instrument: str
    side: Side
    quantity: float
    limit: float = 0.0  # price; 0: none, where `limit_iv` is one
    minutes: float = 10.0
    algorithm: Algorithm = "adaptive"
    urgency: int = 5
    min_child: float = 0.0
    max_child: float = 0.0  # 0: twice the base child
    dial: Dial = "manual"
    auto_limit: float = 3.0  # semi-automatic: children up to this many contracts go by themselves
    leave: bool = False  # what becomes of working children when it pauses or halts: left, or pulled
    start_minutes: float = 0.0  # from now; `minutes` are counted from there
    baseline: Baseline = "twap"  # the schedule that "adaptive" works on
    rate: float = 0.1  # of POV: share of what others trade
    participation: float = 0.0  # at most this share of what others trade; 0: no cap
    would: float | None = None  # at this price or better the trader would do all of it at once
    random_time: float = 0.0  # 0 … 1: how far a child's moment strays, in children
    random_size: float = 0.0  # 0 … 1: how far a child's size strays, as a share of it
    policy: tuple[Row, ...] | None = None  # its own table; none: the desk's
    limit_iv: float | None = None  # per cent; beside a price the tighter of the two holds
    hedge: HedgeDial = "manual"  # how hedges of its delta go


class EditParent(_Verb, frozen=True, kw_only=True, tag="edit_parent"):
    """Change a running parent: what is None stays as it is. The rest is spread anew from now on; `minutes` are counted
    from now; a `would`, a `limit` or a `limit_iv` of 0 takes it away. The children that rest stay, unless `pull` takes
    them away."""

    parent: str
    pull: bool = False
    quantity: float | None = None
    limit: float | None = None
    limit_iv: float | None = None
    minutes: float | None = None
    algorithm: Algorithm | None = None
    baseline: Baseline | None = None
    urgency: int | None = None
    min_child: float | None = None
    max_child: float | None = None
    auto_limit: float | None = None
    rate: float | None = None
    participation: float | None = None
    would: float | None = None
    random_time: float | None = None
    random_size: float | None = None
    leave: bool | None = None
    policy: tuple[Row, ...] | None = None
    hedge: HedgeDial | None = None


class Press(_Verb, frozen=True, kw_only=True, tag="press"):
    """More now: take so much at once, inside the parent's limit, ahead of its schedule."""

    parent: str
    quantity: float


class SetView(_Verb, frozen=True, kw_only=True, tag="view"):
    """The trader's own odds that the price rises or falls, over the horizon that the policy reads. They are weighed
    with the model's for so many seconds; 0 takes them away."""

    parent: str
    up: float = 0.0
    down: float = 0.0
    seconds: float = 60.0
    weight: float | None = None  # 0 … 1; none: the setting


class Pause(_Verb, frozen=True, kw_only=True, tag="pause"):
    """`leave` says whether its working children stay where they are; None: as the parent itself says."""

    parent: str
    leave: bool | None = None


class Resume(_Verb, frozen=True, kw_only=True, tag="resume"):
    parent: str


class CancelParent(_Verb, frozen=True, kw_only=True, tag="cancel_parent"):
    """With `leave` its working children stay, and are the trader's to pull."""

    parent: str
    leave: bool = False


class SetDial(_Verb, frozen=True, kw_only=True, tag="dial"):
    parent: str
    dial: Dial


class SetHedgeDial(_Verb, frozen=True, kw_only=True, tag="hedge_dial"):
    """How hedges of one parent's delta go, while it works and after: what it has filled is held until it expires."""

    parent: str
    dial: HedgeDial


class SetHedge(_Verb, frozen=True, kw_only=True, tag="hedge"):
    """How the whole book is hedged: what is None stays. `target` is coin of delta; `dial` speaks for what belongs to
    no parent."""

    on: bool | None = None
    dial: Dial | None = None
    target: float | None = None


class Approve(_Verb, frozen=True, kw_only=True, tag="approve"):
    """`revision` is what the trader saw. Quantity and worst price, if given, are the trader's edit, in decimals;
    the worst price may be an implied volatility instead, per cent."""

    proposal: str
    revision: int
    quantity: float | None = None
    worst: float | None = None
    worst_iv: float | None = None


class Reject(_Verb, frozen=True, kw_only=True, tag="reject"):
    proposal: str
    reason: str = ""


class SendOrder(_Verb, frozen=True, kw_only=True, tag="order"):
    """A single order by hand, from the ladder: post-only at its price, or immediate-or-cancel up to it."""

    instrument: str
    side: Side
    quantity: float
    price: float
    post_only: bool = True


class CancelChild(_Verb, frozen=True, kw_only=True, tag="cancel"):
    child: str


class EditChild(_Verb, frozen=True, kw_only=True, tag="edit_child"):
    """Give a resting order another price or size, in decimals; what is None stays. The size is the whole, the filled
    part included: a smaller one keeps the order's place in the queue, anything else loses it."""

    child: str
    quantity: float | None = None
    price: float | None = None


class Pull(_Verb, frozen=True, kw_only=True, tag="pull"):
    """Take away what works: of one side, in one instrument, or all of it. The parents concerned pause."""

    instrument: str = ""
    side: Side | None = None


class Flatten(_Verb, frozen=True, kw_only=True, tag="flatten"):
    """Pull, and close what is held, in one instrument or all."""

    instrument: str = ""


class AdoptFill(_Verb, frozen=True, kw_only=True, tag="adopt"):
    """Count a fill that was made elsewhere on the account towards a parent."""

    trade: str
    parent: str


class CancelForeign(_Verb, frozen=True, kw_only=True, tag="cancel_foreign"):
    """Cancel an open order of the account that this desk did not send, by the venue's own id."""

    order: str


class Kill(_Verb, frozen=True, kw_only=True, tag="kill"):
    """Block new orders and cancel ours, or with `account` every order of the account."""

    account: bool = False


class Rearm(_Verb, frozen=True, kw_only=True, tag="rearm"):
    reason: str


class AskLift(_Verb, frozen=True, kw_only=True, tag="ask_lift"):
    """The first step to let one order in an instrument pass one block of the risk checks: say which, and why."""

    block: str
    instrument: str
    reason: str


class GrantLift(_Verb, frozen=True, kw_only=True, tag="grant_lift"):
    """The second step, by whoever asked: the lift is good for one order, for a short time."""

    lift: str


class Unhalt(_Verb, frozen=True, kw_only=True, tag="unhalt"):
    """Try to keep what is decided again: an engine that was halted goes on once the disk has taken everything."""

    reason: str


class RearmRepeats(_Verb, frozen=True, kw_only=True, tag="rearm_repeats"):
    """An instrument that was executed too often may be traded again."""

    instrument: str
    reason: str


class PromoteModel(_Verb, frozen=True, kw_only=True, tag="promote"):
    """Make this the model that engines start with, and use it here from the next step on."""

    model: str


class RollBackModel(_Verb, frozen=True, kw_only=True, tag="rollback"):
    """Go back to the model that was promoted before the present one."""


Verb = (
    EditParent | Press | SetView | SetHedge | SetHedgeDial
    | SubmitParent | Pause | Resume | CancelParent | SetDial | Approve | Reject | SendOrder | CancelChild | Kill | Rearm
    | Pull | Flatten | AdoptFill | CancelForeign | EditChild | PromoteModel | RollBackModel | AskLift | GrantLift
    | RearmRepeats | Unhalt
)  # fmt: skip
