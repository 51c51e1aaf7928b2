"""What the facts of an amend do to an order: asked for, taken by the venue, or refused. See `evolve.py`.

A smaller size at the same price keeps the order's place in the queue; any other change loses it.
"""

from __future__ import annotations

from engine import messages as m
from engine.domain import MINUTE_NS
from engine.execution import lifecycle
from engine.execution.desk import Amending, Desk


def amend_requested(desk: Desk, fact: m.AmendRequested) -> None:
    """It counts as a message to the venue, as an order does."""
    child = desk.children[fact.child]
    child.state = lifecycle.child(child.state, "amend")
    child.amend, child.amend_asked = fact, fact.t
    desk.message(fact.t)
    desk.amends = [each for each in desk.amends if fact.t - each.t < MINUTE_NS] + [Amending(fact.t, fact.child)]
    for lift in fact.lifted:
        lifecycle.lift(desk.lifts.pop(lift).state, "used")


def amended(desk: Desk, fact: m.Amended) -> None:
    child = desk.children[fact.child]
    child.state = lifecycle.child(child.state, "amended")
    if fact.price != child.price or fact.quantity > child.quantity:
        child.placed = fact.t
    child.price, child.lots, child.amended = fact.price, fact.quantity, fact.at
    child.amend, child.ask_call = None, ""


def amend_refused(desk: Desk, fact: m.AmendRefused) -> None:
    child = desk.children[fact.child]
    child.state = lifecycle.child(child.state, "kept")
    child.amend, child.ask_call = None, ""
