"""Facts of orders at the venue, of their fills, and of the leave that one may have to pass a block."""

from __future__ import annotations

from typing import Literal

from engine.domain import Side
from engine.messages.cost_facts import Mark
from engine.messages.happened import Happened


class OrderRequested(Happened, frozen=True, kw_only=True, tag="requested"):
    """An order is about to leave. `child` is its label at the venue; `call` the id of the request that carries it."""

    child: str
    call: str
    parent: str  # empty for an order by hand, and for a hedge
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
    mark: Mark | None = None
    hedge: bool = False
    reduce_only: bool = False


class OrderSent(Happened, frozen=True, kw_only=True, tag="order_sent"):
    child: str


class OrderOpened(Happened, frozen=True, kw_only=True, tag="opened"):
    child: str
    order: str
    price: int  # post-only orders may have been re-priced by the venue


class Filled(Happened, frozen=True, kw_only=True, tag="filled"):
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
    mark: Mark | None = None  # before it


class FillAdopted(Happened, frozen=True, kw_only=True, tag="adopted"):
    """A fill made elsewhere on the account counts towards a parent from now on."""

    trade: str
    parent: str
    by: str


class ForeignCancelRequested(Happened, frozen=True, kw_only=True, tag="foreign_cancel"):
    """An open order of the account that is not ours is to be cancelled: `order` is the venue's id."""

    order: str
    call: str
    by: str


OrderState = Literal["filled", "cancelled", "rejected", "lapsed"]


class OrderEnded(Happened, frozen=True, kw_only=True, tag="order_ended"):
    """Filled, cancelled, rejected by the venue, or lapsed: known never to have rested or traded there."""

    child: str
    state: OrderState
    reason: str


class CancelRequested(Happened, frozen=True, kw_only=True, tag="cancel_requested"):
    child: str
    call: str
    by: str
    reason: str


class AmendRequested(Happened, frozen=True, kw_only=True, tag="amend_requested"):
    """A resting order is to have another size or price. `quantity` is the whole, the filled part included; `call` the
    id of the request that carries it. Until it is answered either may stand at the venue: the worse counts."""

    child: str
    call: str
    by: str  # a person, or the dial that lets it go
    reason: str
    quantity: int
    price: int
    valid_until: int
    mid: float | None  # micro-price in units at the decision
    lifted: tuple[str, ...] = ()


class Amended(Happened, frozen=True, kw_only=True, tag="amended"):
    """An order stands at the venue as it says now: by our amend, or by somebody's on the venue's own page."""

    child: str
    quantity: int
    price: int  # post-only orders may have been re-priced by the venue
    at: int  # the venue's time


class AmendRefused(Happened, frozen=True, kw_only=True, tag="amend_refused"):
    """It stands as it stood before: the amend was refused, was never sent, or never arrived."""

    child: str
    reason: str


class Asked(Happened, frozen=True, kw_only=True, tag="asked"):
    """An order without an answer is asked for at the venue, by its label."""

    child: str
    call: str


class LiftAsked(Happened, frozen=True, kw_only=True, tag="lift_asked"):
    """The first of two steps: this person wants one order in this instrument to pass this block, and says why."""

    id: str
    block: str
    instrument: str
    by: str
    reason: str
    until: int


class LiftGranted(Happened, frozen=True, kw_only=True, tag="lift_granted"):
    """The second step: the next order that needs it uses it up; unused it ends at `until`."""

    id: str
    by: str
    until: int


class RepeatsTripped(Happened, frozen=True, kw_only=True, tag="repeats_tripped"):
    """One side of one instrument was executed too often: nothing more of it until a person re-arms it."""

    instrument: str
    side: Side
    count: int
    seconds: float


class RepeatsRearmed(Happened, frozen=True, kw_only=True, tag="repeats_rearmed"):
    instrument: str
    by: str
    reason: str
