"""One step of the LSTM for many instruments, compiled: the same arithmetic for each, whoever is stepped along.

Each instrument's sums run over its inputs in one order, four at a time, and no sum is ever split; so its numbers depend
neither on the others nor on any library's threads. Weights are read once for two instruments, which is what makes
many cheaper than each alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled, part

Array = NDArray[np.float32]

# tanh as a ratio of polynomials in x and x², within a few units of the last place (as in Eigen's `ptanh`).
FARTHEST = np.float32(7.90531110763549805)
A1, A3, A5, A7 = (np.float32(a) for a in (4.89352455891786e-3, 6.37261928875436e-4, 1.48572235717979e-5,
                                          5.12229709037114e-8))  # fmt: skip
A9, A11, A13 = (np.float32(a) for a in (-8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16))
B0, B2, B4, B6 = (np.float32(b) for b in (4.89352518554385e-3, 2.26843463243900e-3, 1.18534705686654e-4,
                                          1.19825839466702e-6))  # fmt: skip
HALF, ONE = np.float32(0.5), np.float32(1.0)


@part
def tanh(x: Array) -> None:
    """In place."""
    for j in range(x.size):
        v = min(max(x[j], -FARTHEST), FARTHEST)
        s = v * v
        up = v * (A1 + s * (A3 + s * (A5 + s * (A7 + s * (A9 + s * (A11 + s * A13))))))
        x[j] = up / (B0 + s * (B2 + s * (B4 + s * B6)))


@part
def multiply(x: Array, weights: Array, sums: Array) -> None:
    """sums (B, M) += x (B, N) @ weights (N, M); N a multiple of four."""
    rows, width = x.shape[0], weights.shape[1]
    for i in range(0, weights.shape[0], 4):
        for b in range(0, rows - 1, 2):
            p0, p1, p2, p3 = x[b, i], x[b, i + 1], x[b, i + 2], x[b, i + 3]
            q0, q1, q2, q3 = x[b + 1, i], x[b + 1, i + 1], x[b + 1, i + 2], x[b + 1, i + 3]
            for j in range(width):
                w0, w1, w2, w3 = weights[i, j], weights[i + 1, j], weights[i + 2, j], weights[i + 3, j]
                sums[b, j] += (p0 * w0 + p1 * w1) + (p2 * w2 + p3 * w3)
                sums[b + 1, j] += (q0 * w0 + q1 * w1) + (q2 * w2 + q3 * w3)
        if rows % 2:
            b = rows - 1
            p0, p1, p2, p3 = x[b, i], x[b, i + 1], x[b, i + 2], x[b, i + 3]
            for j in range(width):
                w0, w1, w2, w3 = weights[i, j], weights[i + 1, j], weights[i + 2, j], weights[i + 3, j]
                sums[b, j] += (p0 * w0 + p1 * w1) + (p2 * w2 + p3 * w3)


@part
def advance(gates: Array, h: Array, c: Array) -> None:
    """The cell: `gates` (B, 4H) before their functions, in the order input, forget, cell, output; `h`, `c` (B, H)."""
    wide = h.shape[1]
    for b in range(h.shape[0]):
        for j in range(2 * wide):
            gates[b, j] *= HALF
        for j in range(3 * wide, 4 * wide):
            gates[b, j] *= HALF
        tanh(gates[b])
        for j in range(wide):
            gain, keep = HALF * (gates[b, j] + ONE), HALF * (gates[b, wide + j] + ONE)
            c[b, j] = keep * c[b, j] + gain * gates[b, 2 * wide + j]
            h[b, j] = c[b, j]
        tanh(h[b])
        for j in range(wide):
            h[b, j] *= HALF * (gates[b, 3 * wide + j] + ONE)


@part
def beside(left: Array, right: Array, width: int) -> Array:
    """(B, L) and (B, R) as (B, width), zeros after them."""
    out = np.zeros((left.shape[0], width), np.float32)
    split = left.shape[1]
    for b in range(left.shape[0]):
        for j in range(split):
            out[b, j] = left[b, j]
        for j in range(right.shape[1]):
            out[b, split + j] = right[b, j]
    return out


@part
def repeated(row: Array, rows: int) -> Array:
    out = np.empty((rows, row.size), np.float32)
    for b in range(rows):
        for j in range(row.size):
            out[b, j] = row[j]
    return out


@part
def rise(out: Array, bands: NDArray[np.int64]) -> None:
    """Of each band of three columns the second and third become steps up from the first: lo, lo + s, lo + s + s′, a
    step being softplus of what was there. In place."""
    for b in range(out.shape[0]):
        for at in bands:
            for j in (at + 1, at + 2):
                v = out[b, j]
                out[b, j] = out[b, j - 1] + max(v, np.float32(0.0)) + np.float32(np.log1p(np.exp(-abs(v))))


@compiled(
    "f4[:, ::1](f4[:, ::1], f4[:, ::1], f4[::1], f4[:, ::1], f4[::1], f4[:, ::1], f4[::1], i8[::1],"
    " f4[:, :, ::1], f4[:, :, ::1])"
)
def step(
    x: Array, gates0: Array, bias0: Array, gates1: Array, bias1: Array, head: Array, head_bias: Array,
    bands: NDArray[np.int64], h: Array, c: Array,
) -> Array:  # fmt: skip
    """Both layers, in place in `h` and `c` (2, B, H), and the head; x is (B, F), the result (B, M)."""
    rows = x.shape[0]
    sums = repeated(bias0, rows)
    multiply(beside(x, h[0], gates0.shape[0]), gates0, sums)
    advance(sums, h[0], c[0])
    sums = repeated(bias1, rows)
    multiply(beside(h[0], h[1], gates1.shape[0]), gates1, sums)
    advance(sums, h[1], c[1])
    out = repeated(head_bias, rows)
    multiply(beside(h[1], x, head.shape[0]), head, out)
    rise(out, bands)
    return out


class Packed:
    """Weights as `multiply` wants them: (N, M) with all four gates side by side and rows of zeros up to four. `bands`
    are the columns at which three quantiles begin."""

    def __init__(self, arrays: Mapping[str, Array], bands: Sequence[int]) -> None:
        self._gates0, self._gates1 = (_padded(np.concatenate(list(arrays[f"lstm{k}"]), axis=1)) for k in range(2))
        self._bias0, self._bias1 = (arrays[f"bias{k}"].reshape(-1).copy() for k in range(2))
        self._head, self._head_bias = _padded(arrays["head"]), arrays["head_bias"].copy()
        self._bands = np.array(bands, np.int64)

    def step(self, x: Array, h: Array, c: Array) -> Array:
        return step(
            np.ascontiguousarray(x, np.float32), self._gates0, self._bias0, self._gates1, self._bias1, self._head,
            self._head_bias, self._bands, h, c,
        )  # fmt: skip


def _padded(weights: Array) -> Array:
    out = np.zeros((-(-len(weights) // 4) * 4, weights.shape[1]), np.float32)
    out[: len(weights)] = weights
    return out
