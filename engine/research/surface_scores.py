"""How well the surface fits real chains: the rows of `evaluate surface`.

Each quote is judged with the forward of its own row (a sweep takes two minutes). Out-of-the-money two-sided quotes; the
liquid band is |delta| 0.1 to 0.9 as the venue states it. What the venue rounds (0.01 vol points) counts as inside. The
same quotes judge a plain fit by least squares, and the venue's own marks as if they were a fit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from engine import black
from engine.domain import YEAR_NS
from engine.research.benchmark_row import percentiles
from engine.research.intervals import Floats
from engine.research.plain_fits import PlainFits
from engine.research.surface_proof import Proofs
from engine.surface.surface import Fit, Quote, Surface

ROUNDED = 1e-4
DAYS = ((0, 1), (1, 3), (3, 10), (10, 40), (40, 4000))
WIDTHS = (1.0, 2.0, 5.0, 10.0, 20.0)  # of quotes, vol points
FEW = 10
BP = 1e4
TOLD = (50, 95)  # percentiles of times
WHO = {"ours": "iv", "scipy_lm": "plain", "marks": "mark"}


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
    """Gathers one surface's fits, sweep after sweep; with `peers`, the plain fit's too."""

    def __init__(self, missed: float = 0.0, peers: bool = False) -> None:
        self.surface, self.proofs = Surface(missed), Proofs()
        self.plain = PlainFits() if peers else None
        self.rows: list[pd.DataFrame] = []
        self.fit_ms: list[float] = []
        self.sweep_ms: list[float] = []
        self.sweeps, self.expiries = 0, 0
        self.sources: dict[str, int] = {}

    def take(self, smiles: Sequence[Smile]) -> None:
        """Fit a sweep, keep the whole surface for the proof, judge each quote."""
        took = 0.0
        for expiry in self.surface.fits.keys() - {smile.expiry for smile in smiles}:
            self.surface.forget(expiry)
        for smile in smiles:
            began = time.process_time()
            fit = self.surface.refit(smile.expiry, smile.forward, smile.quotes, smile.t)
            self.fit_ms.append((time.process_time() - began) * 1e3)
            took += self.fit_ms[-1]
            self.sources[fit.source] = self.sources.get(fit.source, 0) + 1
        self.sweep_ms.append(took)
        self.sweeps, self.expiries = self.sweeps + 1, self.expiries + len(smiles)
        fits = [self.surface.fits[smile.expiry] for smile in smiles]
        now = max((smile.t for smile in smiles), default=0)
        self.proofs.take(fits, self.surface.rungs(now))
        quoted = [(smile, fit) for smile, fit in zip(smiles, fits, strict=True) if fit.source == "quotes"]
        if self.plain is not None:
            self.plain.take([(fit, smile.quotes) for smile, fit in quoted], now)
        for smile, fit in quoted:
            self._judge(smile, fit)

    def _judge(self, smile: Smile, fit: Fit) -> None:
        rows = smile.rows
        if rows.empty:
            return
        k = np.log(rows["strike"] / rows["forward"]).to_numpy()
        years = (smile.expiry - rows["t"].to_numpy()) / YEAR_NS
        marked = black.implied_vols(rows["mark"], rows["forward"], rows["strike"], years, rows["call"])
        plain = self.plain.ivs(smile.expiry, k) if self.plain is not None else np.full(len(k), np.nan)
        self.rows.append(pd.DataFrame({
            "iv": fit.ivs(k), "plain": plain, "bid": rows["bid_iv"], "ask": rows["ask_iv"], "mark": rows["mark_iv"],
            "solved": marked, "liquid": rows["delta"].abs().between(0.1, 0.9), "days": fit.years * 365.0,
            "t": rows["t"],
        }))  # fmt: skip

    def table(self, gaps: bool = True) -> dict[str, Any]:
        """CONTRACT's JSON of one data set, and more beside it; `gaps`: see `Proofs.table`."""
        rows = self._gathered()
        liquid = rows[rows["liquid"]]
        proof = self.proofs.table(gaps)
        found = {
            "snapshots": self.sweeps, "expiries": self.expiries, "quotes": len(rows), **accuracy(rows, "iv"),
            "butterfly": proof["smiles"]["refuted"], "calendar": proof["neighbours"]["refuted"], "proof": proof,
            "fit_ms": percentiles(self.fit_ms, TOLD), "surface_ms": percentiles(self.sweep_ms, TOLD),
            "sources": self.sources,
            "by_days": {f"{low}-{high}": _of_days(liquid, low, high) for low, high in DAYS},
            "mark_iv": {
                "fit_vs_mark_bp": _median_off(liquid["iv"] - liquid["mark"]),
                "mid_vs_mark_bp": _median_off((liquid["bid"] + liquid["ask"]) / 2 - liquid["mark"]),
                "solved_vs_stated_bp": _median_off(liquid["solved"] - liquid["mark"]),
            },
        }  # fmt: skip
        if self.plain is not None:
            found["peers"] = {"scipy_lm": {**accuracy(rows, "plain"), **self.plain.table()},
                              "marks": accuracy(rows, "mark")}  # fmt: skip
            found["what_is_off"] = _what_is_off(liquid)
        return found

    def _gathered(self) -> pd.DataFrame:
        if not self.rows:
            return pd.DataFrame(columns=list(_EMPTY)).astype({"liquid": bool})
        return pd.concat(self.rows, ignore_index=True)


