"""From quotes of one expiry to its SVI slice.

Theory of operation. For a given pair (m, σ) the slice is linear in (a, bρ, b) (Zeliade's quasi-explicit form). So a
coarse grid of pairs, with the last fit's own among them, is solved as one stack of 3×3 systems, and the cheapest is the
start. From there Levenberg–Marquardt moves the pair, and the linear three are solved anew after each step: that follows
the long curved valley of SVI's cost, in which plain descent creeps.

The errors are those that matter: IV against mid, in half-spreads; a one-sided quote pulls only while the fit is on its
wrong side; a quote many half-spreads off counts little (two rounds of Cauchy weights, each from the grid anew, since a
smile that has bent towards an outlier stays bent).

A slice with a butterfly is fitted once more, from the cheapest pair of the grid that has none, with g as a penalty
where it is negative; what the penalty leaves is taken away by `svi.tamed`. Deterministic throughout.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.surface.svi import MIN_LEVEL, SAFE_G, Slice, flat, g, g_grid, least_g, tamed

Floats = NDArray[np.float64]

STEEPEST = 1.98  # b(1 + |ρ|) at most: at 2 a wing's g falls to 0 (Lee 2004)
MIN_SIGMA = 1e-3
MIN_B = 1e-9
G_MARGIN, G_PENALTY, G_COARSE = 1e-4, 300.0, 61  # half-spreads for g below the margin; points looked at on the way
FREE_STEPS, FREE_GAIN = 20, 1e-4  # at most so many steps; stop when one gains less than this share of the cost
GUARDED_STEPS, GUARDED_GAIN = 20, 1e-3
OUTLIER, ROBUST_ROUNDS = 4.0, 2  # half-spreads
_ROUND = np.eye(3, dtype=bool)
_NUDGE = 1e-5
_PAIR_ONLY = np.array([1e-8, 1e-8, 1e-8, 1.0, 1.0])


class Points(msgspec.Struct, frozen=True):
    """Quotes as arrays of one length, fractions a year. `mid` is NaN where only one side is quoted; the missing side
    is −inf or inf. `scale` is the half-spread, above 0. At least one point must have a mid."""

    k: Floats
    mid: Floats
    low: Floats
    high: Floats
    scale: Floats


def fit(points: Points, years: float, last: Slice | None = None) -> Slice:
    """The slice nearest to the quotes with g ≥ 0 on the whole line. Wants five mids or more to mean anything."""
    q = _descend(_start(points, years, last, safe=False), points, years, guarded=False)
    trusted = points.scale
    for _ in range(ROBUST_ROUNDS):
        off = np.abs(_errors(q, points, years)[0]) * points.scale / trusted
        if float(off.max()) <= OUTLIER:
            break
        points = msgspec.structs.replace(points, scale=trusted * np.sqrt(1.0 + (off / OUTLIER) ** 2))
        q = _descend(_start(points, years, last, safe=False), points, years, guarded=False)
    found = _slice(q)
    if least_g(found) >= SAFE_G:
        return found
    return tamed(_slice(_descend(_start(points, years, last, safe=True), points, years, guarded=True)))


# Inside, a slice is an array q = (a, d, c, m, σ): w = a + d (k − m) + c √((k − m)² + σ²), so c = b and d = bρ.


def _start(points: Points, years: float, last: Slice | None, *, safe: bool) -> Floats:
    """The best pair of a grid with its linear three; with `safe`, the best among those without a butterfly."""
    two = np.isfinite(points.mid)
    k, mid, scale = points.k[two], points.mid[two], points.scale[two]
    w, weight = mid * mid * years, 1.0 / (2.0 * mid * years * scale) ** 2
    m, sigma = _pairs(k, last, safe=safe)
    x = k - m
    root = np.sqrt(x * x + sigma * sigma)
    basis = np.stack([np.ones_like(x), x, root], axis=1)  # pairs × 3 × points
    normal = (basis * weight) @ basis.transpose(0, 2, 1)
    normal[:, _ROUND] *= 1.0 + 1e-10
    _, d, c = np.linalg.solve(normal, (basis * weight) @ w[:, None])[..., 0].T
    c = np.clip(c, MIN_B, STEEPEST)
    bound = np.minimum(c, STEEPEST - c)
    d = np.clip(d, -bound, bound)
    rest = w - d[:, None] * x - c[:, None] * root
    a = np.maximum(rest @ weight / weight.sum(), _lowest(c, d, sigma[:, 0]))
    cost = ((rest - a[:, None]) ** 2) @ weight
    found = np.stack([a, d, c, m[:, 0], sigma[:, 0]])
    if safe:
        params = np.stack([a, c, d / c, m[:, 0], sigma[:, 0]])[:, :, None]
        cost = np.where(np.min(g(params, g_grid(m, sigma, G_COARSE)), axis=1) >= 0.0, cost, np.inf)
    best = int(np.argmin(cost))
    if not math.isfinite(cost[best]):
        return _array(flat(float(w @ weight / weight.sum())))
    return found[:, best]


def _pairs(k: Floats, last: Slice | None, *, safe: bool) -> tuple[Floats, Floats]:
    """Columns of m and σ to try, on the scale of the quotes; finer and wider where butterflies must be avoided."""
    low, span = float(k.min()), max(float(k.max() - k.min()), 1e-2)
    m = low + span * (np.linspace(-0.2, 1.2, 9) if safe else np.linspace(0.1, 0.9, 5))
    sigma = span * (np.geomspace(0.02, 2.0, 9) if safe else np.geomspace(0.02, 0.8, 6))
    pairs = np.stack(np.meshgrid(m, sigma), axis=-1).reshape(-1, 2)
    if last is not None and last.b > MIN_B:
        pairs = np.vstack([pairs, [last.m, last.sigma]])
    return pairs[:, :1], np.maximum(pairs[:, 1:], MIN_SIGMA)


def _descend(q: Floats, points: Points, years: float, *, guarded: bool) -> Floats:
    """Levenberg–Marquardt from `q`; with `guarded`, negative g is part of the errors and all five share the damping."""
    damped = np.ones(5) if guarded else _PAIR_ONLY
    steps, least = (GUARDED_STEPS, GUARDED_GAIN) if guarded else (FREE_STEPS, FREE_GAIN)
    error, slope = _all_errors(q, points, years, guarded=guarded)
    cost, damping = float(error @ error), 1e-3
    for _ in range(steps):
        normal = slope @ slope.T
        scaled = np.diag(normal) * (damping * damped + 1e-12) + 1e-300
        tried = _allowed(_moved(q, np.asarray(np.linalg.solve(normal + np.diag(scaled), slope @ error))))
        if not guarded:
            tried = _allowed(_relined(tried, q, points, years))
        error_there, slope_there = _all_errors(tried, points, years, guarded=guarded)
        gain = cost - float(error_there @ error_there)
        if gain <= 0.0:
            damping *= 8.0
            continue
        small = gain < least * cost
        q, error, slope, cost, damping = tried, error_there, slope_there, cost - gain, damping / 5.0
        if small:
            break
    return q


def _moved(q: Floats, move: Floats) -> Floats:
    """One step; σ moves on a logarithm, by a factor of e at most."""
    tried = q - move
    tried[4] = q[4] * math.exp(min(max(-float(move[4]), -1.0), 1.0))
    return tried


def _allowed(q: Floats) -> Floats:
    """Into the box: wings no steeper than `STEEPEST`, |ρ| ≤ 1, σ and the lowest variance above nothing."""
    a, d, c, m, sigma = (float(value) for value in q)
    c, sigma = min(max(c, MIN_B), STEEPEST), max(sigma, MIN_SIGMA)
    bound = min(c, STEEPEST - c)
    d = min(max(d, -bound), bound)
    return np.array([max(a, MIN_LEVEL - sigma * math.sqrt(max(c * c - d * d, 0.0))), d, c, m, sigma])


def _lowest(c: Floats, d: Floats, sigma: Floats) -> Floats:
    """The least a that leaves total variance positive."""
    return np.asarray(MIN_LEVEL - sigma * np.sqrt(np.maximum(c * c - d * d, 0.0)))


def _relined(q: Floats, before: Floats, points: Points, years: float) -> Floats:
    """The linear three solved for the pair of `q`; weights from `before` make squared errors of w those of IV."""
    iv = _iv(before, points.k, years)[0]
    wanted = _wanted(points, iv)
    weight = np.where(wanted == iv, 0.0, 1.0) / ((iv + wanted) * years * points.scale)
    x = points.k - q[3]
    basis = np.stack([np.ones_like(x), x, np.sqrt(x * x + q[4] * q[4])]) * weight
    normal = basis @ basis.T
    normal[_ROUND] *= 1.0 + 1e-12
    normal[_ROUND] += 1e-300
    three = np.linalg.solve(normal, basis @ (wanted * wanted * years * weight))
    return np.concatenate([three, q[3:]])


def _all_errors(q: Floats, points: Points, years: float, *, guarded: bool) -> tuple[Floats, Floats]:
    """Errors and their slopes by (a, d, c, m, ln σ), 5 × errors."""
    error, slope = _errors(q, points, years)
    if guarded:
        more, steeper = _butterflies(q)
        error, slope = np.concatenate([error, more]), np.concatenate([slope, steeper], axis=1)
    slope[4] *= q[4]
    return error, slope


def _errors(q: Floats, points: Points, years: float) -> tuple[Floats, Floats]:
    """IV against what the quotes want, in half-spreads, and its slopes by (a, d, c, m, σ)."""
    iv, x, root = _iv(q, points.k, years)
    error = (iv - _wanted(points, iv)) / points.scale
    by_w = (error != 0.0) / (2.0 * years * iv * points.scale)
    _, d, c, _, sigma = q
    return error, np.stack([np.ones_like(x), x, root, -d - c * x / root, c * sigma / root]) * by_w


def _iv(q: Floats, k: Floats, years: float) -> tuple[Floats, Floats, Floats]:
    a, d, c, m, sigma = q
    x = k - m
    root = np.sqrt(x * x + sigma * sigma)
    return np.sqrt(np.maximum(a + d * x + c * root, MIN_LEVEL) / years), x, root


def _wanted(points: Points, iv: Floats) -> Floats:
    """The mid, or for a one-sided quote the fit itself as long as it is on the right side."""
    return np.where(np.isnan(points.mid), np.minimum(np.maximum(iv, points.low), points.high), points.mid)


def _butterflies(q: Floats) -> tuple[Floats, Floats]:
    """Negative g on a coarse grid, in half-spreads, and its slopes by differences of each parameter's own scale."""
    _, _, c, _, sigma = q
    nudge = _NUDGE * np.array([max(c * sigma, MIN_LEVEL), c, c, sigma, sigma])
    a, d, c, m, sigma = np.concatenate([q[:, None], q[:, None] + np.diag(nudge)], axis=1)
    many = g(np.stack([a, c, d / c, m, sigma])[:, :, None], g_grid(q[3:4], q[4:5], G_COARSE))
    below = np.minimum(many[0] - G_MARGIN, 0.0)
    return below * G_PENALTY, (many[1:] - many[0]) / nudge[:, None] * (below < 0.0) * G_PENALTY


def _slice(q: Floats) -> Slice:
    a, d, c, m, sigma = (float(value) for value in q)
    return Slice(a=a, b=c, rho=max(-1.0, min(1.0, d / c)), m=m, sigma=sigma)


def _array(piece: Slice) -> Floats:
    b = max(piece.b, MIN_B)
    return np.array([piece.a, piece.rho * b, b, piece.m, piece.sigma])
