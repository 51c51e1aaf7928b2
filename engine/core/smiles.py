"""What the options say: the smiles of each coin, the forwards they stand on, and their factors.

Kept up a little at each step of the clock, so that no decision waits: one expiry's forward and smile, and at most one
coin's factors, each coin's once a second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.domain import NS, Instrument, Kind
from engine.market.state import Venue
from engine.market.told import Quote
from engine.surface import delivery
from engine.surface.factors import factors, index, named
from engine.surface.forward import Forward, Pair, Source, agreed, of_future, of_parity, of_ticker
from engine.surface.history import History, Outlook
from engine.surface.past import Past
from engine.surface.surface import ENOUGH, Surface
from engine.surface.surface import Quote as SmileQuote

QUOTE_OLD_NS = 60 * NS

Told = Sequence[tuple[Instrument, Quote]]


class Smiles:
    """By coin. `forwards` are those last agreed on, by expiry; `factors` the last, by name."""

    def __init__(self) -> None:
        self.surfaces: dict[str, Surface] = {}
        self.past = Past()
        self.forwards: dict[str, dict[int, Forward]] = {}
        self.factors: dict[str, dict[str, float]] = {}
        self.history: dict[str, History] = {}
        self.outlook: dict[str, Outlook] = {}
        self.measured: dict[str, int] = {}  # when the factors were last taken
        self._chains: tuple[int, list[list[Instrument]]] = (
            0,
            [],
        )  # of so many instruments; read from the venue, not kept

    def surface(self, coin: str) -> Surface:
        return self.surfaces.setdefault(coin, Surface())

    def forward(self, instrument: Instrument, venue: Venue) -> float | None:
        """The present forward, USD: the option's own ticker, else any of its expiry, else what was agreed on last."""
        quote = venue.quotes.get(instrument.name)
        if quote is not None and quote.forward:
            return quote.forward
        known = self.forwards.get(instrument.coin, {}).get(instrument.expiry)
        return venue.forward(instrument.expiry, instrument.coin) or (known.value if known else None)

    def fair(self, instrument: Instrument, venue: Venue, t: int) -> float | None:
        """Coin price at the present forward. In the last half hour it needs the index's average so far, as the venue
        says it: None where it does not."""
        forward = self.forward(instrument, venue)
        if forward is None:
            return None
        if not delivery.begun(instrument.expiry, t):
            return self.surface(instrument.coin).fair(instrument, forward, t)
        so_far = _so_far(instrument.expiry, venue.quotes.get(instrument.name), t)
        return None if so_far is None else self.surface(instrument.coin).fair(instrument, forward, t, so_far)

    # ------------------------------------------------------------ each step

    def step(self, venue: Venue, t: int, number: int) -> None:
        self._refit_one(venue, t, number)
        self.past.keep(t, self.surfaces)
        self._measure_one(t)

    def _refit_one(self, venue: Venue, t: int, number: int) -> None:
        chains = self._listed(venue)
        if not chains:
            return
        listed = chains[number % len(chains)]
        coin, expiry = listed[0].coin, listed[0].expiry
        forwards = self.forwards.setdefault(coin, {})
        if expiry <= t:
            self.surface(coin).forget(expiry)
            forwards.pop(expiry, None)
            return
        told = [(one, quote) for one in listed if (quote := venue.quotes.get(one.name)) is not None]
        fresh = [(one, quote) for one, quote in told if t - quote.t < QUOTE_OLD_NS]
        forward = _agreed(told, fresh, t)
        if forward is None:
            return
        forwards[expiry] = forward
        options = [(one, quote) for one, quote in fresh if one.kind is Kind.OPTION]
        begun = delivery.begun(expiry, t)
        quotes = _averaging(options, forward.value) if begun else _plain(options)
        if begun and (expiry - t < delivery.DULL_NS or _two_sided(quotes) < ENOUGH):
            self.surface(coin).hold(expiry, t)
        elif quotes:
            self.surface(coin).refit(expiry, forward.value, quotes, t)

    def _listed(self, venue: Venue) -> list[list[Instrument]]:
        """What is listed of each expiry that has options, the desk's own coin first. Nothing ever leaves the venue's
        list: it is gone through anew only when it has grown."""
        count, chains = self._chains
        if count != len(venue.instruments):
            of: dict[tuple[bool, str, int], list[Instrument]] = {}
            for one in venue.instruments.values():
                of.setdefault((one.coin != venue.coin, one.coin, one.expiry), []).append(one)
            chains = [of[key] for key in sorted(of) if any(one.kind is Kind.OPTION for one in of[key])]
            self._chains = len(venue.instruments), chains
        return chains

    def _measure_one(self, t: int) -> None:
        """The coin that has waited longest, if that is a second: some tenths of a millisecond."""
        coin = min(self.surfaces, key=lambda coin: self.measured.get(coin, 0), default="")
        if not coin or t - self.measured.get(coin, 0) < NS:
            return
        self.measured[coin] = t
        surface = self.surfaces[coin]
        values = self.factors[coin] = named(factors(surface, t), index(surface, t))
        self.history.setdefault(coin, History()).add(t, values)
        self.outlook.setdefault(coin, Outlook()).step(t, values)

    # ------------------------------------------------------------ snapshots of itself

    def dump(self) -> Any:
        return {
            "surfaces": {coin: surface.dump() for coin, surface in self.surfaces.items()},
            "past": self.past.dump(),
            "forwards": msgspec.to_builtins(self.forwards),
            "factors": msgspec.to_builtins(self.factors),
            "history": {coin: history.dump() for coin, history in self.history.items()},
            "outlook": {coin: outlook.dump() for coin, outlook in self.outlook.items()},
            "measured": dict(self.measured),
        }

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Smiles:
        self = cls()
        self.surfaces = {coin: Surface.load(raw) for coin, raw in value["surfaces"].items()}
        self.past = Past.load(value["past"])
        self.forwards = msgspec.convert(value["forwards"], dict[str, dict[int, Forward]])
        self.factors = msgspec.convert(value["factors"], dict[str, dict[str, float]])
        self.history = {coin: History.load(raw) for coin, raw in value["history"].items()}
        self.outlook = {coin: Outlook.load(raw) for coin, raw in value["outlook"].items()}
        self.measured = dict(value["measured"])
        return self


