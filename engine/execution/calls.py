"""From facts to the venue: which calls a fact makes."""

from __future__ import annotations

from engine import messages as m
from engine.domain import MS, NS, Instrument
from engine.execution.desk import Child, Desk
from engine.market.deribit import wire
from engine.market.meter import COST
from engine.market.state import Venue


def effects_of(fact: m.Fact, desk: Desk, venue: Venue) -> list[m.Call]:
    """The calls that a fact makes. An order waits until its fact is durable; cancels and questions never wait."""
    match fact:
        case m.OrderRequested():
            return [_order(fact, venue.instruments[fact.instrument])]
        case m.AmendRequested():
            child = desk.children[fact.child]
            return [_edit(fact, child, venue.instruments[child.request.instrument])]
        case m.CancelRequested():
            return [_cancel(fact, desk.children[fact.child], venue)]
        case m.ForeignCancelRequested():
            return [m.Call(id=fact.call, method="private/cancel", params={"order_id": fact.order})]
        case m.Asked():
            return [_question(fact, desk.children[fact.child], venue.coin)]
        case m.KillAsked():
            return _kill(fact, desk, venue)
        case m.Reconciling(call=call, since=since) if call:
            return [
                _by_currency(f"{call}-trades", "private/get_user_trades_by_currency", venue.coin, _since(desk, since)),
                _by_currency(f"{call}-orders", "private/get_open_orders_by_currency", venue.coin, {}),
            ]
        case m.Checked(what="children"):
            return [_by_currency(f"{desk.reconciling}-positions", "private/get_positions", venue.coin, {})]
    return []


def _order(fact: m.OrderRequested, instrument: Instrument) -> m.Call:
    params = {
        "instrument_name": fact.instrument,
        "amount": instrument.amount(fact.quantity),
        "type": "limit",
        "price": instrument.price(fact.price),
        "label": fact.child,
        "time_in_force": "good_til_cancelled" if fact.post_only else "immediate_or_cancel",
        "post_only": fact.post_only,  # said always: the venue's default differs
        "reject_post_only": False,
        "valid_until": fact.valid_until // MS,
    }
    if fact.reduce_only:
        params["reduce_only"] = True
    return m.Call(id=fact.call, method=f"private/{fact.side}", params=params, after=fact.n, child=fact.child)


def _edit(fact: m.AmendRequested, child: Child, instrument: Instrument) -> m.Call:
    """Size and price are both said, and post-only again: what is not said there falls back to the venue's default."""
    params = {
        "order_id": child.order,
        "amount": instrument.amount(fact.quantity),
        "price": instrument.price(fact.price),
        "post_only": child.request.post_only,
        "reject_post_only": False,
        "valid_until": fact.valid_until // MS,
    }
    if child.request.reduce_only:
        params["reduce_only"] = True
    return m.Call(id=fact.call, method="private/edit", params=params, after=fact.n, child=fact.child)


def _cancel(fact: m.CancelRequested, child: Child, venue: Venue) -> m.Call:
    """By its id; by its label where it has none yet, or where the matching engine would refuse one cancel more."""
    if child.order and venue.meter.requests_at(venue.now) >= 1.0:
        return m.Call(id=fact.call, method="private/cancel", params={"order_id": child.order})
    return m.Call(id=fact.call, method="private/cancel_by_label", params={"label": fact.child})


def _question(fact: m.Asked, child: Child, coin: str) -> m.Call:
    if fact.call.startswith("fills-"):
        return m.Call(id=fact.call, method="private/get_user_trades_by_order", params={"order_id": child.order})
    params = {"currency": coin, "label": fact.child}
    return m.Call(id=fact.call, method="private/get_order_state_by_label", params=params)


def _kill(fact: m.KillAsked, desk: Desk, venue: Venue) -> list[m.Call]:
    """Cancel, then ask what is open. The whole account at once, or each of ours by its label: as many as the venue's
    credits pay, since it ends the session of who asks for more; the rest with the next asking."""
    most = max(int(venue.meter.credits_at(venue.now) // COST) - 1, 1)
    if desk.killed and desk.killed.account:
        out = [m.Call(id=f"{fact.call}-all", method="private/cancel_all", params={})]
    else:
        out = [
            m.Call(id=f"{fact.call}-{i}", method="private/cancel_by_label", params={"label": child.request.child})
            for i, child in enumerate(desk.live_children[:most])
        ]
    return [*out, _by_currency(f"{fact.call}-open", "private/get_open_orders_by_currency", venue.coin, {})]


def _by_currency(call: str, method: str, coin: str, more: dict[str, object]) -> m.Call:
    return m.Call(id=call, method=method, params={"currency": coin, **more})


def _since(desk: Desk, told: int) -> dict[str, object]:
    """Trades to ask for again: from a minute before the last fill known, else before our first order, if there was
    any. They count once, by their id. What the account did before this journal is no business of it."""
    first = next((child.request.t for child in desk.children.values()), desk.reconciling_since)
    last = max((fill.at for fill in desk.fills), default=first)
    start = told or last - 60 * NS
    return {"count": 1000, "sorting": "asc", "start_timestamp": start // wire.MS}
