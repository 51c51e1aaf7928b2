"""What the options say: the smiles of each coin, the forwards they stand on, and their factors.

Kept up a little at each step of the clock, so that no decision waits: one expiry's forward and smile, and at most one
coin's factors, each coin's once a second. What is no longer known is said to be old at the expiry's next turn, and is
gone after a while: a forward after a minute of silence, a smile after ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from engine.core import quoted
from engine.domain import MINUTE_NS, NEVER, NS, Instrument, Kind
from engine.market.state import Venue
from engine.surface import delivery
from engine.surface.factors import factors, index, known, named
from engine.surface.forward import Forward
from engine.surface.history import History, Outlook
from engine.surface.past import Past
from engine.surface.smile import Fit
from engine.surface.surface import ENOUGH, Surface

OWN_NS = 10 * NS  # so long an option's own ticker says its forward better than what was agreed on for all
QUIET_NS = 10 * NS  # a smile of an expiry that is silent for longer says so


class Smiles:
    """By coin. `forwards` are those last agreed on, by expiry; `factors` the last, by name."""

    def __init__(self) -> None:
        self.now = 0  # the last step
        self.surfaces: dict[str, Surface] = {}
        self.past = Past()
        self.forwards: dict[str, dict[int, Forward]] = {}
        self.factors: dict[str, dict[str, float]] = {}
        self.history: dict[str, History] = {}
        self.outlook: dict[str, Outlook] = {}
        self.measured: dict[str, int] = {}  # when the factors were last taken
        self.fitted: dict[str, dict[int, int]] = {}  # the newest stamp among the tickers of an expiry's last fit
        self._chains: list[list[Instrument]] = []  # read from the venue, not kept: so many were listed, good until then
        self._listed, self._until = -1, 0

    def surface(self, coin: str) -> Surface:
        return self.surfaces.setdefault(coin, Surface())

    def forward(self, instrument: Instrument, venue: Venue) -> float | None:
        """The present forward, USD: the option's own ticker, if it is young, else what was agreed on for its expiry;
        None where a minute has passed without a word."""
        quote = venue.quotes.get(instrument.name)
        if quote is not None and quote.forward and self.now - quote.t < OWN_NS:
            return quote.forward
        agreed = self.forwards.get(instrument.coin, {}).get(instrument.expiry)
        return agreed.value if agreed else None

    def fair(self, instrument: Instrument, venue: Venue, t: int) -> float | None:
        """Coin price at the present forward. None where the smile is not of the last minute, nor the last before
        delivery; in the last half hour it needs the index's average so far, as the venue says it."""
        forward, surface = self.forward(instrument, venue), self.surface(instrument.coin)
        fit = surface.fit(instrument.expiry)
        if forward is None or fit is None:
            return None
        if not delivery.begun(instrument.expiry, t):
            return surface.fair(instrument, forward, t) if _young(fit, t) else None
        so_far = quoted.so_far(instrument.expiry, venue.quotes.get(instrument.name), t)
        return None if so_far is None else surface.fair(instrument, forward, t, so_far)

    # ------------------------------------------------------------ each step

    def step(self, venue: Venue, t: int, number: int) -> None:
        self.now = t
        chains = self._alive(venue, t)
        if chains:
            self._refit(chains[number % len(chains)], venue, t)
        self.past.keep(t, self.surfaces)
        self._measure_one(t)

    def _refit(self, listed: list[Instrument], venue: Venue, t: int) -> None:
        """One expiry: its forward, and its smile if anything new was said of it."""
        coin, expiry = listed[0].coin, listed[0].expiry
        surface, forwards = self.surface(coin), self.forwards.setdefault(coin, {})
        fitted = self.fitted.setdefault(coin, {})
        said = quoted.words(listed, venue, t)
        forward = quoted.agreed(said, t)
        if forward is None:
            forwards.pop(expiry, None)
            surface.hold(expiry, t, "no forward" if said.options else said.why(t))
            return
        forwards[expiry] = forward
        if said.newest <= fitted.get(expiry, 0):
            if t - said.newest > QUIET_NS:
                surface.hold(expiry, t, said.why(t) or f"no quotes for {(t - said.newest) / NS:.0f} s")
            return
        quotes = quoted.as_fitted(said.options, forward.value, t)
        if delivery.begun(expiry, t) and (expiry - t < delivery.DULL_NS or quoted.two_sided(quotes) < ENOUGH):
            surface.hold(expiry, t, "delivery is being averaged", delivery.WINDOW_NS)
            return
        fitted[expiry] = said.newest
        surface.refit(expiry, forward.value, quotes, t, said.why(t), quoted.average(said, t) or math.nan)

    def _alive(self, venue: Venue, t: int) -> list[list[Instrument]]:
        """What is listed of each expiry that has options and is not over, the desk's own coin first. Nothing ever
        leaves the venue's list: it is gone through anew when it has grown, and when an expiry is over."""
        if self._listed == len(venue.instruments) and t < self._until:
            return self._chains
        of: dict[tuple[bool, str, int], list[Instrument]] = {}
        for one in venue.instruments.values():
            of.setdefault((one.coin != venue.coin, one.coin, one.expiry), []).append(one)
        keys = sorted(key for key in of if key[2] > t and any(one.kind is Kind.OPTION for one in of[key]))
        self._chains = [of[key] for key in keys]
        self._listed, self._until = len(venue.instruments), min((key[2] for key in keys), default=NEVER)
        self._forget(t)
        return self._chains

    def _forget(self, t: int) -> None:
        """Expiries that are over."""
        for coin, surface in self.surfaces.items():
            for expiry in [expiry for expiry in surface.fits if expiry <= t]:
                surface.forget(expiry)
            for kept in (self.forwards.get(coin, {}), self.fitted.get(coin, {})):
                for expiry in [expiry for expiry in kept if expiry <= t]:
                    del kept[expiry]

    def _measure_one(self, t: int) -> None:
        """Of the coins that are due the one that has waited longest: some tenths of a millisecond. Forecasts learn from
        smiles of the last minute alone: an old one that stands still says nothing of persistence."""
        due = (coin for coin in self.surfaces if self._due(coin, t))
        coin = min(due, key=lambda coin: self.measured.get(coin, 0), default="")
        if not coin:
            return
        self.measured[coin] = t
        surface = self.surfaces[coin]
        values = self.factors[coin] = named(factors(surface, t), index(surface, t))
        self.history.setdefault(coin, History()).add(t, values)
        old = {expiry for expiry, fit in surface.fits.items() if not _young(fit, t)}
        self.outlook.setdefault(coin, Outlook()).step(t, known(values, old))

    def _due(self, coin: str, t: int) -> bool:
        """A second after the last time, if a smile has come or grown old since; a minute after it anyway."""
        since = self.measured.get(coin, 0)
        fits = self.surfaces[coin].fits.values()
        moved = any(fit.t > since or _young(fit, since) != _young(fit, t) for fit in fits)
        return t - since >= (NS if moved else MINUTE_NS)

    # ------------------------------------------------------------ snapshots of itself

    def dump(self) -> Any:
        return {
            "now": self.now,
            "surfaces": {coin: surface.dump() for coin, surface in self.surfaces.items()},
            "past": self.past.dump(),
            "forwards": msgspec.to_builtins(self.forwards),
            "factors": msgspec.to_builtins(self.factors),
            "history": {coin: history.dump() for coin, history in self.history.items()},
            "outlook": {coin: outlook.dump() for coin, outlook in self.outlook.items()},
            "measured": dict(self.measured),
            "fitted": msgspec.to_builtins(self.fitted),
        }

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Smiles:
        self = cls()
        self.now = value.get("now", 0)
        self.surfaces = {coin: Surface.load(raw) for coin, raw in value["surfaces"].items()}
        self.past = Past.load(value["past"])
        self.forwards = msgspec.convert(value["forwards"], dict[str, dict[int, Forward]])
        self.factors = msgspec.convert(value["factors"], dict[str, dict[str, float]])
        self.history = {coin: History.load(raw) for coin, raw in value["history"].items()}
        self.outlook = {coin: Outlook.load(raw) for coin, raw in value["outlook"].items()}
        self.measured = dict(value["measured"])
        self.fitted = msgspec.convert(value.get("fitted", {}), dict[str, dict[int, int]])
        return self


def _young(fit: Fit, t: int) -> bool:
    """Whether it was fitted within the last minute."""
    return t - fit.t < quoted.OLD_NS
