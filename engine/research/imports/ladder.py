"""A book rebuilt from events, by decimal price, and its check against the best prices that were recorded beside it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

from engine.research.imports.events import Checks, Level2, Levels

Quad = tuple[float, float, float, float]  # bid, its size, ask, its size


class Ladder:
    """All levels of one book. `bids`, `asks` are sizes by price, not to be changed from outside."""

    __slots__ = ("_ask_prices", "_bid_prices", "asks", "bids")

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self._bid_prices: list[float] = []  # both ascending
        self._ask_prices: list[float] = []

    def apply(self, event: Level2) -> None:
        if event.snapshot:
            for kept in (self.bids, self.asks, self._bid_prices, self._ask_prices):
                kept.clear()
        _take(event.bids, self.bids, self._bid_prices)
        _take(event.asks, self.asks, self._ask_prices)

    def best(self) -> Quad | None:
        """(bid, its size, ask, its size), or None while a side is empty."""
        if not self._bid_prices or not self._ask_prices:
            return None
        bid, ask = self._bid_prices[-1], self._ask_prices[0]
        return bid, self.bids[bid], ask, self.asks[ask]

    def top(self, depth: int) -> tuple[Levels, Levels]:
        """The best levels of both sides, best first."""
        bids = tuple((price, self.bids[price]) for price in self._bid_prices[: -depth - 1 : -1])
        return bids, tuple((price, self.asks[price]) for price in self._ask_prices[:depth])


def _take(levels: Levels, sizes: dict[float, float], prices: list[float]) -> None:
    for price, size in levels:
        if size:
            if price not in sizes:
                insort(prices, price)
            sizes[price] = size
        elif price in sizes:  # a venue also deletes what lies outside its snapshot
            del sizes[price]
            del prices[bisect_left(prices, price)]


class Agreement:
    """Holds a rebuilt book against the venue's own best prices, both numbered by one counter.

    The venue sends its best whenever it changes, so after update `u` of the book the truth is the last best numbered
    at most `u`. A book therefore waits until a best with a higher number is known, or until the very one comes.
    """

    def __init__(self) -> None:
        self._books: deque[tuple[int, Quad]] = deque()
        self._bests: deque[tuple[int, Quad]] = deque(maxlen=100_000)  # without a book none would ever leave
        self.checks = Checks()

    def book(self, number: int, best: Quad | None) -> None:
        if best is not None:
            self._books.append((number, best))
            self._settle()

    def best(self, number: int, best: Quad) -> None:
        self._bests.append((number, best))
        self._settle()

    def _settle(self) -> None:
        while self._books and self._bests and self._bests[-1][0] >= self._books[0][0]:
            number, ours = self._books.popleft()
            while len(self._bests) > 1 and self._bests[1][0] <= number:
                self._bests.popleft()
            known, theirs = self._bests[0]
            if known <= number:
                self._count(known == number, ours != theirs)

    def _count(self, same_id: bool, off: bool) -> None:
        made = self.checks
        if same_id:
            self.checks = made._replace(same_id=made.same_id + 1, same_id_off=made.same_id_off + off)
        else:
            self.checks = made._replace(between=made.between + 1, between_off=made.between_off + off)
