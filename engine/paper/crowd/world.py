"""What moves the paper market underneath: an efficient price, how restless it is, and what futures cost over it.

Nobody sees it as it is. Makers see it late and through their own opinion, informed takers see it a little less late;
nobody ever sees a price that has not happened yet. Every step draws the same number of values, so that no order of
anyone's changes the dice. Coins share half of their luck: each draws the common shocks from a stream of the same seed
and name, so that the worlds stay in step without knowing one another.

The log-price is a martingale but for a slow drift: its volatility is the regime's level (a Markov chain) times two
mean-reverting log-volatilities, minutes and hours, times a shock that a jump leaves behind and that fades in a minute.
The premium of the perpetual and the basis of the dated futures revert to their usual.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine.domain import NS, YEAR_NS, Instrument, Kind
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.smile import Smile
from engine.paper.instruments.marks import MIN_YEARS, Floats

STEP_NS = NS // 40
MEMORY = 128  # steps kept for those who see late: 3.2 s
SECOND = STEP_NS / NS
SMILE_STEPS = 4
KEPT = ("log_price", "burst", "fast", "slow", "shock", "drift", "premium", "basis", "heat")


class Regime(msgspec.Struct, frozen=True, kw_only=True):
    """One state of the volatility: its level and how long it lasts, mean seconds. Leaving it, any other is as likely
    as its `draw` among theirs."""

    level: float
    stay_s: float
    draw: float


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a world. Volatilities are annual fractions, half-lives seconds.

    Sources: `vol` the at-the-money level of the chains of 2023 to 2026 (0.40–0.60); recordings of 2024 ran at 0.27 to
    0.74 over minutes. The fast volatility from the autocorrelation of absolute 1 s returns there (0.13–0.21 at one
    second, 0.05 at five)."""

    vol: float = 0.45
    fast: float = 0.35  # stationary deviation of the fast log-volatility
    fast_half_life: float = 40.0
    burst: float = 0.6  # stationary deviation of a log-volatility of seconds
    burst_half_life: float = 1.5
    slow: float = 0.30
    slow_half_life: float = 3600.0
    regimes: tuple[Regime, ...] = (
        Regime(level=0.70, stay_s=1800.0, draw=0.35),
        Regime(level=1.00, stay_s=3600.0, draw=0.50),
        Regime(level=1.80, stay_s=400.0, draw=0.15),
    )
    common: float = 0.85  # correlation of a coin's shocks with the shared ones
    jumps_per_hour: float = 5.0
    jump: float = 0.0012  # deviation of a jump's log-size
    jump_vol: float = 0.5  # what a jump of one deviation adds to the log-volatility
    jump_half_life: float = 45.0
    drift: float = 0.004  # stationary deviation of the drift, in deviations of a second's return
    drift_half_life: float = 900.0
    premium: float = 1.0e-4  # stationary deviation of the perpetual's premium over the index
    premium_half_life: float = 1800.0
    carry: float = 0.06  # annual basis of dated futures
    basis: float = 2.0e-4  # stationary deviation of a dated future's basis around the carry
    basis_half_life: float = 2400.0


