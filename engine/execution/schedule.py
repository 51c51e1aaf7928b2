"""How much of a parent should be done by now, and how large the next child is. Pure, and whole lots.

Theory of operation. A schedule (`schedules/`, one file each) says which share of a course is due. The lead-up to a
pause, a halt or a press changes nothing in here: the caller **rebases** by handing over a course that begins anew with
the lots that were done by then, and what was left is spread over what time is left. Nothing of the time lost is owed.

A course in lots is a staircase of children. It is centred on the curve: a child is proposed when half of it is due, so
the parent is never more than half a child away from its schedule, and the last child is due before `end`, not at it.
Someone who has fallen further behind catches up in larger children, but in none larger than `catch_up` base children,
and all in all no faster than `catch_up` times the planned rate.
"""

from __future__ import annotations

from engine.execution.schedules import almgren_chriss, pov, twap, vwap
from engine.execution.schedules.course import Course, Share, Traded

SCHEDULES: dict[str, Share] = {
    "twap": twap.share,
    "vwap": vwap.share,
    "pov": pov.share,
    "almgren_chriss": almgren_chriss.share,
}
FINISHING = frozenset(SCHEDULES) - {"pov"}  # these are done by their end; participation waits for others


def planned(schedule: str, course: Course, now: int, traded: Traded) -> int:
    """Lots that should be done by `now` (ns): those done at the start, plus the schedule's share of the rest.

    Rounded to the nearest lot, half a lot up. Before the start it is `done`; from the end on a finishing schedule has
    `quantity`. A start at or past the end (a halt that outlasts the order) leaves nothing to spread: `done` until the
    end. Never falls as time goes on, and never below what was done already, even if that is more than `quantity`.
    """
    if now >= course.end and schedule in FINISHING:
        return max(course.quantity, course.done)
    if now <= course.start or not course.left:
        return course.done
    share = SCHEDULES[schedule](course, min(now, course.end), traded) if course.start < course.end else 0.0
    return course.done + min(int(course.left * min(share, 1.0) + 0.5), course.left)


def child(
    planned: int,
    filled: int,
    working: int,
    *,
    base: int,
    min_child: int,
    max_child: int,
    remaining: int,
    catch_up: float,
    begun: float = 0.5,
    since: int | None = None,
    taken: int | None = None,
    times: float = 1.0,
) -> int:
    """Lots to propose now; 0 for none.

    `planned`: should be done by now; `filled`: is done; `working`: already asked for at the venue and unfilled;
    `remaining`: may still be asked for; `since`, `taken`: lots that the schedule has asked for since the last child
    left, and since the last that crossed, None where that bounds nothing.

    A child is `base` lots, or what is missing where that is more (up to `catch_up` × `base` and `catch_up` × `taken`),
    but at least `min_child` and at most `max_child`; where they disagree `max_child` wins, since it protects and the
    other only tidies. It is due when the share `begun` of it is missing; at `times` the planned rate also when that
    much of `since` is one, ahead of the schedule or not. A rest under half a child would fall due in the last moment:
    it goes along with the child before it, or shares evenly with it, or goes alone if neither fits.
    """
    nominal = min(max(base, min_child, 1), max_child, remaining)
    if nominal <= 0:
        return 0
    missing = planned - filled - working
    ahead = times > 1.0 and since is not None and times * since >= nominal
    if not ahead and (missing < begun * nominal or missing < 0 or (missing == 0 and begun > 0.0)):
        return 0
    cap = min(max(int(catch_up * base), nominal), max_child, remaining)
    if taken is not None and not ahead:
        if catch_up * taken < min(nominal, missing):
            return 0  # it would catch up faster than allowed
        cap = min(cap, max(int(catch_up * taken), nominal))
    size = min(max(nominal, missing), cap)
    if 0 < 2 * (remaining - size) < max(nominal, 2 * min_child):
        return _last(size, remaining, min_child, max_child)
    return size


def _last(size: int, remaining: int, min_child: int, max_child: int) -> int:
    """All of the rest if it may be one child, else half of it if that is no crumb itself, else `size` as it was."""
    if remaining <= max_child:
        return remaining
    half = (remaining + 1) // 2
    return half if half >= min_child else size
