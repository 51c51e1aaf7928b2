"""Stylised facts of one instrument's market: the same functions for a recording and for the paper venue.

Each takes a `Track` and gives a number or a table of numbers, NaN where there is nothing to measure. Sizes are in USD,
times in seconds, prices in ticks or basis points, so that markets of different grids can be held beside each other.
What is said of "the time" is sampled on a grid of 100 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from engine.domain import NS
from engine.research.predictability import unchanged
from engine.research.sampling import (
    LEAST,
    NAN,
    changes,
    correlation,
    gaps,
    mean_of,
    mid_at,
    on_grid,
    quantiles,
    r2,
    returns,
    sampled,
    slope,
    touched,
    usd_per_lot,
    variance,
    windows,
)
from engine.research.track import LEVELS, STEP_NS, Track

Fact: TypeAlias = float | dict[str, float]
LAGS = (1, 2, 5, 10, 20, 50, 100)
SIGNATURE_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
OFI_S = (1, 2, 5, 10)
RESPONSE_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
VOLUME_WINDOW_S = 5
BUCKETS = 8  # of signed volume, equal in number
YEAR_S = 365 * 24 * 3600


def facts(track: Track) -> dict[str, Fact]:
    """All of them, by name; those of TABLE, in its order."""
    return {name: fact(track) for name, fact in TABLE.items()}


def averaged(found: Sequence[dict[str, Fact]]) -> dict[str, Fact]:
    """The mean of each number over several tracks' facts; NaNs are left out."""
    return {name: _mean_of([facts[name] for facts in found]) for name in (found[0] if found else {})}


def _mean_of(values: Sequence[Fact]) -> Fact:
    tables = [value for value in values if isinstance(value, dict)]
    if tables:
        names = dict.fromkeys(name for table in tables for name in table)
        return {name: _mean([table.get(name, NAN) for table in tables]) for name in names}
    return _mean([value for value in values if not isinstance(value, dict)])


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else NAN


# ------------------------------------------------------------ the book as it stands


def spread_ticks(track: Track) -> dict[str, float]:
    wide = sampled(track, track.ask - track.bid)
    return {"mean": mean_of(wide), **quantiles(wide)}


def spread_bp(track: Track) -> dict[str, float]:
    wide = sampled(track, (track.ask - track.bid) / track.mid * 1e4)
    return {"mean": mean_of(wide), **quantiles(wide)}


def touch_usd(track: Track) -> dict[str, float]:
    """Size at the best prices, both sides together."""
    sizes = np.concatenate([sampled(track, side) for side in (track.bid_size, track.ask_size)])
    sizes = sizes[sizes > 0.0] * usd_per_lot(track)
    return {"mean": mean_of(sizes), **quantiles(sizes, (0.1, 0.5, 0.9))}


def depth_usd(track: Track) -> dict[str, float]:
    """Mean size at each of the first levels, both sides."""
    row = on_grid(track)
    mean = (track.bids[row] + track.asks[row]).mean(axis=0) / 2.0 * usd_per_lot(track) if len(row) else [NAN] * LEVELS
    return {str(level): float(size) for level, size in enumerate(mean, 1)}


def two_sided(track: Track) -> float:
    """Share of the time that both sides are quoted."""
    sampled = np.isfinite(track.mid[on_grid(track)])
    return float(sampled.mean()) if len(sampled) else NAN


