"""From a parent order to its next child: what is wanted now, as an intent that refreshes until it is answered.

On every step each working parent is looked at once. What it wants (size from its schedule, side of the spread and
size from the policy) becomes a proposal, or refreshes the one that stands, or lets it lapse. A proposal fires when the
trader approves it, or by itself where the parent's dial allows; firing looks at the book and the row once more, as they
are then. Approving binds at the worst price that the trader saw; a better price never refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution import policy, risk
from engine.execution.desk import Desk, Parent, Proposal, side_price
from engine.execution.picture import Picture, touch, walked
from engine.execution.router import cancel, stop
from engine.execution.schedule import child as child_size
from engine.execution.schedule import planned

MIN_REST_NS = NS  # a resting child is not moved sooner than this
CANCEL_RETRY_NS = 2 * NS


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a parent stands: the lots that are due, how far it lags behind as a share of itself beyond the half child
    that the staircase allows, and whether it may be patient no longer."""

    due: int
    lag: float
    closing: bool
    late: bool


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A child that the parent wants now. `lots` and `units` inside; `why` is said to the trader."""

    quantity: int
    worst: int
    cross: bool
    row: str
    why: str
    cost_ticks: float | None
    wait_ticks: float | None


def work(desk: Desk, picture: Picture, parent: Parent) -> Iterator[m.Fact]:
    """One step of one live parent."""
    now, order = picture.now, parent.order
    if now >= order.end:
        yield from _end(desk, parent)
        return
    if parent.state != "working" or now < parent.halted_until:
        return
    instrument = picture.venue.instruments.get(order.instrument)
    if instrument is None:
        return
    advice = _advice(desk, picture, parent, instrument)
    if advice.halt_s:
        yield from _halt(desk, picture, parent, advice)
        return
    yield from _tend(desk, picture, parent, instrument, advice)
    yield from _intend(desk, picture, parent, instrument, advice)


def want(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, advice: policy.Advice) -> Want | str:
    """What the parent wants now, or in words why nothing. Pure."""
    order = parent.order
    blocked = risk.closed(desk, picture) or risk.unsound(picture, instrument.name, desk.config.limits.silence_s)
    if blocked:
        return blocked
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    if bid is None or ask is None:
        return "the book is one-sided"
    pace = _pace(desk, picture, parent, instrument)
    quantity = _quantity(desk, parent, instrument, advice, pace.due)
    if quantity <= 0:
        return "on schedule"
    cross = _impatient(advice, pace)
    worst = _worst(picture, instrument, order, quantity, cross, advice.action.style, bid, ask)
    far = ask if order.side is Side.BUY else bid
    crosses = order.side.sign * (worst - far) >= 0
    if cross and not crosses:
        cross = False  # the limit does not reach the far side: rest at the limit
    wanted = risk.Wanted(instrument=instrument, side=order.side, quantity=quantity, price=worst, post_only=not cross)
    if reason := risk.blocked(desk, picture, wanted) or risk.price_inside(picture, wanted):
        return reason
    cost, wait = _costs(picture, instrument, order.side, worst, cross)
    return Want(
        quantity=quantity, worst=worst, cross=cross, row=advice.row, cost_ticks=cost, wait_ticks=wait,
        why=_sentence(picture, instrument, order, advice, quantity, worst, cross, pace),
    )  # fmt: skip


def refusal(desk: Desk, picture: Picture, proposal: Proposal, revision: int, quantity: int, worst: int) -> str:
    """Why approving this now would be wrong, in words: moved out, blocked, or the row that was seen no longer holds."""
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
    if proposal.born.side.sign * (worst - parent.order.limit) > 0:
        return f"its worst price is beyond the parent's limit {instrument.price(parent.order.limit):.12g}"
    advice = _advice(desk, picture, parent, instrument)
    row = proposal.shown[revision][2]
    if advice.halt_s:
        return f"halted by the row '{advice.halt_row}'"
    if advice.row != row:
        return f"the row '{row}' no longer holds"
    if advice.max_child is not None and quantity > instrument.contracts(advice.max_child):
        return f"the row caps a child at {advice.max_child:.12g}"
    order = _order_now(picture, proposal, quantity, worst)
    return (
        _moved_out(picture, instrument, proposal.born.side, worst, proposal.cross)
        or risk.blocked(desk, picture, order)
        or risk.price_inside(picture, order)
    )


def fire(
    desk: Desk, picture: Picture, proposal: Proposal, *, by: str, revision: int, quantity: int, worst: int, edited: bool
) -> Iterator[m.Fact]:
    """Approve and request. The order leaves at the price needed now, never beyond `worst`; ask `refusal` first."""
    born = proposal.born
    order = _order_now(picture, proposal, quantity, worst)
    yield m.Approved(proposal=born.id, revision=revision, by=by, quantity=quantity, worst=worst, edited=edited)
    yield request(desk, picture, order, parent=born.parent, proposal=born.id, by=by)


def _order_now(picture: Picture, proposal: Proposal, quantity: int, worst: int) -> risk.Wanted:
    instrument, side = picture.venue.instruments[proposal.born.instrument], proposal.born.side
    price = _price_now(picture, instrument, side, quantity, worst, proposal.cross)
    return risk.Wanted(instrument=instrument, side=side, quantity=quantity, price=price, post_only=not proposal.cross)


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
    )


def _advice(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument) -> policy.Advice:
    rows = desk.config.policy if parent.order.algorithm == "adaptive" else ()
    return policy.advise(rows, policy.readings(picture, instrument, parent.order.side))


def _end(desk: Desk, parent: Parent) -> Iterator[m.Fact]:
    reason = "its time is over"
    yield from stop(desk, parent, by="schedule", reason=reason)
    if not desk.children_of(parent.order.id):
        yield m.ParentEnded(parent=parent.order.id, outcome="expired", by="schedule")


def _halt(desk: Desk, picture: Picture, parent: Parent, advice: policy.Advice) -> Iterator[m.Fact]:
    yield from stop(desk, parent, by="policy", reason=f"halted by the row '{advice.halt_row}'")
    yield m.ParentHalted(parent=parent.order.id, row=advice.halt_row, until=picture.now + round(advice.halt_s * NS))


def _tend(
    desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, advice: policy.Advice
) -> Iterator[m.Fact]:
    """Pull resting children that could stand better, or whose place a crossing child needs and can take."""
    order = parent.order
    near, far = touch(picture, instrument, order.side), touch(picture, instrument, order.side.other)
    pace = _pace(desk, picture, parent, instrument)
    crossing = _impatient(advice, pace) and far is not None and order.side.sign * (order.limit - far) >= 0
    for child in desk.children_of(parent.order.id):
        age = picture.now - child.opened
        if child.state != "open" or age < MIN_REST_NS or picture.now - child.cancelling < CANCEL_RETRY_NS:
            continue
        left = near is not None and order.side.sign * (side_price(order.side, near, order.limit) - child.price) > 0
        if crossing:
            why = f"the row '{advice.row}' crosses" if advice.action.style == "cross" else "too late to wait: crossing"
            yield cancel(desk, child.request.child, by="policy", reason=f"{why} instead")
        elif left and advice.action.style != "wait":
            yield cancel(desk, child.request.child, by="policy", reason="the market moved away")
        elif age > desk.config.execution.passive_ttl_s * NS:
            yield cancel(desk, child.request.child, by="policy", reason="rested long enough; thinking again")


def _intend(
    desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, advice: policy.Advice
) -> Iterator[m.Fact]:
    """Propose, refresh or let lapse; then fire by itself where the dial allows."""
    wanted = want(desk, picture, parent, instrument, advice)
    standing = desk.proposal_of(parent.order.id)
    if isinstance(wanted, str):
        if standing:
            yield m.Lapsed(proposal=standing.born.id, reason=wanted)
        return
    if standing and picture.now >= standing.born.until:
        yield m.Lapsed(proposal=standing.born.id, reason="nobody answered in time", rebased=picture.now)
        return
    if standing is None and picture.now < parent.quiet_until:
        return
    if standing is None:
        yield _proposed(desk, picture, parent, wanted)
    elif _stale(desk, picture, standing, wanted):
        yield _refreshed(picture, standing, wanted)
    standing = desk.proposal_of(parent.order.id)
    if standing is None or not _by_itself(parent, standing):
        return
    quantity, worst = standing.quantity, standing.worst
    if not refusal(desk, picture, standing, standing.revision, quantity, worst):
        yield from fire(
            desk, picture, standing, by=parent.dial, revision=standing.revision, quantity=quantity, worst=worst,
            edited=False,
        )  # fmt: skip


def _by_itself(parent: Parent, proposal: Proposal) -> bool:
    return parent.dial == "auto" or (parent.dial == "semi" and proposal.quantity <= parent.order.auto_limit)


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
    )


def _refreshed(picture: Picture, standing: Proposal, wanted: Want) -> m.Refreshed:
    return m.Refreshed(
        proposal=standing.born.id,
        revision=standing.revision + 1,
        quantity=wanted.quantity,
        worst=wanted.worst,
        cross=wanted.cross,
        row=wanted.row,
        reason=wanted.why,
        forecast=picture.forecasts.get(standing.born.instrument),
        cost_ticks=wanted.cost_ticks,
        wait_ticks=wanted.wait_ticks,
    )


def _stale(desk: Desk, picture: Picture, standing: Proposal, wanted: Want) -> bool:
    changed = (standing.quantity, standing.worst, standing.cross, standing.row) != (
        wanted.quantity, wanted.worst, wanted.cross, wanted.row,
    )  # fmt: skip
    return changed and picture.now - standing.refreshed >= desk.config.execution.refresh_ms * NS / 1000


def _quantity(desk: Desk, parent: Parent, instrument: Instrument, advice: policy.Advice, due: int) -> int:
    """Lots for the next child, within what remains and every cap."""
    order = parent.order
    base = instrument.contracts(desk.config.execution.base_child)
    cap = order.max_child
    if advice.max_child is not None:
        cap = min(cap, instrument.contracts(advice.max_child))
    working = desk.working(order.id)
    free = parent.remaining - working
    if advice.action.times_base is not None and not working:
        return max(min(round(advice.action.times_base * base), cap, free), 0)
    return child_size(
        due, parent.filled, working, base=base, min_child=order.min_child, max_child=cap,
        remaining=free, catch_up=desk.config.execution.catch_up,
    )  # fmt: skip


def _pace(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument) -> Pace:
    order, settings = parent.order, desk.config.execution
    closing = picture.now >= order.end - min(round(settings.finish_s * NS), (order.end - order.start) // 10)
    due = planned(order.quantity, parent.done_at_start, parent.start, order.end, picture.now)
    due = order.quantity if closing else due
    half = instrument.contracts(settings.base_child) / 2
    lag = max(due - parent.filled - half, 0.0) / order.quantity
    patience = settings.lag_cross_share * (10 - order.urgency) / 5
    return Pace(due=due, lag=lag, closing=closing, late=closing or lag >= patience)


def _impatient(advice: policy.Advice, pace: Pace) -> bool:
    """Whether the far side is to be taken: a row says so, or the schedule's own tactic, passive first, is late."""
    return advice.action.style == "cross" or (advice.action.style == "schedule" and pace.late)


