"""The perpetual and the dated futures: who quotes them, who takes, who leaves an order and who picks stale ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from engine.domain import NS, Kind, Side
from engine.paper.crowd.agents import Agent, Ground, Plain, wait
from engine.paper.crowd.ladder import Ladder
from engine.paper.crowd.world import World
from engine.paper.exchange import Exchange
from engine.paper.matching import OPEN, Order


class FutureMaker(Plain):
    """Quotes the perpetual and the dated futures around where it last saw the price."""

    def __init__(self, exchange: Exchange, account: int, world: World, rng: Generator, every_s: float, late: int,
                 place: int) -> None:  # fmt: skip
        self.exchange, self.account, self.world, self.rng = exchange, account, world, rng
        self.every, self.late = round(every_s * NS), late
        self.numbers = [n for n, i in enumerate(exchange.instruments) if i.kind is not Kind.OPTION]
        self.ladders = [Ladder(exchange, account, n, [0, 1, 1, 2, 3, 5], self._sizes(k, place))
                        for k, n in enumerate(self.numbers)]  # fmt: skip
        self.half = [0.6 + 0.7 * place + (5.0 * k if k else 0.0) for k in range(len(self.numbers))]  # ticks
        self.slack = [1.5 + 1.0 * place + (4.0 * k if k else 0.0) for k in range(len(self.numbers))]
        self.opinion = 0.0  # ticks
        self.quoted = [0.0] * len(self.numbers)

    def _sizes(self, k: int, place: int) -> list[int]:
        draws = np.exp(self.rng.normal(0.0, 0.5, 6))
        base = (400.0, 900.0, 1500.0, 2500.0, 4000.0, 6000.0)
        scale = (1.0 + place) / (1.0 + 4.0 * (k > 0))
        return [max(1, round(b * d * scale)) for b, d in zip(base, draws, strict=True)]

    def turn(self, t: int) -> int:
        noise, chance = self.rng.standard_normal(2).tolist(), self.rng.random(3).tolist()
        self.opinion = 0.9 * self.opinion + 0.5 * noise[0]
        price, _ = self.world.seen(self.late)
        forwards = self.world.forwards(price)
        hit = self.exchange.hits.pop(self.account, {})
        for k, (n, ladder) in enumerate(zip(self.numbers, self.ladders, strict=True)):
            instrument = self.exchange.instruments[n]
            fair = forwards[self.world.expiries.index(instrument.expiry)] if instrument.expiry else price
            lean = self.exchange.accounts[self.account].size(n) / (ladder.sizes[0] * 12.0)
            centre = float(fair) / instrument.tick + self.opinion - float(np.clip(lean, -3.0, 3.0))
            if abs(centre - self.quoted[k]) > self.slack[k] or n in hit:
                self.quoted[k] = centre
                ladder.show(t, centre - self.half[k], centre + self.half[k])
            elif chance[1] < 0.1:
                self._fidget(t, ladder, chance[2], k)
        return t + int(self.every * (0.5 + chance[0]))

    def dump(self) -> list[Any]:
        return [self.opinion, list(self.quoted), [ladder.dump() for ladder in self.ladders]]

    def load(self, value: list[Any]) -> None:
        self.opinion, self.quoted = value[0], list(value[1])
        for ladder, kept in zip(self.ladders, value[2], strict=True):
            ladder.load(kept)

    def _fidget(self, t: int, ladder: Ladder, draw: float, k: int) -> None:
        """Re-size one level: books breathe without the price moving."""
        level = int(draw * len(ladder.sizes))
        ladder.sizes[level] = max(1, round(ladder.sizes[level] * (0.6 + 0.9 * (draw * 7 % 1))))
        if ladder.sizes[level] < 50:
            ladder.sizes[level] *= 10
        ladder.show(t, self.quoted[k] - self.half[k], self.quoted[k] + self.half[k])


class FutureTaker(Plain):
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


class Visitor(Plain):
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
        return [[until, order.id] for until, order in self.staying if order.state == OPEN]

    def load(self, value: list[Any]) -> None:
        resting = self.exchange.accounts[self.account].open
        self.staying = [(until, resting[number]) for until, number in value]

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


class Picker(Plain):
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


class Busy(Protocol):
    """The settings that are read here."""

    @property
    def future_makers(self) -> int: ...
    @property
    def future_maker_s(self) -> float: ...
    @property
    def latency_ms(self) -> tuple[float, ...]: ...
    @property
    def future_taker_s(self) -> float: ...
    @property
    def informed(self) -> float: ...
    @property
    def visitor_s(self) -> float: ...
    @property
    def picker_s(self) -> float: ...


def cast(ground: Ground, s: Busy) -> Iterator[tuple[str, Agent]]:
    """The agents of a coin's perpetual and dated futures."""
    ex, world = ground.exchange, ground.world
    late = [round(ms * 1e6) for ms in s.latency_ms]
    for i in range(s.future_makers):
        name = f"future maker {i}"
        rng = ground.stream(name).rng
        yield name, FutureMaker(ex, ground.account(name), world, rng, s.future_maker_s, late[i % len(late)], i)
    rng = ground.stream("flow").rng
    yield "flow", FutureTaker(ex, ground.account("flow"), world, rng, s.future_taker_s, s.informed)
    yield "visitors", Visitor(ex, ground.account("visitors"), ground.stream("visitors").rng, s.visitor_s)
    yield "pickers", Picker(ex, ground.account("pickers"), world, ground.stream("pickers").rng, s.picker_s)
