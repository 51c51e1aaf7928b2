"""Fitting the network: truncated back-propagation through time over shuffled segments, on disk and resumable.

Segments of a fixed length are cut from the parts once, standardised, and laid on disk one after the other; a batch
reads its own alone, so that all of them may be shuffled though they do not fit in memory. After each epoch the state of
everything that the rest depends on (network, optimiser, dice) is kept: a training that is taken up again ends in the
same weights as one that never stopped.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from math import cos, pi
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from engine.config import WARM_STEPS
from engine.forecast.model import WEIGHT, Net, begin, losses, total
from engine.forecast.names import NAMES
from engine.forecast.parameters import TARGETS, columns
from engine.forecast.stream import IS_OPTION
from engine.research.frozen import Frozen, targets
from engine.research.rivals import standardised
from engine.research.targets import Part
from engine.research.taught import Teachers

Say = Callable[[str], None]
RISE, FROM, TO = 0.3, 1 / 25, 1e-5  # one cycle of the learning rate (Smith 2018): share of rising, ends over the top
SLOW = [NAMES.index(name) for name in (
    "atm_iv", "skew", "curvature", "below_iv", "above_iv", "index_vol", "index_vol_60", "dvol", "dvol_60", "basis",
    "premium", "funding", "years",
)]  # fmt: skip
TOLD = 4  # progress lines an epoch


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to train. A segment begins cold and warms up; over its chunks the state is carried, the gradient is not."""

    sessions: int = 42
    regimes: tuple[str, ...] = ()  # the sessions' crowds, in turn; none: that of the venue's settings
    minutes: float = 6.2
    fresh: int = 6  # sessions to judge on
    share: float = 0.8  # of the sessions that is trained on
    hidden: int = 64
    epochs: int = 8
    dropout: float = 0.2
    hidden_inputs: float = 0.05  # share of the inputs that a segment is learned without: no single one is leaned on
    hidden_slow: float = 0.3  # and of those that tell one session from another rather than one moment from another
    decay: float = 1e-2
    segment: int = 1200  # steps
    chunk: int = 50
    batch: int = 64
    rate: float = 3e-3
    clip: float = 1.0
    taught: float = 0.6  # share of the direction's loss that is against the teachers' word, not what came
    drawn: float = 0.3  # share of the direction's logits that is the logistic regression's: surer where all is strange
    seed: int = 7


