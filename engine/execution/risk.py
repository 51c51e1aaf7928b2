"""Hard blocks: checked before every order, by policy or by hand, against the book as it is now.

Pure functions that answer with a reason, or with nothing. What is already on its way counts.
"""

from __future__ import annotations

import math

import msgspec

from engine.domain import NS, Instrument, Kind, Side
from engine.execution.desk import Desk
from engine.execution.picture import Picture, touch


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An order that somebody would like to send: lots and units."""

    instrument: Instrument
    side: Side
    quantity: int
    price: int
    post_only: bool


def blocked(desk: Desk, picture: Picture, order: Wanted) -> str:
    """Why this order must not go out now, in a sentence; empty if it may."""
    for check in (_desk_open, _size, _market_sound, _collar, _rates, _self_trade):
        if reason := check(desk, picture, order):
            return reason
    return ""


def closed(desk: Desk, picture: Picture) -> str:
    """Why the whole desk sends nothing new now; empty if it may."""
    if desk.config.mode == "replay":
        return "this is a replay: it has no route to any venue"
    if picture.halted:
        return picture.halted
    if desk.killed:
        return f"killed by {desk.killed.by}; an admin must re-arm"
    if not picture.venue.up:
        return "the venue's connection is down"
    if not picture.venue.authenticated:
        return "the venue has not authenticated this desk"
    lag = picture.venue.lag
    if lag is not None and abs(lag) > desk.config.limits.clock_s * NS:
        return f"the venue's clock and ours are {abs(lag) / NS:.1f} s apart"
    if not desk.reconciled:
        return "the venue is still being asked what it holds"
    if not picture.venue.listening:
        return "the venue has not agreed to tell this desk of its orders"
    return ""


def unsound(picture: Picture, name: str, silence_s: float) -> str:
    """Why this instrument's book cannot be acted on; empty if it can."""
    venue = picture.venue
    book = venue.books.get(name)
    if book is None:
        return f"the book of {name} is not subscribed"
    if book.stale:
        return f"the book of {name} is stale: {book.stale}"
    if picture.now - venue.heard > silence_s * NS:
        return f"the venue has said nothing for {(picture.now - venue.heard) / NS:.1f} s"
    state = venue.state_of(name)
    if state != "open":
        return f"{name} is {state} at the venue"
    instrument = venue.instruments.get(name)
    if instrument is None:
        return f"{name} is not listed"
    if instrument.expiry and picture.now >= instrument.expiry:
        return f"{name} has expired"
    return ""


def largest(desk: Desk, instrument: Instrument) -> int:
    """Lots that a single order may have at most."""
    limits = desk.config.limits
    most = limits.order_contracts if instrument.kind is Kind.OPTION else limits.future_usd
    return math.floor(most / instrument.lot + 1e-9)


def _desk_open(desk: Desk, picture: Picture, _: Wanted) -> str:
    return closed(desk, picture)


def _size(desk: Desk, picture: Picture, order: Wanted) -> str:
    limits, instrument = desk.config.limits, order.instrument
    if order.quantity <= 0:
        return "the quantity is nothing"
    amount = instrument.amount(order.quantity)
    if instrument.kind is not Kind.OPTION:
        if amount > limits.future_usd:
            return f"{amount:,.0f} USD is over the limit of {limits.future_usd:,.0f} an order"
        return ""
    if amount > limits.order_contracts:
        return f"{amount:.12g} contracts is over the limit of {limits.order_contracts:.12g} an order"
    value = amount * instrument.price(order.price)
    if value > limits.order_value:
        return f"{value:.4f} {instrument.coin} is over the limit of {limits.order_value:.12g} an order"
    return ""


def _market_sound(desk: Desk, picture: Picture, order: Wanted) -> str:
    return unsound(picture, order.instrument.name, desk.config.limits.silence_s)


def _collar(desk: Desk, picture: Picture, order: Wanted) -> str:
    """Price collar around the mark, towards the market's side only: a bid too high, an ask too low."""
    instrument, limits = order.instrument, desk.config.limits
    if not instrument.on_tick(order.price) or order.price <= 0:
        tick = instrument.price(instrument.tick_units(order.price))
        return f"the price {instrument.price(order.price):.12g} is off the tick of {tick:.12g}"
    quote = picture.venue.quotes.get(instrument.name)
    if quote is None or quote.mark is None:
        return f"there is no mark price of {instrument.name} to hold the price against"
    mark = quote.mark / instrument.tick
    if instrument.kind is Kind.OPTION:
        width = max(limits.collar_ticks * instrument.tick_units(mark), limits.collar_share * mark)
    else:
        width = limits.collar_future_share * mark
    if order.side.sign * (order.price - mark) > width:
        bound = instrument.price(round(mark + order.side.sign * width))
        beyond = "above" if order.side is Side.BUY else "below"
        return f"the price {instrument.price(order.price):.12g} is {beyond} the collar at {bound:.12g}"
    return ""


def _rates(desk: Desk, picture: Picture, _: Wanted) -> str:
    limits = desk.config.limits
    if len(desk.live_children) >= limits.open_orders:
        return f"{limits.open_orders} orders are working already"
    recent = sum(1 for t in desk.requests if picture.now - t < 10 * NS)
    if recent >= limits.orders_per_10s:
        return f"{recent} orders in the last 10 s: the limit is {limits.orders_per_10s}"
    return ""


def _self_trade(desk: Desk, picture: Picture, order: Wanted) -> str:
    """Our own orders never meet: a crossing price against an own resting order of the other side is refused."""
    for child in desk.live_children:
        other = child.request
        if other.instrument != order.instrument.name or other.side is order.side:
            continue
        if order.side.sign * (order.price - child.price) >= 0:
            price = order.instrument.price(child.price)
            return f"it would meet our own {other.side} {other.child} at {price:.12g}"
    return ""


def price_inside(picture: Picture, order: Wanted) -> str:
    """For a post-only order: why it would not rest, empty if it would."""
    far = touch(picture, order.instrument, order.side.other)
    if order.post_only and far is not None and order.side.sign * (order.price - far) >= 0:
        return f"a post-only {order.side} at {order.instrument.price(order.price):.12g} would cross"
    return ""
