"""From a parent order to its next child: what is wanted now, as an intent that refreshes until it is answered.

On every step each working parent is looked at once. What it wants (size from its schedule, side of the spread and
size from the policy) becomes a proposal, or refreshes the one that stands, or lets it lapse. A proposal fires when the
trader approves it, or by itself where the parent's dial allows; firing looks at the book and the row once more, as they
are then. Approving binds at the worst price that the trader saw; a better price never refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution import limit, meeting, risk, suspend
from engine.execution.desk import Desk, Parent, Proposal, side_price
from engine.execution.left import why_left
from engine.execution.limit import bounded, limit_of
from engine.execution.pace import PATIENT, allowed, largest
from engine.execution.picture import Picture, touch, walked
from engine.execution.policy import Advice
from engine.execution.router import stop
from engine.execution.tend import moved
from engine.execution.want import Moment, Want, holds, moment_of, style_of, want


def work(desk: Desk, picture: Picture, parent: Parent) -> Iterator[m.Fact]:
    """One step of one live parent."""
    now, order = picture.now, parent.order
    if now >= order.end:
        yield from _end(desk, picture, parent)
        return
    yield from limit.hold(desk, picture, parent)
    if parent.state != "working":
        return
    yield from suspend.turn(desk, picture, parent)
    if parent.suspended or now < max(parent.halted_until, order.start):
        return
    instrument = picture.venue.instruments.get(order.instrument)
    if instrument is None:
        return
    moment = moment_of(desk, picture, parent, instrument)
    if moment.advice.halt_s:
        yield from _halt(desk, picture, parent, moment.advice)
        return
    yield from _tend(desk, picture, parent, instrument, moment)
    yield from _intend(desk, picture, parent, instrument, moment)


def refusal(
    desk: Desk, picture: Picture, proposal: Proposal, revision: int, quantity: int, worst: int, by: str = ""
) -> str:
    """Why approving this now would be wrong, in words: moved out, blocked, or the row that was seen no longer holds.
    `by` is the person who approves, empty for the dial."""
    parent = desk.parents[proposal.born.parent]
    instrument = picture.venue.instruments.get(proposal.born.instrument)
    if instrument is None:
        return f"{proposal.born.instrument} is not listed any more"
    if parent.state != "working":
        return f"the parent is {parent.state}"
    if picture.now < parent.halted_until:
        return parent.reason
    if picture.now >= min(proposal.born.until, parent.order.end):
        return "its time is over"
    if quantity > parent.remaining - desk.working(parent.order.id):
        return "it is more than the parent has left"
    if quantity > allowed(desk, picture, parent):
        return "it is more than the participation cap leaves"
    terms = bounded(picture, parent.order, instrument)
    if isinstance(terms, str):
        return terms
    if terms.side.sign * (worst - terms.limit) > 0:
        return f"its worst price is beyond the parent's limit {instrument.price(terms.limit):.12g}"
    advice = moment_of(desk, picture, parent, instrument).advice
    row = proposal.shown[revision][2]
    if advice.halt_s:
        return f"halted by the row '{advice.halt_row}'"
    if not holds(desk, parent, advice, row):
        return f"the row '{row}' no longer holds"
    if advice.passive and proposal.cross:
        return "a row lets children rest only"
    if advice.max_child is not None and quantity > instrument.contracts(advice.max_child):
        return f"the row caps a child at {advice.max_child:.12g}"
    order = order_now(desk, picture, proposal, quantity, worst, by)
    return (
        moved_out(picture, instrument, proposal.born.side, worst, proposal.cross)
        or risk.blocked(desk, picture, order)
        or risk.price_inside(picture, order)
    )


def fire(
    desk: Desk, picture: Picture, proposal: Proposal, *, by: str, revision: int, quantity: int, worst: int, edited: bool
) -> Iterator[m.Fact]:
    """Approve and request. The order leaves at the price needed now, never beyond `worst`; ask `refusal` first."""
    born = proposal.born
    person = "" if by in ("semi", "auto") else by
    order = order_now(desk, picture, proposal, quantity, worst, person)
    yield m.Approved(proposal=born.id, revision=revision, by=by, quantity=quantity, worst=worst, edited=edited)
    yield request(desk, picture, order, parent=born.parent, proposal=born.id, by=by)


def order_now(desk: Desk, picture: Picture, proposal: Proposal, quantity: int, worst: int, by: str = "") -> risk.Wanted:
    """The order that approving would send, at the price needed now."""
    instrument, side = picture.venue.instruments[proposal.born.instrument], proposal.born.side
    inside = style_of(desk, desk.parents.get(proposal.born.parent), proposal.row) == "weigh"
    price = _price_now(picture, instrument, side, quantity, worst, proposal.cross, inside)
    return risk.Wanted(instrument=instrument, side=side, quantity=quantity, price=price, post_only=not proposal.cross,
                       parent=proposal.born.parent, by=by, hedge=proposal.born.hedge,
                       reduce_only=proposal.born.reduce_only)  # fmt: skip


def request(
    desk: Desk, picture: Picture, order: risk.Wanted, *, parent: str, proposal: str, by: str
) -> m.OrderRequested:
    """The fact that an order is about to leave; the effect is made of it."""
    n = desk.facts + 1
    return m.OrderRequested(
        child=f"{desk.tag}-{n}",
        call=f"order-{n}",
        parent=parent,
        proposal=proposal,
        by=by,
        instrument=order.instrument.name,
        side=order.side,
        quantity=order.quantity,
        price=order.price,
        post_only=order.post_only,
        valid_until=picture.now + round(desk.config.execution.order_ttl_s * NS),
        mid=picture.micro(order.instrument.name),
        lifted=risk.lifted(desk, picture, order),
        hedge=order.hedge,
        reduce_only=order.reduce_only,
    )


def _end(desk: Desk, picture: Picture, parent: Parent) -> Iterator[m.Fact]:
    reason = "its time is over"
    yield from stop(desk, parent, by="schedule", reason=reason)
    if not desk.children_of(parent.order.id):
        why = why_left(desk, picture, parent)
        yield m.ParentEnded(parent=parent.order.id, outcome="expired", by="schedule", reason=why)


def _halt(desk: Desk, picture: Picture, parent: Parent, advice: Advice) -> Iterator[m.Fact]:
    """Working children are pulled or left, as the parent says; after several halts the trader is asked."""
    reason, most = f"halted by the row '{advice.halt_row}'", desk.config.execution.halts_before_asking
    yield from stop(desk, parent, by="policy", reason=reason, leave=parent.order.leave)
    yield m.ParentHalted(parent=parent.order.id, row=advice.halt_row, until=picture.now + round(advice.halt_s * NS))
    if parent.halts >= most > 0:
        yield from stop(desk, parent, by="policy", reason=reason)
        why = f"halted {parent.halts} times, last by the row '{advice.halt_row}': resume it when you like"
        yield m.ParentPaused(parent=parent.order.id, by="policy", reason=why)


def _tend(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, moment: Moment) -> Iterator[m.Fact]:
    """Pull resting children that could stand better, or whose place a crossing child needs and can take."""
    order, advice, cap = parent.order, moment.advice, limit_of(picture, parent.order, instrument)
    far, crossing = touch(picture, instrument, order.side.other), ""
    reached = far is not None and cap is not None and order.side.sign * (cap - far) >= 0
    if moment.impatient(desk) and reached:
        why = f"the row '{advice.row}' crosses" if advice.style == "cross" else "too late to wait: crossing"
        crossing = f"{why} instead"
    if advice.style in PATIENT and allowed(desk, picture, parent) > 0:
        crossing = ""  # there are lots enough beside those that rest
    for child in desk.children_of(parent.order.id):
        most = largest(desk, parent, instrument, advice)
        if fact := moved(desk, picture, parent, child, instrument, crossing, advice.style != "wait", most):
            yield fact


def _intend(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, moment: Moment) -> Iterator[m.Fact]:
    """Propose, refresh or let lapse; then fire by itself where the dial allows."""
    wanted = want(desk, picture, parent, instrument, moment)
    standing = desk.proposal_of(parent.order.id)
    if isinstance(wanted, str):
        if standing:
            yield m.Lapsed(proposal=standing.born.id, reason=wanted)
        yield from meeting.make_way(desk, picture, parent, instrument, moment)
        return
    if standing and picture.now >= standing.born.until:
        yield m.Lapsed(proposal=standing.born.id, reason="nobody answered in time", rebased=picture.now)
        return
    if standing is None and picture.now < parent.quiet_until:
        return
    if standing is None:
        yield _proposed(desk, picture, parent, wanted)
    elif stale(desk, picture, standing, wanted):
        yield refreshed(picture, parent, standing, wanted)
    standing = desk.proposal_of(parent.order.id)
    if standing is None or not parent.by_itself(standing.quantity):
        return
    quantity, worst = standing.quantity, standing.worst
    if not refusal(desk, picture, standing, standing.revision, quantity, worst):
        yield from fire(
            desk, picture, standing, by=parent.dial, revision=standing.revision, quantity=quantity, worst=worst,
            edited=False,
        )  # fmt: skip


def _proposed(desk: Desk, picture: Picture, parent: Parent, wanted: Want) -> m.Proposed:
    return m.Proposed(
        id=desk.next_id("R"),
        parent=parent.order.id,
        instrument=parent.order.instrument,
        side=parent.order.side,
        quantity=wanted.quantity,
        worst=wanted.worst,
        cross=wanted.cross,
        row=wanted.row,
        reason=wanted.why,
        until=picture.now + round(desk.config.execution.proposal_s * NS),
        forecast=picture.forecasts.get(parent.order.instrument),
        cost_ticks=wanted.cost_ticks,
        wait_ticks=wanted.wait_ticks,
        schedule_ticks=wanted.schedule_ticks,
        view=parent.view if wanted.pooled else None,
        pooled=wanted.pooled,
    )


def refreshed(picture: Picture, parent: Parent | None, standing: Proposal, wanted: Want) -> m.Refreshed:
    """The next revision of an intent; a hedge's has no parent and reads no forecast."""
    return m.Refreshed(
        proposal=standing.born.id,
        revision=standing.revision + 1,
        quantity=wanted.quantity,
        worst=wanted.worst,
        cross=wanted.cross,
        row=wanted.row,
        reason=wanted.why,
        forecast=picture.forecasts.get(standing.born.instrument) if parent else None,
        cost_ticks=wanted.cost_ticks,
        wait_ticks=wanted.wait_ticks,
        schedule_ticks=wanted.schedule_ticks,
        view=parent.view if parent and wanted.pooled else None,
        pooled=wanted.pooled,
    )


