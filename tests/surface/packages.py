"""Slow and independent: what the trades of a package come to, and whether there is any package at all.

`delivered` books each leg as the venue does (coin premiums and fees, coin payouts) at many delivery prices. `best` asks
a linear program over all quotes of one expiry for the package with the highest worst case, sizes being any real number:
an upper bound of what whole lots can do, and 0 where no arbitrage exists.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from engine.domain import Instrument, Kind, Side
from engine.surface.executable import Quoted
from engine.surface.locked import Delivery, Leg

Floats = NDArray[np.float64]

OPTION_FEE, FUTURE_FEE, CAP = 0.0003, 0.0005, 0.125


def prices_of(strikes: Sequence[float]) -> Floats:
    """Delivery prices from nearly nothing to nearly without bound, every strike and its surroundings among them."""
    kinks = [strike * (1.0 + off) for strike in strikes for off in (-0.002, -0.0012, 0.0, 0.0012, 0.00121, 0.002)]
    return np.concatenate([np.geomspace(1.0, 1e9, 2001), np.array(kinks)])


def paid(one: Instrument, prices: Floats) -> Floats:
    """Coin that one contract of an option pays out."""
    return np.maximum(prices - one.strike if one.call else one.strike - prices, 0.0) / prices


def delivered(legs: Sequence[Leg], fees: Delivery, prices: Floats) -> Floats:
    """Coin that the legs bring at each delivery price, as an accountant would add it up."""
    total = np.zeros_like(prices)
    for leg in legs:
        sign, one = 1.0 if leg.side is Side.BUY else -1.0, leg.instrument
        if one.kind is Kind.FUTURE:
            total += sign * leg.size * (1 / leg.price - 1 / prices) - FUTURE_FEE * leg.size / leg.price
            total -= fees.future * leg.size / prices
        else:
            worth = paid(one, prices)
            total += sign * leg.size * (worth - leg.price)
            total -= leg.size * (min(OPTION_FEE, CAP * leg.price) + np.minimum(fees.option, CAP * worth))
    return total


def best(quotes: Sequence[Quoted], fees: Delivery) -> float:
    """The highest worst case of any package, coin."""
    strikes = [q.instrument.strike for q in quotes if q.instrument.strike]
    kinks = {1.0 / (strike * (1.0 + off)) for strike in strikes for off in (0.0, fees.option / CAP, -fees.option / CAP)}
    kinks |= {(1.0 + off) / strike for strike in strikes for off in (fees.option / CAP, -fees.option / CAP)}
    y = np.array([1e-12, *sorted(kinks)])
    y = np.append(y, 2.0 * y[-1])
    columns, most = [], []
    for quoted in quotes:
        for side, price, size in ((Side.BUY, quoted.ask, quoted.ask_size), (Side.SELL, quoted.bid, quoted.bid_size)):
            if price > 0.0 and 0.0 < size < 1e12:
                unit = 1.0 if quoted.instrument.strike else 1e4  # USD: of like size as a coin
                columns.append(delivered([Leg(quoted.instrument, side, unit, price)], fees, 1.0 / y))
                most.append(size / unit)
    if not columns:
        return 0.0
    table = np.array(columns).T
    falls = (table[-2] - table[-1]) / abs(table[-2] - table[-1]).max()
    rows = np.vstack([np.column_stack([-table, np.ones(len(y))]), np.append(falls, 0.0)])
    found = linprog(
        np.append(np.zeros(len(most)), -1.0), A_ub=rows, b_ub=np.zeros(len(rows)),
        bounds=[*((0.0, one) for one in most), (0.0, None)], method="highs",
    )  # fmt: skip
    return float(-found.fun)
