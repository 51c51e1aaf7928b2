"""What can be said without a model: base rates, the book walked as it stands, and persistence.

Every gauge's skill is measured against this, the model's outputs are corrections to it, and the desk runs on it
when there are no weights.
"""

from __future__ import annotations

import msgspec

from engine.domain import Instrument, Kind
from engine.forecast.others import Levels, OwnLots, lots_of, others, walk, weighted
from engine.market.book import Book
from engine.messages import SIZES, Forecast, Odds

DEPTH = 40  # levels walked
LATER = (10, 60)  # seconds, of the direction's longer horizons
IMPACT_SIZE = SIZES.index(10.0)
Band = tuple[float, float, float]


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Frequencies measured on the training data and frozen with the weights.

    The defaults stand where nothing was measured: a market that mostly keeps still. `slip` are the 10/50/90 %
    quantiles of the cost's error after one step of latency, (cost − walked) ÷ (1 + walked); `iv` the same quantiles of
    the 60 s change of IV in per cent; `impact` the share of the mechanical push that is left after 5 s.
    """

    up: float = 0.1
    down: float = 0.1
    up_10: float = 0.1
    down_10: float = 0.1
    up_60: float = 0.1
    down_60: float = 0.1
    fill_bid: float = 0.05
    fill_ask: float = 0.05
    impact: float = 0.5
    slip: Band = (0.0, 0.0, 0.0)
    iv: Band = (-0.5, 0.0, 0.5)

    def odds(self, seconds: int = 1) -> Odds:
        """Of a horizon of 1, 10 or 60 s."""
        up, down = {1: (self.up, self.down), 10: (self.up_10, self.down_10), 60: (self.up_60, self.down_60)}[seconds]
        return Odds(seconds=seconds, up=up, down=down, stable=1.0 - up - down)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A two-sided book as it stands, without our orders. Ticks are ticks at its micro-price."""

    instrument: Instrument
    bid: int  # units
    ask: int
    bid_lots: int
    ask_lots: int
    micro: float  # units
    tick: int  # units
    spread: float  # ticks
    depth: float  # contracts at the touch, mean of both sides
    buy: tuple[float, ...]  # ticks beyond the touch for each of SIZES, walking the asks
    sell: tuple[float, ...]
    push_buy: float  # ticks by which taking 10 contracts moves the micro-price mechanically
    push_sell: float  # of the other sign's side, given as a positive number


def standing(book: Book, own: OwnLots) -> Standing | None:
    """None for a stale or one-sided book: there is nothing to be said about it."""
    bids, asks = others(book, own, DEPTH)
    if not bids or not asks:
        return None
    instrument, price = book.instrument, weighted(bids[0], asks[0])
    tick = instrument.tick_units(price)
    lots = [lots_of(instrument, size, price) for size in SIZES]
    return Standing(
        instrument=instrument,
        bid=bids[0][0],
        ask=asks[0][0],
        bid_lots=bids[0][1],
        ask_lots=asks[0][1],
        micro=price,
        tick=tick,
        spread=(asks[0][0] - bids[0][0]) / tick,
        depth=contracts(instrument, (bids[0][1] + asks[0][1]) / 2, price),
        buy=tuple(walk(asks, n) / tick for n in lots),
        sell=tuple(walk(bids, n) / tick for n in lots),
        push_buy=max(weighted(bids[0], _after(asks, lots[IMPACT_SIZE], 1)) - price, 0.0) / tick,
        push_sell=max(price - weighted(_after(bids, lots[IMPACT_SIZE], -1), asks[0]), 0.0) / tick,
    )


def contracts(instrument: Instrument, lots: float, units: float) -> float:
    """Lots → contracts; of a future, coins' worth, as `lots_of` has it."""
    amount = lots * instrument.lot
    return amount if instrument.kind is Kind.OPTION else amount / (units * instrument.tick)


def _after(levels: Levels, lots: int, sign: int) -> tuple[int, int]:
    """The first level left after `lots` are taken; past the end, one as far again, of the last one's size. `sign` is
    1 for asks, −1 for bids."""
    left = lots
    for units, size in levels:
        if size > left:
            return units, size - left
        left -= size
    (first, _), (last, size) = levels[0], levels[-1]
    return last + ((last - first) or sign), size


def baseline(t: int, now: Standing, rates: Rates) -> Forecast:
    """Base-rate direction, no drift, the book as it stands for cost, spread and depth, persistence for IV."""
    return Forecast(
        t=t,
        source="baseline",
        warm=True,
        familiar=True,
        up=rates.up,
        down=rates.down,
        stable=1.0 - rates.up - rates.down,
        drift_ticks=0.0,
        slip_buy=tuple(spread_out(walked, rates.slip) for walked in now.buy),
        slip_sell=tuple(spread_out(walked, rates.slip) for walked in now.sell),
        impact_buy=rates.impact * now.push_buy,
        impact_sell=rates.impact * now.push_sell,
        fill_bid=rates.fill_bid,
        fill_ask=rates.fill_ask,
        iv_move=rates.iv,
        spread_ticks=now.spread,
        depth=now.depth,
        later=tuple(rates.odds(seconds) for seconds in LATER),
    )


def spread_out(walked: float, error: Band) -> Band:
    """A walked cost in ticks and a relative error band → a band in ticks."""
    scale = 1.0 + walked
    return walked + scale * error[0], walked + scale * error[1], walked + scale * error[2]
