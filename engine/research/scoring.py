"""Forecasts against what became of them, head by head, beside their rivals, with intervals.

The model is run as it runs live (the stepped numpy code), once a second after the warm-up. Intervals are of the paired
difference (model less rival, negative is better) over blocks of ten seconds, all instruments of a session together,
since forecasts of the same seconds share their luck.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import STEP_NS, WARM_STEPS
from engine.forecast.labels import DOWN, STABLE, UP
from engine.forecast.parameters import LAYERS, OUTPUTS, Weights, columns
from engine.forecast.score import Z
from engine.forecast.stream import spoken, step_arrays
from engine.research.dataset import Floats
from engine.research.losses import coin_losses, hubers, log_losses, pinballs
from engine.research.rivals import logistic, past_only, standardised
from engine.research.targets import Part, classes

EVERY = 10  # steps between two judged moments
BLOCK = 100  # steps
ENOUGH = 700  # moments under which a realised frequency is not said
THRESHOLDS = (("up", UP, 0.75), ("down", DOWN, 0.75), ("stable", STABLE, 0.80))  # the policy's
BINS = 10

Table = dict[str, Any]


def outputs_of(weights: Weights, parts: Sequence[Part]) -> list[NDArray[np.float32]]:
    """Each part's forecasts (T, OUTPUTS), stepped from its beginning; parts of one length go side by side."""
    out: list[NDArray[np.float32]] = [np.zeros((0, OUTPUTS), np.float32)] * len(parts)
    alike: dict[int, list[int]] = defaultdict(list)
    for k, part in enumerate(parts):
        alike[part.end - part.begin].append(k)
    for steps, members in alike.items():
        x = np.stack([_seen(weights, parts[k]) for k in members])  # (B, T, F)
        h = np.zeros((LAYERS, len(members), weights.header.hidden), np.float32)
        c = h.copy()
        kinds = [parts[k].stretch.instrument.kind for k in members]
        said = np.stack([spoken(step_arrays(weights, x[:, t], h, c), kinds, weights) for t in range(steps)], axis=1)
        for place, k in enumerate(members):
            out[k] = said[place]
    return out


def _seen(weights: Weights, part: Part) -> NDArray[np.float32]:
    return standardised(part.stretch.x[part.span], weights.arrays["mean"], weights.arrays["scale"])


def score(weights: Weights, parts: Sequence[Part], data: str) -> Table:
    """The table of CONTRACT.md; what this version does not measure is None."""
    said = outputs_of(weights, parts)
    each = [_judged(weights, part, rows) for part, rows in zip(parts, said, strict=True)]
    judged = {name: np.concatenate([row[name] for row in each]) for name in each[0]}
    found = {
        "direction": _direction(judged),
        "slippage": _slippage(judged),
        "volatility": _volatility(judged),
        "fill": _fill(judged),
        "impact": _impact(weights, parts, said),
        "spread": _spread(judged),
    }
    return {
        "data": data,
        "weights": weights.id,
        "crowd": weights.header.crowd_hash,
        "n": len(judged["outcome"]),
        "threshold_ticks": {"option": weights.header.threshold_ticks, "future": weights.header.future_threshold_ticks},
        **{head: table for head, (table, _) in found.items()},
        "rows": None,
        "intervals": {name: band for _, bands in found.values() for name, band in bands.items()},
    }


Judged = dict[str, Floats]
Bands = dict[str, tuple[float, float] | None]


