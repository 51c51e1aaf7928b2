"""What of a long list one answer has, and how the next is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from engine.domain import MS

BEYOND = 2**62  # any time, id or sequence number
T = TypeVar("T")


class Between(Protocol):
    """Params that ask for a stretch of time (ms, None for no bound) and at most so many."""

    @property
    def start_timestamp(self) -> int | None: ...
    @property
    def end_timestamp(self) -> int | None: ...
    @property
    def count(self) -> int: ...


def begin(continuation: str | None) -> int:
    """How many were told before. A word that is not ours has nothing after it."""
    text = continuation or "0"
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else BEYOND


def page(found: Sequence[T], first: int, count: int) -> tuple[Sequence[T], str]:
    """So many from the one numbered `first` on, and the continuation: "none" at the end."""
    more = str(first + count) if first + count < len(found) else "none"
    return found[first : first + count], more


def latest(events: Iterable[T], when: Callable[[T], int], params: Between, newest_first: bool) -> tuple[list[T], bool]:
    """Of events in order of time (`when`, ns) those asked for, and whether there are more of them."""
    after, before = params.start_timestamp or 0, params.end_timestamp
    found = [event for event in events if after <= when(event) // MS <= (BEYOND if before is None else before)]
    if newest_first:
        found.reverse()
    return found[: params.count], len(found) > params.count
