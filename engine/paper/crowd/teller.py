"""What moves the world, and what tells the venue of it."""

from __future__ import annotations

from typing import Any

from engine.domain import NS
from engine.paper.clearing.funding import fair_price
from engine.paper.crowd.agents import Plain
from engine.paper.crowd.world import STEP_NS, World
from engine.paper.floor.exchange import Exchange

MARK_NS = NS


class Mover(Plain):
    """The world's own step."""

    def __init__(self, world: World) -> None:
        self.world = world

    def turn(self, t: int) -> int:
        self.world.step()
        return t + STEP_NS

    def dump(self) -> Any:
        return self.world.dump()

    def load(self, value: Any) -> None:
        self.world.load(value)


class Teller(Plain):
    """Tells the venue its index, forwards and mark IVs."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        self.world, self.exchange = world, exchange

    def turn(self, t: int) -> int:
        world, marks = self.world, self.exchange.marks
        forwards = world.forwards(world.price)
        ivs = world.ivs(forwards)
        marks.dvol = world.smile.dvol()
        fair = fair_price(self.exchange.books[0], self.exchange.instruments[0], world.price)
        premium = fair / world.price - 1.0 if fair else 0.0
        marks.tell(t, world.price, dict(zip(world.expiries, forwards.tolist(), strict=True)), ivs, premium)
        return t + MARK_NS
