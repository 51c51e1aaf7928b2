"""The worst price of a parent at this moment: its limit as a price, as an implied volatility, or both, the tighter.

Theory of operation. A limit in volatility is our own cap, not the venue's order type: those are re-priced slowly, to
the nearest tick, possibly beyond what was asked. Here the volatility becomes a price by Black-76 at the present forward
of the expiry, on every step anew, rounded to the safe side of the tick: down for a buyer, up for a seller. What rests
is a plain limit order; when the forward has moved so that it stands beyond the cap, it is pulled at the next step.
Without a young forward nothing can be said in a price, nor in the last half hour, when delivery follows an average:
nothing new goes out then, and what rests is pulled.

Every reader of a parent's limit asks here.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine import black
from engine import messages as m
from engine.domain import Instrument, Kind, Side
from engine.execution import router
from engine.execution.desk import Desk, Parent, side_price
from engine.execution.lifecycle import LIVE_PARENT
from engine.execution.picture import Picture
from engine.surface import delivery


def price_at(picture: Picture, instrument: Instrument, side: Side, iv: float) -> int | str:
    """An implied volatility (per cent) as a price in units, on a tick and rounded to the safe side; or why it has none
    now."""
    forward = picture.forward(instrument)
    if instrument.kind is not Kind.OPTION:
        return f"{instrument.name} has no implied volatility"
    if delivery.begun(instrument.expiry, picture.now) or picture.now >= instrument.expiry:
        return "in the last half hour an implied volatility says no price"
    if forward is None:
        return f"the forward of {instrument.name} is not known: an implied volatility says no price"
    years, vol = instrument.years(picture.now), iv / 100.0
    units = black.price(forward, instrument.strike, years, vol, instrument.call) / instrument.tick
    price = instrument.floor_tick(units) if side is Side.BUY else instrument.ceil_tick(units)
    return price if price > 0 else f"an implied volatility of {iv:.4g} % is worth less than a tick"


def bounded(picture: Picture, order: m.ParentAccepted, instrument: Instrument) -> m.ParentAccepted | str:
    """The order with its limit, and the I-would price inside it, as they are at this moment; or why it has no limit."""
    if order.limit_iv is None:
        return order
    cap = price_at(picture, instrument, order.side, order.limit_iv)
    if isinstance(cap, str):
        return cap
    limit = side_price(order.side, cap, order.limit) if order.limit else cap
    would = None if order.would is None else side_price(order.side, order.would, limit)
    return msgspec.structs.replace(order, limit=limit, would=would)


def limit_of(picture: Picture, order: m.ParentAccepted, instrument: Instrument) -> int | None:
    """The worst price of the order at this moment, units; None where none can be said, and so nothing may go out."""
    now = bounded(picture, order, instrument)
    return None if isinstance(now, str) else now.limit


def hold_left(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """The same for orders that were left to rest when their parent was cancelled."""
    for name in dict.fromkeys(child.request.parent for child in desk.live_children):
        parent = desk.parents.get(name)
        if parent is not None and parent.state not in LIVE_PARENT:
            yield from hold(desk, picture, parent)


def hold(desk: Desk, picture: Picture, parent: Parent) -> Iterator[m.Fact]:
    """Pull what rests of a parent beyond its limit in volatility, whatever state it is in."""
    order, instrument = parent.order, picture.venue.instruments.get(parent.order.instrument)
    if order.limit_iv is None or instrument is None:
        return
    now = bounded(picture, order, instrument)
    for child in desk.children_of(order.id):
        if child.cancelling:
            continue
        if isinstance(now, str):
            yield router.cancel(desk, child.request.child, by="limit", reason=now)
        elif order.side.sign * (child.bound - now.limit) > 0:
            said = f"the limit of {order.limit_iv:.4g} % is {instrument.price(now.limit):.12g} now"
            yield router.cancel(desk, child.request.child, by="limit", reason=said)
