"""Volume-weighted: the same share of the volume that the day's profile expects in each second."""

from __future__ import annotations

from engine.execution.schedules import twap
from engine.execution.schedules.course import Course, Traded


def share(course: Course, now: int, traded: Traded) -> float:
    whole = course.profile.between(course.start, course.end)
    if whole <= 0.0:  # a profile that expects nothing at all says nothing about when
        return twap.share(course, now, traded)
    return course.profile.between(course.start, now) / whole
