"""Several parents in one instrument, on both sides of it: their orders never trade with each other, and never wait for
each other for good.

The hard block "own orders" refuses whatever would meet an order of ours. So that this does not hold both up: where one
parent would cross by itself, and nothing holds it back but what another parent has resting, the one that rests gives
way. It is pulled, and its parent rests for a moment, in which the other crosses. An order by hand is not pulled for a
parent, nor one for a proposal that a person has yet to answer: there the one that crosses waits, and says for what.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.domain import NS, Instrument
from engine.execution import risk, router
from engine.execution.blocks import met
from engine.execution.desk import Desk, Parent
from engine.execution.picture import Picture
from engine.execution.want import Moment, sought

GIVE_WAY_NS = 2 * NS


def make_way(
    desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, moment: Moment
) -> Iterator[m.Fact]:  # fmt: skip
    """For a parent that wants to cross and may not."""
    found = sought(desk, picture, parent, instrument, moment)
    if isinstance(found, str) or found.order.post_only or not parent.by_itself(found.order.quantity):
        return
    standing = met(desk, found.order)
    if any(child.request.parent not in desk.parents or not child.request.post_only for child in standing):
        return
    if any(not lift and refused.block != "own orders" for refused, lift in risk.judged(desk, picture, found.order)):
        return
    for child in standing:
        reason = f"it gave way to parent {parent.order.id}, which crosses"
        other = desk.parents[child.request.parent]
        if not child.cancelling:
            yield router.cancel(desk, child.request.child, by="policy", reason=reason)
        if other.state == "working" and picture.now >= other.quiet_until:
            yield m.ParentRested(parent=other.order.id, until=picture.now + GIVE_WAY_NS, reason=reason)
