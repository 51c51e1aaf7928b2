"""Those who take: informed and aimless flow on futures, aimless flow on options, pickers of stale quotes; and
visitors, who leave a passive order for a while. Each draws a fixed block of numbers a turn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.random import Generator

from engine.domain import NS, Kind, Side
from engine.paper.exchange import Exchange
from engine.paper.matching import OPEN, Order
from engine.paper.world import World, dump_stream, load_stream


def wait(every_s: float, draw: float) -> int:
    """Nanoseconds to the next of a Poisson stream's events."""
    return max(1, round(-math.log(1.0 - draw) * every_s * NS))


class _Agent:
    """An agent whose only state is its place in its stream."""

    rng: Generator

    def dump(self) -> list[Any]:
        return dump_stream(self.rng)

    def load(self, value: list[Any]) -> None:
        load_stream(self.rng, value)


class FutureTaker(_Agent):
    """Aggressors on the perpetual and futures: the side leans to where the world drifts, the size is log-normal."""

    def __init__(self, exchange: Exchange, account: int, world: World, rng: Generator, every_s: float,
                 informed: float) -> None:  # fmt: skip
        self.exchange, self.account, self.world, self.rng = exchange, account, world, rng
        self.every, self.informed = every_s, informed
        self.numbers = [n for n, i in enumerate(exchange.instruments) if i.kind is not Kind.OPTION]

    def turn(self, t: int) -> int:
        draws, normal = self.rng.random(4).tolist(), self.rng.standard_normal(1).tolist()
        buy = draws[1] < 0.5 + 0.5 * math.tanh(self.world.drift) * self.informed
        n = self.numbers[0] if draws[2] < 0.85 else self.numbers[int(draws[2] * 997) % len(self.numbers)]
        side = Side.BUY if buy else Side.SELL
        best = self.exchange.books[n].half(side.other).best
        if best is not None:
            lots = max(1, min(20_000, round(60.0 * math.exp(1.6 * normal[0]))))
            limit = best + side.sign * int(1 + 6 * draws[3])
            self.exchange.quote(t, self.account, n, side, limit, lots, keep=False)
        return t + wait(self.every, draws[0])


class OptionTaker(_Agent):
    """Aggressors on options, most where options are neither far in nor far out of the money."""

    def __init__(self, exchange: Exchange, account: int, rng: Generator, every_s: float) -> None:
        self.exchange, self.account, self.rng, self.every = exchange, account, rng, every_s
        self.numbers = [n for n, i in enumerate(exchange.instruments) if i.kind is Kind.OPTION]

    def turn(self, t: int) -> int:
        draws, normal = self.rng.random(4).tolist(), self.rng.standard_normal(1).tolist()
        n = self._pick(draws[1])
        side = Side.BUY if draws[2] < 0.5 else Side.SELL
        best = self.exchange.books[n].half(side.other).best
        if best is not None:
            lots = max(1, min(400, round(15.0 * math.exp(1.1 * normal[0]))))
            limit = self.exchange.instruments[n].step(best, side.sign * int(3 * draws[3]))
            self.exchange.quote(t, self.account, n, side, limit, lots, keep=False)
        return t + wait(self.every, draws[0])

    def _pick(self, draw: float) -> int:
        delta = np.abs(self.exchange.marks.greeks[0, self.numbers])
        weight = np.cumsum(delta * (1.0 - delta) + 0.02)
        return self.numbers[int(np.searchsorted(weight, draw * weight[-1]))]


class Visitor:
    """Leaves one passive order, at or inside the touch, and takes it back some seconds later."""

    STAY_S = 12.0

    def __init__(self, exchange: Exchange, account: int, rng: Generator, every_s: float) -> None:
        self.exchange, self.account, self.rng, self.every = exchange, account, rng, every_s
        self.staying: list[tuple[int, Order]] = []

    def turn(self, t: int) -> int:
        draws, normal = self.rng.random(6).tolist(), self.rng.standard_normal(1).tolist()
        for until, order in self.staying:
            if until <= t:
                self.exchange.pull(t, order)
        self.staying = [(u, o) for u, o in self.staying if u > t and o.state == OPEN]
        left = self._leave(t, draws, normal[0])
        if left is not None:
            self.staying.append((t + wait(self.STAY_S, draws[1]), left))
        return t + wait(self.every, draws[0])

    def dump(self) -> list[Any]:
        return [[[until, order.id] for until, order in self.staying if order.state == OPEN], dump_stream(self.rng)]

    def load(self, value: list[Any]) -> None:
        resting = self.exchange.accounts[self.account].open
        self.staying = [(until, resting[number]) for until, number in value[0]]
        load_stream(self.rng, value[1])

    def _leave(self, t: int, draws: list[float], normal: float) -> Order | None:
        n = 0 if draws[2] < 0.2 else int(draws[3] * len(self.exchange.instruments))
        instrument, book = self.exchange.instruments[n], self.exchange.books[n]
        side = Side.BUY if draws[4] < 0.5 else Side.SELL
        own, other = book.half(side).best, book.half(side.other).best
        if own is None or other is None:
            return None
        price = instrument.step(own, side.sign * (int(3 * draws[5]) - 1))
        if (other - price) * side.sign <= 0:
            price = own
        typical = 20.0 if instrument.kind is Kind.OPTION else 300.0
        return self.exchange.quote(t, self.account, n, side, price, max(1, round(typical * math.exp(normal))))


class Picker(_Agent):
    """Sees the true price and takes quotes that are on the wrong side of it."""

    def __init__(self, exchange: Exchange, account: int, world: World, rng: Generator, every_s: float) -> None:
        self.exchange, self.account, self.world, self.rng, self.every = exchange, account, world, rng, every_s
        self.numbers = [n for n, i in enumerate(exchange.instruments) if i.kind is not Kind.OPTION]

    def turn(self, t: int) -> int:
        draws = self.rng.random(2).tolist()
        n = self.numbers[0]
        instrument, book = self.exchange.instruments[n], self.exchange.books[n]
        fair = self.world.price / instrument.tick
        ask, bid = book.asks.best, book.bids.best
        lots = 20 + round(200 * draws[1])
        if ask is not None and ask < fair - 4.0:
            self.exchange.quote(t, self.account, n, Side.BUY, math.floor(fair - 2.0), lots, keep=False)
        elif bid is not None and bid > fair + 4.0:
            self.exchange.quote(t, self.account, n, Side.SELL, math.ceil(fair + 2.0), lots, keep=False)
        return t + wait(self.every, draws[0])
