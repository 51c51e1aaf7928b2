"""The schedule is a line in integers, the children a staircase centred on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.execution.schedule import FINISHING, SCHEDULES, child, planned
from engine.execution.schedules.course import Course
from engine.execution.schedules.profile import Profile

LOTS = st.integers(0, 100_000)
TIMES = st.integers(0, 2 * 10**18)


def steady(start: int, end: int) -> float:
    """Others trade a lot a second."""
    return (end - start) / 1e9


def twap(quantity: int, done: int, start: int, end: int, now: int) -> int:
    return planned("twap", Course(quantity=quantity, done=done, start=start, end=end), now, steady)


@pytest.mark.parametrize(
    ("quantity", "done", "start", "end", "now", "due"),
    [
        (100, 0, 0, 1000, 0, 0),
        (100, 0, 0, 1000, 500, 50),
        (100, 0, 0, 1000, 999, 100),  # rounded: the last lot is due before the end
        (100, 0, 0, 1000, 1000, 100),
        (100, 0, 0, 1000, 5000, 100),
        (100, 0, 500, 1000, 200, 0),  # not begun
        (100, 40, 600, 1000, 600, 40),  # rebased: nothing owed for the time lost
        (100, 40, 600, 1000, 800, 70),
        (100, 40, 1200, 1000, 900, 40),  # a halt that outlasts the order
        (100, 40, 1200, 1000, 1000, 100),
        (1, 0, 0, 1000, 499, 0),
        (1, 0, 0, 1000, 500, 1),
        (10, 12, 0, 1000, 500, 12),  # more done than asked: nothing is taken back
    ],
)
def test_planned(quantity: int, done: int, start: int, end: int, now: int, due: int) -> None:
    assert twap(quantity, done, start, end, now) == due


@pytest.mark.parametrize("name", SCHEDULES)
@given(
    quantity=LOTS, done=LOTS, start=TIMES, length=st.integers(-(10**14), 10**14), now=st.floats(-0.5, 2.0),
    later=st.floats(0.0, 1.0), kappa=st.floats(0.0, 1.0), rates=st.tuples(*[st.floats(0.0, 5.0)] * 24),
)  # fmt: skip
def test_what_is_due_never_falls_and_stays_between_done_and_all(
    name: str, quantity: int, done: int, start: int, length: int, now: float, later: float, kappa: float,
    rates: tuple[float, ...],
) -> None:  # fmt: skip
    course = Course(quantity=quantity, done=done, start=start, end=start + length, kappa=kappa, rate=0.2,
                    profile=Profile(rates))  # fmt: skip
    at, then = start + int(now * length), start + int(now * length) + int(later * abs(length))
    due = planned(name, course, at, steady)
    assert done <= due <= max(quantity, done)
    assert due <= planned(name, course, then, steady)
    assert planned(name, course, min(start, start + length - 1), steady) == done
    if name in FINISHING:
        assert planned(name, course, start + length, steady) == max(quantity, done)


@given(quantity=LOTS, start=st.integers(0, 10**18), length=st.integers(1, 10**15), share=st.floats(0.0, 1.0))
def test_a_rebase_on_schedule_changes_nothing_but_rounding(
    quantity: int, start: int, length: int, share: float
) -> None:
    end, middle = start + length, start + int(length * share)
    done = twap(quantity, 0, start, end, middle)
    now = (middle + end) // 2
    assert abs(twap(quantity, done, middle, end, now) - twap(quantity, 0, start, end, now)) <= 1


SIZES = {"base": 50, "min_child": 10, "max_child": 120, "remaining": 1000, "catch_up": 3.0}


@pytest.mark.parametrize(
    ("due", "filled", "working", "change", "size"),
    [
        (0, 0, 0, {}, 0),
        (24, 0, 0, {}, 0),  # less than half a child due
        (25, 0, 0, {}, 50),
        (75, 50, 0, {}, 50),
        (75, 0, 50, {}, 50),  # what works counts as good as done
        (60, 100, 0, {}, 0),  # ahead, after a press
        (80, 0, 0, {}, 80),  # behind: what is missing
        (900, 0, 0, {}, 120),  # far behind: the largest child
        (900, 0, 0, {"max_child": 1000}, 150),  # far behind: three base children
        (900, 0, 0, {"max_child": 20}, 20),  # a protective cap is under the base child
        (900, 0, 0, {"max_child": 5}, 5),  # … and under the smallest: it wins
        (900, 0, 0, {"max_child": 0}, 0),
        (30, 0, 0, {"min_child": 60}, 60),
        (29, 0, 0, {"min_child": 60}, 0),
        (995, 960, 0, {"remaining": 40}, 40),
        (980, 960, 0, {"remaining": 40}, 40),  # half of the last child is due
        (979, 960, 0, {"remaining": 40}, 0),
        (960, 920, 0, {"remaining": 55}, 55),  # the crumb of 5 goes along
        (995, 870, 0, {"remaining": 125}, 63),  # the crumb does not fit: two alike
        (995, 870, 0, {"remaining": 125, "min_child": 70}, 120),  # … unless both were crumbs
        (960, 920, 0, {"remaining": 75}, 50),  # half a child is a child
        (1000, 995, 0, {"remaining": 5}, 5),  # a crumb alone
        (1000, 1000, 0, {"remaining": 0}, 0),
        (1000, 995, 0, {"remaining": 5, "catch_up": 0.0}, 5),
        (0, 0, 0, {"begun": 0.0}, 50),  # the first child rests from the start on
        (49, 0, 0, {"begun": 1.0}, 0),
        (50, 0, 0, {"begun": 1.0}, 50),
        (900, 0, 0, {"taken": 40, "max_child": 1000}, 120),  # three times what was planned since the last one
        (900, 0, 0, {"taken": 10}, 0),  # it would go faster than three times the plan
        (900, 0, 0, {"taken": 17}, 51),
        (25, 0, 0, {"taken": 25}, 50),  # on schedule nothing is caught up with
        (100, 120, 0, {"since": 33, "times": 1.5}, 0),  # ahead already
        (100, 120, 0, {"since": 34, "times": 1.5}, 50),  # … but half as fast again as planned
    ],
)
def test_child(due: int, filled: int, working: int, change: dict[str, float], size: int) -> None:
    sizes = SIZES | change
    assert child(due, filled, working, **sizes) == size  # type: ignore[arg-type]


@given(
    due=LOTS, filled=LOTS, working=LOTS, base=st.integers(1, 500), min_child=st.integers(1, 500),
    max_child=st.integers(0, 2000), remaining=LOTS, catch_up=st.floats(1.0, 5.0),
)  # fmt: skip
def test_a_child_fits_every_cap(
    due: int, filled: int, working: int, base: int, min_child: int, max_child: int, remaining: int, catch_up: float
) -> None:
    size = child(
        due, filled, working, base=base, min_child=min_child, max_child=max_child, remaining=remaining,
        catch_up=catch_up,
    )  # fmt: skip
    assert 0 <= size <= min(max_child, remaining)
    assert size == 0 or due > filled + working
    assert size == 0 or size >= min(min_child, max_child, remaining)
    assert size <= 1.5 * max(catch_up * base, min_child) + min_child


@given(
    quantity=st.integers(1, 3000), base=st.integers(1, 200), min_child=st.integers(1, 40), steps=st.integers(50, 400)
)
def test_filled_at_once_the_parent_follows_the_line_and_is_done_before_the_end(
    quantity: int, base: int, min_child: int, steps: int
) -> None:
    """Every child is filled at once; `base` is at least what four steps ask for, so nobody falls behind by size."""
    base = max(base, 4 * quantity // steps + 1)
    filled = 0
    for now in range(steps):
        due = twap(quantity, 0, 0, steps, now)
        filled += child(
            due, filled, 0, base=base, min_child=min_child, max_child=quantity, remaining=quantity - filled,
            catch_up=3.0,
        )  # fmt: skip
        assert abs(filled - due) <= 1.5 * max(base, min_child) + min_child
    assert filled == quantity
