"""The market as it can be read, instrument by instrument: for decisions (`execution.picture`), contexts and greeks."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from engine import messages as m
from engine.core.requotes import Requotes
from engine.core.smiles import Smiles
from engine.domain import NS, YEAR_NS, Instrument, Kind
from engine.forecast.features import Features, micro
from engine.forecast.labels import DIRECTIONS, HORIZON_NS
from engine.forecast.stream import Forecaster, Weights
from engine.market.state import Venue
from engine.market.usual import Usual
from engine.market.volume import Volume
from engine.surface.past import Past
from engine.surface.surface import Surface


class Sight:
    """What is computed from what the venue told. Read here; kept up to date by `Market` alone."""

    def __init__(self, venue: Venue, weights: Weights | None) -> None:
        self.now = 0
        self.venue = venue
        self.smiles = Smiles()
        self.requotes = Requotes()
        self.features: dict[str, Features] = {}
        self.forecaster = Forecaster(weights)
        self.volume = Volume()  # of others
        self.spreads: dict[str, Usual] = {}

    @property
    def baselines(self) -> Mapping[str, m.Forecast]:
        return self.forecaster.baselines

    def micro(self, name: str) -> float | None:
        book = self.venue.books.get(name)
        return None if book is None else micro(book, self.venue.own_lots(name))

    def fair(self, name: str) -> float | None:
        instrument = self.venue.instruments.get(name)
        if instrument is None or instrument.kind is not Kind.OPTION:
            return None
        coin = self.smiles.fair(instrument, self.venue, self.now)
        return None if coin is None else coin / instrument.tick

    def forward(self, instrument: Instrument) -> float | None:
        """The present forward of an option, USD."""
        return self.smiles.forward(instrument, self.venue)

    def surface(self, coin: str) -> Surface:
        """The fitted smiles of a coin's options."""
        return self.smiles.surface(coin)

    @property
    def past(self) -> Past:
        return self.smiles.past

    def vega_ticks(self, name: str) -> float | None:
        instrument, quote = self.venue.instruments.get(name), self.venue.quotes.get(name)
        if instrument is None or quote is None or not quote.vega or not quote.forward or not quote.mark:
            return None
        units = quote.vega / quote.forward / instrument.tick
        return units / instrument.tick_units(quote.mark / instrument.tick)

    def sigma_ticks(self, name: str) -> float | None:
        instrument, quote, delta = self.venue.instruments.get(name), self.venue.quotes.get(name), self.delta(name)
        if instrument is None or quote is None or not quote.mark or delta is None:
            return None
        option = instrument.kind is Kind.OPTION
        vol = quote.mark_iv if option else self.smiles.factors.get(instrument.coin, {}).get("index", 0.0) / 100.0
        if not vol:
            return None
        move = (abs(delta) if option else quote.mark) * vol * sqrt(NS / YEAR_NS)
        units = quote.mark / instrument.tick
        return move / instrument.tick / instrument.tick_units(units)

    def delta(self, name: str) -> float | None:
        instrument, quote = self.venue.instruments.get(name), self.venue.quotes.get(name)
        if instrument is None or quote is None or not quote.mark:
            return None
        if instrument.kind is not Kind.OPTION:
            return 1.0 / quote.mark
        return None if quote.delta is None else quote.delta - quote.mark  # the venue's net transaction delta

    def usual_spread(self, name: str) -> float | None:
        usual = self.spreads.get(name)
        return usual.median() if usual else None

    def stable_ticks(self, name: str, seconds: int) -> float | None:
        instrument, weights = self.venue.instruments.get(name), self.forecaster.weights
        if instrument is None or weights is None:
            return None
        head = next(head for head in DIRECTIONS if HORIZON_NS[head] == seconds * NS)
        return weights.header.threshold(instrument.kind, head)

    def traded(self, name: str, start: int, end: int) -> int:
        return self.volume.between(name, start, end)

    def turnover(self, name: str, start: int, end: int) -> int:
        return self.volume.worth(name, start, end)

    def ofi(self, name: str) -> float | None:
        features = self.features.get(name)
        return features.ofi()[1] if features else None
