"""Interval arithmetic on arrays: every result holds all that exact numbers in the arguments could give.

Theory of operation. The processor rounds +, −, ×, ÷ and √ to the nearest number (IEEE 754), so the exact result lies
within one step of the rounded one; each end is moved out by one step. A division by what may be 0 gives the whole line,
and what is not a number compares as false: nothing is ever said to be shown that is not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Interval:
    """Arrays of lower and upper ends, of one shape or broadcasting to one."""

    __slots__ = ("high", "low")

    def __init__(self, low: ArrayLike, high: ArrayLike | None = None) -> None:
        """Without `high`: exact numbers."""
        self.low: Floats = np.asarray(low, dtype=np.float64)
        self.high: Floats = self.low if high is None else np.asarray(high, dtype=np.float64)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __add__(self, other: Interval | float) -> Interval:
        it = _exact(other)
        return _out(self.low + it.low, self.high + it.high)

    def __sub__(self, other: Interval | float) -> Interval:
        return self + -_exact(other)

    def __rsub__(self, other: float) -> Interval:
        return _exact(other) - self

    def __mul__(self, other: Interval | float) -> Interval:
        it = _exact(other)
        corners = (self.low * it.low, self.low * it.high, self.high * it.low, self.high * it.high)
        return _out(_over(np.minimum, corners), _over(np.maximum, corners))

    def __truediv__(self, other: Interval) -> Interval:
        """By what is above 0; anything where it may not be."""
        sure = other.low > 0.0
        one = _out(1.0 / np.where(sure, other.high, 1.0), 1.0 / np.where(sure, other.low, 1.0))
        found = self * one
        return Interval(np.where(sure, found.low, -np.inf), np.where(sure, found.high, np.inf))

    __radd__ = __add__
    __rmul__ = __mul__

    def square(self) -> Interval:
        least = np.maximum(np.maximum(self.low, -self.high), 0.0)
        most = np.maximum(-self.low, self.high)
        found = _out(least * least, most * most)
        return Interval(np.maximum(found.low, 0.0), found.high)

    def root(self) -> Interval:
        """Of what is not below 0."""
        found = _out(np.sqrt(np.maximum(self.low, 0.0)), np.sqrt(np.maximum(self.high, 0.0)))
        return Interval(np.maximum(found.low, 0.0), found.high)

    def size(self) -> Interval:
        """The absolute value."""
        least = np.maximum(np.maximum(self.low, -self.high), 0.0)
        return Interval(least, np.maximum(-self.low, self.high))

    def both(self, other: Interval) -> Interval:
        """What lies in both: two ways to enclose one number."""
        return Interval(np.fmax(self.low, other.low), np.fmin(self.high, other.high))

    def sum(self) -> Interval:
        """Over the last axis."""
        total = self.at(0)
        for n in range(1, self.low.shape[-1]):
            total = total + self.at(n)
        return total

    def at(self, n: int) -> Interval:
        """One column of the last axis."""
        return Interval(self.low[..., n], self.high[..., n])

    def wide(self) -> Interval:
        """With one more axis, last."""
        return Interval(self.low[..., None], self.high[..., None])

    def middle(self) -> Floats:
        """A number inside."""
        return np.asarray(np.clip(self.low + (self.high - self.low) / 2.0, self.low, self.high))


def _exact(value: Interval | float) -> Interval:
    return value if isinstance(value, Interval) else Interval(value)


def _out(low: Floats, high: Floats) -> Interval:
    return Interval(np.nextafter(low, -np.inf), np.nextafter(high, np.inf))


def _over(choose: np.ufunc, values: tuple[Floats, ...]) -> Floats:
    return np.asarray(choose(choose(values[0], values[1]), choose(values[2], values[3])))
