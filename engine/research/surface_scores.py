"""How well the surface fits real chains: the rows of `evaluate surface`.

Each quote is judged with the forward of its own row (a sweep takes two minutes). Out-of-the-money two-sided quotes; the
liquid band is |delta| 0.1 to 0.9 as the venue states it. What the venue rounds (0.01 vol points) counts as inside.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine import black
from engine.domain import YEAR_NS
from engine.surface.between import Rung
from engine.surface.surface import Fit, Quote, Surface
from engine.surface.svi import least_g

Floats = NDArray[np.float64]

ROUNDED = 1e-4
DAYS = ((0, 1), (1, 3), (3, 10), (10, 40), (40, 4000))
BP = 1e4
DENSE = np.linspace(-1.2, 1.2, 241)


class Smile(msgspec.Struct, frozen=True):
    """One expiry of one sweep: what is fitted, and the rows that are judged."""

    expiry: int
    t: int
    forward: float
    quotes: list[Quote]
    rows: pd.DataFrame


def smiles_of(rows: pd.DataFrame) -> list[Smile]:
    """The smiles of one sweep: rows as `imports.chains` has them. NaN means no value."""
    out = []
    for expiry, chain in rows.groupby("expiry", sort=True):
        columns = (chain[name].tolist() for name in ("strike", "call", "bid_iv", "ask_iv", "mark_iv", "forward"))
        quotes = [Quote(*row) for row in zip(*columns, strict=True)]
        outside = chain["call"].to_numpy() == (chain["strike"] >= chain["forward"]).to_numpy()
        judged = chain[outside & (chain["ask_iv"] >= chain["bid_iv"]).to_numpy()]
        forward, t = float(chain["forward"].median()), int(chain["t"].median())
        out.append(Smile(int(str(expiry)), t, forward, quotes, judged))
    return out


class Scores:
    """Gathers one surface's fits, sweep after sweep."""

    def __init__(self, missed: float = 0.0) -> None:
        self.surface = Surface(missed)
        self.rows: list[pd.DataFrame] = []
        self.fit_ms: list[float] = []
        self.sweep_ms: list[float] = []
        self.sweeps, self.expiries, self.butterfly, self.calendar, self.raw_calendar = 0, 0, 0, 0, 0
        self.sources: dict[str, int] = {}

    def take(self, smiles: Sequence[Smile]) -> None:
        """Fit a sweep, look at the whole surface for arbitrage, judge each quote."""
        took = 0.0
        for expiry in self.surface.fits.keys() - {smile.expiry for smile in smiles}:
            self.surface.forget(expiry)
        for smile in smiles:
            began = time.process_time()
            fit = self.surface.refit(smile.expiry, smile.forward, smile.quotes, smile.t)
            self.fit_ms.append((time.process_time() - began) * 1e3)
            took += self.fit_ms[-1]
            self.sources[fit.source] = self.sources.get(fit.source, 0) + 1
            self.butterfly += fit.slice is not None and least_g(fit.slice) < 0.0
        self.sweep_ms.append(took)
        self.sweeps, self.expiries = self.sweeps + 1, self.expiries + len(smiles)
        rungs = self.surface.rungs(max((smile.t for smile in smiles), default=0))
        self.butterfly += sum(_bent(rung) for rung in rungs)
        self.calendar += sum(_falls(near.slices, far.slices) for near, far in pairwise(rungs))
        self.raw_calendar += sum(_falls(near.slices[:1], far.slices[:1]) for near, far in pairwise(rungs))
        for smile in smiles:
            self._judge(smile, self.surface.fits[smile.expiry])

    def _judge(self, smile: Smile, fit: Fit) -> None:
        rows = smile.rows
        if fit.source != "quotes" or rows.empty:
            return
        iv = fit.ivs(np.log(rows["strike"] / rows["forward"]).to_numpy())
        years = (smile.expiry - rows["t"].to_numpy()) / YEAR_NS
        marked = black.implied_vols(rows["mark"], rows["forward"], rows["strike"], years, rows["call"])
        self.rows.append(pd.DataFrame({
            "iv": iv, "bid": rows["bid_iv"], "ask": rows["ask_iv"], "mark": rows["mark_iv"], "solved": marked,
            "liquid": rows["delta"].abs().between(0.1, 0.9), "days": fit.years * 365.0,
        }))  # fmt: skip

    def table(self) -> dict[str, Any]:
        """CONTRACT's JSON of one data set, and more beside it."""
        rows = pd.concat(self.rows, ignore_index=True) if self.rows else pd.DataFrame(columns=list(_EMPTY))
        liquid = rows[rows["liquid"].astype(bool)]
        wings = rows[~rows["liquid"].astype(bool)]
        return {
            "snapshots": self.sweeps, "expiries": self.expiries, "quotes": len(rows),
            "rmse_vol_bp": _rms(liquid), "inside_bid_ask": _inside(liquid),
            "butterfly": self.butterfly, "calendar": self.calendar,
            "fit_ms": _quantiles(self.fit_ms), "surface_ms": _quantiles(self.sweep_ms),
            "wings_rmse_vol_bp": _rms(wings), "inside_wings": _inside(wings), "inside_all": _inside(rows),
            "crossings_of_bare_slices": self.raw_calendar, "sources": self.sources,
            "by_days": {
                f"{low}-{high}": {"quotes": len(part), "rmse_vol_bp": _rms(part[part["liquid"].astype(bool)]),
                                  "inside_bid_ask": _inside(part[part["liquid"].astype(bool)])}
                for low, high in DAYS for part in [rows[(rows["days"] >= low) & (rows["days"] < high)]]
            },
            "mark_iv": {
                "fit_vs_mark_bp": _median_off(liquid["iv"] - liquid["mark"]),
                "mid_vs_mark_bp": _median_off((liquid["bid"] + liquid["ask"]) / 2 - liquid["mark"]),
                "solved_vs_stated_bp": _median_off(liquid["solved"] - liquid["mark"]),
            },
        }  # fmt: skip


