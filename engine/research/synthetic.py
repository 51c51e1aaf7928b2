"""A surface whose truth is known: 10 expiries × 30 strikes with 30 vol bp of noise (NUMBERS.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.domain import NS, YEAR_NS
from engine.research.intervals import Floats
from engine.research.svi_peers import FORWARD, levels, raw
from engine.surface.surface import Quote

DAYS = (7, 14, 21, 30, 60, 91, 146, 219, 292, 365)
STRIKES, NOISE, HALF = 30, 0.003, 0.005
REACH, VARIANCE = 1.5, 0.3  # strikes so many deviations to each side; a year's total variance, for shape
NOW = 1_790_000_000 * NS


class Known(NamedTuple):
    """One expiry: log-moneynesses, mids and true IVs there, and the same as quotes."""

    expiry: int
    years: float
    k: Floats
    mid: Floats
    truth: Floats
    quotes: Sequence[Quote]


def known(draw: np.random.Generator) -> list[Known]:
    """One draw of the noise."""
    return [_known(draw, days) for days in DAYS]


def _known(draw: np.random.Generator, days: int) -> Known:
    years = days / 365
    total = VARIANCE * years
    b = 0.315 * math.sqrt(total)
    k = np.linspace(-REACH, REACH, STRIKES) * math.sqrt(total)
    truth = np.sqrt(levels(raw(0.4 * total, b, -0.3, 0.0, 0.6 * total / b), k) / years)
    mid = truth + draw.normal(0.0, NOISE, STRIKES)
    rows = zip(k.tolist(), mid.tolist(), strict=True)
    quotes = [Quote(FORWARD * math.exp(x), x >= 0.0, v - HALF, v + HALF, v) for x, v in rows]
    return Known(NOW + round(years * YEAR_NS), years, k, mid, truth, quotes)
