"""The loop, once, for every mode: an input is observed, decided on, evolved; effects come out.

`Core` is one deterministic object without clock, socket, file or randomness: fold the same inputs from the same dump
and the same facts come out, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from engine import messages as m
from engine.core.decide import decide
from engine.core.market import Market, Models, no_models
from engine.execution import risk
from engine.execution.calls import effects_of
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.execution.lifecycle import LIVE_CHILD
from engine.forecast.stream import Weights

__all__ = ["Core", "Market", "Models", "Outcome"]


class Outcome(msgspec.Struct, frozen=True):
    """What one input came to. `noted` are the forecasts that decisions of this step may have read."""

    facts: list[m.Fact]
    effects: list[m.Effect]
    noted: m.Forecasts | None


class Core:
    def __init__(self, market: Market, desk: Desk) -> None:
        self.market = market
        self.desk = desk
        self.n = 0  # number of the last input

    def step(self, item: m.Input) -> Outcome:
        """Take one input. Raises IllegalMove when an invariant is broken: the shell must stop proposing then."""
        self.n = item.n
        effects: list[m.Effect] = list(self.market.observe(item))
        facts: list[m.Fact] = []
        for bare in decide(self.desk, self.market, item):
            fact = msgspec.structs.replace(bare, n=self.desk.facts + 1, t=item.t, cause=item.n)
            evolve(self.desk, fact)
            facts.append(fact)
            for call in effects_of(fact, self.desk, self.market.venue):
                self.market.venue.expect(call)
                effects.append(call)
            if isinstance(fact, m.ModelAsked):
                effects.append(m.FetchModel(model=fact.model, by=fact.by))
            if isinstance(fact, m.UnhaltAsked):
                effects.append(m.Mend())
        return Outcome(facts, effects, self._noted(item))

    def may_send(self, call: m.Call, now: int) -> str:
        """Looked at once more when an order's fact is durable: why it must not leave after all, empty if it may."""
        child = self.desk.children.get(call.child)
        if child is None or child.state not in LIVE_CHILD:
            return "the order ended before it left"
        asked = child.amend or child.request
        if asked.call != call.id:
            return "the venue told of it before it left"
        if now >= asked.valid_until:
            return "its time ran out while it was written down"
        if child.cancelling:
            return "it was cancelled before it left"
        name = child.request.instrument
        shut = risk.closed(self.desk, self.market, child.request.reduce_only)
        return shut or risk.unsound(self.market, name, self.desk.config.limits.silence_s)

    def _noted(self, item: m.Input) -> m.Forecasts | None:
        if not isinstance(item, m.Tick):
            return None
        names = {parent.order.instrument for parent in self.desk.live_parents}
        read = {name: self.market.forecasts[name] for name in sorted(names & self.market.forecasts.keys())}
        return m.Forecasts(item.n, read) if read else None

    def dump(self) -> Any:
        return {"n": self.n, "market": self.market.dump(), "desk": self.desk.dump()}

    @classmethod
    def load(
        cls,
        value: Mapping[str, Any],
        weights: Weights | None,
        recorded: Mapping[int, Mapping[str, m.Forecast]] | None = None,
        models: Models = no_models,
    ) -> Core:
        desk = Desk.load(value["desk"])
        self = cls(Market.load(desk.config, weights, value["market"], recorded, models), desk)
        self.n = value["n"]
        return self

    def digest(self) -> str:
        """A hash of the whole state: equal for equal histories."""
        return hashlib.sha256(msgspec.msgpack.encode(self.dump())).hexdigest()