_EMPTY = ("iv", "bid", "ask", "mark", "solved", "liquid", "days")


def _falls(near: Sequence[Any], far: Sequence[Any]) -> bool:
    """Whether total variance falls from one to the next anywhere on dense strikes."""
    first, second = (np.max([piece.ws(DENSE) for piece in pieces], axis=0) for pieces in (near, far))
    return bool((second < first * (1.0 - 1e-9)).any())


def _bent(rung: Rung) -> bool:
    """Whether call prices are not convex in the strike: by prices alone, nothing of how they were made."""
    w = np.maximum(np.max([piece.ws(DENSE) for piece in rung.slices], axis=0), 1e-12)
    strikes = np.exp(DENSE)
    calls = black.prices(1.0, strikes, 1.0, np.sqrt(w), True)
    slope = np.diff(calls) / np.diff(strikes)
    return bool(np.diff(slope).min() < -1e-9)


def _rms(rows: pd.DataFrame) -> float | None:
    off = (rows["iv"] - (rows["bid"] + rows["ask"]) / 2).to_numpy(dtype=np.float64)
    return float(np.sqrt(np.mean(off * off))) * BP if len(off) else None


def _inside(rows: pd.DataFrame) -> float | None:
    if rows.empty:
        return None
    return float(((rows["iv"] >= rows["bid"] - ROUNDED) & (rows["iv"] <= rows["ask"] + ROUNDED)).mean())


def _median_off(off: pd.Series) -> float | None:
    values = np.abs(off.to_numpy(dtype=np.float64))
    values = values[np.isfinite(values)]
    return float(np.median(values)) * BP if len(values) else None


def _quantiles(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"p50": None, "p95": None}
    return {"p50": float(np.quantile(values, 0.5)), "p95": float(np.quantile(values, 0.95))}
