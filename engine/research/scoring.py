"""Forecasts against what became of them, head by head, beside their rivals, with intervals.

Intervals are of the paired difference (model less rival, negative is better) over blocks of ten seconds, all
instruments of a session together, since forecasts of the same seconds share their luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.forecast.adaptive import EDGE
from engine.forecast.labels import DOWN, STABLE, UP
from engine.forecast.parameters import Weights, columns
from engine.forecast.score import Z
from engine.research.dataset import Floats
from engine.research.judging import BLOCK, Judged, judge
from engine.research.losses import coin_losses, hubers, log_losses, pinballs
from engine.research.rivals import Rival
from engine.research.targets import AHEAD, Part

ENOUGH = 700  # moments under which a realised frequency is not said
THRESHOLDS = (("up", UP, 0.75), ("down", DOWN, 0.75), ("stable", STABLE, 0.80))  # the policy's
BINS = 10
RIVALS = ("base", "past_only", "logistic", "boosting", "deeplob", "transformer")
HEADS = ("direction", "direction_10", "direction_60", "slippage", "volatility", "fill", "impact", "spread")

Table = dict[str, Any]
Bin = tuple[float, float, int]
Bands = dict[str, tuple[float, float] | None]


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


class Losses(NamedTuple):
    """Of one head, (N,) each: the model's, its rivals' by name, and the block of each moment."""

    model: Floats
    rivals: dict[str, Floats]
    block: Floats

    def means(self) -> dict[str, float | None]:
        return {"lstm": _mean(self.model)} | {name: _mean(loss) for name, loss in self.rivals.items()}

    def bands(self, head: str) -> Bands:
        return {f"{head}_vs_{name}": interval(self.model - loss, self.block) for name, loss in self.rivals.items()}


def losses_of(head: str, judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    """The head's losses where its label is known, and where that is."""
    losses: tuple[Losses, NDArray[np.bool_]] = _LOSSES[head](judged)
    return losses


def differences(one: Judged, two: Judged, *, direction: bool = True) -> dict[str, Table | None]:
    """By head, two models' losses on the same moments: mean of the first's less the second's, with its interval.
    Without `direction`, where they mean different things by it, that is None."""
    out: dict[str, Table | None] = {}
    for head in HEADS:
        (ours, known), (theirs, same) = losses_of(head, one), losses_of(head, two)
        if (head == "direction" and not direction) or not np.array_equal(known, same) or not known.any():
            out[head] = None
            continue
        band = interval(ours.model - theirs.model, ours.block)
        out[head] = {"mean": _mean(ours.model - theirs.model), "lo": band[0] if band else None,
                     "hi": band[1] if band else None, "n": len(ours.model)}  # fmt: skip
    return out


# ------------------------------------------------------------ losses


