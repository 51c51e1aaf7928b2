"""One maker's quotes in all options of a coin: its orders by row, and where it thinks they stand, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain import Side
from engine.paper.crowd.chain import Chain, Flags
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.marks import Floats
from engine.paper.orders.matching import OPEN, Order

NOWHERE = -1e12  # a middle that no price is near


class Quotes:
    """`orders[row]` holds what rests, by price: bids as they are, asks negative."""

    def __init__(self, exchange: Exchange, account: int, chain: Chain) -> None:
        self.exchange, self.account, self.chain = exchange, account, chain
        self.orders: list[dict[int, Order]] = []
        self.middle: Floats = np.zeros(0)  # units, where each quote's middle was put
        self.wide: Floats = np.zeros(0)  # units, the width it was meant to have
        self.broken: Flags = np.zeros(0, dtype=np.bool_)  # something of it was traded
        self.standing: Flags = np.zeros(0, dtype=np.bool_)  # there is something of it

    def more(self, count: int) -> None:
        """So many more rows, all empty."""
        self.orders += [{} for _ in range(count)]
        self.middle = np.append(self.middle, np.full(count, NOWHERE))
        self.wide = np.append(self.wide, np.ones(count))
        self.broken = np.append(self.broken, np.zeros(count, dtype=np.bool_))
        self.standing = np.append(self.standing, np.zeros(count, dtype=np.bool_))

    def show(self, t: int, row: int, wanted: Mapping[int, int]) -> None:
        """Make this row's orders be these (price, asks negative → lots). What stands at a wanted price stays there
        with the size it has, unless more than half of it is gone."""
        mine = self.orders[row]
        for price, order in list(mine.items()):
            if price not in wanted or order.state != OPEN or order.rest * 2 < order.amount:
                self.exchange.pull(t, order)
                del mine[price]
        n = self.chain.numbers[row]
        for price, lots in wanted.items():
            if price not in mine:
                self._enter(t, n, mine, price, lots)
        self.standing[row] = bool(mine)

    def leave(self, t: int, rows: NDArray[np.int64]) -> None:
        """Pull everything in these rows."""
        for row in rows.tolist():
            for order in self.orders[row].values():
                self.exchange.pull(t, order)
            self.orders[row].clear()
        self.middle[rows] = NOWHERE
        self.standing[rows] = False

    def dump(self) -> Any:
        """What no longer rests is as if it had never been there."""
        open_ = [[[price, o.id] for price, o in mine.items() if o.state == OPEN] for mine in self.orders]
        return [open_, self.middle.tolist(), self.wide.tolist(), self.broken.tolist(), self.standing.tolist()]

    def load(self, value: Any) -> None:
        open_, middle, wide, broken, standing = value
        resting = self.exchange.accounts[self.account].open
        self.orders = [{price: resting[number] for price, number in mine} for mine in open_]
        self.middle, self.wide = np.array(middle), np.array(wide)
        self.broken, self.standing = np.array(broken, dtype=np.bool_), np.array(standing, dtype=np.bool_)

    def _enter(self, t: int, n: int, mine: dict[int, Order], price: int, lots: int) -> None:
        """Behind another maker's quote that it would meet; whoever else stands in its way is traded with."""
        side, at = (Side.BUY, price) if price > 0 else (Side.SELL, -price)
        half = self.exchange.books[n].half(side.other)
        best = half.best
        if best is not None and (at - best) * side.sign >= 0 and self._house(n, side.other, best):
            at = self.chain.stepped(best, -side.sign)
            if at <= 0 or at * side.sign in mine:
                return
        order = self.exchange.quote(t, self.account, n, side, at, lots, mmp=True)
        if order.state == OPEN and order.rest:
            mine[at * side.sign] = order

    def _house(self, n: int, side: Side, price: int) -> bool:
        """Whether one of the crowd's own stands first there."""
        level = self.exchange.books[n].half(side).levels[price]
        return self.exchange.accounts[next(iter(level.orders.values())).account].house
