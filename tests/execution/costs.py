"""Parents, fills and marks as a journal would hold them: what tests of costs are made of."""

from __future__ import annotations

from typing import Any

from engine import messages as m
from engine.domain import NS, Side
from tests.execution.still import CALL, NAME, NOW


def mark(micro: float = 330.0, **fields: Any) -> m.Mark:
    """A market around this micro-price, in units."""
    usual: dict[str, Any] = {
        "micro": micro, "bid": round(micro) - 5, "ask": round(micro) + 5, "forward": 90_000.0, "index": 89_900.0,
        "iv": 50.0, "delta": 0.45, "vega": 8.0, "fair": micro,
    }  # fmt: skip
    return m.Mark(**(usual | fields))


def parent(**fields: Any) -> m.ParentAccepted:
    usual: dict[str, Any] = {
        "n": 1, "t": NOW, "id": "P1", "user": "ann", "instrument": NAME, "side": Side.BUY, "quantity": 100,
        "limit": 400, "start": NOW, "end": NOW + 600 * NS, "algorithm": "twap", "urgency": 5, "min_child": 0,
        "max_child": 100, "dial": "auto", "auto_limit": 0, "arrival": 330.0, "mark": mark(),
    }  # fmt: skip
    return m.ParentAccepted(**(usual | fields))


def seen(n: int, micro: float = 330.0, *, after: float = 0.0, parent: str = "P1", **fields: Any) -> m.MarketSeen:
    lots, turnover = fields.pop("lots", 0), fields.pop("turnover", 0)
    due = fields.pop("due", None)
    return m.MarketSeen(
        n=n,
        t=NOW + round(after * NS),
        parent=parent,
        mark=mark(micro, **fields),
        lots=lots,
        turnover=turnover,
        due=due,
    )


def request(n: int, child: str = "c1", **fields: Any) -> m.OrderRequested:
    usual: dict[str, Any] = {
        "n": n, "t": NOW, "child": child, "call": f"order-{n}", "parent": "P1", "proposal": "", "by": "auto",
        "instrument": NAME, "side": Side.BUY, "quantity": 10, "price": 335, "post_only": False,
        "valid_until": NOW + 5 * NS, "mid": 330.0, "mark": mark(),
    }  # fmt: skip
    return m.OrderRequested(**(usual | fields))


def fill(n: int, child: str = "c1", **fields: Any) -> m.Filled:
    usual: dict[str, Any] = {
        "n": n, "t": NOW, "trade": f"t{n}", "child": child, "instrument": NAME, "side": Side.BUY, "quantity": 10,
        "price": 335, "fee": 0.0003, "maker": False, "at": NOW, "mark": mark(),
    }  # fmt: skip
    return m.Filled(**(usual | fields))


def ended(n: int, micro: float | None = 330.0, *, after: float = 600.0, **fields: Any) -> m.ParentEnded:
    usual: dict[str, Any] = {"parent": "P1", "outcome": "expired", "by": "schedule"}
    return m.ParentEnded(
        n=n, t=NOW + round(after * NS), mark=None if micro is None else mark(micro), **(usual | fields)
    )


def proposed(n: int, name: str = "R1", **fields: Any) -> m.Proposed:
    usual: dict[str, Any] = {
        "parent": "P1", "instrument": NAME, "side": Side.BUY, "quantity": 10, "worst": 335, "cross": True,
        "row": "up", "reason": "price up", "until": NOW + 15 * NS, "forecast": None, "cost_ticks": None,
        "wait_ticks": None, "mark": mark(),
    }  # fmt: skip
    return m.Proposed(n=n, t=NOW, id=name, **(usual | fields))


TICK = CALL.tick_units(330)
