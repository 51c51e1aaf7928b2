"""What is trained on and what is held out, gone through one stretch at a time, so that no month need fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby

from engine.config import WARM_STEPS
from engine.research.dataset import Stretch
from engine.research.targets import EMBARGO, Part, labels_of

Source = Callable[[], Iterable[Part]]


class Fold:
    """Parts of some sessions, read anew each time they are gone through."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources

    def __iter__(self) -> Iterator[Part]:
        for source in self.sources:
            yield from source()


def by_session(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Neighbours of one session together: no more than these are in memory."""
    for _, group in groupby(parts, key=lambda part: part.stretch.session):
        yield list(group)


def whole(stretch: Stretch) -> Part:
    return Part(stretch, labels_of(stretch), 0, len(stretch.x))


def _parts(session: Iterable[Stretch]) -> Iterator[Part]:
    return (whole(stretch) for stretch in session)


def folds(sessions: Sequence[Iterable[Stretch]], share: float, kinds: int = 1) -> tuple[Fold, Fold]:
    """As `split` has it, of sessions that may lie on disk, of so many kinds."""
    if len(sessions) == 1:
        early, late = _cut(list(sessions[0]), share)
        return Fold([lambda: early]), Fold([lambda: late])
    kept = early_sessions(len(sessions), share, kinds)
    sources = [partial(_parts, session) for session in sessions]
    return Fold(sources[:kept]), Fold(sources[kept:])


def split(stretches: Sequence[Stretch], share: float) -> tuple[list[Part], list[Part]]:
    """What is trained on, and what is held out for the calibration, later in time: the last sessions of several, or of
    a single one what follows the first `share` of it and an embargo. Statistics see the first only."""
    early, late = folds(in_sessions(stretches), share)
    return list(early), list(late)


def in_sessions(stretches: Iterable[Stretch]) -> list[list[Stretch]]:
    """By session, in the order of their first appearance."""
    out: dict[str, list[Stretch]] = {}
    for stretch in stretches:
        out.setdefault(stretch.session, []).append(stretch)
    return list(out.values())


def early_sessions(count: int, share: float, kinds: int = 1) -> int:
    """How many of several sessions are trained on: some, and not all; enough are left to hold out one of each kind,
    unless that would be more than half of them."""
    return min(max(1, round(share * count)), count - max(1, min(kinds, count // 2)))


def _cut(stretches: Sequence[Stretch], share: float) -> tuple[list[Part], list[Part]]:
    early, late = [], []
    for stretch in stretches:
        labels, steps = labels_of(stretch), len(stretch.x)
        cut = int(steps * share)
        early.append(Part(stretch, labels, 0, cut))
        if cut + EMBARGO + WARM_STEPS < steps:
            late.append(Part(stretch, labels, cut + EMBARGO, steps))
    return early, late
