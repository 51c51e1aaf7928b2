"""The way down for one slice: least squares of total variance, the linear three eliminated (variable projection).

For a given pair (m, σ) raw SVI is linear in (a, d, c) = (a, bρ, b): w = a + d x + c r, x = k − m, r = √(x² + σ²),
the quasi-explicit form of Zeliade. So only the pair is searched, by Levenberg–Marquardt with Kaufman’s slopes (of the
projected errors; Golub–Pereyra 2003), which follows the long curved valley of SVI's cost where plain descent creeps.

All that a step needs are the inner products of six rows (1, x, r, x/r, σ²/r, w; each times the weights): one small
matrix product. The algebra on them is 3 × 3 and 2 × 2, and is done on plain floats: that is faster than calling LAPACK.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.surface.svi import MIN_LEVEL

Floats = NDArray[np.float64]
Five = tuple[float, float, float, float, float]  # a, d, c, m, σ
Rows = list[list[float]]

STEEPEST = 1.98  # b(1 + |ρ|) at most: at 2 a wing's g falls to 0 (Lee 2004)
MIN_SIGMA = 1e-3
FARTHEST = 3.0  # spans of the quotes that m may lie outside them; σ is at most three times that
MIN_B = 1e-9
STEPS, GAIN, NOTHING = (
    30,
    1e-4,
    1e-8,
)  # stop when a step promises less than this share of the cost, or so little a quote
_RIDGE = 1.0 + 1e-12


def descend(start: Five, k: Floats, w: Floats, weight: Floats) -> tuple[Five, float]:
    """From the pair of `start` to the least Σ (weight (w(k) − w))²; the slice and that cost.
    `k` is sorted."""
    m, sigma = start[3], start[4]
    rows = _rows(k, w, weight, m, sigma)
    (a, d, c), cost = _linear(rows, sigma)
    damping, enough = 1e-3, NOTHING * len(k)
    low, high = float(k[0]), float(k[-1])
    reach = FARTHEST * max(high - low, 1e-2)
    pull_m, pull_s, mm, ms, ss = _slopes(rows, a, d, c)
    for _ in range(STEPS):
        step_m, step_s = _solved_two(mm * (1.0 + damping), ms, ss * (1.0 + damping), pull_m, pull_s)
        if step_m * pull_m + step_s * pull_s < GAIN * cost + enough:
            break
        tried_m = min(max(m - step_m, low - reach), high + reach)
        tried_s = min(max(sigma * math.exp(min(max(-step_s, -1.0), 1.0)), MIN_SIGMA), 3.0 * reach)
        tried = _rows(k, w, weight, tried_m, tried_s)
        (ta, td, tc), there = _linear(tried, tried_s)
        if not there < cost:
            damping *= 8.0
            continue
        m, sigma, a, d, c, cost, damping = tried_m, tried_s, ta, td, tc, there, damping / 5.0
        pull_m, pull_s, mm, ms, ss = _slopes(tried, a, d, c)
    return (a, d, c, m, sigma), cost


def allowed(a: float, d: float, c: float, sigma: float) -> tuple[float, float, float]:
    """The linear three into their box: wings no steeper than `STEEPEST`, |ρ| ≤ 1, the lowest variance above nothing."""
    c = min(max(c, MIN_B), STEEPEST)
    bound = min(c, STEEPEST - c)
    d = min(max(d, -bound), bound)
    return max(a, MIN_LEVEL - sigma * math.sqrt(max(c * c - d * d, 0.0))), d, c


def _rows(k: Floats, w: Floats, weight: Floats, m: float, sigma: float) -> Rows:
    x = k - m
    r = np.sqrt(x * x + sigma * sigma)
    rows = np.empty((6, len(k)))
    rows[0] = 1.0
    rows[1] = x
    rows[2] = r
    np.divide(x, r, out=rows[3])
    np.divide(sigma * sigma, r, out=rows[4])
    rows[5] = w
    rows *= weight
    out: Rows = (rows @ rows.T).tolist()
    return out


def _linear(rows: Rows, sigma: float) -> tuple[tuple[float, float, float], float]:
    """The best (a, d, c) of the box, near enough, and its cost."""
    n0, n1, n2, *_ = rows
    b0, b1, b2 = n0[5], n1[5], n2[5]
    a, d, c = _solved_three(rows, b0, b1, b2)
    if not (c >= MIN_B and abs(d) <= min(c, STEEPEST - c)):
        d, c = _wedged(rows, d, c)
        a = (b0 - d * n0[1] - c * n0[2]) / n0[0]
    a, d, c = allowed(a, d, c, sigma)
    cost = (
        rows[5][5]
        - 2.0 * (a * b0 + d * b1 + c * b2)
        + a * (a * n0[0] + 2.0 * (d * n0[1] + c * n0[2]))
        + d * (d * n1[1] + 2.0 * c * n1[2])
        + c * c * n2[2]
    )
    return (a, d, c), max(cost, 0.0)


def _wedged(rows: Rows, d: float, c: float) -> tuple[float, float]:
    """The best (d, c) on the edge of the box that was passed: one wing level (ρ = ±1), or as steep as may be."""
    sign = 1.0 if d >= 0.0 else -1.0
    n0, n1, n2, *_ = rows
    if c + abs(d) > STEEPEST and c > abs(d):
        return d, c  # too steep: cut to the box
    # one wing level: w = a + c (r ± x)
    n = n0[0]
    s = (n0[2] + sign * n0[1]) / n
    square = n2[2] + 2.0 * sign * n1[2] + n1[1] - n * s * s
    with_w = n2[5] + sign * n1[5] - s * n0[5]
    c = max(with_w / square if square > 0.0 else 0.0, MIN_B)
    return sign * c, c


def _slopes(rows: Rows, a: float, d: float, c: float) -> tuple[float, float, float, float, float]:
    """Of the projected errors by (m, ln σ): their products with the errors, and with one another."""
    n0, n1, n2, n3, n4, _ = rows
    left0, left3, left4 = (n[5] - a * n[0] - d * n[1] - c * n[2] for n in (n0, n3, n4))
    u0, u1, u2 = (d * n[0] + c * n[3] for n in (n0, n1, n2))
    v0, v1, v2 = -c * n0[4], -c * n1[4], -c * n2[4]
    p0, p1, p2 = _solved_three(rows, u0, u1, u2)
    q0, q1, q2 = _solved_three(rows, v0, v1, v2)
    mm = d * d * n0[0] + 2.0 * d * c * n0[3] + c * c * n3[3]
    ms = -c * (d * n0[4] + c * n3[4])
    ss = c * c * n4[4]
    return (
        d * left0 + c * left3,
        -c * left4,
        max(mm - u0 * p0 - u1 * p1 - u2 * p2, 1e-9 * mm),
        ms - v0 * p0 - v1 * p1 - v2 * p2,
        max(ss - v0 * q0 - v1 * q1 - v2 * q2, 1e-9 * ss),
    )


def _solved_three(rows: Rows, b0: float, b1: float, b2: float) -> tuple[float, float, float]:
    """N y = b for the normal matrix of the linear three, by elimination."""
    n0, n1, n2, *_ = rows
    n00, n11, n22 = n0[0] * _RIDGE + 1e-300, n1[1] * _RIDGE + 1e-300, n2[2] * _RIDGE + 1e-300
    l10, l20 = n0[1] / n00, n0[2] / n00
    s11, s12 = n11 - n0[1] * l10, n1[2] - n0[2] * l10
    s11 = max(s11, 1e-14 * n11)
    l21 = s12 / s11
    s22 = max(n22 - n0[2] * l20 - s12 * l21, 1e-14 * n22)
    y1 = b1 - b0 * l10
    y2 = (b2 - b0 * l20 - y1 * l21) / s22
    y1 = (y1 - s12 * y2) / s11
    return (b0 - n0[1] * y1 - n0[2] * y2) / n00, y1, y2


def _solved_two(aa: float, ab: float, bb: float, x: float, y: float) -> tuple[float, float]:
    aa, bb = aa + 1e-300, bb + 1e-300
    left = max(bb - ab * ab / aa, 1e-12 * bb)
    second = (y - x * ab / aa) / left
    return (x - ab * second) / aa, second
