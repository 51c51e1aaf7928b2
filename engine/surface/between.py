"""Total variance and call prices between expiries, before the first and after the last, without arbitrage.

Everything is at equal forward-moneyness k = ln(K/F), where total variance may not fall with time.

between two expiries   total variance is linear in time, if it is proven that every such blend of the two smiles has
                       g ≥ 0 (`blends`). Else prices are blended, c = α c₁ + (1 − α) c₂ with α = (√θ₂ − √θ)
                       / (√θ₂ − √θ₁), θ the at-the-money total variance, linear in time (Gatheral and Jacquier 2014,
                       lemma 5.1): convex in the strike as both are, and rising in time as c₂ ≥ c₁; never wrong, but
                       its densities are mixtures, which makes odd local variances
before the first       the same, with no variance at all as the nearer smile: always proven
after the last         w + (θ − θₙ), θ going on at the last expiry's volatility. Adding a constant to w keeps g ≥ 0
                       unless the smile is odd; `liftable` looks at each slice, and one that fails stays as it is

Local variance is Dupire's, σ² = (∂w/∂T) / g at equal k, which in prices is 2 (∂c/∂T) / (x² ∂²c/∂x²), x = K/F.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from engine import black
from engine.surface import blends
from engine.surface.svi import MIN_LEVEL, Floats, Slice, g, grid

SLIGHT = 1e-300  # a density or a price below this says nothing
STILL = 1e-12  # a difference of √θ below which two expiries are the same


class Rung(msgspec.Struct, frozen=True):
    """One expiry's smile as it is now: the highest of the slices, in total variance still to come; `years` > 0."""

    years: float
    slices: tuple[Slice, ...]

    def w(self, k: float) -> float:
        return max(self.piece(k).w(k), MIN_LEVEL)

    def piece(self, k: float) -> Slice:
        return max(self.slices, key=lambda piece: piece.w(k))


def total_variance(rungs: Sequence[Rung], k: float, years: float) -> float | None:
    """At log-moneyness `k`, `years` from now; `rungs` by time. None without rungs, at no time, or where the price of
    an option has no digits left to say it."""
    if not rungs or not years > 0.0:
        return None
    for rung in rungs:
        if rung.years == years:
            return rung.w(k)
    last = rungs[-1]
    if years > last.years:
        return _lifted(last, k, years)
    near, far = _around(rungs, years)
    if smooth(near, far):
        begin, first = (0.0, 0.0) if near is None else (near.years, near.w(k))
        return first + (far.w(k) - first) * (years - begin) / (far.years - begin)
    share, _ = _share(near, far, years)
    price = share * _otm(near, k) + (1.0 - share) * _otm(far, k)
    vol = black.implied_vol(price, 1.0, math.exp(k), 1.0, k >= 0.0)
    return None if vol is None else vol * vol


def local_variance(rungs: Sequence[Rung], k: float, years: float) -> float | None:
    """σ²(k, T), a year; None where the surface says nothing: see `total_variance`."""
    if not rungs or not years > 0.0:
        return None
    last = rungs[-1]
    if years > last.years:
        piece, w = last.piece(k), _lifted(last, k, years)
        rate = last.w(0.0) / last.years if _liftable(last) else 0.0
        density = _density_of(piece.lifted(w - piece.w(k)), k)
        return rate / density if density > 0.0 else None
    near, far = _around(rungs, years)
    if smooth(near, far):
        return _blended(near, far, k, years)
    share, slope = _share(near, far, years)
    rise = slope * (_otm(near, k) - _otm(far, k))
    weight = share * _density(near, k) + (1.0 - share) * _density(far, k)
    return 2.0 * rise / weight if weight > SLIGHT and rise > 0.0 else None


def smooth(near: Rung | None, far: Rung) -> bool:
    """Whether it is proven that total variances of the two, blended in any proportion, have no butterfly: of their
    slices, each with each, for where two of them meet the higher one takes over with a kink that is convex."""
    return near is None or all(blends.safe(one, two) for one in near.slices for two in far.slices)


