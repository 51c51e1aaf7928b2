"""Who leaves orders in option books and is no desk: visitors who come and go, robots that show an order and take it
away again and again, and what has been lying about far from the market for days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.domain import NS, Side
from engine.paper.crowd.agents import Plain, wait
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.option_takers import Desk
from engine.paper.orders.matching import OPEN, Order


class OptionVisitorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Waits are mean seconds, sizes coin (BTC's; a coin's scale is the makers').

    Robots: of the 20 options in the frames of 2021 three changed 21 to 30 times in half a minute, the others 0 to 3;
    one order of 2.7 coin came every two seconds and was gone 20 ms later. Leftovers: the same books show 3.0 prices a
    side bid and 5.4 asked, up to 19 (of 0.1 to 16 coin, at prices out of all proportion).
    """

    visitor_s: float = 4.0
    stays_s: float = 150.0
    size: float = 2.0
    size_spread: float = 1.2  # of its log
    robots: float = 0.05  # share of the options that have one
    robot_s: float = 1.4  # between its showing and its taking away
    robot_blink: float = 0.35  # share of the times that it is gone at once
    robot_moves_s: float = 600.0  # how long it stays at one option
    leftovers: float = 2.0  # asks, by option


class OptionVisitor(Plain):
    """Leaves a passive order at the best price or behind it, where quotes are narrow, and takes it away later."""

    def __init__(self, desk: Desk, account: int, dice: Stream, s: OptionVisitorSettings) -> None:
        self.desk, self.account, self.dice, self.settings = desk, account, dice, s
        self.staying: list[tuple[int, Order]] = []  # until when

    def turn(self, t: int) -> int:
        chance, noise = self.dice.uniforms(6), self.dice.normals(1)
        exchange, s = self.desk.exchange, self.settings
        for until, order in self.staying:
            if until <= t:
                exchange.pull(t, order)
        self.staying = [(until, order) for until, order in self.staying if until > t and order.state == OPEN]
        left = self._leave(t, chance, noise[0])
        if left is not None and left.state == OPEN:
            self.staying.append((t + wait(s.stays_s, chance[1]), left))
        return t + wait(s.visitor_s, chance[0])

    def dump(self) -> Any:
        return [[until, order.id] for until, order in self.staying if order.state == OPEN]

    def load(self, value: Any) -> None:
        resting = self.desk.exchange.accounts[self.account].open
        self.staying = [(until, resting[number]) for until, number in value]

    def _leave(self, t: int, chance: list[float], noise: float) -> Order | None:
        desk, s = self.desk, self.settings
        row = int(chance[2] * len(desk.chain))
        if desk.consensus.now.inside[row] > 0.0:
            return None  # wide quotes deep in the money are desks' alone
        n = desk.chain.numbers[row]
        side = Side.BUY if chance[3] < 0.5 else Side.SELL
        own, other = (desk.exchange.books[n].half(each).best for each in (side, side.other))
        if own is None or other is None:
            return None
        away = int(4.0 * chance[4] ** 2) if chance[5] < 0.8 else int(4 + 30 * chance[4])  # ticks; a few far away
        price = desk.chain.stepped(own, -side.sign * away)
        if price < 1:
            return None
        lots = max(1, round(desk.scale * s.size * math.exp(s.size_spread * noise) / desk.chain.instruments[row].lot))
        return desk.exchange.quote(t, self.account, n, side, price, lots)


class Robot(Plain):
    """Shows an order at the best price of an option and takes it away again, without end; then of another."""

    def __init__(self, desk: Desk, account: int, dice: Stream, s: OptionVisitorSettings) -> None:
        self.desk, self.account, self.dice, self.settings = desk, account, dice, s
        self.row = int(dice.rng.random() * len(desk.chain))
        self.order: Order | None = None

    def turn(self, t: int) -> int:
        chance = self.dice.uniforms(5)
        s, busy = self.settings, self.order is not None
        if self.order is not None:
            self.desk.exchange.pull(t, self.order)
            self.order = None
        else:
            if chance[0] * s.robot_moves_s < 2.0 * s.robot_s:
                self.row = int(chance[1] * len(self.desk.chain))
            self._show(t, chance[2])
        if not busy and chance[3] < s.robot_blink:
            return t + round((0.005 + 0.03 * chance[4]) * NS)
        return t + round(s.robot_s * (0.7 + 0.6 * chance[4]) * NS)

    def dump(self) -> Any:
        return [self.row, self.order.id if self.order is not None and self.order.state == OPEN else 0]

    def load(self, value: Any) -> None:
        self.row, number = value
        self.order = self.desk.exchange.accounts[self.account].open[number] if number else None

    def _show(self, t: int, chance: float) -> None:
        """A little behind the best price, where a side stands."""
        desk = self.desk
        n, side = desk.chain.numbers[self.row], Side.BUY if chance < 0.5 else Side.SELL
        best = desk.exchange.books[n].half(side).best
        if best is None:
            return
        price = desk.chain.stepped(best, -side.sign * (1 if chance % 0.5 < 0.3 else 0))
        lots = max(1, round(desk.scale * 2.7 / desk.chain.instruments[self.row].lot))
        if price >= 1:
            order = desk.exchange.quote(t, self.account, n, side, price, lots)
            self.order = order if order.state == OPEN else None


class Leftovers(Plain):
    """Offers that somebody forgot: placed at the first turn and when something is listed, and left alone. Bids of that
    sort would stand as best ones where no desk bids, and make middles of nothing."""

    def __init__(self, desk: Desk, account: int, dice: Stream, s: OptionVisitorSettings) -> None:
        self.desk, self.account, self.dice, self.settings = desk, account, dice, s
        self.due = list(range(len(desk.chain)))

    def turn(self, t: int) -> int:
        rows, self.due = self.due, []
        if rows:
            s, rng = self.settings, self.dice.rng
            for row, count in zip(rows, rng.poisson(s.leftovers, len(rows)).tolist(), strict=True):
                self._leave(t, row, rng.random((count, 2)).tolist())
        return t + NS

    def listed(self, numbers: Sequence[int]) -> None:
        self.due += [self.desk.chain.row[n] for n in numbers if n in self.desk.chain.row]

    def dump(self) -> Any:
        return list(self.due)

    def load(self, value: Any) -> None:
        self.due = list(value)

    def _leave(self, t: int, row: int, draws: list[list[float]]) -> None:
        """At two and a half times what the option is worth, and more."""
        desk = self.desk
        r, chain = desk.consensus.now, desk.chain
        fair = float(r.fair[row])
        for far, size in draws:
            price = chain.snapped(min(fair * (2.5 + 2.0 * far) + 20.0 + 80.0 * far, 10_000.0 + fair))
            if r.live[row]:
                lots = max(1, round(desk.scale * 10.0 ** (1.6 * size - 1.0) / chain.instruments[row].lot))
                desk.exchange.quote(t, self.account, chain.numbers[row], Side.SELL, price, lots)
