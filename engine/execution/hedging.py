"""Hedges as proposals: what the book wants hedged now, as one intent that refreshes until it is answered.

On every step the book is looked at once (`hedge.py`). When its delta has left the band, a hedge is proposed, through
the very approvals, blocks and routes of any child order: the dial asks, or lets it go by itself; firing looks at book
and delta once more. At most one hedge is proposed or on its way at a time, and what is on its way counts as done, so
that no delta is hedged twice. Hedges rest at the touch first, and cross once the delta is several half-bands away.

One that has begun goes on until the delta is a little inside the band, and goes so far itself: at the very edge it
would flutter. While the desk is killed, and only where the settings allow it, a hedge may reduce a position once the
venue has confirmed the kill; the venue is told so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution import hedge, propose, risk
from engine.execution.desk import Child, Desk, Proposal
from engine.execution.exposure import Unknown
from engine.execution.hedge import Band, Standing
from engine.execution.picture import Picture, touch, walked
from engine.execution.router import cancel
from engine.execution.suspend import suspension
from engine.execution.tend import CANCEL_RETRY_NS
from engine.execution.want import Want

ROW = "hedge"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What a hedge stands on. `each` is coin of delta of one lot of the instrument."""

    stand: Standing
    instrument: Instrument
    side: Side  # of the hedge that the delta asks for
    band: Band
    each: float
    begun: bool  # a hedge is proposed or on its way
    inside: float  # share of the half-band

    @property
    def edge(self) -> float:
        """Coin away from the target within which nothing more is done."""
        return self.band.half * (1.0 - self.inside if self.begun else 1.0)


def moment_of(desk: Desk, picture: Picture) -> Moment:
    """The book and its band now. Raises Unknown."""
    stand = hedge.standing(desk, picture)
    instrument = hedge.instrument_of(desk, picture, stand)
    silence = desk.config.limits.silence_s
    if reason := suspension(desk, picture, instrument.name) or risk.unsound(picture, instrument.name, silence):
        raise Unknown(reason)
    side = Side.SELL if stand.away > 0.0 else Side.BUY
    per = hedge.delta_of(hedge.greeks_of(desk, picture, instrument.name), desk.config.hedging)
    return Moment(
        stand=stand, instrument=instrument, side=side, each=per * instrument.lot,
        band=hedge.band(desk, picture, instrument, side, stand.gamma),
        begun=bool(desk.hedge_proposal or desk.hedge_children), inside=desk.config.hedging.inside,
    )  # fmt: skip


def instrument_wanted(desk: Desk, picture: Picture) -> str:
    """The instrument whose book a hedge needs, empty where none is or none can be told."""
    try:
        return hedge.instrument_of(desk, picture, hedge.standing(desk, picture)).name
    except Unknown:
        return ""


