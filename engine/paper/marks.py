"""What the venue itself says a thing is worth: index, forwards, mark prices, mark IVs and greeks.

A real venue makes these from outside exchanges and from a smoothed surface of its own. Here they are told to it, by
whoever runs the simulated world (`crowd.py`), through `tell`; a venue without a crowd keeps the last it was told.
Greeks are the venue's: per contract, vega per vol point, theta per day, in USD; price in coin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import black
from engine.domain import YEAR_NS, Instrument, Kind

Floats = NDArray[np.float64]
FUTURE_BAND = 0.03
OPTION_BAND = 0.04  # coin
OPTION_BAND_SHARE = 0.6
MIN_YEARS = 1e-6
DELIVERY_SAMPLES = 1800  # half an hour of an index told every second


class Marks:
    """Arrays over the listing, in its order; futures have mark prices and no greeks but delta 1."""

    def __init__(self, instruments: Sequence[Instrument], index: float) -> None:
        self.instruments = tuple(instruments)
        self.index = index
        self.dvol = 0.0
        self.began = False  # whether anything was told yet
        self.t = 0
        self.forwards: dict[int, float] = {i.expiry: index for i in instruments if i.expiry}
        self.options = np.array([n for n, i in enumerate(instruments) if i.kind is Kind.OPTION], dtype=np.int64)
        chain = [instruments[n] for n in self.options]
        self.strike = np.array([i.strike for i in chain])
        self.call = np.array([i.call for i in chain], dtype=np.bool_)
        self.expiry = np.array([i.expiry for i in chain], dtype=np.int64)
        self.place = {int(n): row for row, n in enumerate(self.options)}
        size = len(self.instruments)
        self.price = np.array([index if i.kind is not Kind.OPTION else i.tick for i in instruments])
        self.iv = np.zeros(size)
        self.greeks = np.zeros((5, size))  # delta, gamma, vega, theta, rho
        self.indices: deque[float] = deque([index], maxlen=DELIVERY_SAMPLES)
        self.perpetual = 0.0  # premium of the perpetual over the index, a share
        self.settled = self.price.copy()  # mark prices at the last daily settlement, or when trading began

    def tell(self, t: int, index: float, forwards: Mapping[int, float], ivs: Floats, perpetual: float = 0.0) -> None:
        """The world as it now is. `ivs` are fractions, one per option, in the listing's order."""
        self.t, self.index, self.perpetual = t, index, perpetual
        self.indices.append(index)
        self.forwards.update(forwards)
        forward = np.array([self.forwards[e] for e in self.expiry.tolist()])
        years = np.maximum((self.expiry - t) / YEAR_NS, MIN_YEARS)
        g = black.greeks(forward, self.strike, years, ivs, self.call)
        self.price[self.options], self.iv[self.options] = np.maximum(g.price, 1e-6), ivs
        self.greeks[:4, self.options] = g.delta, g.gamma, g.vega, g.theta
        for n, instrument in enumerate(self.instruments):
            if instrument.kind is not Kind.OPTION:
                fair = self.forwards[instrument.expiry] if instrument.expiry else index * (1.0 + perpetual)
                self.price[n], self.greeks[0, n] = fair, 1.0
        if not self.began:
            self.began, self.settled = True, self.price.copy()

    def delivery(self) -> float:
        """The price of delivery: the index's average over the last half hour, or since the venue began."""
        return sum(self.indices) / len(self.indices)

    def implied(self, n: int, price: float) -> float:
        """Volatility (fraction) of an option's coin price at the marks' forward; 0 where there is none."""
        i = self.instruments[n]
        if price <= 0.0:
            return 0.0
        return black.implied_vol(price, self.forwards[i.expiry], i.strike, i.years(self.t), i.call) or 0.0

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
        self.indices = deque(value["indices"], maxlen=DELIVERY_SAMPLES)
        self.perpetual, self.forwards = value["perpetual"], dict(value["forwards"])
        self.began = value["began"]
        self.price, self.iv, self.greeks, self.settled = (
            np.array(value[name]) for name in ("price", "iv", "greeks", "settled")
        )
