"""`models compare`: two models on the same fresh sessions, by the code of `evaluate forecast`.

Beside both tables stands, for each head, the mean difference of their losses moment by moment (first less second,
negative: the first is better) with its interval. Directions are compared only where both mean the same by "up": their
thresholds are frozen with each model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.forecast.parameters import Weights
from engine.research.evaluate import fresh_sessions, seeds_of
from engine.research.fitting import Say
from engine.research.judging import Judged, judge, merged
from engine.research.paired import differences
from engine.research.rivals_trained import foreign
from engine.research.scoring import tabled

THRESHOLDS = "their thresholds differ: the directions they forecast are not the same question"


def compare(one: Weights, two: Weights, seeds: int, minutes: float, say: Say) -> dict[str, Any]:
    """Tables of both, `paired` differences by head, and what must be known with them."""
    found: dict[str, list[Judged]] = {one.id: [], two.id: []}
    for parts in fresh_sessions(seeds, minutes, say):
        for weights in (one, two):
            found[weights.id].append(judge(weights, parts))
    data = f"paper sessions {seeds_of(seeds)}, {minutes:g} minutes each"
    judged = {weights.id: merged(found[weights.id]) for weights in (one, two)}
    alike = _question(one) == _question(two)
    return {
        "data": data,
        "first": one.id,
        "second": two.id,
        "models": {weights.id: tabled(weights, judged[weights.id], data) for weights in (one, two)},
        "paired": differences(judged[one.id], judged[two.id], direction=alike),
        "notes": [*([] if alike else [THRESHOLDS]), *_foreign(one, two)],
    }


def _question(weights: Weights) -> tuple[float, ...]:
    header = weights.header
    return header.threshold_ticks, header.future_threshold_ticks, header.horizon_s


def _foreign(*both: Weights) -> list[str]:
    return [f"{weights.id}: {note}" for weights in both for note in foreign(weights)]


def lines(table: dict[str, Any]) -> Iterator[str]:
    """For a person: who is better at what."""
    yield f"{table['first']} against {table['second']} on {table['data']}"
    for head, row in table["paired"].items():
        if row is None:
            yield f"{head}: not compared"
            continue
        band = "no interval" if row["lo"] is None else f"{row['lo']:+.5f} … {row['hi']:+.5f}"
        yield f"{head}: {row['mean']:+.5f} ({band}), {_verdict(row)}; {row['n']} moments"
    yield from table["notes"]


def _verdict(row: dict[str, Any]) -> str:
    if row["lo"] is None or row["lo"] <= 0 <= row["hi"]:
        return "no difference can be told"
    return "the first is better" if row["hi"] < 0 else "the second is better"
