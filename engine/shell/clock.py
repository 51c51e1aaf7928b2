"""The one clock: nanoseconds UTC, never backwards, and as fast as the paper venue's."""

from __future__ import annotations

import time


class Clock:
    """Runs from `base` (ns UTC) at `speed`; without a base it is this machine's own time.

    An accelerated paper venue lives in its own time; an engine that trades on it must stamp in the same.
    """

    def __init__(self, base: int | None = None, speed: float = 1.0) -> None:
        self.speed = speed
        self._base = time.time_ns() if base is None else base
        self._started = time.monotonic_ns()
        self._last = 0

    def now(self) -> int:
        """Strictly later than the last answer, so that times order inputs as their numbers do."""
        passed = time.monotonic_ns() - self._started
        self._last = max(self._base + round(passed * self.speed), self._last + 1)
        return self._last
