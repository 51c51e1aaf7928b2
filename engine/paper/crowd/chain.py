"""The options of a coin as arrays, and a fair price for each: a `Reference`, made of one surface at one forward.

All prices of one reference hold no static arbitrage, and neither do middles that stay within half a tick of them. In
its last half hour an option is priced on the index's average, as its mark is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import black
from engine.domain import YEAR_NS, Instrument, Kind
from engine.paper.crowd.smile import Shape
from engine.paper.instruments.marks import MIN_YEARS, Floats
from engine.surface import delivery

Flags = NDArray[np.bool_]
PEAK = 0.3989  # vega at the money is this times √years, by volatility of 1, in coin


class Reference(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Arrays of one value an option; prices in units."""

    number: int
    t: int
    log_price: float
    shape: Shape
    forwards: list[float]  # by expiry
    stress: float  # the market's variance of late against the usual, at least 1
    averages: list[float]  # by expiry: the index's so far in its last half hour, 0 outside of it
    fair: Floats
    slope: Floats  # by the log of the forward
    vega: Floats  # by the log of volatility
    delta: Floats  # absolute
    far: Floats  # log-moneyness in deviations
    tick: Floats
    arch: Floats  # vega against the expiry's at the money
    years: Floats
    inside: Floats  # how deep in the money, 0 … 1
    live: Flags  # not expired


class Chain:
    """The options of one coin, in order of listing: one row an option, one slot an expiry."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.row: dict[int, int] = {}
        self.instruments: list[Instrument] = []
        self.expiries: list[int] = []
        self.strike = np.zeros(0)
        self.call = np.zeros(0, dtype=np.bool_)
        self.expiry = np.zeros(0, dtype=np.int64)
        self.slot = np.zeros(0, dtype=np.int64)
        self.pair = np.zeros(0, dtype=np.int64)  # the first row of the same expiry and strike
        self.coarse_above, self.coarse = math.inf, 1  # units

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, instruments: Sequence[Instrument], numbers: Sequence[int]) -> None:
        """The options among these are listed too."""
        for n in numbers:
            if instruments[n].kind is Kind.OPTION:
                self.row[n] = len(self.numbers)
                self.numbers.append(n)
                self.instruments.append(instruments[n])
        chain = self.instruments
        self.expiries = sorted({i.expiry for i in chain})
        place = {expiry: slot for slot, expiry in enumerate(self.expiries)}
        self.strike = np.array([i.strike for i in chain])
        self.call = np.array([i.call for i in chain], dtype=np.bool_)
        self.expiry = np.array([i.expiry for i in chain], dtype=np.int64)
        self.slot = np.array([place[i.expiry] for i in chain], dtype=np.int64)
        first: dict[tuple[int, float], int] = {}
        self.pair = np.array([first.setdefault((i.expiry, i.strike), r) for r, i in enumerate(chain)], dtype=np.int64)
        if chain and chain[0].tick_steps:
            above, step = chain[0].tick_steps[0]
            self.coarse_above, self.coarse = round(above / chain[0].tick), round(step / chain[0].tick)

    def reference(
        self, number: int, t: int, log_price: float, shape: Shape, forwards: list[float], stress: float,
        averages: list[float],
    ) -> Reference:  # fmt: skip
        """The whole chain priced at these forwards (by expiry) on this surface."""
        unit = self.instruments[0].tick
        forward = np.array(forwards)[self.slot]
        years = np.maximum((self.expiry - t) / YEAR_NS, MIN_YEARS)
        k = np.log(self.strike / forward)
        vol = shape.ivs(k, self.slot, [(expiry - t) / YEAR_NS for expiry in self.expiries])
        g = black.greeks(forward, self.strike, years, vol, self.call)
        average = np.array(averages)[self.slot]
        rest = np.where(average > 0.0, (self.expiry - t) / delivery.WINDOW_NS, 1.0)
        if any(averages):
            mean = np.where(average > 0.0, average, math.nan)
            ending = delivery.greeks(forward, self.strike, np.maximum(self.expiry - t, 0), vol, self.call, mean)
            g = black.Greeks(*(np.where(average > 0.0, new, old) for new, old in zip(ending, g, strict=True)))
        fair, root = g.price / unit, np.sqrt(years)
        delta = np.abs(g.delta)
        slope = np.where(self.call, 1.0, -1.0) * delta / unit - fair * rest
        return Reference(
            number=number, t=t, log_price=log_price, shape=shape, forwards=forwards, stress=stress, fair=fair,
            averages=averages, slope=slope, vega=g.coin_vega * 100.0 * vol / unit, delta=delta,
            far=np.clip(k / (vol * root), -3.0, 3.0),
            tick=np.where(fair > self.coarse_above, float(self.coarse), 1.0),
            arch=g.coin_vega * 100.0 / (PEAK * root), years=years, inside=np.clip((delta - 0.58) / 0.3, 0.0, 1.0),
            live=self.expiry > t,
        )  # fmt: skip

    def snapped(self, price: float) -> int:
        """The allowed price that is nearest to this one, units."""
        step = self.coarse if price > self.coarse_above else 1
        return round(price / step) * step

    def stepped(self, price: int, ticks: int) -> int:
        """So many ticks up or down, within the grid on this side of the coarse tick's bound; 0 below the lowest."""
        step = self.coarse if price > self.coarse_above or (price == self.coarse_above and ticks > 0) else 1
        return max(self.snapped(price + ticks * step), 0)  # from below the bound it may end above it
