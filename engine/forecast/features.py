"""One standardisable vector per instrument per 100 ms: what the model sees, in training and live alike.

Theory of operation. Book messages and trades are events: `on_book` and `on_trade` add what they mean to decaying
sums. The clock's step is when a vector is taken: `row` lets the sums decay, joins the events since the last step,
reads the levels as they stand and the context that the market state gives (surface, volatility, underlying).

Units carry over between strikes: distances are ticks at that price, flows are shares of the book's usual depth,
volatilities are vol points, sizes are logs. Heavy tails are bent by `bend`, which leaves small values alone. What is
missing is said by an indicator and left at zero, never invented. Our own resting orders are out of all of it.

A vector must be taken at each step, in order, since the means are updated by it.
"""

from __future__ import annotations

from math import exp, log, log1p
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.domain import NS, Instrument, Kind, Side
from engine.forecast.decay import Means, Sums, factors
from engine.forecast.depth import BOOK_NAMES, OFI_LEVELS, bend, book_part, ofi_levels
from engine.forecast.others import Levels, OwnLots, fair_micro, micro, others, weighted
from engine.market.book import Book

__all__ = ["DEPTH", "NAMES", "Context", "Features", "OwnLots", "Row", "fair_micro", "micro"]

Row = NDArray[np.float32]
DEPTH = 10  # levels read from each side
LATE_NS = 60 * NS  # a print this old is history, sent again, not flow


class Context(msgspec.Struct, kw_only=True):
    """What the market state knows of one instrument at one step; None where unknown.

    `fair` is the surface's price at the present forward, in units; `vega_ticks` is ticks of premium per vol point;
    volatilities are fractions; `under_mid` is USD; `under_ofi` and `under_flow` are the perpetual's own
    `Features.ofi()[1]` and `Features.flow()[1]` (decay 2 s); `fair_iv` is the fitted surface's IV at this strike.
    For a future `coin_delta`, `vega_ticks` and the volatilities are None.
    """

    forward: float | None = None
    years: float = 0.0
    strike: float = 0.0
    fair: float | None = None
    coin_delta: float | None = None
    vega_ticks: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    mark_iv: float | None = None
    atm_iv: float | None = None
    skew: float | None = None
    curvature: float | None = None
    under_mid: float | None = None
    under_ofi: float = 0.0
    under_flow: float = 0.0
    funding: float | None = None
    fair_iv: float | None = None


_FLOW = ("ofi_05", "ofi_2", "ofi_10", "touch_ofi_05", "touch_ofi_2", "touch_ofi_10", "flow_05", "flow_2", "flow_10",
         "liquidations", "trade_rate", "book_rate", "trade_age", "trade_micro")  # fmt: skip
_PRICE = (
    "micro_05",
    "micro_2",
    "micro_10",
    "fair_micro",
    "fair_bid",
    "fair_ask",
    "jitter_10",
    "jitter_60",
    "place_05",
    "place_2",
    "place_10",
    "unrest_10",
    "unrest_60",
)
_IV = ("bid_iv", "ask_iv", "mark_iv", "atm_iv", "skew", "curvature", "mark_iv_2", "mark_iv_10", "mark_iv_60")
_UNDER = ("coin_delta", "vega", "years", "under_05", "under_2", "under_10", "under_ofi", "under_flow", "funding")
_MISSING = ("is_option", "one_sided", "no_trade", "no_fair", "no_iv", "no_bid_iv", "no_ask_iv", "no_under",
            "no_funding")  # fmt: skip
_SUMS = ("ofi", "touch", "flow", "liquidations", "trades", "books", "moves", "unrest")
_MEANS = ("depth", "micro", "iv", "under", "place")
NAMES: tuple[str, ...] = BOOK_NAMES + _FLOW + _PRICE + _IV + _UNDER + _MISSING


