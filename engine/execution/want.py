"""What a parent wants now: size from its schedule, side of the spread from the policy, the reason in words. Pure."""

from __future__ import annotations

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution import policy, risk
from engine.execution.desk import Desk, Parent, side_price
from engine.execution.picture import Picture, touch, walked
from engine.execution.schedule import child as child_size
from engine.execution.schedule import planned


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


def advice_for(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument) -> policy.Advice:
    rows = desk.config.policy if parent.order.algorithm == "adaptive" else ()
    seconds = desk.config.execution.direction_s
    return policy.advise(rows, policy.readings(picture, instrument, parent.order.side, seconds))


def want(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, advice: policy.Advice) -> Want | str:
    """What the parent wants now, or in words why nothing. Pure."""
    order = parent.order
    blocked = risk.closed(desk, picture) or risk.unsound(picture, instrument.name, desk.config.limits.silence_s)
    if blocked:
        return blocked
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    if bid is None or ask is None:
        return "the book is one-sided"
    pace = pace_of(desk, picture, parent, instrument)
    quantity = _quantity(desk, parent, instrument, advice, pace.due)
    if quantity <= 0:
        return "on schedule"
    cross = impatient(advice, pace)
    worst = _worst(picture, instrument, order, quantity, cross, advice.action.style, bid, ask)
    far = ask if order.side is Side.BUY else bid
    crosses = order.side.sign * (worst - far) >= 0
    if cross and not crosses:
        cross = False  # the limit does not reach the far side: rest at the limit
    wanted = risk.Wanted(instrument=instrument, side=order.side, quantity=quantity, price=worst, post_only=not cross,
                         parent=order.id)  # fmt: skip
    if reason := risk.blocked(desk, picture, wanted) or risk.price_inside(picture, wanted):
        return reason
    cost, wait = _costs(picture, instrument, order.side, worst, cross)
    return Want(
        quantity=quantity, worst=worst, cross=cross, row=advice.row, cost_ticks=cost, wait_ticks=wait,
        why=_sentence(picture, instrument, order, advice, quantity, worst, cross, pace),
    )  # fmt: skip


def pace_of(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument) -> Pace:
    order, settings = parent.order, desk.config.execution
    closing = picture.now >= order.end - min(round(settings.finish_s * NS), (order.end - order.start) // 10)
    due = planned(order.quantity, parent.done_at_start, parent.start, order.end, picture.now)
    due = order.quantity if closing else due
    half = instrument.contracts(settings.base_child) / 2
    lag = max(due - parent.filled - half, 0.0) / order.quantity
    patience = settings.lag_cross_share * (10 - order.urgency) / 5
    return Pace(due=due, lag=lag, closing=closing, late=closing or lag >= patience)


def impatient(advice: policy.Advice, pace: Pace) -> bool:
    """Whether the far side is to be taken: a row says so, or the schedule's own tactic, passive first, is late."""
    return advice.action.style == "cross" or (advice.action.style == "schedule" and pace.late)


def _quantity(desk: Desk, parent: Parent, instrument: Instrument, advice: policy.Advice, due: int) -> int:
    """Lots for the next child, within what remains and every cap."""
    order = parent.order
    base = instrument.contracts(desk.config.execution.base_child)
    cap = min(order.max_child, risk.largest(desk, instrument))
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
