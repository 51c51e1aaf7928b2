"""How an order ended: the state it is left in, and why, in a trader's words, out of the venue's word and our own."""

from __future__ import annotations

from engine import messages as m
from engine.execution.desk import Child, Desk
from engine.execution.lifecycle import RESTING_CHILD
from engine.market.deribit import wire


def told(desk: Desk, child: Child, order: wire.OrderData) -> m.OrderEnded:
    """Of an order that the venue says is over."""
    return m.OrderEnded(child=order.label, state=_state(child, order.order_state), reason=_why(desk, child, order))


def unknown(child: Child) -> m.OrderEnded:
    """Of an order that the venue does not know, and cannot come to know any more."""
    if child.state in RESTING_CHILD:
        return m.OrderEnded(child=child.request.child, state="cancelled", reason="the venue does not know it any more")
    return m.OrderEnded(child=child.request.child, state="lapsed", reason="it never reached the venue")


def _state(child: Child, state: str) -> m.OrderState:
    """An order that the venue had open cannot be rejected any more: it was cancelled."""
    if state == "filled":
        return "filled"
    return "cancelled" if state == "cancelled" or child.state in RESTING_CHILD else "rejected"


def _why(desk: Desk, child: Child, order: wire.OrderData) -> str:
    if order.order_state == "filled":
        return ""
    if child.cancelling:
        return child.reason
    if desk.killed and order.cancel_reason == "user_request":
        return f"killed by {desk.killed.by}"
    if order.order_state == "cancelled" and not child.request.post_only:
        return "the rest found no one inside its price" if order.filled_amount else "no one inside its price"
    return (order.cancel_reason or "").replace("_", " ")
