"""What the desk holds: greeks by expiry and their sum, and a ladder of spot × volatility."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine import messages as m
from engine.core import Core, quoted
from engine.domain import Instrument, Kind, expiry_code, instrument_of
from engine.surface.position import Exposure, Held, Marks, by_expiry, ladder

SPOT = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2)
POINTS = (10.0, 5.0, 0.0, -5.0, -10.0)


def risk(core: Core) -> m.RiskView:
    """Volatilities are the surface's, the venue's mark where it has none."""
    usd, coins = np.zeros((len(POINTS), len(SPOT))), np.zeros((len(POINTS), len(SPOT)))
    rows: list[m.ExposureRow] = []
    unknown: list[str] = []
    books = _books(core)
    for coin, book in books.items():
        marks = _marks(core, coin, book)
        moved = ladder(book, marks, SPOT, POINTS)
        usd, coins = usd + moved[0], coins + moved[1]
        exposures = by_expiry(book, marks)
        rows += _rows(exposures, coin if len(books) > 1 else "")
        unknown += [name for each in exposures for name in each.unknown]
    some = any(row.known for row in rows)
    return m.RiskView(
        spot=SPOT,
        points=POINTS,
        ladder=_table(usd, 2) if some else (),
        coins=_table(coins, 6) if some and len(books) == 1 else (),
        exposures=tuple(rows),
        unknown=tuple(unknown),
    )


def _table(values: np.ndarray, digits: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in np.round(values, digits).tolist())


def _books(core: Core) -> dict[str, list[Held]]:
    """What is held and not over, by coin."""
    books: dict[str, list[Held]] = {}
    for name, lots in sorted(core.desk.positions.items()):
        instrument = core.market.venue.instruments.get(name) or instrument_of(name)
        if lots and not 0 < instrument.expiry <= core.market.now:
            books.setdefault(instrument.coin, []).append(Held(instrument, instrument.amount(lots)))
    return books


def _marks(core: Core, coin: str, book: Sequence[Held]) -> Marks:
    t = core.market.now
    forwards = [(held.instrument.expiry, _forward(core, held.instrument)) for held in book]
    known = {expiry: forward for expiry, forward in forwards if forward is not None}
    vols = {held.instrument.name: vol for held in book if (vol := _vol(core, held.instrument, known)) is not None}
    averages = {expiry: average for expiry in known if (average := _average(core, coin, expiry, t)) is not None}
    return Marks(t, known, vols, averages)


def _forward(core: Core, instrument: Instrument) -> float | None:
    """The expiry's, from its options or its future; the perpetual's price for 0."""
    venue = core.market.venue
    if instrument.kind is Kind.OPTION:
        return core.market.forward(instrument)
    quote = venue.quotes.get(instrument.name)
    said = venue.forward(instrument.expiry, instrument.coin) if instrument.expiry else None
    return said or (quote.mark if quote else None)


def _vol(core: Core, instrument: Instrument, forwards: dict[int, float]) -> float | None:
    forward, quote = forwards.get(instrument.expiry), core.market.venue.quotes.get(instrument.name)
    if instrument.kind is not Kind.OPTION or forward is None:
        return None
    own = core.market.surface(instrument.coin).iv(instrument.expiry, instrument.strike, forward)
    vol = own if own is not None else quote.mark_iv if quote else None
    return vol if vol is not None and math.isfinite(vol) else None


def _average(core: Core, coin: str, expiry: int, t: int) -> float | None:
    """Of the index so far, as any ticker of the expiry says it in its last half hour."""
    venue = core.market.venue
    said = (
        venue.quotes.get(one.name) for one in venue.instruments.values() if (one.coin, one.expiry) == (coin, expiry)
    )
    return next((average for quote in said if (average := quoted.so_far(expiry, quote, t)) is not None), None)


def _rows(exposures: Sequence[Exposure], coin: str) -> list[m.ExposureRow]:
    """One a row, and their sum where there are several."""
    rows = [
        _row(each, f"{coin} {expiry_code(each.expiry) if each.expiry else 'perpetual'}".strip()) for each in exposures
    ]
    return rows if len(rows) < 2 else [*rows, _row(_sum(exposures), f"{coin} all".strip())]


def _sum(exposures: Sequence[Exposure]) -> Exposure:
    return Exposure(
        expiry=0,
        value=sum(each.value for each in exposures),
        usd=sum(each.usd for each in exposures),
        delta=sum(each.delta for each in exposures),
        coin_delta=sum(each.coin_delta for each in exposures),
        gamma=sum(each.gamma for each in exposures),
        vega=sum(each.vega for each in exposures),
        theta=sum(each.theta for each in exposures),
        known=sum(each.known for each in exposures),
        unknown=tuple(name for each in exposures for name in each.unknown),
    )


def _row(each: Exposure, code: str) -> m.ExposureRow:
    return m.ExposureRow(
        code=code,
        value=each.value,
        usd=each.usd,
        delta=each.delta,
        coin_delta=each.coin_delta,
        gamma=each.gamma,
        vega=each.vega,
        theta=each.theta,
        known=each.known,
        unknown=len(each.unknown),
    )
