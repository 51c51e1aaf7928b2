"""Two networks of the literature, as rivals: a CNN-LSTM after DeepLOB, and a small causal transformer.

DeepLOB (Zhang, Zohren and Roberts 2019) reads the last hundred states of a book through convolutions, an inception
module and an LSTM. Here its input is what our model has too, the last hundred standardised vectors, so that the
architectures are compared and not the inputs: the convolution across price and size of each level becomes one across
the features. The transformer (Vaswani et al. 2017, pre-norm) reads the last sixty-four. Both forecast the direction
alone, each window anew, without a carried state. What they say is tempered on held-out parts, as the model is.

A window is cut from its lesson when it is needed: memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from engine.config import WARM_STEPS
from engine.forecast.calibrate import temperature
from engine.forecast.features import NAMES
from engine.forecast.stream import softmax
from engine.research.dataset import Floats
from engine.research.frozen import Frozen
from engine.research.rivals import Lesson, standardised
from engine.research.targets import Part

Say = Callable[[str], None]
EVERY = 2  # a window is drawn at one step in so many
JUDGED_AT_ONCE = 256  # windows
TEMPERED_ON = 4000  # held-out moments


class Diet(msgspec.Struct, frozen=True, kw_only=True):
    """How a network is trained: so many batches, drawn with a seed."""

    updates: int = 1500
    batch: int = 64
    rate: float = 1e-3
    seed: int = 7


class DeepLob(nn.Module):
    """Convolutions over time, an inception module, an LSTM; (B, 100, F) → logits (B, 3)."""

    window = 100

    def __init__(self, features: int = len(NAMES), channels: int = 16, hidden: int = 32) -> None:
        super().__init__()
        self.across = nn.Linear(features, channels)  # the convolution across all features of one step
        self.along = nn.Sequential(
            *(layer for _ in range(2) for layer in (nn.Conv1d(channels, channels, 5, padding="same"), nn.LeakyReLU()))
        )
        self.narrow = nn.Sequential(nn.Conv1d(channels, channels, 3, padding="same"), nn.LeakyReLU())
        self.wide = nn.Sequential(nn.Conv1d(channels, channels, 5, padding="same"), nn.LeakyReLU())
        self.pooled = nn.Sequential(nn.MaxPool1d(3, 1, 1), nn.Conv1d(channels, channels, 1), nn.LeakyReLU())
        self.lstm = nn.LSTM(3 * channels, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 3)

    def forward(self, x: Tensor) -> Tensor:
        seen = functional.leaky_relu(self.across(x)).transpose(1, 2)  # (B, T, F) → (B, C, T)
        seen = self.along(seen)
        mixed = torch.cat([self.narrow(seen), self.wide(seen), self.pooled(seen)], dim=1)  # (B, 3C, T)
        steps, _ = self.lstm(mixed.transpose(1, 2))  # (B, T, H)
        logits: Tensor = self.head(steps[:, -1])
        return logits


class Transformer(nn.Module):
    """Two pre-norm blocks of causal self-attention over learned positions; (B, 64, F) → logits (B, 3)."""

    window = 64

    def __init__(self, features: int = len(NAMES), width: int = 32, heads: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.enter = nn.Linear(features, width)
        self.places = nn.Parameter(torch.zeros(self.window, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.enter(x) + self.places  # (B, T, W)
        for block in self.blocks:
            seen = block(seen)
        logits: Tensor = self.head(self.norm(seen[:, -1]))
        return logits


class Block(nn.Module):
    """Causal self-attention, then a layer for each step alone; (B, T, W) → (B, T, W)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mix = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        b, t, w = x.shape
        q, k, v = self.query(self.before(x)).reshape(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # (B, H, T, W/H)
        heard = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(heard.transpose(1, 2).reshape(b, t, w))
        out: Tensor = x + self.mix(self.between(x))
        return out


KINDS: dict[str, type[DeepLob] | type[Transformer]] = {"deeplob": DeepLob, "transformer": Transformer}

# ------------------------------------------------------------ as rivals


class Network:
    """A network behind the rivals' interface."""

    def __init__(self, name: str, net: DeepLob | Transformer, frozen: Frozen, heat: float = 1.0) -> None:
        self.name, self.net, self.heat = name, net, heat
        self._frozen = frozen

    def says(self, part: Part, steps: NDArray[np.int64]) -> Floats:
        x = standardised(part.stretch.x[part.span], self._frozen.mean, self._frozen.scale)
        return softmax(self.logits(x, steps).astype(np.float64) / self.heat)

    def logits(self, x: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """(T, F) standardised, (N,) → (N, 3)"""
        x = _padded(x, self.net.window)
        out = [np.zeros((0, 3), np.float32)]
        with torch.inference_mode():
            for at in range(0, len(steps), JUDGED_AT_ONCE):
                chosen = x[steps[at : at + JUDGED_AT_ONCE]].transpose(0, 2, 1)  # (B, F, W) → (B, W, F)
                out.append(self.net(torch.from_numpy(np.ascontiguousarray(chosen))).numpy())
        return np.concatenate(out)


def networks(
    early: Sequence[Lesson], late: Sequence[Lesson], frozen: Frozen, say: Say, diet: Diet | None = None
) -> list[Network]:
    """Both, trained on the early lessons and tempered on the late ones. Raises ValueError where there is nothing to
    learn from."""
    torch.set_num_threads(1)  # as for the model: the order of sums must not depend on the machine's load
    made = [Network(name, fit(name, early, diet or Diet(), say), frozen) for name in KINDS]
    for network in made:
        network.heat = _heat(network, late)
    return made


def fit(name: str, lessons: Sequence[Lesson], diet: Diet, say: Say) -> DeepLob | Transformer:
    """Cross-entropy over windows drawn at random: the same seed and lessons give the same network."""
    torch.manual_seed(diet.seed)
    net = KINDS[name]()
    known = [_known(lesson) for lesson in lessons]
    _begin(net, np.concatenate([np.zeros(0, np.int64), *(came for _, came in known)]))
    optimiser = torch.optim.AdamW(net.parameters(), lr=diet.rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, diet.rate, total_steps=diet.updates + 1)
    total = 0.0
    for k, (x, y) in enumerate(_drawn(lessons, known, net.window, diet), 1):
        loss = functional.cross_entropy(net(x), y)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if k % 100 == 0 or k == diet.updates:
            say(f"{name}: {k} of {diet.updates} batches, mean loss {total / k:.4f}")
    return net.eval()


def _begin(net: DeepLob | Transformer, came: NDArray[np.int64]) -> None:
    """Start from the base rates. Raises ValueError without a known moment."""
    if not len(came):
        raise ValueError("no moment with a known direction to train on")
    rates = (np.bincount(came, minlength=3) + 1.0) / (len(came) + 3.0)
    with torch.no_grad():
        net.head.weight.zero_()
        net.head.bias.copy_(torch.from_numpy(np.log(rates)))


Known = tuple[NDArray[np.int64], NDArray[np.int64]]


def _drawn(
    lessons: Sequence[Lesson], known: Sequence[Known], window: int, diet: Diet
) -> Iterator[tuple[Tensor, Tensor]]:
    sizes = np.array([len(steps) for steps, _ in known])
    dice, ends = np.random.default_rng(diet.seed), np.cumsum(sizes)
    for _ in range(diet.updates):
        drawn = dice.integers(0, ends[-1], diet.batch)
        xs, ys = [], []
        for at in drawn:
            k = int(np.searchsorted(ends, at, side="right"))
            steps, came = known[k]
            place = int(at - (ends[k] - sizes[k]))
            xs.append(_window(lessons[k].x, int(steps[place]), window))
            ys.append(int(came[place]))
        yield torch.from_numpy(np.stack(xs)), torch.tensor(ys)


def _known(lesson: Lesson) -> Known:
    """Steps after the warm-up with a known class, one in EVERY, and that class."""
    steps = np.arange(WARM_STEPS, max(len(lesson.came), WARM_STEPS), EVERY)
    steps = steps[~np.isnan(lesson.came[steps])]
    return steps, lesson.came[steps].astype(np.int64)


def _window(x: NDArray[np.float32], step: int, window: int) -> NDArray[np.float32]:
    """(W, F) up to and with this step; zeros before the beginning."""
    rows = x[max(step - window + 1, 0) : step + 1]
    return np.concatenate([np.zeros((window - len(rows), x.shape[1]), np.float32), rows])


def _padded(x: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """(T, F) → (T, F, W): the windows of all steps, as a view that copies nothing."""
    x = np.concatenate([np.zeros((window - 1, x.shape[1]), np.float32), x])
    return np.lib.stride_tricks.sliding_window_view(x, window, axis=0)


def _heat(network: Network, lessons: Sequence[Lesson]) -> float:
    """The temperature that suits the held-out lessons; 1 without any."""
    found = [(lesson.x, *_known(lesson)) for lesson in lessons]
    thin = max(1, sum(len(steps) for _, steps, _ in found) // TEMPERED_ON)
    if not found:
        return 1.0
    logits = np.concatenate([network.logits(x, steps[::thin]) for x, steps, _ in found])
    return temperature(logits, np.concatenate([came[::thin] for _, _, came in found]))
