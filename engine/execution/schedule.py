"""How much of a parent should be done by now, and how large the next child is. Pure, integers, no randomness.

Theory of operation. A TWAP schedule is a straight line from (`start`, `done`) to (`end`, `quantity`). The lead-up to a
pause, a halt or a press changes nothing in here: the caller **rebases** by handing over a new `start` and the lots that
were `done` by then, and what was left is spread over what time is left. Nothing of the time lost is owed.

A line of lots is a staircase of children. It is centred on the line: a child is proposed when half of it is due, so
the parent is never more than half a child away from its schedule, and the last child is due before `end`, not at it.
Someone who has fallen further behind catches up in larger children, but in none larger than `catch_up` base children.
"""

from __future__ import annotations


def planned(quantity: int, done: int, start: int, end: int, now: int) -> int:
    """Lots that should be done by `now` (ns): those `done` at `start`, plus a straight-line share of the rest.

    Rounded to the nearest lot, half a lot up. Before `start` it is `done`, from `end` on it is `quantity`; a `start` at
    or past `end` (a halt that outlasts the order) leaves nothing to spread: `done` until `end`, then `quantity`.
    Never falls as time goes on, and never below what was done already, even if that is more than `quantity`.
    """
    left = quantity - done
    if now >= end:
        return max(quantity, done)
    if now <= start or left <= 0:
        return done
    span = end - start
    return done + (2 * left * (now - start) + span) // (2 * span)


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
) -> int:
    """Lots to propose now; 0 for none.

    `planned`: should be done by now; `filled`: is done; `working`: already asked for at the venue and unfilled;
    `remaining`: may still be asked for. A child is `base` lots, or what is missing where that is more (up to `catch_up`
    × `base`), but at least `min_child` and at most `max_child`; where they disagree `max_child` wins, since it protects
    and the other only tidies. A rest under half a child would fall due in the last moment: it goes along with the child
    before it, or shares evenly with it, or goes alone if neither fits.
    """
    nominal = min(max(base, min_child, 1), max_child, remaining)
    missing = planned - filled - working
    if nominal <= 0 or missing <= 0 or 2 * missing < nominal:
        return 0
    cap = min(max(int(catch_up * base), nominal), max_child, remaining)
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
