"""What is left of the venue's patience: its credits, and what its matching engine takes in a second. By our own count.

The venue states neither after a call, and ends the session of who asks for more than there is (10028). So each call is
charged here when it is made, by the rules that the account's summary states, or by the published ones until then.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.domain import NS

COST = 500  # credits a call; VENUE.md, "Rate limits"
MATCHING = frozenset({"private/buy", "private/sell", "private/edit", "private/cancel"})


class Meter(msgspec.Struct):
    """Two buckets. `credits` pays every call; `requests` those of single orders, which the matching engine counts."""

    credits: float = 50_000.0
    requests: float = 20.0
    t: int = 0
    limit: float = 50_000.0
    refill: float = 10_000.0  # a second
    burst: float = 20.0
    rate: float = 5.0  # a second

    def spend(self, now: int, method: str) -> None:
        """Charge one call. More than there is may be charged: what must leave, leaves."""
        self.credits, self.requests = self.credits_at(now) - COST, self.requests_at(now)
        if method in MATCHING:
            self.requests -= 1.0
        self.t = max(self.t, now)

    def credits_at(self, now: int) -> float:
        return min(self.limit, self.credits + max(now - self.t, 0) * self.refill / NS)

    def requests_at(self, now: int) -> float:
        return min(self.burst, self.requests + max(now - self.t, 0) * self.rate / NS)

    def share(self, now: int) -> float:
        """Of the credits, what is left."""
        return max(self.credits_at(now), 0.0) / self.limit

    def learn(self, limits: Any) -> None:
        """The account's own limits, as `private/get_account_summary` states them; what is not understood stays."""
        if not isinstance(limits, dict):
            return
        asked, orders = _bucket(limits.get("non_matching_engine")), _bucket(_trading(limits.get("matching_engine")))
        if asked is not None:
            self.refill, self.limit = asked[0] * COST, asked[1] * COST
        if orders is not None:
            self.rate, self.burst = orders
        self.credits, self.requests = min(self.credits, self.limit), min(self.requests, self.burst)


def _trading(said: Any) -> Any:
    """`{rate, burst}`, or `{trading: {total: {rate, burst}, …}, …}`: the venue has written both."""
    inner = said.get("trading") if isinstance(said, dict) else None
    return inner.get("total") if isinstance(inner, dict) else said


def _bucket(said: Any) -> tuple[float, float] | None:
    if not isinstance(said, dict):
        return None
    rate, burst = said.get("rate"), said.get("burst")
    if not isinstance(rate, int | float) or not isinstance(burst, int | float) or rate <= 0 or burst <= 0:
        return None
    return float(rate), float(burst)
