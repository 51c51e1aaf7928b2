"""One standardisable vector per instrument per 100 ms: what the model sees, in training and live alike.

Theory of operation. Book messages and trades are events: `on_book` and `on_trade` keep what they mean until the
clock's step, when it joins decaying sums and a vector is taken: `row` lets the sums decay, reads the levels as they
stand and the context that the market state gives (surface, volatility, underlying).

Units carry over between strikes: distances are ticks at that price, flows are shares of the book's usual depth,
volatilities are vol points, sizes are logs. Heavy tails are bent by `bend`, which leaves small values alone. What is
missing is said by an indicator and left at zero, never invented.

Our own orders and fills are out of all of it. Resting orders are taken out of every book that is read. What we took is
taken out of the book before, so that its going is no order flow, and means move along with the push: no feature sees
that anything flowed or moved, though the book that is left is as it is. Messages of one event come in any order, so
`on_own_order` and `on_own_fill` also undo what an earlier one of the same step was taken for.

A vector must be taken at each step, in order, since the means are updated by it.
"""

from __future__ import annotations

from math import exp, log, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain import NS, Instrument, Kind, Side
from engine.forecast.around import CONTEXT_MEANS, Changed, chain_part, iv_part, missing_part, under_part
from engine.forecast.context import Context
from engine.forecast.decay import Means, Sums, factors
from engine.forecast.depth import OFI_LEVELS, bend, book_part, ofi_levels
from engine.forecast.names import NAMES
from engine.forecast.others import (
    FAIR_WEIGHT,
    Both,
    OwnLots,
    alike,
    as_lists,
    fair_micro,
    from_lists,
    lots_at,
    micro,
    others,
    weighted,
    width,
    without,
)
from engine.market.book import Book

__all__ = ["DEPTH", "NAMES", "Context", "Features", "OwnLots", "Row", "fair_micro", "micro"]

Row = NDArray[np.float32]
DEPTH = 10  # levels read from each side
LATE_NS = 60 * NS  # a print this old is history, sent again, not flow
SUMS = ("ofi", "touch", "flow", "liquidations", "trades", "books", "moves", "unrest")
MEANS = ("depth", "micro", "place", "spread", "under", *CONTEXT_MEANS)


