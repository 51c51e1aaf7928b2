"""The book of the others: what it would show had we no order in it, and the prices read from it.

A ten-lot bid of ours must not raise P(up), so whatever the forecast knows of a book passes through here. Prices
are units, sizes are lots, levels are `[(units, lots)]`, best first.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.domain import Instrument, Kind, Side
from engine.market.book import Book

OwnLots = Mapping[tuple[Side, int], int]  # our resting lots by side and price in units
Levels = list[tuple[int, int]]
Both = tuple[Levels, Levels]
FAIR_WEIGHT = 0.5  # how far the book's micro-price is drawn towards the surface's fair price


def others(book: Book, own: OwnLots, depth: int) -> Both:
    """The first `depth` bids and asks that are not ours. A stale book has none."""
    if book.stale:
        return [], []
    return _side(book, own, Side.BUY, depth), _side(book, own, Side.SELL, depth)


def _side(book: Book, own: OwnLots, side: Side, depth: int) -> Levels:
    if not own:
        return book.levels(side, depth)
    ours = {units: lots for (where, units), lots in own.items() if where is side}
    left = ((units, lots - ours.get(units, 0)) for units, lots in book.levels(side, depth + len(ours)))
    return [(units, lots) for units, lots in left if lots > 0][:depth]


def lots_at(levels: Levels, units: int) -> int:
    return next((lots for price, lots in levels if price == units), 0)


def without(levels: Levels, units: int, lots: int) -> Levels:
    """The side less so many lots of one level; a level that is used up is gone."""
    left = [(price, size - lots if price == units else size) for price, size in levels]
    return [(price, size) for price, size in left if size > 0]


def weighted(bid: tuple[int, int], ask: tuple[int, int]) -> float:
    """The size-weighted mid of two levels, Stoikov's (2018) micro-price to first order."""
    return (bid[0] * ask[1] + ask[0] * bid[1]) / (bid[1] + ask[1])


def micro(book: Book, own: OwnLots) -> float | None:
    """Micro-price in units from the book without our orders; None when a side is empty or the book stale."""
    bids, asks = others(book, own, 1)
    return weighted(bids[0], asks[0]) if bids and asks else None


def fair_micro(micro: float | None, fair: float | None) -> float | None:
    """The book's micro-price drawn half of the way towards the surface's fair price, in units.

    Without a fair price it is the micro-price itself, without a micro-price there is none: the surface alone says
    nothing about where this book trades.
    """
    if micro is None or fair is None:
        return micro
    return micro + FAIR_WEIGHT * (fair - micro)


def width(levels: Both) -> float:
    return float(levels[1][0][0] - levels[0][0][0])


def alike(before: Both, now: Both) -> bool:
    """As far as both were read: a level that is gone shows one more at the far end."""
    return all(a == b for sides in zip(before, now, strict=True) for a, b in zip(*sides, strict=False))


def as_lists(levels: Both) -> list[list[list[int]]]:
    return [[list(level) for level in side] for side in levels]


def from_lists(value: list[list[list[int]]]) -> Both:
    bids, asks = ([(units, lots) for units, lots in side] for side in value)
    return bids, asks


def lots_of(instrument: Instrument, contracts: float, units: float) -> int:
    """Contracts of the slippage curve → lots. On a future "one contract" means one coin's worth of USD."""
    amount = contracts if instrument.kind is Kind.OPTION else contracts * units * instrument.tick
    return max(1, round(amount / instrument.lot))


def walk(levels: Levels, lots: int) -> float:
    """Mean distance from the touch, in units, of taking `lots` from one side; `levels` must not be empty.

    What the side does not hold is charged as far again beyond its last level as that lies from the touch, and at
    least one unit: a thin book is dear, not infinitely so.
    """
    touch, cost, left, away = levels[0][0], 0.0, lots, 0
    for units, size in levels:
        away = abs(units - touch)
        take = min(size, left)
        cost += away * take
        left -= take
        if not left:
            return cost / lots
    return (cost + left * max(2 * away, 1)) / lots
