"""The market as the desk sees it: what the venue told, and everything computed from it. Rebuilt from inputs alone.

`observe` takes one input: the venue's state first, then the features of the books and prints it touched, and on each
step of the clock the forecasts of everything in focus and a refit of one smile. Nothing here knows of parents,
proposals or limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from engine import messages as m
from engine.config import Config
from engine.core.contexts import Surroundings, underlying, usd
from engine.core.greeks import greeks_of
from engine.core.requotes import Requotes
from engine.core.sight import Sight
from engine.core.smiles import Smiles
from engine.domain import MS, Kind, OffGrid, Side
from engine.execution import policy
from engine.execution.picture import Greeks
from engine.execution.risk import unsound
from engine.forecast.features import Context, Features, Row
from engine.forecast.skill import Monitor
from engine.forecast.stream import Forecaster, Weights
from engine.market.deribit import wire
from engine.market.state import Venue
from engine.market.told import Changes, Print
from engine.market.usual import Usual
from engine.market.volume import Volume

FIRING_EVERY = 10  # steps between two looks at which policy rows would fire
Models = Callable[[str], Weights | None]


def no_models(_: str) -> None:
    """Where none can be had."""


class Market(Sight):
    """`recorded` holds forecasts of an earlier run by input number: where it has one, it is taken instead of ours.
    `models` gives the weights that a `ModelSwap` names; `missing` are those that it did not have."""

    def __init__(
        self,
        config: Config,
        weights: Weights | None,
        recorded: Mapping[int, Mapping[str, m.Forecast]] | None = None,
        models: Models = no_models,
    ) -> None:
        super().__init__(Venue(config.coin, cancel_on_disconnect=config.cancel_on_disconnect), weights)
        self.config = config
        self.recorded = recorded or {}
        self.models = models
        self.missing: list[str] = []
        self.steps = 0
        self.halted = ""  # why the shell lets nothing new out
        self.monitor = Monitor(weights)
        self.contexts: Mapping[str, Context] = {}  # of the last step
        self.prints: list[tuple[str, Print]] = []  # of others, since the last step
        self.own_fills: set[str] = set()  # instruments that we traded since the last step
        self._surroundings = Surroundings()
        self._stood: dict[str, tuple[float, int, int]] = {}
        self.forecasts: dict[str, m.Forecast] = {}
        self.verdicts: dict[str, m.Skill] = {}
        self.fired: dict[str, int] = {}  # policy row → looks in which it fired
        self.looks = 0

    # ------------------------------------------------------------ what a decision may read (execution.picture)

    def stood(self, name: str) -> tuple[float, int, int] | None:
        return self._stood.get(name)

    def greeks(self, name: str) -> Greeks | None:
        return greeks_of(self, name)

    # ------------------------------------------------------------ observing

    def observe(self, item: m.Input) -> list[m.Effect]:
        """Take one input in; returns the calls the protocol needs."""
        self.now = item.t
        effects = self.venue.observe(item)
        match item:
            case m.Tick():
                self._step(item)
            case m.Halted(reason=reason):
                self.halted = reason
            case m.Mended():
                self.halted = ""
            case m.ModelSwap(model=model, reason=""):
                self._swap(model)
            case m.Focus() | m.Link() | m.Started():
                self._follow()
        for name in self.venue.followed.dropped:
            self._forget(name)
        for name in self.venue.followed.touched:
            if features := self._features(name):
                features.on_book(self.venue.books[name], self.venue.own_lots(name))
        for name in self.venue.quoted:
            self.requotes.heard(name)
        for name, row in self.venue.printed:
            self.prints.append((name, row))
            if row.plain:
                self.volume.add(self.now, name, row.lots, row.units, row.trade)
            if features := self._features(name):
                features.on_trade(
                    row.t, row.units, row.lots, row.side, plain=row.plain, liquidation=row.liquidation, trade=row.trade
                )
        for news in self.venue.news:
            if isinstance(news, Changes):
                self._own(news)
        return effects

    def _own(self, news: Changes) -> None:
        """What the venue told of our own orders and fills is no news of the market."""
        for trade in news.trades:
            self.own_fills.add(trade.instrument_name)
            self.requotes.ours(trade.instrument_name)
            self.volume.own(trade.trade_id)
            self.prints = [(name, row) for name, row in self.prints if row.trade != trade.trade_id]
            self._own_fill(trade)
        for order in news.orders:
            name = order.instrument_name
            self.requotes.ours(name)
            features, book = self.features.get(name), self.venue.books.get(name)
            if features is not None and book is not None:
                features.on_own_order(book, self.venue.own_lots(name))

    def _own_fill(self, trade: wire.UserTradeData) -> None:
        features, book = self.features.get(trade.instrument_name), self.venue.books.get(trade.instrument_name)
        if features is None or book is None:
            return
        try:
            units, lots = book.instrument.units(trade.price), book.instrument.lots(trade.amount)
        except OffGrid:
            return  # the desk refuses it too
        took = Side(trade.direction) if trade.liquidity == "T" else None
        features.on_own_fill(trade.timestamp * MS, book.t, trade.trade_id, units, lots, took)

    def followed(self) -> tuple[str, ...]:
        """Instruments whose books are forecast: what is in focus, and the perpetual."""
        focus = self.venue.focus[: self.config.focus_limit]
        perpetual = self.venue.perpetual
        return focus if perpetual in focus else (*focus, perpetual)

    def _features(self, name: str) -> Features | None:
        """The features of a followed instrument, begun with its first word."""
        if name not in self.features and name in self.followed() and name in self.venue.instruments:
            self.features[name] = Features(self.venue.instruments[name])
        return self.features.get(name)

    def _follow(self) -> None:
        for name in self.features.keys() - set(self.followed()):
            self._forget(name)

    def _forget(self, name: str) -> None:
        """A broken or abandoned book carries nothing on: it warms up again."""
        self.features.pop(name, None)
        self.forecasts.pop(name, None)
        self.spreads.pop(name, None)
        self.forecaster.baselines.pop(name, None)
        self.forecaster.reset(name)

    def _swap(self, model: str) -> None:
        """Another model from the next step on, or none where it cannot be had. It begins cold, with no skill shown;
        features and what the baseline says of the books stay."""
        weights = self.models(model)
        if weights is None:
            self.missing.append(model)
        baselines, standings = self.forecaster.baselines, self.forecaster.standings
        self.forecaster, self.monitor = Forecaster(weights), Monitor(weights)
        self.forecaster.baselines, self.forecaster.standings = baselines, standings
        self.forecasts, self.verdicts = {}, self.monitor.verdicts()
        self.fired, self.looks = {}, 0

    def _step(self, item: m.Tick) -> None:
        self.steps += 1
        self.smiles.step(self.venue, item.t, self.steps)
        self.requotes.step(item.t, self.venue, usd(self, self.venue.perpetual), self.steps)
        own = {name: self.venue.own_lots(name) for name in self.features}
        contexts: dict[str, Context] = {}
        rows: dict[str, Row] = {}
        under: dict[str, Any] | None = None
        for name in self._sound():
            under = under or underlying(self)
            contexts[name] = self._surroundings.of(self, name, under)
            rows[name] = self.features[name].row(item.t, self.venue.books[name], own[name], contexts[name])
            if name == self.venue.perpetual:
                under = None  # its flow is another after its own row: what the others read is that
        self.contexts = contexts
        self.forecasts = self.forecaster.step(item.t, rows, self.venue.books, own, self.monitor.stretches)
        self.forecasts |= self.recorded.get(item.n, {})
        standings = self.forecaster.standings
        self._stood = {name: (now.micro, now.bid, now.ask) for name, now in standings.items() if own.get(name)}
        for name, standing in standings.items():
            self.spreads.setdefault(name, Usual()).add(standing.spread)
        self.monitor.step(
            item.t, self.forecasts, self.forecaster.baselines, self.forecaster.standings, contexts, self.prints,
            self.own_fills,
        )  # fmt: skip
        self.prints, self.own_fills = [], set()
        self.verdicts = self.monitor.verdicts()
        if self.steps % FIRING_EVERY == 0:
            self._count_firing()

    def _sound(self) -> list[str]:
        """Followed instruments whose books can be trusted; the perpetual first, since the others read its flow."""
        perpetual = self.venue.perpetual
        out = []
        for name in sorted(self.features, key=lambda name: (name != perpetual, name)):
            if unsound(self, name, self.config.limits.silence_s):
                self.forecaster.reset(name)
            else:
                out.append(name)
        return out

    def context(self, name: str) -> Context:
        """What the rest of the market says about one instrument now."""
        return self._surroundings.of(self, name, underlying(self))

    def _count_firing(self) -> None:
        """How often each policy row fires, over everything in focus and both sides."""
        for name, forecast in self.forecasts.items():
            instrument = self.venue.instruments[name]
            if not forecast.warm or instrument.kind is not Kind.OPTION:
                continue
            for side in Side:
                self.looks += 1
                values = policy.readings(self, instrument, side, self.config.execution.direction_s)
                for row in policy.advise(self.config.policy, values).fired:
                    self.fired[row] = self.fired.get(row, 0) + 1

    # ------------------------------------------------------------ snapshots of itself

    def dump(self) -> Any:
        return {
            "now": self.now,
            "steps": self.steps,
            "halted": self.halted,
            "missing": list(self.missing),
            "venue": self.venue.dump(),
            "smiles": self.smiles.dump(),
            "requotes": self.requotes.dump(),
            "features": {name: features.dump() for name, features in self.features.items()},
            "forecaster": self.forecaster.dump(),
            "monitor": self.monitor.dump(),
            "prints": msgspec.to_builtins(self.prints),
            "own_fills": sorted(self.own_fills),
            "volume": self.volume.dump(),
            "stood": dict(self._stood),
            "spreads": {name: usual.dump() for name, usual in self.spreads.items()},
            "forecasts": msgspec.to_builtins(self.forecasts),
            "baselines": msgspec.to_builtins(self.forecaster.baselines),
            "fired": dict(self.fired),
            "looks": self.looks,
        }

    @classmethod
    def load(
        cls,
        config: Config,
        weights: Weights | None,
        value: Mapping[str, Any],
        recorded: Mapping[int, Mapping[str, m.Forecast]] | None = None,
        models: Models = no_models,
    ) -> Market:
        self = cls(config, weights, recorded, models)
        self.now, self.steps, self.halted = value["now"], value["steps"], value["halted"]
        self.missing = list(value.get("missing", ()))  # dumps of before models could be swapped have none
        self.venue = Venue.load(value["venue"])
        self.smiles = Smiles.load(value["smiles"])
        self.requotes = Requotes.load(value["requotes"])
        self.features = {
            name: Features.load(self.venue.instruments[name], raw) for name, raw in value["features"].items()
        }
        self.forecaster = Forecaster.load(weights, value["forecaster"])
        self.monitor = Monitor.load(weights, value["monitor"])
        self.prints = msgspec.convert(value["prints"], list[tuple[str, Print]])
        self.own_fills = set(value["own_fills"])
        self.volume = Volume.load(value["volume"])
        self.spreads = {name: Usual.load(raw) for name, raw in value["spreads"].items()}
        self._stood = msgspec.convert(value.get("stood", {}), dict[str, tuple[float, int, int]])
        self.forecasts = msgspec.convert(value["forecasts"], dict[str, m.Forecast])
        self.forecaster.baselines = msgspec.convert(value["baselines"], dict[str, m.Forecast])
        self.verdicts = self.monitor.verdicts()
        self.fired, self.looks = dict(value["fired"]), value["looks"]
        return self
