"""Machine code gives the numbers of the Python it was made from, and does without a place to keep it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.compiled import compiled, part

SOURCE = """
@part
def square(x):
    return x * x

@compiled("f8(f8[::1])")
def length(values):
    total = 0.0
    for value in values:
        total += square(value)
    return math.sqrt(total) / values[0]
"""


def length() -> Any:
    """Made from text, which has no folder to keep machine code in."""
    names: dict[str, Any] = {"compiled": compiled, "part": part, "math": math}
    exec(SOURCE, names)  # what is tested is code without a file
    return names["length"]


def test_without_a_file_to_keep_it_beside_it_is_compiled_all_the_same() -> None:
    values = np.array([3.0, 4.0])
    assert length()(values) == length().py_func(values) == pytest.approx(5.0 / 3.0, rel=1e-15)


def test_a_division_by_nothing_is_infinite_and_raises_nothing() -> None:
    assert length()(np.array([0.0, 1.0])) == math.inf


def test_other_types_than_stated_are_refused_not_compiled_anew() -> None:
    with pytest.raises(TypeError):
        length()(np.array([3, 4]))
