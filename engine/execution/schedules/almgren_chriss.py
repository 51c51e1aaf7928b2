"""Almgren and Chriss, "Optimal execution of portfolio transactions" (Journal of Risk 3, 2000), linear impact.

Holding x(t) of X contracts costs E = γX²/2 + η̃ ∫ẋ² dt on average, with the variance V = σ² ∫x² dt. E + λV is least for

    x(t) = X sinh(κ(T − t)) / sinh(κT),      2 (cosh κτ − 1) / τ² = λσ² / η̃,      η̃ = η − γτ/2

with children every τ seconds. κ does not depend on T or on what is left, so that a course that is rebased, with the
same κ, goes on along the optimum from where it is. As λ → 0 the trajectory becomes the straight line of TWAP.

| | unit | from |
| --- | --- | --- |
| σ | ticks / √s | the surface's volatility at the strike: |coin Δ| · IV · 1 coin, over √(seconds of a year), in ticks |
| η | ticks / (contract / s) | the slope of the slippage head's curve over its sizes, ticks per contract, × τ |
| γ | ticks / contract | the impact head: the push on the micro-price of taking 10, ÷ 10 |
| λ | 1 / (tick · contract) | urgency: (urgency ÷ 10)² / X: at 10 one tick of cost a contract is worth a tick² of it |

The volatility of volatility and the jumps are left out of σ: over minutes they are small beside the underlying's move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.execution.schedules import twap
from engine.execution.schedules.course import Course, Traded

STRAIGHT = 1e-6  # κT below which the curve is the line, to the last digit


def share(course: Course, now: int, traded: Traded) -> float:
    after, whole = course.kappa * (course.end - now) / 1e9, course.kappa * (course.end - course.start) / 1e9
    if whole < STRAIGHT:
        return twap.share(course, now, traded)
    return 1.0 - math.exp(after - whole) * math.expm1(-2.0 * after) / math.expm1(-2.0 * whole)


def risk_aversion(urgency: float, contracts: float) -> float:
    """λ of an order of so many contracts, 1 / (tick · contract); 0 at urgency 0."""
    return (urgency / 10.0) ** 2 / contracts


def kappa(risk: float, sigma: float, eta: float, gamma: float, tau: float) -> float:
    """κ per second. Units as above; where the permanent impact would outweigh the temporary within one child (η̃ ≤ 0,
    the paper's model breaks) a tenth of η is taken. Without variance or impact there is nothing to weigh: 0."""
    if risk <= 0.0 or sigma <= 0.0 or eta <= 0.0 or tau <= 0.0:
        return 0.0
    against = max(eta - gamma * tau / 2.0, eta / 10.0)
    squared = risk * sigma * sigma / against
    return math.acosh(1.0 + squared * tau * tau / 2.0) / tau


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Ticks per contract: the line through the cost of nothing that fits a slippage curve best, least squares."""
    return sum(n * cost for n, cost in zip(sizes, costs, strict=True)) / sum(n * n for n in sizes)
