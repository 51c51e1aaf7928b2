"""Arbitrage that can be done at the quotes, as a screen may know it. One expiry is looked at at a time: a chain of
sixty options takes a millisecond, a whole exchange would be a pause."""

from __future__ import annotations

from collections.abc import Sequence

from engine import messages as m
from engine.core import Core
from engine.domain import NS, Instrument, Kind
from engine.market.told import Quote
from engine.surface.executable import Arbitrage, Quoted, executable
from engine.surface.time_spread import calendars
from engine.view.book import digits
from engine.view.surface import code_of

OLD_NS = 60 * NS  # an older quote is no offer
MOST = 30  # rows


class Watch:
    """What each look has found last. It is rebuilt from the market by looking, and belongs to no state."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], tuple[int, list[Arbitrage]]] = {}  # quotes looked at, what they hold
        self._turn = 0

    def look(self, core: Core) -> None:
        """Look at the next expiry."""
        keys = _expiries(core)
        self._found = {key: self._found[key] for key in keys if key in self._found}
        if keys:
            self._turn = (self._turn + 1) % len(keys)
            coin, expiry = keys[self._turn]
            quotes = _quotes(core, coin, [expiry])
            self._found[coin, expiry] = len(quotes), executable(quotes) + _calendars(core, coin, expiry, keys)

    def view(self, core: Core) -> m.ArbitrageView:
        """Empty while there is no connection: nothing can be done then."""
        if not core.market.venue.up:
            self._found = {}
        expiries = _expiries(core)
        named = len({coin for coin, _ in expiries}) > 1
        rows = [_row(core, key, one, named) for key, (_, found) in self._found.items() for one in found]
        return m.ArbitrageView(
            looked=sum(count > 0 for count, _ in self._found.values()),
            expiries=len(expiries),
            quotes=sum(count for count, _ in self._found.values()),
            rows=tuple(sorted(rows, key=lambda row: -row.profit)[:MOST]),
        )


def _expiries(core: Core) -> list[tuple[str, int]]:
    return sorted({
        (one.coin, one.expiry)
        for one in core.market.venue.instruments.values()
        if one.kind is Kind.OPTION and one.expiry > core.market.now
    })  # fmt: skip


def _calendars(core: Core, coin: str, expiry: int, keys: Sequence[tuple[str, int]]) -> list[Arbitrage]:
    """Of one expiry against all later ones of the coin."""
    later = [other for name, other in keys if name == coin and other >= expiry]
    known = {one: forward for one in later if (forward := core.market.venue.forward(one, coin)) is not None}
    return calendars(_quotes(core, coin, later), known, expiry)


def _quotes(core: Core, coin: str, expiries: Sequence[int]) -> list[Quoted]:
    """Fresh quotes of open instruments: what is halted or silent cannot be traded on, nor anything while there is no
    connection."""
    venue, oldest = core.market.venue, core.market.now - OLD_NS
    chain = [one for one in venue.instruments.values() if one.coin == coin and one.expiry in expiries]
    told = [(one, quote) for one in chain if (quote := venue.quotes.get(one.name)) and quote.t > oldest]
    return [_quoted(one, quote) for one, quote in told if venue.up and quote.state == "open"]


def _quoted(instrument: Instrument, quote: Quote) -> Quoted:
    return Quoted(instrument, quote.bid or 0.0, quote.ask or 0.0, quote.bid_size or 0.0, quote.ask_size or 0.0)


def _row(core: Core, key: tuple[str, int], found: Arbitrage, named: bool) -> m.ArbitrageRow:
    coin, expiry = key
    forward = core.market.venue.forward(expiry, coin)
    legs = tuple(
        m.LegRow(
            instrument=leg.instrument.name,
            side=leg.side,
            size=leg.size,
            price=leg.price,
            digits=digits(leg.instrument),
        )
        for leg in found.legs
    )
    return m.ArbitrageRow(
        kind=found.kind,
        code=code_of(coin, expiry, named),
        coin=coin,
        legs=legs,
        profit=found.profit,
        usd=None if forward is None else found.profit * forward,
        needs=found.needs,
    )
