"""A desk and a market that a hard block is asked about, and the facts that bring them where a test wants them."""

from __future__ import annotations

from typing import Any

import msgspec

from engine import messages as m
from engine.config import Config
from engine.domain import NS, Side, instrument_of
from engine.execution import risk
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.market.deribit import wire
from tests.execution.still import CALL, NAME, NOW, Still

OTHER = instrument_of("BTC-27MAR26-90000-C")
GREEKS = wire.Greeks(delta=0.4, gamma=2e-5, vega=90.0)


def desk_of(*facts: m.Fact, config: Config | None = None) -> Desk:
    """A desk that has reconciled, and then these."""
    desk = Desk()
    begun = m.Began(session="s", config=config or Config(), code="", model="")
    for fact in (begun, m.Reconciling(reason="", call="recon2"), m.Reconciled(differences=()), *facts):
        evolve(desk, msgspec.structs.replace(fact, n=desk.facts + 1, t=fact.t or NOW))
    return desk


def request(k: int, **fields: Any) -> m.OrderRequested:
    usual: dict[str, Any] = {
        "child": f"s-{k}", "call": f"order-{k}", "parent": "", "proposal": "", "by": "trader", "instrument": NAME,
        "side": Side.BUY, "quantity": 10, "price": 325, "post_only": True, "valid_until": NOW + 3 * NS, "mid": None,
    }  # fmt: skip
    return m.OrderRequested(**(usual | fields))


def parent_of(user: str = "ann") -> m.ParentAccepted:
    return m.ParentAccepted(
        id="P1", user=user, instrument=NAME, side=Side.BUY, quantity=500, limit=400, start=NOW, end=NOW + 600 * NS,
        algorithm="twap", urgency=5, min_child=0, max_child=100, dial="auto", auto_limit=0, arrival=None,
    )  # fmt: skip


def filled(k: int, side: Side = Side.BUY, quantity: int = 10, **fields: Any) -> m.Filled:
    usual: dict[str, Any] = {
        "trade": f"t{k}", "child": "", "instrument": NAME, "side": side, "quantity": quantity, "price": 330, "fee": 0.0,
        "maker": True, "at": NOW,
    }  # fmt: skip
    return m.Filled(**(usual | fields))


def picture_of(*args: Any, mark: float = 0.033, delta: float = 0.4, **more: Any) -> Still:
    """A market that gives all that a limit is held against."""
    picture = Still(*args, **more)
    picture.ticker(mark_price=mark, greeks=GREEKS)
    picture.deltas |= {picture.instrument.name: delta, OTHER.name: delta}
    picture.venue.instruments[OTHER.name] = OTHER
    picture.venue.quotes[OTHER.name] = picture.venue.quotes[picture.instrument.name]
    return picture


def wanted(**fields: Any) -> risk.Wanted:
    usual: dict[str, Any] = {
        "instrument": CALL, "side": Side.BUY, "quantity": 50, "price": 335, "post_only": False,
    }  # fmt: skip
    return risk.Wanted(**(usual | fields))
