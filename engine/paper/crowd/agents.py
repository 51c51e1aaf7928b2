"""What every agent of the crowd is, and what it is given: a name, a ground to stand on, and dice of its own.

Dice are by name: a stream's seed is the crowd's seed and the agent's name and nothing else, so that an agent more or
less shifts nobody's dice. Numbers are drawn in blocks because one at a time costs a hundred times more; a dump keeps
where the block began and how far it was used, and a load draws the same block again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from engine.domain import NS
from engine.paper.crowd.world import World
from engine.paper.exchange import Exchange

BLOCK = 256


class Agent(Protocol):
    """An agent acts at its turns and draws the same number of values in each, whatever it finds."""

    def turn(self, t: int) -> int:
        """Act at `t`; the time of the next turn."""
        ...

    def listed(self, numbers: Sequence[int]) -> None:
        """These instruments of its coin are new."""
        ...

    def dump(self) -> Any:
        """What it keeps between turns, its streams left out: the crowd keeps those."""
        ...

    def load(self, value: Any) -> None:
        """The exchange has been loaded before, and the new instruments have been told of."""
        ...


class Plain:
    """An agent that keeps nothing between turns and does not care what is new; others override."""

    def listed(self, numbers: Sequence[int]) -> None:
        """Nothing changes for it."""

    def dump(self) -> Any:
        return None

    def load(self, value: Any) -> None:
        """Nothing to load."""


class Stream:
    """Random numbers of one agent: `uniforms(n)` in [0, 1) and `normals(n)` from blocks, `rng` for whole arrays."""

    __slots__ = ("_normals", "_seed", "_uniforms", "name", "rng")

    def __init__(self, seed: int, name: str) -> None:
        self.name, self._seed = name, [seed, int.from_bytes(name.encode(), "little")]
        self.rng, one, two = (np.random.Generator(place) for place in self._places([]))
        self._uniforms, self._normals = _Block(one, one.random), _Block(two, two.standard_normal)

    def uniforms(self, count: int) -> list[float]:
        return self._uniforms.take(count)

    def normals(self, count: int) -> list[float]:
        return self._normals.take(count)

    def reseed(self, fresh: int) -> None:
        """Other numbers from here on: the same for the same `fresh`."""
        rngs = (self.rng, self._uniforms.rng, self._normals.rng)
        for rng, place in zip(rngs, self._places([fresh + 1]), strict=True):
            rng.bit_generator.state = place.state
        self._uniforms.drop()
        self._normals.drop()

    def dump(self) -> list[Any]:
        return [dump_generator(self.rng), self._uniforms.dump(), self._normals.dump()]

    def load(self, value: list[Any]) -> None:
        load_generator(self.rng, value[0])
        self._uniforms.load(value[1])
        self._normals.load(value[2])

    def _places(self, more: list[int]) -> list[np.random.PCG64]:
        return [np.random.PCG64(seed) for seed in np.random.SeedSequence([*self._seed, *more]).spawn(3)]


class _Block:
    __slots__ = ("draw", "place", "rng", "start", "used", "values")

    def __init__(self, rng: Generator, draw: Callable[[int], Any]) -> None:
        self.rng, self.draw, self.start = rng, draw, dump_generator(rng)
        self.values: list[float] = []
        self.used = 0

    def take(self, count: int) -> list[float]:
        """A block's rest too short for `count` is passed over."""
        used = self.used
        if used + count > len(self.values):
            self.start = dump_generator(self.rng)
            self.values = self.draw(BLOCK).tolist()
            used = 0
        self.used = used + count
        return self.values[used : used + count]

    def drop(self) -> None:
        """Forget what was drawn ahead."""
        self.start, self.values, self.used = dump_generator(self.rng), [], 0

    def dump(self) -> list[Any]:
        return [self.start, self.used]

    def load(self, value: list[Any]) -> None:
        self.start, self.used = value
        load_generator(self.rng, self.start)
        self.values = self.draw(BLOCK).tolist() if self.used else []


class Ground:
    """One coin's: its exchange, its world, and the means to get accounts and streams."""

    def __init__(
        self,
        coin: str,
        exchange: Exchange,
        world: World,
        account: Callable[[str], int],
        stream: Callable[[str], Stream],
    ) -> None:
        self.coin, self.exchange, self.world = coin, exchange, world
        self.account = account  # name → the house account of that name, the same number on every coin's exchange
        self.stream = stream  # name → a stream of this coin's


def wait(every_s: float, draw: float) -> int:
    """Nanoseconds to the next of a Poisson stream's events."""
    return max(1, round(-math.log(1.0 - draw) * every_s * NS))


def dump_generator(rng: Generator) -> list[Any]:
    """A PCG64 stream's place; its numbers are too wide for msgpack and go as text."""
    state: Any = rng.bit_generator.state
    return [str(state["state"]["state"]), str(state["state"]["inc"]), state["has_uint32"], state["uinteger"]]


def load_generator(rng: Generator, value: Sequence[Any]) -> None:
    place, step, has, kept = value
    inner = {"state": int(place), "inc": int(step)}
    rng.bit_generator.state = {"bit_generator": "PCG64", "state": inner, "has_uint32": has, "uinteger": kept}
