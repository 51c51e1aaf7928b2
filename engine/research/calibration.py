"""After training, on sessions it never saw: a temperature for the direction, a share of trust for every head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import WARM_STEPS
from engine.forecast.calibrate import temperature, trust
from engine.forecast.parameters import HEADS, OUTPUTS, TARGETS, Weights, columns, target_columns
from engine.research.dataset import Floats
from engine.research.judging import outputs_of
from engine.research.losses import coin_losses, hubers, log_losses, pinballs
from engine.research.targets import Frozen, Part, targets

EVERY = 5  # steps between two moments looked at


def calibrated(weights: Weights, frozen: Frozen, held: Sequence[Part]) -> Weights:
    """The same weights with both fitted on `held`; expects a temperature of 1 and full trust. Without held-out parts
    the temperature stays and no head is trusted."""
    seen = _gather(weights, frozen, held)
    known = ~np.isnan(seen.came[:, 0])
    logits = np.log(np.maximum(seen.said[known][:, columns("direction")], 1e-7)).astype(np.float32)
    warm = _with(weights, temperature=temperature(logits, seen.came[known, 0].astype(np.int64)))
    options, futures = (
        _gather(warm, frozen, [part for part in held if part.stretch.option is option]) for option in (True, False)
    )
    return _with(
        warm,
        trust={name: _trust(name, options, frozen.iv_scale) for name, _ in HEADS},
        future_trust={name: _trust(name, futures, frozen.iv_scale) for name, _ in HEADS},
    )


def _with(weights: Weights, **changes: object) -> Weights:
    return Weights(msgspec.structs.replace(weights.header, **changes), weights.arrays)


class _Seen(NamedTuple):
    """Of all parts: what is said and what the baseline says (N, OUTPUTS), what came (N, TARGETS), and of which part."""

    said: Floats
    base: Floats
    came: Floats
    part: NDArray[np.int64]


def _gather(weights: Weights, frozen: Frozen, parts: Sequence[Part]) -> _Seen:
    at = slice(WARM_STEPS, None, EVERY)
    said = [rows[at] for rows in outputs_of(weights, parts)]
    base = [np.tile(weights.base[part.stretch.instrument.kind], (len(rows), 1))
            for part, rows in zip(parts, said, strict=True)]  # fmt: skip
    came = [targets(part.stretch, part.labels, frozen)[part.span][at] for part in parts]
    numbers = [np.full(len(rows), k) for k, rows in enumerate(said)]
    return _Seen(
        np.concatenate([np.zeros((0, OUTPUTS)), *said]),
        np.concatenate([np.zeros((0, OUTPUTS)), *base]),
        np.concatenate([np.zeros((0, TARGETS)), *came]),
        np.concatenate([np.zeros(0, np.int64), *numbers]),
    )


def _trust(head: str, seen: _Seen, iv_scale: float) -> float:
    y = seen.came[:, target_columns(head)]
    known = ~np.isnan(y).all(axis=1)
    y, at = y[known], columns(head)
    return trust(
        seen.said[known][:, at], seen.base[known][:, at], lambda mix: _losses(head, mix, y, iv_scale), seen.part[known]
    )


def _losses(head: str, said: Floats, y: Floats, iv_scale: float) -> Floats:
    """(N,) of one head, as in training; the mean over the labels that are known."""
    if head == "direction":
        return log_losses(said, y[:, 0].astype(np.int64))
    if head == "fill":
        each = coin_losses(said, y)
    elif head in ("slip", "iv"):
        each = pinballs(said.reshape(len(said), -1, 3) / (iv_scale if head == "iv" else 1.0), y)
    else:
        each = hubers(y - said)
    known = ~np.isnan(y)
    out: Floats = np.where(known, each, 0.0).sum(axis=1) / known.sum(axis=1)
    return out
