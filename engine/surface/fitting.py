"""From quotes of one expiry to its slice.

Theory of operation. The errors are those that matter: total variance against the mid's, in half-spreads, with weights
that trust an outlier little (`descent`). With `missed` above 0 a quote narrowly missed counts more than one that is
held: more of them are inside, and the fit is farther from mid (`evaluate surface` shows how these two pull apart).

A fit starts from the last one. Where that leads to within the quotes it is done; else, and at first, a few hinges laid
over the quotes are tried and the best is the start. Butterflies are part of the errors; a slice that is still not
proven free of them is fitted once more with a wider margin, and what that leaves is taken away by `svi.tamed`.
Deterministic throughout.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.surface import descent
from engine.surface.descent import FARTHEST, LED, LEVEL_WING, ROUNDS, SHARPEST, STEEPEST, STEPS, WIDEST
from engine.surface.svi import SAFE_G, Slice, flat, least_g, tamed

Floats = NDArray[np.float64]

MARGINS = 1e-3, 1e-2  # g is kept above that on a grid, and, where that does not do between its points, above more
NARROWEST, LEAST_SIGMA = 1e-2, 1e-4  # a span of quotes, and a σ, are taken as at least that
WIDTHS = 0.05, 0.15, 0.5  # σ of the hinges to start from, in spans of the quotes


class Points(msgspec.Struct, frozen=True):
    """Quotes as arrays of one length, fractions a year, sorted by `k`. `mid` is NaN where only one side is quoted; the
    missing side is −inf or inf. `scale` is the half-spread, above 0. At least one point must have a mid."""

    k: Floats
    mid: Floats
    low: Floats
    high: Floats
    scale: Floats


def fit(points: Points, years: float, last: Slice | None = None, missed: float = 0.0) -> Slice:
    """The slice nearest to the quotes with g ≥ 0 on the whole line. Wants five mids or more to mean anything."""
    quotes = np.stack([points.k, points.mid, points.low, points.high, points.scale])
    known = quotes[:, ~np.isnan(quotes[1])]
    box = _box(known[0])
    q = None if last is None else _numbers(last, box)
    if q is not None:
        descent.rounds(q, quotes, years, missed, MARGINS[0], box, ROUNDS, STEPS)
    if q is None or not descent.judged(q, quotes, years)[0] >= LED:
        q = _cheaper(q, descent.best_of(_starts(known, years), quotes, years, missed, MARGINS[0], box), quotes, years)
    piece = slice_of(q)
    if piece is not None and least_g(piece) >= SAFE_G:
        return piece
    descent.rounds(q, quotes, years, missed, MARGINS[1], box, ROUNDS, STEPS)
    return tamed(slice_of(q) or flat(_median(known[1]) ** 2 * years))


def slice_of(q: Floats) -> Slice | None:
    """The slice of the seven numbers; None if they are not finite."""
    a, b1, m1, log1, b2, m2, log2 = q.tolist()
    if not np.isfinite(q).all():
        return None
    b1, b2 = (b if b > LEVEL_WING else 0.0 for b in (b1, b2))
    return Slice(a=a, b1=b1, m1=m1, sigma1=math.exp(log1), b2=b2, m2=m2, sigma2=math.exp(log2))


def _numbers(piece: Slice, box: Floats) -> Floats:
    q = piece.numbers()
    q[[3, 6]] = np.log(q[[3, 6]])
    return np.clip(q, box[0], box[1])


def _box(k: Floats) -> Floats:
    """Where the seven numbers may be, 2 × 7: no hinge is sharper than strikes could tell."""
    span, between = max(float(k[-1] - k[0]), NARROWEST), _median(np.diff(k))
    reach, wide = FARTHEST * span, math.log(WIDEST * span)
    sharp = math.log(max(SHARPEST * between, LEAST_SIGMA))
    low, high = float(k[0]) - reach, float(k[-1]) + reach
    return np.array([[-np.inf, 0.0, low, sharp, 0.0, low, sharp], [np.inf, STEEPEST, high, wide, STEEPEST, high, wide]])


def _starts(known: Floats, years: float) -> Floats:
    k, level = known[0], _median(known[1]) ** 2 * years
    span = max(float(k[-1] - k[0]), NARROWEST)
    a, b = 0.7 * level, min(0.3 * level / span, STEEPEST / 2.0)
    middle = float(k[0] + k[-1]) / 2.0
    return np.array([(a, b, middle, math.log(s * span), b, middle, math.log(s * span)) for s in WIDTHS])


def _cheaper(q: Floats | None, other: Floats, quotes: Floats, years: float) -> Floats:
    if q is None or not descent.judged(q, quotes, years)[1] <= descent.judged(other, quotes, years)[1]:
        return other
    return q


def _median(values: Floats) -> float:
    """The upper of two; 0 of nothing."""
    return float(np.sort(values)[len(values) // 2]) if len(values) else 0.0
