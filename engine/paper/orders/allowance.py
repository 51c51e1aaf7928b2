"""The matching engine's limit on how often an account may ask it for something: so many a second, and some at once."""

from __future__ import annotations

from typing import Any

from engine.domain import NS


class Allowance:
    """One bucket for each account, full when first seen. `rate` is requests a second, 0 for no limit."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._left: dict[int, tuple[float, int]] = {}  # account → requests left, when that was so

    def take(self, t: int, account: int) -> bool:
        """Charge one request; False, and nothing charged, when there is none left."""
        if not self.rate:
            return True
        left, then = self._left.get(account, (self.burst, t))
        left = min(self.burst, left + max(t - then, 0) * self.rate / NS)
        taken = left >= 1.0
        self._left[account] = (left - taken, max(t, then))
        return taken

    def dump(self) -> list[Any]:
        return [[account, left, t] for account, (left, t) in self._left.items()]

    def load(self, value: list[Any]) -> None:
        self._left = {account: (left, t) for account, left, t in value}
