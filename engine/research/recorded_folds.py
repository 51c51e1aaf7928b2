"""Which recordings are trained on, and which are judged: the split by time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from engine.config import STEP_NS, WARM_STEPS
from engine.forecast.labels import HORIZON_NS
from engine.research.dataset import Stretch
from engine.research.recordings import Piece, between, part
from engine.research.targets import EMBARGO

SHARE = 0.75  # of each training file that is trained on; the rest calibrates
APART = WARM_STEPS + HORIZON_NS["spread"] // STEP_NS  # steps between them
LEAST = 600  # steps to judge: fewer are looked at for the policy rows only


class Fold(msgspec.Struct, frozen=True):
    market: str
    training: list[Piece]
    judged: list[Piece]


def folds_of(parts: Sequence[Piece], segment: int) -> tuple[list[Fold], list[str]]:
    """By market; and of those that are too short to train and judge on, a note. `segment` steps are trained on at
    least."""
    markets: dict[str, list[Piece]] = defaultdict(list)
    for piece in sorted((piece for piece in parts if piece.stretches), key=lambda piece: piece.begin):
        markets[piece.market].append(piece)
    out, notes = [], []
    for market, all_ in markets.items():
        judged = list({piece.symbol: piece for piece in all_}.values())
        fold = Fold(market, *_apart(all_, judged))
        trained, later = (max((_longest(piece) for piece in some), default=0) for some in (fold.training, fold.judged))
        if trained * SHARE < segment or later < LEAST:
            names = ", ".join(piece.name for piece in all_)
            notes.append(f"{market}: {names} are too few or too short to train on one and to judge on a later one")
        else:
            out.append(fold)
    return out, notes


def _longest(piece: Piece) -> int:
    return max((len(stretch.x) for stretch in piece.stretches), default=0)


def _apart(all_: Sequence[Piece], judged: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """What was before anything judged begins, and what is judged, from the embargo after that on."""
    first = min(piece.begin for piece in judged)
    before = [part(piece, piece.name, piece.begin, first) for piece in all_ if all(piece is not one for one in judged)]
    training = [piece for piece in before if piece.stretches]
    clear = max((piece.end for piece in training), default=0) + EMBARGO * STEP_NS
    return training, [part(piece, piece.name, clear, piece.end) for piece in judged]


def lessons(training: Sequence[Piece]) -> list[Stretch]:
    """The training as two sessions, as `train_on` takes them: what is learned from, and what calibrates."""
    early, late = [], []
    for stretch in (stretch for piece in training for stretch in piece.stretches):
        cut = stretch.t + int(SHARE * len(stretch.x)) * STEP_NS
        early.append((stretch, between(stretch, stretch.t, cut)))
        late.append((stretch, between(stretch, cut + APART * STEP_NS, stretch.t + len(stretch.x) * STEP_NS)))
    named = [("training", early), ("held out", late)]
    return [
        msgspec.structs.replace(short, session=f"{name} part of the recordings")
        for name, some in named for _, short in some if short is not None
    ]  # fmt: skip
