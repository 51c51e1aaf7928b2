"""Real chains fitted as anyone would: five parameters of raw SVI by least squares, each slice alone.

Scipy's Levenberg–Marquardt, errors of IV over half-spreads, the same two-sided strikes as ours. Where these are fewer
than the parameters the last fit stays, as ours does. What it gives is then looked at by the same proof check: nothing
in it knows of arbitrage.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from engine.domain import YEAR_NS
from engine.research.benchmark_row import percentiles
from engine.research.curves import Curve
from engine.research.intervals import Floats
from engine.research.proven import butterflies, crossings
from engine.research.surface_proof import counted
from engine.research.svi_peers import least_squares_lm, levels
from engine.surface.quotes import Quote, points_of
from engine.surface.smile import Fit

PARAMETERS = 5


class PlainFits:
    """Gathers the fits of sweep after sweep."""

    def __init__(self) -> None:
        self._now: dict[int, tuple[Curve, float]] = {}
        self._slices: list[Curve] = []
        self._pairs: list[tuple[Curve, Curve]] = []
        self._ms: list[float] = []

    def take(self, quoted: Sequence[tuple[Fit, Sequence[Quote]]], t: int) -> None:
        """One sweep's expiries in order of time, each as ours was fitted (its years and forward) with its quotes."""
        before, self._now, took = self._now, {}, 0.0
        for fit, quotes in quoted:
            points = points_of(quotes, fit.forward)
            two = np.isfinite(points.mid)
            began = time.process_time()
            if two.sum() >= PARAMETERS:
                curve = least_squares_lm(points.k[two], points.mid[two], points.scale[two], fit.years)
                self._now[fit.expiry] = curve, fit.years
            elif fit.expiry in before:
                self._now[fit.expiry] = before[fit.expiry]
            took += (time.process_time() - began) * 1e3
        then = [scaled(curve, (expiry - t) / YEAR_NS / years) for expiry, (curve, years) in self._now.items()]
        self._ms.append(took)
        self._slices += [curve for curve, _ in self._now.values()]
        self._pairs += pairwise(then)

    def ivs(self, expiry: int, k: Floats) -> Floats:
        """Of the last sweep; NaN where there is no fit."""
        if expiry not in self._now:
            return np.full(len(k), np.nan)
        curve, years = self._now[expiry]
        return np.asarray(np.sqrt(levels(curve, k) / years))

    def table(self) -> dict[str, Any]:
        crossed = crossings([[near] for near, _ in self._pairs], [[far] for _, far in self._pairs])
        ms = percentiles(self._ms, (50, 95))
        return {"slices": counted(butterflies(self._slices)), "neighbours": counted(crossed), "surface_ms": ms}


def scaled(curve: Curve, share: float) -> Curve:
    """So many times the total variance."""
    return Curve(curve.a * share, tuple((p * share, c * share, m, s) for p, c, m, s in curve.hinges))
