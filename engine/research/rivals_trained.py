"""The rivals that must be trained, on the very folds that the weights were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.forecast.parameters import Weights
from engine.paper.venue import VenueSettings
from engine.research.dataset import Stretch, crowd_digest, digest
from engine.research.kept import Kept
from engine.research.networks import Diet, networks
from engine.research.rivals import Boosting, Rival
from engine.research.targets import Frozen, Part, freeze
from engine.research.train import Plan, Say, simulate, split

NONE = "the weights tell of no sessions that they were trained on: no rival could be trained on the same"
DRIFTED = "the code has changed since the weights were trained: the rivals' training sessions are not quite theirs"


def trained(
    weights: Weights, settings: VenueSettings | None, workers: int, say: Say, keep: Path | None = None
) -> tuple[list[Rival], list[str]]:
    """Boosting and the networks, and what must be known of them; from `keep`, where they were trained before."""
    header, plan = weights.header, msgspec.convert(weights.header.training, Plan) if weights.header.training else Plan()
    if not header.seeds:
        return [], [NONE]
    kept = Kept(keep, "rivals", weights.id, crowd_digest(settings))
    found: tuple[list[Rival], list[str]] | None = kept.read_object()
    if found is not None:
        return found
    sessions = simulate(header.seeds, plan.minutes, settings, workers, say)
    stretches: list[Stretch] = [stretch for session in sessions for stretch in session]
    same = digest(stretches) == header.data_hash
    early, late = split(stretches, plan.share)
    made = fitted(early, late, question(weights, early), say), [] if same else [DRIFTED]
    kept.write_object(made)
    return made


def question(weights: Weights, early: Sequence[Part]) -> Frozen:
    """What the rivals must answer: the model's own thresholds, seen through its own scaling."""
    return msgspec.structs.replace(
        freeze(early), option_threshold=weights.header.threshold_ticks,
        future_threshold=weights.header.future_threshold_ticks,
        mean=weights.arrays["mean"], scale=weights.arrays["scale"],
    )  # fmt: skip


def fitted(
    early: Sequence[Part], late: Sequence[Part], frozen: Frozen, say: Say, diet: Diet | None = None
) -> list[Rival]:
    """All of them, on the same folds."""
    say(f"training the rivals on {len(early)} stretches")
    boosting = Boosting(early, frozen)
    say("boosting: done")
    return [boosting, *networks(early, late, frozen, say, diet)]