def imbalance_persistence(track: Track) -> dict[str, float]:
    """Autocorrelation of the touch imbalance after so many seconds."""
    row = on_grid(track)
    bid, ask = track.bid_size[row], track.ask_size[row]
    values = np.divide(bid - ask, bid + ask, out=np.full(len(row), np.nan), where=bid + ask > 0)
    return {f"{s:g}": correlation(values, s * NS // STEP_NS) for s in (1, 5)}


# ------------------------------------------------------------ events


def rates(track: Track) -> dict[str, float]:
    """A second: book states, changes of the touch, orders that traded, USD traded."""
    seconds = track.seconds
    if seconds <= 0.0:
        return dict.fromkeys(("book", "touch", "orders", "usd"), NAN)
    return {
        "book": len(track.t) / seconds,
        "touch": len(touched(track)) / seconds,
        "orders": len(track.orders()[0]) / seconds,
        "usd": float(track.size.sum()) * usd_per_lot(track) / seconds,
    }


def trade_gap_s(track: Track) -> dict[str, float]:
    """Time between two orders that trade. A coefficient of variation above 1 is clustering."""
    return gaps(track.orders()[0])


def touch_gap_s(track: Track) -> dict[str, float]:
    """Time between two changes of a best price or its size."""
    return gaps(touched(track))


def trade_usd(track: Track) -> dict[str, float]:
    """Size of an order that trades."""
    sizes = track.orders()[1] * usd_per_lot(track)
    return {"mean": mean_of(sizes), **quantiles(sizes)}


def sign_autocorrelation(track: Track) -> dict[str, float]:
    """Of the aggressors' sides, order by order; `decay` is γ in ρ(lag) ~ lag^−γ, by least squares of logs over the lags
    where ρ is above its noise."""
    sign = track.orders()[2]
    out = {str(lag): correlation(sign, lag) for lag in LAGS}
    noise = 1.0 / np.sqrt(max(len(sign), 1))
    known = [(lag, out[str(lag)]) for lag in LAGS if out[str(lag)] > noise]
    return out | {"decay": -slope([lag for lag, _ in known], [rho for _, rho in known]) if len(known) > 2 else NAN}


# ------------------------------------------------------------ prices


def volatility(track: Track) -> float:
    """Annual, of the mid's changes over 10 s."""
    return float(np.sqrt(variance(track, 10.0) * YEAR_S))


def volatility_signature(track: Track) -> dict[str, float]:
    """Variance of the mid's log-return a second, by the seconds it is sampled at, against that at 10 s: a falling curve
    is bouncing, a rising one is trending."""
    base = variance(track, 10.0)
    return {f"{s:g}": variance(track, s) / base if base else NAN for s in SIGNATURE_S}


def return_tails(track: Track) -> dict[str, float]:
    """Excess kurtosis of one-second returns, and the autocorrelation of their size: volatility comes in clusters."""
    r = returns(track, 1.0)
    if len(r) < LEAST or not r.std():
        return dict.fromkeys(("kurtosis", "clustering_1s", "clustering_10s"), NAN)
    z = (r - r.mean()) / r.std()
    size = np.abs(r)
    return {"kurtosis": float((z**4).mean() - 3.0), "clustering_1s": correlation(size, 1),
            "clustering_10s": correlation(size, 10)}  # fmt: skip


def unchanged_share(track: Track) -> float:
    """Share of one-second windows in which the micro-price ends exactly where it began."""
    return unchanged(track)


def ofi_r2(track: Track) -> dict[str, float]:
    """How much of the mid's change over so many seconds the order-flow imbalance of the same time explains: R² of a
    straight line, windows side by side (Cont, Kukanov and Stoikov 2014)."""
    push, mid = np.cumsum(track.ofi), track.mid
    return {f"{s:g}": r2(changes(track, push, s), changes(track, mid, s)) for s in OFI_S}


# ------------------------------------------------------------ impact


def impact(track: Track) -> dict[str, float]:
    """What signed volume does to the price over windows of 5 s. `exponent` is δ in |Δmid| ~ |volume|^δ over buckets of
    volume (about a half where a square root rules); `bp_per_musd` the mean move at a million USD by that fit."""
    volume, move = windows(track, VOLUME_WINDOW_S)
    busy = np.abs(volume) > 0.0
    volume, move = volume[busy], move[busy]
    if len(volume) < LEAST:
        return {"exponent": NAN, "bp_per_musd": NAN}
    order = np.argsort(np.abs(volume))
    rows = np.array_split(order, min(BUCKETS, len(order) // 5))
    size = [float(np.abs(volume[row]).mean()) for row in rows]
    mean = [float((np.sign(volume[row]) * move[row]).mean()) for row in rows]
    weight = [(s, m) for s, m in zip(size, mean, strict=True) if m > 0.0]
    if len(weight) < 3:
        return {"exponent": NAN, "bp_per_musd": NAN}
    exponent = slope([s for s, _ in weight], [m for _, m in weight])
    level = np.exp(np.mean([np.log(m) - exponent * np.log(s) for s, m in weight]))
    return {"exponent": exponent, "bp_per_musd": float(level * 1e6**exponent)}


def response_bp(track: Track) -> dict[str, float]:
    """Mean move of the mid in an order's direction, by seconds after it; from just before the order."""
    t, _, sign = track.orders()
    before = mid_at(track, t - 1)
    out = {}
    for s in RESPONSE_S:
        move = sign * (mid_at(track, t + round(s * NS)) / before - 1.0) * 1e4
        inside = (t + round(s * NS) <= track.t[-1]) if len(track.t) else np.zeros(0, np.bool_)
        out[f"{s:g}"] = mean_of(move[inside])
    return out


TABLE: dict[str, Callable[[Track], Fact]] = {
    fact.__name__: fact
    for fact in (
        spread_ticks, spread_bp, touch_usd, depth_usd, two_sided, imbalance_persistence, rates, trade_gap_s,
        touch_gap_s, trade_usd, sign_autocorrelation, volatility, volatility_signature, return_tails, unchanged_share,
        ofi_r2, impact, response_bp,
    )
}  # fmt: skip


# ------------------------------------------------------------ as JSON


def listed(found: dict[str, Fact]) -> dict[str, Any]:
    """As JSON says it: four figures, null for what is not known."""
    return {name: {key: _said(v) for key, v in value.items()} if isinstance(value, dict) else _said(value)
            for name, value in found.items()}  # fmt: skip


def _said(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None
