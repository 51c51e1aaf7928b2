"""A slice fitted with butterflies as part of the errors, for quotes whose best slice has one.

The start is the cheapest pair of a grid that has none. Levenberg–Marquardt then moves all five, with g as a penalty
where it is negative on a coarse grid. Slower than the plain descent, and rarely needed; `svi.tamed` has the last word.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.surface.descent import MIN_B, MIN_SIGMA, STEEPEST, Five, allowed
from engine.surface.svi import MIN_LEVEL, Slice, g, g_grid

Floats = NDArray[np.float64]

G_MARGIN, G_PENALTY, G_COARSE = 1e-4, 300.0, 61  # half-spreads for g below the margin; points looked at on the way
STEPS, GAIN, NUDGE = 20, 1e-3, 1e-5


def descend(begin: Five, k: Floats, w: Floats, weight: Floats) -> Five:
    """From `begin` to the least Σ (weight (w(k) − w))² with g ≥ 0, nearly."""
    q = np.array(begin)
    error, slope = _errors(q, k, w, weight)
    cost, damping = float(error @ error), 1e-3
    for _ in range(STEPS):
        normal = slope @ slope.T
        scaled = np.diag(normal) * (damping + 1e-12) + 1e-300
        tried = _moved(q, np.asarray(np.linalg.solve(normal + np.diag(scaled), slope @ error)))
        error_there, slope_there = _errors(tried, k, w, weight)
        gain = cost - float(error_there @ error_there)
        if gain <= 0.0:
            damping *= 8.0
            continue
        small = gain < GAIN * cost
        q, error, slope, cost, damping = tried, error_there, slope_there, cost - gain, damping / 5.0
        if small:
            break
    return five(q)


def five(q: Floats) -> Five:
    a, d, c, m, sigma = (float(value) for value in q)
    return a, d, c, m, sigma


def start(k: Floats, w: Floats, weight: Floats, last: Slice | None) -> Five:
    """The best pair without a butterfly, with its linear three; a flat smile if the whole grid has them."""
    low, span = float(k.min()), max(float(k.max() - k.min()), 1e-2)
    m, sigma = low + span * np.linspace(-0.2, 1.2, 9), np.maximum(span * np.geomspace(0.02, 2.0, 9), MIN_SIGMA)
    pairs = np.stack(np.meshgrid(m, sigma), axis=-1).reshape(-1, 2)
    if last is not None and last.b > MIN_B:
        pairs = np.vstack([pairs, [last.m, last.sigma]])
    params, cost = lined(pairs, k, w, weight)
    a, d, c, m, sigma = params
    safe = (
        np.min(g(np.stack([a, c, d / c, m, sigma])[:, :, None], g_grid(m[:, None], sigma[:, None], G_COARSE)), 1) >= 0
    )
    cost = np.where(safe, cost, np.inf)
    best = int(np.argmin(cost))
    if math.isfinite(cost[best]):
        return five(params[:, best])
    square = weight * weight
    return float(w @ square / square.sum()), 0.0, MIN_B, 0.0, 0.1


def lined(pairs: Floats, k: Floats, w: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """For each pair (m, σ), a row of `pairs`: the slice with its best linear three (5 × pairs), and its cost."""
    m, sigma = pairs[:, :1], pairs[:, 1:]
    x = k - m
    root = np.sqrt(x * x + sigma * sigma)
    basis = np.stack([np.ones_like(x), x, root], axis=1) * weight  # pairs × 3 × points
    normal = basis @ basis.transpose(0, 2, 1)
    normal[:, _ROUND] *= 1.0 + 1e-10
    _, d, c = np.linalg.solve(normal, (basis @ (w * weight))[..., None])[..., 0].T
    c = np.clip(c, MIN_B, STEEPEST)
    bound = np.minimum(c, STEEPEST - c)
    d = np.clip(d, -bound, bound)
    rest, square = w - d[:, None] * x - c[:, None] * root, weight * weight
    lowest = MIN_LEVEL - sigma[:, 0] * np.sqrt(np.maximum(c * c - d * d, 0.0))
    a = np.maximum(rest @ square / square.sum(), lowest)
    return np.stack([a, d, c, m[:, 0], sigma[:, 0]]), ((rest - a[:, None]) ** 2) @ square


_ROUND = np.eye(3, dtype=bool)


def _moved(q: Floats, move: Floats) -> Floats:
    """One step, into the box; σ moves on a logarithm, by a factor of e at most."""
    a, d, c, m, _ = five(q - move)
    sigma = max(float(q[4]) * math.exp(min(max(-float(move[4]), -1.0), 1.0)), MIN_SIGMA)
    return np.array([*allowed(a, d, c, sigma), m, sigma])


def _errors(q: Floats, k: Floats, w: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Errors, the butterflies' among them, and their slopes by (a, d, c, m, ln σ), 5 × errors."""
    a, d, c, m, sigma = q
    x = k - m
    root = np.sqrt(x * x + sigma * sigma)
    error = (a + d * x + c * root - w) * weight
    slope = np.stack([np.ones_like(x), x, root, -d - c * x / root, c * sigma / root]) * weight
    more, steeper = _butterflies(q)
    error, slope = np.concatenate([error, more]), np.concatenate([slope, steeper], axis=1)
    slope[4] *= sigma
    return error, slope


def _butterflies(q: Floats) -> tuple[Floats, Floats]:
    """Negative g on a coarse grid, in half-spreads, and its slopes by differences of each parameter's own scale."""
    _, _, c, _, sigma = q
    nudge = NUDGE * np.array([max(c * sigma, MIN_LEVEL), c, c, sigma, sigma])
    a, d, c, m, sigma = np.concatenate([q[:, None], q[:, None] + np.diag(nudge)], axis=1)
    many = g(np.stack([a, c, d / c, m, sigma])[:, :, None], g_grid(q[3:4], q[4:5], G_COARSE))
    below = np.minimum(many[0] - G_MARGIN, 0.0)
    return below * G_PENALTY, (many[1:] - many[0]) / nudge[:, None] * (below < 0.0) * G_PENALTY
