"""Who trades on the paper venue: makers, takers and their order in time.

Every agent has an account, a latency, and a random stream of its own, from which it draws the same number of values
each turn, whatever it finds. So the same seed gives the same market for the same inputs, and an order from outside
changes what agents see, never their dice. The crowd is advanced in time; it has no clock.
"""

from __future__ import annotations

from heapq import heapify, heapreplace
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.random import Generator

from engine.domain import NS, Kind
from engine.paper.exchange import Exchange
from engine.paper.makers import FutureMaker, OptionMaker
from engine.paper.takers import FutureTaker, OptionTaker, Picker, Visitor
from engine.paper.world import STEP_NS, Weather, World

MARK_NS = NS


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The crowd: how many there are and how busy. Intervals are mean seconds between turns."""

    weather: Weather = Weather()
    option_makers: int = 3
    future_makers: int = 3
    option_maker_s: float = 0.35
    future_maker_s: float = 0.15
    latency_ms: tuple[float, ...] = (60.0, 180.0, 400.0)  # of the makers, in turn
    future_taker_s: float = 0.40
    informed: float = 0.6  # how much of the takers' side comes from the drift
    option_taker_s: float = 1.6
    visitor_s: float = 1.2
    picker_s: float = 0.3


class Agent(Protocol):
    def turn(self, t: int) -> int:
        """Act at `t`; the time of the next turn."""
        ...

    def dump(self) -> Any: ...

    def load(self, value: Any) -> None:
        """The exchange has been loaded before."""


class Crowd:
    """Agents on an exchange. `advance(to)` lets them act up to and including `to`."""

    def __init__(self, exchange: Exchange, seed: int, start_ns: int, settings: Settings | None = None) -> None:
        self.exchange, self.settings, self.t = exchange, settings or Settings(), start_ns
        self._streams = iter(np.random.SeedSequence(seed).spawn(64))
        self._drawn: list[Generator] = []
        self.world = World(exchange.instruments, self._stream(), start_ns, self.settings.weather)
        self.agents: list[Agent] = [_Mover(self.world), _Teller(self.world, exchange), *self._cast()]
        self.agents[1].turn(start_ns)
        self._queue = [(start_ns + 1 + order, order) for order in range(len(self.agents))]
        heapify(self._queue)

    @property
    def next(self) -> int:
        """When the next agent acts."""
        return self._queue[0][0]

    def advance(self, to: int) -> None:
        """Let everybody act whose time has come, the earliest first, each turn announced by itself."""
        while self.next <= to:
            self.turn()

    def turn(self) -> None:
        """Let the next agent act."""
        self.t, order = self._queue[0]
        again = self.agents[order].turn(self.t)
        self.exchange.commit(self.t)
        heapreplace(self._queue, (again, order))

    def streams(self) -> list[Generator]:
        """The world's random stream, then each agent's."""
        return list(self._drawn)

    def dump(self) -> dict[str, Any]:
        queue = [list(entry) for entry in self._queue]
        return {"t": self.t, "queue": queue, "agents": [agent.dump() for agent in self.agents]}

    def load(self, value: dict[str, Any]) -> None:
        """Into a crowd made with the same settings, on an exchange that was loaded before."""
        self.t, self._queue = value["t"], [(t, order) for t, order in value["queue"]]
        for agent, kept in zip(self.agents, value["agents"], strict=True):
            agent.load(kept)

    def _stream(self) -> Generator:
        self._drawn.append(np.random.Generator(np.random.PCG64(next(self._streams))))
        return self._drawn[-1]

    def _account(self, name: str) -> int:
        return self.exchange.open_account(name, 0.0, house=True)

    def _cast(self) -> list[Agent]:
        s, ex, world = self.settings, self.exchange, self.world
        cast: list[Agent] = []
        late = [round(ms * 1e6) for ms in s.latency_ms]
        for i in range(s.future_makers):
            cast.append(FutureMaker(ex, self._account(f"future maker {i}"), world, self._stream(), s.future_maker_s,
                                    late[i % len(late)], i))  # fmt: skip
        for i in range(s.option_makers):
            cast.append(OptionMaker(ex, self._account(f"option maker {i}"), world, self._stream(), s.option_maker_s,
                                    late[i % len(late)], i))  # fmt: skip
        cast.append(FutureTaker(ex, self._account("flow"), world, self._stream(), s.future_taker_s, s.informed))
        if any(i.kind is Kind.OPTION for i in ex.instruments):
            cast.append(OptionTaker(ex, self._account("option takers"), self._stream(), s.option_taker_s))
        cast.append(Visitor(ex, self._account("visitors"), self._stream(), s.visitor_s))
        cast.append(Picker(ex, self._account("pickers"), world, self._stream(), s.picker_s))
        return cast


class _Mover:
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


class _Teller:
    """Tells the venue its index, forwards and mark IVs."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        self.world, self.exchange = world, exchange

    def turn(self, t: int) -> int:
        world, marks = self.world, self.exchange.marks
        forwards = world.forwards(world.price)
        ivs = world.smile(forwards, world.level)
        marks.dvol = world.dvol()
        best = self.exchange.books[0]
        bid, ask = best.bids.best, best.asks.best
        middle = (bid + ask) / 2 * self.exchange.instruments[0].tick if bid and ask else world.price
        premium = marks.perpetual + 0.05 * (middle / world.price - 1.0 - marks.perpetual)
        marks.tell(t, world.price, dict(zip(world.expiries, forwards.tolist(), strict=True)), ivs, premium)
        return t + MARK_NS

    def dump(self) -> Any:
        return None

    def load(self, value: Any) -> None:
        pass
