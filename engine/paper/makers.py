"""Market makers of the paper crowd: they quote late, with an opinion, in ladders, and lean against what they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from engine import black
from engine.domain import NS, YEAR_NS, Kind, Side
from engine.paper.exchange import Exchange
from engine.paper.marks import MIN_YEARS
from engine.paper.matching import OPEN, Half, Order
from engine.paper.world import World, dump_stream, load_stream


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


class FutureMaker:
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
        return [self.opinion, list(self.quoted), [ladder.dump() for ladder in self.ladders], dump_stream(self.rng)]

    def load(self, value: list[Any]) -> None:
        self.opinion, self.quoted = value[0], list(value[1])
        for ladder, kept in zip(self.ladders, value[2], strict=True):
            ladder.load(kept)
        load_stream(self.rng, value[3])

    def _fidget(self, t: int, ladder: Ladder, draw: float, k: int) -> None:
        """Re-size one level: books breathe without the price moving."""
        level = int(draw * len(ladder.sizes))
        ladder.sizes[level] = max(1, round(ladder.sizes[level] * (0.6 + 0.9 * (draw * 7 % 1))))
        if ladder.sizes[level] < 50:
            ladder.sizes[level] *= 10
        ladder.show(t, self.quoted[k] - self.half[k], self.quoted[k] + self.half[k])


class OptionMaker:
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
        return [self.opinion, self.t, arrays, [ladder.dump() for ladder in self.ladders], dump_stream(self.rng)]

    def load(self, value: list[Any]) -> None:
        self.opinion, self.t = value[0], value[1]
        self.own, self.lean, self.bids, self.asks = (np.array(array) for array in value[2])
        for ladder, kept in zip(self.ladders, value[3], strict=True):
            ladder.load(kept)
        load_stream(self.rng, value[4])

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
