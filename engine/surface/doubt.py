"""How far a smile may be off: its standard error, from the curvature of the fit and what the fit leaves.

Linear errors: with J the slopes of IV by (a, b₁, m₁, ln σ₁, b₂, m₂, ln σ₂) at the quotes, in half-spreads (below them
those of the ties to raw SVI, see `descent`), and s² the mean squared error (at least that of a mid drawn evenly between
bid and ask, ⅓), the parameters' covariance is s² (JᵀJ)⁻¹, and the IV at k has the variance j(k)ᵀ s² (JᵀJ)⁻¹ j(k).
Outside the quotes j grows, and with it the error. A weak prior (each parameter may be off by as much as it is) keeps
few quotes from saying nothing at all. Quotes that no slice can follow leave errors that are of the shape, not of
chance, and that more quotes would not make smaller: these are put on top, the same at each k.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled, part
from engine.surface.descent import TIE
from engine.surface.fitting import Points
from engine.surface.svi import Slice

Floats = NDArray[np.float64]

EVEN = 1.0 / 3.0
LEAST_B, LEAST_W = 1e-3, 1e-12  # a wing may be off by so much though it is level; total variance is at least that
SIZE = 7


def of(piece: Slice, points: Points, years: float, shape: float = 0.0) -> tuple[float, ...]:
    """The covariance of the seven, row by row; of points without a mid nothing is used. `shape`: what the shape is
    wrong by, as an IV at the forward."""
    quotes = np.array([points.k, points.mid, points.scale])
    found: list[float] = covariance(piece.numbers(), quotes, years, TIE).ravel().tolist()
    found[0] += 4.0 * max(piece.w(0.0), LEAST_W) * years * shape * shape  # of a: dw = 2 IV years dIV
    return tuple(found)


def at(doubt: tuple[float, ...], piece: Slice, k: float, years: float) -> float:
    """Standard error of the IV at `k`, a fraction."""
    return float(along(doubt, piece, np.array([k]), years)[0])


def along(doubt: tuple[float, ...], piece: Slice, k: Floats, years: float) -> Floats:
    """Standard errors of the IV at many `k`, fractions."""
    return np.asarray(errors(np.array(doubt), piece.numbers(), np.array(k, dtype=np.float64), years))


@part
def slopes(p: Floats, k: float, years: float, row: Floats) -> float:
    """Of the IV at k by the seven (σ by its logarithm), into `row`; the IV."""
    x1, x2 = k - p[2], k - p[5]
    root1, root2 = math.sqrt(x1 * x1 + p[3] * p[3]), math.sqrt(x2 * x2 + p[6] * p[6])
    left, right = root1 - x1, root2 + x2
    iv = math.sqrt(max(p[0] + p[1] * left + p[4] * right, LEAST_W) / years)
    by_w = 0.5 / (iv * years)
    row[0], row[1], row[4] = by_w, by_w * left, by_w * right
    row[2], row[3] = by_w * p[1] * left / root1, by_w * p[1] * p[3] * p[3] / root1
    row[5], row[6] = -by_w * p[4] * right / root2, by_w * p[4] * p[6] * p[6] / root2
    return iv


@part
def learn(known: Floats, row: Floats, share: float, prior: Floats) -> None:
    """The slopes of one error, `share` times `row`, into JᵀJ in units of the prior."""
    for i in range(SIZE):
        for j in range(SIZE):
            known[i, j] += row[i] * prior[i] * share * row[j] * prior[j] * share


@part
def inverse(known: Floats, prior: Floats) -> Floats:
    """Of a matrix that is at least the identity, by Cholesky, back in the parameters' own units."""
    root = np.zeros((SIZE, SIZE))
    for i in range(SIZE):
        for j in range(i + 1):
            rest = known[i, j]
            for n in range(j):
                rest -= root[i, n] * root[j, n]
            root[i, j] = math.sqrt(max(rest, 1.0)) if i == j else rest / root[j, j]
    out = np.zeros((SIZE, SIZE))
    column = np.empty(SIZE)
    for c in range(SIZE):
        for i in range(SIZE):
            column[i] = 1.0 if i == c else 0.0
            for n in range(i):
                column[i] -= root[i, n] * column[n]
            column[i] /= root[i, i]
        for i in range(SIZE - 1, -1, -1):
            for n in range(i + 1, SIZE):
                column[i] -= root[n, i] * column[n]
            column[i] /= root[i, i]
            out[i, c] = column[i] * prior[i] * prior[c]
    return out


@compiled("f8[:, ::1](f8[::1], f8[:, ::1], f8, f8)")
def covariance(p: Floats, quotes: Floats, years: float, tie: float) -> Floats:
    """s² (JᵀJ)⁻¹ with the prior, 7 × 7; `tie`: as `descent.TIE`. All is done in units of the prior: in no direction is
    less known than that."""
    left, right = math.sqrt(p[2] * p[2] + p[3] * p[3]) + p[2], math.sqrt(p[5] * p[5] + p[6] * p[6]) - p[5]
    level = max(abs(p[0] + p[1] * left + p[4] * right), LEAST_W)
    prior = np.array([level, p[1] + LEAST_B, p[3], 1.0, p[4] + LEAST_B, p[6], 1.0])
    known, row, total, count = np.zeros((SIZE, SIZE)), np.empty(SIZE), 0.0, 0
    for n in range(quotes.shape[1]):
        k, mid, scale = quotes[0, n], quotes[1, n], quotes[2, n]
        if not math.isnan(mid):
            error = (slopes(p, k, years, row) - mid) / scale
            total, count = total + error * error, count + 1
            learn(known, row, 1.0 / scale, prior)
    row[:] = 0.0
    row[2] = tie / math.sqrt(p[3] * p[6])
    row[5] = -row[2]
    learn(known, row, 1.0, prior)
    row[:] = 0.0
    row[3], row[6] = tie, -tie
    learn(known, row, 1.0, prior)
    known /= max(total / max(count - SIZE, 1), EVEN)
    for i in range(SIZE):
        known[i, i] += 1.0
    return inverse(known, prior)


@compiled("f8[::1](f8[::1], f8[::1], f8[::1], f8)")
def errors(spread: Floats, p: Floats, k: Floats, years: float) -> Floats:
    """√(jᵀ C j) at each k."""
    out, row = np.empty(len(k)), np.empty(SIZE)
    for n in range(len(k)):
        slopes(p, k[n], years, row)
        square = 0.0
        for i in range(SIZE):
            for j in range(SIZE):
                square += row[i] * spread[i * SIZE + j] * row[j]
        out[n] = math.sqrt(max(square, 0.0))
    return out
