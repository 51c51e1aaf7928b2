"""Life cycles, as tables: (state, event) → next state. A missing key is an error, never a silent stay.

Theory of operation. Four things live on the desk: a **parent** (what the trader wants done), a **proposal** (an intent
to do some of it now), a **child** (an order at the venue) and a **lift** (leave for one order to pass one block). Each
moves only along its table, and only because of a fact. A fact that asks for a move the table lacks means that `decide`
and `evolve` disagree: the engine must stop rather than guess, so it raises `IllegalMove`.

A child's life as the venue tells it can arrive out of order (the answer to a request, the private channel and a
question asked during recovery all speak of it), so a fill may still come for a child that has already ended; the
tables say so openly. A fill is never refused: whatever we believed of the child, the position is real.
"""

from __future__ import annotations

from typing import Literal, TypeVar

S = TypeVar("S")

ParentState = Literal["working", "paused", "done", "cancelled", "expired"]
ProposalState = Literal["live", "approved", "rejected", "lapsed"]
LiftState = Literal["asked", "granted", "used"]
ChildState = Literal["requested", "sent", "open", "amending", "filled", "cancelled", "rejected", "lapsed"]

PARENT: dict[tuple[str, str], ParentState] = {
    ("working", "pause"): "paused",
    ("working", "edit"): "working",  # rebases
    ("working", "resume"): "working",  # rebases
    ("working", "done"): "done",
    ("working", "cancelled"): "cancelled",
    ("working", "expired"): "expired",
    ("paused", "pause"): "paused",  # the reason changes
    ("paused", "edit"): "paused",
    ("paused", "resume"): "working",
    ("paused", "done"): "done",  # a working child filled the rest
    ("paused", "cancelled"): "cancelled",
    ("paused", "expired"): "expired",
}

PROPOSAL: dict[tuple[str, str], ProposalState] = {
    ("live", "refresh"): "live",
    ("live", "approve"): "approved",
    ("live", "reject"): "rejected",
    ("live", "lapse"): "lapsed",
    ("approved", "lapse"): "lapsed",  # approved, then blocked before an order was requested
}

CHILD: dict[tuple[str, str], ChildState] = {
    ("requested", "sent"): "sent",
    ("requested", "open"): "open",
    ("requested", "part"): "open",
    ("requested", "filled"): "filled",
    ("requested", "cancelled"): "cancelled",
    ("requested", "rejected"): "rejected",
    ("requested", "lapsed"): "lapsed",
    ("sent", "open"): "open",
    ("sent", "part"): "open",
    ("sent", "filled"): "filled",
    ("sent", "cancelled"): "cancelled",
    ("sent", "rejected"): "rejected",
    ("sent", "lapsed"): "lapsed",
    ("open", "open"): "open",  # re-priced
    ("open", "part"): "open",
    ("open", "amend"): "amending",
    ("open", "amended"): "open",  # by somebody else, on the venue's own page
    ("open", "filled"): "filled",
    ("open", "cancelled"): "cancelled",
    ("amending", "amended"): "open",
    ("amending", "kept"): "open",  # refused, not sent, or known never to have arrived
    ("amending", "part"): "amending",
    ("amending", "filled"): "filled",
    ("amending", "cancelled"): "cancelled",
    ("cancelled", "part"): "cancelled",  # a late fill, after the cancel was answered
    ("filled", "part"): "filled",
    ("rejected", "part"): "rejected",  # the venue contradicts itself: what we believed stays on the record
    ("lapsed", "part"): "lapsed",
}

LIFT: dict[tuple[str, str], LiftState] = {  # one that is not used in time is forgotten
    ("asked", "grant"): "granted",
    ("granted", "used"): "used",
}

LIVE_CHILD = frozenset({"requested", "sent", "open", "amending"})
RESTING_CHILD = frozenset({"open", "amending"})  # the venue has told of it
LIVE_PARENT = frozenset({"working", "paused"})


class IllegalMove(RuntimeError):
    """A fact asked for a move that the table does not have: a broken invariant."""


def parent(state: str, event: str) -> ParentState:
    return _move("parent", PARENT, state, event)


def proposal(state: str, event: str) -> ProposalState:
    return _move("proposal", PROPOSAL, state, event)


def child(state: str, event: str) -> ChildState:
    return _move("child", CHILD, state, event)


def lift(state: str, event: str) -> LiftState:
    return _move("lift", LIFT, state, event)


def _move(what: str, table: dict[tuple[str, str], S], state: str, event: str) -> S:
    try:
        return table[state, event]
    except KeyError:
        raise IllegalMove(f"a {what} that is {state} cannot take '{event}'") from None
