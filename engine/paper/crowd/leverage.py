"""Traders on borrowed money, and what happens to them: liquidation cascades.

They open by taking, mostly the way the price has lately gone, and each has a price at which the venue closes it. Those
prices lie in wait on both sides of the market, more of them just beyond where many came in. When the touch reaches
one, the position is closed piece by piece by orders of the venue's own, marked as liquidations; these move the price,
which may reach the next. Nobody sees where they are.
"""

from __future__ import annotations

import math
from bisect import insort
from typing import Any

import msgspec

from engine.domain import NS, Side
from engine.paper.crowd.agents import Ground, Plain
from engine.paper.crowd.sizes import BP, heavy, lots, rounded


class LeverageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes USD. Distances to liquidation are log-uniform between `near_bp` and `far_bp` (a hundredfold leverage has
    about 50 to 90 basis points, a tenfold 900)."""

    most: int = 120  # positions at once
    open_s: float = 15.0  # between two openings
    stay_s: float = 7200.0  # how long one stays, if it is let
    near_bp: float = 25.0
    far_bp: float = 500.0
    size: float = 20_000.0
    size_spread: float = 1.6
    herd: float = 0.6  # how many open the way the price has gone
    crowding: float = 0.5  # share of liquidation prices that gather at the same round prices
    piece: float = 60_000.0  # the most that is closed at once
    every_ms: float = 120.0
    reach_bp: float = 12.0


class Leveraged(Plain):
    """The leveraged traders of one book. A position is [price units at which it goes, lots signed by its side]."""

    def __init__(self, ground: Ground, n: int, settings: LeverageSettings, name: str) -> None:
        self.exchange, self.n, self.s = ground.exchange, n, settings
        self.instrument = ground.exchange.instruments[n]
        self.account, self.dice = ground.account("leveraged"), ground.stream(name)
        self.longs: list[tuple[int, int]] = []  # sorted by price: the last goes first
        self.shorts: list[tuple[int, int]] = []  # the first goes first
        self.closing = 0  # lots, signed: what the venue still has to sell (+) or buy (−)
        self.trail = 0.0  # where the middle was, over some minutes

    def turn(self, t: int) -> int:
        u, z = self.dice.uniforms(6), self.dice.normals(1)
        every = self.s.every_ms / 1e3
        book = self.exchange.books[self.n]
        bid, ask = book.bids.best, book.asks.best
        if bid is not None and ask is not None and self.exchange.trades(self.n):
            middle = (bid + ask) / 2
            self.trail += (middle - self.trail) * every / 180.0 if self.trail else middle
            if not self.longs and not self.shorts:
                self._begin(middle)
            self._trigger(bid, ask)
            self._close(t, u[5])
            if u[0] < every / self.s.open_s:
                self._open(t, middle, u, z[0])
            self._leave(u[4], every)
        return t + round(every * NS)

    def _begin(self, middle: float) -> None:
        """Those who were there before the venue's day began, on a grid rather than by dice."""
        half = self.s.most // 3
        for k in range(half):
            away = self.s.near_bp * 1.5 * (self.s.far_bp / self.s.near_bp) ** ((k + 0.5) / half) * BP
            size = rounded(lots(self.s.size * (0.5 + k % 7), self.instrument.lot), 0.0)
            insort(self.longs, (self._crowded(middle * (1.0 - away), k % 2 / 2), size))
            insort(self.shorts, (self._crowded(middle * (1.0 + away), k % 2 / 2), size))

    def _open(self, t: int, middle: float, u: list[float], normal: float) -> None:
        """Somebody comes in by taking, with a price to be thrown out at."""
        trend = 1 if middle > self.trail else -1
        side = Side.BUY if (trend if u[1] < self.s.herd else 1 if u[2] < 0.5 else -1) > 0 else Side.SELL
        size = rounded(lots(heavy(self.s.size, self.s.size_spread, normal, 3e6), self.instrument.lot), u[4], 0.7)
        away = self.s.near_bp * (self.s.far_bp / self.s.near_bp) ** u[3] * BP
        best = self.exchange.books[self.n].half(side.other).best or round(middle)
        order = self.exchange.quote(t, self.account, self.n, side, best + side.sign * 4, size, keep=False)
        mine = self.longs if side is Side.BUY else self.shorts
        if order.filled and len(mine) < self.s.most // 2:
            insort(mine, (self._crowded(middle * (1.0 - side.sign * away), u[5]), order.filled))

    def _crowded(self, price: float, draw: float) -> int:
        """Some of these prices are the same for many: a tenth of a per cent is where they gather."""
        if draw < self.s.crowding:
            grid = 10.0 ** round(math.log10(price * 1e-3))
            return max(1, round(price / grid) * round(grid) if grid >= 1.0 else round(price))
        return max(1, round(price))

    def _trigger(self, bid: int, ask: int) -> None:
        """Those whose price is reached are closed from now on."""
        while self.longs and bid <= self.longs[-1][0]:
            self.closing += self.longs.pop()[1]
        while self.shorts and ask >= self.shorts[0][0]:
            self.closing -= self.shorts.pop(0)[1]

    def _close(self, t: int, draw: float) -> None:
        """One piece of what has to go."""
        if not self.closing:
            return
        side = Side.SELL if self.closing > 0 else Side.BUY
        best = self.exchange.books[self.n].half(side.other).best
        if best is None:
            return
        piece = min(abs(self.closing), lots(self.s.piece * (0.3 + 0.7 * draw), self.instrument.lot))
        limit = best + side.sign * int(self.s.reach_bp * BP * best)
        order = self.exchange.liquidate(t, self.account, self.n, side, limit, piece)
        self.closing += side.sign * order.filled

    def _leave(self, draw: float, every: float) -> None:
        """Now and then somebody goes of his own accord (and is not seen to)."""
        count = len(self.longs) + len(self.shorts)
        place = int(draw * self.s.stay_s / every)
        if place < len(self.longs):
            del self.longs[place]
        elif place < count:
            del self.shorts[place - len(self.longs)]

    def dump(self) -> list[Any]:
        return [list(map(list, self.longs)), list(map(list, self.shorts)), self.closing, self.trail]

    def load(self, value: list[Any]) -> None:
        self.longs, self.shorts = ([(price, size) for price, size in rows] for rows in value[:2])
        self.closing, self.trail = value[2], value[3]
