"""Bars of open, high, low, close and volume: of an instrument's prints, of an index, of the volatility index.

Kept sparse and bounded in a few base periods; a wanted resolution is put together from the longest base that divides
it. Slots begin at whole multiples of the resolution since 1970, a week's on Monday, a month's on its first day, UTC.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from engine.domain import DAY_NS, MINUTE_NS, NS

WEEK_NS = 7 * DAY_NS
MONDAY_NS = 4 * DAY_NS  # the first Monday of 1970 was its fifth day
MONTH = 0  # a resolution without a fixed length
RESOLUTIONS: dict[str, int] = {
    **{str(minutes): minutes * MINUTE_NS for minutes in (1, 3, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)},
    "1D": DAY_NS, "D": DAY_NS, "W": WEEK_NS, "M": MONTH,
}  # fmt: skip
POINTS = 5000  # bars in one answer, at most


class Bar(msgspec.Struct):
    """`t` is its slot's beginning, ns. Volume in the coin, cost in the quoted currency."""

    t: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    cost: float = 0.0

    def take(self, other: Bar) -> None:
        """Go on with a later one."""
        self.high, self.low = max(self.high, other.high), min(self.low, other.low)
        self.close, self.volume, self.cost = other.close, self.volume + other.volume, self.cost + other.cost


def slot(t: int, period: int) -> int:
    """Where the slot of this time begins."""
    if period == MONTH:
        day = dt.datetime.fromtimestamp(t // NS, dt.UTC).replace(day=1, hour=0, minute=0, second=0)
        return int(day.timestamp()) * NS
    shift = MONDAY_NS if period == WEEK_NS else 0
    return (t - shift) // period * period + shift


def after(t: int, period: int) -> int:
    """The beginning of the slot after the one that begins at `t`."""
    return slot(t + 32 * DAY_NS, period) if period == MONTH else t + period


class Bars:
    """`bases`: (period in ns, how many are kept), shortest first, each dividing the next."""

    def __init__(self, *bases: tuple[int, int]) -> None:
        self._periods = [period for period, _ in bases]
        self._kept: list[deque[Bar]] = [deque(maxlen=keep) for _, keep in bases]

    def add(self, t: int, price: float, volume: float = 0.0, cost: float = 0.0) -> None:
        for period, kept in zip(self._periods, self._kept, strict=True):
            start = t // period * period
            bar = kept[-1] if kept else None
            if bar is None or bar.t != start:
                kept.append(Bar(start, price, price, price, price, volume, cost))
                continue
            if price > bar.high:
                bar.high = price
            elif price < bar.low:
                bar.low = price
            bar.close = price
            bar.volume += volume
            bar.cost += cost

    def off_book(self, t: int, price: float, volume: float, cost: float) -> None:
        """A print that moves no price: it counts in the volume."""
        last = self._kept[0][-1].close if self._kept[0] else price
        self.add(t, last, volume, cost)

    def between(self, start: int, end: int, period: int) -> list[Bar]:
        """Bars of this period whose slots begin in [slot of start, end], those without anything left out."""
        found: list[Bar] = []
        first = slot(start, period)
        for base in self._base(period):
            at = slot(base.t, period)
            if not first <= at <= end:
                continue
            if found and found[-1].t == at:
                found[-1].take(base)
            else:
                found.append(Bar(at, base.open, base.high, base.low, base.close, base.volume, base.cost))
        return found

    def last(self, t: int, period: int) -> Bar | None:
        """The bar of the slot that `t` is in."""
        found = self.between(t, t, period)
        return found[-1] if found else None

    def filled(self, start: int, end: int, period: int) -> list[Bar]:
        """As `between`, with every slot from the first bar on: what had nothing repeats the close before it."""
        start = max(start, _earliest(end, period))
        known = {bar.t: bar for bar in self.between(start, end, period)}
        before = [bar for bar in self._base(period) if bar.t < slot(start, period)]
        at, found = (slot(start, period) if before else min(known, default=end + 1)), list(before[-1:])
        while at <= end:
            found.append(known.get(at) or _flat(at, found[-1].close))
            at = after(at, period)
        return found[1:] if before else found

    def sums(self, since: int, period: int) -> tuple[float, float]:
        """Volume and cost of the base bars of this period that began at `since` or later."""
        chosen = [bar for bar in self._base(period) if bar.t >= since]
        return sum(bar.volume for bar in chosen), sum(bar.cost for bar in chosen)

    def dump(self) -> list[Any]:
        return [[msgspec.structs.astuple(bar) for bar in kept] for kept in self._kept]

    def load(self, value: Sequence[Iterable[Sequence[Any]]]) -> None:
        for kept, rows in zip(self._kept, value, strict=True):
            kept.clear()
            kept.extend(Bar(*row) for row in rows)

    def _base(self, period: int) -> deque[Bar]:
        fits = [k for k, base in enumerate(self._periods) if period == MONTH or period % base == 0]
        return self._kept[fits[-1] if fits else 0]


def _earliest(end: int, period: int) -> int:
    return end - POINTS * (period or 31 * DAY_NS)


def _flat(t: int, price: float) -> Bar:
    return Bar(t, price, price, price, price)
