"""What was traded in an instrument over the last 24 hours, cheap to write and cheap to read.

Trades are gathered in slots of a quarter of an hour; what is older than 96 of them is dropped, so the window is exact
to one slot. The sums are kept, and made anew only when a slot leaves.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from engine.domain import NS

SLOT_NS = 900 * NS
SLOTS = 96


class Traded(msgspec.Struct):
    """Of one slot or of the window: prices in units, volume in lots, in coin and in USD. 0 prices: nothing traded."""

    slot: int = 0
    first: int = 0
    last: int = 0
    high: int = 0
    low: int = 0
    lots: int = 0
    coin: float = 0.0
    usd: float = 0.0

    @property
    def change(self) -> float:
        """Per cent from the window's first price to its last."""
        return 100.0 * (self.last / self.first - 1.0) if self.first else 0.0


class Day:
    """One instrument's last 24 hours."""

    __slots__ = ("slots", "total")

    def __init__(self) -> None:
        self.slots: deque[Traded] = deque()
        self.total = Traded()

    def trade(self, t: int, price: int, lots: int, coin: float, usd: float) -> None:
        slot = t // SLOT_NS
        if not self.slots or self.slots[-1].slot != slot:
            self.slots.append(Traded(slot))
            self._drop(slot)
        for sums in (self.slots[-1], self.total):
            _add(sums, price, price, price, price, lots, coin, usd)

    def block(self, t: int, lots: int, coin: float, usd: float) -> None:
        """A trade that counts as volume, and moves no price."""
        slot = t // SLOT_NS
        if not self.slots or self.slots[-1].slot != slot:
            self.slots.append(Traded(slot))
            self._drop(slot)
        for sums in (self.slots[-1], self.total):
            _add(sums, 0, 0, 0, 0, lots, coin, usd)

    def over(self, t: int) -> Traded:
        """The window as it is at `t`; not to be changed."""
        self._drop(t // SLOT_NS)
        return self.total

    def dump(self) -> list[Any]:
        return [msgspec.structs.astuple(each) for each in (*self.slots, self.total)]

    def load(self, value: list[Any]) -> None:
        kept = [Traded(*each) for each in value]
        self.slots, self.total = deque(kept[:-1]), kept[-1]

    def _drop(self, now: int) -> None:
        if not self.slots or self.slots[0].slot > now - SLOTS:
            return
        while self.slots and self.slots[0].slot <= now - SLOTS:
            self.slots.popleft()
        self.total = Traded()
        for s in self.slots:
            _add(self.total, s.first, s.last, s.high, s.low, s.lots, s.coin, s.usd)


def _add(sums: Traded, first: int, last: int, high: int, low: int, lots: int, coin: float, usd: float) -> None:
    if not sums.first:
        sums.first, sums.high, sums.low = first, high, low
    elif first:
        sums.high, sums.low = max(sums.high, high), min(sums.low, low)
    sums.last = last or sums.last
    sums.lots += lots
    sums.coin += coin
    sums.usd += usd
