"""Interval arithmetic holds what exact numbers give: by fractions, which do not round."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.research.intervals import Interval

NUMBERS = st.floats(-1e12, 1e12).filter(lambda x: x == 0.0 or abs(x) > 1e-12)
RANGES = st.tuples(NUMBERS, NUMBERS).map(lambda ends: (min(ends), max(ends)))
PLACES = st.fractions(0, 1)
TWO: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def inside(ends: tuple[float, float], place: Fraction) -> Fraction:
    low, high = Fraction(ends[0]), Fraction(ends[1])
    return low + (high - low) * place


def holds(found: Interval, exact: Fraction) -> bool:
    low, high = float(found.low), float(found.high)
    return (math.isinf(low) or Fraction(low) <= exact) and (math.isinf(high) or exact <= Fraction(high))


@pytest.mark.parametrize("name", TWO)
@settings(max_examples=60)
@given(RANGES, RANGES, PLACES, PLACES)
def test_sums_products_and_quotients_hold_the_exact_ones(
    name: str, a: tuple[float, float], b: tuple[float, float], at: Fraction, other: Fraction
) -> None:
    x, y = inside(a, at), inside(b, other)
    if name == "/" and y == 0:
        return
    with np.errstate(all="ignore"):
        found = TWO[name](Interval(*a), Interval(*b))
    assert holds(found, TWO[name](x, y))


@given(RANGES, PLACES)
def test_squares_sizes_and_roots_hold_the_exact_ones(a: tuple[float, float], at: Fraction) -> None:
    x = inside(a, at)
    assert holds(Interval(*a).square(), x * x)
    assert holds(Interval(*a).size(), abs(x))
    assert Interval(*a).square().low >= 0.0
    if a[0] >= 0.0:
        root = Interval(*a).root()
        assert Fraction(float(root.low)) ** 2 <= x <= Fraction(float(root.high)) ** 2


def test_a_division_by_what_may_be_nothing_says_nothing() -> None:
    found = Interval(1.0) / Interval([-1.0, 0.0, 1.0], [1.0, 2.0, 2.0])
    assert found.low.tolist()[:2] == [-math.inf, -math.inf]
    assert found.high.tolist()[:2] == [math.inf, math.inf]
    assert found.low[2] <= 0.5
    assert found.high[2] >= 1.0


def test_two_enclosures_of_one_number_are_cut_and_an_unknown_end_cuts_nothing() -> None:
    cut = Interval([0.0, 0.0], [2.0, 2.0]).both(Interval([1.0, math.nan], [3.0, math.nan]))
    assert (cut.low.tolist(), cut.high.tolist()) == ([1.0, 0.0], [2.0, 2.0])
