"""One smile: a raw SVI slice of total variance, and its butterfly test.

w(k) = a + b (ρ (k − m) + √((k − m)² + σ²)), k = ln(K/F), w = IV² · years   (Gatheral 2004).
No butterfly: g(k) = (1 − k w′/2w)² − (w′²/4)(1/w + ¼) + w″/2 ≥ 0 for every k   (Gatheral–Jacquier 2014).

Arrays of parameters are 5 × … in the order a, b, ρ, m, σ, so that many slices are looked at in one go.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_LEVEL = 1e-12  # of total variance: below it there is no smile to speak of
G_REACH = 50.0  # |k − m| up to which g is looked at; beyond it is the wing's limit ¼ − slope²/16
G_POINTS = 161
G_NEAR, G_CLOSER = 0.02, 33  # where the grid finds less, it is looked at more closely, with so many points between two
SAFE_G = 1e-6  # what counts as no butterfly, with room for what even the closer look may miss


class Slice(msgspec.Struct, frozen=True):
    """Raw SVI of total variance. b ≥ 0, |ρ| ≤ 1, σ > 0; whether it is free of butterflies is `least_g`'s to say."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def w(self, k: float) -> float:
        """Total variance at log-moneyness `k`."""
        x = k - self.m
        return self.a + self.b * (self.rho * x + math.sqrt(x * x + self.sigma * self.sigma))

    def iv(self, k: float, years: float) -> float:
        """Volatility, a fraction a year. `years` must be positive."""
        return math.sqrt(max(self.w(k), MIN_LEVEL) / years)

    def params(self) -> Floats:
        """a, b, ρ, m, σ, as a column: broadcasts against a row of log-moneynesses."""
        return np.array([[self.a], [self.b], [self.rho], [self.m], [self.sigma]])

    def slope(self, k: float) -> float:
        """w′(k)."""
        x = k - self.m
        return self.b * (self.rho + x / math.sqrt(x * x + self.sigma * self.sigma))

    def least_w(self) -> float:
        """The lowest total variance anywhere."""
        return self.a + self.b * self.sigma * math.sqrt(max(1.0 - self.rho * self.rho, 0.0))

    def bend(self, k: float) -> float:
        """w″(k)."""
        x = k - self.m
        root = math.sqrt(x * x + self.sigma * self.sigma)
        return self.b * self.sigma * self.sigma / (root * root * root)

    def ws(self, k: Floats) -> Floats:
        """Total variances at many log-moneynesses."""
        a, b, rho, m, sigma = self.params()
        x = k - m
        return np.asarray(a + b * (rho * x + np.sqrt(x * x + sigma * sigma)))


def flat(w: float) -> Slice:
    """The same total variance at every strike: the slice that cannot be wrong about its shape."""
    return Slice(a=w, b=0.0, rho=0.0, m=0.0, sigma=0.1)


def g(params: Floats, k: Floats) -> Floats:
    """Gatheral's butterfly function; the density of the forward at expiry is it times something positive.

    `params` are 5 × … and broadcast against `k`; where total variance is not positive the value means nothing.
    """
    a, b, rho, m, sigma = params
    x = k - m
    root = np.sqrt(x * x + sigma * sigma)
    w = np.maximum(a + b * (rho * x + root), MIN_LEVEL)
    slope = b * (rho + x / root)
    bend = b * sigma * sigma / (root * root * root)
    skewed = 1.0 - k * slope / (2.0 * w)
    return np.asarray(skewed * skewed - slope * slope / 4.0 * (1.0 / w + 0.25) + bend / 2.0)


def g_grid(m: Floats, sigma: Floats, points: int = G_POINTS) -> Floats:
    """Log-moneynesses that resolve a slice: even in asinh((k − m)/σ), in which SVI is smooth, out to `G_REACH`."""
    return np.asarray(m + sigma * np.sinh(np.arcsinh(G_REACH / sigma) * np.linspace(-1.0, 1.0, points)))


def least_g(piece: Slice) -> float:
    """The least g over the line, wings' limits included; −inf if total variance is not above nothing everywhere.

    A grid, and a finer one wherever it is low: between two of its points g can touch 0 and rise again.
    """
    if piece.least_w() < MIN_LEVEL / 2.0:
        return -math.inf
    params = piece.params()
    k = g_grid(params[3], params[4])
    values = g(params, k)
    steepest = piece.b * (1.0 + abs(piece.rho))
    least = min(float(np.min(values)), 0.25 - steepest**2 / 16.0)
    low = np.flatnonzero(np.minimum(values[:-1], values[1:]) < G_NEAR)
    if len(low):
        closer = k[low] + (k[low + 1] - k[low]) * np.linspace(0.0, 1.0, G_CLOSER)[:, None]
        least = min(least, float(np.min(g(params[:, :, None], closer))))
    return least


def tamed(piece: Slice) -> Slice:
    """The slice itself if it has no butterfly, else the nearest without one on the way to a flat smile.

    The flat smile has the slice's own at-the-money variance, and no butterfly: a safe slice is always found. The way
    there is halved a dozen times.
    """
    if least_g(piece) >= SAFE_G:
        return piece
    level, low, high = max(piece.w(0.0), MIN_LEVEL), 0.0, 1.0
    safe = flat(level)
    for _ in range(12):
        share = (low + high) / 2.0
        tried = _mixed(piece, level, share)
        if least_g(tried) >= SAFE_G:
            safe, high = tried, share
        else:
            low = share
    return safe


def _mixed(piece: Slice, level: float, share: float) -> Slice:
    kept = 1.0 - share
    return Slice(a=kept * piece.a + share * level, b=kept * piece.b, rho=piece.rho, m=piece.m, sigma=piece.sigma)
