"""What a decision may read of the market: a narrow window, so that every input of a decision is named here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from engine.domain import Instrument, Side
from engine.market.state import Venue
from engine.messages import Forecast, Skill


class Greeks(msgspec.Struct, frozen=True):
    """Of one unit of amount: Black–Scholes delta and coin delta, coin; gamma, coin of delta a USD; vega, USD a vol
    point."""

    delta: float
    coin_delta: float
    gamma: float
    vega: float


class Picture(Protocol):
    """The market at the time of the input being decided. Prices in units, sizes in lots."""

    @property
    def now(self) -> int: ...
    @property
    def halted(self) -> str: ...
    @property
    def venue(self) -> Venue: ...
    @property
    def forecasts(self) -> Mapping[str, Forecast]: ...
    @property
    def baselines(self) -> Mapping[str, Forecast]: ...
    @property
    def verdicts(self) -> Mapping[str, Skill]: ...

    def micro(self, name: str) -> float | None:
        """Micro-price without our own orders."""

    def fair(self, name: str) -> float | None:
        """The surface's price at the present forward."""

    def forward(self, instrument: Instrument) -> float | None:
        """The present forward of an option, USD; None where nobody has said one for a while."""

    def vega_ticks(self, name: str) -> float | None:
        """Ticks of premium per vol point."""

    def sigma_ticks(self, name: str) -> float | None:
        """How far the price wanders in √1 s by the underlying's volatility, in ticks."""

    def usual_spread(self, name: str) -> float | None:
        """Median of the last ten minutes or so, in ticks."""

    def stable_ticks(self, name: str, seconds: int) -> float | None:
        """The move that "stable" stays below at this horizon of the direction."""

    def traded(self, name: str, start: int, end: int) -> int:
        """Lots that others have traded between two times: no blocks, RFQs or combos, no fills of ours."""

    def turnover(self, name: str, start: int, end: int) -> int:
        """Σ lots × units of the same."""

    def stood(self, name: str) -> tuple[float, int, int] | None:
        """Micro-price, bid and ask at the last step, where we have orders: without them, and before any fill since."""

    def delta(self, name: str) -> float | None:
        """Coin delta of one unit of amount: a contract of an option, a USD of a future."""

    def greeks(self, name: str) -> Greeks | None:
        """Of one unit of amount, at the present forward; in the last half hour they follow the averaging."""

    def ofi(self, name: str) -> float | None:
        """Multi-level order-flow imbalance of the last two seconds or so, in shares of the book's usual depth: above 0
        where buyers push. None where the book is not followed."""


def touch(picture: Picture, instrument: Instrument, side: Side) -> int | None:
    """Best price of one side of the book without our own orders."""
    own = picture.venue.own_lots(instrument.name)
    book = picture.venue.books.get(instrument.name)
    if book is None:
        return None
    for units, lots in book.levels(side, 20):
        if lots > own.get((side, units), 0):
            return units
    return None


def resting(picture: Picture, instrument: Instrument, side: Side, units: int) -> float:
    """Contracts that others have at one price."""
    own, book = picture.venue.own_lots(instrument.name), picture.venue.books.get(instrument.name)
    shown = next((lots for price, lots in book.levels(side, 20) if price == units), 0) if book else 0
    return max(shown - own.get((side, units), 0), 0) * instrument.lot / instrument.contract


def shown(picture: Picture, instrument: Instrument, side: Side, worst: int) -> int:
    """Lots of others that taking on `side` would find down to this price."""
    own, book = picture.venue.own_lots(instrument.name), picture.venue.books.get(instrument.name)
    levels = book.levels(side.other, 50) if book else ()
    inside = [(price, lots) for price, lots in levels if side.sign * (price - worst) <= 0]
    return sum(max(lots - own.get((side.other, price), 0), 0) for price, lots in inside)


def walked(picture: Picture, instrument: Instrument, side: Side, lots: int) -> int | None:
    """The last price that taking `lots` on `side` would reach, without our own; None if the book is too thin."""
    own = picture.venue.own_lots(instrument.name)
    left = lots
    book = picture.venue.books.get(instrument.name)
    for units, shown in book.levels(side.other, 50) if book else ():
        left -= max(shown - own.get((side.other, units), 0), 0)
        if left <= 0:
            return units
    return None
