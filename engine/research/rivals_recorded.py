"""Rivals for recordings of minutes: so little that those without a state learn from every step, not from one in ten,
and that what they say is calibrated as the model is, on the same quarters left out by turns, or they would be none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from engine.forecast.calibrate import recalibration, trust
from engine.forecast.features import NAMES
from engine.forecast.parameters import Calibration, Weights
from engine.forecast.stream import softmax
from engine.research.crossed import Crossing
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

    def __init__(self, parts: Sequence[Part], frozen: Frozen) -> None:
        came = np.concatenate([lesson_of(part, frozen).came for part in parts])
        counts = np.bincount(came[~np.isnan(came)].astype(int), minlength=3) + 0.5
        self._rates = counts / counts.sum()

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        return np.tile(self._rates, (len(steps), 1))


class Calibrated:
    """A rival's word, at a temperature, with a bias on "stable", and drawn to a base rate so far."""

    def __init__(self, name: str, rival: Rival, base: Rival, found: Calibration, share: float) -> None:
        self.name, self._rival, self._base, self._found, self._share = name, rival, base, found, share

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        base = self._base.says(part, steps)
        out: Floats = base + self._share * (_hot(self._rival.says(part, steps), self._found) - base)
        return out


def _hot(said: Floats, found: Calibration) -> Floats:
    logits = _logits(said) / found.temperature
    logits[:, -1] += found.bias
    return softmax(logits)


def _logits(said: Floats) -> Floats:
    out: Floats = np.log(np.maximum(said, LEAST))
    return out


class Kind(NamedTuple):
    """What makes a rival of a network's question and of what there is to learn from, and the base rate it is drawn
    to."""

    name: str
    make: Callable[[Weights, Sequence[Part]], Rival]
    base: Callable[[Weights, Sequence[Part]], Rival]


def fitted(
    weights: Weights, parts: Sequence[Part], crossed: Sequence[Crossing], own: Set[str]
) -> tuple[list[Rival], str]:
    """Trained on all that the network learned from, in its own question; the single input, as `single_here`, also on
    the sessions named in `own` alone, with `base_here`, their base rate: a market may be better known by itself. And
    the name of the one input."""

    def here(some: Sequence[Part]) -> list[Part]:
        return [part for part in some if part.stretch.session in own]

    kinds = [
        Kind("single", _single, _base),
        Kind("logistic", _logistic, _base),
        Kind("boosting", _boosting, _base),
        Kind("single_here", lambda w, some: _single(w, here(some)), lambda w, some: _base_here(w, here(some))),
    ]
    with threadpool_limits(1):  # on so little, threads only wait for each other
        made = {kind.name: kind.make(weights, parts) for kind in kinds}
        out: list[Rival] = [_calibrated(kind, made[kind.name], weights, parts, crossed) for kind in kinds]
    single = made["single"]
    assert isinstance(single, Single), "it is what was made"
    return [*out, _base_here(weights, here(parts))], single.input


def _calibrated(
    kind: Kind, rival: Rival, weights: Weights, parts: Sequence[Part], crossed: Sequence[Crossing]
) -> Calibrated:
    """By what its likes say of quarters that they did not learn from."""
    said, base, came, groups = [np.zeros((0, 3))], [np.zeros((0, 3))], [np.zeros(0)], [np.zeros(0, np.int64)]
    for each in crossed:
        less, flat = kind.make(each.weights, each.learned), kind.base(each.weights, each.learned)
        for part in each.held:
            steps = np.arange(0, part.end - part.begin, EVERY)
            outcome = lesson_of(part, question(each.weights)).came[steps]
            steps, outcome = steps[~np.isnan(outcome)], outcome[~np.isnan(outcome)]
            said.append(less.says(part, steps))
            base.append(flat.says(part, steps))
            came.append(outcome)
            groups.append(np.full(len(steps), len(groups)))
    y, all_ = np.concatenate(came).astype(np.int64), np.concatenate(said)
    found = recalibration(_logits(all_).astype(np.float32), y)
    share = trust(_hot(all_, found), np.concatenate(base), lambda mix: log_losses(mix, y), np.concatenate(groups))
    return Calibrated(kind.name, rival, kind.base(weights, parts), found, share)


def _base(weights: Weights, parts: Sequence[Part]) -> Rival:
    return BaseRate(weights)


def _base_here(weights: Weights, parts: Sequence[Part]) -> Rival:
    return BaseHere(parts, question(weights))


def _single(weights: Weights, parts: Sequence[Part]) -> Single:
    frozen = question(weights)
    return Single([lesson_of(part, frozen) for part in each_step(parts)], frozen)


def _logistic(weights: Weights, parts: Sequence[Part]) -> Rival:
    coefficients = fit_logistic(each_step(parts), question(weights))
    return Logistic(Weights(weights.header, weights.arrays | {"logistic": coefficients}))


def _boosting(weights: Weights, parts: Sequence[Part]) -> Rival:
    frozen = question(weights)
    return Boosting([lesson_of(part, frozen) for part in each_step(parts)], frozen)


def each_step(parts: Sequence[Part]) -> list[Part]:
    """The same parts begun at each of the first EVERY steps: of these one step in EVERY is every step of theirs."""
    return [Part(part.stretch, part.labels, part.begin + k, part.end) for part in parts for k in range(EVERY)]