class Features:
    """The state behind one instrument's vectors; `load(dump())` goes on exactly as it would have."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._t = 0  # of the last step
        self._last: Both | None = None  # the others' book at the last event
        self._cut = False  # that book lacks what we took from it since
        self._changes: list[tuple[Both, Both]] = []  # of the others' book since the last step
        self._prints: list[tuple[str, int, int, bool]] = []  # since then: id, units, signed lots, liquidation
        self._traded: tuple[int, int] | None = None  # step that saw the last trade, its units
        self._changed: Changed | None = None
        self._fair_known = False  # whether the surface had a say in the last place
        self._micro_last: float | None = None
        self._place_last: float | None = None  # of the fair micro-price
        self._sums = {name: Sums() for name in SUMS}
        self._means = {name: Means() for name in MEANS}

    # events

    def on_book(self, book: Book, own: OwnLots) -> None:
        """After each book message. A stale book, or a message that only concerns our own orders, adds nothing."""
        now = others(book, own, DEPTH)
        before, self._last = self._last, None if book.stale else now
        cut, self._cut = self._cut, False
        if before is None or book.stale or now == before or (cut and alike(before, now)):
            return
        self._changes.append((before, now))

    def on_trade(
        self, t: int, units: int, lots: int, aggressor: Side, *, plain: bool = True, liquidation: bool = False,
        trade: str = "",
    ) -> None:  # fmt: skip
        """A print of others. Blocks, combos and RFQs (`plain` False) do not enter flow. `trade` is the venue's id."""
        if plain and t >= self._t - LATE_NS:
            self._prints.append((trade, units, aggressor.sign * lots, liquidation))

    def on_own_order(self, book: Book, own: OwnLots) -> None:
        """After a message about an order of ours: if it explains the last change of the book, there was none."""
        now = others(book, own, DEPTH)
        if self._changes and not book.stale and self._changes[-1][0] == now:
            self._changes.pop()
            self._last = now

    def on_own_fill(self, t: int, book_t: int, trade: str, units: int, lots: int, took: Side | None) -> None:
        """A fill of ours at the venue's time `t`; `took` is our side where we were the aggressor. `book_t` is the
        venue's time of the book's last change, which tells whether the book has been told of it."""
        self._prints = [row for row in self._prints if row[0] != trade]
        if took is None:
            return
        k = 1 if took is Side.BUY else 0
        if t <= book_t:
            for at in reversed(range(len(self._changes))):
                before, now = self._changes[at]
                if lots_at(before[k], units) - lots_at(now[k], units) >= lots:
                    self._changes[at] = self._taken(before, k, units, lots), now
                    if alike(*self._changes[at]):
                        del self._changes[at]
                    return
        if t >= book_t and self._last is not None and lots_at(self._last[k], units) >= lots:
            self._last, self._cut = self._taken(self._last, k, units, lots), True

    def _taken(self, before: Both, k: int, units: int, lots: int) -> Both:
        """The book before, as if what we took had not been there; means and last prices move along with the push."""
        left = without(before[k], units, lots)
        after = (before[0], left) if k else (left, before[1])
        if all(before) and all(after):
            push = weighted(after[0][0], after[1][0]) - weighted(before[0][0], before[1][0])
            drawn = push * (1.0 - FAIR_WEIGHT if self._fair_known else 1.0)
            self._means["micro"].shift(push)
            self._means["place"].shift(drawn)
            self._means["spread"].shift(width(after) - width(before))
            self._micro_last = None if self._micro_last is None else self._micro_last + push
            self._place_last = None if self._place_last is None else self._place_last + drawn
        return after

    # the step

    def row(self, t: int, book: Book, own: OwnLots, context: Context) -> Row:
        """The vector at step `t`: float32 (len(NAMES),), finite throughout."""
        levels = others(book, own, DEPTH)
        price = weighted(levels[0][0], levels[1][0]) if levels[0] and levels[1] else None
        self._join(t, context)
        self._step(t, levels, price, context)
        tick = self.instrument.tick_units(price if price is not None else _anchor(levels, context))
        values = (
            *book_part(self.instrument, levels, price, tick),
            *self._flow_part(price, tick),
            *self._price_part(levels, price, context.fair, tick),
            *iv_part(context, self._means),
            *under_part(self.instrument, context, self._means, self._changed, price, tick),
            *chain_part(self.instrument, context, self._changed, price, tick),
            float(self.instrument.kind is Kind.OPTION),
            float(price is None),
            float(self._traded is None),
            *missing_part(context),
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

    def _join(self, t: int, context: Context) -> None:
        """What came since the last step."""
        for before, now in self._changes:
            flows = ofi_levels(before, now)
            self._sums["ofi"].add(sum(flows) / OFI_LEVELS)
            self._sums["touch"].add(flows[0])
            self._sums["books"].add(1.0)
        for _, units, signed, liquidation in self._prints:
            self._sums["flow"].add(float(signed))
            self._sums["trades"].add(1.0)
            self._sums["liquidations"].add(float(signed) if liquidation else 0.0)
            self._traded = t, units
        if self._changes:
            under = log(context.under_mid) if context.under_mid else None
            self._changed = t, under, context.chain.total if context.chain is not None else 0.0
        self._changes, self._prints = [], []

    def _step(self, t: int, levels: Both, price: float | None, context: Context) -> None:
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
        self._fair_known = context.fair is not None
        for total in self._sums.values():
            total.step(keep)
        sizes = [lots for side in levels for _, lots in side[:OFI_LEVELS]]
        self._means["depth"].step(sum(sizes) / len(sizes) if sizes else None, keep)
        self._means["micro"].step(price, keep)
        self._means["place"].step(place, keep)
        self._means["spread"].step(width(levels) if price is not None else None, keep)
        self._means["under"].step(log(context.under_mid) if context.under_mid else None, keep)
        for name in CONTEXT_MEANS:
            self._means[name].step(getattr(context, name), keep)

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
            *(log1p(x) for x in self._sums["trades"].sums[1:]),
            *(log1p(x) for x in self._sums["books"].sums[1:3]),
            log1p(age),
            log1p((self._t - self._changed[0]) / NS) if self._changed is not None else 0.0,
            bend(away),
        )

    def _price_part(self, levels: Both, price: float | None, fair: float | None, tick: int) -> tuple[float, ...]:
        moved = self._means["micro"].away(price)[:3]
        widened = self._means["spread"].away(width(levels) if price is not None else None)
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
            bend(widened[1] / tick),
            bend(widened[2] / tick),
        )

    def dump(self) -> dict[str, Any]:
        return {
            "t": self._t,
            "last": None if self._last is None else as_lists(self._last),
            "changes": [[as_lists(before), as_lists(now)] for before, now in self._changes],
            "prints": [list(row) for row in self._prints],
            "traded": None if self._traded is None else list(self._traded),
            "changed": None if self._changed is None else list(self._changed),
            "fair_known": self._fair_known,
            "cut": self._cut,
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
            made._last = from_lists(value["last"])
        made._changes = [(from_lists(before), from_lists(now)) for before, now in value["changes"]]
        made._prints = [(trade, units, lots, forced) for trade, units, lots, forced in value["prints"]]
        changed = value["changed"]
        made._changed = None if changed is None else (changed[0], changed[1], changed[2])
        made._fair_known, made._cut = value["fair_known"], value["cut"]
        made._traded = None if value["traded"] is None else (value["traded"][0], value["traded"][1])
        made._sums = {name: Sums.load(value["sums"][name]) for name in SUMS}
        made._means = {name: Means.load(value["means"][name]) for name in MEANS}
        return made


def _anchor(levels: Both, context: Context) -> float:
    """A price that tells the tick while there is no micro-price: whichever side there is, else the fair price."""
    for side in levels:
        if side:
            return float(side[0][0])
    return context.fair if context.fair is not None else 1.0
