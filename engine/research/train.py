"""From nothing to weights: simulate, split by time, train, calibrate, judge on fresh sessions, write.

Seeded and deterministic on one machine's CPU: torch runs on one thread. Of the training sessions the last quarter is
held out for the calibration; of a single session, what follows an embargo of the longest horizon and the warm-up. The
scores are of other sessions altogether.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import torch

from engine.config import WARM_STEPS
from engine.domain import NS
from engine.forecast.features import NAMES
from engine.forecast.labels import HORIZON_NS
from engine.forecast.model import Net, arrays, begin, losses, total
from engine.forecast.parameters import HEADS, Header, Weights, header_arrays
from engine.paper.venue import VenueSettings
from engine.research.calibration import calibrated
from engine.research.dataset import Stretch, crowd_digest, digest, simulated
from engine.research.rivals import fit_logistic, standardised
from engine.research.scoring import score
from engine.research.targets import EMBARGO, Frozen, Part, freeze, labels_of, targets
from engine.shell.modes import code_version
from engine.shell.registry import shipped_folder

Say = Callable[[str], None]
Done = TypeVar("Done")
FIRST_SEED, FRESH_SEED = 101, 911  # of the training sessions, of the judged ones
WORKERS = 2  # processes that simulate


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to train. A segment begins cold and warms up; over its chunks the state is carried, the gradient is not."""

    sessions: int = 16
    minutes: float = 8.0
    fresh: int = 2  # sessions to judge on
    share: float = 0.75  # of the sessions that is trained on
    hidden: int = 64
    epochs: int = 8
    dropout: float = 0.5
    segment: int = 1500  # steps
    chunk: int = 100
    batch: int = 16
    rate: float = 1e-3
    clip: float = 1.0
    seed: int = 7


def train_shipped(seeds: int, minutes: float, device: str, out: Path | None, say: Say) -> tuple[Path, dict[str, Any]]:
    """Train on so many simulated sessions (0: the plan's own) and write the weights: to `out`, or as the only shipped
    ones. Returns where they are, and their scores."""
    plan = Plan()
    plan = msgspec.structs.replace(plan, sessions=seeds or plan.sessions, minutes=minutes or plan.minutes)
    weights = train(plan, say, device=device)
    path = out if out is not None else shipped_folder() / f"{weights.id}.weights"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(weights.to_bytes())
    if out is None:
        for old in set(path.parent.glob("*.weights")) - {path}:
            say(f"removing {old.name}")
            old.unlink()
    return path, weights.header.scores


def train(
    plan: Plan, say: Say, *, device: str = "cpu", settings: VenueSettings | None = None, workers: int = WORKERS
) -> Weights:
    seeds = [FIRST_SEED + k for k in range(plan.sessions)]
    fresh = [FRESH_SEED + k for k in range(plan.fresh)]
    sessions = simulate([*seeds, *fresh], plan.minutes, settings, workers, say)
    known = [stretch for session in sessions[: len(seeds)] for stretch in session]
    weights = train_on(known, plan, say, device=device, crowd=crowd_digest(settings), seeds=tuple(seeds))
    later = [whole(stretch) for session in sessions[len(seeds) :] for stretch in session]
    table = score(weights, later, f"paper sessions {fresh}, {plan.minutes:g} minutes each")
    say(summary(table))
    header = msgspec.structs.replace(weights.header, scores=msgspec.to_builtins(table))
    return Weights(header, weights.arrays)


def simulate(
    seeds: Sequence[int], minutes: float, settings: VenueSettings | None, workers: int, say: Say
) -> list[list[Stretch]]:
    """Sessions of these seeds, several at a time, in the seeds' order."""
    say(f"simulating {len(seeds)} sessions of {minutes:g} minutes")
    run = partial(simulated, minutes=minutes, settings=settings)
    out: list[list[Stretch]] = []
    for seed, session in zip(seeds, each(run, seeds, workers), strict=True):
        out.append(session)
        say(f"session {seed}: {len(out)} of {len(seeds)}")
    return out


def each(run: Callable[[int], Done], seeds: Sequence[int], workers: int) -> Iterator[Done]:
    """The results in the seeds' order, several at a time; only so many are begun as are being waited for."""
    if workers <= 1 or len(seeds) < 2:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for at in range(0, len(seeds), workers):
            yield from pool.map(run, seeds[at : at + workers])


def train_on(
    stretches: Sequence[Stretch],
    plan: Plan,
    say: Say,
    *,
    device: str = "cpu",
    crowd: str = "",
    seeds: tuple[int, ...] = (),
) -> Weights:
    """Weights from stretches already recorded; not yet judged. Raises ValueError when there is too little of them."""
    early, late = split(stretches, plan.share)
    frozen = freeze(early)
    rivals = fit_logistic(early, frozen)
    net = fit(early, frozen, plan, say, device)
    header = Header(
        names=NAMES,
        hidden=plan.hidden,
        threshold_ticks=frozen.option_threshold,
        future_threshold_ticks=frozen.future_threshold,
        horizon_s=HORIZON_NS["direction"] / NS,
        temperature=1.0,
        trust={name: 1.0 for name, _ in HEADS},
        future_trust={name: 1.0 for name, _ in HEADS},
        iv_scale=frozen.iv_scale,
        rates=frozen.option_rates,
        future_rates=frozen.future_rates,
        data_hash=digest(stretches),
        crowd_hash=crowd,
        seeds=seeds,
        training=msgspec.to_builtins(plan),
        scores={},
        arrays=header_arrays(plan.hidden, len(NAMES)),
        code=code_version(),
    )
    numbers = {**arrays(net), "mean": frozen.mean, "scale": frozen.scale, "logistic": rivals}
    return calibrated(Weights(header, numbers), frozen, late)