def _judged(weights: Weights, part: Part, said: NDArray[np.float32]) -> Judged:
    """One part's judged moments: what was said, what the rivals said, what came, and the block each lies in."""
    kind, labels, steps = part.stretch.instrument.kind, part.labels, part.end - part.begin
    rates, at = weights.header.base(kind), slice(WARM_STEPS, steps, EVERY)
    frequencies = (rates.up, rates.down, 1.0 - rates.up - rates.down)
    outcome = classes(labels.move, weights.header.threshold(kind))[part.span][at]
    count = len(outcome)
    return {
        "said": said[at].astype(np.float64),
        "outcome": outcome,
        "base": np.tile(frequencies, (count, 1)),
        "past": past_only(outcome, frequencies, EVERY),
        "logistic": logistic(_seen(weights, part)[at], weights.arrays["logistic"]),
        "slip_band": np.tile(rates.slip, (count, 1)),
        "iv_band": np.tile(rates.iv, (count, 1)),
        "fill_base": np.tile((rates.fill_bid, rates.fill_ask), (count, 1)),
        "cost": labels.cost[part.span][at],
        "walked": labels.walked[part.span][at],
        "fill": labels.fill[part.span][at],
        "iv": labels.iv[part.span][at],
        "spread": labels.spread[part.span][at],
        "block": (part.stretch.t // STEP_NS + part.begin + np.arange(WARM_STEPS, steps, EVERY)) // BLOCK * 1.0,
    }


def _direction(judged: Judged) -> tuple[Table, Bands]:
    known = ~np.isnan(judged["outcome"])
    outcome, block = judged["outcome"][known].astype(int), judged["block"][known]
    model = judged["said"][known][:, columns("direction")]
    rivals = {name: judged[name][known] for name in ("base", "past", "logistic")}
    losses = {name: log_losses(p, outcome) for name, p in (("lstm", model), *rivals.items())}
    means = {name: _mean(loss) for name, loss in losses.items()}
    table = {
        "log_loss": {"lstm": means["lstm"], "base": means["base"], "past_only": means["past"],
                     "logistic": means["logistic"], "boosting": None, "oracle": None},
        "gap_closed": None,
        "brier": _brier(model, outcome),
        "brier_base": _brier(rivals["base"], outcome),
        "ece": _calibration_error(model, outcome),
        "shares": {name: float((outcome == k).mean()) for k, name in enumerate(("up", "down", "stable"))},
        "at_threshold": [_at_threshold(name, k, level, model, outcome, block) for name, k, level in THRESHOLDS],
    }  # fmt: skip
    bands = {
        f"direction_vs_{said}": interval(losses["lstm"] - losses[name], block)
        for name, said in (("base", "base"), ("past", "past_only"), ("logistic", "logistic"))
    }
    return table, bands


def _at_threshold(name: str, k: int, level: float, model: Floats, outcome: NDArray[np.int64], block: Floats) -> Table:
    """Of the moments with a probability of at least `level`, the share that came true beside the mean forecast."""
    sure = model[:, k] >= level
    hit = (outcome[sure] == k).astype(np.float64)
    band = interval(hit, block[sure]) if len(hit) >= ENOUGH else None
    return {
        "head": name,
        "threshold": level,
        "n": int(sure.sum()),
        "mean_forecast": _mean(model[sure, k]),
        "realised": _mean(hit),
        "lo": band[0] if band else None,
        "hi": band[1] if band else None,
    }


def _slippage(judged: Judged) -> tuple[Table, Bands]:
    walked, error = judged["walked"], judged["cost"] - judged["walked"]
    scale = 1.0 + walked
    bands = judged["said"][:, columns("slip")].reshape(len(walked), -1, 3) * scale[:, :, None]
    book = judged["slip_band"][:, None, :] * scale[:, :, None]
    return _quantiles("slippage", "book", bands, book, error, judged["block"])


def _volatility(judged: Judged) -> tuple[Table, Bands]:
    bands, y = judged["said"][:, columns("iv")][:, None, :], judged["iv"][:, None]
    return _quantiles("volatility", "persistence", bands, judged["iv_band"][:, None, :], y, judged["block"])


def _quantiles(head: str, rival: str, bands: Floats, other: Floats, y: Floats, block: Floats) -> tuple[Table, Bands]:
    """Pinball of (N, k, 3) bands and a rival's against (N, k), and how often the bands held the outcome."""
    known = ~np.isnan(y).any(axis=1)
    bands, other, y, block = bands[known], other[known], y[known], block[known]
    model, theirs = pinballs(bands, y), pinballs(other, y)
    inside = (y >= bands[..., 0]) & (y <= bands[..., 2])
    table = {"pinball": {"lstm": _mean(model), rival: _mean(theirs)}, "coverage": _mean(inside), "n": int(known.sum())}
    return table, {f"{head}_vs_{rival}": interval((model - theirs).mean(axis=1), block)}


def _fill(judged: Judged) -> tuple[Table, Bands]:
    known = ~np.isnan(judged["fill"][:, 0])
    y, model = judged["fill"][known], judged["said"][known][:, columns("fill")]
    base, block = judged["fill_base"][known], judged["block"][known]
    losses = {name: coin_losses(p, y) for name, p in (("lstm", model), ("base", base))}
    table = {
        "log_loss": {name: _mean(loss) for name, loss in losses.items()},
        "brier": {"lstm": _mean((model - y) ** 2), "base": _mean((base - y) ** 2)},
        "filled": _mean(y),
        "n": len(y),
    }
    return table, {"fill_vs_base": interval((losses["lstm"] - losses["base"]).mean(axis=1), block)}


def _spread(judged: Judged) -> tuple[Table, Bands]:
    known = ~np.isnan(judged["spread"])
    y, block = judged["spread"][known], judged["block"][known]
    model = (y - judged["said"][known][:, columns("spread")][:, 0]) ** 2
    table = {"squared_log": {"lstm": _mean(model), "persistence": _mean(y * y)}, "n": len(y)}
    return table, {"spread_vs_persistence": interval(model - y * y, block)}


def _impact(weights: Weights, parts: Sequence[Part], said: Sequence[NDArray[np.float32]]) -> tuple[Table, Bands]:
    """Labels exist only where others traded, so every step after the warm-up that has one is judged; the errors are
    relative to the push."""
    model: list[Floats] = [np.zeros(0)]
    base: list[Floats] = [np.zeros(0)]
    block: list[Floats] = [np.zeros(0)]
    for part, rows in zip(parts, said, strict=True):
        push = part.labels.push[part.span][WARM_STEPS:]
        usual = weights.header.base(part.stretch.instrument.kind).impact * push
        miss = (part.labels.impact[part.span][WARM_STEPS:] - usual) / (1.0 + push)
        steps, sides = np.nonzero(~np.isnan(miss))
        model.append(hubers((miss - rows[WARM_STEPS:, columns("impact")])[steps, sides]))
        base.append(hubers(miss[steps, sides]))
        block.append(((part.stretch.t // STEP_NS + part.begin + WARM_STEPS + steps) // BLOCK).astype(np.float64))
    ours, theirs = np.concatenate(model), np.concatenate(base)
    table = {"huber": {"lstm": _mean(ours), "base": _mean(theirs)}, "n": len(ours)}
    return table, {"impact_vs_base": interval(ours - theirs, np.concatenate(block))}


def _brier(p: Floats, outcome: NDArray[np.int64]) -> float | None:
    return _mean(((p - np.eye(3)[outcome]) ** 2).sum(axis=1))


def _calibration_error(p: Floats, outcome: NDArray[np.int64]) -> float | None:
    """Mean |share that came true − mean forecast| over ten bins of each class's probability, by how full they are."""
    if not len(outcome):
        return None
    flat, came = p.ravel(), np.eye(3)[outcome].ravel()
    bins = np.minimum((flat * BINS).astype(int), BINS - 1)
    gaps = [abs(float((came[bins == b] - flat[bins == b]).sum())) for b in range(BINS)]
    return sum(gaps) / len(flat)


def _mean(values: Floats | NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if values.size else None


def interval(values: Floats, block: Floats) -> tuple[float, float] | None:
    """A 90 % interval of the mean from the spread of block means, weighed by their sizes; None under two blocks."""
    names, inverse = np.unique(block, return_inverse=True)
    if len(names) < 2:
        return None
    counts, sums = np.bincount(inverse), np.bincount(inverse, weights=values)
    mean = sums.sum() / counts.sum()
    error = np.sqrt((((sums - mean * counts) / counts.mean()) ** 2).sum() / len(names) / (len(names) - 1))
    return float(mean - Z * error), float(mean + Z * error)
