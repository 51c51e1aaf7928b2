"""Smiles to test with: sensible slices drawn by hypothesis, and quotes made from them."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from engine.surface.fitting import Points
from engine.surface.surface import Quote
from engine.surface.svi import Floats, Slice, least_g, raw


def smile(level: float, skew: float, round_: float, shift: float, years: float) -> Slice:
    """A slice whose volatility is `level` at k = m, on the scale of its own deviation."""
    total = level * level * years
    sigma = max(round_ * math.sqrt(total), 2e-3)
    b = 0.6 * total / sigma
    a = total - b * sigma
    return raw(a=a, b=b, rho=skew, m=shift * sigma, sigma=sigma)


SMILES = st.builds(
    smile,
    st.floats(0.3, 1.5),
    st.floats(-0.7, 0.7),
    st.floats(0.8, 4.0),
    st.floats(-0.5, 0.5),
    st.sampled_from([2 / 365, 7 / 365, 0.1, 0.5, 1.0]),
)
SAFE = SMILES.filter(lambda piece: least_g(piece) > 1e-3)


def strikes_for(piece: Slice, points: int, reach: float = 2.0) -> Floats:
    """Log-moneynesses over `reach` deviations of the smile."""
    spread = reach * math.sqrt(max(piece.w(0.0), 1e-6))
    return np.linspace(-spread, spread, points)


def quoted(piece: Slice, years: float, k: Floats, half: float | Floats = 0.005, noise: Floats | float = 0.0) -> Points:
    """Two-sided quotes around the slice, `half` (fractions) to each side of a mid that `noise` has moved."""
    mid = np.sqrt(piece.ws(k) / years) + noise
    scale = np.broadcast_to(np.asarray(half, dtype=np.float64), k.shape)
    return Points(k=k, mid=mid, low=mid - scale, high=mid + scale, scale=scale)


def chain(piece: Slice, years: float, forward: float, strikes: list[float], half: float = 0.005) -> list[Quote]:
    """The quotes of a whole expiry: calls and puts, two-sided, marked at the slice."""
    out = []
    for strike in strikes:
        iv = piece.iv(math.log(strike / forward), years)
        out += [Quote(strike, call, iv - half, iv + half, iv) for call in (True, False)]
    return out
