"""What a person says of hedging: of the book, and of one parent. Raises Refusal."""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.execution.asked import Refusal
from engine.execution.desk import Desk
from engine.execution.hedge import terms_of
from engine.execution.picture import Picture

MOST = 1e6  # coin


def of_book(desk: Desk, _: Picture, item: m.Command, verb: m.SetHedge) -> Iterator[m.Fact]:
    """On or off, the book's dial, its target; said again they also end the wait after a new start."""
    now = terms_of(desk)
    target = now.target if verb.target is None else verb.target
    if not abs(target) <= MOST:
        raise Refusal(f"a target of {target:.12g} {desk.config.coin} is none")
    on = now.on if verb.on is None else verb.on
    return iter([m.HedgeSet(by=item.user, on=on, dial=verb.dial or now.dial, target=target)])


def of_parent(desk: Desk, _: Picture, item: m.Command, verb: m.SetHedgeDial) -> Iterator[m.Fact]:
    """What one parent's delta means, also once the parent has ended."""
    if verb.parent not in desk.parents:
        raise Refusal(f"there is no parent {verb.parent}")
    return iter([m.ParentHedgeSet(parent=verb.parent, by=item.user, dial=verb.dial)])
