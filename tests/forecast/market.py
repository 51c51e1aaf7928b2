"""Small seeded markets for the forecast's tests: a book that moves, prints, and our own orders put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from engine.domain import NS, Instrument, Side, instrument_of
from engine.forecast.features import Context
from engine.forecast.others import OwnLots
from engine.market.book import Book
from engine.market.deribit.wire import BookData, Level

START = 1_774_000_000 * NS
STEP = NS // 10
OPTION = instrument_of("BTC-27MAR26-80000-C")
PERPETUAL = instrument_of("BTC-PERPETUAL")


def book_of(instrument: Instrument, bids: dict[int, int], asks: dict[int, int]) -> Book:
    """A sound book with these levels, units → lots."""
    book = Book(instrument)
    book.snapshot(
        BookData(
            type="snapshot",
            timestamp=START // 1_000_000,
            instrument_name=instrument.name,
            change_id=1,
            bids=[_level(instrument, units, lots) for units, lots in bids.items()],
            asks=[_level(instrument, units, lots) for units, lots in asks.items()],
        )
    )
    return book


def _level(instrument: Instrument, units: int, lots: int) -> Level:
    return "new", instrument.price(units), instrument.amount(lots)


@dataclass
class Trade:
    units: int
    lots: int
    side: Side


@dataclass
class Moment:
    """What came in before one step, and the context at the step."""

    t: int
    books: list[Book]
    trades: list[Trade]
    context: Context


def walk_market(seed: int, steps: int, instrument: Instrument = OPTION) -> Iterator[Moment]:
    """A random market: the middle wanders, levels are redrawn a few at a time, now and then somebody trades."""
    rng = np.random.default_rng(seed)
    middle = 400
    sides: list[dict[int, int]] = [{}, {}]
    iv, under = 0.5, 80_000.0
    for k in range(steps):
        moment = Moment(START + k * STEP, [], [], Context())
        for _ in range(rng.integers(0, 3)):
            middle = int(np.clip(middle + 5 * rng.integers(-1, 2), 300, 600))
            sides = _redraw(rng, sides, middle)
            moment.books.append(book_of(instrument, *sides))
        if rng.random() < 0.2:
            side = Side.BUY if rng.random() < 0.5 else Side.SELL
            moment.trades.append(Trade(middle, int(rng.integers(1, 40)), side))
        iv *= float(np.exp(0.001 * rng.standard_normal()))
        under *= float(np.exp(0.0002 * rng.standard_normal()))
        moment.context = _context(rng, middle, iv, under)
        yield moment


def _redraw(rng: Generator, sides: list[dict[int, int]], middle: int) -> list[dict[int, int]]:
    out = []
    for sign, old in zip((-1, 1), sides, strict=True):
        prices = [middle + sign * 5 * k for k in range(1, 14)]
        kept = {p: old[p] for p in prices if p in old and rng.random() < 0.7}
        out.append({p: kept.get(p, int(rng.integers(1, 200))) for p in prices})
    return out


def _context(rng: Generator, middle: int, iv: float, under: float) -> Context:
    known = rng.random() < 0.9
    return Context(
        forward=under,
        years=0.1,
        strike=80_000.0,
        fair=middle + float(rng.normal()) if known else None,
        coin_delta=0.45,
        vega_ticks=2.5,
        bid_iv=iv - 0.01,
        ask_iv=iv + 0.01 if known else None,
        mark_iv=iv,
        atm_iv=iv - 0.002,
        skew=-0.1,
        curvature=0.3,
        under_mid=under,
        under_ofi=float(rng.normal()),
        under_flow=float(rng.normal()),
        fair_iv=iv,
    )


def with_ours(book: Book, own: OwnLots) -> Book:
    """The same book with our resting orders shown in it, as the venue would show them."""
    bids, asks = dict(book.bids), dict(book.asks)
    for (side, units), lots in own.items():
        levels = bids if side is Side.BUY else asks
        levels[units] = levels.get(units, 0) + lots
    return book_of(book.instrument, bids, asks)
