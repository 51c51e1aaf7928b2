"""What a book of positions is worth and how it moves: greeks by expiry, a ladder of spot × volatility. Pure functions.

A position is (instrument, size): contracts of coin for options, USD for futures, negative when sold. Values are coin
and USD at the forwards and volatilities given. The ladder moves all forwards by one share and all volatilities by one
number of points (0.01), smiles moving along with their forwards, and says the change of the USD value of what is held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import black
from engine.domain import YEAR_NS, Instrument, Kind

Floats = NDArray[np.float64]
Volatility = Mapping[str, float]  # IV by option name; an option without one is left out, and said


class Held(msgspec.Struct, frozen=True):
    instrument: Instrument
    size: float


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """Of one expiry (0: the perpetual), for the whole size: coin and USD. `delta` in coin of the underlying (Black–
    Scholes), `coin_delta` premium-adjusted; `gamma` change of `delta` for 1 % of the forward; `vega`, `theta` USD per
    vol point and day. `unknown`: options held whose volatility nobody knows; they are in no sum."""

    expiry: int
    value: float
    delta: float
    coin_delta: float
    gamma: float
    vega: float
    theta: float
    unknown: tuple[str, ...] = ()


def by_expiry(book: Sequence[Held], forwards: Mapping[int, float], vols: Volatility, t: int) -> list[Exposure]:
    """Greeks of each expiry. `forwards` by expiry, 0 for the perpetual's price; a future's value is 0 by margining."""
    return [
        _exposure(expiry, [held for held in book if held.instrument.expiry == expiry], forwards.get(expiry), vols, t)
        for expiry in sorted({held.instrument.expiry for held in book})
    ]


def ladder(
    book: Sequence[Held], forwards: Mapping[int, float], vols: Volatility, t: int,
    spot: Sequence[float] = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2), points: Sequence[float] = (-10, -5, 0, 5, 10),
) -> Floats:  # fmt: skip
    """USD profit and loss, points × spot: what the book gains when the forwards move by these shares and the
    volatilities by these points. Options without a volatility or a forward are left out."""
    moves, shifts = np.asarray(spot, dtype=np.float64), np.asarray(points, dtype=np.float64)[:, None] / 100.0
    total = np.zeros((len(points), len(spot)))
    for held in book:
        one, forward = held.instrument, forwards.get(held.instrument.expiry)
        if forward is None or forward <= 0.0:
            continue
        moved = forward * (1.0 + moves)
        if one.kind is not Kind.OPTION:
            total += held.size * (moved / forward - 1.0)
        elif one.name in vols:
            years, vol = (one.expiry - t) / YEAR_NS, vols[one.name]
            then = moved * black.prices(moved, one.strike, years, np.maximum(vol + shifts, 0.0), one.call)
            now = forward * float(black.prices(forward, one.strike, years, vol, one.call))
            total += held.size * one.contract * (then - now)
    return total


def _exposure(expiry: int, book: Sequence[Held], forward: float | None, vols: Volatility, t: int) -> Exposure:
    options = [held for held in book if held.instrument.kind is Kind.OPTION]
    known = [held for held in options if forward and held.instrument.name in vols]
    unknown = tuple(held.instrument.name for held in options if held not in known)
    linear = 0.0 if not forward else sum(h.size for h in book if h.instrument.kind is not Kind.OPTION) / forward
    if not known or not forward:
        return Exposure(expiry=expiry, value=0.0, delta=linear, coin_delta=linear, gamma=0.0, vega=0.0, theta=0.0,
                        unknown=unknown)  # fmt: skip
    size = np.array([held.size * held.instrument.contract for held in known])
    strikes = np.array([held.instrument.strike for held in known])
    calls = np.array([held.instrument.call for held in known])
    vol = np.array([vols[held.instrument.name] for held in known])
    g = black.greeks(forward, strikes, (expiry - t) / YEAR_NS, vol, calls)
    return Exposure(
        expiry=expiry,
        value=float(size @ g.price),
        delta=float(size @ g.delta) + linear,
        coin_delta=float(size @ g.coin_delta) + linear,
        gamma=float(size @ g.gamma) * forward / 100.0,
        vega=float(size @ g.vega),
        theta=float(size @ g.theta),
        unknown=unknown,
    )
