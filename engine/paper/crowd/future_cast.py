"""Who trades the perpetual and the dated futures of a coin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from engine.domain import Kind
from engine.paper.crowd.agents import Agent, Ground
from engine.paper.crowd.flow import Flow, FlowSettings
from engine.paper.crowd.future_makers import FutureMaker, FutureMakerSettings, Picker, PickerSettings
from engine.paper.crowd.leverage import Leveraged, LeverageSettings
from engine.paper.crowd.metaorders import Metaorder, MetaorderSettings
from engine.paper.crowd.tape import Tape, TapeSettings

DATED = 6.0  # how much slower, and less, a dated future is


class Books(Protocol):
    """The settings that are read here."""

    @property
    def flow(self) -> FlowSettings: ...
    @property
    def future_makers(self) -> FutureMakerSettings: ...
    @property
    def pickers(self) -> PickerSettings: ...
    @property
    def tape(self) -> TapeSettings: ...
    @property
    def metaorders(self) -> MetaorderSettings: ...
    @property
    def leverage(self) -> LeverageSettings: ...


def cast(ground: Ground, s: Books, numbers: range, t: int) -> Iterator[tuple[str, Agent]]:
    """The agents of these instruments' books: (name, agent)."""
    for n in numbers:
        instrument = ground.exchange.instruments[n]
        if instrument.kind is Kind.OPTION:
            continue
        slow = 1.0 if instrument.kind is Kind.PERPETUAL else DATED
        tape = Tape(s.tape)
        for place in range(len(s.future_makers.late_ms) if slow == 1.0 else 2):
            name = f"{instrument.name}/maker {place}"
            yield name, FutureMaker(ground, n, s.future_makers, tape, place, name, slow)
        name = f"{instrument.name}/flow"
        yield name, Flow(ground, n, s.flow, tape, name, t, 1.0 / slow)
        for place in range(len(s.pickers.late_ms) if slow == 1.0 else 1):
            name = f"{instrument.name}/picker {place}"
            yield name, Picker(ground, n, s.pickers, tape, place, name, slow)
        if instrument.kind is Kind.PERPETUAL:
            name = f"{instrument.name}/metaorders"
            yield name, Metaorder(ground, n, s.metaorders, name)
            name = f"{instrument.name}/leveraged"
            yield name, Leveraged(ground, n, s.leverage, name)
