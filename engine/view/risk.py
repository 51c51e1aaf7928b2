"""What the desk holds: greeks by expiry, and a ladder of spot × volatility."""

from __future__ import annotations

import math

import numpy as np

from engine import messages as m
from engine.core import Core
from engine.domain import Instrument, Kind, expiry_code, instrument_of
from engine.surface.position import Exposure, Held, by_expiry, ladder

SPOT = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2)
POINTS = (10.0, 5.0, 0.0, -5.0, -10.0)


def risk(core: Core) -> m.RiskView:
    """Volatilities are the surface's, the venue's mark where it has none."""
    total = np.zeros((len(POINTS), len(SPOT)))
    rows: list[m.ExposureRow] = []
    unknown: list[str] = []
    books = _books(core)
    for coin, book in books.items():
        forwards = {held.instrument.expiry: _forward(core, held.instrument) for held in book}
        known = {expiry: forward for expiry, forward in forwards.items() if forward is not None}
        vols = {held.instrument.name: vol for held in book if (vol := _vol(core, held.instrument, known)) is not None}
        total += ladder(book, known, vols, core.market.now, SPOT, POINTS)
        for each in by_expiry(book, known, vols, core.market.now):
            rows.append(_row(each, coin if len(books) > 1 else ""))
            unknown += each.unknown
        unknown += [
            held.instrument.name for held in book
            if held.instrument.kind is not Kind.OPTION and held.instrument.expiry not in known
        ]  # fmt: skip
    return m.RiskView(
        spot=SPOT,
        points=POINTS,
        ladder=tuple(tuple(row) for row in np.round(total, 2).tolist()) if rows else (),
        exposures=tuple(rows),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _books(core: Core) -> dict[str, list[Held]]:
    """What is held and not over, by coin."""
    books: dict[str, list[Held]] = {}
    for name, lots in sorted(core.desk.positions.items()):
        instrument = core.market.venue.instruments.get(name) or instrument_of(name)
        if lots and not 0 < instrument.expiry <= core.market.now:
            books.setdefault(instrument.coin, []).append(Held(instrument, instrument.amount(lots)))
    return books


def _forward(core: Core, instrument: Instrument) -> float | None:
    """The expiry's, from its options or its future; the perpetual's price for 0."""
    venue = core.market.venue
    if instrument.kind is Kind.OPTION:
        return core.market.forward(instrument)
    quote = venue.quotes.get(instrument.name)
    return (quote.mark if quote else None) or (
        venue.forward(instrument.expiry, instrument.coin) if instrument.expiry else None
    )


def _vol(core: Core, instrument: Instrument, forwards: dict[int, float]) -> float | None:
    forward, quote = forwards.get(instrument.expiry), core.market.venue.quotes.get(instrument.name)
    if instrument.kind is not Kind.OPTION or forward is None:
        return None
    own = core.market.surface(instrument.coin).iv(instrument.expiry, instrument.strike, forward)
    vol = own if own is not None else quote.mark_iv if quote else None
    return vol if vol is not None and math.isfinite(vol) else None


def _row(each: Exposure, coin: str) -> m.ExposureRow:
    code = expiry_code(each.expiry) if each.expiry else "perpetual"
    return m.ExposureRow(
        code=f"{coin} {code}".strip(),
        value=each.value,
        delta=each.delta,
        coin_delta=each.coin_delta,
        gamma=each.gamma,
        vega=each.vega,
        theta=each.theta,
    )
