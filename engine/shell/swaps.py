"""A running engine's way to another model: fetched beside the loop, handed to the core as an input."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine import messages as m
from engine.forecast.stream import BadWeights, Weights
from engine.shell.registry import Registry


class Swaps:
    """Performs `FetchModel`. What was fetched waits here until the core asks for it by its id."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._fetched: dict[str, Weights] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._one = asyncio.Lock()  # in the order asked for

    def get(self, model: str) -> Weights | None:
        return self._fetched.get(model)

    def fetch(self, effect: m.FetchModel, done: Callable[[str, str], None]) -> None:
        """`done(model, reason)` in this loop, once the registry has it for its champion, or has a reason not to."""
        task = asyncio.create_task(self._fetch(effect, done))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _fetch(self, effect: m.FetchModel, done: Callable[[str, str], None]) -> None:
        async with self._one:
            try:
                weights = await asyncio.to_thread(self._promoted, effect)
            except (BadWeights, OSError) as error:
                done(effect.model or "before this one", str(error))
                return
            self._fetched = {weights.id: weights}
            done(weights.id, "")

    def _promoted(self, effect: m.FetchModel) -> Weights:
        return self.registry.promote(effect.model, effect.by) if effect.model else self.registry.roll_back(effect.by)
