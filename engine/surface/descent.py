"""The way from quotes to a slice: least squares of total variance, robust, with butterflies as part of the errors.

Theory of operation. Levenberg–Marquardt moves all seven numbers at once, with slopes written out, towards the least of

    Σ (weight (w(k) − wanted))²  +  tie² ((m₁ − m₂)²/σ₁σ₂ + ln²(σ₁/σ₂))  +  Σ penalty² min(g − margin, 0)².

The first are the errors that matter, in half-spreads of IV. The second draws the split slice towards raw SVI: few or
noisy quotes do not tell two hinges apart, and are not asked to. The third keeps g above 0 on a grid of both hinges;
whether it is above 0 between and beyond is for `proofs` to say.

Around that the weights are set anew a few times from the errors so far (`weigh`): a quote missed by many half-spreads
counts little, a one-sided quote only while the fit is on its wrong side. The search starts from the last fit; where
that does not lead to within the quotes, and at first, from the best of a few hinges laid over the quotes.

The seven are in `Slice`'s order, with ln σ for σ. All is compiled, and nothing here can raise: what is not finite in
comes not finite out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled, part

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

STEEPEST = 0.95  # b at most: at 1 a wing's g falls to 0 (Lee 2004)
LEVEL_WING = 1e-9  # b at least, else the wing is level
LEAST_W, LOWEST = 1e-12, 0.05  # of total variance; and in shares of the least that quotes want
LINEAR = (True, True, False, False, True, False, False)
LOGARITHM = (False, False, False, True, False, False, True)
TIE = 0.3  # half-spreads that hinges one σ apart, or a factor of e, cost
G_POINTS, G_REACH, G_PENALTY = 20, 20.0, 300.0  # points to each side of a hinge; half-spreads for g below the margin
HARDLY, HOPELESS = 1e-6, 1e6  # damping of what is linear, in shares of the other's; and what ends the search
STEPS = 60
GAIN, NOTHING = 3e-4, 1e-8  # stop when a step promises less than this share of the cost, or so much a quote
FIRST_STEPS = 10
ROUNDS, OUTLIER, MOST = 4, 4.0, 4.0  # half-spreads from which on a quote counts less, or no more
LED = 0.8  # a start from the last fit that leads to less than this share of the quotes inside is not trusted alone
SETTLED, CALM = 0.2, 2.0  # half-spreads: changes of errors, and errors, that move no weight to speak of
SHARPEST, FARTHEST, WIDEST = 0.5, 3.0, 9.0  # σ at least, in distances of strikes; m and σ at most, in spans of quotes

Hinge = tuple[float, float, float, float]


@part
def hinge(side: float, x: float, sigma: float) -> Hinge:
    """√(x² + σ²) ± x, its slope and bend by x, and the root. `side`: −1 rises to the left, 1 to the right."""
    square = sigma * sigma
    root = math.sqrt(x * x + square)
    rise = root + side * x if side * x > 0.0 else square / (root - side * x)
    return rise, side * rise / root, square / (root * root * root), root


@part
def chain(row: Floats, i: int, b: float, x: float, sigma: float, here: Hinge, by: tuple[float, float, float]) -> None:
    """Slopes by b, m and ln σ of one hinge (from `i` on) of what has the slopes `by` w, w′ and w″."""
    rise, slope, bend, root = here
    sharp = sigma * sigma / (root * root)
    row[i] = by[0] * rise + by[1] * slope + by[2] * bend
    row[i + 1] = -b * (by[0] * slope + by[1] * bend - by[2] * 3.0 * x * bend / (root * root))
    row[i + 2] = b * (by[0] * sharp * root - by[1] * x * bend + by[2] * bend * (2.0 - 3.0 * sharp))


@part
def add(row: Floats, error: float, normal: Floats, pull: Floats) -> float:
    """One error and its slopes into JᵀJ (its lower half) and Jᵀe; its square."""
    for i in range(7):
        pull[i] += row[i] * error
        for j in range(i + 1):
            normal[i, j] += row[i] * row[j]
    return error * error


@part
def of_quotes(q: Floats, k: Floats, w: Floats, weight: Floats, normal: Floats, pull: Floats, row: Floats) -> float:
    """Weighted errors of total variance; their squares."""
    cost, sigma1, sigma2 = 0.0, math.exp(q[3]), math.exp(q[6])
    for i in range(len(k)):
        if weight[i] > 0.0:
            left, right = hinge(-1.0, k[i] - q[2], sigma1), hinge(1.0, k[i] - q[5], sigma2)
            row[0] = weight[i]
            chain(row, 1, q[1], k[i] - q[2], sigma1, left, (weight[i], 0.0, 0.0))
            chain(row, 4, q[4], k[i] - q[5], sigma2, right, (weight[i], 0.0, 0.0))
            cost += add(row, weight[i] * (q[0] + q[1] * left[0] + q[4] * right[0] - w[i]), normal, pull)
    return cost


@part
def of_ties(q: Floats, normal: Floats, pull: Floats, row: Floats) -> float:
    """How far the two hinges are from one."""
    row[:] = 0.0
    row[2] = TIE * math.exp(-0.5 * (q[3] + q[6]))
    row[5] = -row[2]
    cost = add(row, row[2] * (q[2] - q[5]), normal, pull)
    row[:] = 0.0
    row[3], row[6] = TIE, -TIE
    return cost + add(row, TIE * (q[3] - q[6]), normal, pull)


@part
def g_short(q: Floats, k: float, sigma1: float, sigma2: float, least: float, margin: float, row: Floats) -> float:
    """How far g falls short of the margin at k, or total variance of the least, in half-spreads (0: not at all), and
    the slopes of that."""
    left, right = hinge(-1.0, k - q[2], sigma1), hinge(1.0, k - q[5], sigma2)
    w = q[0] + q[1] * left[0] + q[4] * right[0]
    slope, bend = q[1] * left[1] + q[4] * right[1], q[1] * left[2] + q[4] * right[2]
    if w < least:
        short, by_w, by_slope, by_bend = w / least - 1.0, 1.0 / least, 0.0, 0.0
    else:
        half = k * slope / (2.0 * w)
        short = (1.0 - half) * (1.0 - half) - slope * slope / 4.0 * (1.0 / w + 0.25) + bend / 2.0 - margin
        by_w = 2.0 * (1.0 - half) * half / w + slope * slope / (4.0 * w * w)
        by_slope = -(1.0 - half) * k / w - slope / 2.0 * (1.0 / w + 0.25)
        by_bend = 0.5
    if not short < 0.0:
        return 0.0
    by = (G_PENALTY * by_w, G_PENALTY * by_slope, G_PENALTY * by_bend)
    row[0] = by[0]
    chain(row, 1, q[1], k - q[2], sigma1, left, by)
    chain(row, 4, q[4], k - q[5], sigma2, right, by)
    return float(G_PENALTY * short)


@part
def of_butterflies(q: Floats, least: float, margin: float, normal: Floats, pull: Floats, row: Floats) -> float:
    """Where g is below the margin, on points even in asinh((k − m)/σ) of each hinge."""
    cost, sigma1, sigma2 = 0.0, math.exp(q[3]), math.exp(q[6])
    for side in range(2):
        m, sigma = (q[2], sigma1) if side == 0 else (q[5], sigma2)
        far = math.asinh(G_REACH / sigma)
        step, grown = math.exp(far / G_POINTS), math.exp(-far)
        for _ in range(2 * G_POINTS + 1):
            k = m + sigma * (grown - 1.0 / grown) / 2.0
            grown *= step
            short = g_short(q, k, sigma1, sigma2, least, margin, row)
            if short < 0.0:
                cost += add(row, short, normal, pull)
    return cost


@part
def look(
    q: Floats, k: Floats, w: Floats, weight: Floats, least: float, margin: float, normal: Floats, pull: Floats
) -> float:
    """The cost at q, JᵀJ and Jᵀe."""
    normal[:], pull[:] = 0.0, 0.0
    row = np.empty(7)
    cost = of_quotes(q, k, w, weight, normal, pull, row) + of_ties(q, normal, pull, row)
    return cost + of_butterflies(q, least, margin, normal, pull, row)


@part
def solve(normal: Floats, pull: Floats, damping: float, held: Bools, step: Floats) -> None:
    """(JᵀJ + damping · its diagonal) step = Jᵀe over what is not held, by Cholesky. What is linear is hardly damped."""
    root = np.zeros((7, 7))
    for i in range(7):
        own = 1.0 if held[i] else normal[i, i] * (1.0 + damping * (HARDLY if LINEAR[i] else 1.0)) + 1e-300
        step[i] = 0.0 if held[i] else pull[i]
        for j in range(i + 1):
            left = own if i == j else 0.0 if held[i] or held[j] else normal[i, j]
            for n in range(j):
                left -= root[i, n] * root[j, n]
            root[i, j] = math.sqrt(max(left, 1e-14 * own)) if i == j else left / root[j, j]
    for i in range(7):
        for n in range(i):
            step[i] -= root[i, n] * step[n]
        step[i] /= root[i, i]
    for i in range(6, -1, -1):
        for n in range(i + 1, 7):
            step[i] -= root[n, i] * step[n]
        step[i] /= root[i, i]


@part
def move(q: Floats, normal: Floats, pull: Floats, damping: float, linear: bool, box: Floats, there: Floats) -> float:
    """One step from q within the box, of all or of the linear three alone; what it promises to take off the cost."""
    step, held, promised = np.empty(7), np.empty(7, dtype=np.bool_), 0.0
    for i in range(7):
        held[i] = (q[i] <= box[0, i] and pull[i] > 0.0) or (q[i] >= box[1, i] and pull[i] < 0.0)
        held[i] = held[i] or (linear and not LINEAR[i])
    solve(normal, pull, damping, held, step)
    for i in range(7):
        promised += step[i] * pull[i]
        by = min(max(step[i], -1.0), 1.0) if LOGARITHM[i] else step[i]
        there[i] = min(max(q[i] - by, box[0, i]), box[1, i])
    return promised


@part
def descend(
    q: Floats, k: Floats, w: Floats, weight: Floats, least: float, margin: float, box: Floats, steps: int
) -> int:
    """Move q to the least cost within the box (2 × 7)."""
    normal, pull, normal_there, pull_there = np.empty((7, 7)), np.empty(7), np.empty((7, 7)), np.empty(7)
    normal_on, pull_on, tried, there = np.empty((7, 7)), np.empty(7), np.empty(7), np.empty(7)
    cost, damping = look(q, k, w, weight, least, margin, normal, pull), 1e-3
    for n in range(steps):
        promised = move(q, normal, pull, damping, False, box, tried)
        if not promised * (1.0 + damping) > GAIN * cost + NOTHING * len(k) or damping > HOPELESS:
            return n
        first = look(tried, k, w, weight, least, margin, normal_there, pull_there)
        move(tried, normal_there, pull_there, 0.0, True, box, there)
        second = look(there, k, w, weight, least, margin, normal_on, pull_on)
        if not min(first, second) < cost:
            damping *= 8.0
            continue
        damping /= 5.0
        if second < first:
            q[:], cost = there, second
            normal, normal_on, pull, pull_on = normal_on, normal, pull_on, pull
        else:
            q[:], cost = tried, first
            normal, normal_there, pull, pull_there = normal_there, normal, pull_there, pull
    return steps


# ------------------------------------------------------------ robust weights


@part
def misses(q: Floats, quotes: Floats, years: float, off: Floats, wanted: Floats) -> None:
    """IV against what the quotes want, in half-spreads, and what they want: the mid, or to be on the right side."""
    sigma1, sigma2 = math.exp(q[3]), math.exp(q[6])
    for i in range(len(off)):
        left, right = hinge(-1.0, quotes[0, i] - q[2], sigma1), hinge(1.0, quotes[0, i] - q[5], sigma2)
        iv = math.sqrt(max(q[0] + q[1] * left[0] + q[4] * right[0], LEAST_W) / years)
        mid = quotes[1, i]
        wanted[i] = min(max(iv, quotes[2, i]), quotes[3, i]) if math.isnan(mid) else mid
        off[i] = (iv - wanted[i]) / quotes[4, i]


@part
def median_size(off: Floats) -> float:
    """The median (the upper of two) of the sizes, sorted as they come in: there are a few dozen."""
    sizes = np.empty(len(off))
    for n in range(len(off)):
        size, i = abs(off[n]), n
        while i > 0 and sizes[i - 1] > size:
            sizes[i] = sizes[i - 1]
            i -= 1
        sizes[i] = size
    return float(sizes[len(off) // 2])


@part
def weigh(quotes: Floats, years: float, missed: float, off: Floats, wanted: Floats, w: Floats, weight: Floats) -> None:
    """Total variances wanted, and weights that turn errors of those into half-spreads of IV, each trusted as it
    deserves that is so far off: measured in medians, where the whole smile has moved."""
    usual = OUTLIER * max(1.0, median_size(off))
    for i in range(len(off)):
        far = abs(off[i])
        trust = (1.0 + missed * max(1.0 - 1.0 / max(far, 1.0), 0.0)) / (1.0 + (far / usual) ** 4)
        w[i] = wanted[i] * wanted[i] * years
        pulls = off[i] != 0.0 or not math.isnan(quotes[1, i])
        weight[i] = math.sqrt(trust) * 0.5 / (wanted[i] * quotes[4, i] * years) if pulls else 0.0


@part
def settled(off: Floats, before: Floats) -> bool:
    """Whether another round would weigh the quotes as the last one did."""
    calm, moved = 0.0, 0.0
    for i in range(len(off)):
        if (off[i] != 0.0) != (before[i] != 0.0):
            return False  # another one-sided quote pulls
        calm, moved = max(calm, abs(off[i]), abs(before[i])), max(moved, abs(off[i] - before[i]))
    return calm < CALM or moved < SETTLED


@compiled("void(f8[::1], f8[:, ::1], f8, f8, f8, f8[:, ::1], i8, i8)")
def rounds(
    q: Floats, quotes: Floats, years: float, missed: float, margin: float, box: Floats, most: int, steps: int
) -> None:
    """Move q to the fit from here."""
    n = quotes.shape[1]
    off, wanted, w, weight = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    before = np.full(n, np.inf)
    for _ in range(most):
        misses(q, quotes, years, off, wanted)
        if settled(off, before):
            break
        before[:] = off
        weigh(quotes, years, missed, off, wanted, w, weight)
        descend(q, quotes[0], w, weight, LOWEST * w.min(), margin, box, steps)


@compiled("UniTuple(f8, 2)(f8[::1], f8[:, ::1], f8)")
def judged(q: Floats, quotes: Floats, years: float) -> tuple[float, float]:
    """The share of the two-sided quotes that hold the fit, and its cost in squared half-spreads, of which a quote has
    `MOST`² at most."""
    n = quotes.shape[1]
    off, wanted = np.empty(n), np.empty(n)
    misses(q, quotes, years, off, wanted)
    two, inside, cost = 0, 0, 0.0
    for i in range(n):
        cost += min(abs(off[i]), MOST) ** 2
        if not math.isnan(quotes[1, i]):
            two, inside = two + 1, inside + (abs(off[i]) <= 1.0)
    return inside / max(two, 1), cost


@compiled("f8[::1](f8[:, ::1], f8[:, ::1], f8, f8, f8, f8[:, ::1])")
def best_of(starts: Floats, quotes: Floats, years: float, missed: float, margin: float, box: Floats) -> Floats:
    """The fit from the cheapest of the starts (n × 7), each a few steps on its way."""
    best: Floats = starts[0].copy()
    cheapest = math.inf
    for i in range(len(starts)):
        q = starts[i].copy()
        rounds(q, quotes, years, missed, margin, box, 1, FIRST_STEPS)
        _, cost = judged(q, quotes, years)
        if cost < cheapest:
            best, cheapest = q, cost
    rounds(best, quotes, years, missed, margin, box, ROUNDS, STEPS)
    return best
