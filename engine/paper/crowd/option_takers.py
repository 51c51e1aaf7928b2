"""Who takes options: noise in clusters, those who see the forward and the surface before makers have re-quoted, and
hidden orders worked for minutes.

Noise is a branching process, as a Hawkes process is: a trade brings another with a probability (its branching ratio),
soon after, in the same expiry and mostly on the same side; otherwise the next one comes after a long exponential wait.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from engine.domain import Side
from engine.paper.crowd.agents import Ground, Plain, wait
from engine.paper.crowd.consensus import Consensus
from engine.paper.crowd.dice import Stream
from engine.paper.instruments.marks import Floats


class OptionTakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Waits are mean seconds, sizes coin (BTC's; a coin's scale is the makers').

    Turnover: the chain of April 2023 has 22,800 coins in 24 hours over 330 options that traded at all, half of them
    less than 9: near 0.26 coin a second. Larger waits than written make it thinner.
    """

    every_s: float = 6.0  # between clusters
    branching: float = 0.45
    soon_s: float = 0.8  # within a cluster
    same_side: float = 0.75
    size: float = 1.0  # coin, median
    size_spread: float = 1.3  # of its log
    most: float = 0.8  # of what the best price shows: few trades clear a level
    informed_s: float = 0.4
    edge: float = 0.6  # ticks by which a quote must be wrong for the informed
    informed_at_once: int = 3  # options
    informed_size: float = 6.0
    orders_s: float = 900.0  # between metaorders
    order_size: float = 60.0  # coin, median
    order_spread: float = 0.7
    order_least_s: float = 120.0
    order_most_s: float = 480.0
    child_s: float = 9.0  # between its children


class Desk:
    """What takers of a coin share: its books by row, and how to take."""

    def __init__(self, ground: Ground, consensus: Consensus, s: OptionTakerSettings, scale: float) -> None:
        self.exchange, self.consensus, self.settings, self.scale = ground.exchange, consensus, s, scale
        self.chain, self.world = consensus.chain, ground.world

    def weights(self) -> Floats:
        """Where trading is: near the money and a little out of it, the nearer the expiry the more."""
        r = self.consensus.now
        busy = np.exp(-(((r.delta - 0.32) / 0.18) ** 2)) + 0.02
        return np.asarray(busy / np.sqrt(0.02 + r.years) * r.live)

    def pick(self, draw: float, weights: Floats) -> int:
        grown = np.cumsum(weights)
        return min(int(np.searchsorted(grown, draw * grown[-1])), len(grown) - 1)

    def best(self, row: int, side: Side) -> tuple[int, int]:
        """Price and lots an order of `side` would meet first; (0, 0) for none."""
        half = self.exchange.books[self.chain.numbers[row]].half(side.other)
        price = half.best
        return (price, half.total(price)) if price is not None else (0, 0)

    def take(self, t: int, account: int, row: int, side: Side, coin: float, share: float) -> int:
        """Take at the best price, at most `share` of what it shows; the lots that were got."""
        price, shown = self.best(row, side)
        if not price:
            return 0
        lots = max(1, min(round(coin * self.scale / self.chain.instruments[row].lot), round(shown * share)))
        return self.exchange.quote(t, account, self.chain.numbers[row], side, price, lots, keep=False).filled


class NoiseTaker(Plain):
    """Takes in clusters, for no reason that the market could know."""

    def __init__(self, desk: Desk, account: int, dice: Stream) -> None:
        self.desk, self.account, self.dice = desk, account, dice
        self.slot, self.side = -1, Side.BUY  # of the cluster that runs, if one does

    def turn(self, t: int) -> int:
        chance, noise = self.dice.uniforms(6), self.dice.normals(1)
        desk, s = self.desk, self.desk.settings
        weights = desk.weights()
        if self.slot >= 0:
            weights = weights * (desk.chain.slot == self.slot)
        else:
            self.side = Side.BUY if chance[1] < 0.5 else Side.SELL
        row = desk.pick(chance[2], weights) if float(weights.sum()) > 0.0 else -1
        side = self.side if self.slot < 0 or chance[3] < s.same_side else self.side.other
        if row >= 0:
            desk.take(t, self.account, row, side, s.size * math.exp(s.size_spread * noise[0]), s.most)
        again = chance[4] < s.branching and row >= 0
        self.slot = int(desk.chain.slot[row]) if again else -1
        return t + wait(s.soon_s if again else s.every_s, chance[0])

    def dump(self) -> Any:
        return [self.slot, self.side.value]

    def load(self, value: Any) -> None:
        self.slot, self.side = value[0], Side(value[1])