class World:
    """`step()` moves it by STEP_NS; the rest reads it."""

    def __init__(
        self, dice: Stream, common: Stream, start_ns: int, weather: Weather, price: float, smile: Smile
    ) -> None:
        self.weather, self.t, self.smile = weather, start_ns, smile
        self._dice, self._common = dice, common
        self.expiries: list[int] = []
        self.strike, self.slot = np.zeros(0), np.zeros(0, dtype=np.int64)  # of the options, in the listing's order
        self.log_price = math.log(price)
        self.steps = 0
        self.smiled = self.log_price  # when the smile last moved
        self.burst = self.fast = self.slow = self.shock = 0.0  # log-volatility around the usual
        self.regime = max(range(len(weather.regimes)), key=lambda k: weather.regimes[k].draw)
        self.drift = 0.0  # deviations of a second's return, a second
        self.premium = self.basis = 0.0
        self.heat = 1.0  # how fast the price has lately moved, around 1
        self.past: deque[float] = deque([price] * MEMORY, maxlen=MEMORY)
        self._paces(weather)

    def _paces(self, w: Weather) -> None:
        """What a step keeps of each reverting part, and the shock that holds its deviation."""
        self._fast = _pace(w.fast_half_life, w.fast)
        self._slow = _pace(w.slow_half_life, w.slow)
        self._burst = _pace(w.burst_half_life, w.burst)
        self._drift = _pace(w.drift_half_life, w.drift)
        self._premium = _pace(w.premium_half_life, w.premium)
        self._basis = _pace(w.basis_half_life, w.basis)
        self._fade = 0.5 ** (SECOND / w.jump_half_life)
        self._own = math.sqrt(1.0 - w.common**2)
        self._second = w.vol / math.sqrt(YEAR_NS / NS) * math.exp(-(w.fast**2 + w.slow**2 + w.burst**2))
        self._cool = 0.5 ** (SECOND / 1.0)
        self._leave = [SECOND / r.stay_s for r in w.regimes]

    @property
    def price(self) -> float:
        return self.past[-1]

    @property
    def log_vol(self) -> float:
        """Of volatility now over its usual."""
        return self.fast + self.slow + self.shock + math.log(self.weather.regimes[self.regime].level)

    def second_deviation(self) -> float:
        """Deviation of a second's log-return as volatility now is."""
        return self._second * math.exp(self.log_vol)

    def usual_deviation(self) -> float:
        """Deviation of a second's log-return as volatility usually is."""
        return self.weather.vol / math.sqrt(YEAR_NS / NS)

    def listed(self, instruments: Sequence[Instrument]) -> None:
        """All that is listed, now."""
        self.expiries = sorted({i.expiry for i in instruments if i.expiry})
        chain = [i for i in instruments if i.kind is Kind.OPTION]
        self.strike = np.array([i.strike for i in chain])
        self.slot = np.array([self.expiries.index(i.expiry) for i in chain], dtype=np.int64)

    def step(self) -> None:
        w = self.weather
        z_price, z_fast, z_slow, z_drift, z_premium, z_basis, z_jump, z_burst = self._dice.normals(8)
        c_price, c_fast, c_slow = self._common.normals(3)
        chance_jump, chance_leave, chance_where = self._dice.uniforms(3)
        own, common = self._own, w.common
        keep, push = self._fast
        self.fast = keep * self.fast + push * (common * c_fast + own * z_fast)
        keep, push = self._slow
        self.slow = keep * self.slow + push * (common * c_slow + own * z_slow)
        keep, push = self._burst
        self.burst = keep * self.burst + push * z_burst
        keep, push = self._drift
        self.drift = keep * self.drift + push * z_drift
        keep, push = self._premium
        self.premium = keep * self.premium + push * z_premium
        keep, push = self._basis
        self.basis = keep * self.basis + push * z_basis
        self.shock *= self._fade
        if chance_leave < self._leave[self.regime]:
            self.regime = self._elsewhere(chance_where)
        second = self.second_deviation()
        move = second * math.exp(self.burst) * (self.drift * SECOND + _ROOT * (common * c_price + own * z_price))
        if chance_jump < w.jumps_per_hour * SECOND / 3600.0:
            move += w.jump * z_jump
            self.shock = min(self.shock + w.jump_vol * abs(z_jump), 2.0)
        self.log_price += move
        self.heat = self._cool * self.heat + (1.0 - self._cool) * abs(move) / (self._second * _USUAL)
        self.past.append(math.exp(self.log_price))
        self.t += STEP_NS
        self.steps += 1
        if self.steps % SMILE_STEPS == 0:
            self.smile.step(SMILE_STEPS * SECOND, self.log_price - self.smiled, self.log_vol)
            self.smiled = self.log_price

    def seen(self, late_ns: int) -> float:
        """The price as it was so long ago."""
        return self.past[-1 - min(late_ns // STEP_NS, MEMORY - 1)]

    def over(self, expiry: int) -> float:
        """Log of what a future (0: the perpetual) costs over the efficient price."""
        if not expiry:
            return self.premium
        years = max(expiry - self.t, 0) / YEAR_NS
        return self.weather.carry * years + self.basis * min(1.0, years * 26.0)

    def fair(self, expiry: int, late_ns: int) -> float:
        """What the perpetual (0) or a dated future was worth so long ago, USD."""
        return self.seen(late_ns) * math.exp(self.over(expiry))

    def forwards(self, price: float) -> Floats:
        """By expiry, in order."""
        return np.array([price * math.exp(self.over(expiry)) for expiry in self.expiries])

    def ivs(self, forwards: Floats) -> Floats:
        """Implied volatilities, fractions, one per option in the listing's order."""
        years = [max((expiry - self.t) / YEAR_NS, MIN_YEARS) for expiry in self.expiries]
        return self.smile.shape().ivs(np.log(self.strike / forwards[self.slot]), self.slot, years)

    def dump(self) -> list[Any]:
        return [self.t, self.steps, self.smiled, self.smile.dump(), self.regime, list(self.past),
                [getattr(self, name) for name in KEPT]]  # fmt: skip

    def load(self, value: list[Any]) -> None:
        self.t, self.steps, self.smiled, smile, self.regime, past, kept = value
        self.smile.load(smile)
        self.past = deque(past, maxlen=MEMORY)
        for name, number in zip(KEPT, kept, strict=True):
            setattr(self, name, number)

    def _elsewhere(self, chance: float) -> int:
        """Another regime, by what they draw."""
        others = [(k, r.draw) for k, r in enumerate(self.weather.regimes) if k != self.regime]
        left = chance * sum(draw for _, draw in others)
        for k, draw in others:
            left -= draw
            if left < 0.0:
                return k
        return self.regime


_ROOT = math.sqrt(SECOND)
_USUAL = math.sqrt(2.0 / math.pi) * _ROOT  # of a step's absolute move, in deviations of a second


def _pace(half_life: float, deviation: float) -> tuple[float, float]:
    keep = 0.5 ** (SECOND / half_life)
    return keep, deviation * math.sqrt(1.0 - keep * keep)
