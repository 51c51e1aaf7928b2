"""What a forecast is judged by, and trained on: one definition for both.

All labels compare a later step with the present one at clock time, never a smoothed future with a smoothed past. The
labelled price is the fair micro-price of the others' book. A label is unknown where book or surface is missing at
either end.
"""

from __future__ import annotations

from math import sqrt

from engine.domain import NS
from engine.forecast.baseline import IMPACT_SIZE, Standing
from engine.forecast.features import Context
from engine.forecast.others import fair_micro
from engine.messages import SIZES

HORIZON_NS = {
    "direction": NS,
    "direction_10": 10 * NS,
    "direction_60": 60 * NS,
    "slippage": 1,  # the next step: what an order sent now finds
    "fill": 5 * NS,
    "impact": 5 * NS,
    "spread": 10 * NS,
    "volatility": 60 * NS,
}
DIRECTIONS = ("direction", "direction_10", "direction_60")
MIN_PRINT = 2.0  # contracts: smaller prints say nothing about an impact of 10
UP, DOWN, STABLE = range(3)


def place(now: Standing, context: Context) -> list[float]:
    """The fair micro-price in units; a second entry tells that the surface had a say in it. Places that differ in
    that cannot be compared."""
    where = fair_micro(now.micro, context.fair)
    assert where is not None
    return [where] if context.fair is None else [where, 1.0]


def outcome_of(ticks: float, threshold: float) -> int:
    """0 up, 1 down, 2 stable: a move of more than the threshold either way, or not."""
    return UP if ticks > threshold else DOWN if ticks < -threshold else STABLE


def fitted_iv(context: Context) -> float | None:
    """The fitted surface's IV at the strike; the venue's mark IV where there is no fit."""
    return context.fair_iv if context.fair_iv is not None else context.mark_iv


def costs(now: Standing, ask: float, bid: float, tick: int) -> tuple[list[float], list[float]]:
    """Ticks beyond an earlier touch (`ask`, `bid` in units) of taking each size from the book of `now`."""
    buy = [(now.ask - ask + cost * now.tick) / tick for cost in now.buy]
    sell = [(bid - now.bid + cost * now.tick) / tick for cost in now.sell]
    return buy, sell


def to_ten(size: float) -> float:
    """What a push by a print of `size` contracts is multiplied by to stand for one of 10 (square-root law)."""
    return sqrt(SIZES[IMPACT_SIZE] / size)
