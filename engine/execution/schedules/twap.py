"""Time-weighted: the same amount in each second."""

from __future__ import annotations

from engine.execution.schedules.course import Course, Traded


def share(course: Course, now: int, _: Traded) -> float:
    return (now - course.start) / (course.end - course.start)
