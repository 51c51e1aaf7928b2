"""Facts: what was decided or learned, kept in the journal; and effects, which a shell performs because of them.

A fact has its own number, a time and the number of the input that caused it. An effect's `after` names the fact
that must be durable before it leaves; 0 means at once.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.config import Config, Row
from engine.domain import Side
from engine.messages.inputs import Algorithm, Baseline, Dial, Forecast, Odds, TraderView


class _Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
    n: int = 0
    t: int = 0
    cause: int = 0


class Began(_Fact, frozen=True, kw_only=True, tag="began"):
    """An engine took up the desk; whatever was running is paused until reconciled and resumed."""

    session: str
    config: Config
    code: str
    model: str


class EpochBegan(_Fact, frozen=True, kw_only=True, tag="epoch"):
    """The venue's account began anew (a paper venue restarted): earlier orders and positions are gone there."""

    epoch: str
    first: bool = False  # the first one this desk has heard of: nothing was lost by it


class Refused(_Fact, frozen=True, kw_only=True, tag="refused"):
    command: str
    user: str
    reason: str


class ParentAccepted(_Fact, frozen=True, kw_only=True, tag="parent"):
    id: str
    user: str
    instrument: str
    side: Side
    quantity: int  # lots
    limit: int  # units
    start: int
    end: int
    algorithm: Algorithm
    urgency: int
    min_child: int  # lots
    max_child: int  # lots
    dial: Dial
    auto_limit: int  # lots
    arrival: float | None  # micro-price in units when it was accepted
    leave: bool = False  # working children are left where they are when it pauses or halts, not pulled
    baseline: Baseline = "twap"
    rate: float = 0.0
    participation: float = 0.0
    would: int | None = None  # units
    random_time: float = 0.0
    random_size: float = 0.0
    seed: int = 0  # of its randomness
    kappa: float = 0.0  # of Almgren–Chriss, per second, from the forecasts and the surface as they were
    policy: tuple[Row, ...] | None = None


class ParentEdited(_Fact, frozen=True, kw_only=True, tag="edited"):
    """The order as it is from now on: what is left of it is spread anew."""

    parent: str
    by: str
    version: int
    order: ParentAccepted


class ViewSet(_Fact, frozen=True, kw_only=True, tag="view"):
    parent: str
    by: str
    view: TraderView | None


class ParentPaused(_Fact, frozen=True, kw_only=True, tag="paused"):
    parent: str
    by: str
    reason: str


class ParentResumed(_Fact, frozen=True, kw_only=True, tag="resumed"):
    """`rebased` is the time from which the rest of the quantity is spread anew."""

    parent: str
    by: str
    rebased: int


class ParentHalted(_Fact, frozen=True, kw_only=True, tag="halted"):
    """A protective row halts children until `until`."""

    parent: str
    row: str
    until: int


class ParentRested(_Fact, frozen=True, kw_only=True, tag="rested"):
    """The venue refused a child for now: nothing new is proposed before `until`."""

    parent: str
    until: int
    reason: str


class DialSet(_Fact, frozen=True, kw_only=True, tag="dial"):
    parent: str
    by: str
    dial: Dial


class ParentEnded(_Fact, frozen=True, kw_only=True, tag="parent_ended"):
    parent: str
    outcome: Literal["done", "cancelled", "expired"]
    by: str


class Proposed(_Fact, frozen=True, kw_only=True, tag="proposed"):
    """A child order wanted: an intent with the numbers it stands on. `worst` bounds the price, in units."""

    id: str
    parent: str
    instrument: str
    side: Side
    quantity: int
    worst: int
    cross: bool
    row: str
    reason: str
    until: int
    forecast: Forecast | None
    cost_ticks: float | None  # expected, now, against the micro-price
    wait_ticks: float | None  # expected if it waits
    schedule_ticks: float | None = None  # expected of what the schedule alone would do now
    view: TraderView | None = None  # the trader's own, where it was weighed with the model's
    pooled: Odds | None = None  # what came of that


class Refreshed(_Fact, frozen=True, kw_only=True, tag="refreshed"):
    proposal: str
    revision: int
    quantity: int
    worst: int
    cross: bool
    row: str
    reason: str
    forecast: Forecast | None
    cost_ticks: float | None
    wait_ticks: float | None
    schedule_ticks: float | None = None
    view: TraderView | None = None
    pooled: Odds | None = None


class Approved(_Fact, frozen=True, kw_only=True, tag="approved"):
    proposal: str
    revision: int
    by: str
    quantity: int
    worst: int
    edited: bool


class Rejected(_Fact, frozen=True, kw_only=True, tag="rejected"):
    """The trader says no. The parent proposes nothing before `quiet_until`, and spreads the rest from then on."""

    proposal: str
    by: str
    reason: str
    quiet_until: int = 0


class Lapsed(_Fact, frozen=True, kw_only=True, tag="lapsed"):
    """A proposal ended without an order: its time ran out, its row no longer holds, or its parent stopped. `rebased`
    is the time from which the rest is spread anew, where nobody answered; 0 leaves the schedule as it is."""

    proposal: str
    reason: str
    rebased: int = 0


class OrderRequested(_Fact, frozen=True, kw_only=True, tag="requested"):
    """An order is about to leave. `child` is its label at the venue; `call` the id of the request that carries it."""

    child: str
    call: str
    parent: str  # empty for an order by hand
    proposal: str
    by: str
    instrument: str
    side: Side
    quantity: int
    price: int
    post_only: bool
    valid_until: int
    mid: float | None  # micro-price in units at the decision
    lifted: tuple[str, ...] = ()  # the lifts that it needed, used up by it


class OrderSent(_Fact, frozen=True, kw_only=True, tag="order_sent"):
    child: str


