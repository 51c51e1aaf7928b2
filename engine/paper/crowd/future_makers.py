"""Those who make the price of the perpetual and the dated futures, and those who take what they leave behind.

A maker joins the touch as long as that touch is not too far from what it believes: its late sight of the efficient
price, an opinion that wanders, and a lean against what it was left with. Beyond its tolerance it moves: pulls the side
that has become cheap, quotes anew around its belief, always behind what others still show. Tolerance shrinks where
the queue it would stand in is thin, so that one who goes takes others along; sizes lean a little towards where the
belief is. That makes a touch of one tick with a deep queue which stays for a while and then moves by several ticks at
once, as recorded touches do.

The lean is the square root of what is held, and what is held fades (it is laid off elsewhere) with half-lives from
seconds to minutes: so the impact of a large order grows as a square root of its size and decays slowly.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from engine.domain import NS, Side
from engine.paper.crowd.agents import Ground, Plain, wait
from engine.paper.crowd.sizes import BP, heavy, lots, rounded
from engine.paper.crowd.tape import Tape, worth_of
from engine.paper.orders.matching import FILLED, OPEN, Order, OrderBook

IDLE_NS = 3600 * NS


class FutureMakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Of the makers of futures; tuples have one entry a maker. Sizes USD, distances basis points.

    Fitted to the recorded inverse perpetual of 8 and 9 August 2024 (binance_l2/cm_btcusd_perp): one tick wide 99.6
    % of the time; 80,000 to 100,000 USD at the touch, twelve times the mean market order; the middle unchanged over
    53 % of seconds and 90 % of tenths; variance at 0.1 s is 0.64 to 0.76 of that at 10 s; order-flow imbalance
    explains 0.49 to 0.70 of a second's return; the imbalance of the touch forgets all but 0.13 within a second.
    What one number tells of the next second (`research/predictability.py`: 0.068 nats there) is set by `skew`,
    `thin` and `tolerance_bp`.
    """

    every_ms: float = 30.0
    late_ms: tuple[float, ...] = (8.0, 14.0, 22.0, 40.0)
    tolerance_bp: tuple[float, ...] = (1.45, 1.55, 1.65, 1.75)
    half_life_s: tuple[float, ...] = (15.0, 45.0, 150.0, 600.0)  # of what is held
    touch: float = 25_000.0
    touch_spread: float = 0.55
    skew: float = 0.35  # how far the size at the touch follows the belief, of itself at the tolerance
    thin: float = 0.28  # what is left of the tolerance where the queue is gone
    opinion_bp: float = 0.08
    lean_bp: float = 1.0  # for what `lean_usd` of holding moves the belief
    lean_usd: float = 100_000.0
    deep_bp: tuple[float, ...] = (0.9, 2.5, 6.0)  # distances of the deeper levels
    deep: tuple[float, ...] = (0.4, 1.2, 2.5)  # their sizes, of the touch's
    edge_bp: float = 0.4  # what must be in it when it takes remnants itself
    remnant: float = 30_000.0
    fresh: float = 0.06  # chance a turn that a touch order is shown anew
    fear: float = 4.0  # heat at which a maker quotes wide, and may leave for a moment
    wide_ms: float = 800.0