def _worst(
    picture: Picture, instrument: Instrument, order: m.ParentAccepted, quantity: int, cross: bool, style: str,
    bid: int, ask: int,
) -> int:  # fmt: skip
    """The price that bounds the child: as deep as taking it needs, or the own touch; never beyond the limit."""
    near, far = (bid, ask) if order.side is Side.BUY else (ask, bid)
    if cross:
        deepest = walked(picture, instrument, order.side, quantity)
        return side_price(order.side, far if deepest is None else deepest, order.limit)
    wanted = instrument.step(near, -order.side.sign) if style == "wait" else near
    return side_price(order.side, wanted, order.limit)


def _price_now(picture: Picture, instrument: Instrument, side: Side, quantity: int, worst: int, cross: bool) -> int:
    if not cross:
        near = touch(picture, instrument, side)
        return worst if near is None else side_price(side, near, worst)
    deepest = walked(picture, instrument, side, quantity)
    return worst if deepest is None else side_price(side, deepest, worst)


def _moved_out(picture: Picture, instrument: Instrument, side: Side, worst: int, cross: bool) -> str:
    """A crossing intent needs the far touch inside its worst price."""
    far = touch(picture, instrument, side.other)
    if not cross or far is None or side.sign * (far - worst) <= 0:
        return ""
    what = "ask" if side is Side.BUY else "bid"
    return f"moved out: the {what} is {instrument.price(far):.12g}, beyond your worst {instrument.price(worst):.12g}"