class OrderOpened(_Fact, frozen=True, kw_only=True, tag="opened"):
    child: str
    order: str
    price: int  # post-only orders may have been re-priced by the venue


class Filled(_Fact, frozen=True, kw_only=True, tag="filled"):
    """A fill of ours, once per venue trade id. `fee` is coin; `child` is empty for a fill made elsewhere."""

    trade: str
    child: str
    instrument: str
    side: Side
    quantity: int
    price: int
    fee: float
    maker: bool
    at: int  # the venue's time


OrderState = Literal["filled", "cancelled", "rejected", "lapsed"]


class OrderEnded(_Fact, frozen=True, kw_only=True, tag="order_ended"):
    """Filled, cancelled, rejected by the venue, or lapsed: known never to have rested or traded there."""

    child: str
    state: OrderState
    reason: str


class CancelRequested(_Fact, frozen=True, kw_only=True, tag="cancel_requested"):
    child: str
    call: str
    by: str
    reason: str


class Asked(_Fact, frozen=True, kw_only=True, tag="asked"):
    """An order without an answer is asked for at the venue, by its label."""

    child: str
    call: str


class Killed(_Fact, frozen=True, kw_only=True, tag="killed"):
    """New orders are blocked from here on, until an admin re-arms."""

    by: str
    account: bool


class KillAsked(_Fact, frozen=True, kw_only=True, tag="kill_asked"):
    """Everything that works is cancelled and the venue asked what is open; again until it answers: nothing."""

    call: str


class KillConfirmed(_Fact, frozen=True, kw_only=True, tag="kill_confirmed"):
    """The venue says that none is open. `took` is from the press, ns; `delta` is the coin delta left."""

    took: int
    delta: float


class ModelAsked(_Fact, frozen=True, kw_only=True, tag="model_asked"):
    """Somebody wants another model; without an id the one before the present."""

    model: str
    by: str


class ModelChanged(_Fact, frozen=True, kw_only=True, tag="model"):
    """Forecasts come from this model now, which begins cold."""

    model: str


class ModelRefused(_Fact, frozen=True, kw_only=True, tag="model_refused"):
    model: str
    reason: str


class LiftAsked(_Fact, frozen=True, kw_only=True, tag="lift_asked"):
    """The first of two steps: this person wants one order in this instrument to pass this block, and says why."""

    id: str
    block: str
    instrument: str
    by: str
    reason: str
    until: int


class LiftGranted(_Fact, frozen=True, kw_only=True, tag="lift_granted"):
    """The second step: the next order that needs it uses it up; unused it ends at `until`."""

    id: str
    by: str
    until: int


class RepeatsTripped(_Fact, frozen=True, kw_only=True, tag="repeats_tripped"):
    """One side of one instrument was executed too often: nothing more of it until a person re-arms it."""

    instrument: str
    side: Side
    count: int
    seconds: float


class RepeatsRearmed(_Fact, frozen=True, kw_only=True, tag="repeats_rearmed"):
    instrument: str
    by: str
    reason: str


class UnhaltAsked(_Fact, frozen=True, kw_only=True, tag="unhalt_asked"):
    by: str
    reason: str


class Unhalted(_Fact, frozen=True, kw_only=True, tag="unhalted"):
    """Everything decided is kept again; parents wait for the trader."""


class Rearmed(_Fact, frozen=True, kw_only=True, tag="rearmed"):
    by: str
    reason: str


class Reconciling(_Fact, frozen=True, kw_only=True, tag="reconciling"):
    """Nothing new goes out until `Reconciled`. `call` begins the ids of the questions put to the venue; empty while
    the link is down and nobody can be asked. `since` is the time from which fills are asked for, where an earlier
    answer did not hold them all; 0: from a minute before the last one known."""

    reason: str
    call: str
    since: int = 0


class Checked(_Fact, frozen=True, kw_only=True, tag="checked"):
    """A step of a reconciliation is behind us: fills taken in, open orders taken in, every child accounted for."""

    what: Literal["trades", "orders", "children"]
    differences: tuple[str, ...] = ()


class Reconciled(_Fact, frozen=True, kw_only=True, tag="reconciled"):
    differences: tuple[str, ...]


class PositionSet(_Fact, frozen=True, kw_only=True, tag="position"):
    """A position as the venue states it, where ours differed. `size` is lots, signed."""

    instrument: str
    size: int
    reason: str


Fact = (
    Began | EpochBegan | Refused | ParentAccepted | ParentPaused | ParentResumed | ParentHalted | DialSet
    | ParentEdited | ViewSet
    | ParentEnded | Proposed | Refreshed | Approved | Rejected | Lapsed | OrderRequested | OrderSent | OrderOpened
    | Filled | OrderEnded | CancelRequested | Asked | Killed | KillAsked | KillConfirmed | Rearmed | Reconciling
    | Checked | Reconciled | PositionSet | ModelAsked | ModelChanged | ModelRefused | LiftAsked | LiftGranted
    | RepeatsTripped | RepeatsRearmed | ParentRested | UnhaltAsked | Unhalted
)  # fmt: skip


class Call(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="call"):
    """A request to the venue. `child` names the order it would create; it is looked at once more on release."""

    id: str
    method: str
    params: dict[str, Any]
    after: int = 0
    child: str = ""


class Hangup(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="hangup"):
    """Close the connection and make a new one: the venue says things that cannot be."""

    reason: str


class FetchModel(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="model"):
    """Make a model the champion, an empty id the one before, and come back with a `ModelSwap`."""

    model: str
    by: str


class Mend(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="mend"):
    """Try to keep facts and inputs again; come back with `Mended`, or with `Halted`."""


Effect = Call | Hangup | FetchModel | Mend
