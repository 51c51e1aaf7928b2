"""Sums and means that forget exponentially in time, at four time constants at once.

Events are collected as they come and join at the next 100 ms step, so that a feature depends on the order of the
inputs and on the clock's steps only, never on how the venue's clock and ours differ.
"""

from __future__ import annotations

from math import exp
from typing import Any

TAUS = (0.5, 2.0, 10.0, 60.0)  # seconds


def factors(dt_ns: int) -> tuple[float, ...]:
    """exp(−dt/τ) for each τ; a clock that steps back counts as standing still."""
    seconds = max(dt_ns, 0) * 1e-9
    return tuple(exp(-seconds / tau) for tau in TAUS)


class Sums:
    """Σ xᵢ·exp(−age/τ) of one quantity, for each τ."""

    __slots__ = ("pending", "sums")

    def __init__(self) -> None:
        self.pending = 0.0
        self.sums = [0.0] * len(TAUS)

    def add(self, x: float) -> None:
        self.pending += x

    def step(self, keep: tuple[float, ...]) -> None:
        pending = self.pending
        self.sums = [total * k + pending for total, k in zip(self.sums, keep, strict=True)]
        self.pending = 0.0

    def dump(self) -> list[Any]:
        return [self.pending, list(self.sums)]

    @classmethod
    def load(cls, value: list[Any]) -> Sums:
        made = cls()
        made.pending, made.sums = value[0], list(value[1])
        return made


class Means:
    """Exponential means of a level, for each τ; they begin at the first value and rest while there is none."""

    __slots__ = ("means",)

    def __init__(self) -> None:
        self.means: list[float] | None = None

    def step(self, x: float | None, keep: tuple[float, ...]) -> None:
        if x is None:
            return
        if self.means is None:
            self.means = [x] * len(TAUS)
        else:
            self.means = [x + (mean - x) * k for mean, k in zip(self.means, keep, strict=True)]

    def shift(self, x: float) -> None:
        """Move along with a level that has jumped for a reason of ours."""
        if self.means is not None:
            self.means = [mean + x for mean in self.means]

    def away(self, x: float | None) -> tuple[float, ...]:
        """x less each mean: its change, as seen over each τ. Zeros while there is nothing to compare."""
        if x is None or self.means is None:
            return (0.0,) * len(TAUS)
        return tuple(x - mean for mean in self.means)

    def dump(self) -> list[float] | None:
        return None if self.means is None else list(self.means)

    @classmethod
    def load(cls, value: list[float] | None) -> Means:
        made = cls()
        made.means = None if value is None else list(value)
        return made
