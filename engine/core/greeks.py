"""Greeks of one instrument as it stands: the venue's own, and in the last half hour of its expiry ours.

While the delivery price is being averaged, a greek runs off with what is still to be averaged (`surface.delivery`); so
does what a future moves by. Then they need the average so far, as the venue's ticker says it.
"""

from __future__ import annotations

from engine.core import quoted
from engine.core.sight import Sight
from engine.domain import Instrument, Kind
from engine.execution.picture import Greeks
from engine.market.told import Quote
from engine.surface import delivery


def greeks_of(market: Sight, name: str) -> Greeks | None:
    """Of one unit of amount: a contract of an option, a USD of a future. None where something is not known."""
    instrument, quote = market.venue.instruments.get(name), market.venue.quotes.get(name)
    if instrument is None or quote is None or not quote.mark:
        return None
    if delivery.begun(instrument.expiry, market.now):
        return _averaged(market, instrument, quote)
    if instrument.kind is not Kind.OPTION:
        return Greeks(1.0 / quote.mark, 1.0 / quote.mark, 0.0, 0.0)
    if quote.delta is None or quote.gamma is None or quote.vega is None:
        return None
    return Greeks(quote.delta, quote.delta - quote.mark, quote.gamma, quote.vega)


def _averaged(market: Sight, one: Instrument, quote: Quote) -> Greeks | None:
    so_far, left = quoted.so_far(one.expiry, quote, market.now), one.expiry - market.now
    forward = _forward(market, one, quote)
    if so_far is None or forward is None:
        return None
    if one.kind is not Kind.OPTION:
        share = left / delivery.WINDOW_NS
        each = share / (share * forward + (1.0 - share) * so_far)
        return Greeks(each, each, 0.0, 0.0)
    vol = market.surface(one.coin).iv(one.expiry, one.strike, forward) or quote.mark_iv
    if vol is None:
        return None
    g = delivery.greeks(forward, one.strike, left, vol, one.call, so_far)
    return Greeks(float(g.delta), float(g.coin_delta), float(g.gamma), float(g.vega))


def _forward(market: Sight, one: Instrument, quote: Quote) -> float | None:
    """What the index at the expiry is expected to be: a future's own quotes are of the average by then."""
    if one.kind is Kind.OPTION:
        return market.forward(one)
    return market.venue.forward(one.expiry, one.coin) or quote.index