def _blended(near: Rung | None, far: Rung, k: float, years: float) -> float | None:
    """Dupire's local variance of total variance linear in time."""
    begin = 0.0 if near is None else near.years
    share, at = (years - begin) / (far.years - begin), np.array([k])
    first, second = _levels(near, at), _levels(far, at)
    density = float(g(at, first + (second - first) * share)[0])
    rise = float((second[0] - first[0])[0]) / (far.years - begin)
    return rise / density if density > 0.0 else None


def _levels(rung: Rung | None, k: Floats) -> Floats:
    """w, w′ and w″ of a smile, 3 × n, each from the slice that is highest there; none of them at present."""
    if rung is None:
        return np.zeros((3, len(k)))
    rows = np.stack([piece.rows(k) for piece in rung.slices], axis=1)
    out = rows[:, np.argmax(rows[0], axis=0), np.arange(len(k))]
    return np.maximum(out, [[MIN_LEVEL], [-np.inf], [-np.inf]])


def liftable(piece: Slice) -> bool:
    """Whether the slice plus any constant has no butterfly: with u = 1/w, g is a quadratic in u, and is to be positive
    on the whole way from u = 0 to the slice's own."""
    k = grid(piece)
    w, slope, bend = piece.rows(k)
    u = 1.0 / np.maximum(w, MIN_LEVEL)
    square = (k * slope / 2.0) ** 2
    line = -k * slope - slope * slope / 4.0
    rest = 1.0 - slope * slope / 16.0 + bend / 2.0
    lowest = np.clip(np.divide(-line, 2.0 * square, out=u.copy(), where=square > 0.0), 0.0, u)
    return bool(
        (square * lowest**2 + line * lowest + rest >= 0.0).all() and (square * u**2 + line * u + rest >= 0).all()
    )


def _around(rungs: Sequence[Rung], years: float) -> tuple[Rung | None, Rung]:
    """The last rung before (none: now) and the first at or after."""
    near = None
    for rung in rungs:
        if rung.years >= years:
            return near, rung
        near = rung
    raise ValueError("after the last expiry there is nothing to lie between")


def _share(near: Rung | None, far: Rung, years: float) -> tuple[float, float]:
    """α, and its slope in time."""
    begin, first = (0.0, 0.0) if near is None else (near.years, near.w(0.0))
    second = far.w(0.0)
    rate = (second - first) / (far.years - begin)
    root_1, root_2 = math.sqrt(first), math.sqrt(second)
    if root_2 - root_1 < STILL:
        return (far.years - years) / (far.years - begin), -1.0 / (far.years - begin)
    root = math.sqrt(first + rate * (years - begin))
    return (root_2 - root) / (root_2 - root_1), -rate / (2.0 * root * (root_2 - root_1))


def _otm(rung: Rung | None, k: float) -> float:
    """The out-of-the-money option in units of the forward (parity: its rise with w is the call's)."""
    return 0.0 if rung is None else black.price(1.0, math.exp(k), 1.0, math.sqrt(rung.w(k)), k >= 0.0)


def _density(rung: Rung | None, k: float) -> float:
    """x² ∂²c/∂x²: the density of ln(K/F), times x; 0 for the present, which is a point."""
    if rung is None:
        return 0.0
    w = rung.w(k)
    below = -k / math.sqrt(w) - math.sqrt(w) / 2.0
    root = math.sqrt(2.0 * math.pi * w)
    value = _density_of(rung.piece(k), k)
    return math.exp(k) * max(value, 0.0) * math.exp(-below * below / 2.0) / root


def _lifted(last: Rung, k: float, years: float) -> float:
    return last.w(k) + (last.w(0.0) * (years / last.years - 1.0) if _liftable(last) else 0.0)


def _liftable(rung: Rung) -> bool:
    return all(liftable(piece) for piece in rung.slices)


def _density_of(piece: Slice, k: float) -> float:
    at = np.array([k])
    return float(g(at, piece.rows(at))[0])
