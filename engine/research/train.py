"""From nothing to weights: simulate, split by time, train, calibrate, judge on fresh sessions, write.

Seeded and deterministic on one machine's CPU: torch runs on one thread. Of the training sessions the last quarter is
held out for the calibration; of a single session, what follows an embargo of the longest horizon and the warm-up. The
scores are of other sessions altogether.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.domain import NS
from engine.forecast.features import NAMES
from engine.forecast.labels import HORIZON_NS
from engine.forecast.model import arrays
from engine.forecast.parameters import HEADS, Header, Weights, header_arrays
from engine.paper.venue import VenueSettings
from engine.research.calibration import calibrated
from engine.research.dataset import Stretch, crowd_digest, digest, simulated
from engine.research.fitting import Plan, Say, fit
from engine.research.folds import Fold, folds, in_sessions, whole
from engine.research.frozen import freeze
from engine.research.judging import judge, merged
from engine.research.rivals import fit_logistic
from engine.research.scoring import tabled
from engine.research.stored import Stored, write
from engine.shell.modes import code_version
from engine.shell.registry import shipped_folder

Done = TypeVar("Done")

FIRST_SEED, FRESH_SEED = 101, 911  # of the training sessions, of the judged ones
WORKERS = 2  # processes that simulate
MEASURES = {
    "direction_10": "log_loss", "direction_60": "log_loss", "slippage": "pinball", "volatility": "pinball",
    "fill": "log_loss", "impact": "huber", "spread": "squared_log",
}  # fmt: skip
MOST_SESSIONS = 40  # that the logistic regression is shown


def train_shipped(
    seeds: int, minutes: float, device: str, out: Path | None, say: Say, keep: Path | None = None
) -> tuple[Path, dict[str, Any]]:
    """Train on so many simulated sessions (0: the plan's own) and write the weights: to `out`, or as the only shipped
    ones. In `keep` sessions and half-done training wait to be gone on with. Returns where the weights are, and their
    scores."""
    plan = Plan()
    plan = msgspec.structs.replace(plan, sessions=seeds or plan.sessions, minutes=minutes or plan.minutes)
    weights = train(plan, say, device=device, keep=keep)
    path = out if out is not None else shipped_folder() / f"{weights.id}.weights"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(weights.to_bytes())
    if out is None:
        for old in set(path.parent.glob("*.weights")) - {path}:
            say(f"removing {old.name}")
            old.unlink()
    return path, weights.header.scores


def train(
    plan: Plan,
    say: Say,
    *,
    device: str = "cpu",
    settings: VenueSettings | None = None,
    workers: int = WORKERS,
    keep: Path | None = None,
) -> Weights:
    seeds = [FIRST_SEED + k for k in range(plan.sessions)]
    fresh = [FRESH_SEED + k for k in range(plan.fresh)]
    with kept_in(keep) as folder:
        sessions = stored([*seeds, *fresh], plan.minutes, settings, workers, say, folder)
        early, late = sessions[: len(seeds)], sessions[len(seeds) :]
        weights = train_sessions(
            early, plan, say, device=device, crowd=crowd_digest(settings), seeds=tuple(seeds), keep=folder
        )
        judged = merged([judge(weights, [whole(stretch) for stretch in session]) for session in late])
        table = tabled(weights, judged, f"paper sessions {fresh}, {plan.minutes:g} minutes each")
    say(summary(table))
    header = msgspec.structs.replace(weights.header, scores=msgspec.to_builtins(table))
    return Weights(header, weights.arrays)


@contextmanager
def kept_in(folder: Path | None) -> Iterator[Path]:
    """That folder, or one that is gone afterwards."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="tidegate-train-") as made:
        yield Path(made)


def stored(
    seeds: Sequence[int], minutes: float, settings: VenueSettings | None, workers: int, say: Say, keep: Path
) -> list[Stored]:
    """Sessions of these seeds as files in `keep`, those that are there already of the same code and settings as they
    are, the others simulated, several at a time."""
    text = f"{code_version()} {crowd_digest(settings)} {minutes!r}"
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    paths = {seed: keep / "sessions" / f"{key}-{seed}.parquet" for seed in seeds}
    missing = [seed for seed, path in paths.items() if not _readable(path)]
    say(f"simulating {len(missing)} sessions of {minutes:g} minutes, {len(seeds) - len(missing)} are there")
    run = partial(_simulate, paths=paths, minutes=minutes, settings=settings)
    for done, seed in enumerate(each(run, missing, workers), 1):
        say(f"session {seed}: {done} of {len(missing)}")
    return [Stored(paths[seed]) for seed in seeds]


def _simulate(seed: int, paths: Mapping[int, Path], minutes: float, settings: VenueSettings | None) -> int:
    write(paths[seed], simulated(seed, minutes, settings))
    return seed


def _readable(path: Path) -> bool:
    try:
        Stored(path)
    except (OSError, ValueError):
        return False
    return True


def each(run: Callable[[int], Done], seeds: Sequence[int], workers: int) -> Iterator[Done]:
    """The results in the seeds' order, several at a time; only so many are begun as are being waited for."""
    if workers <= 1 or len(seeds) < 2:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for at in range(0, len(seeds), workers):
            yield from pool.map(run, seeds[at : at + workers])


def train_on(stretches: Iterable[Stretch], plan: Plan, say: Say, seeds: tuple[int, ...] = ()) -> Weights:
    """Weights from stretches in memory; see `train_sessions`."""
    return train_sessions(in_sessions(stretches), plan, say, seeds=seeds)


def train_sessions(
    sessions: Sequence[Iterable[Stretch]],
    plan: Plan,
    say: Say,
    *,
    device: str = "cpu",
    crowd: str = "",
    seeds: tuple[int, ...] = (),
    keep: Path | None = None,
) -> Weights:
    """Weights from sessions already recorded, in memory or on disk; not yet judged. Raises ValueError when there is too
    little of them."""
    early, late = folds(sessions, plan.share)
    data = digest(stretch for session in sessions for stretch in session)
    frozen = freeze(early)
    rivals = fit_logistic(Fold(early.sources[:MOST_SESSIONS]), frozen)
    with kept_in(keep) as folder:
        net = fit(early, frozen, plan, say, device, folder / f"training-{_name(plan, data)}")
    header = Header(
        names=NAMES,
        hidden=plan.hidden,
        threshold_ticks=frozen.option_threshold,
        future_threshold_ticks=frozen.future_threshold,
        horizon_s=HORIZON_NS["direction"] / NS,
        later_thresholds=frozen.later_thresholds,
        temperature=1.0,
        later_temperatures=dict.fromkeys(frozen.later_thresholds, 1.0),
        trust={name: 1.0 for name, _ in HEADS},
        future_trust={name: 1.0 for name, _ in HEADS},
        iv_scale=frozen.iv_scale,
        rates=frozen.option_rates,
        future_rates=frozen.future_rates,
        data_hash=data,
        crowd_hash=crowd,
        seeds=seeds,
        training=msgspec.to_builtins(plan),
        scores={},
        arrays=header_arrays(plan.hidden, len(NAMES)),
        code=code_version(),
    )
    numbers = {**arrays(net), "mean": frozen.mean, "scale": frozen.scale, "logistic": rivals}
    return calibrated(Weights(header, numbers), frozen, late)


def _name(plan: Plan, data: str) -> str:
    return hashlib.sha256(msgspec.json.encode(plan) + data.encode()).hexdigest()[:12]


def summary(table: dict[str, Any]) -> str:
    """One line a person can read: each head beside its rivals."""
    loss = table["direction"]["log_loss"]
    lines = [f"direction log-loss {loss['lstm']:.4f}, base {loss['base']:.4f}, past {loss['past_only']:.4f}, "
             f"logistic {loss['logistic']:.4f}"]  # fmt: skip
    for head, measure in MEASURES.items():
        values = ", ".join(f"{n} {v:.4f}" if v is not None else f"{n} –" for n, v in table[head][measure].items())
        lines.append(f"{head} {measure} {values}")
    return "; ".join(lines)
