"""What a book of positions is worth and how it moves: greeks by expiry, a ladder of spot × volatility. Pure functions.

A position is (instrument, size): contracts of coin for options, USD for futures, negative when sold. Values are coin
and USD at the forwards and volatilities given. The ladder moves spot by one share and all volatilities by one number of
points (0.01), smiles moving along with their forwards; forwards move as spot does, but in the last half hour of an
expiry only by the share of the delivery price that is still to be averaged. What cannot be valued is in no sum, and
every sum says what it is without.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine import black
from engine.domain import YEAR_NS, Instrument, Kind
from engine.surface import delivery

Floats = NDArray[np.float64]


class Held(msgspec.Struct, frozen=True):
    instrument: Instrument
    size: float


class Marks(msgspec.Struct, frozen=True):
    """What a book is valued with at `t` (ns): forwards, USD, by expiry, 0 for the perpetual's price; IVs by option
    name, in the last half hour as `delivery` has them; and the average of the index so far, by expiry, in the half hour
    in which it counts."""

    t: int
    forwards: Mapping[int, float]
    vols: Mapping[str, float]
    averages: Mapping[int, float] = {}

    def knows(self, one: Instrument) -> bool:
        """Whether an instrument can be valued."""
        known = _some(self.forwards.get(one.expiry)) and (one.kind is not Kind.OPTION or _some(self.vols.get(one.name)))
        return known and (not delivery.begun(one.expiry, self.t) or _some(self.averages.get(one.expiry)))

    def years(self, one: Instrument) -> float:
        return (one.expiry - self.t) / YEAR_NS

    def so_far(self, expiry: int) -> float:
        """NaN, which nobody asks for, outside the last half hour."""
        return self.averages.get(expiry, math.nan)


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """Of one expiry (0: the perpetual), for the whole size. `value` coin, `usd` the same in USD; a future's is 0 by
    margining. `delta` in coin of the underlying (Black–Scholes), `coin_delta` premium-adjusted; `gamma` change of
    `delta` for 1 % of the forward; `vega`, `theta` USD per vol point and day. `unknown`: what is held and in no sum."""

    expiry: int
    value: float
    usd: float
    delta: float
    coin_delta: float
    gamma: float
    vega: float
    theta: float
    known: int  # how many positions are in the sums
    unknown: tuple[str, ...] = ()


def by_expiry(book: Sequence[Held], marks: Marks) -> list[Exposure]:
    """Greeks of each expiry."""
    return [
        _exposure(expiry, [held for held in book if held.instrument.expiry == expiry], marks)
        for expiry in sorted({held.instrument.expiry for held in book})
    ]


def ladder(
    book: Sequence[Held], marks: Marks,
    spot: Sequence[float] = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2), points: Sequence[float] = (-10, -5, 0, 5, 10),
) -> tuple[Floats, Floats]:  # fmt: skip
    """Profit and loss in USD and in coin, points × spot: what what is held gains when spot moves by these shares and
    the volatilities by these points. What cannot be valued is left out."""
    moves, shifts = np.asarray(spot, dtype=np.float64), np.asarray(points, dtype=np.float64)[:, None] / 100.0
    usd, coin = np.zeros((len(points), len(spot))), np.zeros((len(points), len(spot)))
    for held in (each for each in book if marks.knows(each.instrument)):
        one, forward = held.instrument, marks.forwards[held.instrument.expiry]
        moved, here = _expected(one, forward * (1.0 + moves), marks), _expected(one, forward, marks)
        if one.kind is not Kind.OPTION:
            gained = held.size * (1.0 / here - 1.0 / moved)
            usd += gained * moved
            coin += gained
        else:
            size, vol = held.size * one.contract, marks.vols[one.name]
            then = _coin(one, forward * (1.0 + moves), np.maximum(vol + shifts, 0.0), marks)
            now = _coin(one, forward, vol, marks)
            usd += size * (then * moved - now * here)
            coin += size * (then - now)
    return usd, coin


def _some(value: float | None) -> bool:
    return value is not None and 0.0 < value < math.inf


def _expected(one: Instrument, forward: ArrayLike, marks: Marks) -> Floats:
    """The price of delivery that is expected: the forward, or in the last half hour the average of it all."""
    if not delivery.begun(one.expiry, marks.t):
        return np.asarray(forward, dtype=np.float64)
    return black.averaged(forward, 1.0, marks.years(one), True, marks.so_far(one.expiry)).expected


def _coin(one: Instrument, forward: ArrayLike, vol: ArrayLike, marks: Marks) -> Floats:
    """Coin price of one contract."""
    if not delivery.begun(one.expiry, marks.t):
        return black.prices(forward, one.strike, marks.years(one), vol, one.call)
    return delivery.greeks(forward, one.strike, one.expiry - marks.t, vol, one.call, marks.so_far(one.expiry)).price


def _exposure(expiry: int, book: Sequence[Held], marks: Marks) -> Exposure:
    known = [held for held in book if marks.knows(held.instrument)]
    unknown = tuple(held.instrument.name for held in book if not marks.knows(held.instrument))
    options = [held for held in known if held.instrument.kind is Kind.OPTION]
    futures = [held for held in known if held.instrument.kind is not Kind.OPTION]
    linear = _linear(futures, marks)
    value = usd = delta = coin_delta = gamma = vega = theta = 0.0
    if options:
        size = np.array([held.size * held.instrument.contract for held in options])
        g, forward = _greeks(options, marks), marks.forwards[expiry]
        value, delta, coin_delta = float(size @ g.price), float(size @ g.delta), float(size @ g.coin_delta)
        gamma, vega, theta = float(size @ g.gamma) * forward / 100.0, float(size @ g.vega), float(size @ g.theta)
        usd = value * float(_expected(options[0].instrument, forward, marks))
    return Exposure(
        expiry=expiry, value=value, usd=usd, delta=delta + linear, coin_delta=coin_delta + linear, gamma=gamma,
        vega=vega, theta=theta, known=len(known), unknown=unknown,
    )  # fmt: skip


def _linear(futures: Sequence[Held], marks: Marks) -> float:
    """Coin delta of futures: their USD over the price, and of one that is being delivered what is still to be made."""
    total = 0.0
    for held in futures:
        one, forward = held.instrument, marks.forwards[held.instrument.expiry]
        share = (one.expiry - marks.t) / delivery.WINDOW_NS if delivery.begun(one.expiry, marks.t) else 1.0
        total += share * held.size / float(_expected(one, forward, marks))
    return total


def _greeks(options: Sequence[Held], marks: Marks) -> black.Greeks:
    """Of options of one expiry."""
    first = options[0].instrument
    strikes = np.array([held.instrument.strike for held in options])
    calls = np.array([held.instrument.call for held in options])
    vol = np.array([marks.vols[held.instrument.name] for held in options])
    forward = marks.forwards[first.expiry]
    return delivery.greeks(forward, strikes, first.expiry - marks.t, vol, calls, marks.so_far(first.expiry))
