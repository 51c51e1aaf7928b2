"""What an order would cost, before it is sent: made when a ticket asks."""

from __future__ import annotations

import msgspec

from engine import messages as m
from engine.core import Core
from engine.execution.ticket import advice_of


def answer(core: Core, asked: m.AskEstimate) -> m.Estimated:
    """Refused, with the reason, for an order that would be, or where the book says nothing."""
    features = core.market.features.get(asked.order.instrument)
    fragility = 0.0 if features is None else features.fragility()
    found = advice_of(core.desk, core.market, asked.order, fragility)
    if isinstance(found, str):
        return m.Estimated(id=asked.id, reason=found)
    return msgspec.structs.replace(found, id=asked.id)
