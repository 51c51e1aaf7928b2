"""What all attached screens see of one engine, live or replayed: who looks at what, what changed, what was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from engine import messages as m
from engine import view
from engine.core import Core
from engine.execution.cost_story import Ledger
from engine.shell.serve import Serve

VIEW_S = 0.05  # 20 Hz
NOTES_KEPT = 2000


class Screen:
    """Newest views win; notes are numbered and kept. `serve` is set once somebody can attach."""

    def __init__(self) -> None:
        self.serve: Serve | None = None
        self._looks: dict[int, tuple[str, ...]] = {}
        self._notes: list[m.NoteView] = []
        self._said = 0  # number of the last note
        self._published: dict[str, bytes] = {}
        self.watch = view.Watch()
        self.ledger = Ledger()  # what costs are told from

    def look(self, client: int, instruments: tuple[str, ...]) -> None:
        """What a client looks at now; nothing when it has left."""
        if instruments:
            self._looks[client] = instruments
        else:
            self._looks.pop(client, None)

    def names(self) -> tuple[str, ...]:
        """Every instrument that some screen looks at."""
        return tuple(dict.fromkeys(name for looked in self._looks.values() for name in looked))

    def instruments(self, core: Core) -> list[m.View]:
        """Ladder and gauges of all that is looked at."""
        makers: tuple[Callable[[Core, str], m.View | None], ...] = (view.ladder, view.gauges)
        return [one for name in self.names() for make in makers if (one := make(core, name)) is not None]

    def say(self, core: Core, facts: Sequence[m.Fact]) -> list[m.NoteView]:
        """Put facts in words, keep and publish those not said before."""
        for fact in facts:
            if fact.n > self.ledger.last:
                self.ledger.take(fact)
        notes = [note for fact in facts if fact.n > self._said and (note := view.say(core, fact))]
        if facts:
            self._said = max(self._said, facts[-1].n)
        if notes:
            self._notes = [*self._notes, *notes][-NOTES_KEPT:]
            if self.serve is not None:
                self.serve.publish(notes)
        return notes

    def publish(self, views: Sequence[m.View]) -> None:
        """Send those that differ from what was sent last."""
        changed = []
        for one in views:
            topic = f"{type(one).__name__}:{getattr(one, 'instrument', '')}"
            packed = msgspec.msgpack.encode(one)
            if self._published.get(topic) != packed:
                self._published[topic] = packed
                changed.append(one)
        if changed and self.serve is not None:
            self.serve.publish(changed)

    def recall(self, views: Sequence[m.View], after: int) -> list[m.View]:
        """Everything anew, for a screen that has just come or has missed a note."""
        return [*views, *(note for note in self._notes if note.n > after)]
