"""Whether every blend of two smiles, (1 − λ) w₁ + λ w₂ with λ from 0 to 1, is proven to have no butterfly anywhere.

Theory of operation. Write g = A² − C + B with A = 1 − k w′/2w, C = w′²/4 (1/w + ¼), B = w″/2. Of a blend

    k w′/w is the mean of the two slices' own, with the weights (1 − λ) w₁ and λ w₂, so A lies between A₁ and A₂,
    C is at most (1 − λ) C₁ + λ C₂, since w′²/w and w′² are convex in (w, w′), and B is (1 − λ) B₁ + λ B₂.

So g ≥ A² − (1 − λ)(C₁ − B₁) − λ (C₂ − B₂). Each part is bounded on boxes of k and λ from what a slice is at the ends
of an interval of k: it is convex, so its slope rises, it lies below its chord and above its tangents, and each hinge's
bend is least at one of the ends. Boxes that the bounds do not decide are quartered, a few times. True is proven; False
may only mean that the boxes were too large.

A slice scaled down has no butterfly if it has none itself: then A stays and −C + B is concave in the scale.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np

from engine.surface.svi import Floats, Slice, grid

REACH = 50.0  # |k| beyond which one bound holds to infinity
POINTS, CELLS = 40, 4  # of k (each slice's), of λ: to begin with
ROUNDS, MOST = 12, 20_000  # of quartering; boxes that may be left undecided in one


class There(NamedTuple):
    """A slice at log-moneynesses: w, w′ and its two hinges' bends."""

    w: Floats
    slope: Floats
    left: Floats
    right: Floats


class Bounds(NamedTuple):
    """A slice on intervals: the least and most of w and A, the least of B − C."""

    least: Floats
    most: Floats
    low: Floats
    high: Floats
    rest: Floats


@lru_cache(maxsize=256)
def safe(near: Slice, far: Slice) -> bool:
    """Proven for every k and λ. Both slices must be free of butterflies."""
    return _right(near, far) and _right(_mirrored(near), _mirrored(far))


def _mirrored(piece: Slice) -> Slice:
    """As seen with −k."""
    return msgspec.structs.replace(piece, b1=piece.b2, m1=-piece.m2, sigma1=piece.sigma2,
                                   b2=piece.b1, m2=-piece.m1, sigma2=piece.sigma1)  # fmt: skip


def _right(near: Slice, far: Slice) -> bool:
    """Of k ≥ 0."""
    if not _wing(near, far):
        return False
    points = np.concatenate([grid(near, POINTS), grid(far, POINTS), [0.0, REACH]])
    ends = np.unique(np.clip(points, 0.0, REACH))
    cells = np.linspace(0.0, 1.0, CELLS + 1)
    k0, l0 = (each.ravel() for each in np.meshgrid(ends[:-1], cells[:-1]))
    k1, l1 = (each.ravel() for each in np.meshgrid(ends[1:], cells[1:]))
    for _ in range(ROUNDS):
        open_ = ~(_bound(_bounds(near, k0, k1), _bounds(far, k0, k1), l0, l1) >= 0.0)
        if not open_.any():
            return True
        if open_.sum() > MOST:
            return False
        k0, k1, l0, l1 = _quartered(*(each[open_] for each in (k0, k1, l0, l1)))
    return False


def _quartered(k0: Floats, k1: Floats, l0: Floats, l1: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    k, share = (k0 + k1) / 2.0, (l0 + l1) / 2.0
    return (
        np.concatenate([k0, k0, k, k]), np.concatenate([k, k, k1, k1]),
        np.concatenate([l0, share, l0, share]), np.concatenate([share, l1, share, l1]),
    )  # fmt: skip


def _bound(one: Bounds, two: Bounds, l0: Floats, l1: Floats) -> Floats:
    """g of the blends is no less on each box."""
    lean, rich = two.least / one.most, two.most / one.least  # w₂/w₁
    p0, p1 = l0 * lean / (1.0 - l0 + l0 * lean), l1 * rich / (1.0 - l1 + l1 * rich)  # the weight of A₂
    low = np.minimum(one.low + p0 * (two.low - one.low), one.low + p1 * (two.low - one.low))
    high = np.maximum(one.high + p0 * (two.high - one.high), one.high + p1 * (two.high - one.high))
    nearest = np.maximum(np.maximum(low, -high), 0.0)
    rest = np.minimum(one.rest + l0 * (two.rest - one.rest), one.rest + l1 * (two.rest - one.rest))
    return np.asarray(nearest * nearest + rest)


def _bounds(piece: Slice, k0: Floats, k1: Floats) -> Bounds:
    """On intervals of 0 ≤ k₀ < k₁."""
    a, b = _there(piece, k0), _there(piece, k1)
    step, gap = k1 - k0, b.slope - a.slope
    kink = np.where(gap > 0.0, (a.w - b.w + b.slope * step) / np.where(gap > 0.0, gap, 1.0), 0.0)
    tangents = a.w + a.slope * np.clip(kink, 0.0, step)
    least = np.where(a.slope >= 0.0, a.w, np.where(b.slope <= 0.0, b.w, tangents))
    most = np.maximum(a.w, b.w)
    least = np.where(least > 0.0, least, np.nan)  # nothing is proven of it then
    high = np.where(b.slope > 0.0, k1 * b.slope / least, k0 * b.slope / most)  # k w′/w
    low = np.where(a.slope > 0.0, k0 * a.slope / most, k1 * a.slope / least)
    steep = np.maximum(a.slope * a.slope, b.slope * b.slope)
    bend = np.minimum(a.left, b.left) + np.minimum(a.right, b.right)
    return Bounds(least, most, 1.0 - high / 2.0, 1.0 - low / 2.0, bend / 2.0 - steep / 4.0 * (1.0 / least + 0.25))


def _there(piece: Slice, k: Floats) -> There:
    x1, x2 = k - piece.m1, k - piece.m2
    s1, s2 = piece.sigma1**2, piece.sigma2**2
    r1, r2 = np.sqrt(x1 * x1 + s1), np.sqrt(x2 * x2 + s2)
    left = np.where(x1 > 0.0, s1 / (r1 + np.abs(x1)), r1 - x1)
    right = np.where(x2 < 0.0, s2 / (r2 + np.abs(x2)), r2 + x2)
    return There(
        piece.a + piece.b1 * left + piece.b2 * right,
        piece.b2 * right / r2 - piece.b1 * left / r1,
        piece.b1 * s1 / r1**3,
        piece.b2 * s2 / r2**3,
    )


def _wing(near: Slice, far: Slice) -> bool:
    """From `REACH` on: a slope is between that at the edge and 2 b₂, w above the tangent, and so k w′/w no higher than
    the greater of what the two make of it at both ends."""
    highest, rest = 0.0, 0.0
    for piece in (near, far):
        edge = _there(piece, np.array([REACH]))
        w, slope, steepest = float(edge.w[0]), float(edge.slope[0]), 2.0 * piece.b2
        if steepest > 0.0 and slope <= 0.0:
            return False
        least = w if steepest > 0.0 else piece.a
        if not (least > 0.0 and w > 0.0):
            return False
        high = max(REACH * steepest / w, steepest / slope) if steepest > 0.0 else 0.0
        highest, rest = max(highest, high), max(rest, max(slope * slope, steepest**2) / 4.0 * (1.0 / least + 0.25))
    return highest <= 2.0 and (1.0 - highest / 2.0) ** 2 >= rest
