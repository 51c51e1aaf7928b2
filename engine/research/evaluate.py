"""`evaluate forecast`: the shipped weights on fresh paper sessions, in the JSON of CONTRACT.md.

Each session is run by a desk that forecasts as it does live (its policy rows are counted), judged, and forgotten but
for the arrays that the table is made of; these are kept, so an evaluation that was broken off goes on where it was. At
some moments the oracle is asked. The rivals are trained on the sessions that the weights were trained on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.config import DEFAULT_POLICY, STEP_NS, WARM_STEPS
from engine.forecast.parameters import BadWeights, Weights
from engine.paper.venue import VenueSettings
from engine.research.dataset import FOCUS, STEPS_PER_MINUTE, Recorder, Stretch, Watcher, crowd_digest, probed, simulated
from engine.research.fitting import Plan, Say
from engine.research.folds import whole
from engine.research.judging import Judged, judge, merged, outputs_of
from engine.research.kept import Kept
from engine.research.oracle import FUTURES
from engine.research.oracle_moments import Moment, gap, judge_moments, moments
from engine.research.rivals import Rival, simple
from engine.research.rivals_trained import trained
from engine.research.scoring import Table, tabled
from engine.research.targets import AHEAD, Part
from engine.research.train import FRESH_SEED, WORKERS, each, summary
from engine.shell import registry

SKIPPED = Plan().fresh  # sessions that the weights' own scores were taken on
MINUTES = 10.0
ORACLE = 1000  # moments of one instrument that the oracle is asked about
CONTRACT = "the crowd's settings differ from those the weights were trained on"
SELDOM, ALWAYS = 0.01, 0.95  # shares of moments beyond which a policy row says nothing


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. `oracle` moments in all sessions together, each of `futures`; `rivals` are trained."""

    seeds: int = 3
    minutes: float = MINUTES
    oracle: int = ORACLE
    futures: int = FUTURES
    rivals: bool = True
    settings: VenueSettings | None = None
    focus: int = FOCUS
    workers: int = WORKERS

    @property
    def times(self) -> int:
        """How often the oracle is asked in each session: about so many instruments can be asked about at once."""
        return -(-self.oracle // (self.seeds * (self.focus + 1))) if self.seeds else 0


def say(text: str) -> None:
    """Progress, for a person; also from a process that simulates."""
    print(text, file=sys.stderr, flush=True)


def evaluate_forecast(weights: Weights, wanted: Wanted, say: Say, keep: Path | None = None) -> Table:
    """Judge the weights on sessions that neither training nor its scores saw."""
    seeds = seeds_of(wanted.seeds)
    kept = Kept(keep, "forecast", weights.id, wanted, crowd_digest(wanted.settings))
    found = {seed: one for seed in seeds if (one := kept.read(seed)) is not None}
    missing = [seed for seed in seeds if seed not in found]
    say(f"{len(seeds)} sessions of {wanted.minutes:g} minutes, {len(found)} of them as kept")
    notes: list[str] = []
    if missing:
        rivals, notes = trained(weights, wanted.settings, wanted.workers, say, keep) if wanted.rivals else ([], [])
        run = partial(judged_session, wanted=wanted, weights=weights, rivals=rivals, say=say)
        for seed, one in zip(missing, each(run, missing, wanted.workers), strict=True):
            kept.write(seed, one)
            found[seed] = one
            say(f"session {seed} is judged: {len(found)} of {len(seeds)}")
    judged = merged([found[seed] for seed in seeds])
    table = tabled(weights, judged, f"paper sessions {seeds}, {wanted.minutes:g} minutes each")
    table |= {"rows": rows(judged), "crowd": crowd_digest(wanted.settings)}
    table["rows_flagged"] = [name for name, share in table["rows"].items() if not SELDOM <= share <= ALWAYS]
    table["notes"] = notes if table["crowd"] == weights.header.crowd_hash else [*notes, CONTRACT]
    _oracle(table, judged)
    say(summary(table))
    out: dict[str, Any] = msgspec.to_builtins(table)
    return out


def judged_session(seed: int, wanted: Wanted, weights: Weights, rivals: Sequence[Rival], say: Say) -> Judged:
    """One session: run, asked about, judged."""
    desk, recorder, truths = Watcher(seed, wanted.settings, weights), Recorder(f"paper-{seed}"), list[Moment]()
    desk.look(wanted.focus)
    prober = desk.prober()
    steps = round(wanted.minutes * STEPS_PER_MINUTE)
    for step in range(steps):
        prints = desk.step()
        recorder.step(desk.market, prints)
        prober.step(step)
        if step in (times := _times(wanted.times, steps)):
            truths += moments(desk, weights, wanted.futures)
            say(f"session {seed}: the oracle is asked, {times.index(step) + 1} of {len(times)} times")
    parts = [whole(stretch) for stretch in probed(recorder.finish(), desk.began + STEP_NS, prober.done)]
    said = outputs_of(weights, parts)
    market = desk.market
    counts = [[market.fired.get(row.name, 0) for row in market.config.policy]]
    judged = judge(weights, parts, rivals, said) | {"fired": np.array(counts), "looks": np.array([market.looks])}
    stateless = [rival for rival in (*simple(weights), *rivals) if rival.name != "past_only"]
    return judged | judge_moments(weights, parts, said, stateless, truths)


def _times(count: int, steps: int) -> list[int]:
    """Steps at which the oracle is asked, evenly between the warm-up and the last label."""
    first, last = 2 * WARM_STEPS, steps - AHEAD["direction"] - 1
    return [first + (2 * k + 1) * (last - first) // (2 * count) for k in range(count)] if last > first else []


def rows(judged: Judged) -> dict[str, float]:
    """Share of moments, both sides of everything in focus, in which each policy row fired, with the verdicts as they
    stood then."""
    looks = max(int(judged["looks"].sum()), 1)
    return {row.name: int(n) / looks for row, n in zip(DEFAULT_POLICY, judged["fired"].sum(axis=0), strict=True)}


def _oracle(table: Table, judged: Judged) -> None:
    found = gap(judged)
    if found is None:
        return
    direction = table["direction"]
    direction["log_loss"]["oracle"] = found.losses["oracle"]
    direction["gap_closed"] = found.closed.get("lstm")
    direction["oracle"] = {
        "n": found.n, "log_loss": found.losses, "expected_log_loss": found.expected, "gap_closed": found.closed,
    }  # fmt: skip
    table["intervals"]["gap_closed"] = found.band


# ------------------------------------------------------------ sessions


def seeds_of(count: int) -> list[int]:
    """Of sessions that no weights were trained or scored on. Raises ValueError for none."""
    if count < 1:
        raise ValueError("at least one session is judged: --seeds 1")
    return [FRESH_SEED + SKIPPED + k for k in range(count)]


def fresh_sessions(count: int, minutes: float, say: Say, workers: int = WORKERS) -> Iterator[list[Part]]:
    """One session after the other: no more of them are in memory than are simulated at once."""
    seeds = seeds_of(count)
    run = partial(simulated, minutes=minutes)
    sessions: Iterator[list[Stretch]] = each(run, seeds, workers)
    for k, stretches in enumerate(sessions, 1):
        say(f"session {seeds[k - 1]}: {k} of {count}")
        yield [whole(stretch) for stretch in stretches]


def shipped() -> Weights:
    """The weights that come with the desk. Raises BadWeights where none do."""
    paths = registry.shipped()
    if not paths:
        raise BadWeights(f"there are no weights in {registry.shipped_folder()}; `make train` makes them")
    return Weights.from_bytes(paths[-1].read_bytes())