def split(stretches: Sequence[Stretch], share: float) -> tuple[list[Part], list[Part]]:
    """What is trained on, and what is held out for the calibration, later in time: the last sessions of several, or of
    a single one what follows the first `share` of it and an embargo. Statistics see the first only."""
    sessions = list(dict.fromkeys(stretch.session for stretch in stretches))
    if len(sessions) > 1:
        kept = set(sessions[: early_sessions(len(sessions), share)])
        parts = [(stretch.session in kept, whole(stretch)) for stretch in stretches]
        return [part for early, part in parts if early], [part for early, part in parts if not early]
    early, late = [], []
    for stretch in stretches:
        labels, steps = labels_of(stretch), len(stretch.x)
        cut = int(steps * share)
        early.append(Part(stretch, labels, 0, cut))
        if cut + EMBARGO + WARM_STEPS < steps:
            late.append(Part(stretch, labels, cut + EMBARGO, steps))
    return early, late


def early_sessions(count: int, share: float) -> int:
    """How many of several sessions are trained on: some, and not all."""
    return min(max(1, round(share * count)), count - 1)


def whole(stretch: Stretch) -> Part:
    return Part(stretch, labels_of(stretch), 0, len(stretch.x))


# ------------------------------------------------------------ fitting the network


def fit(parts: Sequence[Part], frozen: Frozen, plan: Plan, say: Say, device: str) -> Net:
    """Truncated back-propagation through time over shuffled segments."""
    torch.set_num_threads(1)  # else the order of sums, and so the weights, depends on the machine's load
    torch.manual_seed(plan.seed)
    x, y = segments(parts, frozen, plan.segment)
    say(f"training on {len(x)} segments of {plan.segment} steps")
    net = Net(plan.hidden, plan.dropout)
    begin(net, frozen.option_rates, frozen.iv_scale)
    net.to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=1e-4)
    batches = -(-len(x) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=plan.epochs * batches + 1)
    order = np.random.default_rng(plan.seed)
    for epoch in range(plan.epochs):
        shuffled = order.permutation(len(x))
        sums: dict[str, float] = {}
        for k in range(batches):
            chosen = shuffled[k * plan.batch : (k + 1) * plan.batch]
            for name, loss in _learn(net, optimiser, x[chosen].to(device), y[chosen].to(device), plan).items():
                sums[name] = sums.get(name, 0.0) + loss / batches
            schedule.step()
        say(f"epoch {epoch + 1} of {plan.epochs}: " + ", ".join(f"{name} {loss:.4f}" for name, loss in sums.items()))
    return net.cpu().eval()


def _learn(
    net: Net, optimiser: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor, plan: Plan
) -> dict[str, float]:
    """One batch of segments, (B, T, F) and (B, T, TARGETS): a step of the optimiser per chunk. Returns mean losses."""
    state = None
    sums: dict[str, float] = {}
    starts = range(0, x.shape[1], plan.chunk)
    for start in starts:
        out, state = net(x[:, start : start + plan.chunk], state)  # (B, C, OUTPUTS)
        state = (state[0].detach(), state[1].detach())
        found = losses(out.flatten(0, 1), y[:, start : start + plan.chunk].flatten(0, 1))
        optimiser.zero_grad()
        total(found).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), plan.clip)
        optimiser.step()
        for name, loss in found.items():
            sums[name] = sums.get(name, 0.0) + float(loss.detach()) / len(starts)
    return sums


def segments(parts: Sequence[Part], frozen: Frozen, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, T, F) standardised and clipped, (N, T, TARGETS) with the labels of the warm-up unknown."""
    xs, ys = [], []
    for part in parts:
        x = standardised(part.stretch.x, frozen.mean, frozen.scale)
        y = targets(part.stretch, part.labels, frozen)
        for start in range(part.begin, part.end - length + 1, length):
            xs.append(x[start : start + length])
            piece = y[start : start + length].copy()
            piece[:WARM_STEPS] = np.nan
            ys.append(piece)
    if not xs:
        raise ValueError(f"no session has {length} steps in a row to train on")
    return torch.from_numpy(np.stack(xs)), torch.from_numpy(np.stack(ys))


def summary(table: dict[str, Any]) -> str:
    """One line a person can read: each head beside its rivals."""
    loss = table["direction"]["log_loss"]
    lines = [f"direction log-loss {loss['lstm']:.4f}, base {loss['base']:.4f}, past {loss['past_only']:.4f}, "
             f"logistic {loss['logistic']:.4f}"]  # fmt: skip
    for head, measure in (("slippage", "pinball"), ("volatility", "pinball"), ("fill", "log_loss"), ("impact", "huber"),
                          ("spread", "squared_log")):  # fmt: skip
        values = ", ".join(f"{n} {v:.4f}" if v is not None else f"{n} –" for n, v in table[head][measure].items())
        lines.append(f"{head} {measure} {values}")
    return "; ".join(lines)
