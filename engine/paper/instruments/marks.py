"""What the venue itself says a thing is worth: index, forwards, mark prices, mark IVs and greeks.

A real venue makes these from outside exchanges and from a smoothed surface of its own. Here they are told to it, by
whoever moves the simulated world (`crowd/teller`), through `tell`; a venue without a crowd keeps the last it was told.
In its last half hour an option is worth what one on the index's average is (`surface.delivery`): that is what it is
delivered at. Its volatility is then of what is still to be averaged, and so goes on from the minutes before.
Greeks are the venue's: per contract, vega per vol point, theta per day, in USD; price in coin.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import black
from engine.domain import NS, Instrument, Kind
from engine.surface import delivery

Floats = NDArray[np.float64]
FUTURE_BAND = 0.03
OPTION_BAND = 0.04  # coin
OPTION_BAND_SHARE = 0.6
MIN_YEARS = 1e-6  # whoever makes volatilities takes less for this
DELIVERY_SAMPLES = delivery.WINDOW_NS // NS  # of an index sampled every second
PREMIUM_BAND = 0.005  # the perpetual's mark is at most this share from the index
AVERAGE_KEPT = 1.0 - 2.0 / 31.0  # of a 30-second exponential average, after one second


class Marks:
    """Arrays over the listing, in its order; futures have mark prices and no greeks but delta 1."""

    def __init__(self, instruments: Sequence[Instrument], index: float) -> None:
        self.index = index
        self.dvol = 0.0
        self.began = False  # whether anything was told yet
        self.t = 0
        self.perpetual = 0.0  # premium of the perpetual's mark over the index, a share
        self.indices: deque[float] = deque([index] * DELIVERY_SAMPLES, maxlen=DELIVERY_SAMPLES)
        self._means: dict[int, float] = {}  # of the last so many samples; asked for by every ticker
        self.forwards: dict[int, float] = {}
        self.instruments: tuple[Instrument, ...] = ()
        self.price = self.iv = self.settled = np.zeros(0)  # `settled`: marks at the last daily settlement, or the first
        self.greeks = np.zeros((5, 0))  # delta, gamma, vega, theta, rho
        self.extend(instruments)

    def extend(self, new: Sequence[Instrument]) -> None:
        """List more. What is new stands at the index, or at its smallest price, until something is told of it: its
        volatility is 0 till then."""
        self.instruments = (*self.instruments, *new)
        for i in new:
            if i.expiry:
                self.forwards.setdefault(i.expiry, self.index)
        first = np.array([self.index if i.kind is not Kind.OPTION else i.tick for i in new])
        self.price, self.settled = np.append(self.price, first), np.append(self.settled, first)
        self.iv = np.append(self.iv, np.zeros(len(new)))
        self.greeks = np.concatenate((self.greeks, np.zeros((5, len(new)))), axis=1)
        self._arrange()

    def tell(self, t: int, index: float, forwards: Mapping[int, float], ivs: Floats, perpetual: float = 0.0) -> None:
        """The world as it now is. `ivs` are fractions, one per option, in the listing's order. `perpetual` is the
        premium of the perpetual's fair price over the index, a share; its mark follows as the venue lets it
        (`funding`): an exponential average of 30 seconds, at most 0.5 % from the index."""
        kept = AVERAGE_KEPT ** (max(t - self.t, 0) / NS) if self.began else 0.0
        self.perpetual = min(max(perpetual + kept * (self.perpetual - perpetual), -PREMIUM_BAND), PREMIUM_BAND)
        self.t, self.index = t, index
        self.forwards.update(forwards)
        forward = np.array([self.forwards[e] for e in self._expiries])[self._slot]
        new, alive = self.options[self.iv[self.options] == 0.0], self.expiry >= t  # what is over keeps its last mark
        averages = np.array([self.average(e, t) for e in self._expiries])[self._slot]
        g = delivery.greeks(forward, self.strike, np.maximum(self.expiry - t, 0), ivs, self.call, averages)
        self.price[self.options] = np.where(alive, np.maximum(g.price, 1e-6), self.price[self.options])
        self.iv[self.options] = ivs
        self.settled[new] = self.price[new]
        told = np.stack([g.delta, g.gamma, g.vega, g.theta])
        self.greeks[:4, self.options] = np.where(alive, told, self.greeks[:4, self.options])
        for n, expiry in self._futures:
            self.price[n] = self.forwards[expiry] if expiry else index * (1.0 + self.perpetual)
        if not self.began:
            self.began, self.settled = True, self.price.copy()

    def sample(self) -> None:
        """Once a second: the index counts towards the price of delivery."""
        self.indices.append(self.index)
        self._means = {}

    def delivery(self) -> float:
        """The price of delivery: the index's average over the last half hour; before the venue began it stood still."""
        return sum(self.indices) / len(self.indices)

    def average(self, expiry: int, t: int) -> float:
        """The index's average so far in the half hour before an expiry; NaN outside of it."""
        if not 0 <= expiry - t < delivery.WINDOW_NS:
            return math.nan
        count = min((t - expiry) // NS + DELIVERY_SAMPLES + 1, DELIVERY_SAMPLES)
        if count not in self._means:
            self._means[count] = sum(islice(reversed(self.indices), count)) / count
        return self._means[count]

    def estimated(self, n: int) -> float:
        """What the instrument would be delivered at: the index, or its average so far in the last half hour."""
        expiry = self.instruments[n].expiry
        average = self.average(expiry, self.t) if expiry else math.nan
        return self.index if math.isnan(average) else average

    def worth(self, n: int, vol: float, t: int) -> float:
        """Coin price of an option at this volatility (fraction) and the marks' forward."""
        i, average = self.instruments[n], self.average(self.instruments[n].expiry, t)
        if math.isnan(average):
            return black.price(self.forwards[i.expiry], i.strike, i.years(t), vol, i.call)
        return delivery.fair(self.forwards[i.expiry], i.strike, i.expiry - t, vol, i.call, average)

    def implied(self, n: int, price: float) -> float:
        """Volatility (fraction) of an option's coin price at the marks' forward; 0 where there is none."""
        i = self.instruments[n]
        if price <= 0.0 or i.expiry <= self.t:
            return 0.0
        average = self.average(i.expiry, self.t)
        if math.isnan(average):
            return black.implied_vol(price, self.forwards[i.expiry], i.strike, i.years(self.t), i.call) or 0.0
        return delivery.vol(price, self.forwards[i.expiry], i.strike, i.expiry - self.t, i.call, average) or 0.0

    def band(self, n: int) -> tuple[int, int]:
        """Lowest selling and highest buying price the venue accepts, in units."""
        instrument, mark = self.instruments[n], float(self.price[n])
        if instrument.kind is Kind.OPTION:
            low = min(mark - OPTION_BAND, mark * (1.0 - OPTION_BAND_SHARE))
            high = max(mark + OPTION_BAND, mark * (1.0 + OPTION_BAND_SHARE))
        else:
            low, high = mark * (1.0 - FUTURE_BAND), mark * (1.0 + FUTURE_BAND)
        floor = instrument.ceil_tick(low / instrument.tick) if low > instrument.tick else 1
        return max(floor, 1), instrument.floor_tick(high / instrument.tick)

    def dump(self) -> dict[str, Any]:
        return {
            "t": self.t, "index": self.index, "dvol": self.dvol, "perpetual": self.perpetual,
            "forwards": list(map(list, self.forwards.items())), "price": self.price.tolist(), "iv": self.iv.tolist(),
            "greeks": self.greeks.tolist(), "indices": list(self.indices), "settled": self.settled.tolist(),
            "began": self.began,
        }  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        self.t, self.index, self.dvol = value["t"], value["index"], value["dvol"]
        self.indices, self._means = deque(value["indices"], maxlen=DELIVERY_SAMPLES), {}
        self.perpetual, self.forwards = value["perpetual"], dict(value["forwards"])
        self.began = value["began"]
        self.price, self.iv, self.greeks, self.settled = (
            np.array(value[name]) for name in ("price", "iv", "greeks", "settled")
        )

    def _arrange(self) -> None:
        """What is looked up every second, made anew when the listing has changed."""
        chain = [(n, i) for n, i in enumerate(self.instruments) if i.kind is Kind.OPTION]
        self.options = np.array([n for n, _ in chain], dtype=np.int64)
        self.strike = np.array([i.strike for _, i in chain])
        self.call = np.array([i.call for _, i in chain], dtype=np.bool_)
        self.expiry = np.array([i.expiry for _, i in chain], dtype=np.int64)
        self.place = {n: row for row, (n, _) in enumerate(chain)}
        self._expiries = sorted({i.expiry for _, i in chain})
        self._slot = np.searchsorted(self._expiries, self.expiry)
        self._futures = [(n, i.expiry) for n, i in enumerate(self.instruments) if i.kind is not Kind.OPTION]
        self.greeks[0, [n for n, _ in self._futures]] = 1.0
