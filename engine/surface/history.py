"""What the factors were, and what they are likely to be in a minute; bounded, deterministic, dumped and loaded exactly.

**History**: one ring of times, and a column of values beside it for each factor; a column whose factor is gone leaves
with its last row. Changes are against the last row at or before the moment asked for.

**Outlook**: fits are noisy, and noise is taken back: the forecast of a factor one minute ahead is its value drawn
towards its own slow mean, y + b (mean − y), b learnt by least squares over the last quarter of an hour, between 0 and
1. Persistence (b = 0) is the baseline. A forecast is judged when its minute is over: the gain in absolute error goes
into blocks of two minutes, and the verdict is "edge" only while the 90 % band of the block means lies above 0. Whoever
sees the factors less often than that takes a longer horizon, with which all of these grow.

Of random walks 0.4 % were called an edge, of 40 factors of real chains every five minutes (49 hours of April 2023, five
minutes ahead) none. On the paper market (two sessions of 40 and 32 minutes) 10 and 11 of 16 were, most of them skews
and curvatures: there makers' opinions and the marks that trades leave do revert, and so does the noise of the fits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.domain import NS

Floats = NDArray[np.float64]

CAPACITY = 4096
AHEAD_NS = 60 * NS
MEAN, LEARN = 5.0, 15.0  # memories of the slow mean and of what is learnt, horizons
BLOCK, BLOCKS, ENOUGH, Z = 2, 90, 12, 1.645  # blocks of two horizons: neighbours hardly share luck
PENDING = 1200


class History:
    """Rows of named values, times rising; the oldest leave."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._t = np.zeros(capacity, dtype=np.int64)
        self._columns: dict[str, Floats] = {}
        self._rows = 0

    def add(self, t: int, values: Mapping[str, float]) -> None:
        at = self._rows % self.capacity
        self._t[at] = t
        for name in values.keys() - self._columns.keys():
            self._columns[name] = np.full(self.capacity, math.nan)
        for name, column in list(self._columns.items()):
            column[at] = values.get(name, math.nan)
            if name not in values and np.isnan(column).all():
                del self._columns[name]
        self._rows += 1

    def column(self, name: str) -> tuple[NDArray[np.int64], Floats]:
        """Times and values, oldest first; NaN where the factor was not there."""
        order = self._order()
        column = self._columns.get(name)
        return self._t[order], np.full(len(order), math.nan) if column is None else column[order]

    def changes(self, since: int) -> dict[str, float]:
        """From the last row at or before `since` to the last row, of the factors that both have."""
        order = self._order()
        before = int(np.searchsorted(self._t[order], since, side="right")) - 1
        if before < 0:
            return {}
        first, last = order[before], order[-1]
        moved = {name: float(column[last] - column[first]) for name, column in sorted(self._columns.items())}
        return {name: change for name, change in moved.items() if not math.isnan(change)}

    def _order(self) -> NDArray[np.int64]:
        count = min(self._rows, self.capacity)
        return np.arange(self._rows - count, self._rows, dtype=np.int64) % self.capacity

    def dump(self) -> Any:
        order = self._order()  # what is kept, and no empty rows
        return {
            "capacity": self.capacity, "rows": self._rows, "t": self._t[order].tobytes(),
            "columns": {name: column[order].tobytes() for name, column in sorted(self._columns.items())},
        }  # fmt: skip

    @classmethod
    def load(cls, value: Any) -> History:
        self = cls(value["capacity"])
        self._rows = value["rows"]
        order = self._order()
        self._t[order] = np.frombuffer(value["t"], dtype=np.int64)
        for name, raw in value["columns"].items():
            self._columns[name] = np.full(self.capacity, math.nan)
            self._columns[name][order] = np.frombuffer(raw)
        return self


class Verdict(msgspec.Struct, frozen=True):
    """Gain in mean absolute error over persistence, its 90 % band, and in a word what that means."""

    verdict: Literal["edge", "no edge", "drift", "unknown yet"]
    gain: float | None = None
    lo: float | None = None
    hi: float | None = None
    n: int = 0


