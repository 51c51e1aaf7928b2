"""One smile: a split SVI slice of total variance, and Gatheral's butterfly function.

w(k) = a + b₁ (√((k − m₁)² + σ₁²) − (k − m₁)) + b₂ (√((k − m₂)² + σ₂²) + (k − m₂)),   k = ln(K/F), w = IV² · years.

Two hinges: one that rises to the left, with the slope −2b₁ far out, and one that rises to the right, 2b₂. Raw SVI
(Gatheral 2004), a + b (ρ (k − m) + √((k − m)² + σ²)), is that with one m and one σ: b₁ = b (1 − ρ)/2, b₂ = b (1 + ρ)/2.
It is convex with straight wings as raw SVI is, and follows real smiles closer: each side bends where its own quotes do.

No butterfly: g(k) = (1 − k w′/2w)² − (w′²/4)(1/w + ¼) + w″/2 ≥ 0 for every k   (Gatheral–Jacquier 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.surface import proofs

Floats = NDArray[np.float64]

MIN_LEVEL = 1e-12  # of total variance: below it there is no smile to speak of
SAFE_G = 1e-6  # g is proven to be at least that, so that rounding decides nothing
GRID_REACH, GRID_POINTS = 50.0, 160


class Slice(msgspec.Struct, frozen=True):
    """Total variance of one expiry. b ≥ 0, σ > 0; whether it is free of butterflies is `least_g`'s to say."""

    a: float
    b1: float
    m1: float
    sigma1: float
    b2: float
    m2: float
    sigma2: float

    def w(self, k: float) -> float:
        """Total variance at log-moneyness `k`."""
        x1, x2 = k - self.m1, k - self.m2
        left = math.sqrt(x1 * x1 + self.sigma1 * self.sigma1) - x1
        right = math.sqrt(x2 * x2 + self.sigma2 * self.sigma2) + x2
        return self.a + self.b1 * left + self.b2 * right

    def iv(self, k: float, years: float) -> float:
        """Volatility, a fraction a year. `years` must be positive."""
        return math.sqrt(max(self.w(k), MIN_LEVEL) / years)

    def slope(self, k: float) -> float:
        """w′(k)."""
        return float(self.rows(np.array([k]))[1, 0])

    def bend(self, k: float) -> float:
        """w″(k)."""
        return float(self.rows(np.array([k]))[2, 0])

    def ws(self, k: Floats) -> Floats:
        """Total variances at many log-moneynesses."""
        return np.asarray(self.rows(k)[0])

    def rows(self, k: Floats) -> Floats:
        """w, w′ and w″ at many log-moneynesses, 3 × n."""
        return np.asarray(proofs.rows(self.numbers(), np.array(k, dtype=np.float64)))

    def numbers(self) -> Floats:
        """The seven, in order."""
        return np.array(msgspec.structs.astuple(self))

    def lifted(self, by: float) -> Slice:
        """So much more total variance everywhere."""
        return msgspec.structs.replace(self, a=self.a + by)

    def scaled(self, share: float) -> Slice:
        """So many times the total variance."""
        return msgspec.structs.replace(self, a=self.a * share, b1=self.b1 * share, b2=self.b2 * share)


def raw(a: float, b: float, rho: float, m: float, sigma: float) -> Slice:
    """A raw SVI slice."""
    return Slice(a=a, b1=b * (1.0 - rho) / 2.0, m1=m, sigma1=sigma, b2=b * (1.0 + rho) / 2.0, m2=m, sigma2=sigma)


def flat(w: float) -> Slice:
    """The same total variance at every strike: the slice that cannot be wrong about its shape."""
    return raw(a=w, b=0.0, rho=0.0, m=0.0, sigma=0.1)


def g(k: Floats, rows: Floats) -> Floats:
    """Gatheral's butterfly function of w, w′ and w″ (`rows`: 3 × …, against `k`); the density of the forward at expiry
    is it times something positive. Where total variance is not positive it means nothing."""
    w, slope, bend = np.maximum(rows[0], MIN_LEVEL), rows[1], rows[2]
    skewed = 1.0 - k * slope / (2.0 * w)
    return np.asarray(skewed * skewed - slope * slope / 4.0 * (1.0 / w + 0.25) + bend / 2.0)


def grid(piece: Slice, points: int = GRID_POINTS) -> Floats:
    """Log-moneynesses that resolve a slice, sorted: of each hinge half of them, even in asinh((k − m)/σ), in which it
    is smooth, `GRID_REACH` far."""
    half = points // 2
    even = np.linspace(-1.0, 1.0, half)
    shifted = even * (half - 1) / half  # of one hinge twice, as in raw SVI, no point is wasted
    left = piece.m1 + piece.sigma1 * np.sinh(math.asinh(GRID_REACH / piece.sigma1) * even)
    right = piece.m2 + piece.sigma2 * np.sinh(math.asinh(GRID_REACH / piece.sigma2) * shifted)
    return np.sort(np.concatenate([left, right]))


def least_g(piece: Slice) -> float:
    """A lower bound of g on the whole line: see `proofs.least_g`. 0 or more: there is no butterfly."""
    return proofs.least_g(piece.numbers())


def tamed(piece: Slice, least: Callable[[Slice], float] = least_g) -> Slice:
    """The slice itself if it has no butterfly (its `least` g is positive), else the nearest without one on the way to a
    flat smile.

    The flat smile has the slice's own at-the-money variance, and no butterfly: a safe slice is always found. The way
    there is halved a dozen times.
    """
    if least(piece) >= SAFE_G:
        return piece
    level, low, high = max(piece.w(0.0), MIN_LEVEL), 0.0, 1.0
    safe = flat(level)
    for _ in range(12):
        share = (low + high) / 2.0
        tried = piece.scaled(1.0 - share).lifted(share * level)
        if least(tried) >= SAFE_G:
            safe, high = tried, share
        else:
            low = share
    return safe