_EMPTY = ("iv", "plain", "bid", "ask", "mark", "solved", "liquid", "days", "t")


def accuracy(rows: pd.DataFrame, who: str) -> dict[str, float | None]:
    """How far off mid (RMS, vol bp) and how often inside bid and ask the column `who` is."""
    liquid, wings = rows[rows["liquid"]], rows[~rows["liquid"]]
    return {
        "rmse_vol_bp": _rms(liquid, who), "inside_bid_ask": _inside(liquid, who),
        "wings_rmse_vol_bp": _rms(wings, who), "inside_wings": _inside(wings, who), "inside_all": _inside(rows, who),
    }  # fmt: skip


def _of_days(liquid: pd.DataFrame, low: float, high: float) -> dict[str, Any]:
    part = liquid[(liquid["days"] >= low) & (liquid["days"] < high)]
    return {"quotes": len(part), "rmse_vol_bp": _rms(part, "iv"), "inside_bid_ask": _inside(part, "iv")}


def _what_is_off(liquid: pd.DataFrame) -> dict[str, Any]:
    """Where the squared errors of the liquid band lie: in which hours, and in how wide quotes (vol points)."""
    width = (liquid["ask"] - liquid["bid"]) * 100.0
    square = np.sort(_off(liquid, "iv") ** 2)[::-1]
    hours = pd.to_datetime(liquid["t"]).dt.strftime("%Y-%m-%d %H:00")
    return {
        f"share_of_{FEW}_quotes": float(square[:FEW].sum() / max(square.sum(), 1e-300)),
        "by_hour": [
            {
                "utc": str(hour),
                "quotes": len(part),
                "widest_vol_points": float(width[part.index].max()),
                **_all_rms(part),
            }
            for hour, part in liquid.groupby(hours)
        ],
        "by_width": [
            {"up_to": most, "share": float((width <= most).mean()), **_all_rms(liquid[width <= most])}
            for most in WIDTHS
        ],
    }


def _all_rms(rows: pd.DataFrame) -> dict[str, float | None]:
    return {f"{name}_vol_bp": _rms(rows, column) for name, column in WHO.items()}


def _off(rows: pd.DataFrame, who: str) -> Floats:
    off = (rows[who] - (rows["bid"] + rows["ask"]) / 2).to_numpy(dtype=np.float64)
    return np.asarray(off[np.isfinite(off)])


def _rms(rows: pd.DataFrame, who: str) -> float | None:
    off = _off(rows, who)
    return float(np.sqrt(np.mean(off * off))) * BP if len(off) else None


def _inside(rows: pd.DataFrame, who: str) -> float | None:
    known = rows[np.isfinite(rows[who].to_numpy(dtype=np.float64))]
    if known.empty:
        return None
    return float(((known[who] >= known["bid"] - ROUNDED) & (known[who] <= known["ask"] + ROUNDED)).mean())


def _median_off(off: pd.Series) -> float | None:
    values = np.abs(off.to_numpy(dtype=np.float64))
    values = values[np.isfinite(values)]
    return float(np.median(values)) * BP if len(values) else None
