"""Facts of parents and of the proposals they make: what a trader wants done, and each intent to do some of it."""

from __future__ import annotations

from typing import Literal

from engine.config import Row
from engine.domain import Side
from engine.messages.cost_facts import Mark
from engine.messages.happened import Happened
from engine.messages.inputs import Forecast, Odds, TraderView
from engine.messages.verbs import Algorithm, Baseline, Dial, HedgeDial


class ParentAccepted(Happened, frozen=True, kw_only=True, tag="parent"):
    id: str
    user: str
    instrument: str
    side: Side
    quantity: int  # lots
    limit: int  # units; 0: none but `limit_iv`
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
    mark: Mark | None = None
    hedge: HedgeDial = "manual"
    limit_iv: float | None = None  # per cent


class ParentEdited(Happened, frozen=True, kw_only=True, tag="edited"):
    """The order as it is from now on: what is left of it is spread anew."""

    parent: str
    by: str
    version: int
    order: ParentAccepted


class ViewSet(Happened, frozen=True, kw_only=True, tag="view"):
    parent: str
    by: str
    view: TraderView | None


class ParentPaused(Happened, frozen=True, kw_only=True, tag="paused"):
    parent: str
    by: str
    reason: str


class ParentResumed(Happened, frozen=True, kw_only=True, tag="resumed"):
    """`rebased` is the time from which the rest of the quantity is spread anew."""

    parent: str
    by: str
    rebased: int


class ParentHalted(Happened, frozen=True, kw_only=True, tag="halted"):
    """A protective row halts children until `until`."""

    parent: str
    row: str
    until: int


class ParentRested(Happened, frozen=True, kw_only=True, tag="rested"):
    """The venue refused a child for now: nothing new is proposed before `until`."""

    parent: str
    until: int
    reason: str


class ParentSuspended(Happened, frozen=True, kw_only=True, tag="suspended"):
    """Nobody can trade its instrument now: nothing new is proposed until the market has it resumed."""

    parent: str
    reason: str


class DialSet(Happened, frozen=True, kw_only=True, tag="dial"):
    parent: str
    by: str
    dial: Dial


class ParentEnded(Happened, frozen=True, kw_only=True, tag="parent_ended"):
    parent: str
    outcome: Literal["done", "cancelled", "expired"]
    by: str
    mark: Mark | None = None
    reason: str = ""  # of one that expired: what held the rest back


class Proposed(Happened, frozen=True, kw_only=True, tag="proposed"):
    """A child order wanted: an intent with the numbers it stands on. `worst` bounds the price, in units. A hedge of the
    book has no parent."""

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
    mark: Mark | None = None
    hedge: bool = False
    reduce_only: bool = False  # of a hedge while the desk is killed


class Refreshed(Happened, frozen=True, kw_only=True, tag="refreshed"):
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


class Approved(Happened, frozen=True, kw_only=True, tag="approved"):
    proposal: str
    revision: int
    by: str
    quantity: int
    worst: int
    edited: bool
    mark: Mark | None = None


class Rejected(Happened, frozen=True, kw_only=True, tag="rejected"):
    """The trader says no. The parent proposes nothing before `quiet_until`, and spreads the rest from then on."""

    proposal: str
    by: str
    reason: str
    quiet_until: int = 0
    mark: Mark | None = None


class Lapsed(Happened, frozen=True, kw_only=True, tag="lapsed"):
    """A proposal ended without an order: its time ran out, its row no longer holds, or its parent stopped. `rebased`
    is the time from which the rest is spread anew, where nobody answered; 0 leaves the schedule as it is."""

    proposal: str
    reason: str
    rebased: int = 0
    mark: Mark | None = None
