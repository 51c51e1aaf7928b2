"""Rivals for recordings of minutes: so little that those without a state learn from every step, not from one in ten,
and that what they say is calibrated as the model is, on the same held-out part, or they would be no rivals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from engine.forecast.calibrate import temperature, trust
from engine.forecast.features import NAMES
from engine.forecast.parameters import Weights
from engine.research.dataset import Floats
from engine.research.frozen import Frozen
from engine.research.losses import log_losses
from engine.research.rivals import (
    EVERY,
    BaseRate,
    Boosting,
    Lesson,
    Logistic,
    Rival,
    fit_logistic,
    lesson_of,
    moments,
    standardised,
)
from engine.research.rivals_trained import question
from engine.research.targets import Part

LEAST = 1e-6  # of a probability


class Single:
    """Multinomial regression on the one input, of all, that fits the training best; `input` is its name."""

    name = "single"

    def __init__(self, lessons: Sequence[Lesson], frozen: Frozen) -> None:
        self._frozen = frozen
        x, y = moments(lessons)
        self._found = np.unique(y)
        self._column, self._model = 0, None
        if len(self._found) > 1:
            fits = {k: _fit(x[:, k], y) for k in range(x.shape[1]) if x[:, k].std() > 0.0}
            self._column = min(fits, key=lambda k: float(log_losses(self._told(fits[k], x[:, k]), y).mean()))
            self._model = fits[self._column]

    @property
    def input(self) -> str:
        return NAMES[self._column]

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        x = standardised(part.stretch.x[part.begin + steps], self._frozen.mean, self._frozen.scale)
        return self._told(self._model, x[:, self._column])

    def _told(self, model: LogisticRegression | None, x: NDArray[np.float32]) -> Floats:
        out = np.zeros((len(x), 3))
        out[:, self._found] = 1.0 if model is None else model.predict_proba(x[:, None])
        return out


def _fit(x: NDArray[np.float32], y: NDArray[np.int64]) -> LogisticRegression:
    return LogisticRegression(C=1e6, max_iter=200).fit(x[:, None], y)


class BaseHere:
    """The base rate of these recordings, for a model that brings another market's."""

    name = "base_here"

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        came = np.concatenate([lesson.came for lesson in lessons])
        counts = np.bincount(came[~np.isnan(came)].astype(int), minlength=3) + 0.5
        self._rates = counts / counts.sum()

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        return np.tile(self._rates, (len(steps), 1))


class Calibrated:
    """A rival's word at the temperature, and drawn to the base rate by the trust, that suit held-out parts."""

    def __init__(self, rival: Rival, base: Rival, parts: Sequence[Part], frozen: Frozen) -> None:
        self.name, self._rival, self._base, self._heat, self._trust = rival.name, rival, base, 1.0, 1.0
        steps = [np.arange(0, part.end - part.begin, EVERY) for part in parts]
        came = [lesson_of(part, frozen).came[at] for part, at in zip(parts, steps, strict=True)]
        all_ = np.concatenate([np.zeros(0), *came])
        groups = np.concatenate([np.zeros(0, np.int64), *(np.full(len(at), k) for k, at in enumerate(steps))])
        known = ~np.isnan(all_)
        y = all_[known].astype(np.int64)
        self._heat = temperature(np.log(self._said(rival, parts, steps)[known]).astype(np.float32), y)
        hot, flat = (self._said(each, parts, steps)[known] for each in (self, base))
        self._trust = trust(hot, flat, lambda mix: log_losses(mix, y), groups[known])

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        powers = np.maximum(self._rival.says(part, steps), LEAST) ** (1.0 / self._heat)
        hot = powers / powers.sum(axis=1, keepdims=True)
        base = self._base.says(part, steps)
        out: Floats = base + self._trust * (hot - base)
        return out

    @staticmethod
    def _said(rival: Rival, parts: Sequence[Part], steps: Sequence[NDArray[np.int64]]) -> Floats:
        said = [rival.says(part, at) for part, at in zip(parts, steps, strict=True)]
        out: Floats = np.maximum(np.concatenate([np.zeros((0, 3)), *said]), LEAST)
        return out


def fitted(weights: Weights, early: Sequence[Part], late: Sequence[Part]) -> tuple[list[Rival], str]:
    """One input, all inputs, boosting, trained on `early` and calibrated on `late`, in the weights' own question; and
    the name of the one input."""
    frozen, every = question(weights), each_step(early)
    taught = [lesson_of(part, frozen) for part in every]
    single = Single(taught, frozen)
    logistic = Logistic(Weights(weights.header, weights.arrays | {"logistic": fit_logistic(every, frozen)}))
    with threadpool_limits(1):  # on so little, threads only wait for each other
        rivals: list[Rival] = [single, logistic, Boosting(taught, frozen)]
        out = [Calibrated(rival, BaseRate(weights), late, frozen) for rival in rivals]
    return [*out], single.input


def each_step(parts: Sequence[Part]) -> list[Part]:
    """The same parts begun at each of the first EVERY steps: of these one step in EVERY is every step of theirs."""
    return [Part(part.stretch, part.labels, part.begin + k, part.end) for part in parts for k in range(EVERY)]
