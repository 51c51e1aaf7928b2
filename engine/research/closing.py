"""How much of the way from the base rate to the oracle each forecaster has come, in expected loss, with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from engine.forecast.score import FLOOR
from engine.research.dataset import Floats

LEAST_BLOCKS, RESAMPLES = 10, 1000


class Closed(NamedTuple):
    """`expected` mean losses over all that could have come, so without the luck of the one draw: the oracle's is the
    least that is possible. `shares` of the way that each has come; `band` a 90 % interval of the model's."""

    n: int
    expected: dict[str, float]
    shares: dict[str, float]
    band: tuple[float, float] | None


def closed(losses: Mapping[str, Floats], block: Floats) -> Closed:
    """`losses` (M,) by name, `base`, `oracle` and `lstm` among them; moments of one `block` (M,) share their luck."""
    expected = {name: float(loss.mean()) for name, loss in losses.items()}
    shares = {name: _share(expected, name) for name in losses if name not in {"base", "oracle"}}
    return Closed(len(block), expected, shares, _band(losses, block))


def expected_log_loss(p: Floats, counts: Floats) -> Floats:
    """(M,) loss of forecasts (M, K), averaged over the futures (M, K) that were counted."""
    out: Floats = -(counts * np.log(np.maximum(p, FLOOR))).sum(axis=1) / counts.sum(axis=1)
    return out


def _share(means: Mapping[str, float], name: str) -> float:
    width = means["base"] - means["oracle"]
    return (means["base"] - means[name]) / width if width > 0 else float("nan")


def _band(losses: Mapping[str, Floats], block: Floats) -> tuple[float, float] | None:
    """Whole blocks are drawn again."""
    _, member = np.unique(block, return_inverse=True)
    count = int(member.max()) + 1
    if count < LEAST_BLOCKS:
        return None
    sums = {name: np.bincount(member, weights=losses[name]) for name in ("base", "oracle", "lstm")}
    drawn = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
    shares = [_share({name: float(total[row].sum()) for name, total in sums.items()}, "lstm") for row in drawn]
    low, high = np.quantile(shares, (0.05, 0.95))
    return float(low), float(high)
