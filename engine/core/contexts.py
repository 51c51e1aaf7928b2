"""What the rest of the market says about one instrument, gathered for its features."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from engine.core.sight import Sight
from engine.domain import NS, Instrument, Kind
from engine.forecast.context import Context
from engine.forecast.others import others
from engine.market.told import Quote


class Surroundings:
    """Knows which strikes are neighbours: read from the venue's list, whenever that has grown."""

    def __init__(self) -> None:
        self._ladders: dict[str, tuple[str, str]] = {}
        self._listed = -1

    def of(self, market: Sight, name: str, underlying: dict[str, Any]) -> Context:
        """Of one instrument now; `underlying` is what that function says of the market."""
        instrument = market.venue.instruments[name]
        context = Context(
            years=instrument.years(market.now), strike=instrument.strike, index_vol=_index_vol(market, instrument.coin),
            **underlying,
        )  # fmt: skip
        if instrument.kind is not Kind.OPTION:
            context.forward = usd(market, name)
            return context
        _of_option(context, market, instrument)
        context.below_iv, context.above_iv = self._neighbour_ivs(market, instrument)
        return context

    def _neighbour_ivs(self, market: Sight, instrument: Instrument) -> tuple[float | None, float | None]:
        """Mark IVs of the next strikes below and above, of the same expiry and kind."""
        listed = market.venue.instruments
        if self._listed != len(listed):
            self._ladders, self._listed = _ladders(listed.values()), len(listed)
        quotes = (market.venue.quotes.get(name) if name else None for name in self._ladders[instrument.name])
        below, above = (quote.mark_iv if quote else None for quote in quotes)
        return below, above


def underlying(market: Sight) -> dict[str, Any]:
    """The part of a `Context` that is the same for all instruments of a step."""
    venue, name = market.venue, market.venue.perpetual
    features, quote = market.features.get(name), venue.quotes.get(name)
    ofi = features.ofi() if features else (0.0, 0.0)
    return {
        "under_mid": usd(market, name),
        "under_ofi": ofi[1],
        "under_ofi_05": ofi[0],
        "under_flow": features.flow()[1] if features else 0.0,
        "under_imbalance": _imbalance(market, name),
        "funding": quote.funding if quote else None,
        "index": venue.index,
        "dvol": None if venue.dvol is None else venue.dvol / 100.0,
        "chain": market.requotes.chain,
    }


def usd(market: Sight, name: str) -> float | None:
    """A future's micro-price in USD."""
    price, instrument = market.micro(name), market.venue.instruments.get(name)
    return None if price is None or instrument is None else price * instrument.tick


def _imbalance(market: Sight, name: str) -> float:
    """Of the touch without our orders, −1 … 1; 0 where it has not two sides."""
    book = market.venue.books.get(name)
    bids, asks = ([], []) if book is None else others(book, market.venue.own_lots(name), 1)
    return (bids[0][1] - asks[0][1]) / (bids[0][1] + asks[0][1]) if bids and asks else 0.0


def _index_vol(market: Sight, coin: str) -> float | None:
    """The surface's 30-day index, a fraction."""
    value = market.smiles.factors.get(coin, {}).get("index")
    return None if value is None else value / 100.0


def _of_option(context: Context, market: Sight, instrument: Instrument) -> None:
    name, quote = instrument.name, market.venue.quotes.get(instrument.name) or Quote(t=0)
    context.forward, context.fair = market.forward(instrument), market.fair(name)
    context.coin_delta, context.vega_ticks = market.delta(name), market.vega_ticks(name)
    context.bid_iv, context.ask_iv, context.mark_iv = quote.bid_iv, quote.ask_iv, quote.mark_iv
    surface = market.surface(instrument.coin)
    fit = surface.fit(instrument.expiry)
    if fit is not None:
        context.atm_iv, context.skew, context.curvature = fit.atm_iv, fit.skew, fit.curvature
        context.smile_age = (market.now - fit.t) / NS
    if context.forward is not None:
        context.fair_iv = surface.iv(instrument.expiry, instrument.strike, context.forward)


def _ladders(listed: Iterable[Instrument]) -> dict[str, tuple[str, str]]:
    """Each option's neighbours in strike, below and above, empty at the ends."""
    chains: dict[tuple[str, int, bool], list[Instrument]] = {}
    for one in listed:
        if one.kind is Kind.OPTION:
            chains.setdefault((one.coin, one.expiry, one.call), []).append(one)
    below: dict[str, str] = {}
    above: dict[str, str] = {}
    for chain in chains.values():
        for low, high in pairwise(sorted(chain, key=lambda one: one.strike)):
            below[high.name], above[low.name] = low.name, high.name
    return {one.name: (below.get(one.name, ""), above.get(one.name, "")) for chain in chains.values() for one in chain}
