"""The volatility surface of a coin: one SSVI for all expiries, that can hold no static arbitrage.

At the money, the variance still to come is a mixture of three levels, each positive: a short one that has faded with
1/κ₁, a middle one that comes and goes, and a long one,
    ξ(T) = s e^{−κ₁T} + m (e^{−κ₂T} − e^{−κ₁T}) + l (1 − e^{−κ₂T}),   κ₁ > κ₂,   θ(T) = ∫₀ᵀ ξ,
so θ only grows with T. Each expiry's smile is SSVI (Gatheral and Jacquier 2014),
    w(k) = θ/2 (1 + ρφk + √((φk+ρ)² + 1 − ρ²)),   φ = η/√θ,
with one ρ and one η for all. As θφ = η√θ grows slower than Theorem 4.1 allows, and η²(1 + |ρ|) ≤ 4 (Theorem 4.2; ρ and
η are kept within `MAX_SKEW` and `MAX_CURVE`), there is neither a calendar nor a butterfly arbitrage, whatever moves.

Logs of the levels, ρ and log η revert to their usual and move with the underlying's returns and on their own; the
short level also leans to what the underlying's volatility now is, and jumps by itself now and then.

The shape is fitted to a BTC chain of 21 May 2026 (12 expiries: the 30-day level 0.345; 1 day 0.28, 8 days 0.32,
71 days 0.38, 309 days 0.44; ρ −0.07 … −0.33, η 0.77 … 1.25, each expiry within 0.2 … 2.7 vol points) and agrees in η
with the chain of April 2023 (0.77 … 1.04 over 2 days and more). How it moves is the 5-minute chain of April 2023:
log at-the-money vol by 3e-4 a √s at a day, 1.7e-4 at a week, 7e-5 at six weeks, 4.5e-5 beyond; the 25-delta risk
reversal of a month by 0.08 vol points and its butterfly by 0.04 in five minutes; log vol by ±0.5 of the week's
return (up with the forward in that rally; with a negative skew it is down).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from engine.paper.instruments.marks import MIN_YEARS, Floats

MONTH = 30.0 / 365.0
MAX_SKEW = 0.7
MAX_CURVE = 1.5  # 1.5² (1 + 0.7) < 4


class Dice(Protocol):
    """Where the surface gets its numbers from."""

    def uniforms(self, count: int) -> list[float]: ...

    def normals(self, count: int) -> list[float]: ...


class SmileSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Levels are shares of the 30-day volatility, which is `premium` times the underlying's usual one. Deviations are
    of logs (of ρ itself for the skew) a √second, half-lives seconds, `spot_…` by unit of log-return."""

    premium: float = 1.05
    short: float = 0.805
    middle: float = 1.041
    long: float = 1.555
    fast: float = 40.0  # κ₁, a year
    slow: float = 1.5  # κ₂
    skew: float = -0.24
    curve: float = 0.95
    moves: tuple[float, float, float] = (3e-4, 5e-5, 4e-5)  # of the three levels
    half_lives: tuple[float, float, float] = (2400.0, 14400.0, 86400.0)
    spot_levels: tuple[float, float, float] = (-0.6, -0.25, -0.1)
    skew_moves: float = 2e-4
    spot_skew: float = 1.0
    curve_moves: float = 3e-4
    shape_half_life: float = 3600.0
    follows: float = 0.4  # of the underlying's log-volatility, what the short level leans to
    jumps_per_hour: float = 4.0
    jump: float = 0.02


class Shape(msgspec.Struct, frozen=True):
    """A surface as it is at one time: three variances a year, ρ and η."""

    short: float
    middle: float
    long: float
    rho: float
    eta: float
    fast: float
    slow: float

    def theta(self, years: float) -> float:
        """Total variance at the money."""
        first = -math.expm1(-self.fast * years) / self.fast
        second = -math.expm1(-self.slow * years) / self.slow
        return self.short * first + self.middle * (second - first) + self.long * (years - second)

    def atm(self, years: float) -> float:
        """Volatility at the money, a fraction a year."""
        return math.sqrt(self.theta(years) / years)

    def ivs(self, log_moneyness: Floats, slot: np.ndarray, years: Sequence[float]) -> Floats:
        """Volatilities, one for each option: ln(K/F), and where its expiry stands in `years`."""
        left = [max(each, MIN_YEARS) for each in years]
        thetas = np.array([self.theta(each) for each in left])
        steep = (self.eta / np.sqrt(thetas))[slot]
        x = steep * log_moneyness
        rho = self.rho
        half = (thetas / np.array(left) / 2.0)[slot]
        return np.asarray(np.sqrt(half * (1.0 + rho * x + np.sqrt((x + rho) ** 2 + (1.0 - rho * rho)))))


class Smile:
    """The surface in time. `usual` is the underlying's usual volatility, a fraction a year."""

    def __init__(self, settings: SmileSettings, usual: float, dice: Dice) -> None:
        self.settings, self.dice = settings, dice
        self.month = settings.premium * usual
        self.levels = [0.0, 0.0, 0.0]  # logs, around the usual
        self.skew = 0.0  # around the usual
        self.curve = 0.0  # log, around the usual

    def step(self, seconds: float, log_return: float, log_vol: float) -> None:
        """Move on: the underlying's return meanwhile, and its log-volatility around the usual."""
        s, root = self.settings, math.sqrt(seconds)
        noise, (chance,) = self.dice.normals(5), self.dice.uniforms(1)
        for i in range(3):
            pull = math.log(2.0) / s.half_lives[i] * seconds
            aim = s.follows * log_vol if i == 0 else 0.0
            self.levels[i] += pull * (aim - self.levels[i]) + s.moves[i] * root * noise[i]
            self.levels[i] += s.spot_levels[i] * log_return
        fade = math.log(2.0) / s.shape_half_life * seconds
        self.skew += -fade * self.skew + s.skew_moves * root * noise[3] + s.spot_skew * log_return
        self.curve += -fade * self.curve + s.curve_moves * root * noise[4]
        rate = s.jumps_per_hour / 3600.0 * seconds
        if chance < rate:  # what is left of the draw is uniform again, and says how far
            self.levels[0] += s.jump * math.tan(math.pi * 0.9 * (chance / rate - 0.5)) / 2.0

    def shape(self) -> Shape:
        """The surface as it now is."""
        s = self.settings
        short, middle, long = (
            (self.month * share * math.exp(log)) ** 2
            for share, log in zip((s.short, s.middle, s.long), self.levels, strict=True)
        )
        rho = min(max(s.skew + self.skew, -MAX_SKEW), MAX_SKEW)
        return Shape(short, middle, long, rho, min(s.curve * math.exp(self.curve), MAX_CURVE), s.fast, s.slow)

    def dvol(self) -> float:
        """The 30-day level, per cent: the venue's volatility index."""
        return 100.0 * self.shape().atm(MONTH)

    def dump(self) -> list[Any]:
        return [list(self.levels), self.skew, self.curve]

    def load(self, value: list[Any]) -> None:
        self.levels, self.skew, self.curve = list(value[0]), value[1], value[2]
