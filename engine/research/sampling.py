"""What the facts are made of: a track sampled on a grid, changes over time, quantiles, correlations, slopes.

Each says NaN where there is too little to say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.domain import NS, Kind
from engine.research.track import Floats, Ints, Track

LEAST = 20  # observations under which nothing is said
NAN = float("nan")


def usd_per_lot(track: Track) -> float:
    """What a lot is worth: an inverse future's amount is USD already, others' is coin."""
    i = track.instrument
    if i.kind is not Kind.OPTION and i.contract > 0.0 and i.lot >= 1.0:
        return i.lot
    mid = track.mid[np.isfinite(track.mid)]
    return i.lot * (float(mid[-1]) * i.tick if len(mid) else NAN)


def on_grid(track: Track) -> Ints:
    """The rows that hold at each step of the grid."""
    return track.at(track.grid())


def sampled(track: Track, values: Floats) -> Floats:
    """On the grid, known values only."""
    out = values[on_grid(track)]
    return np.asarray(out[np.isfinite(out)])


def mean_of(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else NAN


def quantiles(values: Floats, at: Sequence[float] = (0.1, 0.5, 0.9, 0.99)) -> dict[str, float]:
    names = [f"q{round(100 * q)}" for q in at]
    if not len(values):
        return dict.fromkeys(names, NAN)
    return dict(zip(names, map(float, np.quantile(values, at)), strict=True))


def gaps(t: Ints) -> dict[str, float]:
    """Seconds between neighbours: mean, coefficient of variation, quantiles."""
    apart = np.diff(t) / NS
    if len(apart) < LEAST:
        return dict.fromkeys(("mean", "cv", "q10", "q50", "q90", "q99"), NAN)
    return {"mean": float(apart.mean()), "cv": float(apart.std() / apart.mean()), **quantiles(apart)}


def touched(track: Track) -> Ints:
    """When a best price or its size became another."""
    if not len(track.t):
        return track.t
    state = np.nan_to_num(np.column_stack([track.bid, track.ask, track.bid_size, track.ask_size]), nan=-1.0)
    return np.asarray(track.t[1:][(np.diff(state, axis=0) != 0.0).any(axis=1)])


def correlation(values: Floats, lag: int) -> float:
    """Autocorrelation; NaN where there is too little."""
    if len(values) < lag + LEAST:
        return NAN
    one, two = values[:-lag], values[lag:]
    known = np.isfinite(one) & np.isfinite(two)
    one, two = one[known], two[known]
    if len(one) < LEAST or not one.std() or not two.std():
        return NAN
    return float(np.corrcoef(one, two)[0, 1])


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Of log y on log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def at_steps(track: Track, values: Floats, seconds: float) -> Floats:
    grid = track.grid(round(seconds * NS))
    return np.asarray(values[track.at(grid)])


def changes(track: Track, values: Floats, seconds: float) -> Floats:
    return np.asarray(np.diff(at_steps(track, values, seconds)))


def returns(track: Track, seconds: float) -> Floats:
    r = np.diff(np.log(at_steps(track, track.mid, seconds)))
    return np.asarray(r[np.isfinite(r)])


def variance(track: Track, seconds: float) -> float:
    """Of the log-return, a second; windows of two seconds and more overlap, begun every second."""
    step = min(seconds, 1.0)
    logs = np.log(at_steps(track, track.mid, step))
    ahead = round(seconds / step)
    r = logs[ahead:] - logs[:-ahead]
    r = r[np.isfinite(r)]
    return float((r**2).mean() / seconds) if len(r) >= LEAST else NAN


def r2(x: Floats, y: Floats) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < LEAST or not x.std() or not y.std():
        return NAN
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def windows(track: Track, seconds: int) -> tuple[Floats, Floats]:
    """Signed USD traded and the mid's move in bp, in windows side by side."""
    grid = track.grid(seconds * NS)
    total = np.r_[0.0, np.cumsum(track.sign * track.size)] * usd_per_lot(track)
    volume = np.diff(total[np.searchsorted(track.trade_t, grid, side="right")])
    move = np.diff(np.log(track.mid[track.at(grid)])) * 1e4
    known = np.isfinite(move)
    return np.asarray(volume[known]), np.asarray(move[known])


def mid_at(track: Track, t: Ints) -> Floats:
    row = track.at(t)
    return np.where(row >= 0, track.mid[np.maximum(row, 0)], np.nan) if len(track.t) else np.full(len(t), np.nan)
