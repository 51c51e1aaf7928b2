"""What becomes of a child that rests: whether it stays, is moved to where the market went, or is pulled, and why. Pure.

Theory of operation. A resting order has a place in its queue, and moving it gives that place away. So it is moved only
for something worth more: a crossing order that needs its lots, or a touch that has left it behind, that is more than a
flicker, and (with `amends`) where less would trade before its turn than where it stands; both held against its own
size. It rests for a least time whatever happens, follows the market only so far without a fill (the chase limit: beyond
it the order stays where it is, and the market may come back), and is thought over when it has rested long; with
`amends` not for the very same price.

Where `amends` is set it moves by one amend, without a gap and without counting twice, if the dial lets a child of its
size go by itself and no block is against it; its place counts, too. Else it is pulled, and a proposal asks for what
comes instead.
"""

from __future__ import annotations

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution import amend
from engine.execution.desk import Child, Desk, Parent, side_price
from engine.execution.limit import limit_of
from engine.execution.picture import Picture, touch
from engine.execution.router import cancel

CANCEL_RETRY_NS = 2 * NS


def moved(
    desk: Desk, picture: Picture, parent: Parent, child: Child, instrument: Instrument, crossing: str, follow: bool,
    most: int,
) -> m.AmendRequested | m.CancelRequested | None:  # fmt: skip
    """What is done about this child now, if anything; of `most` lots at most may it be."""
    why = pulled(desk, picture, parent, child, instrument, crossing, follow)
    if not why:
        return None
    free = follow and not crossing and desk.config.execution.amends
    price = _stand(picture, parent, instrument) if free else None
    quantity = child.filled + min(child.remaining, most)
    alone = price is not None and parent.by_itself(child.remaining)
    if price is not None and alone and not amend.refusal(desk, picture, child, quantity, price):
        return amend.request(desk, picture, child, quantity, price, by=parent.dial, reason=why)
    return cancel(desk, child.request.child, by="policy", reason=why)


def _stand(picture: Picture, parent: Parent, instrument: Instrument) -> int | None:
    """Where a child that follows the market would stand now: at the touch, inside the parent's limit."""
    near, limit = touch(picture, instrument, parent.order.side), limit_of(picture, parent.order, instrument)
    return None if near is None or limit is None else side_price(parent.order.side, near, limit)


def pulled(
    desk: Desk, picture: Picture, parent: Parent, child: Child, instrument: Instrument, crossing: str, follow: bool
) -> str:
    """Why this resting child should be pulled now; empty if it stays. `crossing` says why an order that crosses needs
    its lots, empty if none does; `follow` is whether the advice is to stand at the touch."""
    settings, age = desk.config.execution, picture.now - max(child.opened, child.placed)
    recent = picture.now - max(child.cancelling, child.amend_asked) < CANCEL_RETRY_NS
    if child.state != "open" or age < settings.min_rest_s * NS or recent:
        return ""
    if crossing:
        return crossing
    near = touch(picture, instrument, parent.order.side)
    if near is not None and _chased(desk, parent, instrument, near):
        return ""
    if follow and near is not None and _left_behind(desk, picture, parent, child, instrument, near):
        return "the market moved away"
    same = settings.amends and follow and _stand(picture, parent, instrument) == child.price
    if age > settings.passive_ttl_s * NS and not same:
        return "rested long enough; thinking again"
    return ""


def _left_behind(
    desk: Desk, picture: Picture, parent: Parent, child: Child, instrument: Instrument, near: int
) -> bool:  # fmt: skip
    """What stands better than it, inside the parent's limit, is enough to be taken for the market, and its turn would
    come sooner there."""
    side, limit = parent.order.side, limit_of(picture, parent.order, instrument)
    if limit is None or side.sign * (side_price(side, near, limit) - child.price) <= 0:
        return False
    better, share = _better(picture, instrument, side, child.price), desk.config.execution.follow_share
    if desk.config.execution.amends:
        there = _others(picture, instrument, side, side_price(side, near, limit))
        better = min(better, better + ahead(picture, child, instrument) - there)
    return better >= share * child.remaining


def ahead(picture: Picture, child: Child, instrument: Instrument) -> int:
    """Lots of others before this child at its own price; all that are shown there, where its place is not known."""
    place = picture.venue.own.places.get(child.order)
    known = place is not None and place.units == child.price
    return place.ahead if place and known else _others(picture, instrument, child.request.side, child.price)


def _others(picture: Picture, instrument: Instrument, side: Side, units: int) -> int:
    own, book = picture.venue.own_lots(instrument.name), picture.venue.books.get(instrument.name)
    shown = 0 if book is None else (book.bids if side is Side.BUY else book.asks).get(units, 0)
    return max(shown - own.get((side, units), 0), 0)


def _better(picture: Picture, instrument: Instrument, side: Side, price: int) -> int:
    """Lots of others at better prices than this."""
    own, book = picture.venue.own_lots(instrument.name), picture.venue.books.get(instrument.name)
    total = 0
    for units, lots in book.levels(side, 20) if book else ():
        if side.sign * (units - price) <= 0:
            break
        total += max(lots - own.get((side, units), 0), 0)
    return total


def _chased(desk: Desk, parent: Parent, instrument: Instrument, near: int) -> bool:
    """The touch is farther from where this chase began than it is followed without a fill."""
    if not parent.chased_from:
        return False
    ticks = parent.order.side.sign * (near - parent.chased_from) / instrument.tick_units(near)
    return ticks > desk.config.execution.chase_ticks