class _Line(msgspec.Struct):
    """One factor's state: its slow mean, the sums that b is learnt from, what waits for its label, block means."""

    t: int
    mean: float
    pull: float = 0.0
    square: float = 0.0
    waiting: list[tuple[int, float, float, float]] = []  # due, value, distance to the mean, forecast
    block: int = 0
    total: float = 0.0
    count: int = 0
    blocks: list[tuple[float, int]] = []


class Outlook:
    """Call `step` with the factors of now, at any pace that meets the horizon; read `ahead` and `verdicts`."""

    def __init__(self, ahead_ns: int = AHEAD_NS) -> None:
        self.ahead_ns = ahead_ns
        self._lines: dict[str, _Line] = {}
        self.ahead: dict[str, float] = {}

    def step(self, t: int, values: Mapping[str, float]) -> None:
        """Judge what falls due at `t`, learn from it, and forecast anew. A factor that is not known for a while has no
        forecast meanwhile; what was learnt of it is forgotten when all of it would have faded."""
        self.ahead = {name: self._one(t, name, value) for name, value in values.items()}
        over = [name for name, line in self._lines.items() if t - line.t > LEARN * self.ahead_ns]
        for name in over:
            del self._lines[name]

    def verdicts(self) -> dict[str, Verdict]:
        return {name: _verdict(line) for name, line in sorted(self._lines.items())}

    def _one(self, t: int, name: str, value: float) -> float:
        line = self._lines.setdefault(name, _Line(t=t, mean=value))
        passed = max(t - line.t, 0) / self.ahead_ns
        line.t = t
        line.mean += (1.0 - math.exp(-passed / MEAN)) * (value - line.mean)
        kept = math.exp(-passed / LEARN)
        line.pull, line.square = line.pull * kept, line.square * kept
        due = 0
        while due < len(line.waiting) and line.waiting[due][0] <= t:
            self._judge(line, t, value, *line.waiting[due])
            due += 1
        del line.waiting[:due]
        away = line.mean - value
        b = min(max(line.pull / line.square, 0.0), 1.0) if line.square > 0.0 else 0.0
        said = value + b * away
        if len(line.waiting) < PENDING:
            line.waiting.append((t + self.ahead_ns, value, away, said))
        return said

    def _judge(self, line: _Line, t: int, value: float, due: int, was: float, away: float, said: float) -> None:
        if t - due <= self.ahead_ns // 2:
            line.pull, line.square = line.pull + away * (value - was), line.square + away * away
            _tally(line, t // (BLOCK * self.ahead_ns), abs(value - was) - abs(value - said))

    def dump(self) -> Any:
        return {
            "ahead_ns": self.ahead_ns,
            "lines": {name: msgspec.to_builtins(line) for name, line in sorted(self._lines.items())},
            "ahead": dict(sorted(self.ahead.items())),
        }

    @classmethod
    def load(cls, value: Any) -> Outlook:
        self = cls(value.get("ahead_ns", AHEAD_NS))
        self._lines = msgspec.convert(value["lines"], dict[str, _Line])
        self.ahead = dict(value["ahead"])
        return self


def _tally(line: _Line, block: int, gain: float) -> None:
    if block != line.block:
        if line.count:
            line.blocks = [*line.blocks, (line.total / line.count, line.count)][-BLOCKS:]
        line.block, line.total, line.count = block, 0.0, 0
    line.total, line.count = line.total + gain, line.count + 1


def _verdict(line: _Line) -> Verdict:
    n, blocks = sum(count for _, count in line.blocks), len(line.blocks)
    if blocks < ENOUGH:
        return Verdict("unknown yet", n=n)
    mean = sum(value for value, _ in line.blocks) / blocks
    spread = math.sqrt(sum((value - mean) ** 2 for value, _ in line.blocks) / (blocks - 1) / blocks)
    lo, hi = mean - Z * spread, mean + Z * spread
    return Verdict("edge" if lo > 0.0 else "drift" if hi < 0.0 else "no edge", mean, lo, hi, n)
