"""Slow, independent references: butterflies by the roots of a polynomial, fits by a general optimiser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.polynomial import Polynomial
from scipy.optimize import least_squares, minimize_scalar
from scipy.stats import norm

from engine.surface.between import Rung, total_variance
from engine.surface.fitting import Points
from engine.surface.svi import Slice, raw

VOGT_RAW = (-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
VOGT = raw(*VOGT_RAW)

FARTHEST = 100.0  # of log-moneyness: e¹⁰⁰ forwards; out there the polynomial of a level wing is rounding alone
SCANNED = 4001


def butterflies(piece: Slice) -> list[tuple[float, float]]:
    """Every open interval of log-moneyness on which g < 0, ends included to the steps of a fine scan of both hinges;
    between two points of the scan the least g is searched. Total variance must be positive."""
    even = np.linspace(-1.0, 1.0, SCANNED)
    both = [m + s * np.sinh(math.asinh(FARTHEST / s) * even) for m, s in _hinges(piece)]
    k = np.unique(np.concatenate([*both, [0.0]]))
    values = g_of(piece, k)
    found = [(float(k[n - 1]), float(k[n + 1])) for n in np.flatnonzero(values < 0.0) if 0 < n < len(k) - 1]
    for n in np.flatnonzero((values[1:-1] >= 0.0) & (values[1:-1] < 1e-2)) + 1:
        if values[n] <= min(values[n - 1], values[n + 1]):
            least = minimize_scalar(lambda x: float(g_of(piece, np.array([x]))[0]), bounds=(k[n - 1], k[n + 1]),
                                    method="bounded", options={"xatol": 1e-10})  # fmt: skip
            if least.fun < 0.0:
                found.append((float(least.x), float(least.x)))
    return _joined(found)


def _hinges(piece: Slice) -> tuple[tuple[float, float], tuple[float, float]]:
    return (piece.m1, piece.sigma1), (piece.m2, piece.sigma2)


def g_of(piece: Slice, k: np.ndarray) -> np.ndarray:
    """Gatheral's function from the definition of w, its derivatives written out by hand."""
    w, slope, bend = np.full_like(k, piece.a), np.zeros_like(k), np.zeros_like(k)
    for b, m, s, side in ((piece.b1, piece.m1, piece.sigma1, -1), (piece.b2, piece.m2, piece.sigma2, 1)):
        root = np.hypot(k - m, s)
        outward = side * (k - m)
        w += b * np.where(outward > 0, root + outward, s * s / (root - np.minimum(outward, 0.0)))
        slope += side * b * (1 + outward / root)
        bend += b * s * s / root**3
    return np.asarray((1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2)


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out


def butterflies_of_raw(a: float, b: float, rho: float, m: float, sigma: float) -> list[tuple[float, float]]:
    """Every open interval of log-moneyness on which g < 0, exactly, for raw SVI.

    With k = m + σ sinh u and x = eᵘ, g times 16 (x² + 1)³ (2xw)² is a polynomial of degree ten in x: its positive roots
    are all the places where g can change its sign, so nothing hides between the points of a grid.
    """
    x = Polynomial([0.0, 1.0])
    cosh, sinh = x**2 + 1, x**2 - 1  # each times 2x
    k = 2 * m * x + sigma * sinh
    w = 2 * a * x + b * sigma * (rho * sinh + cosh)
    slope = b * (rho * cosh + sinh)  # w′ times cosh
    skewed = 2 * cosh * w - k * slope
    g = 4 * cosh * skewed**2 - slope**2 * cosh * (8 * x * w + w**2) + 64 * b / sigma * x**3 * w**2
    roots = [complex(root) for root in np.roots(g.coef[::-1])]
    real = sorted({r.real for r in roots if r.real > 0 and abs(r.imag) <= 1e-9 * abs(r)})
    edges = [0.0, *real, math.inf]
    found = []
    for low, high in pairwise(edges):
        middle = math.sqrt(max(low, 1e-6) * min(high, 1e6)) if low < high else low
        if g(middle) < 0.0:
            found.append((_moneyness(m, sigma, low), _moneyness(m, sigma, high)))
    return [span for span in found if max(span[0], -span[1]) < FARTHEST]


def _moneyness(m: float, sigma: float, x: float) -> float:
    if x <= 0.0 or math.isinf(x):
        return math.copysign(math.inf, x - 1.0)
    return m + sigma * (x - 1.0 / x) / 2.0


def best_fit(points: Points, years: float) -> Slice:
    """The best of twelve bounded searches from different places; arbitrage is no concern."""
    level, span = float(np.median(points.mid)) ** 2 * years, float(np.ptp(points.k))

    def errors(p: np.ndarray) -> np.ndarray:
        a, b, rho, m, sigma = p
        w = a + b * (rho * (points.k - m) + np.sqrt((points.k - m) ** 2 + sigma**2))
        return np.asarray((np.sqrt(np.maximum(w, 1e-9) / years) - points.mid) / points.scale)

    bounds = ([-5.0, 1e-9, -0.9999, -3.0, 1e-3], [5.0, 3.0, 0.9999, 3.0, 5.0])
    starts = [
        [level / 2, level, rho, m, sigma * span]
        for rho in (-0.4, 0.4)
        for m in (-0.3 * span, 0.0, 0.3 * span)
        for sigma in (0.1, 0.5)
    ]
    searches = [
        least_squares(errors, s, bounds=bounds, x_scale=[level, level, 1, span, span], max_nfev=300) for s in starts
    ]
    a, b, rho, m, sigma = (float(value) for value in min(searches, key=lambda search: search.cost).x)
    return raw(a=a, b=b, rho=rho, m=m, sigma=sigma)


def rms(piece: Slice, points: Points, years: float) -> float:
    """Root mean square error of a slice to the mids, in half-spreads."""
    two = np.isfinite(points.mid)
    iv = np.sqrt(piece.ws(points.k[two]) / years)
    return float(np.sqrt(np.mean(((iv - points.mid[two]) / points.scale[two]) ** 2)))


def arbitrages(rungs: Sequence[Rung], times: Sequence[float]) -> list[str]:
    """Butterflies and calendars in call prices by Black's formula as scipy has it, on dense strikes at these times.

    Prices are in units of the forward; the second difference is taken of out-of-the-money values by parity, so that
    no digits are lost; what rounding can do is allowed."""
    k = np.linspace(-1.0, 1.0, 241)
    x, found, before = np.exp(k), [], np.zeros_like(k)
    for years in sorted(times):
        w = np.array([total_variance(rungs, float(each), years) or 0.0 for each in k])
        root = np.sqrt(np.maximum(w, 1e-300))
        call = norm.cdf(-k / root + root / 2) - x * norm.cdf(-k / root - root / 2)
        slope = np.diff(call) / np.diff(x)
        if float(np.diff(slope).min()) < -1e-9 or slope.min() < -1.0 - 1e-9 or slope.max() > 1e-9:
            found.append(f"butterfly at {years:.4f}: {float(np.diff(slope).min()):.2e}")
        if float((call - before).min()) < -1e-9:
            found.append(f"calendar at {years:.4f}: {float((call - before).min()):.2e}")
        before = call
    return found