def work(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """One step of the book's hedging."""
    begun = desk.hedge_proposal or desk.hedge_children
    if not begun and not any(desk.positions.values()):
        return
    if reason := idle(desk):
        yield from _withdrawn(desk, picture, reason)
        return
    try:
        moment = moment_of(desk, picture)
        tended = list(_tend(desk, picture, moment))
        wanted = "a hedge is on its way" if desk.hedge_children else want(desk, picture, moment)
    except Unknown as unknown:
        yield from _withdrawn(desk, picture, str(unknown))
        return
    yield from tended
    yield from _intend(desk, picture, moment, wanted)


def idle(desk: Desk) -> str:
    """Why nothing at all is hedged now, empty if it is."""
    if not hedge.terms_of(desk).on:
        return "hedging is switched off"
    return "what is held is being flattened" if desk.flattening else ""


def want(desk: Desk, picture: Picture, moment: Moment) -> Want | str:
    """The hedge that the book wants now, or in words why none. Pure."""
    instrument, side, away = moment.instrument, moment.side, abs(moment.stand.away)
    if away <= moment.edge:
        return "the delta is inside its band"
    reducing = bool(desk.killed)
    if reason := risk.closed(desk, picture, reducing):
        return reason
    quantity = _quantity(desk, moment, reducing)
    if quantity <= 0:
        return "while killed a hedge may only reduce a position, and this would not"
    cross = away > desk.config.hedging.cross_bands * moment.band.half
    worst = _worst(picture, instrument, side, quantity, cross)
    order = risk.Wanted(instrument=instrument, side=side, quantity=quantity, price=worst, post_only=not cross,
                        hedge=True, reduce_only=reducing)  # fmt: skip
    if reason := risk.blocked(desk, picture, order) or risk.price_inside(picture, order):
        return reason
    micro, tick = picture.micro(instrument.name), instrument.tick_units(worst)
    return Want(
        quantity=quantity, worst=worst, cross=cross, row=ROW, why=sentence(moment, quantity, worst),
        cost_ticks=None if micro is None else side.sign * (worst - micro) / tick, wait_ticks=None, schedule_ticks=None,
        pooled=None,
    )  # fmt: skip


def sentence(moment: Moment, quantity: int, worst: int) -> str:
    """Why, and what, as a trader would say it."""
    stand, instrument, half = moment.stand, moment.instrument, moment.band.half
    band = f"{stand.target:+.2f} ± {half:.2f}" if stand.target else f"the band of ±{half:.2f}"
    what = "the perpetual" if not instrument.expiry else instrument.name
    amount, price = instrument.amount(quantity), instrument.price(worst)
    return (
        f"Delta {stand.away + stand.target:+.2f} {instrument.coin} is outside {band}: "
        f"{moment.side} {amount:,.12g} USD of {what} at {price:,.12g} or better"
    )


def refusal(
    desk: Desk, picture: Picture, proposal: Proposal, revision: int, quantity: int, worst: int, by: str = ""
) -> str:
    """As `propose.refusal`: why approving this hedge now would be wrong, in words."""
    if reason := idle(desk):
        return reason
    if picture.now >= proposal.born.until:
        return "its time is over"
    if desk.hedge_children:
        return "a hedge is on its way already"
    try:
        moment = moment_of(desk, picture)
    except Unknown as unknown:
        return str(unknown)
    if moment.side is not proposal.born.side or abs(moment.stand.away) <= moment.edge:
        return "the delta is back inside its band"
    if quantity > max(round(abs(moment.stand.away) / moment.each), 1):
        return "it is more than brings the delta to its target"
    if proposal.born.reduce_only and quantity > _quantity(desk, moment, True):
        return "it is more than reduces the position"
    order = propose.order_now(desk, picture, proposal, quantity, worst, by)
    return (
        propose.moved_out(picture, moment.instrument, proposal.born.side, worst, proposal.cross)
        or risk.blocked(desk, picture, order)
        or risk.price_inside(picture, order)
    )


# ---------------------------------------------------------------- what is wanted


def _quantity(desk: Desk, moment: Moment, reducing: bool) -> int:
    """Lots that bring the delta a little inside the nearer edge, or to its target; one order's worth at most."""
    settings, instrument, half = desk.config.hedging, moment.instrument, moment.band.half
    left = half * (1.0 - settings.inside) if settings.back_to == "edge" else 0.0
    lots = max(round((abs(moment.stand.away) - left) / moment.each), 1)
    most = min(lots, math.floor(settings.largest_usd / instrument.lot + 1e-9), risk.largest(desk, instrument))
    if not reducing:
        return most
    held = -moment.side.sign * desk.positions.get(instrument.name, 0)
    return max(min(most, held), 0)


def _worst(picture: Picture, instrument: Instrument, side: Side, quantity: int, cross: bool) -> int:
    """As deep as taking it needs, or the own touch. Raises Unknown."""
    near, far = touch(picture, instrument, side), touch(picture, instrument, side.other)
    if near is None or far is None:
        raise Unknown(f"the book of {instrument.name} is one-sided")
    if not cross:
        return near
    deepest = walked(picture, instrument, side, quantity)
    return far if deepest is None else deepest


# ---------------------------------------------------------------- what is done


def _withdrawn(desk: Desk, picture: Picture, reason: str) -> Iterator[m.Fact]:
    """What cannot be judged is neither proposed nor left working."""
    if proposal := desk.hedge_proposal:
        yield m.Lapsed(proposal=proposal.born.id, reason=reason)
    for child in desk.hedge_children:
        if _movable(desk, picture, child):
            yield cancel(desk, child.request.child, by="hedge", reason=reason)


def _tend(desk: Desk, picture: Picture, moment: Moment) -> Iterator[m.Fact]:
    for child in desk.hedge_children:
        if _movable(desk, picture, child) and (why := _pulled(desk, picture, moment, child)):
            yield cancel(desk, child.request.child, by="hedge", reason=why)


def _movable(desk: Desk, picture: Picture, child: Child) -> bool:
    rested = picture.now - child.opened >= desk.config.execution.min_rest_s * NS
    return child.state == "open" and rested and picture.now - child.cancelling >= CANCEL_RETRY_NS


def _pulled(desk: Desk, picture: Picture, moment: Moment, child: Child) -> str:
    """Why a resting hedge should go; empty if it stays."""
    request, half = child.request, moment.band.half
    before = moment.stand.away - hedge.adds(desk, picture, child)  # without it
    needed = -request.side.sign * before
    if needed <= half * (1.0 - moment.inside):
        return "the delta is back inside its band"
    if request.side.sign * moment.stand.away > half:
        return "it is more than the delta needs by now"
    if needed > desk.config.hedging.cross_bands * half:
        return "the delta is too far out to wait: crossing instead"
    near = touch(picture, moment.instrument, request.side)
    if near is not None and request.side.sign * (near - child.price) > 0:
        return "the market moved away"
    if picture.now - child.opened > desk.config.execution.passive_ttl_s * NS:
        return "rested long enough; thinking again"
    return ""


def _intend(desk: Desk, picture: Picture, moment: Moment, wanted: Want | str) -> Iterator[m.Fact]:
    """Propose, refresh or let lapse; then fire by itself where the dial allows."""
    standing = desk.hedge_proposal
    if standing and (why := _over(picture, moment, standing, wanted)):
        yield m.Lapsed(proposal=standing.born.id, reason=why)
        return
    if isinstance(wanted, str):
        return
    if standing is None:
        if picture.now < max(desk.hedge.quiet_until, desk.hedge.asked_at + round(desk.config.hedging.pause_s * NS)):
            return
        yield _proposed(desk, picture, moment, wanted)
    elif propose.stale(desk, picture, standing, wanted):
        yield propose.refreshed(picture, None, standing, wanted)
    standing = desk.hedge_proposal
    if standing is None or not _by_itself(desk, moment, standing):
        return
    quantity, worst = standing.quantity, standing.worst
    if not refusal(desk, picture, standing, standing.revision, quantity, worst):
        yield from propose.fire(
            desk, picture, standing, by=moment.stand.dial, revision=standing.revision, quantity=quantity, worst=worst,
            edited=False,
        )  # fmt: skip


def _over(picture: Picture, moment: Moment, standing: Proposal, wanted: Want | str) -> str:
    """Why a standing intent ends without an order."""
    if isinstance(wanted, str):
        return wanted
    if picture.now >= standing.born.until:
        return "nobody answered in time"
    return "" if moment.side is standing.born.side else "the delta has changed sides"


def _by_itself(desk: Desk, moment: Moment, proposal: Proposal) -> bool:
    dial, amount = moment.stand.dial, moment.instrument.amount(proposal.quantity)
    return dial == "auto" or (dial == "semi" and amount <= desk.config.hedging.auto_usd)


def _proposed(desk: Desk, picture: Picture, moment: Moment, wanted: Want) -> m.Proposed:
    return m.Proposed(
        id=desk.next_id("R"),
        parent="",
        instrument=moment.instrument.name,
        side=moment.side,
        quantity=wanted.quantity,
        worst=wanted.worst,
        cross=wanted.cross,
        row=wanted.row,
        reason=wanted.why,
        until=picture.now + round(desk.config.execution.proposal_s * NS),
        forecast=None,
        cost_ticks=wanted.cost_ticks,
        wait_ticks=None,
        hedge=True,
        reduce_only=bool(desk.killed),
    )
