"""What a parent wants now: size from its schedule, side of the spread from the policy, the reason in words. Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from engine import messages as m
from engine.config import Row
from engine.domain import Instrument, Side
from engine.execution import policy, reasons, risk
from engine.execution.algorithms import ALGORITHMS
from engine.execution.desk import Desk, Parent, side_price
from engine.execution.limit import bounded
from engine.execution.pace import PATIENT, Pace, allowed, impatient, largest, pace_of, reach, size_of
from engine.execution.picture import Picture, shown, touch, walked

WOULD = "would"  # the row of a child that the parent's I-would price sets off


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A child that the parent wants now. `lots` and `units` inside; `why` is said to the trader; costs are expected,
    against the micro-price, in ticks: of doing it now, of waiting, of what the schedule alone would do."""

    quantity: int
    worst: int
    cross: bool
    row: str
    why: str
    cost_ticks: float | None
    wait_ticks: float | None
    schedule_ticks: float | None
    pooled: m.Odds | None  # the direction with the trader's own view in it


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What a parent's decision stands on: the table's advice, the schedule, the readings."""

    advice: policy.Advice
    pace: Pace
    values: dict[str, float]

    def impatient(self, desk: Desk) -> bool:
        return impatient(desk, self.advice, self.pace, self.values.get(policy.FILL_SAID),
                         self.values.get("saving_ticks"))  # fmt: skip


def moment_of(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument) -> Moment:
    seconds = desk.config.execution.direction_s
    values = policy.readings(picture, instrument, parent.order.side, seconds, parent.view)
    advice = ALGORITHMS[parent.order.algorithm].policy(table_of(desk, parent), values)
    return Moment(advice=advice, pace=pace_of(desk, picture, parent, instrument), values=values)


def table_of(desk: Desk, parent: Parent) -> tuple[Row, ...]:
    """The rows that a parent follows: its own, or the desk's."""
    return desk.config.policy if parent.order.policy is None else parent.order.policy


def style_of(desk: Desk, parent: Parent | None, row: str) -> str:
    """The tactic of a row of this parent's table; empty for what is no row of one."""
    rows = table_of(desk, parent) if parent else ()
    return next((each.action.style for each in rows if each.name == row), "")


def holds(desk: Desk, parent: Parent, advice: policy.Advice, row: str) -> bool:
    """Whether a row that a proposal was made under still stands: it acts, or its conditions hold and the one that acts
    now does the same, or both leave size and side to the schedule."""
    if row in (advice.row, WOULD):  # the worst price itself holds an I-would child
        return True
    before = next((each for each in table_of(desk, parent) if each.name == row), None)
    if before is None:
        return False
    if before.action != advice.action and not (advice.neutral and before.action.times_base is None):
        return False
    return not before.when or row in advice.fired


class Sought(NamedTuple):
    """The order that a parent would like to send, before any block: under which row, on which terms of the moment, and
    the touch of either side."""

    order: risk.Wanted
    row: str
    terms: m.ParentAccepted
    near: int
    far: int


def sought(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, moment: Moment) -> Sought | str:
    """What the parent would do now, or in words why nothing. Pure."""
    order, advice, pace = bounded(picture, parent.order, instrument), moment.advice, moment.pace
    if isinstance(order, str):
        return order
    blocked = risk.closed(desk, picture) or risk.unsound(picture, instrument.name, desk.config.limits.silence_s)
    if blocked:
        return blocked
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    if bid is None or ask is None:
        return "the book is one-sided"
    near, far = (bid, ask) if order.side is Side.BUY else (ask, bid)
    if cheap := _would(desk, picture, parent, order, instrument, advice, far):
        quantity, worst, cross, row = cheap, order.would or 0, True, WOULD
    else:
        cross, row = moment.impatient(desk), advice.row
        quantity = size_of(desk, picture, parent, instrument, advice, pace, cross)
        if quantity <= 0:
            return "on schedule" if allowed(desk, picture, parent) > 0 else "held back by the participation cap"
        if cross and advice.style in PATIENT and not pace.closing:  # what is taken from the touch comes back there
            quantity = min(quantity, max(shown(picture, instrument, order.side, far), instrument.contracts(1.0)))
        worst = (
            _deepest(picture, instrument, order.side, quantity, far)
            if cross
            else _place(instrument, order.side, advice.style, near, far, reach(desk, pace))
        )
        worst = side_price(order.side, worst, order.limit)
        cross = cross and order.side.sign * (worst - far) >= 0  # else the limit does not reach it: rest there
    wanted = risk.Wanted(instrument=instrument, side=order.side, quantity=quantity, price=worst, post_only=not cross,
                         parent=order.id)  # fmt: skip
    return Sought(wanted, row, order, near, far)