class FutureMaker(Plain):
    """One maker on one book."""

    def __init__(
        self,
        ground: Ground,
        n: int,
        settings: FutureMakerSettings,
        tape: Tape,
        place: int,
        name: str,
        slow: float = 1.0,
    ) -> None:
        self.exchange, self.world, self.n, self.s = ground.exchange, ground.world, n, settings
        self.instrument = ground.exchange.instruments[n]
        self.account, self.dice = ground.account(f"maker {place}"), ground.stream(name)
        self.every = round(settings.every_ms * slow * 1e6)
        self.late = round(settings.late_ms[place] * 1e6)
        self.tolerance = settings.tolerance_bp[place] * slow**0.5
        self.fade = math.log(2.0) / (settings.half_life_s[place] * NS)
        self.scale = slow**-0.75  # of sizes
        self.quick = place < 3  # the last knows that it is late
        self.tape = tape
        self.touch: dict[Side, Order] = {}
        self.deep: dict[tuple[Side, int], Order] = {}
        self.opinion, self.held, self.t, self.away = 0.0, 0.0, 0, 0

    def turn(self, t: int) -> int:
        u, z = self.dice.uniforms(6), self.dice.normals(3)
        if self.exchange.stats[self.n].closed:
            return t + IDLE_NS
        self.opinion = 0.97 * self.opinion + 0.243 * self.s.opinion_bp * z[0]
        worth = worth_of(self.world, self.tape, self.instrument, t, self.late)
        self._feel(t, worth)
        book = self.exchange.books[self.n]
        belief = self._belief(worth)
        bid, ask = book.bids.best, book.asks.best
        gap = belief - (bid + ask) / 2 if bid is not None and ask is not None else math.inf
        tolerance = self.tolerance * BP * belief
        heat = self.world.heat / self.s.fear
        if self.away > t or not self.exchange.trades(self.n):
            pass
        elif heat > 1.0 and u[1] < 0.04 * heat:
            self._leave(t, t + round(self.s.wide_ms * u[2] * 1e6))
        elif abs(gap) > tolerance * self._nerve(book, gap):
            self._move(t, belief, z, int(2.0 * heat * u[2] * heat))
        else:
            self._stay(t, belief, gap / tolerance, u, z)
        return t + int(self.every * (0.5 + u[0]))

    def _belief(self, worth: float) -> float:
        """The middle it would quote around, units."""
        lean = self.held * self.instrument.lot / self.s.lean_usd
        lean_bp = self.s.lean_bp * math.copysign(math.sqrt(abs(lean)), lean)
        return worth * (1.0 + (self.opinion - lean_bp) * BP)

    def _feel(self, t: int, worth: float) -> None:
        """What it was left with, less what it has laid off since; the tape is told of what is new."""
        self.held *= math.exp(-self.fade * (t - self.t))
        self.t = t
        hits = self.exchange.hits.get(self.account)
        got = hits.pop(self.n, 0) if hits is not None else 0
        if got:
            self.held += got
            own = self.touch.get(Side.BUY if got > 0 else Side.SELL)
            self.tape.add(t, got, self.instrument.lot, own.price if own is not None else worth, worth)

    def _nerve(self, book: OrderBook, gap: float) -> float:
        """Less where the queue that would be left behind is thin."""
        if gap == math.inf:
            return 0.0
        bids, asks = book.bids.total(book.bids.best or 0), book.asks.total(book.asks.best or 0)
        share = 2.0 * (asks if gap > 0 else bids) / (bids + asks)
        return min(1.0, self.s.thin + (1.0 - self.s.thin) * max(0.0, 2.0 * share - 1.0))

    def _move(self, t: int, belief: float, z: list[float], wider: int) -> None:
        """Quote anew around the belief; what already stands near enough there keeps its place."""
        bid = self.instrument.floor_tick(belief) - wider
        ask = bid + self.instrument.tick_units(bid) * (1 + 2 * wider)
        if self.quick:
            self._clear(t, belief)
        slack = max(2.0, 0.3 * self.tolerance * BP * belief)
        for side, price in ((Side.BUY, bid), (Side.SELL, ask)):
            own = self.touch.get(side)
            if own is not None and (own.state != OPEN or abs(own.price - price) > slack):
                self._drop(t, side)
        self._show(t, Side.BUY, bid, 1.0, z[1])
        self._show(t, Side.SELL, ask, 1.0, z[2])
        self._deepen(t, bid, ask, z)

    def _clear(self, t: int, belief: float) -> None:
        """Take the remnants that stand in the way, if it is no more than remnants."""
        book, edge = self.exchange.books[self.n], self.s.edge_bp * BP * belief
        most = self.s.remnant / self.instrument.lot
        for side in (Side.BUY, Side.SELL):
            half, limit = book.half(side.other), math.floor(belief - side.sign * edge)
            left, found = most, 0
            for price in half.prices():
                if (limit - price) * side.sign < 0 or found > most:
                    break
                found += half.levels[price].total
            if 0 < found <= left:
                self.exchange.quote(t, self.account, self.n, side, limit, found, keep=False)

    def _stay(self, t: int, belief: float, lean: float, u: list[float], z: list[float]) -> None:
        """Stand at the touch, inside it where it is open, and now and then with another size."""
        book = self.exchange.books[self.n]
        bid, ask = book.bids.best, book.asks.best
        if bid is None or ask is None:
            return
        if ask - bid > 1:
            bid = min(max(bid, self.instrument.floor_tick(belief)), ask - 1)
            ask = bid + 1
        for side, price, draw in ((Side.BUY, bid, u[3]), (Side.SELL, ask, u[4])):
            own = self.touch.get(side)
            stale = own is not None and (own.state != OPEN or own.price != price or draw < self.s.fresh)
            if stale:
                self._drop(t, side)
            self._show(
                t, side, price, max(0.1, 1.0 + self.s.skew * side.sign * lean), z[1] if side is Side.BUY else z[2]
            )
        if u[5] < 0.05:
            self._deepen(t, bid, ask, z)

    def _show(self, t: int, side: Side, price: int, share: float, normal: float) -> None:
        """Have an order on this side."""
        if side in self.touch:
            return
        size = heavy(self.s.touch * self.scale * share, self.s.touch_spread, normal)
        self.touch[side] = self._quote(t, side, price, size)

    def _deepen(self, t: int, bid: int, ask: int, z: list[float]) -> None:
        """Deeper levels follow when they have become much too near or too far."""
        for k, (away, size) in enumerate(zip(self.s.deep_bp, self.s.deep, strict=True)):
            distance = away * (0.8 + 0.13 * (self.account % 4)) * BP * bid
            for side, best in ((Side.BUY, bid), (Side.SELL, ask)):
                own, price = self.deep.get((side, k)), best - side.sign * int(distance)
                if own is not None and own.state == OPEN:
                    if abs(own.price - price) < 0.4 * distance:
                        continue
                    self.exchange.pull(t, own)
                usd = heavy(self.s.touch * self.scale * size, self.s.touch_spread, z[k % 3] * side.sign)
                self.deep[side, k] = self._quote(t, side, price, usd)

    def _quote(self, t: int, side: Side, price: int, usd: float) -> Order:
        """A passive order, at `price` or behind the best of the other side."""
        other = self.exchange.books[self.n].half(side.other).best
        if other is not None and (other - price) * side.sign <= 0:
            price = other - side.sign
        return self.exchange.quote(t, self.account, self.n, side, price, lots(usd, self.instrument.lot))

    def _drop(self, t: int, side: Side) -> None:
        self.exchange.pull(t, self.touch.pop(side))

    def _leave(self, t: int, until: int) -> None:
        """Take the touch away for a moment; the deeper levels stay."""
        for side in list(self.touch):
            self._drop(t, side)
        self.away = until

    def dump(self) -> list[Any]:
        touch = [[side.value, _place(order)] for side, order in self.touch.items()]
        deep = [[side.value, k, _place(order)] for (side, k), order in self.deep.items()]
        return [self.opinion, self.held, self.t, self.away, touch, deep]

    def load(self, value: list[Any]) -> None:
        self.opinion, self.held, self.t, self.away, touch, deep = value
        self.touch = {Side(side): self._found(side, place) for side, place in touch}
        self.deep = {(Side(side), k): self._found(side, place) for side, k, place in deep}

    def _found(self, side: str, place: list[int]) -> Order:
        """One that rests; or, of one that is gone and not yet missed, what will be looked at: its price and state."""
        number, price = place
        if number:
            return self.exchange.accounts[self.account].open[number]
        return Order(0, self.account, self.n, Side(side), price, 0, self.t, self.t, state=FILLED)


