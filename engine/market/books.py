"""The books that are followed: opened when they are asked for, dropped when they break, asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine import messages as m
from engine.domain import Instrument
from engine.market.book import NO_SNAPSHOT, Book
from engine.market.deribit.data import BookData
from engine.market.talk import PATIENCE_NS, Talk


class Books:
    """`touched` and `dropped` are the books that the present input changed or broke."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.by_name: dict[str, Book] = {}
        self.resyncs: dict[str, int] = {}  # instrument → when a snapshot was last asked for
        self.gaps = 0
        self.touched: list[str] = []
        self.dropped: list[str] = []

    def turn(self) -> None:
        """The next input begins."""
        self.touched, self.dropped = [], []

    def link(self, *, up: bool) -> None:
        """No book outlives the connection it was told on."""
        self.resyncs.clear()
        for name, book in self.by_name.items():
            book.drop(NO_SNAPSHOT if up else "the connection was lost")
            self.dropped.append(name)

    def expected(self, name: str) -> bool:
        """False for what was still on its way when it was left. A recording has no connection: all is expected."""
        return not self._talk.up or self._talk.book_channel(name) in self._talk.asked

    def take(self, data: BookData, instrument: Instrument, t: int) -> list[m.Effect]:
        """Take in a snapshot or a change; where the book is broken, ask for a fresh one."""
        name = instrument.name
        book = self.by_name.get(name)
        if book is None:
            book = self.by_name[name] = Book(instrument)
        was_sound = not book.stale
        if data.type == "snapshot":
            book.snapshot(data)
            self.resyncs.pop(name, None)
        else:
            book.change(data)
        if not book.stale:
            self.touched.append(name)
            return []
        if was_sound:
            self.gaps += 1
            self.dropped.append(name)
        return self._resync(name, t)

    def leave(self, channels: Iterable[str]) -> None:
        for name in _names(channels):
            self.by_name.pop(name, None)

    def open(self, channels: Iterable[str], instruments: Mapping[str, Instrument]) -> None:
        """Stale from the start: a book whose snapshot never comes is asked for again."""
        for name in _names(channels):
            self.by_name.setdefault(name, Book(instruments[name]))

    def _resync(self, name: str, t: int) -> list[m.Effect]:
        """Ask for a fresh snapshot, not twice at once."""
        if not self._talk.up or t - self.resyncs.get(name, -PATIENCE_NS) < PATIENCE_NS:
            return []
        self.resyncs[name] = t
        return self._talk.renew(self._talk.book_channel(name), t)

    def resync_late(self, t: int) -> list[m.Effect]:
        return [
            effect
            for name, book in self.by_name.items()
            if book.stale and self._talk.book_channel(name) in self._talk.asked
            for effect in (self._resync(name, t) if name in self.resyncs else self._await_snapshot(name, t))
        ]

    def _await_snapshot(self, name: str, t: int) -> list[m.Effect]:
        self.resyncs[name] = t
        return []

    def dump(self) -> Any:
        return {name: book.dump() for name, book in self.by_name.items()}

    def load(self, value: Mapping[str, Any], instruments: Mapping[str, Instrument]) -> None:
        self.by_name = {name: Book.load(instruments[name], raw) for name, raw in value.items()}


def _names(channels: Iterable[str]) -> list[str]:
    return [channel.split(".")[1] for channel in channels if channel.startswith("book.")]
