"""The step of the forecast's LSTM beside the same step by torch, ONNX Runtime and numpy, state carried: rows
`lstm_step` and `lstm_step_50` of the bench."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.forecast.model import Net, arrays
from engine.forecast.names import NAMES
from engine.forecast.parameters import BANDS, LAYERS
from engine.forecast.stepping import Packed
from engine.research import onnx_peer
from engine.research.benchmark_row import Row, Table, Work

HIDDEN, ROUNDS = 64, 2000
IN_A_ROW = 50  # microseconds alone: each contender has its weights in the cache, as it would have them by itself
Array = NDArray[np.float32]
Step = Callable[[Array], Array]


def lstm_step(count: int = 1) -> Row:
    """One step of so many instruments, by weights drawn at random."""
    net = our_net()
    x = np.random.default_rng(2).normal(size=(ROUNDS, count, len(NAMES))).astype(np.float32)
    peers: dict[str, Work | None] = {
        "torch": _torch(net, count),
        "ONNX Runtime": onnx_peer.lstm_step(net, count),
        "numpy": _numpy(net, count),
    }
    return Row(
        "µs", list(x), ours(net, count), peers, last, in_a_row=IN_A_ROW, same=[("", *peers)],
        note=f"{len(NAMES)} inputs, two layers of {HIDDEN}, all heads",
    )  # fmt: skip


lstm_step_50 = partial(lstm_step, 50)


def our_net() -> Net:
    """Of the size that is shipped."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = Net(HIDDEN).eval()
    torch.nn.init.normal_(net.head.weight, 0.0, 0.1)
    return net


def ours(net: Net, count: int) -> Step:
    packed, (h, c) = Packed(arrays(net), BANDS), _state(count)
    return lambda x: packed.step(x, h, c)


def _torch(net: Net, count: int) -> Step:
    state = tuple(torch.zeros(LAYERS, count, HIDDEN) for _ in range(2))

    def step(x: Array) -> Array:
        nonlocal state
        with torch.inference_mode():
            out, state = net(torch.from_numpy(x)[:, None], state)
        said: Array = out[:, 0].numpy()
        return said

    return step


def _numpy(net: Net, count: int) -> Step:
    """Matrix products of all instruments at once."""
    numbers, (h, c) = arrays(net), _state(count)
    gates = [np.concatenate(list(numbers[f"lstm{layer}"]), axis=1) for layer in range(LAYERS)]
    biases = [numbers[f"bias{layer}"].reshape(-1) for layer in range(LAYERS)]

    def step(x: Array) -> Array:
        below = x
        for layer in range(LAYERS):
            sums = np.concatenate([below, h[layer]], axis=1) @ gates[layer] + biases[layer]
            gain, keep, new, out = np.split(sums, 4, axis=1)
            c[layer] = _sigmoid(keep) * c[layer] + _sigmoid(gain) * np.tanh(new)
            h[layer] = _sigmoid(out) * np.tanh(c[layer])
            below = h[layer]
        said = np.concatenate([below, x], axis=1) @ numbers["head"] + numbers["head_bias"]
        for at in BANDS:
            said[:, at + 1 : at + 3] = np.logaddexp(np.float32(0.0), said[:, at + 1 : at + 3])
            said[:, at : at + 3] = np.cumsum(said[:, at : at + 3], axis=1)
        return said

    return step


def _sigmoid(x: Array) -> Array:
    out: Array = 0.5 * (np.tanh(0.5 * x) + 1.0)
    return out


def _state(count: int) -> tuple[Array, Array]:
    return np.zeros((LAYERS, count, HIDDEN), np.float32), np.zeros((LAYERS, count, HIDDEN), np.float32)


def last(inputs: Sequence[Any], made: Sequence[Any]) -> Table:
    """The last outputs' sum: the same for all contenders, as far as they agree."""
    return {"last": float(np.asarray(made[-1], np.float64).sum())}
