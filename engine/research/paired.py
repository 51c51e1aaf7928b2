"""Each head's losses beside its rivals', moment by moment, and how sure their difference is.

Intervals are of the paired difference (model less rival, negative is better) over blocks of ten seconds, all
instruments of a session together, since forecasts of the same seconds share their luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.forecast.parameters import columns
from engine.forecast.score import Z
from engine.research.dataset import Floats
from engine.research.judging import BLOCK, Judged
from engine.research.losses import coin_losses, hubers, log_losses, pinballs
from engine.research.targets import AHEAD

RIVALS = ("base", "past_only", "logistic", "boosting", "deeplob", "transformer")
HEADS = ("direction", "direction_10", "direction_60", "slippage", "volatility", "fill", "impact", "spread")

Bands = dict[str, tuple[float, float] | None]


class Losses(NamedTuple):
    """Of one head, (N,) each: the model's, its rivals' by name, and the block of each moment."""

    model: Floats
    rivals: dict[str, Floats]
    block: Floats

    def means(self) -> dict[str, float | None]:
        return {"lstm": mean(self.model)} | {name: mean(loss) for name, loss in self.rivals.items()}

    def bands(self, head: str) -> Bands:
        return {f"{head}_vs_{name}": interval(self.model - loss, self.block) for name, loss in self.rivals.items()}


def losses_of(head: str, judged: Judged) -> tuple[Losses, NDArray[np.bool_]]:
    """The head's losses where its label is known, and where that is."""
    return _LOSSES[head](judged)


def differences(one: Judged, two: Judged, *, direction: bool = True) -> dict[str, dict[str, Any] | None]:
    """By head, two models' losses on the same moments: mean of the first's less the second's, with its interval.
    Without `direction`, where they mean different things by it, that is None."""
    out: dict[str, dict[str, Any] | None] = {}
    for head in HEADS:
        (ours, known), (theirs, same) = losses_of(head, one), losses_of(head, two)
        if (head == "direction" and not direction) or not np.array_equal(known, same) or not known.any():
            out[head] = None
            continue
        band = interval(ours.model - theirs.model, ours.block)
        out[head] = {"mean": mean(ours.model - theirs.model), "lo": band[0] if band else None,
                     "hi": band[1] if band else None, "n": len(ours.model)}  # fmt: skip
    return out


# ------------------------------------------------------------ by head


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
    losses = {name: pinballs(bands, y[known]).mean(axis=1) for name, bands in slip_bands(judged, known).items()}
    return Losses(losses.pop("lstm"), losses, judged["block"][known]), known


def slip_bands(judged: Judged, known: NDArray[np.bool_]) -> dict[str, Floats]:
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


_LOSSES: Mapping[str, Callable[[Judged], tuple[Losses, NDArray[np.bool_]]]] = {
    "direction": _direction_losses,
    "direction_10": partial(_later_losses, head="direction_10"),
    "direction_60": partial(_later_losses, head="direction_60"),
    "slippage": _slippage_losses,
    "volatility": _volatility_losses,
    "fill": _fill_losses,
    "impact": _impact_losses,
    "spread": _spread_losses,
}


def mean(values: Floats | NDArray[np.bool_]) -> float | None:
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
