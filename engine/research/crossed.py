"""Training on recordings of minutes: every quarter of them is held out once, from a network that learned the rest.

What these networks say of what they had not seen calibrates the one that learned everything, and chooses the number of
epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from engine.forecast.parameters import Weights, columns
from engine.research.calibration import Gathered, gathered, settled
from engine.research.fitting import Plan, Say
from engine.research.folds import whole
from engine.research.judging import judge
from engine.research.losses import log_losses
from engine.research.recorded_folds import Left, quarters
from engine.research.recordings import Piece
from engine.research.rivals_trained import question
from engine.research.targets import Part
from engine.research.train import train_sessions


class Crossing(NamedTuple):
    """A network, what it learned from, and what it did not."""

    weights: Weights
    learned: list[Part]
    held: list[Part]


def trained(training: Sequence[Piece], plan: Plan, epochs: Sequence[int], say: Say) -> tuple[Weights, list[Crossing]]:
    """The network of all recordings, by the number of epochs that does best on the quarters left out; and those that
    each were not shown one."""
    lefts = quarters(training)
    tried: dict[float, tuple[Plan, list[Crossing], list[Gathered]]] = {}
    for count in epochs:
        so = msgspec.structs.replace(plan, epochs=count)
        crossed = [_crossing(left, so) for left in lefts]
        seen = [gathered(each.weights, question(each.weights), each.held) for each in crossed]
        loss = float(np.concatenate([_losses(each, seen) for each in crossed]).mean())
        tried.setdefault(loss, (so, crossed, seen))
        say(f"{count} epochs: direction log-loss {loss:.4f} on the quarters left out")
    so, crossed, seen = tried[min(tried)]
    everything = [stretch for piece in training for stretch in piece.stretches]
    weights = train_sessions([everything, lefts[-1].held], so, _unheard)
    return settled(weights, weights.header.iv_scale, seen), crossed


def _crossing(left: Left, plan: Plan) -> Crossing:
    parts = [[whole(stretch) for stretch in some] for some in left]
    return Crossing(train_sessions(left, plan, _unheard), *parts)


def _losses(crossing: Crossing, seen: Sequence[Gathered]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of the direction, calibrated as the network of all will be."""
    weights = settled(crossing.weights, crossing.weights.header.iv_scale, seen)
    judged = judge(weights, crossing.held)
    known = ~np.isnan(judged["outcome"])
    return log_losses(judged["said"][known][:, columns("direction")], judged["outcome"][known].astype(np.int64))


def _unheard(_: str) -> None:
    """Of an epoch that takes a blink."""
