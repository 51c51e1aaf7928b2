"""What a package of trades brings at the least, whatever the delivery price: coin, all fees taken off.

Theory of operation. With y = 1/S an inverse call pays (1 − Ky)⁺ coin and a put (Ky − 1)⁺; a future bought for N USD at
F pays N (1/F − y). A delivery fee is a share of a future's worth, and for an option a fixed coin fee capped at a share
of what it pays. All of it is piecewise linear in y: its worst case is at y = 0 (a price without bound), at a kink (1/K,
and where the cap of a fee ends), or, if it falls beyond the last kink, without bound (a price of nothing).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from engine.domain import OPTION_FEE_CAP, Instrument, Kind, Side


class Leg(msgspec.Struct, frozen=True):
    """`size` in the instrument's amounts (coin for options, USD for futures), `price` coin or USD."""

    instrument: Instrument
    side: Side
    size: float
    price: float


class Delivery(msgspec.Struct, frozen=True):
    """Fees at delivery: coin an option contract, and a share of a future's worth. The venue takes neither of dailies,
    nor the latter of weeklies; they are counted all the same, so that no profit stands on it."""

    option: float = 0.00015
    future: float = 0.00025


def least(legs: Sequence[Leg], fees: Delivery) -> float:
    """The least that a package held to delivery brings, coin; −inf if it has no bound."""
    capped = fees.option / OPTION_FEE_CAP
    kinks = {0.0}
    for leg in legs:
        if strike := leg.instrument.strike:
            kinks.update((1.0 / strike, (1.0 + capped) / strike, (1.0 - capped) / strike))
    nodes = sorted(kinks)
    values = [sum(_worth(leg, y, fees) for leg in legs) for y in (*nodes, 2.0 * nodes[-1] + 1e-9)]
    return -math.inf if values[-1] < values[-2] - 1e-12 else min(values)


def trading_fee(instrument: Instrument, price: float) -> float:
    """Coin a contract (options), of taking at this price: each leg by itself, without a combo's discount."""
    return min(instrument.taker_fee, OPTION_FEE_CAP * price)


def _worth(leg: Leg, y: float, fees: Delivery) -> float:
    one, sign = leg.instrument, leg.side.sign
    if one.kind is not Kind.OPTION:
        taker = leg.size * one.taker_fee / leg.price
        return sign * leg.size * (1.0 / leg.price - y) - taker - leg.size * y * fees.future
    pays = max(1.0 - one.strike * y, 0.0) if one.call else max(one.strike * y - 1.0, 0.0)
    costs = trading_fee(one, leg.price) + min(fees.option, OPTION_FEE_CAP * pays)
    return leg.size * one.contract * (sign * (pays - leg.price) - costs)
