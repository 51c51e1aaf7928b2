"""Funding of the perpetual: what longs pay shorts, so that its price stays near the index.

By the venue's published rules ("Inverse perpetual", "Funding specifications"):
- fair price: the middle of the fair impact bid and ask, which are the average price of trading a set amount at once,
  at most 0.1 % from the best price;
- mark price: the index and the 30-second exponential average of fair price − index, within ±0.5 % of the index;
- premium rate: (mark − index) ÷ index; funding rate, for eight hours: the premium beyond ±0.025 %, within a cap;
- payment: rate × size in coin × time ÷ 8 hours.

It accrues once a second on what is held then, in whole pico each; what rounding leaves is the venue's, so nothing
is made or lost. The rate of the elapsed interval is that of its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from engine.domain import HOUR_NS, MINUTE_NS, Instrument, Side
from engine.paper.clearing.accounts import PICO, VENUE, Account
from engine.paper.instruments.marks import Marks
from engine.paper.orders.matching import Half, OrderBook

PERIOD_NS = 8 * HOUR_NS
DAMPER = 0.00025
CAP = 0.005
IMPACT_COINS = {"BTC": 1.0, "ETH": 10.0}  # what an impact price is of, coin
IMPACT_SHARE = 0.001  # a fair impact price is at most this far from the best


class Hour(msgspec.Struct, frozen=True):
    """One hour that is over: `t` its end, interest as shares of the position's value."""

    t: int
    index: float
    prev_index: float
    interest_1h: float
    interest_8h: float


class Minute(msgspec.Struct, frozen=True):
    """`total` is the interest since the venue began, `interest_8h` what of it is of the last eight hours."""

    t: int
    index: float
    total: float
    interest_8h: float


class Funding:
    """Of one perpetual, listed as number `n`, with contracts of `lot` USD."""

    def __init__(self, n: int, lot: float, start_ns: int, index: float) -> None:
        self.n, self.lot, self.t = n, lot, start_ns
        self.rate = 0.0  # in force, for eight hours
        self.total = 0.0  # interest since the beginning, a share
        self.minutes: deque[Minute] = deque([Minute(start_ns, index, 0.0, 0.0)], maxlen=24 * 60 + 1)
        self.hours: deque[Hour] = deque(maxlen=31 * 24)

    @property
    def interest_8h(self) -> float:
        """Of the last eight hours, or since the venue began."""
        return self.total - self._before(self.t)

    def accrue(self, t: int, marks: Marks, accounts: Iterable[Account]) -> None:
        """Pay for the time since the last call; the rate is what the marks now say."""
        elapsed, self.t = t - self.t, max(t, self.t)
        self.rate = rate(float(marks.price[self.n]) / marks.index - 1.0)
        if elapsed <= 0:
            return
        share = self.rate * elapsed / PERIOD_NS
        self.total += share
        if share:
            self._pay(share * self.lot / marks.index * PICO, accounts)
        if t - self.minutes[-1].t >= MINUTE_NS:
            self._remember(t, marks.index)

    def value(self, start_ns: int, end_ns: int) -> float:
        """Interest of the whole hours that ended in (start, end]."""
        return sum(hour.interest_1h for hour in self.hours if start_ns < hour.t <= end_ns)

    def dump(self) -> dict[str, Any]:
        return {"t": self.t, "rate": self.rate, "total": self.total,
                "minutes": [msgspec.structs.astuple(m) for m in self.minutes],
                "hours": [msgspec.structs.astuple(h) for h in self.hours]}  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        self.t, self.rate, self.total = value["t"], value["rate"], value["total"]
        self.minutes = deque([Minute(*m) for m in value["minutes"]], maxlen=self.minutes.maxlen)
        self.hours = deque([Hour(*h) for h in value["hours"]], maxlen=self.hours.maxlen)

    def _pay(self, per_lot: float, accounts: Iterable[Account]) -> None:
        """`per_lot` pico for a long, signed."""
        left, venue = 0, None
        for account in accounts:
            if account.id == VENUE:
                venue = account
            size = account.size(self.n)
            if size:
                paid = round(size * per_lot)
                position = account.positions[self.n]
                account.cash -= paid
                for name in ("realised", "session", "funding"):
                    setattr(position, name, getattr(position, name) - paid)
                left += paid
        if venue is not None:
            venue.cash += left

    def _remember(self, t: int, index: float) -> None:
        self.minutes.append(Minute(t, index, self.total, self.total - self._before(t)))
        hour = t // HOUR_NS * HOUR_NS
        if hour <= (self.hours[-1].t if self.hours else self.minutes[0].t):
            return
        then = self._at(hour - HOUR_NS)
        self.hours.append(Hour(hour, index, then.index, self.total - then.total, self.total - self._before(t)))

    def _before(self, t: int) -> float:
        """The interest there was eight hours before."""
        return self._at(t - PERIOD_NS).total

    def _at(self, t: int) -> Minute:
        """The newest minute kept that is not later than `t`, or the oldest."""
        first = self.minutes[0]
        guess = min(max((t - first.t) // MINUTE_NS, 0), len(self.minutes) - 1)
        while guess and self.minutes[guess].t > t:
            guess -= 1
        while guess + 1 < len(self.minutes) and self.minutes[guess + 1].t <= t:
            guess += 1
        return self.minutes[guess]


def rate(premium: float) -> float:
    """The funding rate for eight hours, a share, of a premium of the mark over the index."""
    damped = max(DAMPER, premium) + min(-DAMPER, premium)
    return min(CAP, max(-CAP, damped))


def fair_price(book: OrderBook, instrument: Instrument, index: float) -> float | None:
    """USD: the middle of the fair impact prices of the perpetual; None while a side is empty."""
    lots = max(round(IMPACT_COINS.get(instrument.coin, 1.0) * index / instrument.lot), 1)
    bid, ask = _impact(book.bids, lots), _impact(book.asks, lots)
    return None if bid is None or ask is None else (bid + ask) / 2.0 * instrument.tick


def _impact(half: Half, lots: int) -> float | None:
    """Units. Sizes are USD, so the average is over what is sold of them."""
    best = half.best
    if best is None:
        return None
    left, spent = lots, 0.0
    for price in half.prices():
        take = min(left, half.total(price))
        spent, left = spent + take * price, left - take
        if not left:
            break
    average = spent / (lots - left)
    side = Side.SELL if half.sign > 0 else Side.BUY
    bound = best * (1.0 - side.sign * IMPACT_SHARE)
    worst = bound if left else average
    return min(worst, bound) if side is Side.SELL else max(worst, bound)
