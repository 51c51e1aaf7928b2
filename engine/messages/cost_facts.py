"""Facts of what trading costs: the market at a decision, at a fill and afterwards, kept when it happens."""

from __future__ import annotations

import msgspec

from engine.messages.happened import Happened


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The market of one instrument at one moment, as a cost needs it; what was not known is None.

    Prices in units, without our own orders. `forward` is the underlying in USD: an option's forward, a future's index.
    `iv` is in vol points, `delta` in coin, `vega` in units of premium per vol point. `take` is the average price of
    taking `taken` lots at once, as many as the moment is about or as the book has.
    """

    micro: float
    bid: int
    ask: int
    forward: float | None = None
    index: float | None = None
    iv: float | None = None
    delta: float | None = None
    vega: float | None = None
    fair: float | None = None
    take: float | None = None
    taken: int = 0

    @property
    def half(self) -> float:
        """Half the spread, in units."""
        return (self.ask - self.bid) / 2


class MarketSeen(Happened, frozen=True, kw_only=True, tag="seen"):
    """The market while a parent lives, now and then; the first is its arrival. `lots` and `turnover` (Σ lots × units)
    are what others have traded since the one before, `due` the lots that the schedule had planned by then."""

    parent: str
    mark: Mark
    lots: int = 0
    turnover: int = 0
    due: int | None = None


class MarkedOut(Happened, frozen=True, kw_only=True, tag="marked_out"):
    """The market so many seconds after a fill; None where it was not seen then."""

    trade: str
    seconds: int
    mark: Mark | None
