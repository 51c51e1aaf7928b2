"""The many: market orders, passive orders of third parties and their cancels, arriving in clusters.

Arrivals are one Hawkes process of three kinds (market, add, cancel) whose times nobody's orders change. What happens
at each depends on the book. A market order's side comes from a hidden parent being worked off (whose length has a
power-law tail, the origin of the long memory of trade signs: Lillo, Mike, Farmer 2005), from somebody who compares the
book with a noisy sight of the efficient price, or from nothing. Passive orders stand at the touch or a power law
behind it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.domain import Side
from engine.paper.crowd.agents import Ground, Plain
from engine.paper.crowd.hawkes import Hawkes
from engine.paper.crowd.sizes import BP, heavy, lots, rounded
from engine.paper.crowd.tape import Tape, worth_of
from engine.paper.orders.matching import FILLED, OPEN, Order

MARKET, ADD, CANCEL = range(3)


class FlowSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Events a second, sizes in USD, distances in basis points.

    Fitted to the recorded inverse perpetual of 8 and 9 August 2024 (binance_l2/cm_btcusd_perp): 2.8 market orders
    and 69 depth updates a second; gaps between trades vary by 1.8 to 2.0 of their mean; a market order is 1,000 to
    1,200 USD at the median, 13,000 to 18,000 at nine tenths, 110,000 to 143,000 at 99 of a hundred; trade signs are
    correlated by 0.51 to 0.55 with the next, 0.18 to 0.20 at five and 0.04 to 0.09 at ten; levels behind the touch
    hold 9,000 to 18,000 each and stand 0.1 to 0.3 basis points apart.
    """

    rates: tuple[float, float, float] = (1.3, 20.0, 20.0)  # market, add, cancel
    decays: tuple[float, ...] = (10.0, 0.5, 0.03)
    children: tuple[tuple[tuple[float, float, float], ...], ...] = (
        ((0.25, 0.0, 0.0), (0.8, 0.15, 0.10), (0.6, 0.15, 0.10)),
        ((0.20, 0.0, 0.0), (0.6, 0.10, 0.10), (0.5, 0.10, 0.10)),
        ((0.12, 0.0, 0.0), (0.6, 0.05, 0.05), (0.6, 0.05, 0.05)),
    )
    follow: float = 0.7  # how base rates follow the world's volatility, a power
    parents: float = 0.40  # share of market orders that work off a parent
    informed: float = 0.5
    length: float = 1.5  # tail of a parent's number of children
    sight_bp: float = 0.4  # deviation of the informed ones' sight
    late_ns: int = 30_000_000
    size: float = 1200.0  # median of a market order
    size_spread: float = 2.15
    reach_bp: float = 1.5  # how far beyond the touch a market order goes
    resting: int = 160  # passive orders that third parties hold, about
    rest_size: float = 1500.0
    rest_spread: float = 1.5
    touch: float = 0.18  # share of passive orders at the touch
    depth_bp: float = 1.2  # scale of the others' distance
    far_bp: float = 40.0
    flee: int = 30
    flee_bp: float = 0.3
    flee_ns: int = 25_000_000


