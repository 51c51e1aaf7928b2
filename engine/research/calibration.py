"""After training, on sessions it never saw: what makes a head's probabilities come true, a share of trust for every
head, and how unlike the training an instrument's inputs may be before it is called unfamiliar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import WARM_STEPS
from engine.domain import Kind
from engine.forecast.calibrate import SHARES, recalibration, trust
from engine.forecast.labels import DIRECTIONS
from engine.forecast.parameters import (
    HEADS,
    OUTPUTS,
    PROBABLE,
    TARGETS,
    Calibration,
    Weights,
    columns,
    target_columns,
)
from engine.forecast.stream import STRANGEST, smoothed, softmax, standardise, unlike
from engine.research.dataset import Floats
from engine.research.folds import by_session
from engine.research.frozen import Frozen, targets
from engine.research.gathered import Thinned
from engine.research.judging import outputs_of
from engine.research.losses import coin_losses, hubers, log_losses, pinballs
from engine.research.targets import Part

EVERY = 5  # steps between two moments looked at
MOST = 200_000  # moments kept of one kind of instrument
SURE = 1e-7  # no probability is nearer to 0 or 1 than a logit can tell
FAMILIAR = 0.999  # share of the held-out moments that are to count as familiar


def calibrated(weights: Weights, frozen: Frozen, held: Iterable[Part]) -> Weights:
    """The same model with all of it fitted on `held`, whatever was before. Without held-out parts it speaks as it was
    trained, no head is trusted and everything is familiar."""
    return settled(weights, frozen.iv_scale, [gathered(weights, frozen, held)])


def settled(weights: Weights, iv_scale: float, several: Sequence[Gathered]) -> Weights:
    """The same model with all of it fitted on what was gathered, of it or of others trained as it was."""
    options, futures = (_joined([each[k] for each in several]) for k in range(2))
    pairs = {head: (_recalibrated(options, head), _recalibrated(futures, head)) for head in PROBABLE}
    trusts = [
        {name: _trust(name, seen, weights.base[kind], iv_scale) for name, _ in HEADS}
        for seen, kind in ((options, Kind.OPTION), (futures, Kind.PERPETUAL))
    ]
    return _with(
        weights, calibration=pairs, trust=trusts[0], future_trust=trusts[1], usual=(_usual(options), _usual(futures))
    )


def uncalibrated(weights: Weights) -> Weights:
    """The model as it was trained: its logits as they are, trusted fully, unfamiliar with nothing."""
    full = {name: 1.0 for name, _ in HEADS}
    return _with(weights, calibration=untouched(), trust=full, future_trust=full, usual=(STRANGEST, STRANGEST))


def untouched() -> dict[str, tuple[Calibration, Calibration]]:
    """A header's calibration that leaves every logit as it is."""
    return {head: (Calibration(), Calibration()) for head in PROBABLE}


def _with(weights: Weights, **changes: object) -> Weights:
    return Weights(msgspec.structs.replace(weights.header, **changes), weights.arrays)


# ------------------------------------------------------------ what was said, and what came


class Seen(NamedTuple):
    """Of one kind of instrument: what the model says (N, OUTPUTS), what came (N, TARGETS), of which part (N,), and how
    unlike the training each moment is (N,)."""

    said: NDArray[np.float32]
    came: NDArray[np.float32]
    part: NDArray[np.int64]
    strange: NDArray[np.float32]


Gathered = tuple[Seen, Seen]  # of options, of futures


def gathered(weights: Weights, frozen: Frozen, parts: Iterable[Part]) -> Gathered:
    """Of each session in turn, by this model as it was trained."""
    plain, at = uncalibrated(weights), slice(WARM_STEPS, None, EVERY)
    rows, number = {option: Thinned(MOST) for option in (True, False)}, 0
    for group in by_session(parts):
        for part, said in zip(group, outputs_of(plain, group), strict=True):
            came, strange = targets(part.stretch, part.labels, frozen)[part.span][at], _strange(plain, part)[at, None]
            which = np.full((len(came), 1), number)
            row = np.concatenate([said[at], came, which, strange], axis=1, dtype=np.float32)
            rows[part.stretch.option].add(row)
            number += 1
    return _seen(rows[True]), _seen(rows[False])


def _seen(rows: Thinned) -> Seen:
    all_ = rows.values.reshape(-1, OUTPUTS + TARGETS + 2)
    return Seen(all_[:, :OUTPUTS], all_[:, OUTPUTS:-2], all_[:, -2].astype(np.int64), all_[:, -1])


def _joined(several: Sequence[Seen]) -> Seen:
    """All of them, their parts told apart."""
    before = np.cumsum([0, *(int(seen.part.max(initial=-1)) + 1 for seen in several)])
    parted = [seen._replace(part=seen.part + n) for seen, n in zip(several, before, strict=False)]
    return Seen(*(np.concatenate(columns) for columns in zip(*parted, strict=True)))


def _usual(seen: Seen) -> float:
    """How unlike the training all but very few of these moments are at most."""
    return float(np.quantile(seen.strange, FAMILIAR)) if len(seen.strange) else STRANGEST


def _strange(weights: Weights, part: Part) -> Floats:
    """(T,) how unlike the training each moment is, smoothed as it is live."""
    raw = part.stretch.x[part.span]
    x = standardise(raw, weights.arrays["mean"], weights.arrays["scale"])
    out, level = [], 0.0
    for step, now in enumerate(unlike(raw, x, weights).tolist()):
        level = smoothed(level, now, step)
        out.append(level)
    return np.array(out)


# ------------------------------------------------------------ fitting


def _recalibrated(seen: Seen, head: str) -> Calibration:
    """Of a head's logits; what it says with that is put in its place."""
    came, coin = seen.came[:, target_columns(head)], head == "fill"
    said = seen.said[:, columns(head)]
    logits = _logits(said.reshape(-1, 1) if coin else said)  # a fill's two sides have one calibration
    known = ~np.isnan(came.ravel())
    found = recalibration(logits[known], came.ravel()[known].astype(np.int64))
    logits /= np.float32(found.temperature)
    logits[:, -1] += np.float32(found.bias)
    now = softmax(logits)
    seen.said[:, columns(head)] = now[:, 1].reshape(said.shape) if coin else now
    return found


def _logits(said: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of probabilities (N, K); of a coin's (N, 1): of none and of a fill, (N, 2)."""
    p = said if said.shape[1] > 1 else np.concatenate([1.0 - said, said], axis=1)
    return np.log(np.maximum(p, SURE)).astype(np.float32)


def _trust(head: str, seen: Seen, base: NDArray[np.float32], iv_scale: float) -> float:
    """Probabilities that come true are believed or not: a mixture of them with base rates would come true no more."""
    y, at = seen.came[:, target_columns(head)], columns(head)
    known = ~np.isnan(y).all(axis=1)
    came, said = y[known].astype(np.float64), seen.said[known][:, at].astype(np.float64)
    usual = np.tile(base[at].astype(np.float64), (len(said), 1))
    shares = 1 if head in PROBABLE else SHARES
    return trust(said, usual, lambda mix: _losses(head, mix, came, iv_scale), seen.part[known], shares)


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
