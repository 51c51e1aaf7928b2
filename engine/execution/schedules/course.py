"""What every schedule is given, and the form that each has.

A schedule is a function `share(course, now, traded)`: which share (0 … 1) of what a course spreads is due by `now`.
It is pure, never falls as `now` goes on, and is 0 at the course's start. To **rebase** is to hand over a course that
begins later, with what was done by then: nothing of the time lost is owed.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.execution.schedules.profile import FLAT, Profile

Traded = Callable[[int, int], float]  # lots that others have traded, plainly, between two times (ns)


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """From `done` lots at `start` to `quantity` lots at `end` (ns), and what single schedules need besides.

    `kappa` is the urgency of Almgren and Chriss, per second; `rate` the share of the others' volume that is followed;
    `profile` how volume is spread over the day.
    """

    quantity: int
    done: int
    start: int
    end: int
    kappa: float = 0.0
    rate: float = 0.0
    profile: Profile = FLAT

    @property
    def left(self) -> int:
        return max(self.quantity - self.done, 0)


Share = Callable[[Course, int, Traded], float]