class InformedTaker(Plain):
    """Sees the forward and the surface as they are, and takes quotes that are left behind by more than an edge."""

    def __init__(self, desk: Desk, account: int, dice: Stream) -> None:
        self.desk, self.account, self.dice = desk, account, dice

    def turn(self, t: int) -> int:
        chance = self.dice.uniforms(2)
        desk, s = self.desk, self.desk.settings
        r, world = desk.consensus.now, desk.world
        forward = world.log_price - r.log_price
        level = 0.5 * math.log(world.smile.shape().short / r.shape.short) * np.exp(-r.years * r.shape.fast / 2.0)
        moved = (r.slope * forward + r.vega * level) / r.tick
        rows = np.flatnonzero((np.abs(moved) > 0.5 + s.edge) & r.live)
        if len(rows):
            worst = rows[np.argsort(-np.abs(moved[rows]), kind="stable")[: 3 * s.informed_at_once]]
            self._take(t, worst.tolist(), moved, chance[1])
        return t + wait(s.informed_s, chance[0])

    def _take(self, t: int, rows: list[int], moved: Floats, chance: float) -> None:
        desk, s, r, taken = self.desk, self.desk.settings, self.desk.consensus.now, 0
        for row in rows:
            side = Side.BUY if moved[row] > 0.0 else Side.SELL
            price, _ = desk.best(row, side)
            fair = float(r.fair[row] + moved[row] * r.tick[row])
            if price and (fair - price) * side.sign > s.edge * r.tick[row]:
                desk.take(t, self.account, row, side, s.informed_size * (0.5 + chance), 1.0)
                taken += 1
            if taken == s.informed_at_once:
                return


class HiddenOrder(Plain):
    """Works an order too large for the book, for minutes, one option at a time; nobody is told of it."""

    def __init__(self, desk: Desk, account: int, dice: Stream) -> None:
        self.desk, self.account, self.dice = desk, account, dice
        self.number, self.side, self.left, self.child, self.until = -1, Side.BUY, 0.0, 0.0, 0  # instrument, coin, ns

    def turn(self, t: int) -> int:
        chance, noise = self.dice.uniforms(5), self.dice.normals(2)
        s = self.desk.settings
        if self.number < 0:
            self._begin(t, chance, noise)
            return t + wait(s.child_s, chance[0])
        self._go_on(t, noise[1])
        if self.left <= 0.0 or t >= self.until:
            self.number = -1
            return t + wait(s.orders_s, chance[0])
        return t + wait(s.child_s, chance[0])

    def dump(self) -> Any:
        return [self.number, self.side.value, self.left, self.child, self.until]

    def load(self, value: Any) -> None:
        self.number, self.side = value[0], Side(value[1])
        self.left, self.child, self.until = value[2:]

    def _begin(self, t: int, chance: list[float], noise: list[float]) -> None:
        desk, s = self.desk, self.desk.settings
        r = desk.consensus.now
        weights = np.exp(-(((r.delta - 0.3) / 0.15) ** 2)) * (r.years > 2.0 / 365.0)
        if float(weights.sum()) <= 0.0:
            return
        self.number = desk.chain.numbers[desk.pick(chance[1], weights)]
        self.side = Side.BUY if chance[2] < 0.5 else Side.SELL
        self.left = s.order_size * math.exp(s.order_spread * noise[0])
        lasts = s.order_least_s + (s.order_most_s - s.order_least_s) * chance[3]
        self.child, self.until = self.left * s.child_s / lasts, t + round(1.5 * lasts * 1e9)

    def _go_on(self, t: int, noise: float) -> None:
        desk, s = self.desk, self.desk.settings
        row = desk.chain.row[self.number]
        coin = min(self.left, self.child * math.exp(0.5 * noise))
        got = desk.take(t, self.account, row, self.side, coin, s.most)
        self.left -= max(got * desk.chain.instruments[row].lot / desk.scale, 0.05 * coin)
