"""What every agent of the crowd is, and what it is given: a ground to stand on, an account, and dice of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from engine.domain import NS
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.world import World
from engine.paper.floor.exchange import Exchange


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
