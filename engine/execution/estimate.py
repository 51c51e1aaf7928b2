"""What a parent is expected to cost, and how long it takes, by each algorithm, before it is sent. Pure.

Theory of operation. All is per contract, in ticks against the micro-price now, a cost being positive. A schedule's
children rest first. Some of them are filled so before the parent runs out of patience, by the fill forecast as a
constant rate; those earn the half spread. The rest cross, each paying the half spread, the slippage of one child, the
extra fee, and more in a fragile book, β × the share of the usual depth just pushed one way: a book that is being
emptied is dearer by the time that a child arrives. What is taken moves the price for what is still to come: on average
by half of the permanent impact of all that crosses. Taking everything at once walks the book as it stands.

The range is 80 %: the market's own move while the order works, of variance σ² ∫ (share not yet done)² dt, and the
slippage's own band. A limit that stops an order, and what the forecasts may earn an adaptive one, are in none of it: an
adaptive parent is quoted at what its schedule costs.
"""

from __future__ import annotations

import math
from functools import partial

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution.algorithms import ALGORITHMS, schedule_of
from engine.execution.desk import Desk
from engine.execution.impact import Impact, impact_of, kappa_of
from engine.execution.pace import FILL_S, profile_of
from engine.execution.picture import Picture, touch
from engine.execution.policy import extra_fee, or_baseline
from engine.execution.schedule import SCHEDULES
from engine.execution.schedules.course import Course
from engine.messages import SIZES

AT_ONCE = "at once"
BETA = 1.0  # half spreads that a wholly fragile book costs more; the hedge band's own is another
Z80 = 1.2816  # standard normal, 90 %
STEPS = 60  # of the integral over a schedule
LOOK_BACK_NS = 600 * NS  # what others traded in the last ten minutes is what they will


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Ticks per contract against the micro-price now; `low` and `high` bound 80 %. `passive` is the share expected to
    be filled while resting, `done` the share of the order expected by its end, `seconds` how long that takes."""

    algorithm: str
    cost: float
    low: float
    high: float
    seconds: float
    passive: float
    done: float


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """The present, as an estimate needs it: half spread, extra fee and σ (a second) in ticks, P(fill) in 5 s, the
    slippage of one child and its band's half width, impact, fragility 0 … 1, contracts a second that others trade."""

    half: float
    fee: float
    sigma: float
    fill: float
    slip: float
    slip_band: float
    impact: Impact
    fragility: float
    flow: float


def estimates(
    desk: Desk, picture: Picture, instrument: Instrument, order: m.ParentAccepted, fragility: float = 0.0
) -> tuple[Estimate, ...]:
    """Of each algorithm, and of taking it all at once. Empty without a two-sided book to say anything about."""
    now = stand(desk, picture, instrument, order.side, fragility)
    if now is None:
        return ()
    kappa = kappa_of(desk, picture, instrument, order)
    orders = [msgspec.structs.replace(order, algorithm=name, kappa=kappa) for name in ALGORITHMS]
    worked = [_worked(desk, instrument, each, now) for each in orders]
    return (*worked, _at_once(instrument, order, now))


def stand(desk: Desk, picture: Picture, instrument: Instrument, side: Side, fragility: float = 0.0) -> Stand | None:
    """None without a two-sided book and a word on it, the model's or the baseline's."""
    name, forecast = instrument.name, picture.forecasts.get(instrument.name)
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    slip, fill = or_baseline(picture, forecast, name, "slippage"), or_baseline(picture, forecast, name, "fill")
    impact = impact_of(picture, name, side)
    if bid is None or ask is None or slip is None or fill is None or impact is None:
        return None
    buyer = side is Side.BUY
    tick = instrument.tick_units(ask if buyer else bid)
    lo, mid, hi = at_size(slip.slip_buy if buyer else slip.slip_sell, desk.config.execution.base_child)
    others = picture.traded(name, picture.now - LOOK_BACK_NS, picture.now) * instrument.lot / instrument.contract
    return Stand(
        half=(ask - bid) / 2 / tick,
        fee=extra_fee(instrument, ask if buyer else bid) / tick,
        sigma=picture.sigma_ticks(name) or 0.0,
        fill=min(max(fill.fill_bid if buyer else fill.fill_ask, 0.0), 0.999),
        slip=max(mid, 0.0),
        slip_band=(hi - lo) / 2,
        impact=impact,
        fragility=fragility,
        flow=others / (LOOK_BACK_NS / NS),
    )


