"""Forecasts against what became of them, head by head: the table of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.forecast.adaptive import EDGE
from engine.forecast.labels import DOWN, STABLE, UP
from engine.forecast.parameters import Weights, columns
from engine.research.dataset import Floats
from engine.research.judging import Judged, judge
from engine.research.paired import RIVALS, Bands, interval, losses_of, mean, slip_bands
from engine.research.rivals import Rival
from engine.research.targets import Part

ENOUGH = 700  # moments under which a realised frequency is not said
THRESHOLDS = (("up", UP, 0.75), ("down", DOWN, 0.75), ("stable", STABLE, 0.80))  # the policy's
BINS = 10

Table = dict[str, Any]
Bin = tuple[float, float, int]


def score(weights: Weights, parts: Sequence[Part], data: str, rivals: Sequence[Rival] = ()) -> Table:
    """Judge and make the table."""
    return tabled(weights, judge(weights, parts, rivals), data)


def tabled(weights: Weights, judged: Judged, data: str) -> Table:
    """The table of CONTRACT.md; what was not measured is None."""
    found = {
        "direction": _direction(judged),
        "direction_10": _later(judged, "direction_10"),
        "direction_60": _later(judged, "direction_60"),
        "slippage": _slippage(judged),
        "volatility": _volatility(judged),
        "fill": _fill(judged),
        "impact": _impact(judged),
        "spread": _spread(judged),
    }
    return {
        "data": data,
        "weights": weights.id,
        "crowd": weights.header.crowd_hash,
        "n": len(judged["outcome"]),
        "threshold_ticks": {"option": weights.header.threshold_ticks, "future": weights.header.future_threshold_ticks},
        "later_thresholds_ticks": {
            head: {"option": both[0], "future": both[1]} for head, both in weights.header.later_thresholds.items()
        },
        **{head: table for head, (table, _) in found.items()},
        "rows": None,
        "intervals": {name: band for _, bands in found.values() for name, band in bands.items()},
    }


def _direction(judged: Judged) -> tuple[Table, Bands]:
    losses, known = losses_of("direction", judged)
    outcome, model = judged["outcome"][known].astype(int), judged["said"][known][:, columns("direction")]
    table = {
        "log_loss": dict.fromkeys(("lstm", *RIVALS, "oracle")) | losses.means(),
        "gap_closed": None,
        "brier": _brier(model, outcome),
        "brier_base": _brier(judged["p_base"][known], outcome),
        "ece": _calibration_error(model, outcome),
        "reliability": _reliabilities(model, outcome),
        "shares": {name: float((outcome == k).mean()) for k, name in enumerate(("up", "down", "stable"))},
        "at_threshold": [_at_threshold(name, k, level, model, outcome, losses.block) for name, k, level in THRESHOLDS],
    }
    return table, losses.bands("direction")


def _later(judged: Judged, head: str) -> tuple[Table, Bands]:
    losses, known = losses_of(head, judged)
    outcome = judged["outcome" + head.removeprefix("direction")][known].astype(int)
    model = judged["said"][known][:, columns(head)]
    table = {
        "log_loss": losses.means(),
        "ece": _calibration_error(model, outcome),
        "reliability": _reliabilities(model, outcome),
        "shares": {name: mean(outcome == k) for k, name in enumerate(("up", "down", "stable"))},
        "at_threshold": [_at_threshold(name, k, level, model, outcome, losses.block) for name, k, level in THRESHOLDS],
        "n": len(outcome),
    }
    return table, losses.bands(head)


def _at_threshold(name: str, k: int, level: float, model: Floats, outcome: NDArray[np.int64], block: Floats) -> Table:
    """Of the moments with a probability of at least `level`, the share that came true beside the mean forecast."""
    sure = model[:, k] >= level
    hit = (outcome[sure] == k).astype(np.float64)
    band = interval(hit, block[sure]) if len(hit) >= ENOUGH else None
    return {
        "head": name,
        "threshold": level,
        "n": int(sure.sum()),
        "mean_forecast": mean(model[sure, k]),
        "realised": mean(hit),
        "lo": band[0] if band else None,
        "hi": band[1] if band else None,
    }


def _slippage(judged: Judged) -> tuple[Table, Bands]:
    losses, known = losses_of("slippage", judged)
    bands, y = slip_bands(judged, known)["lstm"], (judged["cost"] - judged["walked"])[known]
    table = {"pinball": losses.means(), "coverage": _coverage(bands, y), "on_edge": _on_edge(bands, y), "n": len(y)}
    return table, losses.bands("slippage")


def _volatility(judged: Judged) -> tuple[Table, Bands]:
    losses, known = losses_of("volatility", judged)
    bands, y = judged["said"][known][:, columns("iv")], judged["iv"][known]
    table = {"pinball": losses.means(), "coverage": _coverage(bands, y), "on_edge": _on_edge(bands, y), "n": len(y)}
    return table, losses.bands("volatility")


def _coverage(bands: Floats, y: Floats) -> float | None:
    """How often the bands held the outcome, their edges included."""
    return mean((y >= bands[..., 0] - EDGE) & (y <= bands[..., 2] + EDGE))


def _on_edge(bands: Floats, y: Floats) -> float | None:
    """How often the outcome was an edge of its band: where nearly all outcomes are one number the right band is that
    number, and holds more than four in five however narrow it is."""
    return mean((np.abs(y - bands[..., 0]) <= EDGE) | (np.abs(y - bands[..., 2]) <= EDGE))


def _fill(judged: Judged) -> tuple[Table, Bands]:
    losses, known = losses_of("fill", judged)
    y, model, base = judged["fill"][known], judged["said"][known][:, columns("fill")], judged["fill_base"][known]
    table = {
        "log_loss": losses.means(),
        "brier": {"lstm": mean((model - y) ** 2), "base": mean((base - y) ** 2)},
        "reliability": {"fill": reliability(model.ravel(), y.ravel())},
        "filled": mean(y),
        "n": len(y),
        "by_lot": _by_lot(judged),
    }
    return table, losses.bands("fill")


def _by_lot(judged: Judged) -> Table:
    """Of passive orders sent at random: Brier score beside the base rate's, and their difference's interval."""
    came, said, base = judged["probe_came"], judged["probe_said"], judged["probe_base"]
    ours, theirs = (said - came) ** 2, (base - came) ** 2
    return {
        "brier": {"lstm": mean(ours), "base": mean(theirs)},
        "difference": interval(ours - theirs, judged["probe_block"]),
        "filled": mean(came),
        "n": len(came),
    }


def _impact(judged: Judged) -> tuple[Table, Bands]:
    losses, _ = losses_of("impact", judged)
    return {"huber": losses.means(), "n": len(losses.model)}, losses.bands("impact")


def _spread(judged: Judged) -> tuple[Table, Bands]:
    losses, _ = losses_of("spread", judged)
    return {"squared_log": losses.means(), "n": len(losses.model)}, losses.bands("spread")


def _brier(p: Floats, outcome: NDArray[np.int64]) -> float | None:
    return mean(((p - np.eye(3)[outcome]) ** 2).sum(axis=1))


def _calibration_error(p: Floats, outcome: NDArray[np.int64]) -> float | None:
    """Mean |share that came true − mean forecast| over ten bins of each class's probability, by how full they are."""
    if not len(outcome):
        return None
    flat, came = p.ravel(), np.eye(3)[outcome].ravel()
    bins = np.minimum((flat * BINS).astype(int), BINS - 1)
    gaps = [abs(float((came[bins == b] - flat[bins == b]).sum())) for b in range(BINS)]
    return sum(gaps) / len(flat)


def _reliabilities(p: Floats, outcome: NDArray[np.int64]) -> dict[str, list[Bin]]:
    """By class, as the curve of a picture."""
    return {name: reliability(p[:, k], outcome == k) for name, k, _ in THRESHOLDS}


def reliability(said: Floats, came: Floats | NDArray[np.bool_]) -> list[Bin]:
    """(mean forecast, share that came true, how many) of each tenth of the probabilities that was ever said."""
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    held = [(said[bins == b], came[bins == b]) for b in range(BINS)]
    return [(float(p.mean()), float(hit.mean()), len(p)) for p, hit in held if len(p)]