def _agreed(told: Told, fresh: Told, t: int) -> Forward | None:
    """What the future, the options and the tickers of one expiry come to. While the delivery price is being made, the
    first two are quoted on the average, not on the index at its end: then the tickers alone are asked."""
    newest = max((quote for one, quote in told if one.kind is Kind.OPTION and quote.forward), key=lambda q: q.t,
                 default=None)  # fmt: skip
    sources: list[Source | None] = []
    if told and not delivery.begun(told[0][0].expiry, t):
        sources = [of_future(quote.bid, quote.ask) for one, quote in fresh if one.kind is Kind.FUTURE]
        sources.append(of_parity(_pairs(fresh)))
    if newest is not None:
        sources.append(of_ticker(newest.forward, (t - newest.t) / NS))
    return agreed(sources)


def _pairs(fresh: Told) -> list[Pair]:
    quoted: dict[float, dict[bool, Quote]] = {}
    for one, quote in fresh:
        if one.kind is Kind.OPTION and quote.bid and quote.ask:
            quoted.setdefault(one.strike, {})[one.call] = quote
    return [
        Pair(strike, both[True].bid, both[True].ask, both[False].bid, both[False].ask)
        for strike, both in quoted.items() if len(both) == 2
    ]  # fmt: skip


def _so_far(expiry: int, quote: Quote | None, t: int) -> float | None:
    """The index's average in the window, from a ticker of the window itself: before it the field is the index."""
    if quote is None or not quote.estimated or not delivery.begun(expiry, quote.t) or t - quote.t >= QUOTE_OLD_NS:
        return None
    return quote.estimated


def _plain(options: Told) -> list[SmileQuote]:
    return [
        SmileQuote(
            strike=one.strike, call=one.call, bid_iv=quote.bid_iv, ask_iv=quote.ask_iv, mark_iv=quote.mark_iv,
            forward=quote.forward,
        )
        for one, quote in options
    ]  # fmt: skip


def _averaging(options: Told, forward: float) -> list[SmileQuote]:
    """In the last half hour IVs are solved anew: the venue's are those of options on the index at its end. Its marks
    say nothing then: rounded, they are worth any volatility away from the money."""
    known = [(one, quote) for one, quote in options if _so_far(one.expiry, quote, quote.t) is not None]
    if not known:
        return []
    bid, ask = delivery.vols(
        [[quote.bid or 0.0 for _, quote in known], [quote.ask or 0.0 for _, quote in known]],
        [quote.forward or forward for _, quote in known],
        [one.strike for one, _ in known],
        [one.expiry - quote.t for one, quote in known],
        [one.call for one, _ in known],
        [quote.estimated or math.nan for _, quote in known],
    ).tolist()  # fmt: skip
    return [
        SmileQuote(one.strike, one.call, _value(low), _value(high), None, quote.forward)
        for (one, quote), low, high in zip(known, bid, ask, strict=True)
    ]


def _two_sided(quotes: Sequence[SmileQuote]) -> int:
    return len({quote.strike for quote in quotes if quote.bid_iv and quote.ask_iv})


def _value(vol: float) -> float | None:
    return None if math.isnan(vol) else vol
