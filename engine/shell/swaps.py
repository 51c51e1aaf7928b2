"""A running engine's way to another model: fetched beside the loop, handed to the core as an input."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine import messages as m
from engine.domain import MS
from engine.forecast.stream import BadWeights, Weights
from engine.shell.registry import Entry, Registry, Step
from engine.shell.scores import heads

LOOK_S = 3.0
HISTORY = 50  # steps that are shown


class Swaps:
    """Performs `FetchModel`. What was fetched waits here until the core asks for it by its id."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._fetched: dict[str, Weights] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._one = asyncio.Lock()  # in the order asked for
        self._files: dict[str, int] | None = None
        self._rows: tuple[m.ModelRow, ...] = ()
        self._steps: tuple[Step, ...] = ()
        self._note = ""

    # ------------------------------------------------------------ what is on the shelf

    def look(self) -> None:
        """Read the registry anew if its files have changed. What cannot be read is said, and no reason to stop."""
        try:
            files = self.registry.files()
        except OSError as error:
            self._files, self._note = None, f"the registry cannot be read: {error.strerror}"
            return
        if files == self._files:
            return
        try:
            rows = tuple(map(_row, self.registry.entries()))
            self._rows, self._steps, self._note = rows, self.registry.record().history, ""
        except (BadWeights, OSError) as error:
            self._note = str(error)
        self._files = files

    async def keep_looking(self) -> None:
        """Others may add, promote and roll back beside us."""
        while True:
            await asyncio.sleep(LOOK_S)
            await asyncio.to_thread(self.look)

    def view(self, in_use: str) -> m.ModelsView:
        return m.ModelsView(in_use=in_use, models=self._rows, note=self._note,
                            history=tuple(map(_step, self._steps[: -HISTORY - 1 : -1])))  # fmt: skip

    # ------------------------------------------------------------ fetching

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
            await asyncio.to_thread(self.look)
            self._fetched = {weights.id: weights}
            done(weights.id, "")

    def _promoted(self, effect: m.FetchModel) -> Weights:
        return self.registry.promote(effect.model, effect.by) if effect.model else self.registry.roll_back(effect.by)


def _row(entry: Entry) -> m.ModelRow:
    return m.ModelRow(
        id=entry.id, where=entry.where, champion=entry.champion, bad=entry.bad, code=entry.code,
        crowd=entry.crowd_hash, data=entry.data_hash, sessions=entry.sessions, minutes=entry.minutes,
        regimes=entry.regimes, judged_on=str(entry.scores.get("data", "")), scores=heads(entry.scores),
    )  # fmt: skip


def _step(step: Step) -> m.ModelStep:
    return m.ModelStep(at_ms=step.at / MS, did=step.did, model=step.model, before=step.before, by=step.by)
