"""What moves the paper market underneath: an efficient price, its volatility, a passing drift, and a smile.

Nobody sees it as it is. Makers see it late and through their own opinion; informed takers see the drift a little
before it has happened. Everything here is drawn from one stream of its own, a fixed number of draws a step, so that
no order of anyone's changes the dice.

Price: log-normal with log-volatility a mean-reverting process, rare jumps, and a drift that decays in seconds
(the part that can be learnt). The surface is `smile.py`'s.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.random import Generator

from engine.domain import NS, YEAR_NS, Instrument, Kind
from engine.paper.crowd.smile import Smile
from engine.paper.marks import MIN_YEARS, Floats

STEP_NS = NS // 20
MEMORY = 64  # steps kept for those who see late: 3.2 s


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the world. Volatilities are annual fractions, half-lives seconds."""

    vol: float = 0.45
    vol_of_vol: float = 0.35  # stationary deviation of log-volatility
    vol_half_life: float = 600.0
    drift: float = 0.40  # the drift's part of a second's deviation
    drift_half_life: float = 4.0
    jumps_per_hour: float = 6.0
    jump: float = 0.0015
    carry: float = 0.06  # annual basis of dated futures


class World:
    """`step()` moves it by STEP_NS; the rest reads it."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        rng: Generator,
        start_ns: int,
        weather: Weather,
        price: float,
        smile: Smile,
    ) -> None:
        self.weather, self.rng, self.t, self.smile = weather, rng, start_ns, smile
        self.log_price = math.log(price)
        self.log_vol = 0.0  # around the weather's
        self.drift = 0.0  # in deviations of a second
        self.expiries = sorted({i.expiry for i in instruments if i.expiry})
        chain = [i for i in instruments if i.kind is Kind.OPTION]
        self.strike = np.array([i.strike for i in chain])
        self.slot = np.array([self.expiries.index(i.expiry) for i in chain], dtype=np.int64)
        self.past: deque[tuple[float, float]] = deque([(self.log_price, 0.0)] * MEMORY, maxlen=MEMORY)

    @property
    def price(self) -> float:
        return math.exp(self.log_price)

    def step(self) -> None:
        w, dt = self.weather, STEP_NS / NS
        noise = self.rng.standard_normal(6).tolist()
        chance = self.rng.random(2).tolist()
        pull = math.log(2) / w.vol_half_life * dt
        self.log_vol += -pull * self.log_vol + w.vol_of_vol * math.sqrt(2 * pull) * noise[0]
        fade = math.log(2) / w.drift_half_life * dt
        self.drift += -fade * self.drift + math.sqrt(2 * fade) * noise[1]
        second = self.second_deviation()
        before = self.log_price
        self.log_price += second * (w.drift * self.drift * dt + math.sqrt(dt) * noise[2])
        if chance[0] < w.jumps_per_hour / 3600 * dt:
            self.log_price += w.jump * noise[3]
            self.log_vol += 0.2
        self.smile.step(dt, self.log_price - before, self.log_vol)
        self.past.append((self.log_price, 0.0))
        self.t += STEP_NS

    def second_deviation(self) -> float:
        """Deviation of a second's log-return as volatility now is."""
        return self.weather.vol * math.exp(self.log_vol) / math.sqrt(YEAR_NS / NS)

    def usual_deviation(self) -> float:
        """Deviation of a second's log-return as volatility usually is."""
        return self.weather.vol / math.sqrt(YEAR_NS / NS)

    def seen(self, late_ns: int) -> tuple[float, float]:
        """Price and smile level as they were so long ago."""
        log_price, level = self.past[-1 - min(late_ns // STEP_NS, MEMORY - 1)]
        return math.exp(log_price), level

    def forwards(self, price: float) -> Floats:
        """By expiry, in order."""
        return np.array([price * math.exp(self.weather.carry * y) for y in self._years()])

    def ivs(self, forwards: Floats) -> Floats:
        """Implied volatilities, fractions, one per option in the listing's order."""
        k = np.log(self.strike / forwards[self.slot])
        return self.smile.shape().ivs(k, self.slot, self._years())

    def dump(self) -> dict[str, Any]:
        return {"t": self.t, "log_price": self.log_price, "log_vol": self.log_vol, "drift": self.drift,
                "smile": self.smile.dump(), "past": list(map(list, self.past))}  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        self.t, self.log_price, self.log_vol = value["t"], value["log_price"], value["log_vol"]
        self.drift = value["drift"]
        self.smile.load(value["smile"])
        self.past = deque([(price, level) for price, level in value["past"]], maxlen=MEMORY)

    def _years(self) -> list[float]:
        return [max((e - self.t) / YEAR_NS, MIN_YEARS) for e in self.expiries]
