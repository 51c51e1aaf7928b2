"""Calibration after training, on sessions held out from it: one temperature for the direction's logits (Guo et al.
2017), and for each head how far it is to be trusted against the baseline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

COLDEST, HOTTEST = 0.25, 8.0
SHARES = 10


def temperature(logits: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """The T that makes softmax(logits ÷ T) most likely on a stretch that training never saw.

    `logits` (N, 3), `classes` (N,) in 0 … 2. Without observations, 1.
    """
    if not len(classes):
        return 1.0
    scores = logits.astype(np.float64)

    def loss(log_t: float) -> float:
        return log_loss(scores / np.exp(log_t), classes)

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def log_loss(logits: NDArray[np.float64], classes: NDArray[np.int64]) -> float:
    """Mean cross-entropy in nats of softmax(logits)."""
    top = logits.max(axis=1, keepdims=True)
    norms = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float((norms - logits[np.arange(len(classes)), classes]).mean())


def trust(model: NDArray[np.float64], base: NDArray[np.float64], loss: Callable[[NDArray[np.float64]], float]) -> float:
    """The λ in 0, 0.1 … 1 for which base + λ (model − base) has the lowest loss.

    A linear pool: it keeps probabilities and quantiles in order. Without observations 0: nothing speaks for the model.
    """
    if not len(model):
        return 0.0
    shares = [k / SHARES for k in range(SHARES + 1)]
    found = [loss(base + share * (model - base)) for share in shares]
    return shares[int(np.argmin(found))]
