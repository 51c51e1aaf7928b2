"""Views of the desk's own things: parents, children, fills, proposals, positions, and what holds the desk back."""

from __future__ import annotations

import msgspec

from engine.domain import Side
from engine.messages.verbs import Algorithm, Baseline, Dial, HedgeDial


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    trade: str
    child: str
    instrument: str
    side: Side
    amount: float
    price: float
    fee: float
    maker: bool
    t_ms: float
    foreign: bool = False  # made elsewhere on the account, and adopted by no parent
    adopted: str = ""  # made elsewhere, and counted towards this parent


class ForeignRow(msgspec.Struct, frozen=True, kw_only=True):
    """An open order of the account that this desk did not send; `order` is the venue's id."""

    order: str
    instrument: str
    side: Side
    amount: float
    price: float
    label: str


class ChildRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    parent: str
    instrument: str
    side: Side
    amount: float
    filled: float
    price: float
    average: float | None
    post_only: bool
    state: str
    reason: str
    by: str
    t_ms: float
    ahead: float | None = None  # of others before it at its price, in the queue; None where it does not rest


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a parent asks for, as an edit would say it: sizes and prices in decimals, shares from 0 to 1. `minutes` is
    how long it had when these terms were set."""

    quantity: float
    limit: float
    minutes: float
    algorithm: Algorithm
    baseline: Baseline
    urgency: int
    min_child: float
    max_child: float
    auto_limit: float
    rate: float
    participation: float
    would: float | None
    random_time: float
    random_size: float
    leave: bool
    limit_iv: float | None = None  # per cent
    hedge: HedgeDial = "manual"


class OwnView(msgspec.Struct, frozen=True, kw_only=True):
    """The trader's own odds beside the model's, until when, and with what weight."""

    up: float
    down: float
    weight: float
    until_ms: float


class ParentRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    instrument: str
    side: Side
    amount: float
    filled: float
    working: float
    scheduled: float
    limit: float
    average: float | None
    arrival: float | None
    shortfall_ticks: float | None
    algorithm: Algorithm
    dial: Dial
    state: str
    reason: str
    start_ms: float
    end_ms: float
    user: str
    version: int = 1  # one more with each edit
    terms: Terms | None = None
    digits: int = 4
    lot: float = 0.1
    suspended: str = ""  # why nobody can trade its instrument now
    halted_until_ms: float = 0.0  # a protective row, or the venue, lets nothing new out before
    view: OwnView | None = None
    participation: float | None = None  # our share of all that has traded since it began
    eta_ms: float | None = None  # when it is done, if it goes on as since the schedule was last spread


class ProposalRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    revision: int
    parent: str
    instrument: str
    side: Side
    amount: float
    worst: float
    digits: int
    lot: float
    cross: bool
    row: str
    reason: str
    born_ms: float
    until_ms: float
    up: float | None
    cost_ticks: float | None
    wait_ticks: float | None
    schedule_ticks: float | None = None  # expected of what the schedule alone would do now
    viewed: bool = False  # the trader's own view is weighed in it
    blocked: str = ""  # the hard block that would refuse it now, in words
    block: str = ""  # its name, where a person can lift it
    mark: str = ""  # what it is other than a parent's child: "hedge"


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    size: float
    delta: float | None
    gamma: float | None
    vega: float | None
    mark: float | None


class LiftRow(msgspec.Struct, frozen=True, kw_only=True):
    """Leave for one order in an instrument to pass one block: asked for, or granted and not used yet."""

    id: str
    block: str
    instrument: str
    by: str
    reason: str
    state: str
    until_ms: float


class TrippedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One side of an instrument that was executed too often: nothing more of it until a person re-arms it."""

    instrument: str
    side: str
    reason: str


class DeskView(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="desk"):
    facts: int
    parents: tuple[ParentRow, ...]
    children: tuple[ChildRow, ...]
    fills: tuple[FillRow, ...]
    proposals: tuple[ProposalRow, ...]
    positions: tuple[PositionRow, ...]
    lifts: tuple[LiftRow, ...] = ()
    tripped: tuple[TrippedRow, ...] = ()
    foreign: tuple[ForeignRow, ...] = ()
