"""A forecast by our step beside one by DeepLOB: row `deeplob` of the bench.

DeepLOB is as in Zhang, Zohren and Roberts 2019, inferring: convolutions across the ten levels' prices and sizes and
along the last hundred states of the book, an inception module, an LSTM; the normalisations of its training are folded
into its convolutions. It reads its window anew for each forecast, which is what it is for; ours carries a state.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from engine.forecast.names import NAMES
from engine.research.benchmark_lstm import HIDDEN, IN_A_ROW, last, our_net, ours
from engine.research.benchmark_row import Row, Work
from engine.research.onnx_peer import Array, Graph, bound

STATES, LEVELS, CLASSES, ROUNDS = 100, 40, 3, 200
WIDTH, MIXED = 32, 64  # channels of the convolutions, of each branch of the inception module
BRANCHES = (3, 5)  # states that two of them read; the third reads the largest of three


class Given(NamedTuple):
    """What each has to go by: the new vector (1, F), the last states of the book (1, 1, STATES, LEVELS)."""

    x: Array
    window: Array


class Block(nn.Sequential):
    """Across neighbouring columns, then twice along four states."""

    def __init__(self, channels: int, across: int, stride: int) -> None:
        super().__init__(
            nn.Conv2d(channels, WIDTH, (1, across), stride=(1, stride)), nn.LeakyReLU(),
            nn.Conv2d(WIDTH, WIDTH, (4, 1)), nn.LeakyReLU(),
            nn.Conv2d(WIDTH, WIDTH, (4, 1)), nn.LeakyReLU(),
        )  # fmt: skip


class PaperDeepLob(nn.Module):
    """(1, 1, STATES, LEVELS) → logits (1, CLASSES)."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(1, 2, 2), Block(WIDTH, 2, 2), Block(WIDTH, LEVELS // 4, 1))
        self.short, self.long = (
            nn.Sequential(
                nn.Conv2d(WIDTH, MIXED, 1), nn.LeakyReLU(),
                nn.Conv2d(MIXED, MIXED, (states, 1), padding=(states // 2, 0)), nn.LeakyReLU(),
            )
            for states in BRANCHES
        )  # fmt: skip
        self.pooled = nn.Sequential(nn.MaxPool2d((3, 1), 1, (1, 0)), nn.Conv2d(WIDTH, MIXED, 1), nn.LeakyReLU())
        self.lstm = nn.LSTM(3 * MIXED, MIXED, batch_first=True)
        self.head = nn.Linear(MIXED, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x)  # (1, C, T, 1)
        mixed = torch.cat([self.short(x), self.long(x), self.pooled(x)], dim=1)  # (1, 3 M, T, 1)
        steps, _ = self.lstm(mixed[..., 0].transpose(1, 2))  # (1, T, M)
        logits: Tensor = self.head(steps[:, -1])
        return logits


def deeplob() -> Row:
    """Weights drawn at random, as they take as long as any."""
    step = ours(our_net(), 1)
    torch.manual_seed(3)
    net = PaperDeepLob().eval()
    draw = np.random.default_rng(4)
    inputs = [
        Given(*(draw.normal(size=shape).astype(np.float32) for shape in ((1, len(NAMES)), (1, 1, STATES, LEVELS))))
        for _ in range(ROUNDS)
    ]
    peers: dict[str, Work | None] = {"DeepLOB, torch": _torch(net), "DeepLOB, ONNX Runtime": _onnx(net)}
    return Row(
        "µs", inputs, lambda given: step(given.x), peers, last, in_a_row=IN_A_ROW // 5, same=[tuple(peers)],
        note=f"ours: two layers of {HIDDEN} and all heads on {len(NAMES)} inputs, state carried",
    )  # fmt: skip


def _torch(net: PaperDeepLob) -> Work:
    def work(given: Given) -> Array:
        with torch.inference_mode():
            said: Array = net(torch.from_numpy(given.window)).numpy()
        return said

    return work


def _onnx(net: PaperDeepLob) -> Work | None:
    step = bound(lambda graph: _graph(graph, net), (1, 1, STATES, LEVELS), (1, CLASSES), {})
    return None if step is None else lambda given: step(given.window)


def _graph(graph: Graph, net: PaperDeepLob) -> None:
    below = graph.through((layer for block in net.blocks for layer in block.children()), "x")
    branches = [graph.through(branch, below) for branch in (net.short, net.long, net.pooled)]
    mixed = graph.one("Concat", branches, axis=1)  # (1, 3 M, T, 1)
    steps = graph.one("Squeeze", [graph.one("Transpose", [mixed], perm=[2, 0, 1, 3]), graph.whole(3)])  # (T, 1, 3 M)
    hidden = graph.one("Squeeze", [graph.lstm(net.lstm, 0, steps), graph.whole(0)])
    graph.add("Gemm", [hidden, graph.tensor(net.head.weight), graph.tensor(net.head.bias)], ["out"], transB=1)
