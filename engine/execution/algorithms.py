"""What an algorithm is: a schedule that says when, and a policy that says how.

A policy is a function of a table of rows and the readings of the moment; its advice is one (`policy.Advice`), whoever
gives it. Another algorithm is one file with such a function, and one row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from engine.config import Row
from engine.execution import policy
from engine.execution.schedule import SCHEDULES
from engine.messages import ParentAccepted

Policy = Callable[[tuple[Row, ...], Mapping[str, float]], policy.Advice]


class Algorithm(NamedTuple):
    """`schedule` is empty where the parent says which."""

    schedule: str
    policy: Policy


ALGORITHMS: dict[str, Algorithm] = {name: Algorithm(name, policy.plain) for name in SCHEDULES} | {
    "adaptive": Algorithm("", policy.advise),
}


def schedule_of(order: ParentAccepted) -> str:
    """The schedule that a parent follows, or that its policy works on."""
    return ALGORITHMS[order.algorithm].schedule or order.baseline
