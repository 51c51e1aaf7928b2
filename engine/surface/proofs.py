"""What is proven of slices on the whole line: no butterfly in one, no crossing of two. Compiled; see `svi` for w and g.

Theory of operation. w is convex, so on an interval its slope lies between those at the ends, it lies below its chord
and above its tangents, and each hinge's bend is least at one of the ends (it falls away from its m to both sides). From
these g, and the difference of two slices, are bounded below; where the bound does not do, the interval is halved.
Beyond ±`REACH` one more bound holds to infinity. So a slice is only ever called safe where it is; up to rounding, for
which `svi.SAFE_G` leaves room.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled, part

Floats = NDArray[np.float64]
There = tuple[float, float, float, float]  # w, w′ and the two hinges' parts of w″

REACH = 50.0
CLEAR = 0.02  # a bound of g that is not asked to be closer
CLOSE, SHARE = 5e-5, 1e-3  # below that the least g is known to so much, or to such a share of it
MOST = 20_000  # intervals looked at, at most: what is undecided then counts as not proven
DEEP = 64  # intervals put aside on the way: each is at most half of the one before


@part
def at(p: Floats, k: float) -> There:
    """A slice at one log-moneyness."""
    x1, x2 = k - p[2], k - p[5]
    s1, s2 = p[3] * p[3], p[6] * p[6]
    r1, r2 = math.sqrt(x1 * x1 + s1), math.sqrt(x2 * x2 + s2)
    left = s1 / (r1 + x1) if x1 > 0.0 else r1 - x1
    right = s2 / (r2 - x2) if x2 < 0.0 else r2 + x2
    w = p[0] + p[1] * left + p[4] * right
    slope = p[4] * right / r2 - p[1] * left / r1
    return w, slope, p[1] * s1 / (r1 * r1 * r1), p[4] * s2 / (r2 * r2 * r2)


@compiled("f8[:, ::1](f8[::1], f8[::1])")
def rows(p: Floats, k: Floats) -> Floats:
    """w, w′ and w″ at each of `k`, 3 × n."""
    out = np.empty((3, len(k)))
    for i in range(len(k)):
        w, slope, left, right = at(p, k[i])
        out[0, i], out[1, i], out[2, i] = w, slope, left + right
    return out


@part
def above_tangents(low: float, slope_low: float, high: float, slope_high: float, h: float) -> float:
    """The least that a convex function can be on an interval of length h, from its values and slopes at the ends."""
    if slope_low >= 0.0:
        return low
    if slope_high <= 0.0:
        return high
    return low + slope_low * (low - high + slope_high * h) / (slope_high - slope_low)


# ------------------------------------------------------------ butterflies


@part
def g(k: float, there: There) -> float:
    """As `svi.g`; −inf where total variance is not positive."""
    w, slope, left, right = there
    if not w > 0.0:
        return -math.inf
    skewed = 1.0 - k * slope / (2.0 * w)
    return skewed * skewed - slope * slope / 4.0 * (1.0 / w + 0.25) + (left + right) / 2.0


@part
def g_bound(k0: float, p0: There, k1: float, p1: There) -> float:
    """g is no less between k0 and k1 (0 ≤ k0 < k1)."""
    w0, s0, left0, right0 = p0
    w1, s1, left1, right1 = p1
    least, most = above_tangents(w0, s0, w1, s1, k1 - k0), max(w0, w1)
    if not least > 0.0:
        return -math.inf
    high = k1 * s1 / least if s1 > 0.0 else k0 * s1 / most  # k w′/w is between low and high
    low = k0 * s0 / most if s0 > 0.0 else k1 * s0 / least
    short = max(1.0 - high / 2.0, low / 2.0 - 1.0, 0.0)
    steep = max(s0 * s0, s1 * s1)
    return short * short - steep / 4.0 * (1.0 / least + 0.25) + (min(left0, left1) + min(right0, right1)) / 2.0


@part
def wing_bound(p: Floats, edge: There) -> float:
    """g is no less from REACH on, where the slice is at `edge`: there its slope is between that and 2 b₂, its total
    variance above its right asymptote, and above the tangent if that rises, and k w′/w below the greater of what each
    of these makes of it at both ends."""
    w, slope, _, _ = edge
    steepest = 2.0 * p[4]
    least, high = p[0], 0.0
    if steepest > 0.0:
        least = p[0] + steepest * (REACH - p[5])
        high = max(REACH * steepest / least, 1.0) if least > 0.0 else math.inf
        if slope > 0.0:
            least, high = w, min(high, max(REACH * steepest / w, steepest / slope))
    if not (least > 0.0 and w > 0.0 and high <= 2.0):
        return -math.inf
    short = 1.0 - high / 2.0
    return float(short * short - max(slope * slope, steepest * steepest) / 4.0 * (1.0 / least + 0.25))


@part
def least_right(p: Floats, best: float) -> float:
    """As `least_g`, of k ≥ 0; `best`: a g that is known to occur."""
    ends = np.empty((DEEP, 2))
    k0, k1 = 0.0, REACH
    p0, p1 = at(p, k0), at(p, k1)
    found = wing_bound(p, p1)
    waiting = 0
    for _ in range(MOST):
        best = min(best, g(k1, p1))
        bound = g_bound(k0, p0, k1, p1)
        if not (bound >= CLEAR or bound >= best - CLOSE - SHARE * abs(best)):
            middle = k0 + (k1 - k0) / 2.0
            if waiting == DEEP or not k0 < middle < k1:
                return -math.inf
            ends[waiting, 0], ends[waiting, 1] = middle, k1
            waiting += 1
            k1 = middle
            p1 = at(p, k1)
            continue
        found = min(found, bound)
        if waiting == 0:
            return found
        waiting -= 1
        k0, k1 = ends[waiting, 0], ends[waiting, 1]
        p0, p1 = at(p, k0), at(p, k1)
    return -math.inf


@compiled("f8(f8[::1])")
def least_g(p: Floats) -> float:
    """A lower bound of g on the whole line, close to the least where that is below `CLEAR` (above it says no
    more than that); −inf where total variance is not positive everywhere, or nothing could be proven."""
    for value in p:
        if not math.isfinite(value):
            return -math.inf
    if p[1] < 0.0 or p[4] < 0.0 or p[3] <= 0.0 or p[6] <= 0.0:
        return -math.inf
    mirrored = np.array([p[0], p[4], -p[5], p[6], p[1], -p[2], p[3]])
    best = g(0.0, at(p, 0.0))
    right = least_right(p, best)
    return min(right, least_right(mirrored, best))


# ------------------------------------------------------------ crossings


@part
def rises(near: Floats, far: Floats) -> bool:
    """Whether the nearer slice may lie above the farther one somewhere; False is proven."""
    ends = np.empty((DEEP, 2))
    k0, k1 = -REACH, REACH
    n0, _, _, _ = at(near, k0)
    f0, t0, _, _ = at(far, k0)
    n1, _, _, _ = at(near, k1)
    f1, t1, _, _ = at(far, k1)
    if not (f0 >= n0 and f1 >= n1 and t1 >= 2.0 * near[4] and -t0 >= 2.0 * near[1]):
        return True  # beyond, the nearer one is no steeper than its asymptotes
    waiting = 0
    for _ in range(MOST):
        chord = (n1 - n0) / (k1 - k0)
        if above_tangents(f0 - n0, t0 - chord, f1 - n1, t1 - chord, k1 - k0) < 0.0:
            middle = k0 + (k1 - k0) / 2.0
            n, _, _, _ = at(near, middle)
            f, t, _, _ = at(far, middle)
            if waiting == DEEP or not k0 < middle < k1 or not f >= n:
                return True
            ends[waiting, 0], ends[waiting, 1] = middle, k1
            waiting += 1
            k1, n1, f1, t1 = middle, n, f, t
            continue
        if waiting == 0:
            return False
        waiting -= 1
        k0, k1 = ends[waiting, 0], ends[waiting, 1]
        n0, _, _, _ = at(near, k0)
        f0, t0, _, _ = at(far, k0)
        n1, _, _, _ = at(near, k1)
        f1, t1, _, _ = at(far, k1)
    return True


@compiled("b1[::1](f8[:, ::1], f8[:, ::1])")
def rising(near: Floats, far: Floats) -> NDArray[np.bool_]:
    """`rises` of each pair of rows."""
    out = np.empty(len(near), dtype=np.bool_)
    for i in range(len(near)):
        out[i] = rises(near[i], far[i])
    return out
