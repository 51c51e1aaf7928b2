"""What the tickers of one expiry say at a moment: who is heard, the forward they come to, the IVs a fit takes.

A ticker of more than a minute ago says nothing of now. What is not open (halted, locked, in settlement) cannot be
traded on: its bid and ask are left out, what the venue says of it (mark, forward, the average so far) stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from engine.domain import NS, Instrument, Kind
from engine.market.state import Venue
from engine.market.told import Quote, vol_of
from engine.surface import delivery
from engine.surface.forward import Forward, Pair, Source, of_future, of_parity, of_ticker
from engine.surface.forward import agreed as agreed_on
from engine.surface.surface import Quote as SmileQuote

OLD_NS = 60 * NS

Told = Sequence[tuple[Instrument, Quote]]


class Words(NamedTuple):
    """`options` and `futures`: what is to be heard. `newest`: the stamp of the newest option's ticker, however old, 0
    without any. `shut`: how many options are not open."""

    expiry: int
    options: Told
    futures: Told
    newest: int
    shut: int

    def why(self, t: int) -> str:
        """Why there may be nothing to fit to; empty where nothing is the matter."""
        if not self.newest:
            return "no quotes yet"
        if not self.options:
            return f"no quotes for {(t - self.newest) / NS:.0f} s"
        return f"{self.shut} of {len(self.options)} options are not open" if self.shut else ""


def words(listed: Sequence[Instrument], venue: Venue, t: int) -> Words:
    """What is said of one expiry: `listed` are its instruments."""
    told = [(one, quote) for one in listed if (quote := venue.quotes.get(one.name)) is not None]
    newest = max((quote.t for one, quote in told if one.kind is Kind.OPTION), default=0)
    fresh = [(one, quote) for one, quote in told if abs(t - quote.t) < OLD_NS]
    shut = {one.name for one, quote in fresh if not quote.state == venue.state_of(one.name) == "open"}
    heard = [(one, _unquoted(quote) if one.name in shut else quote) for one, quote in fresh]
    options = [(one, quote) for one, quote in heard if one.kind is Kind.OPTION]
    futures = [(one, quote) for one, quote in heard if one.kind is Kind.FUTURE]
    expiry = listed[0].expiry if listed else 0
    return Words(expiry, options, futures, newest, sum(one.name in shut for one, _ in options))


def _unquoted(quote: Quote) -> Quote:
    return msgspec.structs.replace(quote, bid=None, ask=None, bid_size=None, ask_size=None, bid_iv=None, ask_iv=None)


def agreed(said: Words, t: int) -> Forward | None:
    """What the future, the options and the tickers come to. While the delivery price is being made, the first two are
    quoted on the average, not on the index at its end: then the tickers alone are asked."""
    newest = max((quote for _, quote in said.options if quote.forward), key=lambda quote: quote.t, default=None)
    sources: list[Source | None] = []
    if not delivery.begun(said.expiry, t):
        sources = [of_future(quote.bid, quote.ask, (t - quote.t) / NS) for _, quote in said.futures]
        ages = sorted((t - quote.t) / NS for _, quote in said.options if quote.bid and quote.ask)
        sources.append(of_parity(_pairs(said.options), ages[len(ages) // 2] if ages else 0.0))
    if newest is not None:
        sources.append(of_ticker(newest.forward, (t - newest.t) / NS))
    return agreed_on(sources)


def _pairs(options: Told) -> list[Pair]:
    quoted: dict[float, dict[bool, Quote]] = {}
    for one, quote in options:
        if quote.bid and quote.ask:
            quoted.setdefault(one.strike, {})[one.call] = quote
    return [
        Pair(strike, both[True].bid, both[True].ask, both[False].bid, both[False].ask)
        for strike, both in quoted.items() if len(both) == 2
    ]  # fmt: skip


def so_far(expiry: int, quote: Quote | None, t: int) -> float | None:
    """The index's average in the window, from a ticker of the window itself: before it the field is the index."""
    if quote is None or not quote.estimated or not delivery.begun(expiry, quote.t) or abs(t - quote.t) >= OLD_NS:
        return None
    return quote.estimated


def average(said: Words, t: int) -> float | None:
    """The index's average in the window, as the newest ticker has it."""
    _, quote = max(said.options, key=lambda told: told[1].t, default=(None, None))
    return so_far(said.expiry, quote, t)


def as_fitted(options: Told, forward: float, t: int) -> list[SmileQuote]:
    """The options' IVs as a smile of `t` is fitted to them: the venue's own, but in the last half hour those of options
    on the average (`delivery`). In the order of `options`; `forward` where a ticker says none."""
    begun = bool(options) and delivery.begun(options[0][0].expiry, t)
    return _averaging(options, forward, t) if begun else [_plain(one, quote) for one, quote in options]


def _plain(one: Instrument, quote: Quote) -> SmileQuote:
    return SmileQuote(one.strike, one.call, quote.bid_iv, quote.ask_iv, quote.mark_iv, quote.forward)


def _averaging(options: Told, forward: float, t: int) -> list[SmileQuote]:
    """In the last half hour IVs are solved anew: the venue's are those of options on the index at its end. Its marks
    say nothing then: rounded, they are worth any volatility away from the money. An option whose ticker does not say
    the average is without any."""
    averages = [so_far(one.expiry, quote, t) or math.nan for one, quote in options]
    bid, ask = delivery.vols(
        [[quote.bid or math.nan for _, quote in options], [quote.ask or math.nan for _, quote in options]],
        [quote.forward or forward for _, quote in options],
        [one.strike for one, _ in options],
        [max(one.expiry - quote.t, 0) for one, quote in options],
        [one.call for one, _ in options],
        averages,
    ).tolist()  # fmt: skip
    return [
        SmileQuote(one.strike, one.call, vol_of(low), vol_of(high), None, quote.forward)
        for (one, quote), low, high in zip(options, bid, ask, strict=True)
    ]


def two_sided(quotes: Sequence[SmileQuote]) -> int:
    """Strikes that are quoted on both sides."""
    return len({quote.strike for quote in quotes if quote.bid_iv and quote.ask_iv})
