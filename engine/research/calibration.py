"""After training, on sessions it never saw: a temperature for the direction, a share of trust for every head."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from engine.config import WARM_STEPS
from engine.forecast.calibrate import temperature, trust
from engine.forecast.parameters import HEADS, TARGETS, Weights, columns, target_columns
from engine.research.dataset import Floats
from engine.research.losses import coin_losses, hubers, log_losses, pinballs
from engine.research.scoring import outputs_of
from engine.research.targets import Frozen, Part, targets

EVERY = 5  # steps between two moments looked at


def calibrated(weights: Weights, frozen: Frozen, held: Sequence[Part]) -> Weights:
    """The same weights with both fitted on `held`; expects a temperature of 1 and full trust. Without held-out parts
    the temperature stays and no head is trusted."""
    said, base, y = _gather(weights, frozen, held)
    known = ~np.isnan(y[:, 0])
    logits = np.log(np.maximum(said[known][:, columns("direction")], 1e-7)).astype(np.float32)
    warm = _with(weights, temperature=temperature(logits, y[known, 0].astype(np.int64)))
    said, base, y = _gather(warm, frozen, held)
    return _with(warm, trust={name: _trust(name, said, base, y, warm.header.iv_scale) for name, _ in HEADS})


def _with(weights: Weights, **changes: object) -> Weights:
    return Weights(msgspec.structs.replace(weights.header, **changes), weights.arrays)


def _gather(weights: Weights, frozen: Frozen, parts: Sequence[Part]) -> tuple[Floats, Floats, Floats]:
    """What is said and what the baseline says (N, OUTPUTS), and what came (N, 19), of all parts."""
    said, base, came = (
        [np.zeros((0, len(weights.trust)))],
        [np.zeros((0, len(weights.trust)))],
        [np.zeros((0, TARGETS))],
    )
    for part, rows in zip(parts, outputs_of(weights, parts), strict=True):
        at = slice(WARM_STEPS, None, EVERY)
        said.append(rows[at].astype(np.float64))
        base.append(np.tile(weights.base(part.stretch.instrument.kind), (len(said[-1]), 1)).astype(np.float64))
        came.append(targets(part.stretch, part.labels, frozen)[part.span][at].astype(np.float64))
    return np.concatenate(said), np.concatenate(base), np.concatenate(came)


def _trust(head: str, said: Floats, base: Floats, came: Floats, iv_scale: float) -> float:
    y = came[:, target_columns(head)]
    known = ~np.isnan(y).all(axis=1)
    y, at = y[known], columns(head)
    return trust(said[known][:, at], base[known][:, at], lambda mix: _loss(head, mix, y, iv_scale))


def _loss(head: str, said: Floats, y: Floats, iv_scale: float) -> float:
    """Mean loss of one head over its known labels, as in training."""
    if head == "direction":
        return float(log_losses(said, y[:, 0].astype(np.int64)).mean())
    if head == "fill":
        return float(np.nanmean(np.where(np.isnan(y), np.nan, coin_losses(said, y))))
    if head in ("slip", "iv"):
        unit = iv_scale if head == "iv" else 1.0
        return float(np.nanmean(pinballs(said.reshape(len(said), -1, 3) / unit, y)))
    return float(np.nanmean(hubers(y - said)))
