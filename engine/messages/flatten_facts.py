"""Facts of closing positions at a person's word: what is to be closed, and what came of it."""

from __future__ import annotations

from engine.messages.happened import Happened


class FlattenAsked(Happened, frozen=True, kw_only=True, tag="flatten"):
    """What is held in these is closed, once nothing of ours works there any more; tried until `until` (ns)."""

    by: str
    instruments: tuple[str, ...]
    until: int


class FlattenEnded(Happened, frozen=True, kw_only=True, tag="flattened"):
    """Nothing more is tried: `left` lots are still held, signed, and why; with none left it is closed."""

    instrument: str
    left: int
    reason: str = ""
