"""How large orders are, and how far away: basis points, heavy tails, people's liking for round numbers."""

from __future__ import annotations

import math

BP = 1e-4


def lots(usd: float, lot: float) -> int:
    """USD → whole lots of so many USD, at least one."""
    return max(1, round(usd / lot))


def heavy(median: float, spread: float, normal: float, most: float = 8e6) -> float:
    """A log-normal size around `median`, no larger than `most`."""
    return min(median * math.exp(spread * normal), most)


def rounded(size: int, draw: float, share: float = 0.35) -> int:
    """With chance `share`, the nearest number of one digit and noughts."""
    if draw >= share or size < 10:
        return size
    step = int(10 ** int(math.log10(size)))
    return max(step, (size + step // 2) // step * step)
