"""The venue's rate limit."""

from __future__ import annotations

from engine.domain import NS


class Credits:
    """The rate limit: each call costs, time refills. One pool may serve several connections."""

    def __init__(self, now: int, limit: int = 50_000, refill_per_s: int = 10_000, cost: int = 500) -> None:
        self.limit, self.refill_per_s, self.cost = limit, refill_per_s, cost
        self._left = float(limit)
        self._t = now

    def spend(self, now: int) -> bool:
        """Take the cost of one call; False when there is not enough left."""
        self._left = min(self.limit, self._left + max(now - self._t, 0) * self.refill_per_s / NS)
        self._t = max(now, self._t)
        if self._left < self.cost:
            return False
        self._left -= self.cost
        return True
