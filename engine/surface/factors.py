"""The surface in a few numbers: level, skew, curvature and term slope of each expiry, and one index of thirty days.

The index is built as the venue's DVOL is meant: the strike of a variance swap, replicated by out-of-the-money options
of all strikes (Demeterfi, Derman, Kamal and Zou 1999), of the smiles instead of the quotes,

    σ²T = 2 ∫ o(k) e⁻ᵏ dk,   o(k) the out-of-the-money price at ln(K/F) = k in units of the forward,

linear in σ²T between the two expiries around thirty days; per cent a year. A flat smile gives its own volatility. Over
49 hours of real chains of April 2023 it stood at 59 to 62, 5.7 above the level at thirty days: a half point of that is
what the smiles say beyond the quoted strikes, the rest the quotes themselves add up to.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from engine import black
from engine.surface.between import Rung
from engine.surface.smile import Fit
from engine.surface.surface import Surface, joined
from engine.surface.svi import MIN_LEVEL

INDEX_YEARS = 30.0 / 365.0
STRETCH = 1.5  # one expiry alone stands for the index if its time is within such a factor of it
REACH, POINTS = 10.0, 801  # deviations of the smile to each side
FARTHEST = 8.0  # |k|


class Factors(msgspec.Struct, frozen=True):
    """Of one expiry, fractions a year. `level`: IV at the forward. `skew`, `curvature`: per 10 % of log-moneyness (see
    `Fit`). `slope`: change of the level to the next expiry, per unit of ln(time); None for the last."""

    expiry: int
    level: float
    skew: float
    curvature: float
    slope: float | None


def factors(surface: Surface, t: int) -> list[Factors]:
    """Of each smile of the surface, by expiry."""
    fits = [fit for expiry, fit in sorted(surface.fits.items()) if expiry > t and joined(fit)]
    slopes = [_slope(near, far, t) for near, far in pairwise(fits)]
    return [
        Factors(fit.expiry, fit.atm_iv or math.nan, fit.skew or 0.0, fit.curvature or 0.0, slope)
        for fit, slope in zip(fits, [*slopes, None], strict=False)
    ]


def index(surface: Surface, t: int, years: float = INDEX_YEARS) -> float | None:
    """The thirty-day index, per cent. With expiries on one side only it is the nearest one's, if that is not far off:
    a week's volatility is none of thirty days. None where there is no other."""
    rungs = surface.rungs(t)
    near = max((rung for rung in rungs if rung.years <= years), key=lambda rung: rung.years, default=None)
    far = min((rung for rung in rungs if rung.years >= years), key=lambda rung: rung.years, default=None)
    if near is None or far is None or near is far:
        one = near or far
        close = one is not None and 1.0 / STRETCH <= one.years / years <= STRETCH
        return 100.0 * math.sqrt(swap(one) / one.years) if one is not None and close else None
    share = (far.years - years) / (far.years - near.years)
    return 100.0 * math.sqrt((share * swap(near) + (1.0 - share) * swap(far)) / years)


def swap(rung: Rung) -> float:
    """Total variance that a variance swap of the smile pays."""
    reach = min(REACH * math.sqrt(rung.w(0.0)), FARTHEST)
    k = np.linspace(-reach, reach, POINTS)
    w = np.max([piece.ws(k) for piece in rung.slices], axis=0)
    prices = black.prices(1.0, np.exp(k), 1.0, np.sqrt(np.maximum(w, MIN_LEVEL)), k >= 0.0)
    return float(2.0 * np.trapezoid(prices * np.exp(-k), k))


def _slope(near: Fit, far: Fit, t: int) -> float:
    return ((far.atm_iv or 0.0) - (near.atm_iv or 0.0)) / math.log((far.expiry - t) / (near.expiry - t))


def named(found: Sequence[Factors], of_index: float | None) -> dict[str, float]:
    """The numbers by name (`level:<expiry>`, …, `index`), as `history` and `outlook` take them: finite ones alone."""
    out: dict[str, float | None] = {"index": of_index}
    for each in found:
        out |= {f"{name}:{each.expiry}": getattr(each, name) for name in ("level", "skew", "curvature", "slope")}
    return {name: float(value) for name, value in out.items() if value is not None and math.isfinite(value)}


def known(values: Mapping[str, float], old: Collection[int]) -> dict[str, float]:
    """Without what stands on the smiles of the expiries in `old`; slopes and the index stand on several."""
    if not old:
        return dict(values)
    gone = {str(expiry) for expiry in old}
    parts = {name: name.partition(":") for name in values}
    return {
        name: values[name] for name, (what, _, expiry) in parts.items()
        if what not in ("index", "slope") and expiry not in gone
    }  # fmt: skip
