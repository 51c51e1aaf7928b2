"""A maker's quotes in one instrument: several prices a side, kept where they fit and moved where they do not."""

from __future__ import annotations

from typing import Any

from engine.domain import Side
from engine.paper.exchange import Exchange
from engine.paper.matching import OPEN, Half, Order


class Ladder:
    """One maker's quotes in one instrument: several prices a side, always behind the other side's best."""

    __slots__ = ("account", "exchange", "gaps", "n", "orders", "sizes")

    def __init__(self, exchange: Exchange, account: int, n: int, gaps: list[int], sizes: list[int]) -> None:
        self.exchange, self.account, self.n = exchange, account, n
        self.gaps = gaps  # ticks from the level before
        self.sizes = sizes  # lots
        self.orders: dict[tuple[Side, int], Order] = {}

    def show(self, t: int, bid: float, ask: float) -> None:
        """Make the quotes follow these best prices (units, any float); what already fits keeps its queue place."""
        want = self._wanted(bid, ask)
        for key, order in list(self.orders.items()):
            size = want.get(key)
            if size is None or order.state != OPEN or order.rest * 2 < size:
                self.exchange.pull(t, order)
                del self.orders[key]
        for key, size in want.items():
            if key not in self.orders:
                side, price = key
                self.orders[key] = self.exchange.quote(t, self.account, self.n, side, price, size)

    def dump(self) -> list[Any]:
        """What no longer rests is as if it had never been there."""
        open_ = [[side.value, price, o.id] for (side, price), o in self.orders.items() if o.state == OPEN]
        return [self.gaps, self.sizes, open_]

    def load(self, value: list[Any]) -> None:
        self.gaps, self.sizes = list(value[0]), list(value[1])
        resting = self.exchange.accounts[self.account].open
        self.orders = {(Side(side), price): resting[number] for side, price, number in value[2]}

    def _wanted(self, bid: float, ask: float) -> dict[tuple[Side, int], int]:
        instrument, book = self.exchange.instruments[self.n], self.exchange.books[self.n]
        want: dict[tuple[Side, int], int] = {}
        low, high = instrument.floor_tick(bid), instrument.ceil_tick(ask)
        other = self._best_other(book.asks)
        if other is not None and low >= other:
            low = instrument.step(other, -1)
        other = self._best_other(book.bids)
        if other is not None and high <= other:
            high = instrument.step(other, 1)
        high = max(high, low + 1, 1)
        for gap, size in zip(self.gaps, self.sizes, strict=True):
            if low >= 1 and gap:
                low = instrument.step(low, -gap) if low > gap else 0
            high = instrument.step(high, gap)
            if low >= 1:
                want[(Side.BUY, low)] = size
            want[(Side.SELL, high)] = size
        return want

    def _best_other(self, half: Half) -> int | None:
        """The best price at which somebody else stands: our own quotes are about to move."""
        for price in half.prices():
            if any(order.account != self.account for order in half.levels[price].orders.values()):
                return price
        return None
