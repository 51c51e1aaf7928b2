"""How far a smile may be off: its standard error, from the curvature of the fit and what the fit leaves.

Linear errors: with J the slopes of IV by (a, b₁, m₁, ln σ₁, b₂, m₂, ln σ₂) at the quotes, in half-spreads (below them
those of the ties to raw SVI, see `descent`), and s² the mean squared error (at least that of a mid drawn evenly between
bid and ask, ⅓), the parameters' covariance is s² (JᵀJ)⁻¹, and the IV at k has the variance j(k)ᵀ s² (JᵀJ)⁻¹ j(k).
Outside the quotes j grows, and with it the error. A weak prior (each parameter may be off by as much as it is) keeps
few quotes from saying nothing at all.
"""

from __future__ import annotations

import math

import numpy as np

from engine.surface.descent import TIE
from engine.surface.fitting import Points
from engine.surface.svi import MIN_LEVEL, Floats, Slice

EVEN = 1.0 / 3.0
_SIZE = 7


def of(piece: Slice, points: Points, years: float) -> tuple[float, ...]:
    """The covariance of the seven, row by row; of points without a mid nothing is used."""
    two = np.isfinite(points.mid)
    k, mid, scale = points.k[two], points.mid[two], points.scale[two]
    slopes, iv = _slopes(piece, k, years)
    slopes = np.concatenate([slopes / scale, _ties(piece)], axis=1)
    error = (iv - mid) / scale
    square = max(float(error @ error) / max(len(k) - _SIZE, 1), EVEN)
    level = max(abs(piece.w(0.0)), MIN_LEVEL)
    prior = np.array([level, piece.b1 + 1e-3, piece.sigma1, 1.0, piece.b2 + 1e-3, piece.sigma2, 1.0])
    slopes = slopes * prior[:, None]  # in units of the prior: in no direction is less known than that
    known, axes = np.linalg.eigh(slopes @ slopes.T / square)  # not inverted: next to nothing of variance has any slope
    covariance = (axes / (1.0 + np.maximum(known, 0.0))) @ axes.T * np.outer(prior, prior)
    return tuple(covariance.ravel().tolist())


def at(doubt: tuple[float, ...], piece: Slice, k: float, years: float) -> float:
    """Standard error of the IV at `k`, a fraction."""
    return float(along(doubt, piece, np.array([k]), years)[0])


def along(doubt: tuple[float, ...], piece: Slice, k: Floats, years: float) -> Floats:
    """Standard errors of the IV at many `k`, fractions."""
    slopes, _ = _slopes(piece, k, years)
    square = np.einsum("ik,ij,jk->k", slopes, np.reshape(doubt, (_SIZE, _SIZE)), slopes)
    return np.asarray(np.sqrt(np.maximum(square, 0.0)))


def _slopes(piece: Slice, k: Floats, years: float) -> tuple[Floats, Floats]:
    """Of the IV at each k by the seven, and that IV."""
    x1, x2 = k - piece.m1, k - piece.m2
    root1, root2 = np.sqrt(x1 * x1 + piece.sigma1**2), np.sqrt(x2 * x2 + piece.sigma2**2)
    left, right = root1 - x1, root2 + x2
    iv = np.sqrt(np.maximum(piece.a + piece.b1 * left + piece.b2 * right, MIN_LEVEL) / years)
    rows = [
        np.ones_like(k),
        left, piece.b1 * left / root1, piece.b1 * piece.sigma1**2 / root1,
        right, -piece.b2 * right / root2, piece.b2 * piece.sigma2**2 / root2,
    ]  # fmt: skip
    return np.stack(rows) * (0.5 / (iv * years)), iv


def _ties(piece: Slice) -> Floats:
    by_m = TIE / math.sqrt(piece.sigma1 * piece.sigma2)
    return np.array([[0.0, 0.0, by_m, 0.0, 0.0, -by_m, 0.0], [0.0, 0.0, 0.0, TIE, 0.0, 0.0, -TIE]]).T
