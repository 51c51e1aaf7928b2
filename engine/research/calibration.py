"""After training, on sessions it never saw: a temperature for the direction, a share of trust for every head."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import WARM_STEPS
from engine.forecast.calibrate import temperature, trust
from engine.forecast.labels import DIRECTIONS
from engine.forecast.parameters import HEADS, OUTPUTS, TARGETS, Weights, columns, target_columns
from engine.forecast.stream import softmax
from engine.research.dataset import Floats
from engine.research.folds import by_session
from engine.research.frozen import Frozen, targets
from engine.research.judging import outputs_of
from engine.research.losses import coin_losses, hubers, log_losses, pinballs
from engine.research.targets import Part

EVERY = 5  # steps between two moments looked at


def calibrated(weights: Weights, frozen: Frozen, held: Iterable[Part]) -> Weights:
    """The same weights with both fitted on `held`; expects a temperature of 1 and full trust. Without held-out parts
    the temperature stays and no head is trusted."""
    seen = _gather(weights, frozen, held)
    found = {head: _temperature(seen, head) for head in DIRECTIONS}
    for head, hotness in found.items():
        seen.said[:, columns(head)] = softmax(_logits(seen, head) / np.float32(hotness))
    options, futures = (_Seen(*(each[seen.option == kind] for each in seen)) for kind in (True, False))
    return _with(
        weights,
        temperature=found["direction"],
        later_temperatures={head: found[head] for head in DIRECTIONS[1:]},
        trust={name: _trust(name, options, frozen.iv_scale) for name, _ in HEADS},
        future_trust={name: _trust(name, futures, frozen.iv_scale) for name, _ in HEADS},
    )


def _temperature(seen: _Seen, head: str) -> float:
    came = seen.came[:, target_columns(head)][:, 0]
    known = ~np.isnan(came)
    return temperature(_logits(seen, head)[known], came[known].astype(np.int64))


def _logits(seen: _Seen, head: str) -> NDArray[np.float32]:
    return np.log(np.maximum(seen.said[:, columns(head)], 1e-7)).astype(np.float32)


def _with(weights: Weights, **changes: object) -> Weights:
    return Weights(msgspec.structs.replace(weights.header, **changes), weights.arrays)


class _Seen(NamedTuple):
    """Of all parts: what is said and what the baseline says (N, OUTPUTS), what came (N, TARGETS), of which part, and
    whether of an option."""

    said: NDArray[np.float32]
    base: NDArray[np.float32]
    came: NDArray[np.float32]
    part: NDArray[np.int64]
    option: NDArray[np.bool_]


def _gather(weights: Weights, frozen: Frozen, parts: Iterable[Part]) -> _Seen:
    """Of each session in turn."""
    at = slice(WARM_STEPS, None, EVERY)
    said, base = [np.zeros((0, OUTPUTS), np.float32)], [np.zeros((0, OUTPUTS), np.float32)]
    came, numbers = [np.zeros((0, TARGETS), np.float32)], [np.zeros(0, np.int64)]
    option = [np.zeros(0, bool)]
    for group in by_session(parts):
        for part, rows in zip(group, outputs_of(weights, group), strict=True):
            said.append(rows[at])
            base.append(np.tile(weights.base[part.stretch.instrument.kind], (len(rows[at]), 1)))
            came.append(targets(part.stretch, part.labels, frozen)[part.span][at])
            numbers.append(np.full(len(rows[at]), len(numbers)))
            option.append(np.full(len(rows[at]), part.stretch.option))
    return _Seen(*(np.concatenate(each) for each in (said, base, came, numbers, option)))


def _trust(head: str, seen: _Seen, iv_scale: float) -> float:
    y = seen.came[:, target_columns(head)]
    known = ~np.isnan(y).all(axis=1)
    came: Floats = y[known].astype(np.float64)
    at = columns(head)
    said, base = (each[known][:, at].astype(np.float64) for each in (seen.said, seen.base))
    return trust(said, base, lambda mix: _losses(head, mix, came, iv_scale), seen.part[known])


def _losses(head: str, said: Floats, y: Floats, iv_scale: float) -> Floats:
    """(N,) of one head, as in training; the mean over the labels that are known."""
    if head in DIRECTIONS:
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