class Segments:
    """On disk: (N, T, F) standardised and clipped, (N, T, TARGETS + 3) with the labels of the warm-up unknown, the
    teachers' probabilities last."""

    def __init__(self, folder: Path, length: int, features: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = folder / "x.raw", folder / "y.raw"
        self._shapes = (length, features), (length, TARGETS + 3)
        self._length = length

    def cut(self, parts: Iterable[Part], frozen: Frozen, teachers: Teachers) -> int:
        """Lay them down; how many there are. Raises ValueError for none."""
        count = 0
        with self._paths[0].open("wb") as xs, self._paths[1].open("wb") as ys:
            for part in parts:
                x = standardised(part.stretch.x, frozen.mean, frozen.scale)
                came = targets(part.stretch, part.labels, frozen)[part.span]
                y = np.concatenate([came, teachers.say(part)], axis=1)
                for start in range(0, part.end - part.begin - self._length + 1, self._length):
                    piece = y[start : start + self._length].copy()
                    piece[:WARM_STEPS] = np.nan
                    begin = part.begin + start
                    xs.write(np.ascontiguousarray(x[begin : begin + self._length]).tobytes())
                    ys.write(piece.tobytes())
                    count += 1
        if not count:
            raise ValueError(f"no session has {self._length} steps in a row to train on")
        self._x, self._y = (
            np.memmap(path, np.float32, "r", shape=(count, *shape))
            for path, shape in zip(self._paths, self._shapes, strict=True)
        )
        return count

    def batch(self, chosen: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(self._x[chosen]), torch.from_numpy(self._y[chosen])


def check(device: str) -> None:
    """Raises ValueError for a device that is not here."""
    if device != "cpu" and not torch.cuda.is_available():
        raise ValueError(f"torch finds no device '{device}' here: train with --device cpu")


def fit(parts: Iterable[Part], frozen: Frozen, plan: Plan, say: Say, device: str, folder: Path) -> Net:
    """The network after all epochs; `folder` holds what a later call goes on from, and is gone at the end."""
    torch.set_num_threads(1)  # else the order of sums, and so the weights, depends on the machine's load
    torch.manual_seed(plan.seed)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32 = True, False  # if it runs there
    segments = Segments(folder, plan.segment, len(frozen.mean[0]))
    count = segments.cut(parts, frozen, Teachers(parts if plan.taught else (), frozen))
    say(f"training on {count} segments of {plan.segment} steps")
    net = Net(plan.hidden, plan.dropout)
    begin(net, frozen.option_rates, frozen.iv_scale)
    net.to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=plan.decay)
    dice = np.random.default_rng(plan.seed)
    for epoch in range(_resumed(folder, net, optimiser, dice, say), plan.epochs):
        sums = _epoch(net, optimiser, segments, dice.permutation(count), epoch, plan, say, device)
        say(f"epoch {epoch + 1} of {plan.epochs}: " + ", ".join(f"{name} {loss:.4f}" for name, loss in sums.items()))
        _keep(folder, epoch + 1, net, optimiser, dice)
    shutil.rmtree(folder)
    return net.cpu().eval()


def _epoch(
    net: Net, optimiser: torch.optim.Optimizer, segments: Segments, order: NDArray[np.int64], epoch: int, plan: Plan,
    say: Say, device: str,
) -> dict[str, float]:  # fmt: skip
    """Every segment once; mean losses."""
    batches = -(-len(order) // plan.batch)
    sums: dict[str, float] = {}
    for k in range(batches):
        _pace(optimiser, plan, (epoch + k / batches) / plan.epochs)
        x, y = segments.batch(order[k * plan.batch : (k + 1) * plan.batch])
        for name, loss in _learn(net, optimiser, x.to(device), y.to(device), plan).items():
            sums[name] = sums.get(name, 0.0) + loss / batches
        if k and k * TOLD // batches > (k - 1) * TOLD // batches:
            say(f"epoch {epoch + 1} of {plan.epochs}: {k} of {batches} batches")
    return sums


def _pace(optimiser: torch.optim.Optimizer, plan: Plan, done: float) -> None:
    """Set the learning rate for this share of the training."""
    begin, end, at = (FROM, 1.0, done / RISE) if done < RISE else (1.0, TO, (done - RISE) / (1.0 - RISE))
    for group in optimiser.param_groups:
        group["lr"] = plan.rate * (end + (begin - end) * (1.0 + cos(pi * at)) / 2.0)


def _learn(
    net: Net, optimiser: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor, plan: Plan
) -> dict[str, float]:
    """One batch of segments, (B, T, F) and (B, T, TARGETS): a step of the optimiser per chunk. Returns mean losses."""
    state = None
    x = x * _seen(x, plan)
    sums: dict[str, float] = {}
    starts = range(0, x.shape[1], plan.chunk)
    for start in starts:
        out, state = net(x[:, start : start + plan.chunk], state)  # (B, C, OUTPUTS)
        state = (state[0].detach(), state[1].detach())
        now, said = y[:, start : start + plan.chunk].flatten(0, 1), out.flatten(0, 1)
        found = losses(said, now[:, :TARGETS])
        optimiser.zero_grad()
        (total(found) + plan.taught * WEIGHT["direction"] * _towards(said, now)).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), plan.clip)
        optimiser.step()
        for name, loss in found.items():
            sums[name] = sums.get(name, 0.0) + float(loss.detach()) / len(starts)
    return sums


def _towards(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """By how much the direction's mean cross-entropy is another against the teachers' probabilities than against what
    came, where both are known."""
    came, teacher, logits = y[:, 0], y[:, TARGETS:], out[:, columns("direction")]
    known = ~torch.isnan(came) & ~torch.isnan(teacher[:, 0])
    told, true = (torch.nan_to_num(each) for each in (teacher, came))
    entropy = partial(functional.cross_entropy, logits, reduction="none")
    return ((entropy(told) - entropy(true.long())) * known).sum() / known.sum().clamp(min=1)


def _seen(x: torch.Tensor, plan: Plan) -> torch.Tensor:
    """(B, 1, F) 1, or 0 where an input is held at its mean throughout a segment. What kind it is of is always seen."""
    hidden = torch.full((x.shape[2],), plan.hidden_inputs)
    hidden[SLOW] = plan.hidden_slow
    seen = (torch.rand(x.shape[0], 1, x.shape[2]) >= hidden).float()
    seen[..., IS_OPTION] = 1.0
    return seen.to(x.device)


# ------------------------------------------------------------ going on after a stop


def _keep(folder: Path, epochs: int, net: Net, optimiser: torch.optim.Optimizer, dice: np.random.Generator) -> None:
    packed = io.BytesIO()
    state: dict[str, Any] = {
        "epochs": epochs, "net": net.state_dict(), "optimiser": optimiser.state_dict(),
        "torch": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all(),
        "dice": json.dumps(dice.bit_generator.state),
    }  # fmt: skip
    torch.save(state, packed)
    unfinished = folder / "state.part"
    unfinished.write_bytes(packed.getvalue())
    unfinished.replace(folder / "state")


def _resumed(folder: Path, net: Net, optimiser: torch.optim.Optimizer, dice: np.random.Generator, say: Say) -> int:
    """Epochs that are done already."""
    path = folder / "state"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")  # dice must lie there, the rest is copied over
    net.load_state_dict(state["net"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state.get("cuda", [])[: torch.cuda.device_count()])
    dice.bit_generator.state = json.loads(state["dice"])
    say(f"going on after epoch {state['epochs']}")
    return int(state["epochs"])
