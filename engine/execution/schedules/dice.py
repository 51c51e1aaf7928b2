"""Randomness that can be replayed: numbers of a journaled seed and a count, by SplitMix64 (Steele, Lea, Flood, 2014).

Nothing is carried from draw to draw, so that an order thought over again, or recovered, draws the same.
"""

from __future__ import annotations

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def mixed(x: int) -> int:
    """64 bits → 64 bits that look like none of them."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def seed_of(seed: int, n: int) -> int:
    """The seed of what fact `n` begins, on a desk whose own seed this is. Below 2⁶³: it travels in messages."""
    return mixed((mixed((seed + GOLDEN) & MASK) + n * GOLDEN) & MASK) >> 1


def draw(seed: int, n: int, stream: int = 0) -> float:
    """The n-th number of a stream, even over [0, 1)."""
    return mixed((mixed((seed + stream * GOLDEN) & MASK) + (n + 1) * GOLDEN) & MASK) / 2**64
