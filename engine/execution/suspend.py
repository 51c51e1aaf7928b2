"""Where nobody can trade a parent waits, and goes on by itself: a book that is not open, and the daily settlement.

Theory of operation. While its instrument's book is locked, halted, in settlement or inactive, and from a little before
the settlement at 08:00 UTC until a little after it, a parent is suspended: it proposes nothing, its proposal lapses,
and what it has working is pulled or left, as the parent says of halts (a locked book still takes cancels; one that
takes none has them sent again until it does). The reason stands on the parent meanwhile. Afterwards the rest is spread
anew over what time is left: the time lost is not owed, and catching up is capped as ever. A parent that a person paused
stays paused.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.domain import DAY_NS, HOUR_NS, NS
from engine.execution import router
from engine.execution.desk import Desk, Parent
from engine.execution.picture import Picture

SETTLEMENT_NS = 8 * HOUR_NS  # of the UTC day
FOR_GOOD = frozenset({"delivered", "archivized"})


def suspension(desk: Desk, picture: Picture, name: str) -> str:
    """Why nothing of a parent in this instrument goes out now, whatever it wants; empty if it may. Pure."""
    state, settings = picture.venue.state_of(name), desk.config.execution
    if state != "open":
        after = "" if state in FOR_GOOD else ": it goes on by itself once the book is open"
        return f"{name} is {'in ' if state == 'settlement' else ''}{state} at the venue{after}"
    since = (picture.now - SETTLEMENT_NS) % DAY_NS
    if since < settings.settled_s * NS or DAY_NS - since <= settings.settling_s * NS:
        return "the settlement at 08:00 UTC: it goes on by itself afterwards"
    return ""


def turn(desk: Desk, picture: Picture, parent: Parent) -> Iterator[m.Fact]:
    """Suspend a working parent, say another reason, or let it go on."""
    reason = suspension(desk, picture, parent.order.instrument)
    if reason and reason != parent.suspended:
        yield from router.stop(desk, parent, by="market", reason=reason, leave=parent.order.leave)
        yield m.ParentSuspended(parent=parent.order.id, reason=reason)
    elif parent.suspended and not reason:
        yield m.ParentResumed(parent=parent.order.id, by="market", rebased=picture.now)
