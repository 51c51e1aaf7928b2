"""The quotes of one expiry, and what of them a smile is fitted to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled, part
from engine.surface.fitting import Points

Floats = NDArray[np.float64]

ROUNDED, NO_VALUE = 1e-4, 9.9  # the venue rounds to 0.01 %, and writes 999 % for an ask it cannot invert
LEAST_SCALE = 0.0005  # half-spreads are taken as at least 5 vol bp: nobody is that sure
ONE_SIDED_SCALE = 0.005
FARTHEST = 1e4  # a strike so many times off the forward is none


class Quote(msgspec.Struct, frozen=True):
    """One option's IVs, fractions; None, 0, NaN and 999 % all mean no value. `forward` is the one they were made with,
    if it is not the expiry's present one."""

    strike: float
    call: bool
    bid_iv: float | None
    ask_iv: float | None
    mark_iv: float | None
    forward: float | None = None


def points_of(quotes: Sequence[Quote], forward: float) -> Points:
    """What a fit is made to: one point a strike, sorted by strike.

    The out-of-the-money option if it is quoted on both sides, else the other one if that is, else the out-of-the-money
    one's single side. Crossed quotes count as none.
    """
    k, mid, low, high, scale = chosen(_table(quotes), forward)
    return Points(k=k, mid=mid, low=low, high=high, scale=scale)


def marks_of(quotes: Sequence[Quote], forward: float) -> Points:
    """The venue's mark IVs, one a strike, all trusted alike."""
    table = _table(quotes)
    strike, mark = table[:, 0], table[:, 4]
    sound = (strike > forward / FARTHEST) & (strike < forward * FARTHEST) & (mark >= ROUNDED) & (mark < NO_VALUE)
    strike, first = np.unique(strike[sound], return_index=True)
    mid = mark[sound][first]
    return Points(k=np.log(strike / forward), mid=mid, low=mid, high=mid, scale=np.full(len(mid), ONE_SIDED_SCALE))


def _table(quotes: Sequence[Quote]) -> Floats:
    """A row a quote, in the order of its fields; None is NaN."""
    rows = [msgspec.structs.astuple(quote) for quote in quotes]
    return np.array(rows, dtype=np.float64) if rows else np.empty((0, 6))


@part
def value(iv: float) -> float:
    """NaN for everything that means there is none."""
    return iv if ROUNDED <= iv < NO_VALUE else math.nan


@part
def rank(strike: float, call: bool, bid: float, ask: float, forward: float) -> int:
    """The higher, the better it says what its strike is worth; 0: not at all."""
    if not forward / FARTHEST < strike < forward * FARTHEST or bid > ask:
        return 0
    if math.isnan(bid) and math.isnan(ask):
        return 0
    return 2 * (bid <= ask) + (call == (strike >= forward))


@part
def best_rows(strike: Floats, ranks: Floats) -> NDArray[np.int64]:
    """The row of the highest rank of each strike, sorted by strike; the first of equal ones."""
    best, count = np.empty(len(strike), dtype=np.int64), 0
    for row in range(len(strike)):
        if ranks[row] == 0.0:
            continue
        at = count
        while at > 0 and strike[best[at - 1]] > strike[row]:
            at -= 1
        if at > 0 and strike[best[at - 1]] == strike[row]:
            if ranks[row] > ranks[best[at - 1]]:
                best[at - 1] = row
            continue
        for n in range(count, at, -1):
            best[n] = best[n - 1]
        best[at], count = row, count + 1
    return best[:count]


@part
def median(values: Floats) -> float:
    """The upper of two of what is not NaN; 0 of nothing."""
    ordered, count = np.empty(len(values)), 0
    for value in values:
        at = count
        while at > 0 and ordered[at - 1] > value:
            ordered[at] = ordered[at - 1]
            at -= 1
        ordered[at] = value
        count += not math.isnan(value)
    return ordered[count // 2] if count > 0 else 0.0


@compiled("f8[:, ::1](f8[:, ::1], f8)")
def chosen(table: Floats, forward: float) -> Floats:
    """k, mid, low, high and scale (see `Points`) of the best quote of each strike, 5 × n."""
    n = len(table)
    bid, ask, own, ranks = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for row in range(n):
        bid[row], ask[row] = value(table[row, 2]), value(table[row, 3])
        own[row] = table[row, 5] if table[row, 5] > 0.0 else forward
        ranks[row] = rank(table[row, 0], table[row, 1] > 0.0, bid[row], ask[row], own[row])
    best = best_rows(table[:, 0].copy(), ranks)
    half = (ask - bid)[best] / 2.0
    typical = max(median(half), ONE_SIDED_SCALE)
    out = np.empty((5, len(best)))
    for i in range(len(best)):
        row = best[i]
        out[0, i], out[1, i] = math.log(table[row, 0] / own[row]), (bid[row] + ask[row]) / 2.0
        out[2, i] = -math.inf if math.isnan(bid[row]) else bid[row]
        out[3, i] = math.inf if math.isnan(ask[row]) else ask[row]
        out[4, i] = typical if math.isnan(half[i]) else max(half[i], LEAST_SCALE)
    return out