def stale(desk: Desk, picture: Picture, standing: Proposal, wanted: Want) -> bool:
    """Whether an intent is another by now, and was last refreshed long enough ago."""
    changed = (standing.quantity, standing.worst, standing.cross, standing.row) != (
        wanted.quantity, wanted.worst, wanted.cross, wanted.row,
    )  # fmt: skip
    return changed and picture.now - standing.refreshed >= desk.config.execution.refresh_ms * NS / 1000


def _price_now(
    picture: Picture, instrument: Instrument, side: Side, quantity: int, worst: int, cross: bool, inside: bool
) -> int:
    """What it needs now, within the worst price. One that rests `inside` the spread stays there while it is inside."""
    if not cross:
        near, far = touch(picture, instrument, side), touch(picture, instrument, side.other)
        if inside and far is not None and side.sign * (far - worst) > 0:
            return worst
        return worst if near is None else side_price(side, near, worst)
    deepest = walked(picture, instrument, side, quantity)
    return worst if deepest is None else side_price(side, deepest, worst)


def moved_out(picture: Picture, instrument: Instrument, side: Side, worst: int, cross: bool) -> str:
    """A crossing intent needs the far touch inside its worst price."""
    far = touch(picture, instrument, side.other)
    if not cross or far is None or side.sign * (far - worst) <= 0:
        return ""
    what = "ask" if side is Side.BUY else "bid"
    return f"moved out: the {what} is {instrument.price(far):.12g}, beyond your worst {instrument.price(worst):.12g}"
