"""A fake network: a core on one end, the paper venue in memory on the other, and hands that may cut the wire.

Nothing of ours is mocked: the core, the exchange, the crowd and both sides of the protocol are the real ones. What is
fake is the wire, the clock and the disk: time goes on when a test says so, and a fact is durable at once unless a test
holds it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from engine import messages as m
from engine.config import STEP_NS, Config
from engine.core import Core, Market
from engine.domain import NS
from engine.execution.desk import Desk, evolve
from engine.forecast.stream import Weights
from engine.market.deribit import wire
from engine.paper.simulation import Simulation
from engine.shell.store.outbox import Outbox

START = 1_772_436_600 * NS  # a Monday of March 2026, 07:30 UTC


class World:
    """`facts` is the journal, `inputs` the tape. `durable` may be set False to hold orders back."""

    def __init__(self, seed: int = 1, config: Config | None = None, weights: Weights | None = None) -> None:
        self.venue = Simulation(seed, START)
        self.config = config or Config()
        self.weights = weights
        self.facts: list[m.Fact] = []
        self.inputs: list[m.Input] = []
        self.sent: list[m.Call] = []  # calls that reached the venue
        self.lose: Callable[[bytes], bool] = lambda _: False  # frames that never arrive
        self.cut_requests = False  # requests written to a socket that is dead
        self.durable = True
        self.up = False
        self._inbox: list[bytes] = []
        self._begin(Desk())

    def _begin(self, desk: Desk) -> None:
        self.core = Core(Market(self.config, self.weights), desk)
        self.outbox = Outbox(self.facts.extend, self._perform, self._check, self._on_sent, self._on_failed)
        self.outbox.durable(desk.facts)
        self.n = 0
        session = f"test-{len([f for f in self.facts if isinstance(f, m.Began)])}"
        self.take(m.Started, config=self.config, code="test", model="", seed=1, session=session)

    # ------------------------------------------------------------ the shell's part

    def take(self, kind: Callable[..., m.Input], **fields: Any) -> list[m.Fact]:
        self.n += 1
        item = kind(n=self.n, t=self.venue.t, **fields)
        self.inputs.append(item)
        outcome = self.core.step(item)
        self.outbox.put(outcome.facts, outcome.effects)
        if self.durable:
            self.outbox.durable(self.core.desk.facts)
        return outcome.facts

    def release(self) -> None:
        """The disk has caught up."""
        self.durable = True
        self.outbox.durable(self.core.desk.facts)
        self.deliver()

    def _perform(self, effect: m.Effect) -> bool:
        if not self.up or not isinstance(effect, m.Call):
            return False
        self.sent.append(effect)
        if not self.cut_requests:
            self._inbox += self.venue.request(wire.request(effect.id, effect.method, effect.params))
        return True

    def _check(self, call: m.Call) -> str:
        return self.core.may_send(call, self.venue.t)

    def _on_sent(self, call: m.Call) -> None:
        self.take(m.Sent, call=call.id)

    def _on_failed(self, call: m.Call, reason: str) -> None:
        self.take(m.Failed, call=call.id, reason=reason)

    # ------------------------------------------------------------ the test's hands

    def connect(self) -> None:
        self.up = True
        self.take(m.Link, up=True, authenticated=True)
        self.deliver()

    def disconnect(self, reason: str = "cut") -> None:
        self.up = False
        self._inbox.clear()
        self.take(m.Link, up=False, reason=reason)

    def die(self) -> None:
        """The engine is killed: what it had not written is gone, and the venue goes on without it."""
        self.up = False
        self._inbox.clear()

    def rise(self) -> None:
        """A new engine takes up the journal."""
        desk = Desk()
        for fact in self.facts:
            evolve(desk, fact)
        self.cut_requests, self.durable = False, True
        self._begin(desk)
        self.connect()

    def deliver(self) -> None:
        """Hand over what the venue has said, until it has nothing more to say."""
        while self._inbox:
            data = self._inbox.pop(0)
            if not self.lose(data):
                self.take(m.Frame, data=data)

    def run(self, seconds: float) -> None:
        """Let time pass: the market's frames and the clock's steps, in order."""
        end = self.venue.t + round(seconds * NS)
        while self.venue.t < end:
            target = min((self.venue.t // STEP_NS + 1) * STEP_NS, end)
            frames = [data for _, data in self.venue.advance(target)]
            if self.up:
                self._inbox += frames
            self.deliver()
            if self.up and target % STEP_NS == 0:
                self.take(m.Tick)
                self.deliver()

    def do(self, verb: m.Verb, *, user: str = "trader", role: m.Role = "admin") -> list[m.Fact]:
        """A person's command; its facts."""
        facts = self.take(m.Command, id=f"c{self.n}", user=user, role=role, verb=verb)
        self.deliver()
        return facts

    def look(self, *names: str) -> None:
        self.take(m.Focus, instruments=names)
        self.deliver()

    # ------------------------------------------------------------ what came of it

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def venue_orders(self) -> list[wire.OrderData]:
        """Every order that the venue knows of this account, open or not, straight from the venue."""
        answer = self.venue.request(wire.request("look", "private/get_open_orders_by_currency", {"currency": "BTC"}))[0]
        event = wire.decode(answer)
        assert isinstance(event, wire.Reply)
        assert event.result is not None
        return msgspec.json.decode(event.result, type=list[wire.OrderData])

    def venue_positions(self) -> dict[str, int]:
        """Positions in lots, straight from the venue."""
        answer = self.venue.request(wire.request("look", "private/get_positions", {"currency": "BTC"}))[0]
        event = wire.decode(answer)
        assert isinstance(event, wire.Reply)
        assert event.result is not None
        rows = msgspec.json.decode(event.result, type=list[wire.PositionData])
        listed = self.core.market.venue.instruments
        return {row.instrument_name: listed[row.instrument_name].lots(row.size) for row in rows if row.size}


def near_the_money(world: World) -> str:
    """A call near the money of the second expiry."""
    venue = world.core.market.venue
    expiry = venue.expiries()[1]
    forward = venue.forward(expiry) or 0.0
    calls = [i for i in venue.options_of(expiry) if i.call]
    return min(calls, key=lambda i: abs(i.strike - forward)).name


def ready(seed: int = 1, config: Config | None = None) -> tuple[World, str]:
    """A world that is connected, reconciled, and looks at one option with a live book."""
    world = World(seed, config)
    world.connect()
    world.run(2)
    name = near_the_money(world)
    world.look(name)
    world.run(2)
    return world, name


def packed(facts: Sequence[m.Fact]) -> bytes:
    return b"".join(m.pack(fact) for fact in facts)