def _place(order: Order) -> list[int]:
    return [order.id if order.state == OPEN else 0, order.price]


class PickerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Of those who take what is left behind; `late_ms` has one entry each. Sizes USD, distances basis points."""

    every_ms: float = 35.0
    late_ms: tuple[float, ...] = (5.0, 25.0)
    edge_bp: float = 0.8  # what must be in it
    chance: float = 0.25  # that a turn with an edge is used
    size: float = 1500.0
    size_spread: float = 2.0


class Picker(Plain):
    """Takes what stands on the wrong side of the price as it sees it, which is a little late."""

    def __init__(
        self, ground: Ground, n: int, settings: PickerSettings, tape: Tape, place: int, name: str, slow: float
    ) -> None:
        self.exchange, self.world, self.n, self.s = ground.exchange, ground.world, n, settings
        self.instrument = ground.exchange.instruments[n]
        self.account, self.dice = ground.account("pickers"), ground.stream(name)
        self.late = round(settings.late_ms[place] * 1e6)
        self.tape, self.every_s = tape, settings.every_ms * slow / 1e3
        self.edge = settings.edge_bp * slow**0.5 * BP

    def turn(self, t: int) -> int:
        u, z = self.dice.uniforms(3), self.dice.normals(1)
        book = self.exchange.books[self.n]
        worth = worth_of(self.world, self.tape, self.instrument, t, self.late)
        edge = self.edge * worth
        bid, ask = book.bids.best, book.asks.best
        if u[1] >= self.s.chance:
            pass
        elif ask is not None and ask < worth - edge:
            self._take(t, Side.BUY, math.floor(worth - edge / 2), u[2], z[0])
        elif bid is not None and bid > worth + edge:
            self._take(t, Side.SELL, math.ceil(worth + edge / 2), u[2], z[0])
        return t + wait(self.every_s, u[0])

    def _take(self, t: int, side: Side, limit: int, draw: float, normal: float) -> None:
        size = rounded(lots(heavy(self.s.size, self.s.size_spread, normal), self.instrument.lot), draw)
        self.exchange.quote(t, self.account, self.n, side, limit, size, keep=False)
