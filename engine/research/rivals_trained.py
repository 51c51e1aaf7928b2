"""The rivals that must be trained, on the very folds that the weights were trained on.

Those sessions are read where training left them, else simulated again; of each only what rivals learn from is kept: the
standardised vectors and the classes, a fifth of a session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.forecast.parameters import Weights
from engine.paper.venue import VenueSettings
from engine.research.cluster import Workers
from engine.research.crowds import Session, named_of
from engine.research.dataset import Stretch, mix, simulated
from engine.research.fitting import Plan, Say
from engine.research.folds import early_sessions, split, whole
from engine.research.frozen import Frozen
from engine.research.kept import Kept
from engine.research.knowing import Knowing, told_of
from engine.research.networks import Diet, networks
from engine.research.rivals import Boosting, Lesson, Rival, lesson_of
from engine.research.shelf import remembered
from engine.research.train import kinds, trained_on

NONE = "the weights tell of no sessions that they were trained on: no rival could be trained on the same"
DRIFTED = "the code has changed since the weights were trained: the rivals' training sessions are not quite theirs"
CROWD = "the crowd's settings differ from those the weights were trained on"


class Folds(NamedTuple):
    """`told` is what is learned from with the hidden state beside it."""

    early: list[Lesson]
    late: list[Lesson]
    told: list[Lesson]


def trained(
    weights: Weights, settings: VenueSettings | None, workers: Workers, say: Say, keep: Path | None = None,
    training: Path | None = None,
) -> tuple[list[Rival], list[str]]:  # fmt: skip
    """Boosting, the networks and who is told what is hidden, and what must be known of them; from `keep`, where they
    were trained before. The sessions are in `training`, if training kept them there."""
    if not weights.header.seeds:
        return [], [NONE]
    kept = Kept(keep, "rivals", weights.id, named_of(sessions_of(weights), settings))
    found: tuple[list[Rival], list[str]] | None = kept.read_object()
    if found is not None:
        say("rivals: as kept")
        return found
    (early, late, told), same = folds(weights, settings, workers, say, training)
    made = fitted(early, late, question(weights), say)
    if told:
        made.append(Knowing(told, question(weights)))
        say("the model that is given the hidden state: done")
    kept.write_object((made, [] if same else [DRIFTED]))
    return made, [] if same else [DRIFTED]


def plan_of(weights: Weights) -> Plan:
    """How they were trained."""
    return msgspec.convert(weights.header.training, Plan)


def sessions_of(weights: Weights) -> list[Session]:
    """What they were trained on; none where they do not tell."""
    seeds = weights.header.seeds
    return trained_on(seeds, plan_of(weights)) if seeds else []


def foreign(weights: Weights, base: VenueSettings | None = None) -> list[str]:
    """A note, where the crowd that this code simulates is not the one they were trained on."""
    lived = sessions_of(weights)
    return [] if lived and named_of(lived, base) == weights.header.crowd_hash else [CROWD]


def _sources(
    weights: Weights, settings: VenueSettings | None, workers: Workers, training: Path | None
) -> Iterator[Iterable[Stretch]]:
    """Session by session, each gone through once."""
    there = remembered(training, weights.header.data_hash)
    if there is not None and len(there) == len(weights.header.seeds):
        yield from there
        return
    run = partial(_simulate, minutes=plan_of(weights).minutes, base=settings)
    yield from workers.each(run, sessions_of(weights))


def _simulate(session: Session, minutes: float, base: VenueSettings | None) -> list[Stretch]:
    return simulated(session.seed, minutes, session.venue(base))


def folds(
    weights: Weights, settings: VenueSettings | None, workers: Workers, say: Say, training: Path | None = None
) -> tuple[Folds, bool]:
    """What the weights were trained on and what was held out, and whether it still is the same to the bit."""
    header, plan, frozen = weights.header, plan_of(weights), question(weights)
    found = Folds([], [], [])
    digest, count = hashlib.sha256(), len(header.seeds)
    learned = early_sessions(count, plan.share, len(kinds(plan)))
    for k, source in enumerate(_sources(weights, settings, workers, training)):
        session = list(source)
        for stretch in session:
            mix(digest, stretch)
        if count == 1:
            first, later = split(session, plan.share)
        else:
            parts = [whole(stretch) for stretch in session]
            first, later = (parts, []) if k < learned else ([], parts)
        found.early.extend(lesson_of(part, frozen) for part in first)
        found.late.extend(lesson_of(part, frozen) for part in later)
        found.told.extend(lesson for part in first for lesson in told_of(part, frozen))
        say(f"session {header.seeds[k]}, for the rivals: {k + 1} of {count}")
    return found, digest.hexdigest() == header.data_hash


def question(weights: Weights) -> Frozen:
    """What the rivals must answer: the model's own thresholds, seen through its own scaling."""
    header, arrays = weights.header, weights.arrays
    return Frozen(
        mean=arrays["mean"], scale=arrays["scale"], option_threshold=header.threshold_ticks,
        future_threshold=header.future_threshold_ticks, later_thresholds=header.later_thresholds,
        option_rates=header.rates, future_rates=header.future_rates, iv_scale=header.iv_scale,
    )  # fmt: skip


def fitted(
    early: Sequence[Lesson], late: Sequence[Lesson], frozen: Frozen, say: Say, diet: Diet | None = None
) -> list[Rival]:
    """All of them, on the same folds."""
    say(f"training the rivals on {len(early)} stretches")
    boosting = Boosting(early, frozen)
    say("boosting: done")
    return [boosting, *networks(early, late, frozen, say, diet)]
