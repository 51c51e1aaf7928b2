"""What a model and its rivals said, and what came: arrays by name, of which `scoring.py` makes tables.

The model is run as it runs live (the stepped numpy code) and judged once a second after the warm-up. Sessions are
judged one at a time and only these arrays are kept, so the number of sessions is bounded by patience, not by memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import STEP_NS, WARM_STEPS
from engine.forecast.baseline import Rates
from engine.forecast.parameters import LAYERS, OUTPUTS, Weights, columns
from engine.forecast.stream import spoken, step_arrays
from engine.research.dataset import Floats
from engine.research.rivals import Rival, simple, standardised
from engine.research.targets import Part, classes

EVERY = 10  # steps between two judged moments
BLOCK = 100  # steps whose forecasts share their luck

Judged = dict[str, NDArray[Any]]
"""By name, of N moments: `said` (N, OUTPUTS), `outcome` (N,) the class that came, NaN where unknown, `outcome_10` and
`outcome_60` of the longer horizons with `base_10` and `base_60`, `p_<rival>` (N, 3), the labels of the other heads with
what their baselines said, `block` (N,). Of the M moments in which others traded, or an order was sent by lot:
`impact_*`. Of passive orders sent by lot: `probe_*`. Of moments that the oracle was asked about: `true_*`, see
`oracle_moments.py`."""


def judge(
    weights: Weights,
    parts: Sequence[Part],
    rivals: Sequence[Rival] = (),
    said: Sequence[NDArray[np.float32]] | None = None,
) -> Judged:
    """Each part from its beginning; `rivals` beside those that travel in the weights; `said` are `outputs_of` them,
    where these are known already."""
    said = outputs_of(weights, parts) if said is None else said
    all_ = [*simple(weights), *rivals]
    return merged([_judged(weights, part, rows, all_) for part, rows in zip(parts, said, strict=True)])


def merged(several: Sequence[Judged]) -> Judged:
    """One after the other."""
    return {name: np.concatenate([each[name] for each in several]) for name in several[0]}


def outputs_of(weights: Weights, parts: Sequence[Part]) -> list[NDArray[np.float32]]:
    """Each part's forecasts (T, OUTPUTS), stepped from its beginning; parts of one length go side by side."""
    out: list[NDArray[np.float32]] = [np.zeros((0, OUTPUTS), np.float32)] * len(parts)
    alike: dict[int, list[int]] = defaultdict(list)
    for k, part in enumerate(parts):
        alike[part.end - part.begin].append(k)
    for steps, members in alike.items():
        x = np.stack([seen(weights, parts[k]) for k in members])  # (B, T, F)
        h = np.zeros((LAYERS, len(members), weights.header.hidden), np.float32)
        c = h.copy()
        kinds = [parts[k].stretch.instrument.kind for k in members]
        said = np.stack([spoken(step_arrays(weights, x[:, t], h, c), kinds, weights) for t in range(steps)], axis=1)
        for place, k in enumerate(members):
            out[k] = said[place]
    return out


def seen(weights: Weights, part: Part) -> NDArray[np.float32]:
    """(T, F) what the model is shown."""
    return standardised(part.stretch.x[part.span], weights.arrays["mean"], weights.arrays["scale"])


def outcomes(weights: Weights, part: Part, head: str = "direction") -> Floats:
    """(T,) the classes that came, by this model's thresholds."""
    return classes(part.labels.moved(head), weights.header.threshold(part.stretch.instrument.kind, head))[part.span]


def _odds(rates: Rates, seconds: int) -> tuple[float, float, float]:
    odds = rates.odds(seconds)
    return odds.up, odds.down, odds.stable


def blocks(part: Part, steps: NDArray[np.int64]) -> Floats:
    """The block that each of a part's steps lies in, the same for all instruments of a session."""
    out: Floats = ((part.stretch.t // STEP_NS + part.begin + steps) // BLOCK).astype(np.float64)
    return out


def _judged(weights: Weights, part: Part, said: NDArray[np.float32], rivals: Sequence[Rival]) -> Judged:
    steps = np.arange(WARM_STEPS, max(part.end - part.begin, WARM_STEPS), EVERY)
    kind, labels, count = part.stretch.instrument.kind, part.labels, len(steps)
    rates = weights.header.base(kind)
    out: Judged = {
        "said": said[steps].astype(np.float64),
        "outcome": outcomes(weights, part)[steps],
        "outcome_10": outcomes(weights, part, "direction_10")[steps],
        "outcome_60": outcomes(weights, part, "direction_60")[steps],
        "base_10": np.tile(_odds(rates, 10), (count, 1)),
        "base_60": np.tile(_odds(rates, 60), (count, 1)),
        "slip_band": np.tile(rates.slip, (count, 1)),
        "iv_band": np.tile(rates.iv, (count, 1)),
        "fill_base": np.tile((rates.fill_bid, rates.fill_ask), (count, 1)),
        "block": blocks(part, steps),
    }
    values: Mapping[str, Floats] = {
        "cost": labels.cost, "walked": labels.walked, "fill": labels.fill, "iv": labels.iv, "spread": labels.spread,
    }  # fmt: skip
    out |= {name: value[part.span][steps] for name, value in values.items()}
    out |= {f"p_{rival.name}": rival.says(part, steps) for rival in rivals}
    return out | _pushes(weights, part, said) | _probed(weights, part, said)


def _probed(weights: Weights, part: Part, said: NDArray[np.float32]) -> Judged:
    """Of the passive orders that were sent by lot: whether any of it was filled, and what was said of it."""
    rates = weights.header.base(part.stretch.instrument.kind)
    begin, base = part.begin + WARM_STEPS, (rates.fill_bid, rates.fill_ask)
    sent = [row for row in part.stretch.probes if not row[2] and begin <= row[0] < part.end]
    steps = np.array([row[0] - part.begin for row in sent], dtype=np.int64)
    sides = np.array([0 if row[1] > 0 else 1 for row in sent], dtype=np.int64)
    return {
        "probe_said": said[:, columns("fill")][steps, sides].astype(np.float64),
        "probe_base": np.array([base[side] for side in sides]),
        "probe_came": np.array([float(row[4] > 0) for row in sent]),
        "probe_block": blocks(part, steps),
    }


def _pushes(weights: Weights, part: Part, said: NDArray[np.float32]) -> Judged:
    """Labels of impact exist only where others traded, so every step after the warm-up that has one is judged; errors
    are relative to the push."""
    push = part.labels.push[part.span][WARM_STEPS:]
    usual = weights.header.base(part.stretch.instrument.kind).impact * push
    miss = (part.labels.impact[part.span][WARM_STEPS:] - usual) / (1.0 + push)
    steps, sides = np.nonzero(~np.isnan(miss))
    pushed = np.maximum(said[WARM_STEPS:, columns("impact")], -usual / (1.0 + push))  # none is said to be below zero
    return {
        "impact_error": (miss - pushed)[steps, sides],
        "impact_base_error": miss[steps, sides],
        "impact_block": blocks(part, WARM_STEPS + steps),
    }
