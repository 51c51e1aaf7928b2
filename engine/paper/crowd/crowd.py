"""Agents on the exchanges, and their order in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heapify, heappush, heapreplace
from typing import Any

from engine.paper.crowd import future_cast, option_cast
from engine.paper.crowd.agents import Agent, Ground
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.settings import Settings
from engine.paper.crowd.smile import Smile
from engine.paper.crowd.teller import Mover, Teller
from engine.paper.crowd.world import World
from engine.paper.floor.exchange import Exchange


class Crowd:
    """Agents on the exchanges, one for each coin. `advance(to)` lets them act up to and including `to`."""

    def __init__(
        self, exchanges: Mapping[str, Exchange], seed: int, start_ns: int, settings: Settings | None = None
    ) -> None:
        self.exchanges, self.settings, self.t = dict(exchanges), settings or Settings(), start_ns
        self._seed = seed
        self._accounts: dict[str, int] = {}
        self._streams: dict[str, Stream] = {}
        self._known = {coin: len(exchange.instruments) for coin, exchange in self.exchanges.items()}
        self.grounds = {coin: self._ground(coin, start_ns) for coin in self.exchanges}
        self.cast: list[tuple[str, Ground, Agent]] = []
        for ground in self.grounds.values():
            self.cast += ((f"{ground.coin}/{name}", ground, agent) for name, agent in self._agents(ground))
        for _, _, agent in self.cast:
            if isinstance(agent, Teller):
                agent.turn(start_ns)
        self._queue = [(start_ns + 1 + order, order) for order in range(len(self.cast))]
        heapify(self._queue)

    @property
    def next(self) -> int:
        """When the next agent acts."""
        return self._queue[0][0]

    def due(self) -> list[tuple[int, int]]:
        """When each of the cast acts next: (ns, place in `cast`)."""
        return list(self._queue)

    @property
    def worlds(self) -> dict[str, World]:
        """By coin: what nobody on the venue may read."""
        return {coin: ground.world for coin, ground in self.grounds.items()}

    def advance(self, to: int) -> None:
        """Let everybody act whose time has come, the earliest first, each turn announced by itself."""
        while self.next <= to:
            self.turn()

    def turn(self) -> None:
        """Let the next agent act."""
        self.t, order = self._queue[0]
        _, ground, agent = self.cast[order]
        again = agent.turn(self.t)
        ground.exchange.commit(self.t)
        heapreplace(self._queue, (again, order))
        if len(ground.exchange.instruments) != self._known[ground.coin]:
            self.listed(ground.coin)

    def listed(self, coin: str) -> None:
        """The coin's exchange lists more than before: every agent of it is told what is new."""
        ground, now = self.grounds[coin], len(self.exchanges[coin].instruments)
        new = range(self._known[coin], now)
        if not new:
            return
        self._known[coin] = now
        ground.world.listed(ground.exchange.instruments)
        for _, each, agent in self.cast:
            if each is ground:
                agent.listed(new)
        for name, agent in future_cast.cast(ground, self.settings.of(coin), new, self.t):
            heappush(self._queue, (self.t + 1 + len(self.cast), len(self.cast)))
            self.cast.append((f"{coin}/{name}", ground, agent))

    def reseed(self, fresh: int) -> None:
        """Other dice from here on, the same for the same `fresh`: a clone's other future."""
        for stream in self._streams.values():
            stream.reseed(fresh)

    def streams(self) -> dict[str, Any]:
        """Each random stream's place, by name."""
        return {name: stream.dump() for name, stream in self._streams.items()}

    def dump(self) -> dict[str, Any]:
        queue = [list(entry) for entry in self._queue]
        agents = {name: agent.dump() for name, _, agent in self.cast}
        return {"t": self.t, "queue": queue, "agents": agents, "streams": self.streams()}

    def load(self, value: dict[str, Any]) -> None:
        """Into a crowd made with the same seed and settings, on exchanges that were loaded before."""
        for coin in self.exchanges:
            self.listed(coin)
        self.t, self._queue = value["t"], [(t, order) for t, order in value["queue"]]
        for name, _, agent in self.cast:
            agent.load(value["agents"][name])
        for name, stream in self._streams.items():
            stream.load(value["streams"][name])

    def _ground(self, coin: str, start_ns: int) -> Ground:
        exchange = self.exchanges[coin]
        dice, common = self._stream(f"{coin}/world"), self._stream(f"{coin}/common", "common")
        own = self.settings.of(coin)
        smile = Smile(own.smile, own.weather.vol, self._stream(f"{coin}/smile"))
        world = World(dice, common, start_ns, own.weather, exchange.marks.index, smile)
        world.listed(exchange.instruments)
        return Ground(coin, exchange, world, self._account, lambda name: self._stream(f"{coin}/{name}"))

    def _stream(self, name: str, seed_name: str = "") -> Stream:
        if name not in self._streams:
            self._streams[name] = Stream(self._seed, seed_name or name)
        return self._streams[name]

    def _account(self, name: str) -> int:
        """The house account of that name, opened on every exchange at once so that its number is one."""
        if name not in self._accounts:
            self._accounts[name] = max(x.open_account(name, 0.0, house=True) for x in self.exchanges.values())
        return self._accounts[name]

    def _agents(self, ground: Ground) -> Iterator[tuple[str, Agent]]:
        yield "world", Mover(ground.world)
        yield "teller", Teller(ground.world, ground.exchange)
        yield from future_cast.cast(
            ground, self.settings.of(ground.coin), range(len(ground.exchange.instruments)), self.t
        )
        yield from option_cast.cast(ground, self.settings)
