"""`evaluate execution`: what adaptive execution costs beside TWAP and others on the same markets, in the JSON of
CONTRACT.md.

Each seed is one market of a regime's kind that nothing was trained on, and one parent, worked by each algorithm from
the same moment (`execution_runs.py`): differences are paired by seed, and their intervals are of seeds drawn anew. The
regimes come in turn. What was found lies in a folder, one file a seed and algorithm, and is taken from there again
while code, model and settings are the same; stopping loses only the seeds in flight.

Two ranges of seeds: those of `TUNING_SEED` are for choosing settings by, those of `JUDGED_SEED` for the figures that
are claimed, and no session of training, of forecasts' scores or of a monitor's watching is among either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from engine.config import Config
from engine.forecast.parameters import Weights
from engine.paper.crowd.settings import REGIMES
from engine.research.cluster import HERE, Workers
from engine.research.crowds import named
from engine.research.execution_orders import ALGORITHMS, BASELINES, BLINDED, Outcome, Skipped, Task
from engine.research.execution_runs import market_of, prepared, runs, watched
from engine.research.execution_shelf import Shelf
from engine.research.execution_tables import Table, tabled
from engine.research.fitting import Say

JUDGED_SEED, TUNING_SEED, WATCH_SEED = 200_000, 100_000, 300_000
MOST = 50_000  # seeds of one range
PAIR = ("adaptive", "twap")  # on all seeds
OTHERS = 60  # seeds that the rest run on, the first of each regime
Found = dict[tuple[Task, str], Outcome | Skipped]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. `minutes` of every parent; 0 draws them; each market is warm for `warm_s` by then, and a desk
    has watched another of its kind for `watch_minutes`. `config` brings the policy and the settings of
    execution; `others` are the seeds that all but Adaptive and TWAP run on."""

    seeds: int = 300
    minutes: float = 0.0
    warm_s: float = 75.0
    watch_minutes: float = 15.0
    algorithms: tuple[str, ...] = ALGORITHMS
    others: int = OTHERS
    regimes: tuple[str, ...] = REGIMES
    tuning: bool = False
    config: Config = Config()
    workers: Workers = HERE

    def tasks(self) -> list[Task]:
        """Raises ValueError for too few or too many seeds, or an unknown regime or algorithm."""
        if not 1 <= self.seeds <= MOST:
            raise ValueError(f"from 1 to {MOST} seeds can be run, not {self.seeds}")
        for name, known in ((self.regimes, REGIMES), (self.algorithms, ALGORITHMS)):
            if unknown := [one for one in name if one not in known]:
                raise ValueError(f"there is no '{unknown[0]}' (there are {', '.join(known)})")
        first = TUNING_SEED if self.tuning else JUDGED_SEED
        turns = [self.regimes[k % len(self.regimes)] for k in range(self.seeds)]
        return [Task(first + k, regime, self.minutes, self.warm_s) for k, regime in enumerate(turns)]

    def algorithms_of(self, place: int) -> list[str]:
        """Those that run on the seed at this place, the cheapest to think first."""
        chosen = [name for name in self.algorithms if name in PAIR or place < self.others]
        return sorted(chosen, key=lambda name: (name in BASELINES, name))


def evaluate_execution(weights: Weights, wanted: Wanted, say: Say, keep: Path | None = None) -> Table:
    """Run what is missing and tell it all."""
    tasks = wanted.tasks()
    found = run_all(weights, wanted, say, keep)
    table = tabled(found.values())
    minutes = f"{wanted.minutes:g}" if wanted.minutes else "3 to 5"
    table["data"] = (
        f"paper markets {tasks[0].seed} to {tasks[-1].seed}, settings drawn anew for each, parents of {minutes} minutes"
        + (", for choosing settings by" if wanted.tuning else "")
    )
    table |= {"model": weights.id, "crowd": named(_crowds(tasks)), "regimes_in_turn": list(wanted.regimes)}
    return table


def _crowds(tasks: Iterable[Task]) -> Iterable[Any]:
    return (market_of(task.seed, task.regime).crowd for task in tasks)


def run_all(weights: Weights, wanted: Wanted, say: Say, keep: Path | None = None) -> Found:
    """Every run, from the shelf where it lies there."""
    tasks, shelf = wanted.tasks(), Shelf(keep, weights, wanted.config)
    found: Found = {}
    jobs: list[tuple[Task, tuple[str, ...]]] = []
    for place, task in enumerate(tasks):
        missing = []
        for name in wanted.algorithms_of(place):
            one = shelf.read(task, name)
            if one is None:
                missing.append(name)
            else:
                found[task, name] = one
        if missing:
            jobs.append((task, tuple(missing)))
    say(f"{len(tasks)} seeds, {len(found)} runs as kept, {sum(len(names) for _, names in jobs)} to run")
    if not jobs:
        return found
    tallies = _tallied(weights, wanted, say, shelf, {task.regime for task, _ in jobs})
    work = partial(_seed, weights=weights, tallies=tallies, config=wanted.config)
    for done, ((task, names), outcomes) in enumerate(zip(jobs, wanted.workers.each(work, jobs), strict=True), 1):
        for name, one in zip(names, outcomes, strict=True):
            shelf.write(task, name, one)
            found[task, name] = one
        say(f"{done} of {len(jobs)}: {_said(task, outcomes)}")
    return found


def _said(task: Task, outcomes: Sequence[Outcome | Skipped]) -> str:
    told = (one.why if isinstance(one, Skipped) else f"{one.algorithm} {one.shortfall:+.2f}" for one in outcomes)
    return f"{task.seed} {task.regime}: {', '.join(told)}"


def _seed(
    job: tuple[Task, tuple[str, ...]], weights: Weights, tallies: dict[str, bytes], config: Config
) -> list[Outcome | Skipped]:
    """All that is missing of one seed; where no parent can be sent, of each algorithm that."""
    task, names = job
    tallied = msgspec.msgpack.decode(tallies[task.regime]) if task.regime in tallies else None
    ready = prepared(task, weights, tallied)
    return [ready] * len(names) if isinstance(ready, Skipped) else list(runs(ready, names, weights, config))


def _tallied(weights: Weights, wanted: Wanted, say: Say, shelf: Shelf, regimes: set[str]) -> dict[str, bytes]:
    """By regime, what a desk that has watched such a market knows of its forecasts; nothing where none are read."""
    if not set(wanted.algorithms) - set(BLINDED):
        return {}
    known = {regime: data for regime in regimes if (data := shelf.tallied(regime)) is not None}
    missing = [
        Task(WATCH_SEED + k, name, wanted.watch_minutes)
        for k, name in enumerate(REGIMES)
        if name in regimes - known.keys()
    ]
    for task, data in zip(missing, wanted.workers.each(partial(_watch, weights=weights), missing), strict=True):
        shelf.write_tallied(task.regime, data)
        known[task.regime] = data
        say(f"watched a market of the {task.regime} kind, to know what its forecasts are worth")
    return known


def _watch(task: Task, weights: Weights) -> bytes:
    return msgspec.msgpack.encode(watched(task, weights))
