"""Calibration after training, on sessions held out from it: for each head of logits a temperature (Guo et al. 2017)
and one bias, of "stable" against moving or of a fill against none (Platt 1999); and for each head how far it is to be
trusted against the baseline.

Why no more than that: left one of five held-out sessions at a time, a scale and a bias for options and for futures had
the least loss of all that were tried at 10 and 60 s and was within 0.0002 nats of it at 1 s (temperature alone, biases
of all classes, scales of all classes, a full matrix, isotonic regression of each class), with a third of temperature's
calibration error at 1 s. A bias of up against down learns the drift of the sessions it was fitted on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.forecast.parameters import Calibration
from engine.forecast.stream import softmax

Floats = NDArray[np.float64]
COLDEST, HOTTEST = 0.25, 8.0
SHARES = 10
GOLDEN = (5**0.5 - 1) / 2
HALVINGS = 30
PRIOR = 10.0  # observations' worth of leaving the logits alone
STEPS = 30  # of Newton's method: it needs about six
SETTLED = 1e-9


def recalibration(logits: NDArray[np.float32], classes: NDArray[np.int64]) -> Calibration:
    """The T and b that make softmax(logits ÷ T + b on the last class) most likely on sessions training never saw.

    `logits` (N, K), `classes` (N,) in 0 … K − 1. Without observations, as it is.
    """
    scores, last = logits.astype(np.float64), (classes == logits.shape[1] - 1).astype(np.float64)
    own, on_last = scores[np.arange(len(classes)), classes], np.eye(scores.shape[1])[-1]
    found, weight = np.array([1.0, 0.0]), PRIOR / max(len(classes), 1)
    for _ in range(STEPS if len(classes) else 0):  # the loss is convex in (1 ÷ T, b)
        p = softmax(found[0] * scores + found[1] * on_last)
        mean = (p * scores).sum(axis=1)  # of the logits, (N,)
        slope = np.array([(mean - own).mean(), (p[:, -1] - last).mean()]) + weight * (found - (1.0, 0.0))
        cross = (p[:, -1] * (scores[:, -1] - mean)).mean()
        curve = np.array([[(p * scores * scores).sum(axis=1).mean() - (mean * mean).mean(), cross],
                          [cross, (p[:, -1] * (1.0 - p[:, -1])).mean()]]) + weight * np.eye(2)  # fmt: skip
        step = np.linalg.solve(curve, slope)
        found = found - step / max(1.0, float(np.abs(step).max()))  # no further than 1 at a time
        found[0] = np.clip(found[0], 1.0 / HOTTEST, 1.0 / COLDEST)
        if np.abs(step).max() < SETTLED:
            break
    return Calibration(temperature=float(1.0 / found[0]), bias=float(found[1]))


def temperature(logits: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """The T that makes softmax(logits ÷ T) most likely on a stretch that training never saw.

    `logits` (N, 3), `classes` (N,) in 0 … 2. Without observations, 1.
    """
    if not len(classes):
        return 1.0
    scores = logits.astype(np.float64)
    low, high = 1.0 / HOTTEST, 1.0 / COLDEST
    for _ in range(HALVINGS):  # the loss is convex in 1 ÷ T: golden-section search
        span = GOLDEN * (high - low)
        if log_loss(scores * (high - span), classes) < log_loss(scores * (low + span), classes):
            high = low + span
        else:
            low = high - span
    return 2.0 / (low + high)


def log_loss(logits: Floats, classes: NDArray[np.int64]) -> float:
    """Mean cross-entropy in nats of softmax(logits)."""
    top = logits.max(axis=1, keepdims=True)
    norms = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float((norms - logits[np.arange(len(classes)), classes]).mean())


def trust(
    model: Floats, base: Floats, losses: Callable[[Floats], Floats], groups: NDArray[np.int64], shares: int = SHARES
) -> float:
    """The smallest λ in 0, 0.1 … 1 (or of fewer `shares`) for which base + λ (model − base) loses no more than the best
    one does, within one standard error over `groups` (instruments of a session): what cannot be told apart from less is
    not claimed.

    `losses` gives (N,) for an (N, k) mix. A linear pool keeps probabilities and quantiles in order. Without
    observations 0: nothing speaks for the model.
    """
    if not len(model):
        return 0.0
    tried = [k / shares for k in range(shares + 1)]
    found = np.stack([losses(base + share * (model - base)) for share in tried])  # (shares + 1, N)
    worse = found - found[int(np.argmin(found.mean(axis=1)))]
    _, members, counts = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(members, weights=row) / counts for row in worse])  # (shares + 1, groups)
    error = means.std(axis=1) / np.sqrt(len(counts))
    return tried[int(np.argmax(means.mean(axis=1) <= error))]