def _costs(
    picture: Picture, instrument: Instrument, side: Side, worst: int, cross: bool
) -> tuple[float | None, float | None]:
    """Expected cost against the micro-price of doing it now, and of waiting, in ticks."""
    micro = picture.micro(instrument.name)
    if micro is None:
        return None, None
    tick = instrument.tick_units(worst)
    now = side.sign * (worst - micro) / tick
    forecast = picture.forecasts.get(instrument.name)
    far = touch(picture, instrument, side.other)
    if forecast is None or not forecast.warm or far is None:
        return now, None
    drift = side.sign * forecast.drift_ticks
    wait = side.sign * (far - micro) / tick + drift if cross else now + drift
    return now, wait


def _sentence(
    picture: Picture, instrument: Instrument, order: m.ParentAccepted, advice: policy.Advice, quantity: int, worst: int,
    cross: bool, pace: Pace,
) -> str:  # fmt: skip
    """The reason in words a trader would use."""
    amount, price = f"{instrument.amount(quantity):.12g}", f"{instrument.price(worst):.12g}"
    buyer = order.side is Side.BUY
    far, bound = ("ask", "up to") if buyer else ("bid", "down to")
    act = f"take {amount} {bound} {price}" if cross else f"rest {amount} at {price}"
    forecast = picture.forecasts.get(instrument.name)
    against = 0.0 if forecast is None else (forecast.up if buyer else forecast.down)
    for_us = 0.0 if forecast is None else (forecast.down if buyer else forecast.up)
    away, back = ("rise", "fall") if buyer else ("fall", "rise")
    if advice.row == "up":
        return f"Price likely to {away} ({against:.0%}), worth more than the spread: {act}."
    if advice.row == "up, not worth the spread":
        return f"Price likely to {away} ({against:.0%}), but not by the spread: {act}."
    if advice.row == "down":
        return f"Price likely to {back} ({for_us:.0%}): {act} and let it come."
    if advice.row != "schedule":
        return f"The row '{advice.row}' fires: {act}."
    capped = " Size is dear: capped." if advice.max_child is not None else ""
    if cross and pace.closing:
        return f"Its time is nearly over: {act}, the {far}.{capped}"
    if cross and pace.lag < 0.005:
        return f"Due now, and the order is urgent: {act}, the {far}.{capped}"
    if cross:
        return f"Behind schedule by {pace.lag:.0%} of the order: {act}, the {far}.{capped}"
    return f"On the schedule, no edge: {act}.{capped}"
