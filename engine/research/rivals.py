"""Simple forecasters of direction, judged on the same moments as the model: what it must beat to be worth its place.

Each gives (N, 3) probabilities of up, down, stable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from engine.forecast.features import NAMES
from engine.forecast.score import Frequencies
from engine.forecast.stream import CLIP, standardise
from engine.research.dataset import Floats
from engine.research.targets import AHEAD, Frozen, Part, classes

EVERY = 10  # the logistic regression is trained on one step in so many: neighbours are alike
ABSENT = -20.0  # logit of a class that training never saw


def standardised(x: NDArray[np.float32], mean: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, F) features as the model sees them."""
    out: NDArray[np.float32] = np.clip(standardise(x, mean, scale), -CLIP, CLIP)
    return out


def fit_logistic(parts: Sequence[Part], frozen: Frozen) -> NDArray[np.float32]:
    """Multinomial regression on the present vector alone: (F + 1, 3), the intercepts last."""
    x = np.concatenate([part.stretch.x[part.span][::EVERY] for part in parts])
    y = np.concatenate(
        [
            classes(part.labels.move, frozen.threshold(part.stretch.instrument.kind))[part.span][::EVERY]
            for part in parts
        ]
    )
    known = ~np.isnan(y)
    out = np.zeros((len(NAMES) + 1, 3), np.float32)
    out[-1] = ABSENT
    found = np.unique(y[known]).astype(int)
    if len(found) < 2:
        out[-1, found] = 0.0
        return out
    model = LogisticRegression(max_iter=300)
    model.fit(standardised(x[known], frozen.mean, frozen.scale), y[known].astype(int))
    weights = np.concatenate([model.coef_.T, model.intercept_[None]])
    out[:, found] = np.concatenate([-weights, weights], axis=1) / 2 if len(found) == 2 else weights
    return out


def logistic(x: NDArray[np.float32], weights: NDArray[np.float32]) -> Floats:
    """(N, F) standardised → (N, 3)."""
    logits = x.astype(np.float64) @ weights[:-1] + weights[-1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Floats = powers / powers.sum(axis=1, keepdims=True)
    return out


def past_only(outcomes: Floats, rates: tuple[float, ...], every: int) -> Floats:
    """The better so far of the frozen and the instrument's own past base rate, at steps `every` apart of one stretch.

    `outcomes` (N,) are those steps' classes, NaN where unknown; each is used only once it is known.
    """
    past, delay = Frequencies(rates), -(-AHEAD["direction"] // every)
    out = np.empty((len(outcomes), 3))
    for k in range(len(outcomes)):
        if k >= delay and not np.isnan(outcomes[k - delay]):
            past.saw(int(outcomes[k - delay]))
        out[k] = past.rates()
    return out
