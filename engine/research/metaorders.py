"""What a large order, worked in slices, does to the paper market's price: injected by a client, paired by clones.

From one moment the market goes on under the same dice with the client's order and without it, so the difference of the
mid is what the order did. Market orders of equal size are sent once a second; the price is followed until well after
the last. Sizes are shares of what usually trades in that time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.domain import NS, Side
from engine.market.deribit.wire import request
from engine.paper.simulation import Futures, Simulation
from engine.research.track import Floats

PERPETUAL = "BTC-PERPETUAL"
SIZES_USD = (100_000.0, 300_000.0, 1_000_000.0)
WORKED_S = 20
AFTER_S = 40
NAN = float("nan")


def metaorder_impact(simulation: Simulation, pairs: int, between_s: float = 20.0) -> dict[str, float]:
    """Over so many moments, `between_s` apart (the simulation is moved on), each size once, buying and selling in turn.

    `exponent` is δ in peak ~ size^δ, `build` that in impact ~ time^δ while it is worked; `peak_bp` the move at the end
    of the middle size; `after_20s`, `after_40s` what is left of the peak then, all sizes together; `pairs` how many.
    """
    paths = {usd: np.zeros(WORKED_S + AFTER_S + 1) for usd in SIZES_USD}
    done = 0
    for k in range(pairs):
        simulation.advance(simulation.t + round(between_s * NS))
        side = Side.BUY if k % 2 == 0 else Side.SELL
        futures = Futures(simulation)
        without = path(futures.future(k), side, 0.0)
        for usd in SIZES_USD:
            paths[usd] += side.sign * (path(futures.future(k), side, usd) - without)
        done += 1
    return {**shape([paths[usd] / max(done, 1) for usd in SIZES_USD]), "pairs": float(done)}


def path(future: Simulation, side: Side, usd: float) -> Floats:
    """The mid, bp of its beginning, at each second while the order is worked and after it."""
    exchange, n = future.exchange(PERPETUAL)
    begin, first = future.t, _mid(future)
    out = [0.0]
    lots = max(1, round(usd / WORKED_S / exchange.instruments[n].lot))
    params = {"instrument_name": PERPETUAL, "amount": exchange.instruments[n].amount(lots), "type": "market"}
    for second in range(1, WORKED_S + AFTER_S + 1):
        if usd and second <= WORKED_S:
            future.request(request(second, f"private/{side}", params))
        future.advance(begin + second * NS)
        out.append((_mid(future) / first - 1.0) * 1e4)
    return np.array(out)


def shape(paths: Sequence[Floats]) -> dict[str, float]:
    """Of the mean paths by size, smallest first; see `metaorder_impact`."""
    peaks = np.array([each[WORKED_S - 1 : WORKED_S + 2].mean() for each in paths])
    whole = np.sum(paths, axis=0)
    peak = whole[WORKED_S - 1 : WORKED_S + 2].mean()
    left = [whole[WORKED_S + s - 2 : WORKED_S + s + 1].mean() / peak if peak > 0 else NAN for s in (20, 40)]
    return {
        "exponent": _slope(np.array(SIZES_USD), peaks),
        "build": _slope(np.arange(2.0, WORKED_S + 1), whole[2 : WORKED_S + 1]),
        "peak_bp": float(peaks[len(peaks) // 2]),
        "after_20s": float(left[0]),
        "after_40s": float(left[1]),
    }


def _slope(x: Floats, y: Floats) -> float:
    """Of log y on log x, where y is above nothing."""
    known = y > 0.0
    return float(np.polyfit(np.log(x[known]), np.log(y[known]), 1)[0]) if known.sum() > 1 else NAN


def _mid(future: Simulation) -> float:
    """Units; the last known side's where one is empty."""
    exchange, n = future.exchange(PERPETUAL)
    book = exchange.books[n]
    bid, ask = book.bids.best, book.asks.best
    if bid is None or ask is None:
        return float(bid or ask or exchange.marks.price[n] / exchange.instruments[n].tick)
    return (bid + ask) / 2.0
