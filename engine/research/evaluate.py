"""`evaluate forecast`: the shipped weights on fresh paper sessions, in the JSON of CONTRACT.md."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.forecast.parameters import BadWeights, Weights
from engine.research.dataset import crowd_digest
from engine.research.scoring import score
from engine.research.train import FRESH_SEED, WORKERS, Plan, Say, shipped_folder, simulate, summary, whole

SKIPPED = Plan().fresh  # sessions that the weights' own scores were taken on
MINUTES = 10.0
CONTRACT = "the crowd's settings differ from those the weights were trained on"


def evaluate_forecast(seeds: int, say: Say, minutes: float = MINUTES, workers: int = WORKERS) -> dict[str, Any]:
    """Judge the shipped weights on so many sessions that neither training nor its scores saw. Raises BadWeights."""
    weights = shipped()
    fresh = [FRESH_SEED + SKIPPED + k for k in range(seeds)]
    sessions = simulate(fresh, minutes, None, workers, say)
    parts = [whole(stretch) for session in sessions for stretch in session]
    table = score(weights, parts, f"paper sessions {fresh}, {minutes:g} minutes each")
    crowd = crowd_digest(None)
    table["crowd"] = crowd
    table["notes"] = [] if crowd == weights.header.crowd_hash else [CONTRACT]
    say(summary(table))
    out: dict[str, Any] = msgspec.to_builtins(table)
    return out


def shipped() -> Weights:
    """The weights that come with the desk."""
    paths = sorted(shipped_folder().glob("*.weights"))
    if not paths:
        raise BadWeights(f"there are no weights in {shipped_folder()}; `make train` makes them")
    return Weights.from_bytes(paths[-1].read_bytes())
