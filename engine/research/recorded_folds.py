"""Which recordings are trained on, and which are judged: the split by time; and quarters that are left out by turns.

Recordings are minutes, and the last of a minute may be calmer than all before: what is calibrated on it alone is sure
where it should not be. So every quarter of every recording is held out once, from a model that learned the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from engine.config import STEP_NS, WARM_STEPS
from engine.forecast.labels import HORIZON_NS
from engine.research.dataset import Stretch
from engine.research.recordings import OWN, Piece, between, part
from engine.research.targets import EMBARGO

QUARTERS = 4
APART = WARM_STEPS + HORIZON_NS["spread"] // STEP_NS  # steps between them
LEAST = 600  # steps to judge: fewer are looked at for the policy rows only


class Fold(msgspec.Struct, frozen=True):
    """`training` is of all other venues' markets alike: the shorter a recording, the more the others' have to say."""

    market: str
    training: list[Piece]
    judged: list[Piece]

    @property
    def own(self) -> list[Piece]:
        """What is trained on of the judged market itself."""
        return [piece for piece in self.training if piece.market == self.market]


def folds_of(parts: Sequence[Piece], segment: int) -> tuple[list[Fold], list[str]]:
    """By market; and of those that are too short to train and judge on, a note. `segment` steps are trained on at
    least."""
    markets: dict[str, list[Piece]] = defaultdict(list)
    everything = sorted((piece for piece in parts if piece.stretches), key=lambda piece: piece.begin)
    for piece in everything:
        markets[piece.market].append(piece)
    out, notes = [], []
    for market, all_ in markets.items():
        judged = list({piece.symbol: piece for piece in all_}.values())
        alike = [piece for piece in everything if (piece.market == OWN) is (market == OWN)]
        fold = Fold(market, *_apart(alike, judged))
        trained, later = (max((_longest(piece) for piece in some), default=0) for some in (fold.own, fold.judged))
        if _without_quarter(trained) < segment or later < LEAST:
            names = ", ".join(piece.name for piece in all_)
            notes.append(f"{market}: {names} are too few or too short to train on one and to judge on a later one")
        else:
            out.append(fold)
    return out, notes


def _without_quarter(steps: int) -> int:
    """The longest stretch that is left of so many when a quarter in the middle is held out."""
    return steps // 2 - APART


def _longest(piece: Piece) -> int:
    return max((len(stretch.x) for stretch in piece.stretches), default=0)


def _apart(all_: Sequence[Piece], judged: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """What was before anything judged begins, and what is judged, from the embargo after that on."""
    first = min(piece.begin for piece in judged)
    before = [part(piece, piece.name, piece.begin, first) for piece in all_ if all(piece is not one for one in judged)]
    training = [piece for piece in before if piece.stretches]
    clear = max((piece.end for piece in training), default=0) + EMBARGO * STEP_NS
    return training, [part(piece, piece.name, clear, piece.end) for piece in judged]


class Left(NamedTuple):
    """Without one quarter of each stretch, and that quarter."""

    learned: list[Stretch]
    held: list[Stretch]


def quarters(training: Sequence[Piece]) -> list[Left]:
    """Each left out once; what is learned from lies a warm-up and the longest label that needs one apart from it."""
    stretches = [stretch for piece in training for stretch in piece.stretches]
    return [_left(stretches, k) for k in range(QUARTERS)]


def _left(stretches: Sequence[Stretch], k: int) -> Left:
    learned, held = [], []
    for stretch in stretches:
        steps = len(stretch.x)
        first, last = k * steps // QUARTERS, (k + 1) * steps // QUARTERS
        learned += [_steps(stretch, 0, first - APART), _steps(stretch, last + APART, steps)]
        held.append(_steps(stretch, first, last))
    return Left(*([short for short in some if short is not None] for some in (learned, held)))


def _steps(stretch: Stretch, first: int, last: int) -> Stretch | None:
    return between(stretch, stretch.t + first * STEP_NS, stretch.t + last * STEP_NS) if last > first else None