def want(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, moment: Moment) -> Want | str:
    """What the parent wants now, or in words why nothing. Pure."""
    found = sought(desk, picture, parent, instrument, moment)
    if isinstance(found, str):
        return found
    wanted, row, order, near, far = found
    quantity, worst, cross = wanted.quantity, wanted.price, not wanted.post_only
    advice, pace = moment.advice, moment.pace
    if reason := risk.blocked(desk, picture, wanted) or risk.price_inside(picture, wanted):
        return reason
    cost, wait, schedule = _costs(picture, instrument, order, worst, cross, near, far, pace.late)
    odds = policy.believed(picture, instrument.name, desk.config.execution.direction_s, parent.view)
    return Want(
        quantity=quantity, worst=worst, cross=cross, row=row, cost_ticks=cost, wait_ticks=wait, schedule_ticks=schedule,
        why=reasons.sentence(instrument, order, advice, quantity, worst, cross, pace, row, odds),
        pooled=odds if parent.view and picture.now < parent.view.until else None,
    )  # fmt: skip


def _would(
    desk: Desk, picture: Picture, parent: Parent, order: m.ParentAccepted, instrument: Instrument,
    advice: policy.Advice, far: int,
) -> int:  # fmt: skip
    """Lots to be had at the parent's I-would price or better, ahead of any schedule; 0 for none."""
    if order.would is None or order.side.sign * (far - order.would) > 0 or advice.passive:
        return 0
    most = risk.largest(desk, instrument)
    if advice.max_child is not None:
        most = min(most, largest(desk, parent, instrument, advice))
    found = shown(picture, instrument, order.side, order.would)
    return max(min(found, most, allowed(desk, picture, parent)), 0)


def _deepest(picture: Picture, instrument: Instrument, side: Side, quantity: int, far: int) -> int:
    """The last price that taking so much needs; the far touch where the book is too thin to say."""
    deepest = walked(picture, instrument, side, quantity)
    return far if deepest is None else deepest


def _place(instrument: Instrument, side: Side, style: str, near: int, far: int, reached: float) -> int:
    """Where a child rests: at the own touch, a tick behind it, or inside the spread, at least a tick better than the
    touch and `reached` of the way to a tick before the far side. There it is first, and whoever comes next meets it."""
    if style == "wait":
        return instrument.step(near, -side.sign)
    room = round(abs(far - near) / instrument.tick_units(near)) - 1 if style == "weigh" else 0
    return instrument.step(near, side.sign * max(round(reached * room), 1)) if room > 0 else near


def _costs(
    picture: Picture, instrument: Instrument, order: m.ParentAccepted, worst: int, cross: bool, near: int, far: int,
    late: bool,
) -> tuple[float | None, float | None, float | None]:  # fmt: skip
    """Expected cost against the micro-price of doing it now, of waiting, and of what the schedule alone would do. What
    waiting comes to is not known where nothing forecasts the move with an edge."""
    micro = picture.micro(instrument.name)
    if micro is None:
        return None, None, None
    tick, sign = instrument.tick_units(worst), order.side.sign
    now, schedule = sign * (worst - micro) / tick, sign * ((far if late else near) - micro) / tick
    forecast = picture.forecasts.get(instrument.name)
    if forecast is None or policy.believed(picture, instrument.name, 1) is None:
        return now, None, schedule
    drift = sign * forecast.drift_ticks
    wait = sign * (far - micro) / tick + drift if cross else now + drift
    return now, wait, schedule
