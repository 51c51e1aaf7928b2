"""Arbitrage in the fitted smiles, as sentences. Thin: it looks at the fits alone, not at what the quotes would pay.

Butterfly: g < 0 somewhere on a smile. Calendar: at one log-moneyness the later smile has less total variance than the
earlier one. Only the range that both smiles were quoted in is compared: outside it both are guesses.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from engine.domain import YEAR_NS, expiry_code
from engine.surface.surface import Fit, Surface
from engine.surface.svi import least_g

CROSSED = 1e-3  # a share of total variance; less is rounding of the fits
CALENDAR_POINTS = 41


def flags(surface: Surface) -> list[str]:
    """What the smiles that were fitted to quotes say that cannot be; empty when all is well."""
    fits = [fit for _, fit in sorted(surface.fits.items()) if fit.source == "quotes"]
    found = [butterfly(fit) for fit in fits]
    found += [calendar(near, far) for near, far in pairwise(fits)]
    return [flag for flag in found if flag]


def butterfly(fit: Fit) -> str:
    """Empty if the smile has none."""
    least = math.inf if fit.slice is None else least_g(fit.slice)
    return "" if least >= 0.0 else f"Butterfly in {expiry_code(fit.expiry)}: g falls to {least:.4f}"


def calendar(near: Fit, far: Fit) -> str:
    """Empty if the later smile lies above the earlier one wherever both were quoted."""
    low, high = max(near.lowest_k, far.lowest_k), min(near.highest_k, far.highest_k)
    if near.slice is None or far.slice is None or low > high or near.expiry <= max(near.t, far.t):
        return ""
    k = np.linspace(low, high, CALENDAR_POINTS)
    t = max(near.t, far.t)  # a kept fit is older: both are looked at as they are at the later moment
    first, second = near.slice.ws(k) * _left(near, t), far.slice.ws(k) * _left(far, t)
    short = (first - second) / first
    worst = int(np.argmax(short))
    if short[worst] <= CROSSED:
        return ""
    strike = far.forward * math.exp(float(k[worst]))
    return (
        f"Calendar: {expiry_code(far.expiry)} has {short[worst]:.1%} less total variance than "
        f"{expiry_code(near.expiry)} near {strike:.0f}"
    )


def _left(fit: Fit, t: int) -> float:
    """Share of the total variance at the fit that is still to come at `t`."""
    return (fit.expiry - t) / YEAR_NS / fit.years
