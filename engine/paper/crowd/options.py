"""Who quotes and who takes options."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from engine import black
from engine.domain import NS, YEAR_NS, Kind, Side
from engine.paper.crowd.agents import Agent, Ground, Plain, wait
from engine.paper.crowd.ladder import Ladder
from engine.paper.crowd.world import World
from engine.paper.exchange import Exchange
from engine.paper.marks import MIN_YEARS


class OptionMaker(Plain):
    """Quotes every option on both sides of its own smile, with a width in volatility and never less than a tick."""

    def __init__(self, exchange: Exchange, account: int, world: World, rng: Generator, every_s: float, late: int,
                 place: int) -> None:  # fmt: skip
        self.exchange, self.account, self.world, self.rng = exchange, account, world, rng
        self.every, self.late = round(every_s * NS), late
        self.numbers = [n for n, i in enumerate(exchange.instruments) if i.kind is Kind.OPTION]
        self.chain = [exchange.instruments[n] for n in self.numbers]
        count = len(self.chain)
        self.call = np.array([i.call for i in self.chain], dtype=np.bool_)
        self.expiry = np.array([i.expiry for i in self.chain], dtype=np.int64)
        self.ladders = [Ladder(exchange, account, n, self._gaps(), self._sizes()) for n in self.numbers]
        self.row = {n: row for row, n in enumerate(self.numbers)}
        self.width = 0.004 + 0.003 * place  # half-width, fraction of volatility
        self.margin = 0.5 + 0.3 * place  # half-width, ticks, at the least
        self.slack = 0.6 + 0.2 * place  # ticks the fair price moves before the quotes do
        self.opinion = 0.0  # of the level, fraction of volatility
        self.own = rng.normal(0.0, 0.0015, count)  # of each option, the same for good
        self.lean = np.zeros(count)  # ticks, fading
        self.bids, self.asks = np.full(count, -1e9), np.full(count, -1e9)
        self.t = 0

    def _gaps(self) -> list[int]:
        return [0, 1 + int(self.rng.random() < 0.3), 1 + int(self.rng.random() < 0.5), 2]

    def _sizes(self) -> list[int]:
        draws = np.exp(self.rng.normal(0.0, 0.7, 4))
        return [int(np.clip(round(b * d), 1, 500)) for b, d in zip((50.0, 90.0, 150.0, 250.0), draws, strict=True)]

    def turn(self, t: int) -> int:
        noise, chance = self.rng.standard_normal(1).tolist(), self.rng.random(6).tolist()
        self.opinion = 0.995 * self.opinion + 0.0003 * noise[0]
        self._feel(t)
        bids, asks, tick = self._fair()
        moved = (np.abs(bids - self.bids) > self.slack * tick) | (np.abs(asks - self.asks) > self.slack * tick)
        rows = set(np.flatnonzero(moved).tolist())
        rows.update(self.row[n] for n in self.exchange.hits.pop(self.account, {}))
        if chance[1] < 0.4:
            rows.add(self._fidget(chance[2], chance[3], chance[4]))
        for row in sorted(rows):
            self.bids[row], self.asks[row] = bids[row], asks[row]
            self.ladders[row].show(t, bids[row], asks[row])
        return t + int(self.every * (0.5 + chance[0]))

    def dump(self) -> list[Any]:
        arrays = [array.tolist() for array in (self.own, self.lean, self.bids, self.asks)]
        return [self.opinion, self.t, arrays, [ladder.dump() for ladder in self.ladders]]

    def load(self, value: list[Any]) -> None:
        self.opinion, self.t = value[0], value[1]
        self.own, self.lean, self.bids, self.asks = (np.array(array) for array in value[2])
        for ladder, kept in zip(self.ladders, value[3], strict=True):
            ladder.load(kept)

    def _feel(self, t: int) -> None:
        """Lean away from what was just traded; forget it with a half-life of 20 s."""
        if self.t:
            self.lean *= 0.5 ** ((t - self.t) / (20 * NS))
        self.t = t
        for n, lots in self.exchange.hits.get(self.account, {}).items():
            self.lean[self.row[n]] -= np.clip(lots / 100.0, -2.0, 2.0)

    def _fair(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Best bid and ask in units, and the tick in units, by option."""
        price, level = self.world.seen(self.late)
        forwards = self.world.forwards(price)
        iv = self.world.smile(forwards, level) + self.own + self.opinion
        years = np.maximum((self.expiry - self.world.t) / YEAR_NS, MIN_YEARS)
        forward = forwards[self.world.slot]
        greeks = black.greeks(forward, self.world.strike, years, iv, self.call)
        fair = greeks.price / self.chain[0].tick
        tick = np.where(fair > 50.0, 5.0, 1.0)
        half = np.maximum(greeks.coin_vega * 100.0 * self.width / self.chain[0].tick, self.margin * tick)
        fair = fair + self.lean * tick
        return fair - half, fair + half, tick

    def _fidget(self, which: float, level: float, size: float) -> int:
        """Another size at one level of one option."""
        row = int(which * len(self.ladders))
        sizes = self.ladders[row].sizes
        sizes[int(level * len(sizes))] = max(1, round(10.0 ** (1.0 + 1.7 * size)))
        return row


class OptionTaker(Plain):
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


class Busy(Protocol):
    """The settings that are read here."""

    @property
    def option_makers(self) -> int: ...
    @property
    def option_maker_s(self) -> float: ...
    @property
    def latency_ms(self) -> tuple[float, ...]: ...
    @property
    def option_taker_s(self) -> float: ...


def cast(ground: Ground, s: Busy) -> Iterator[tuple[str, Agent]]:
    """The agents of a coin's options."""
    ex, world = ground.exchange, ground.world
    if all(i.kind is not Kind.OPTION for i in ex.instruments):
        return
    late = [round(ms * 1e6) for ms in s.latency_ms]
    for i in range(s.option_makers):
        name = f"option maker {i}"
        rng = ground.stream(name).rng
        yield name, OptionMaker(ex, ground.account(name), world, rng, s.option_maker_s, late[i % len(late)], i)
    takers = ground.stream("option takers").rng
    yield "option takers", OptionTaker(ex, ground.account("option takers"), takers, s.option_taker_s)
