"""Losses of single forecasts, and a rolling mean of them with a band that knows that neighbours are alike."""

from __future__ import annotations

from collections import deque
from math import log, log1p, sqrt
from typing import Any

from engine.forecast.baseline import Band
from engine.messages import Skill, Verdict

QUANTILES = (0.1, 0.5, 0.9)
BLOCKS = 90  # kept: with 10 s blocks, a quarter of an hour
ENOUGH = 12  # blocks before anything is said
Z = 1.645  # a two-sided 90 % band
FLOOR = 1e-6  # no probability counts as less


def log_gain(said: float, base: float) -> float:
    """By how many nats the outcome was likelier under the forecast than under the base rate."""
    return log(max(said, FLOOR)) - log(max(base, FLOOR))


def pinball(band: Band, y: float) -> float:
    """Mean pinball loss of the three quantiles."""
    return sum(max(q * (y - x), (q - 1.0) * (y - x)) for q, x in zip(QUANTILES, band, strict=True)) / 3.0


def huber(error: float) -> float:
    size = abs(error)
    return 0.5 * size * size if size < 1.0 else size - 0.5


def log_distance(a: float, b: float) -> float:
    """(ln(1 + a) − ln(1 + b))², for expected spreads: half a tick matters at one tick, not at fifty."""
    return (log1p(max(a, 0.0)) - log1p(max(b, 0.0))) ** 2


class Tally:
    """Gains of one head, averaged over blocks of time.

    Forecasts of the same seconds share their luck, across instruments too; so the error is that of the block means,
    not of single forecasts.
    """

    def __init__(self, block_ns: int) -> None:
        self.block_ns = block_ns
        self._block = 0  # number of the block now filling
        self._sum, self._n = 0.0, 0
        self._means: deque[tuple[float, int]] = deque(maxlen=BLOCKS)

    def add(self, t: int, gain: float) -> None:
        block = t // self.block_ns
        if block != self._block:
            if self._n:
                self._means.append((self._sum / self._n, self._n))
            self._block, self._sum, self._n = block, 0.0, 0
        self._sum += gain
        self._n += 1

    def skill(self) -> Skill:
        """ "edge" above zero by the band, "drift" below, "no edge" between, "unknown yet" before there is a band."""
        n = sum(count for _, count in self._means)
        blocks = len(self._means)
        if blocks < ENOUGH:
            return Skill(verdict="unknown yet", n=n)
        mean = sum(value for value, _ in self._means) / blocks
        spread = sqrt(sum((value - mean) ** 2 for value, _ in self._means) / (blocks - 1) / blocks)
        lo, hi = mean - Z * spread, mean + Z * spread
        verdict: Verdict = "edge" if lo > 0 else "drift" if hi < 0 else "no edge"
        return Skill(verdict=verdict, gain=mean, lo=lo, hi=hi, n=n)

    def dump(self) -> list[Any]:
        return [self._block, self._sum, self._n, [list(pair) for pair in self._means]]

    def load(self, value: list[Any]) -> None:
        self._block, self._sum, self._n = value[:3]
        self._means = deque(((mean, n) for mean, n in value[3]), maxlen=BLOCKS)


class Frequencies:
    """Base rates of a few outcomes at one instrument: the frozen pooled ones or its own past ones, whichever has done
    better so far. A rival that adapts, and that is never worse for the noise of adapting."""

    PRIOR = 30.0  # observations' worth of the frozen rates
    KEEP = 0.999

    def __init__(self, frozen: tuple[float, ...]) -> None:
        self.frozen = frozen
        self.counts = [self.PRIOR * rate for rate in frozen]
        self.lead = 0.0  # of its own past over the frozen rates, nats, smoothed

    def rates(self) -> tuple[float, ...]:
        return self._own() if self.lead > 0 else self.frozen

    def saw(self, outcome: int) -> None:
        gain = log_gain(self._own()[outcome], self.frozen[outcome])
        self.lead += (1.0 - self.KEEP) * (gain - self.lead)
        self.counts = [self.KEEP * count for count in self.counts]
        self.counts[outcome] += 1.0

    def _own(self) -> tuple[float, ...]:
        total = sum(self.counts)
        return tuple(count / total for count in self.counts)

    def dump(self) -> list[Any]:
        return [list(self.frozen), list(self.counts), self.lead]

    @classmethod
    def load(cls, value: list[Any]) -> Frequencies:
        made = cls(tuple(value[0]))
        made.counts, made.lead = list(value[1]), value[2]
        return made
