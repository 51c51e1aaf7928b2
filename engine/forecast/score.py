"""Losses of single forecasts, and what a run of them says: an edge, none, or drift, at any time one looks."""

from __future__ import annotations

from collections import deque
from math import erf, log, log1p, sqrt
from typing import Any

import msgspec

from engine.forecast.baseline import Band
from engine.messages import Skill, Verdict

QUANTILES = (0.1, 0.5, 0.9)
BLOCKS = 90  # kept: with 10 s blocks, a quarter of an hour
ENOUGH = 12  # blocks before anything is said
LAGS = 2  # blocks apart that still share their luck
ERROR = 0.05  # chance of ever seeing an edge where there is none
ALARM = 0.01  # level at which the last blocks show a loss
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


class Evidence:
    """That block means are above zero, gathered block by block and good whenever it is looked at.

    The process is Robbins' normal mixture over the positive side (Howard, Ramdas, McAuliffe and Sekhon 2021), with the
    sum of squares for a clock: for blocks that are as likely to be won as lost, as those of a model equal to its
    baseline, it passes 1 ÷ α with a chance of at most α, ever, however heavy their tails and however many are ties,
    which do not count. Blocks that follow their neighbours tell less: their products, up to LAGS apart, join the clock,
    about zero and not about their mean, so that a run of small gains, as comes before a rare large loss, is not taken
    at its word. It is not proof against large losses that come in one block of twenty or more.
    """

    def __init__(self) -> None:
        self.count, self.total, self.squares, self.scale = 0, 0.0, 0.0, 0.0
        self._products = [0.0] * LAGS
        self._last = [0.0] * LAGS  # newest first

    def add(self, x: float) -> None:
        self._products = [sum_ + x * last for sum_, last in zip(self._products, self._last, strict=True)]
        self._last = [x, *self._last[:-1]]
        if not x:
            return
        self.count += 1
        self.total += x
        self.squares += x * x
        if self.count <= ENOUGH:
            self.scale = self.squares  # of the mixture: about what is known when the first word may be said

    def against(self, level: float) -> bool:
        """Whether zero or less is ruled out at this level."""
        if self.count < ENOUGH or self.total <= 0:
            return False
        clock = self.squares + 2.0 * sum(max(each, 0.0) for each in self._products) + self.scale
        z = self.total / sqrt(clock)
        found = z * z / 2.0 + 0.5 * log(self.scale / clock) + log(1.0 + erf(z / sqrt(2.0)))
        return found >= -log(level)

    def dump(self) -> list[Any]:
        return [self.count, self.total, self.squares, self.scale, list(self._products), list(self._last)]

    @classmethod
    def load(cls, value: list[Any]) -> Evidence:
        made = cls()
        made.count, made.total, made.squares, made.scale, products, last = value
        made._products, made._last = list(products), list(last)
        return made


class Tally:
    """Gains of one head, averaged over blocks of time.

    Forecasts of the same seconds share their luck, across instruments too; so the error is that of the block means,
    not of single forecasts. An edge must have been shown by all blocks since the start, at a level that holds however
    often one looks, and by the last BLOCKS of them as they are now; a loss that the last blocks show is drift, and
    begins the count for an edge anew, at half the level: so all false edges together, over any time, have a chance of
    ERROR.

    In simulations: a gain of one deviation of the blocks is called an edge after some 60 blocks, of half a deviation
    after 90; turned into its opposite, it is no edge after 30 and drift after 90.
    """

    def __init__(self, block_ns: int) -> None:
        self.block_ns = block_ns
        self._block = 0  # number of the block now filling
        self._sum, self._n = 0.0, 0
        self._means: deque[tuple[float, int]] = deque(maxlen=BLOCKS)
        self._evidence, self._proven, self._level = Evidence(), False, ERROR / 2.0
        self._skill = Skill(verdict="unknown yet")

    def add(self, t: int, gain: float) -> None:
        block = t // self.block_ns
        if block != self._block:
            if self._n:
                self._close()
            if self._means and block - self._block > BLOCKS:
                self._forget()
            self._block, self._sum, self._n = block, 0.0, 0
        self._sum += gain
        self._n += 1

    def skill(self) -> Skill:
        """ "edge", "drift", "no edge" where there is neither, "unknown yet" before there is a band; as of the last
        block that is over. The band is of the last blocks' mean, 90 %, for the eye."""
        return self._skill

    def _close(self) -> None:
        mean = self._sum / self._n
        self._means.append((mean, self._n))
        self._evidence.add(mean)
        self._proven = self._proven or self._evidence.against(self._level)
        n = sum(count for _, count in self._means)
        if len(self._means) < ENOUGH:
            self._skill = Skill(verdict="unknown yet", n=n)
            return
        gain, error = _mean([value for value, _ in self._means])
        lo, hi = gain - Z * error, gain + Z * error
        verdict: Verdict = "edge" if self._proven and lo > 0 else "no edge"
        if hi < 0 and self._lost():
            verdict = "drift"
            self._begin_anew()
        self._skill = Skill(verdict=verdict, gain=gain, lo=lo, hi=hi, n=n)

    def _forget(self) -> None:
        """Nothing was judged for as long as is remembered: what the last blocks showed is of another time."""
        self._means.clear()
        self._skill = Skill(verdict="unknown yet")

    def _lost(self) -> bool:
        """Whether the last blocks show a loss."""
        loss = Evidence()
        for value, _ in self._means:
            loss.add(-value)
        return loss.against(ALARM)

    def _begin_anew(self) -> None:
        if self._evidence.count >= ENOUGH:
            self._level = max(self._level / 2.0, FLOOR)
        self._evidence, self._proven = Evidence(), False

    def dump(self) -> list[Any]:
        return [self._block, self._sum, self._n, [list(pair) for pair in self._means], self._evidence.dump(),
                self._proven, self._level, msgspec.to_builtins(self._skill)]  # fmt: skip

    def load(self, value: list[Any]) -> None:
        self._block, self._sum, self._n, means, evidence, self._proven, self._level, skill = value
        self._means = deque(((mean, n) for mean, n in means), maxlen=BLOCKS)
        self._evidence, self._skill = Evidence.load(evidence), msgspec.convert(skill, Skill)


def _mean(values: list[float]) -> tuple[float, float]:
    """And its standard error; values that follow their neighbours tell less."""
    n = len(values)
    mean = sum(values) / n
    away = [value - mean for value in values]
    lagged = [sum(a * b for a, b in zip(away, away[lag:], strict=False)) for lag in range(1, LAGS + 1)]
    squares = sum(a * a for a in away) + 2.0 * sum(max(each, 0.0) for each in lagged)
    return mean, sqrt(squares / (n - 1) / n)


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
