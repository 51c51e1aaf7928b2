"""Participation: a fixed share of what others trade. Blocks, RFQs, combos and our own fills are none of it, so that it
follows neither what could not have been taken part in, nor itself. It ends when the volume has come, or not at all."""

from __future__ import annotations

from engine.execution.schedules.course import Course, Traded


def share(course: Course, now: int, traded: Traded) -> float:
    return min(course.rate * traded(course.start, now) / course.left, 1.0) if course.left else 1.0
