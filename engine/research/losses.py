"""Losses over whole arrays, one per moment: (N, …) → (N, …). Sisters of `forecast/score.py`'s of single forecasts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.forecast.score import FLOOR, QUANTILES
from engine.research.dataset import Floats


def log_losses(p: Floats, outcome: NDArray[np.int64]) -> Floats:
    out: Floats = -np.log(np.maximum(p[np.arange(len(outcome)), outcome], FLOOR))
    return out


def coin_losses(p: Floats, y: Floats) -> Floats:
    out: Floats = -np.log(np.maximum(np.where(y > 0, p, 1.0 - p), FLOOR))
    return out


def pinballs(bands: Floats, y: Floats) -> Floats:
    miss, q = y[..., None] - bands, np.array(QUANTILES)
    out: Floats = np.maximum(q * miss, (q - 1.0) * miss).mean(axis=-1)
    return out


def hubers(error: Floats) -> Floats:
    size = np.abs(error)
    out: Floats = np.where(size < 1.0, 0.5 * size * size, size - 0.5)
    return out