def _worked(desk: Desk, instrument: Instrument, order: m.ParentAccepted, now: Stand) -> Estimate:
    """By a schedule, with the tactic that all of them have."""
    settings, contracts = desk.config.execution, order.quantity * instrument.lot / instrument.contract
    seconds, done = (order.end - order.start) / NS, 1.0
    schedule = schedule_of(order)
    if schedule == "pov":
        pace = order.rate * now.flow
        done = min(pace * seconds / contracts, 1.0)
        seconds = min(contracts / pace, seconds) if pace > 0.0 else seconds
    patience = settings.lag_cross_share * (10 - order.urgency) / 5 * seconds
    passive = 1.0 - math.exp(math.log1p(-now.fill) * patience / FILL_S)
    crossing = now.half * (1.0 + BETA * now.fragility) + now.slip + now.fee
    moved = now.impact.permanent * contracts * done * (1.0 - passive) / 2
    cost = (1.0 - passive) * crossing - passive * now.half + moved
    spread = math.hypot(
        now.sigma * math.sqrt(seconds * _exposure(desk, order, schedule)), (1 - passive) * now.slip_band
    )
    return Estimate(
        algorithm=order.algorithm, cost=cost, low=cost - Z80 * spread, high=cost + Z80 * spread, seconds=seconds,
        passive=passive, done=done,
    )  # fmt: skip


def _exposure(desk: Desk, order: m.ParentAccepted, schedule: str) -> float:
    """∫ (share not yet done)² over the order's time, as a share of it: a third for a straight line."""
    line = Course(quantity=1, done=0, start=order.start, end=order.end, kappa=order.kappa, rate=1.0,
                  profile=profile_of(desk.config.execution.profile))  # fmt: skip
    even = partial(_even, line)
    places = (order.start + (order.end - order.start) * (2 * k + 1) // (2 * STEPS) for k in range(STEPS))
    return sum((1.0 - SCHEDULES[schedule](line, t, even)) ** 2 for t in places) / STEPS


def _even(line: Course, start: int, end: int) -> float:
    """A market that trades evenly, all of the order in its time: participation is a straight line in it."""
    return (end - start) / (line.end - line.start)


def _at_once(instrument: Instrument, order: m.ParentAccepted, now: Stand) -> Estimate:
    """The whole of it across the spread now: the slope of the slippage curve carried to its size."""
    contracts = order.quantity * instrument.lot / instrument.contract
    cost = now.half * (1.0 + BETA * now.fragility) + now.impact.slope * contracts + now.fee
    return Estimate(algorithm=AT_ONCE, cost=cost, low=cost - Z80 * now.slip_band, high=cost + Z80 * now.slip_band,
                    seconds=0.0, passive=0.0, done=1.0)  # fmt: skip


def at_size(curve: tuple[tuple[float, float, float], ...], contracts: float) -> tuple[float, float, float]:
    """A slippage curve at a size, between its own in a straight line, beyond the last in proportion."""
    before, low = 0.0, (0.0, 0.0, 0.0)
    for size, high in zip(SIZES, curve, strict=True):
        if contracts <= size:
            share = (contracts - before) / (size - before)
            return tuple(a + share * (b - a) for a, b in zip(low, high, strict=True))  # type: ignore[return-value]
        before, low = size, high
    return tuple(value * contracts / before for value in low)  # type: ignore[return-value]
