"""The rivals that must be trained, on the very folds that the weights were trained on.

Those sessions are simulated again, and of each only what rivals learn from is kept: the standardised vectors and the
classes, a fifth of a session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from engine.forecast.parameters import Weights
from engine.paper.venue import VenueSettings
from engine.research.dataset import crowd_digest, mix, simulated
from engine.research.fitting import Plan, Say
from engine.research.folds import early_sessions, split, whole
from engine.research.frozen import Frozen
from engine.research.kept import Kept
from engine.research.networks import Diet, networks
from engine.research.rivals import Boosting, Lesson, Rival, lesson_of
from engine.research.train import each

NONE = "the weights tell of no sessions that they were trained on: no rival could be trained on the same"
DRIFTED = "the code has changed since the weights were trained: the rivals' training sessions are not quite theirs"
Folds = tuple[list[Lesson], list[Lesson]]


def trained(
    weights: Weights, settings: VenueSettings | None, workers: int, say: Say, keep: Path | None = None
) -> tuple[list[Rival], list[str]]:
    """Boosting and the networks, and what must be known of them; from `keep`, where they were trained before."""
    if not weights.header.seeds:
        return [], [NONE]
    kept = Kept(keep, "rivals", weights.id, crowd_digest(settings))
    found: tuple[list[Rival], list[str]] | None = kept.read_object()
    if found is not None:
        say("rivals: as kept")
        return found
    (early, late), same = folds(weights, settings, workers, say)
    made = fitted(early, late, question(weights), say), [] if same else [DRIFTED]
    kept.write_object(made)
    return made


def folds(weights: Weights, settings: VenueSettings | None, workers: int, say: Say) -> tuple[Folds, bool]:
    """What the weights were trained on and what was held out, and whether it still is the same to the bit."""
    header, plan, frozen = weights.header, msgspec.convert(weights.header.training, Plan), question(weights)
    early: list[Lesson] = []
    late: list[Lesson] = []
    digest, count = hashlib.sha256(), len(header.seeds)
    run = partial(simulated, minutes=plan.minutes, settings=settings)
    for k, session in enumerate(each(run, header.seeds, workers)):
        for stretch in session:
            mix(digest, stretch)
        if count == 1:
            first, later = split(session, plan.share)
        else:
            parts = [whole(stretch) for stretch in session]
            first, later = (parts, []) if k < early_sessions(count, plan.share) else ([], parts)
        early += [lesson_of(part, frozen) for part in first]
        late += [lesson_of(part, frozen) for part in later]
        say(f"session {header.seeds[k]}, for the rivals: {k + 1} of {count}")
    return (early, late), digest.hexdigest() == header.data_hash


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
