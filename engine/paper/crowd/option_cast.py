"""The agents of a coin's options, in the order of their turns at equal times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from engine.domain import Kind
from engine.paper.crowd.agents import Agent, Ground
from engine.paper.crowd.blocks import BlockSettings, OffBook
from engine.paper.crowd.consensus import Consensus, ConsensusSettings
from engine.paper.crowd.option_makers import OptionMaker, OptionMakerSettings
from engine.paper.crowd.option_takers import (
    Desk,
    HiddenOrder,
    InformedTaker,
    NoiseTaker,
    OptionTakerSettings,
)
from engine.paper.crowd.option_visitors import Leftovers, OptionVisitor, OptionVisitorSettings, Robot


class Trading(Protocol):
    """The settings that are read here."""

    @property
    def consensus(self) -> ConsensusSettings: ...
    @property
    def option_makers(self) -> OptionMakerSettings: ...
    @property
    def option_takers(self) -> OptionTakerSettings: ...
    @property
    def option_visitors(self) -> OptionVisitorSettings: ...
    @property
    def blocks(self) -> BlockSettings: ...


def cast(ground: Ground, s: Trading) -> Iterator[tuple[str, Agent]]:
    """Nobody where no option is listed."""
    if all(i.kind is not Kind.OPTION for i in ground.exchange.instruments):
        return
    consensus = Consensus(ground, s.consensus, ground.stream("option consensus"), s.option_makers.spread)
    yield "option consensus", consensus
    for place in range(len(s.option_makers.every_s)):
        name = f"option maker {place}"
        yield name, OptionMaker(ground, ground.account(name), consensus, ground.stream(name), s.option_makers, place)
    scale = s.option_makers.size * dict(s.option_makers.scale).get(ground.coin, 1.0)
    desk = Desk(ground, consensus, s.option_takers, scale)
    for name, kind in (("option takers", NoiseTaker), ("informed option takers", InformedTaker),
                       ("hidden option orders", HiddenOrder)):  # fmt: skip
        yield name, kind(desk, ground.account(name), ground.stream(name))
    visitors, account = s.option_visitors, ground.account("option visitors")
    yield "option visitors", OptionVisitor(desk, account, ground.stream("option visitors"), visitors)
    yield "option leftovers", Leftovers(desk, account, ground.stream("option leftovers"), visitors)
    for k in range(round(visitors.robots * len(consensus.chain))):
        name = f"option robot {k}"
        yield name, Robot(desk, ground.account("option robots"), ground.stream(name), visitors)
    pair = (ground.account("block takers"), ground.account("block makers"))
    yield "blocks", OffBook(desk, ground.coin, pair, ground.stream("blocks"), s.blocks)
