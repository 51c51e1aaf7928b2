"""Why a forecast is what it is: by how much each group of inputs moves it.

Occlusion: the model is run again over the last seconds with one group of inputs held at what they were on average in
the training, all else as it was. What the forecast loses by it is what the group says. The groups' shares need not add
up to anything: what two of them say together, each alone may say too. A few milliseconds, when somebody asks.
"""

from __future__ import annotations

import msgspec
import numpy as np

from engine.domain import Kind
from engine.forecast.names import GROUPS, NAMES
from engine.forecast.parameters import LAYERS, Array, Weights, columns
from engine.forecast.past import SPAN, Past
from engine.forecast.stream import spoken, step_arrays


class Reason(msgspec.Struct, frozen=True):
    """By how much a group of inputs moves P(up) and P(down) of the next second, and the IV expected, per cent."""

    group: str
    up: float
    down: float
    iv: float


_KIND = {"is_option"}  # what instrument it is cannot be taken away
_OCCLUDED = {group: [NAMES.index(name) for name in names if name not in _KIND] for group, names in GROUPS.items()}
_UP, _IV = columns("direction").start, columns("iv").start


def why(weights: Weights, kind: Kind, past: Past) -> tuple[Reason, ...] | None:
    """The groups, those that move the direction most first; None until enough of the past is known. Pure."""
    if past.h is None or past.c is None or len(past.rows) < SPAN:
        return None
    said = spoken(_run(weights, past, np.stack(past.rows)), [kind] * (len(_OCCLUDED) + 1), weights).astype(float)
    moved = said[0] - said[1:]  # (G, OUTPUTS)
    found = [
        Reason(group, up=row[_UP], down=row[_UP + 1], iv=row[_IV + 1])
        for group, row in zip(_OCCLUDED, moved.tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda reason: -abs(reason.up) - abs(reason.down)))


def _run(weights: Weights, past: Past, rows: Array) -> Array:
    """The head's outputs at the end, (1 + G, OUTPUTS): as it was, and without each group."""
    count = len(_OCCLUDED) + 1
    x = np.repeat(rows[:, None, :], count, axis=1)  # (T, 1 + G, F)
    for k, hidden in enumerate(_OCCLUDED.values(), 1):
        x[:, k, hidden] = 0.0  # standardised: the mean of the training
    h, c = (np.repeat(state[:, None, :], count, axis=1) for state in (past.h, past.c) if state is not None)
    assert h.shape[0] == LAYERS
    for step in x[:-1]:
        step_arrays(weights, step, h, c)
    return step_arrays(weights, x[-1], h, c)
