"""How far a smile may be off: its standard error, from the curvature of the fit and what the fit leaves.

Linear errors: with J the slopes of IV by (a, bρ, b, m, ln σ) at the quotes, in half-spreads, and s² the mean squared
error (at least that of a mid drawn evenly between bid and ask, ⅓), the parameters' covariance is s² (JᵀJ)⁻¹, and the
IV at k has the variance j(k)ᵀ s² (JᵀJ)⁻¹ j(k). Outside the quotes j grows, and with it the error. A weak prior (each
parameter may be off by as much as it is) keeps few quotes from saying nothing at all.
"""

from __future__ import annotations

import math

import numpy as np

from engine.surface.fitting import Points
from engine.surface.svi import MIN_LEVEL, Floats, Slice

EVEN = 1.0 / 3.0
_SIZE = 5


def of(piece: Slice, points: Points, years: float) -> tuple[float, ...]:
    """The covariance of (a, bρ, b, m, ln σ), row by row; of points without a mid nothing is used."""
    two = np.isfinite(points.mid)
    k, mid, scale = points.k[two], points.mid[two], points.scale[two]
    slopes, iv = _slopes(piece, k, years)
    slopes = slopes / scale
    error = (iv - mid) / scale
    square = max(float(error @ error) / max(len(k) - _SIZE, 1), EVEN)
    level = max(abs(piece.w(0.0)), MIN_LEVEL)
    prior = np.array([level, piece.b + 1e-3, piece.b + 1e-3, piece.sigma, 1.0])
    slopes = slopes * prior[:, None]  # in units of the prior: in no direction is less known than that
    known, axes = np.linalg.eigh(slopes @ slopes.T / square)  # not inverted: next to nothing of variance has any slope
    covariance = (axes / (1.0 + np.maximum(known, 0.0))) @ axes.T * np.outer(prior, prior)
    return tuple(covariance.ravel().tolist())


def at(doubt: tuple[float, ...], piece: Slice, k: float, years: float) -> float:
    """Standard error of the IV at `k`, a fraction."""
    x = k - piece.m
    root = math.sqrt(x * x + piece.sigma * piece.sigma)
    half = 0.5 / math.sqrt(max(piece.w(k), MIN_LEVEL) * years)
    by = np.array([1.0, x, root, -piece.b * (piece.rho + x / root), piece.b * piece.sigma * piece.sigma / root])
    covariance = np.reshape(doubt, (_SIZE, _SIZE))
    return half * math.sqrt(max(float(by @ covariance @ by), 0.0))


def along(doubt: tuple[float, ...], piece: Slice, k: Floats, years: float) -> Floats:
    """Standard errors of the IV at many `k`, fractions."""
    slopes, _ = _slopes(piece, k, years)
    square = np.einsum("ik,ij,jk->k", slopes, np.reshape(doubt, (_SIZE, _SIZE)), slopes)
    return np.asarray(np.sqrt(np.maximum(square, 0.0)))


def _slopes(piece: Slice, k: Floats, years: float) -> tuple[Floats, Floats]:
    x = k - piece.m
    root = np.sqrt(x * x + piece.sigma * piece.sigma)
    iv = np.sqrt(np.maximum(piece.a + piece.b * (piece.rho * x + root), MIN_LEVEL) / years)
    by_w = 0.5 / (iv * years)
    rows = [np.ones_like(x), x, root, -piece.b * (piece.rho + x / root), piece.b * piece.sigma**2 / root]
    return np.stack(rows) * by_w, iv
