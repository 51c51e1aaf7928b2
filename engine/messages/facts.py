"""Facts: what was decided or learned, kept in the journal. Here stand those of the whole desk, and the union."""

from __future__ import annotations

from typing import Literal

from engine.config import Config
from engine.messages.cost_facts import MarkedOut, MarketSeen
from engine.messages.flatten_facts import FlattenAsked, FlattenEnded
from engine.messages.happened import Happened
from engine.messages.hedge_facts import HedgeRested, HedgeSet, ParentHedgeSet
from engine.messages.order_facts import (
    Amended,
    AmendRefused,
    AmendRequested,
    Asked,
    CancelRequested,
    FillAdopted,
    Filled,
    ForeignCancelRequested,
    LiftAsked,
    LiftGranted,
    OrderEnded,
    OrderOpened,
    OrderRequested,
    OrderSent,
    RepeatsRearmed,
    RepeatsTripped,
)
from engine.messages.parent_facts import (
    Approved,
    DialSet,
    Lapsed,
    ParentAccepted,
    ParentEdited,
    ParentEnded,
    ParentHalted,
    ParentPaused,
    ParentRested,
    ParentResumed,
    ParentSuspended,
    Proposed,
    Refreshed,
    Rejected,
    ViewSet,
)


class Began(Happened, frozen=True, kw_only=True, tag="began"):
    """An engine took up the desk; whatever was running is paused until reconciled and resumed."""

    session: str
    config: Config
    code: str
    model: str


class EpochBegan(Happened, frozen=True, kw_only=True, tag="epoch"):
    """The venue's account began anew (a paper venue restarted): earlier orders and positions are gone there."""

    epoch: str
    first: bool = False  # the first one this desk has heard of: nothing was lost by it


class Refused(Happened, frozen=True, kw_only=True, tag="refused"):
    """`block` names the hard block that refused it, where a person can lift it once or, of "repeats", re-arm it."""

    command: str
    user: str
    reason: str
    block: str = ""


class Killed(Happened, frozen=True, kw_only=True, tag="killed"):
    """New orders are blocked from here on, until an admin re-arms."""

    by: str
    account: bool


class KillAsked(Happened, frozen=True, kw_only=True, tag="kill_asked"):
    """Everything that works is cancelled and the venue asked what is open; again until it answers: nothing."""

    call: str


class KillConfirmed(Happened, frozen=True, kw_only=True, tag="kill_confirmed"):
    """The venue says that none is open. `took` is from the press, ns; `delta` is the coin delta left."""

    took: int
    delta: float


class ModelAsked(Happened, frozen=True, kw_only=True, tag="model_asked"):
    """Somebody wants another model; without an id the one before the present."""

    model: str
    by: str


class ModelChanged(Happened, frozen=True, kw_only=True, tag="model"):
    """Forecasts come from this model now, which begins cold."""

    model: str


class ModelRefused(Happened, frozen=True, kw_only=True, tag="model_refused"):
    model: str
    reason: str


class UnhaltAsked(Happened, frozen=True, kw_only=True, tag="unhalt_asked"):
    by: str
    reason: str


class Unhalted(Happened, frozen=True, kw_only=True, tag="unhalted"):
    """Everything decided is kept again; parents wait for the trader."""


class Rearmed(Happened, frozen=True, kw_only=True, tag="rearmed"):
    by: str
    reason: str


class Reconciling(Happened, frozen=True, kw_only=True, tag="reconciling"):
    """Nothing new goes out until `Reconciled`. `call` begins the ids of the questions put to the venue; empty while
    the link is down and nobody can be asked. `since` is the time from which fills are asked for, where an earlier
    answer did not hold them all; 0: from a minute before the last one known."""

    reason: str
    call: str
    since: int = 0


class Checked(Happened, frozen=True, kw_only=True, tag="checked"):
    """A step of a reconciliation is behind us: fills taken in, open orders taken in, every child accounted for."""

    what: Literal["trades", "orders", "children"]
    differences: tuple[str, ...] = ()


class Reconciled(Happened, frozen=True, kw_only=True, tag="reconciled"):
    differences: tuple[str, ...]


class PositionSet(Happened, frozen=True, kw_only=True, tag="position"):
    """A position as the venue states it, where ours differed. `size` is lots, signed."""

    instrument: str
    size: int
    reason: str


Fact = (
    Began | EpochBegan | Refused | ParentAccepted | ParentPaused | ParentResumed | ParentHalted | DialSet
    | ParentEdited | ViewSet
    | ParentEnded | Proposed | Refreshed | Approved | Rejected | Lapsed | OrderRequested | OrderSent | OrderOpened
    | Filled | OrderEnded | CancelRequested | Asked | Killed | KillAsked | KillConfirmed | Rearmed | Reconciling
    | AmendRequested | Amended | AmendRefused
    | Checked | Reconciled | PositionSet | ModelAsked | ModelChanged | ModelRefused | LiftAsked | LiftGranted
    | RepeatsTripped | RepeatsRearmed | ParentRested | ParentSuspended | UnhaltAsked | Unhalted
    | MarketSeen | MarkedOut | FlattenAsked | FlattenEnded | FillAdopted | ForeignCancelRequested
    | HedgeSet | ParentHedgeSet | HedgeRested
)  # fmt: skip
