"""Random numbers by name, drawn in blocks.

A stream's seed is the crowd's seed and the stream's name and nothing else, so that an agent more or less shifts
nobody's dice. Numbers are drawn in blocks because one at a time costs a hundred times more; a dump keeps where the
block began and how far it was used, and a load draws the same block again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

BLOCK = 256


class Stream:
    """Random numbers of one agent: `uniforms(n)` in [0, 1) and `normals(n)` from blocks, `rng` for whole arrays."""

    __slots__ = ("_normals", "_seed", "_uniforms", "name", "rng")

    def __init__(self, seed: int, name: str) -> None:
        self.name, self._seed = name, [seed, int.from_bytes(name.encode(), "little")]
        self.rng, one, two = (np.random.Generator(place) for place in self._places())
        self._uniforms, self._normals = _Block(one, one.random), _Block(two, two.standard_normal)

    def uniforms(self, count: int) -> list[float]:
        return self._uniforms.take(count)

    def normals(self, count: int) -> list[float]:
        return self._normals.take(count)

    def reseed(self, fresh: int) -> None:
        """Other numbers from here on: the same for the same `fresh`."""
        words = np.random.SeedSequence([*self._seed, fresh + 1]).generate_state(12, np.uint64).tolist()
        for k, rng in enumerate((self.rng, self._uniforms.rng, self._normals.rng)):  # spawning takes five times as long
            high, low, step, odd = words[4 * k : 4 * k + 4]
            _place(rng, high << 64 | low, step << 64 | odd | 1, 0, 0)
        self._uniforms.drop()
        self._normals.drop()

    def dump(self) -> list[Any]:
        return [dump_generator(self.rng), self._uniforms.dump(), self._normals.dump()]

    def load(self, value: list[Any]) -> None:
        load_generator(self.rng, value[0])
        self._uniforms.load(value[1])
        self._normals.load(value[2])

    def _places(self) -> list[np.random.PCG64]:
        return [np.random.PCG64(seed) for seed in np.random.SeedSequence(self._seed).spawn(3)]


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


def dump_generator(rng: Generator) -> list[Any]:
    """A PCG64 stream's place; its numbers are too wide for msgpack and go as text."""
    state: Any = rng.bit_generator.state
    return [str(state["state"]["state"]), str(state["state"]["inc"]), state["has_uint32"], state["uinteger"]]


def load_generator(rng: Generator, value: Sequence[Any]) -> None:
    place, step, has, kept = value
    _place(rng, int(place), int(step), has, kept)


def _place(rng: Generator, place: int, step: int, has: int, kept: int) -> None:
    inner = {"state": place, "inc": step}
    rng.bit_generator.state = {"bit_generator": "PCG64", "state": inner, "has_uint32": has, "uinteger": kept}
