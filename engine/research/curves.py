"""Total variance as sums of hinges, enclosed on intervals of log-moneyness: what `proven` decides is made of these.

No interval has a hinge's m inside: what a hinge adds over its asymptote then rises or falls throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.research.intervals import Floats, Interval
from engine.research.search import Ints


class Curve(NamedTuple):
    """w(k) = a + Σ over hinges (p, c, m, s) of p (k − m) + c √((k − m)² + s²)."""

    a: float
    hinges: tuple[tuple[float, float, float, float], ...]


Smile = Sequence[Curve]  # the highest of these


class Levels(NamedTuple):
    """Enclosures of w, w′, w″ and w‴, and of w in the middle of the interval."""

    w: Interval
    slope: Interval
    bend: Interval
    turn: Interval
    middle: Interval


class Wing(NamedTuple):
    """For k ≥ K of a curve (or its mirror image): A, S, D and Σ c s²/2(K − m), as in `proven`."""

    level: Interval
    slope: Interval
    short: Interval
    over: Interval


class Curves:
    """Many curves as arrays: `a` is n, the hinges' are n × T."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        most = max(len(curve.hinges) for curve in curves)
        rows = [(*curve.hinges, *[(0.0, 0.0, 0.0, 1.0)] * (most - len(curve.hinges))) for curve in curves]
        self.a = np.array([curve.a for curve in curves])
        self.p, self.c, self.m, self.s = np.moveaxis(np.array(rows, dtype=np.float64), 2, 0)
        self.convex = (self.c >= 0.0).all(axis=1)  # else its wings may be anywhere

    def levels(self, which: Ints, k: Interval) -> Levels:
        """On each interval of `k`, of the curve that `which` names there. No interval has a hinge's m inside."""
        here = self._at(which, k)
        if k.high is k.low:  # points
            return here
        point = Interval(k.middle())
        middle = self._at(which, point).w
        return here._replace(w=here.w.both(middle + here.slope * (k - point)), middle=middle)

    def _at(self, which: Ints, k: Interval) -> Levels:
        p, c, m, s = self.p[which], self.c[which], self.m[which], Interval(self.s[which])
        right, left = k.low[:, None] >= m, k.high[:, None] <= m
        x = k.wide() - m
        x = Interval(np.where(right, np.maximum(x.low, 0.0), x.low), np.where(left, np.minimum(x.high, 0.0), x.high))
        sign = np.where(right, 1.0, -1.0)
        wing = Interval(p) + sign * c  # the asymptote's slope: nothing large is subtracted from it
        square, size = s.square(), x.size()
        root = (x.square() + square).root()
        over = square / (root + size)  # √(x² + s²) − |x|, which falls with |x|
        bend = square / (root * root.square()) * c
        w = (wing * x + over * c).sum() + self.a[which]
        return Levels(
            w,
            (wing - over / root * (sign * c)).sum(),
            bend.sum(),
            (bend * x / root.square() * -3.0).sum(),
            w,
        )

    def wing(self, side: int, far: Floats) -> Wing:
        """The right (1) or left (−1) one, for |k| ≥ `far`, which is beyond every hinge."""
        slope, m = Interval(side * self.p) + self.c, side * self.m
        beyond = Interval(far).wide() - m
        over = Interval(self.s).square() * self.c / beyond * 0.5
        return Wing(Interval(self.a) - (slope * m).sum(), slope.sum(), (over / beyond).sum(), over.sum())


def rise_of(k: Interval, near: Levels, far: Levels) -> Levels:
    """From one to the other; closer than the difference of two enclosures."""
    rise = Levels(*(b - a for a, b in zip(near, far, strict=True)))
    return rise._replace(w=rise.w.both(rise.middle + rise.slope * (k - Interval(k.middle()))))
