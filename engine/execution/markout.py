"""What is looked at again later: the market while a parent lives, and after each fill of ours. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.domain import NS
from engine.execution.desk import Desk, Due, Parent
from engine.execution.mark import LATE_NS, mark
from engine.execution.pace import due_by
from engine.execution.picture import Picture

AFTER_S = (1, 5, 30, 60)
MISSED_NS = NS  # a markout that is later than this was not seen
LOOKS = 120  # at the market over a parent's life
OFTEN_NS, SELDOM_NS = 5 * NS, 60 * NS  # between two looks, at least and at most


def look(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """On each step: the market seen for parents, and marked for fills that were made long enough ago. Nothing while
    facts cannot be kept; what is missed meanwhile is said to be unknown."""
    if picture.halted:
        return
    for parent in desk.live_parents:
        if picture.now >= max(parent.order.start, parent.seen + _pace(parent)):
            yield from _seen(desk, picture, parent)
    while desk.due and desk.due[0].t <= picture.now:
        due = desk.due[0]
        seen = mark(picture, due.instrument) if picture.now - due.t <= MISSED_NS else None
        yield m.MarkedOut(trade=due.trade, seconds=due.seconds, mark=seen)


def _seen(desk: Desk, picture: Picture, parent: Parent) -> Iterator[m.Fact]:
    order, now = parent.order, picture.now
    first = not parent.seen
    found = mark(picture, order.instrument, order.side, order.quantity if first else 0)
    if found is None:
        return
    since = now if first else parent.seen
    yield m.MarketSeen(
        parent=order.id, mark=found, lots=picture.traded(order.instrument, since, now),
        turnover=picture.turnover(order.instrument, since, now), due=due_by(desk, picture, parent, now),
    )  # fmt: skip


def _pace(parent: Parent) -> int:
    return min(max((parent.order.end - parent.order.start) // LOOKS, OFTEN_NS), SELDOM_NS)


def owe(desk: Desk, fill: m.Filled) -> None:
    """A fill of ours is to be marked later. One that was learned of late counts from when it was made."""
    if fill.child:
        made = fill.t if abs(fill.t - fill.at) <= LATE_NS else fill.at
        more = (Due(made + seconds * NS, fill.trade, seconds, fill.instrument) for seconds in AFTER_S)
        desk.due = sorted([*desk.due, *more])


def marked_out(desk: Desk, fact: m.MarkedOut) -> None:
    desk.due = [due for due in desk.due if (due.trade, due.seconds) != (fact.trade, fact.seconds)]


def seen(desk: Desk, fact: m.MarketSeen) -> None:
    desk.parents[fact.parent].seen = fact.t
