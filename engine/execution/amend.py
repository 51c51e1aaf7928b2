"""Giving a resting order another price or size by one message, where a cancel and an order anew would be two and a gap.

Theory of operation. An amend is judged as an order is: every hard block is asked about the desk as it would be without
the order, and about the order as it is to become. One that only becomes less (no larger, no worse price) needs no more
than a market that can be trusted and a venue that still takes messages, so that what is too much can always be made
smaller. Until the venue has answered, the order counts with the larger size and the worse price of the two; one amend
of an order is on its way at a time. A cancel overtakes it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine import messages as m
from engine.domain import NS
from engine.execution import risk
from engine.execution.asked import Refusal, instrument_of, price_of, size_of
from engine.execution.desk import Child, Desk, Parent
from engine.execution.limit import bounded
from engine.execution.pace import allowed
from engine.execution.picture import Picture

LEAST = frozenset({"desk", "market", "tick", "rate", "credits", "own orders", "bounds"})  # what even less must pass


def edit(desk: Desk, picture: Picture, item: m.Command, verb: m.EditChild) -> Iterator[m.Fact]:
    """A person's edit of one order, by hand or a parent's."""
    child = desk.children.get(verb.child)
    if child is None:
        raise Refusal(f"no order {verb.child} is working")
    instrument = instrument_of(picture, child.request.instrument)
    quantity = child.quantity if verb.quantity is None else size_of(instrument, verb.quantity)
    price = child.price if verb.price is None else price_of(instrument, verb.price)
    if reason := refusal(desk, picture, child, quantity, price, by=item.user):
        raise Refusal(reason)
    return iter([request(desk, picture, child, quantity, price, by=item.user, reason=f"moved by {item.user}")])


def refusal(desk: Desk, picture: Picture, child: Child, quantity: int, price: int, *, by: str = "") -> str:
    """Why this order must not become so large, at this price, in words; empty if it may. `by` is the person who asks,
    empty for the dial."""
    if reason := _unfit(child, quantity, price) or _beyond(desk, picture, child, quantity, price):
        return reason
    order = _wanted(picture, child, quantity, price, by)
    for refused, lift in _judged(desk, picture, child, order, quantity):
        if not lift:
            return refused.reason
    return risk.price_inside(picture, order)


def request(
    desk: Desk, picture: Picture, child: Child, quantity: int, price: int, *, by: str, reason: str
) -> m.AmendRequested:
    """The fact that an amend is about to leave; ask `refusal` first. `by` is a person, or the dial that lets it go."""
    person = "" if by in ("semi", "auto") else by
    order = _wanted(picture, child, quantity, price, person)
    return m.AmendRequested(
        child=child.request.child,
        call=f"amend-{desk.facts + 1}",
        by=by,
        reason=reason,
        quantity=quantity,
        price=price,
        valid_until=picture.now + round(desk.config.execution.order_ttl_s * NS),
        mid=picture.micro(child.request.instrument),
        lifted=tuple(lift for _, lift in _judged(desk, picture, child, order, quantity) if lift),
    )


def _unfit(child: Child, quantity: int, price: int) -> str:
    """Why this order cannot be changed at all, or not into this."""
    if child.cancelling:
        return "it is being cancelled"
    if child.state == "amending":
        return "it is being changed already"
    if child.state != "open" or not child.request.post_only:
        return f"order {child.request.child} does not rest at the venue"
    if quantity <= child.filled:
        return "so much of it is filled already"
    return "nothing about it would change" if (quantity, price) == (child.quantity, child.price) else ""


def _beyond(desk: Desk, picture: Picture, child: Child, quantity: int, price: int) -> str:
    """Why its parent does not allow it."""
    parent, more = desk.parents.get(child.request.parent), quantity - child.quantity
    if parent is None:
        return ""
    terms = bounded(picture, parent.order, picture.venue.instruments[parent.order.instrument])
    if isinstance(terms, str):
        return terms
    if terms.side.sign * (price - terms.limit) > 0:
        return f"the parent's limit is {picture.venue.instruments[terms.instrument].price(terms.limit):g}"
    if more > 0 and parent.state != "working":
        return f"its parent is {parent.state}: it cannot become more"
    worse = child.request.side.sign * (price - child.price) > 0
    if (more > 0 or worse) and (why := _waits(picture, parent)):
        return f"{why}: it can only become less"
    return "it is more than the parent has left" if more > max(allowed(desk, picture, parent), 0) else ""


def _waits(picture: Picture, parent: Parent) -> str:
    """Why this parent sends nothing new now, though it is not paused; empty if it does."""
    if picture.now >= parent.order.end:
        return "its parent's time is over"
    if picture.now < parent.halted_until:
        return f"its parent is {parent.reason}"
    return parent.suspended


def _judged(
    desk: Desk, picture: Picture, child: Child, order: risk.Wanted, quantity: int
) -> Iterator[tuple[risk.Refusal, str]]:
    """The blocks that count for this amend, as `risk.judged` tells of them."""
    less = quantity <= child.quantity and child.request.side.sign * (order.price - child.price) <= 0
    rest = _without(desk, child)
    return (each for each in risk.judged(rest, picture, order) if not less or each[0].block in LEAST)


def _wanted(picture: Picture, child: Child, quantity: int, price: int, by: str) -> risk.Wanted:
    """What would work of it, as an order of its own."""
    request = child.request
    return risk.Wanted(
        instrument=picture.venue.instruments[request.instrument], side=request.side, quantity=quantity - child.filled,
        price=price, post_only=request.post_only, parent=request.parent, by=by, hedge=request.hedge,
        reduce_only=request.reduce_only,
    )  # fmt: skip


def _without(desk: Desk, child: Child) -> Desk:
    """The desk as it would be if this order were not there: to be read, not evolved."""
    return msgspec.structs.replace(desk, live={k: None for k in desk.live if k != child.request.child})