def _direction_losses(judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    known = ~np.isnan(judged["outcome"])
    came = judged["outcome"][known].astype(int)
    rivals = {name: log_losses(judged[f"p_{name}"][known], came) for name in RIVALS if f"p_{name}" in judged}
    return Losses(
        log_losses(judged["said"][known][:, columns("direction")], came), rivals, judged["block"][known]
    ), known


def _later_losses(judged: Judged, head: str) -> tuple[Losses, NDArray[np.bool_]]:
    suffix = head.removeprefix("direction")
    known = ~np.isnan(judged[f"outcome{suffix}"])
    came, block = judged[f"outcome{suffix}"][known].astype(int), _wide(judged["block"][known], head)
    base = log_losses(judged[f"base{suffix}"][known], came)
    return Losses(log_losses(judged["said"][known][:, columns(head)], came), {"base": base}, block), known


def _wide(block: Floats, head: str) -> Floats:
    """Blocks as long as two of the head's horizons at least: what overlaps shares its luck."""
    out: Floats = block // max(1, -(-2 * AHEAD[head] // BLOCK))
    return out


def _slippage_losses(judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    y = judged["cost"] - judged["walked"]
    known = ~np.isnan(y).any(axis=1)
    losses = {name: pinballs(bands, y[known]).mean(axis=1) for name, bands in _slip_bands(judged, known).items()}
    return Losses(losses.pop("lstm"), losses, judged["block"][known]), known


def _slip_bands(judged: Judged, known: NDArray[np.bool_]) -> dict[str, Floats]:
    """(N, 10, 3) ticks of error over the walked book."""
    scale = 1.0 + judged["walked"][known]
    bands = judged["said"][known][:, columns("slip")].reshape(len(scale), -1, 3)
    return {"lstm": bands * scale[:, :, None], "book": judged["slip_band"][known][:, None, :] * scale[:, :, None]}


def _volatility_losses(judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    known = ~np.isnan(judged["iv"])
    y = judged["iv"][known]
    model = pinballs(judged["said"][known][:, columns("iv")], y)
    return Losses(
        model, {"persistence": pinballs(judged["iv_band"][known], y)}, _wide(judged["block"][known], "volatility")
    ), known


def _fill_losses(judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    known = ~np.isnan(judged["fill"][:, 0])
    y = judged["fill"][known]
    model = coin_losses(judged["said"][known][:, columns("fill")], y).mean(axis=1)
    return Losses(
        model, {"base": coin_losses(judged["fill_base"][known], y).mean(axis=1)}, judged["block"][known]
    ), known


def _impact_losses(judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    model, base = hubers(judged["impact_error"]), hubers(judged["impact_base_error"])
    return Losses(model, {"base": base}, judged["impact_block"]), np.ones(len(model), dtype=bool)


def _spread_losses(judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    known = ~np.isnan(judged["spread"])
    y = judged["spread"][known]
    model = (y - judged["said"][known][:, columns("spread")][:, 0]) ** 2
    return Losses(model, {"persistence": y * y}, _wide(judged["block"][known], "spread")), known


_LOSSES: Mapping[str, Any] = {
    "direction": _direction_losses,
    "direction_10": partial(_later_losses, head="direction_10"),
    "direction_60": partial(_later_losses, head="direction_60"),
    "slippage": _slippage_losses,
    "volatility": _volatility_losses,
    "fill": _fill_losses,
    "impact": _impact_losses,
    "spread": _spread_losses,
}

# ------------------------------------------------------------ tables


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
        "shares": {name: _mean(outcome == k) for k, name in enumerate(("up", "down", "stable"))},
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
        "mean_forecast": _mean(model[sure, k]),
        "realised": _mean(hit),
        "lo": band[0] if band else None,
        "hi": band[1] if band else None,
    }


def _slippage(judged: Judged) -> tuple[Table, Bands]:
    losses, known = losses_of("slippage", judged)
    bands, y = _slip_bands(judged, known)["lstm"], (judged["cost"] - judged["walked"])[known]
    table = {"pinball": losses.means(), "coverage": _coverage(bands, y), "on_edge": _on_edge(bands, y), "n": len(y)}
    return table, losses.bands("slippage")


def _volatility(judged: Judged) -> tuple[Table, Bands]:
    losses, known = losses_of("volatility", judged)
    bands, y = judged["said"][known][:, columns("iv")], judged["iv"][known]
    table = {"pinball": losses.means(), "coverage": _coverage(bands, y), "on_edge": _on_edge(bands, y), "n": len(y)}
    return table, losses.bands("volatility")


def _coverage(bands: Floats, y: Floats) -> float | None:
    """How often the bands held the outcome, their edges included."""
    return _mean((y >= bands[..., 0] - EDGE) & (y <= bands[..., 2] + EDGE))


def _on_edge(bands: Floats, y: Floats) -> float | None:
    """How often the outcome was an edge of its band: where nearly all outcomes are one number the right band is that
    number, and holds more than four in five however narrow it is."""
    return _mean((np.abs(y - bands[..., 0]) <= EDGE) | (np.abs(y - bands[..., 2]) <= EDGE))


def _fill(judged: Judged) -> tuple[Table, Bands]:
    losses, known = losses_of("fill", judged)
    y, model, base = judged["fill"][known], judged["said"][known][:, columns("fill")], judged["fill_base"][known]
    table = {
        "log_loss": losses.means(),
        "brier": {"lstm": _mean((model - y) ** 2), "base": _mean((base - y) ** 2)},
        "reliability": {"fill": reliability(model.ravel(), y.ravel())},
        "filled": _mean(y),
        "n": len(y),
        "by_lot": _by_lot(judged),
    }
    return table, losses.bands("fill")


def _by_lot(judged: Judged) -> Table:
    """Of passive orders sent at random: Brier score beside the base rate's, and their difference's interval."""
    came, said, base = judged["probe_came"], judged["probe_said"], judged["probe_base"]
    ours, theirs = (said - came) ** 2, (base - came) ** 2
    return {
        "brier": {"lstm": _mean(ours), "base": _mean(theirs)},
        "difference": interval(ours - theirs, judged["probe_block"]),
        "filled": _mean(came),
        "n": len(came),
    }


def _impact(judged: Judged) -> tuple[Table, Bands]:
    losses, _ = losses_of("impact", judged)
    return {"huber": losses.means(), "n": len(losses.model)}, losses.bands("impact")


def _spread(judged: Judged) -> tuple[Table, Bands]:
    losses, _ = losses_of("spread", judged)
    return {"squared_log": losses.means(), "n": len(losses.model)}, losses.bands("spread")


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


def _reliabilities(p: Floats, outcome: NDArray[np.int64]) -> dict[str, list[Bin]]:
    """By class, as the curve of a picture."""
    return {name: reliability(p[:, k], outcome == k) for name, k, _ in THRESHOLDS}


def reliability(said: Floats, came: Floats | NDArray[np.bool_]) -> list[Bin]:
    """(mean forecast, share that came true, how many) of each tenth of the probabilities that was ever said."""
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    held = [(said[bins == b], came[bins == b]) for b in range(BINS)]
    return [(float(p.mean()), float(hit.mean()), len(p)) for p, hit in held if len(p)]


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
