"""From nothing to weights: simulate, split by time, train, calibrate, judge on fresh sessions, write.

Seeded and deterministic on one machine's CPU: torch runs on one thread. The sessions go through a cycle of regimes. The
last of them are held out for the calibration, and these go through the regimes one by one, so that each is among them;
of a single session it is what follows an embargo of the longest horizon and the warm-up. The scores are of other
sessions altogether, of each regime in turn. Nothing is trained or scored here on the held-out settings.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine.domain import NS
from engine.forecast.features import NAMES
from engine.forecast.labels import HORIZON_NS
from engine.forecast.model import arrays
from engine.forecast.parameters import HEADS, Array, Header, Weights, columns, header_arrays
from engine.forecast.stream import STRANGEST
from engine.paper.venue import VenueSettings
from engine.research.calibration import calibrated, untouched
from engine.research.cluster import HERE, Workers
from engine.research.crowds import MIX, Session, in_turn, named_of
from engine.research.dataset import Stretch, digest
from engine.research.fitting import Plan, Say, check, fit
from engine.research.folds import Fold, early_sessions, folds, in_sessions, whole
from engine.research.frozen import Frozen, freeze
from engine.research.judging import judge, merged
from engine.research.rivals import fit_logistic
from engine.research.scoring import tabled
from engine.research.shelf import remember, stored
from engine.shell.modes import code_version
from engine.shell.registry import shipped_folder

FIRST_SEED, FRESH_SEED = 101, 911  # of the training sessions, of the judged ones
MOST = FRESH_SEED - FIRST_SEED  # sessions to train on: any more of them would be judged on, too
MEASURES = {
    "direction_10": "log_loss", "direction_60": "log_loss", "slippage": "pinball", "volatility": "pinball",
    "fill": "log_loss", "impact": "huber", "spread": "squared_log",
}  # fmt: skip
MOST_SESSIONS = 40  # that the logistic regression is shown


def train_shipped(
    seeds: int, minutes: float, device: str, out: Path | None, say: Say, keep: Path | None = None,
    workers: Workers = HERE,
) -> tuple[Path, dict[str, Any]]:  # fmt: skip
    """Train on so many simulated sessions (0: the plan's own) and write the weights: to `out`, or as the only shipped
    ones. In `keep` sessions and half-done training wait to be gone on with. Returns where the weights are, and their
    scores."""
    plan = Plan(regimes=MIX)
    plan = msgspec.structs.replace(plan, sessions=seeds or plan.sessions, minutes=minutes or plan.minutes)
    weights = train(plan, say, device=device, keep=keep, workers=workers)
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
    workers: Workers = HERE,
    keep: Path | None = None,
) -> Weights:
    """The whole way. `settings` are the venue's but for the crowds of the plan's regimes. Raises ValueError for what
    cannot be trained on."""
    check(device)
    if not 1 <= plan.sessions <= MOST:
        raise ValueError(f"training takes 1 to {MOST} sessions, not {plan.sessions}: those after them are judged on")
    seeds = tuple(FIRST_SEED + k for k in range(plan.sessions))
    lived = trained_on(seeds, plan)
    fresh = in_turn([FRESH_SEED + k for k in range(plan.fresh)], kinds(plan))
    with kept_in(keep) as folder:
        sessions = stored([*lived, *fresh], plan.minutes, settings, workers, say, folder)
        early, late = sessions[: len(seeds)], sessions[len(seeds) :]
        crowd = named_of(lived, settings)
        weights = train_sessions(early, plan, say, device=device, crowd=crowd, seeds=seeds, keep=folder)
        remember(folder, weights.header.data_hash, early)
        judged = merged([judge(weights, [whole(stretch) for stretch in session]) for session in late])
        told = [f"{session.seed} {session.regime}".rstrip() for session in fresh]
        table = tabled(weights, judged, f"paper sessions {', '.join(told)}, {plan.minutes:g} minutes each")
    say(summary(table))
    header = msgspec.structs.replace(weights.header, scores=msgspec.to_builtins(table))
    return Weights(header, weights.arrays)


def trained_on(seeds: Sequence[int], plan: Plan) -> list[Session]:
    """The crowd of each training session: of those that are learned from the plan's cycle, of those held out for the
    calibration each regime once before any twice."""
    early = early_sessions(len(seeds), plan.share, len(kinds(plan)))
    return in_turn(seeds[:early], plan.regimes) + in_turn(seeds[early:], kinds(plan))


def kinds(plan: Plan) -> tuple[str, ...]:
    """Its regimes, each once."""
    return tuple(dict.fromkeys(plan.regimes))


@contextmanager
def kept_in(folder: Path | None) -> Iterator[Path]:
    """That folder, or one that is gone afterwards."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="tidegate-train-") as made:
        yield Path(made)


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
    early, late = folds(sessions, plan.share, len(kinds(plan)))
    data = digest(stretch for session in sessions for stretch in session)
    frozen = freeze(early)
    rivals = fit_logistic(Fold(early.sources[:MOST_SESSIONS]), frozen)
    with kept_in(keep) as folder:
        net = fit(early, frozen, plan, say, device, folder / f"training-{_name(plan, data)}")
    header = _header(plan, frozen, data, crowd, seeds)
    numbers = {**drawn(arrays(net), rivals, plan), "mean": frozen.mean, "scale": frozen.scale, "logistic": rivals}
    return calibrated(Weights(header, numbers), frozen, late)


def _header(plan: Plan, frozen: Frozen, data: str, crowd: str, seeds: tuple[int, ...]) -> Header:
    """Of weights that are not yet calibrated: every head is trusted, and nothing is strange."""
    return Header(
        names=NAMES,
        hidden=plan.hidden,
        threshold_ticks=frozen.option_threshold,
        future_threshold_ticks=frozen.future_threshold,
        horizon_s=HORIZON_NS["direction"] / NS,
        later_thresholds=frozen.later_thresholds,
        calibration=untouched(),
        usual=(STRANGEST, STRANGEST),
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


def drawn(numbers: dict[str, Array], logistic: Array, plan: Plan) -> dict[str, Array]:
    """The net's arrays with the direction's logits drawn towards the logistic regression's, (F + 1, 3): the head reads
    the present vector too, so that their weighted mean (a geometric pool of the probabilities) is a head again."""
    head, bias, at = numbers["head"].copy(), numbers["head_bias"].copy(), columns("direction")
    head[:, at] *= 1.0 - plan.drawn
    head[plan.hidden :, at] += plan.drawn * logistic[:-1]
    bias[at] = (1.0 - plan.drawn) * bias[at] + plan.drawn * logistic[-1]
    return {**numbers, "head": head, "head_bias": bias}


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
