"""Calibration after training, on sessions held out from it: one temperature for the direction's logits (Guo et al.
2017), and for each head how far it is to be trusted against the baseline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COLDEST, HOTTEST = 0.25, 8.0
SHARES = 10
GOLDEN = (5**0.5 - 1) / 2
HALVINGS = 30


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


def trust(model: Floats, base: Floats, losses: Callable[[Floats], Floats], groups: NDArray[np.int64]) -> float:
    """The smallest λ in 0, 0.1 … 1 for which base + λ (model − base) loses no more than the best one does, within one
    standard error over `groups` (instruments of a session): what cannot be told apart from less is not claimed.

    `losses` gives (N,) for an (N, k) mix. A linear pool keeps probabilities and quantiles in order. Without
    observations 0: nothing speaks for the model.
    """
    if not len(model):
        return 0.0
    shares = [k / SHARES for k in range(SHARES + 1)]
    found = np.stack([losses(base + share * (model - base)) for share in shares])  # (SHARES + 1, N)
    worse = found - found[int(np.argmin(found.mean(axis=1)))]
    _, members, counts = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(members, weights=row) / counts for row in worse])  # (SHARES + 1, groups)
    error = means.std(axis=1) / np.sqrt(len(counts))
    return shares[int(np.argmax(means.mean(axis=1) <= error))]
