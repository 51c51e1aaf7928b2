"""One step of the LSTM for many instruments, compiled: the same arithmetic for each, whoever is stepped along.

Each instrument's sums run over its inputs in one order, one fused multiply-add after the other, and no sum is ever
split; so its numbers depend neither on the others nor on any library's threads. Weights are read once for two
instruments, which is what makes many cheaper than each alone; they begin where a line of the cache does, and are as
wide as whole registers: both are worth a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
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
HALF, ONE, THREE = (np.float32(x) for x in (0.5, 1.0, 3.0))
# atanh, of no more than a third, in odd powers of it
L1, L3, L5, L7, L9, L11 = (np.float32(2.0 / n) for n in (1, 3, 5, 7, 9, 11))
LINE, WIDE = 64, 16  # bytes of a line of the cache; numbers of the widest register


def _fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a × b + c, rounded once: an instruction of the processor, which the compiler does not choose by itself since it
    rounds otherwise than two."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), emit


fma: Any = intrinsic(_fma)


@part
def tanh(x: Array) -> None:
    """In place."""
    for j in range(x.size):
        v = min(max(x[j], -FARTHEST), FARTHEST)
        s = v * v
        up = v * fma(s, fma(s, fma(s, fma(s, fma(s, fma(s, A13, A11), A9), A7), A5), A3), A1)
        x[j] = up / fma(s, fma(s, fma(s, B6, B4), B2), B0)


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
                sums[b, j] = fma(p3, w3, fma(p2, w2, fma(p1, w1, fma(p0, w0, sums[b, j]))))
                sums[b + 1, j] = fma(q3, w3, fma(q2, w2, fma(q1, w1, fma(q0, w0, sums[b + 1, j]))))
        if rows % 2:
            b = rows - 1
            p0, p1, p2, p3 = x[b, i], x[b, i + 1], x[b, i + 2], x[b, i + 3]
            for j in range(width):
                w0, w1, w2, w3 = weights[i, j], weights[i + 1, j], weights[i + 2, j], weights[i + 3, j]
                sums[b, j] = fma(p3, w3, fma(p2, w2, fma(p1, w1, fma(p0, w0, sums[b, j]))))


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
def rise(raw: Array, bands: NDArray[np.int64], width: int) -> Array:
    """The first columns of the head's sums. Of each band of three the second and third become steps up from the first:
    lo, lo + s, lo + s + s′, a step being softplus of what was there: max(v, 0) + 2 atanh((1 − t) / (3 + t)) with
    t = tanh(|v| / 2)."""
    rows, count = raw.shape[0], bands.size
    out, past = np.empty((rows, width), np.float32), np.empty(2 * rows * count, np.float32)
    for b in range(rows):
        for j in range(width):
            out[b, j] = raw[b, j]
        for k in range(count):
            for n in range(2):
                past[2 * (b * count + k) + n] = HALF * abs(raw[b, bands[k] + 1 + n])
    tanh(past)
    for j in range(past.size):
        z = max(ONE - past[j], np.float32(0.0)) / (THREE + past[j])
        s = z * z
        past[j] = z * fma(s, fma(s, fma(s, fma(s, fma(s, L11, L9), L7), L5), L3), L1)
    for b in range(rows):
        for k in range(count):
            for n in range(2):
                at = bands[k] + 1 + n
                out[b, at] = out[b, at - 1] + max(raw[b, at], np.float32(0.0)) + past[2 * (b * count + k) + n]
    return out


@compiled(
    "f4[:, ::1](f4[:, ::1], f4[:, ::1], f4[::1], f4[:, ::1], f4[::1], f4[:, ::1], f4[::1], i8[::1], i8,"
    " f4[:, :, ::1], f4[:, :, ::1])"
)
def step(
    x: Array, gates0: Array, bias0: Array, gates1: Array, bias1: Array, head: Array, head_bias: Array,
    bands: NDArray[np.int64], outputs: int, h: Array, c: Array,
) -> Array:  # fmt: skip
    """Both layers, in place in `h` and `c` (2, B, H), and the head; x is (B, F), the result (B, outputs)."""
    rows = x.shape[0]
    sums = repeated(bias0, rows)
    multiply(beside(x, h[0], gates0.shape[0]), gates0, sums)
    advance(sums, h[0], c[0])
    sums = repeated(bias1, rows)
    multiply(beside(h[0], h[1], gates1.shape[0]), gates1, sums)
    advance(sums, h[1], c[1])
    sums = repeated(head_bias, rows)
    multiply(beside(h[1], x, head.shape[0]), head, sums)
    return rise(sums, bands, outputs)


class Packed:
    """Weights as `multiply` wants them: (N, M) with all four gates side by side, rows of zeros up to four and, in the
    head, columns of zeros up to a register. `bands` are the columns at which three quantiles begin."""

    def __init__(self, arrays: Mapping[str, Array], bands: Sequence[int]) -> None:
        self._gates0, self._gates1 = (_padded(np.concatenate(list(arrays[f"lstm{k}"]), axis=1)) for k in range(2))
        self._bias0, self._bias1 = (arrays[f"bias{k}"].reshape(-1).copy() for k in range(2))
        self._outputs = len(arrays["head_bias"])
        self._head, self._head_bias = _padded(arrays["head"], WIDE), _padded(arrays["head_bias"][None], WIDE)[0].copy()
        self._bands = np.array(bands, np.int64)

    def step(self, x: Array, h: Array, c: Array) -> Array:
        return step(
            np.ascontiguousarray(x, np.float32), self._gates0, self._bias0, self._gates1, self._bias1, self._head,
            self._head_bias, self._bands, self._outputs, h, c,
        )  # fmt: skip


def _padded(weights: Array, columns: int = 1) -> Array:
    """(N, M) at the beginning of a line, with zeros up to four rows and up to a multiple of so many columns."""
    shape = -(-weights.shape[0] // 4) * 4, -(-weights.shape[1] // columns) * columns
    size = shape[0] * shape[1]
    whole = np.zeros(size + LINE // 4, np.float32)
    skipped = -whole.ctypes.data % LINE // 4
    out = whole[skipped : skipped + size].reshape(shape)
    out[: weights.shape[0], : weights.shape[1]] = weights
    return out