class Features:
    """The state behind one instrument's vectors; `load(dump())` goes on exactly as it would have."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._t = 0  # of the last step
        self._last: tuple[Levels, Levels] | None = None  # the others' book at the last event
        self._traded: tuple[int, int] | None = None  # step that saw the last trade, its units
        self._micro_last: float | None = None
        self._place_last: float | None = None  # of the fair micro-price
        self._sums = {name: Sums() for name in _SUMS}
        self._means = {name: Means() for name in _MEANS}

    # events

    def on_book(self, book: Book, own: OwnLots) -> None:
        """After each book message. A stale book, or a message that only concerns our own orders, adds nothing."""
        now = others(book, own, DEPTH)
        before, self._last = self._last, None if book.stale else now
        if before is None or book.stale or now == before:
            return
        flows = ofi_levels(before, now)
        self._sums["ofi"].add(sum(flows) / OFI_LEVELS)
        self._sums["touch"].add(flows[0])
        self._sums["books"].add(1.0)

    def on_trade(
        self, t: int, units: int, lots: int, aggressor: Side, *, plain: bool = True, liquidation: bool = False
    ) -> None:
        """A print of others, never a fill of ours. Blocks, combos and RFQs (`plain` False) do not enter flow."""
        if not plain or t < self._t - LATE_NS:
            return
        signed = float(aggressor.sign * lots)
        self._traded = (0, units)  # the next step dates it
        self._sums["flow"].add(signed)
        self._sums["trades"].add(1.0)
        if liquidation:
            self._sums["liquidations"].add(signed)

    # the step

    def row(self, t: int, book: Book, own: OwnLots, context: Context) -> Row:
        """The vector at step `t`: float32 (len(NAMES),), finite throughout."""
        levels = others(book, own, DEPTH)
        price = weighted(levels[0][0], levels[1][0]) if levels[0] and levels[1] else None
        self._step(t, levels, price, context)
        tick = self.instrument.tick_units(price if price is not None else _anchor(levels, context))
        values = (
            *book_part(self.instrument, levels, price, tick),
            *self._flow_part(price, tick),
            *self._price_part(levels, price, context.fair, tick),
            *self._iv_part(context),
            *self._under_part(context, price, tick),
            *self._missing_part(price, context),
        )
        return np.array(values, dtype=np.float32)

    def ofi(self) -> tuple[float, ...]:
        """Multi-level order-flow imbalance at the last step for decays of 0.5, 2, 10 s, in shares of usual depth."""
        return self._shares("ofi")

    def flow(self) -> tuple[float, ...]:
        """Signed trade flow at the last step, likewise."""
        return self._shares("flow")

    def fragility(self) -> float:
        """0 … 1: how much of the book's usual depth has been pushed one way within about two seconds."""
        return 1.0 - exp(-abs(self.ofi()[1]))

    def _step(self, t: int, levels: tuple[Levels, Levels], price: float | None, context: Context) -> None:
        keep = factors(t - self._t)
        self._t = t
        if price is not None and self._micro_last is not None:
            self._sums["moves"].add(abs(price - self._micro_last))
        if price is not None:
            self._micro_last = price
        place = fair_micro(price, context.fair)
        if place is not None and self._place_last is not None:
            self._sums["unrest"].add(abs(place - self._place_last))
        self._place_last = place
        if self._traded is not None and self._traded[0] == 0:
            self._traded = (t, self._traded[1])
        for total in self._sums.values():
            total.step(keep)
        sizes = [lots for side in levels for _, lots in side[:OFI_LEVELS]]
        self._means["depth"].step(sum(sizes) / len(sizes) if sizes else None, keep)
        self._means["micro"].step(price, keep)
        self._means["place"].step(place, keep)
        self._means["iv"].step(context.mark_iv, keep)
        self._means["under"].step(log(context.under_mid) if context.under_mid else None, keep)

    def _shares(self, name: str) -> tuple[float, ...]:
        depth = self._means["depth"].means
        usual = max(depth[2], 1.0) if depth is not None else 1.0
        return tuple(total / usual for total in self._sums[name].sums[:3])

    def _flow_part(self, price: float | None, tick: int) -> tuple[float, ...]:
        age, away = 0.0, 0.0
        if self._traded is not None:
            age = (self._t - self._traded[0]) / NS
            away = (self._traded[1] - price) / tick if price is not None else 0.0
        return (
            *(bend(x) for x in self.ofi()),
            *(bend(x) for x in self._shares("touch")),
            *(bend(x) for x in self.flow()),
            bend(self._shares("liquidations")[2]),
            log1p(self._sums["trades"].sums[2]),
            log1p(self._sums["books"].sums[1]),
            log1p(age),
            bend(away),
        )

    def _price_part(
        self, levels: tuple[Levels, Levels], price: float | None, fair: float | None, tick: int
    ) -> tuple[float, ...]:
        moved = self._means["micro"].away(price)[:3]
        jitter, unrest = self._sums["moves"].sums, self._sums["unrest"].sums
        drawn = self._means["place"].away(fair_micro(price, fair))[:3]
        to_fair = (fair - price) / tick if fair is not None and price is not None else 0.0
        from_bid = (fair - levels[0][0][0]) / tick if fair is not None and levels[0] else 0.0
        to_ask = (levels[1][0][0] - fair) / tick if fair is not None and levels[1] else 0.0
        return (
            *(bend(x / tick) for x in moved),
            bend(to_fair),
            bend(from_bid),
            bend(to_ask),
            log1p(jitter[2] / tick),
            log1p(jitter[3] / tick),
            *(bend(x / tick) for x in drawn),
            log1p(unrest[2] / tick),
            log1p(unrest[3] / tick),
        )

    def _iv_part(self, context: Context) -> tuple[float, ...]:
        atm = context.atm_iv
        points = [
            100.0 * (iv - atm) if iv is not None and atm is not None else 0.0
            for iv in (context.bid_iv, context.ask_iv, context.mark_iv)
        ]
        shape = (log(atm) if atm else 0.0, context.skew or 0.0, context.curvature or 0.0)
        changes = self._means["iv"].away(context.mark_iv)[1:]
        return *(bend(x) for x in points), *shape, *(bend(100.0 * x) for x in changes)

    def _under_part(self, context: Context, price: float | None, tick: int) -> tuple[float, ...]:
        """The underlying's log-return × coin delta is coin; ÷ the tick it is ticks of this option."""
        option = self.instrument.kind is Kind.OPTION
        delta = context.coin_delta if option else 1.0
        per = (delta or 0.0) / self.instrument.tick / tick if option else (price or 0.0) / tick
        returns = self._means["under"].away(log(context.under_mid) if context.under_mid else None)[:3]
        sign = delta or 0.0
        return (
            sign,
            log1p(abs(context.vega_ticks or 0.0)),
            log(max(context.years, 1e-5)) if option else 0.0,
            *(bend(x * per) for x in returns),
            bend(context.under_ofi * sign),
            bend(context.under_flow * sign),
            10_000.0 * (context.funding or 0.0),
        )

    def _missing_part(self, price: float | None, context: Context) -> tuple[float, ...]:
        return (
            float(self.instrument.kind is Kind.OPTION),
            float(price is None),
            float(self._traded is None),
            float(context.fair is None),
            float(context.mark_iv is None or context.atm_iv is None),
            float(context.bid_iv is None),
            float(context.ask_iv is None),
            float(not context.under_mid),
            float(context.funding is None),
        )

    def dump(self) -> dict[str, Any]:
        return {
            "t": self._t,
            "last": None if self._last is None else [[list(level) for level in side] for side in self._last],
            "traded": None if self._traded is None else list(self._traded),
            "micro": self._micro_last,
            "place": self._place_last,
            "sums": {name: total.dump() for name, total in self._sums.items()},
            "means": {name: mean.dump() for name, mean in self._means.items()},
        }

    @classmethod
    def load(cls, instrument: Instrument, value: dict[str, Any]) -> Features:
        made = cls(instrument)
        made._t, made._micro_last = value["t"], value["micro"]
        made._place_last = value["place"]
        if value["last"] is not None:
            bids, asks = ([(units, lots) for units, lots in side] for side in value["last"])
            made._last = (bids, asks)
        made._traded = None if value["traded"] is None else (value["traded"][0], value["traded"][1])
        made._sums = {name: Sums.load(value["sums"][name]) for name in _SUMS}
        made._means = {name: Means.load(value["means"][name]) for name in _MEANS}
        return made


def _anchor(levels: tuple[Levels, Levels], context: Context) -> float:
    """A price that tells the tick while there is no micro-price: whichever side there is, else the fair price."""
    for side in levels:
        if side:
            return float(side[0][0])
    return context.fair if context.fair is not None else 1.0
