"""Large orders that nobody is told of, worked in pieces over a minute to half an hour.

A piece is taken from the book every few seconds, as large as it takes to be done in time. What the market sees of it is
that trades lean to one side; makers are left with what was sold to them and lean against it, about as the square root
of what they hold, and lay it off: so the price paid rises as the square root of what is done and falls back after.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from engine.domain import NS, Side
from engine.paper.crowd.agents import Ground, Plain, wait
from engine.paper.crowd.sizes import BP, heavy, lots, rounded


class MetaorderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`every_s` between the end of one and the next, `child_s` between pieces; USD."""

    every_s: float = 420.0
    size: float = 700_000.0
    size_spread: float = 1.1
    least_s: float = 60.0
    most_s: float = 1800.0
    child_s: float = 2.0
    reach_bp: float = 3.0


class Metaorder(Plain):
    """One at a time, on one book."""

    def __init__(self, ground: Ground, n: int, settings: MetaorderSettings, name: str) -> None:
        self.exchange, self.n, self.s = ground.exchange, n, settings
        self.instrument = ground.exchange.instruments[n]
        self.account, self.dice = ground.account("metaorders"), ground.stream(name)
        self.side, self.left, self.until = Side.BUY, 0, 0  # lots, ns

    def turn(self, t: int) -> int:
        u, z = self.dice.uniforms(6), self.dice.normals(1)
        if self.left:
            self._work(t, u)
        elif u[1] < self.s.child_s / self.s.every_s:
            self.side = Side.BUY if u[2] < 0.5 else Side.SELL
            self.left = rounded(lots(heavy(self.s.size, self.s.size_spread, z[0], 3e7), self.instrument.lot), u[3], 0.8)
            lasts = self.s.least_s * (self.s.most_s / self.s.least_s) ** u[4]
            self.until = t + round(lasts * NS)
        return t + wait(self.s.child_s, u[0])

    def _work(self, t: int, u: list[float]) -> None:
        """The next piece; what is left at the end goes at once."""
        pieces = max((self.until - t) / NS / self.s.child_s, 1.0)
        piece = min(self.left, max(1, rounded(round(self.left / pieces * (0.4 + 1.2 * u[1])), u[3])))
        best = self.exchange.books[self.n].half(self.side.other).best
        if best is None or not self.exchange.trades(self.n):
            return
        limit = best + self.side.sign * math.ceil(self.s.reach_bp * BP * best)
        order = self.exchange.quote(t, self.account, self.n, self.side, limit, piece, keep=False)
        self.left -= min(max(order.filled, piece // 4), self.left)

    def dump(self) -> list[Any]:
        return [self.side.value, self.left, self.until]

    def load(self, value: list[Any]) -> None:
        self.side, self.left, self.until = Side(value[0]), value[1], value[2]
