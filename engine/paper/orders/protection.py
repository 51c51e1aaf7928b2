"""Market-maker protection: who trades too much within a short time is taken out of the market, and kept out a while.

One account's limits apply to its orders that are marked `mmp`, over one coin's index. A window begins with a trade
and lasts `interval_ns`; a trade after its end begins the next. When what was traded within a window reaches a limit,
the marked orders are cancelled and new ones are refused until `frozen_ns` have passed, or until a reset by hand where
that is 0. Counted are coins traded whatever the side, the net transaction delta (delta − mark price, in coin) and the
vega (USD a vol point), both signed. (docs.deribit.com, "Market Maker Protection".)
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.domain import NEVER


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """One account's protection. A limit of 0 is none. An interval of 0 removes the protection."""

    interval_ns: int
    frozen_ns: int
    quantity: float = 0.0  # coin
    delta: float = 0.0  # coin
    vega: float = 0.0  # USD a vol point


class Protection(msgspec.Struct):
    """Limits, and what was traded since the window began."""

    limits: Limits
    since: int = 0
    quantity: float = 0.0
    delta: float = 0.0
    vega: float = 0.0
    until: int = 0  # frozen until then

    def frozen(self, t: int) -> bool:
        return t < self.until

    def count(self, t: int, quantity: float, delta: float, vega: float) -> bool:
        """Add a trade; whether a limit is reached with it, which freezes. What the match that froze it still trades
        does not thaw it."""
        if self.frozen(t):
            return False
        if not self.since or t >= self.since + self.limits.interval_ns:
            self.clear()
            self.since = t
        self.quantity += quantity
        self.delta += delta
        self.vega += vega
        if not self._reached():
            return False
        self.clear()
        self.until = t + self.limits.frozen_ns if self.limits.frozen_ns else NEVER
        return True

    def clear(self) -> None:
        """Forget what was traded, and thaw."""
        self.since = self.until = 0
        self.quantity = self.delta = self.vega = 0.0

    def _reached(self) -> bool:
        pairs = (
            (self.limits.quantity, self.quantity),
            (self.limits.delta, self.delta),
            (self.limits.vega, self.vega),
        )
        return any(limit and abs(value) >= limit for limit, value in pairs)


class Protections:
    """Of all accounts that have one."""

    def __init__(self) -> None:
        self.of: dict[int, Protection] = {}

    def set(self, account: int, limits: Limits) -> None:
        """New limits; what was counted before is forgotten, a freeze stays."""
        if not limits.interval_ns:
            self.of.pop(account, None)
            return
        old = self.of.get(account)
        self.of[account] = Protection(limits, until=old.until if old is not None else 0)

    def frozen(self, t: int, account: int) -> bool:
        protection = self.of.get(account)
        return protection is not None and protection.frozen(t)

    def dump(self) -> list[Any]:
        return [[account, msgspec.to_builtins(protection)] for account, protection in self.of.items()]

    def load(self, value: list[Any]) -> None:
        self.of = {account: msgspec.convert(kept, Protection) for account, kept in value}
