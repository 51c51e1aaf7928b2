"""Forecasters of direction, judged on the same moments as the model: what it must beat to be worth its place.

They are trained on the folds that it was trained on, behind one interface. The simple ones travel in the weights file
(base rate, past-only rule, logistic regression); gradient boosting is here, the networks are in `networks.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from engine.forecast.features import NAMES
from engine.forecast.parameters import Weights
from engine.forecast.score import Frequencies
from engine.forecast.stream import CLIP, softmax, standardise
from engine.research.dataset import Floats
from engine.research.frozen import Frozen
from engine.research.targets import AHEAD, Part, classes

EVERY = 10  # those without a state are trained on one step in so many: neighbours are alike
ABSENT = -20.0  # logit of a class that training never saw
MOST = 200_000  # moments that boosting is trained on; of more, evenly as many


class Rival(Protocol):
    @property
    def name(self) -> str: ...

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        """(N, 3) probabilities of up, down, stable at these steps of the part, rising, counted from its beginning.
        Only what came before each may be used."""


class Lesson(NamedTuple):
    """What a rival learns from of one part: `x` (T, F) standardised, `came` (T,) classes, NaN where unknown."""

    x: NDArray[np.float32]
    came: Floats


def lesson_of(part: Part, frozen: Frozen) -> Lesson:
    """By the model's own thresholds, through its own scaling."""
    came = classes(part.labels.move, frozen.threshold(part.stretch.instrument.kind))[part.span]
    return Lesson(standardised(part.stretch.x[part.span], frozen.mean, frozen.scale), came)


def standardised(x: NDArray[np.float32], mean: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, F) features as the model sees them."""
    out: NDArray[np.float32] = np.clip(standardise(x, mean, scale), -CLIP, CLIP)
    return out


# ------------------------------------------------------------ those that travel in the weights


def simple(weights: Weights) -> list[Rival]:
    return [BaseRate(weights), PastOnly(weights), Logistic(weights)]


class BaseRate:
    """What was frequent in the training, always."""

    name = "base"

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        return np.tile(_frequencies(self._weights, part), (len(steps), 1))


class PastOnly:
    """The better so far of the frozen and the instrument's own past base rate."""

    name = "past_only"

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        """Learns from those very steps, each once its outcome is known."""
        kind = part.stretch.instrument.kind
        came = classes(part.labels.move, self._weights.header.threshold(kind))[part.span][steps]
        past, waiting = Frequencies(_frequencies(self._weights, part)), 0
        out = np.empty((len(steps), 3))
        for k, step in enumerate(steps):
            while steps[waiting] + AHEAD["direction"] <= step:
                if not np.isnan(came[waiting]):
                    past.saw(int(came[waiting]))
                waiting += 1
            out[k] = past.rates()
        return out


def _frequencies(weights: Weights, part: Part) -> tuple[float, float, float]:
    rates = weights.header.base(part.stretch.instrument.kind)
    return rates.up, rates.down, 1.0 - rates.up - rates.down


class Logistic:
    """Multinomial regression on the present vector alone."""

    name = "logistic"

    def __init__(self, weights: Weights) -> None:
        self._arrays = weights.arrays

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        x = standardised(part.stretch.x[part.begin + steps], self._arrays["mean"], self._arrays["scale"])
        logits = x.astype(np.float64) @ self._arrays["logistic"][:-1] + self._arrays["logistic"][-1]
        return softmax(logits)


def fit_logistic(parts: Iterable[Part], frozen: Frozen) -> NDArray[np.float32]:
    """(F + 1, 3), the intercepts last."""
    x, y = moments([thinned(lesson_of(part, frozen)) for part in parts], every=1)
    out = np.zeros((len(NAMES) + 1, 3), np.float32)
    out[-1] = ABSENT
    found = np.unique(y)
    if len(found) < 2:
        out[-1, found] = 0.0
        return out
    model = LogisticRegression(max_iter=300)
    model.fit(x, y)
    weights = np.concatenate([model.coef_.T, model.intercept_[None]])
    out[:, found] = np.concatenate([-weights, weights], axis=1) / 2 if len(found) == 2 else weights
    return out


def moments(lessons: Sequence[Lesson], every: int = EVERY) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(N, F) vectors and (N,) classes, one step in so many, where these are known."""
    taught = [thinned(lesson, every) for lesson in lessons]
    if not taught:
        return np.zeros((0, len(NAMES)), np.float32), np.zeros(0, np.int64)
    return np.concatenate([one.x for one in taught]), np.concatenate([one.came for one in taught]).astype(np.int64)


def thinned(lesson: Lesson, every: int = EVERY) -> Lesson:
    """One step in so many, where the class is known."""
    x, came = lesson.x[::every], lesson.came[::every]
    known = ~np.isnan(came)
    return Lesson(x[known], came[known])


# ------------------------------------------------------------ gradient boosting


class Boosting:
    """scikit-learn's histogram gradient boosting on the present vector; stops where a tenth held out gains no more."""

    name = "boosting"
    every = EVERY

    def __init__(self, lessons: Sequence[Lesson], frozen: Frozen, seed: int = 7) -> None:
        self._frozen = frozen
        x, y = moments(lessons, self.every)
        thin = max(1, -(-len(x) // MOST))
        x, y = x[::thin], y[::thin]
        self._found = np.unique(y)
        self._model = HistGradientBoostingClassifier(
            learning_rate=0.08, max_iter=200, max_leaf_nodes=15, min_samples_leaf=50, l2_regularization=1.0,
            early_stopping=True, validation_fraction=0.1, n_iter_no_change=8, random_state=seed,
        )  # fmt: skip
        if len(self._found) > 1:
            with threadpool_limits(1):  # threads that share their cores with others wait for each other all the time
                self._model.fit(x, y)

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        out = np.zeros((len(steps), 3))
        if len(steps):
            x = self.seen(part, steps)
            with threadpool_limits(1):
                out[:, self._found] = self._model.predict_proba(x) if len(self._found) > 1 else 1.0
        return out

    def seen(self, part: Part, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N, F) what it is shown."""
        return standardised(part.stretch.x[part.begin + steps], self._frozen.mean, self._frozen.scale)
