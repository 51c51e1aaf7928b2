"""The grid that observed decimals lie on."""

from __future__ import annotations

import math
from collections.abc import Iterable

FINEST = 1e-8


def divisor(decimals: Iterable[float]) -> float:
    """The greatest step that all of them are multiples of, no finer than 1e-8; 0 where there are none."""
    return math.gcd(*(round(decimal / FINEST) for decimal in decimals)) / round(1 / FINEST)
