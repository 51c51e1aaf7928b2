"""Intervals of a mean whose neighbours share their luck: blocks are drawn anew, whole."""

from __future__ import annotations

import numpy as np

from engine.research.dataset import Floats

RESAMPLES = 2000
TAILS = (0.025, 0.975)


def bootstrap(values: Floats, block: Floats, seed: int = 0) -> tuple[float, float] | None:
    """95 % of the mean of `values` (N,) that lie in these blocks (N,), by drawing as many blocks as there are, with
    replacement; None under two blocks."""
    names, inverse = np.unique(block, return_inverse=True)
    if len(names) < 2:
        return None
    sums, counts = np.bincount(inverse, weights=values), np.bincount(inverse)
    drawn = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), TAILS)
    return float(low), float(high)
