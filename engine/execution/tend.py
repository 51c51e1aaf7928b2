"""What becomes of a child that rests: whether it is pulled so that another may stand better, and why. Pure.

Theory of operation. A resting order has a place in its queue, and pulling it gives that place away. So it is moved only
for something worth more: a crossing order that needs its lots, or a touch that has left it behind and that is more than
a flicker, held against its own size. It rests for a least time whatever happens, follows the market only so far without
a fill (the chase limit: beyond it the order stays where it is, and the market may come back), and is thought over when
it has rested long.
"""

from __future__ import annotations

from engine.domain import NS, Instrument, Side
from engine.execution.desk import Child, Desk, Parent, side_price
from engine.execution.limit import limit_of
from engine.execution.picture import Picture, touch

CANCEL_RETRY_NS = 2 * NS


def pulled(
    desk: Desk, picture: Picture, parent: Parent, child: Child, instrument: Instrument, crossing: str, follow: bool
) -> str:
    """Why this resting child should be pulled now; empty if it stays. `crossing` says why an order that crosses needs
    its lots, empty if none does; `follow` is whether the advice is to stand at the touch."""
    settings, age = desk.config.execution, picture.now - child.opened
    recent = picture.now - child.cancelling < CANCEL_RETRY_NS
    if child.state != "open" or age < settings.min_rest_s * NS or recent:
        return ""
    if crossing:
        return crossing
    near = touch(picture, instrument, parent.order.side)
    if near is not None and _chased(desk, parent, instrument, near):
        return ""
    if follow and near is not None and _left_behind(desk, picture, parent, child, instrument, near):
        return "the market moved away"
    if age > settings.passive_ttl_s * NS:
        return "rested long enough; thinking again"
    return ""


def _left_behind(
    desk: Desk, picture: Picture, parent: Parent, child: Child, instrument: Instrument, near: int
) -> bool:  # fmt: skip
    """What stands better than it, inside the parent's limit, is enough to be taken for the market."""
    side, limit = parent.order.side, limit_of(picture, parent.order, instrument)
    if limit is None or side.sign * (side_price(side, near, limit) - child.price) <= 0:
        return False
    ahead = _ahead(picture, instrument, side, child.price)
    return ahead >= desk.config.execution.follow_share * child.remaining


def _ahead(picture: Picture, instrument: Instrument, side: Side, price: int) -> int:
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