class Flow(Plain):
    """Of one book."""

    def __init__(
        self, ground: Ground, n: int, settings: FlowSettings, tape: Tape, name: str, t: int, busy: float = 1.0
    ) -> None:
        self.exchange, self.world, self.n, self.s = ground.exchange, ground.world, n, settings
        self.instrument = ground.exchange.instruments[n]
        self.account, self.resters = ground.account("takers"), ground.account("third parties")
        self.dice = ground.stream(name)
        self.hawkes = Hawkes([rate * busy for rate in settings.rates], settings.decays, settings.children)
        self.hawkes.wait(t, 0.0, 1.0)
        self.tape = tape
        self.resting: list[Order] = []
        self.parents: list[list[int]] = []  # sign, children left

    def turn(self, t: int) -> int:
        u, z = self.dice.uniforms(8), self.dice.normals(2)
        kind = self.hawkes.event(t, u[0])
        if not self.exchange.trades(self.n):
            pass
        elif kind == MARKET:
            self._market(t, u, z)
        elif kind is not None:
            self._purge(t)
            self._flee(t)
            crowd = len(self.resting) / self.s.resting
            if u[2] < 0.5 + (0.5 if kind == ADD else -0.5) * 0.8 + 0.5 * (1.0 - crowd):
                self._add(t, u, z)
            elif self.resting:
                self._cancel(t, u[3])
        return self.hawkes.wait(t, u[1], self.world.heat**self.s.follow)

    def _market(self, t: int, u: list[float], z: list[float]) -> None:
        side = self._side(t, u, z[1])
        best = self.exchange.books[self.n].half(side.other).best
        if best is None:
            return
        size = rounded(lots(heavy(self.s.size, self.s.size_spread, z[0]), self.instrument.lot), u[6])
        limit = best + side.sign * int(self.s.reach_bp * BP * best * u[7])
        self.exchange.quote(t, self.account, self.n, side, limit, size, keep=False)

    def _side(self, t: int, u: list[float], noise: float) -> Side:
        s = self.s
        self._beget(u[2], u[3])
        if u[4] < s.parents:
            if self.parents:
                parent = self.parents[int(u[5] * len(self.parents))]
                parent[1] -= 1
                if not parent[1]:
                    self.parents.remove(parent)
                return Side.BUY if parent[0] > 0 else Side.SELL
        elif u[4] < s.parents + s.informed:
            book = self.exchange.books[self.n]
            bid, ask = book.bids.best, book.asks.best
            if bid is not None and ask is not None:
                fair = self._worth(t, s.late_ns) * (1.0 + s.sight_bp * BP * noise)
                return Side.BUY if fair > (bid + ask) / 2 else Side.SELL
        return Side.BUY if u[5] < 0.5 else Side.SELL

    def _beget(self, chance: float, length: float) -> None:
        """A new parent as often as one ends: its mean length is tail/(tail − 1)."""
        tail = self.s.length
        if chance < self.s.parents * (tail - 1.0) / tail:
            children = min(int((1.0 - length) ** (-1.0 / tail) + 0.5), 500)
            sign = 1 if int(chance * 1e6) % 2 else -1
            self.parents.append([sign, max(children, 1)])

    def _add(self, t: int, u: list[float], z: list[float]) -> None:
        s, side = self.s, Side.BUY if u[3] < 0.5 else Side.SELL
        book = self.exchange.books[self.n]
        own, other = book.half(side).best, book.half(side.other).best
        if own is None or other is None:
            return
        away = 0.0
        if u[4] >= s.touch:
            away = min(s.depth_bp * (1.0 / (1.0 - u[5]) - 1.0), s.far_bp)
        price = own - side.sign * int(away * BP * own)
        size = heavy(s.rest_size * (1.0 + 0.5 * away), s.rest_spread, z[0])
        order = self.exchange.quote(
            t, self.resters, self.n, side, price, rounded(lots(size, self.instrument.lot), u[6])
        )
        self.resting.append(order)

    def _cancel(self, t: int, draw: float) -> None:
        """Any one of those that rest."""
        place = int(draw * len(self.resting))
        order, self.resting[place] = self.resting[place], self.resting[-1]
        self.resting.pop()
        self.exchange.pull(t, order)

    def _flee(self, t: int) -> None:
        """Those at a touch that has plainly become wrong go, some at a time."""
        book = self.exchange.books[self.n]
        bid, ask = book.bids.best, book.asks.best
        if bid is None or ask is None:
            return
        worth = self._worth(t, self.s.flee_ns)
        edge = self.s.flee_bp * BP * worth
        side = Side.SELL if worth > ask + edge else Side.BUY if worth < bid - edge else None
        if side is None:
            return
        level = book.half(side).levels[ask if side is Side.SELL else bid]
        gone = [order for order in level.orders.values() if order.account == self.resters][: self.s.flee]
        for order in gone:
            self.resting.remove(order)
            self.exchange.pull(t, order)

    def _worth(self, t: int, late_ns: int) -> float:
        return worth_of(self.world, self.tape, self.instrument, t, late_ns)

    def _purge(self, t: int) -> None:
        """Forget what was filled; the tape is told."""
        hits = self.exchange.hits.get(self.resters)
        got = hits.pop(self.n, None) if hits is not None else None
        if got is None:
            return
        self.resting = [order for order in self.resting if order.state == OPEN]
        best = self.exchange.books[self.n].half(Side.BUY if got > 0 else Side.SELL).best
        if got and best is not None:
            self.tape.add(t, got, self.instrument.lot, best, self._worth(t, self.s.flee_ns))

    def dump(self) -> list[Any]:
        resting = [order.id if order.state == OPEN else 0 for order in self.resting]
        return [self.hawkes.dump(), list(map(list, self.parents)), resting, self.tape.dump()]

    def load(self, value: list[Any]) -> None:
        self.hawkes.load(value[0])
        self.parents = [list(parent) for parent in value[1]]
        found = self.exchange.accounts[self.resters].open
        self.resting = [found[number] if number else self._gone() for number in value[2]]
        self.tape.load(value[3])

    def _gone(self) -> Order:
        """Stands for one that rests no more and has not been missed."""
        return Order(0, self.resters, self.n, Side.BUY, 1, 0, 0, 0, state=FILLED)
