"""The four tables, written a second time by hand: every state meets every event."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import get_args

import pytest

from engine.execution import lifecycle
from engine.execution.lifecycle import LIVE_CHILD, LIVE_PARENT, IllegalMove

# A row is a state, a column an event; "." is an illegal move.
PARENT = """
            pause    resume   edit     done  cancelled  expired
working     paused   working  working  done  cancelled  expired
paused      paused   working  paused   done  cancelled  expired
done        .        .        .        .     .          .
cancelled   .        .        .        .     .          .
expired     .        .        .        .     .          .
"""
PROPOSAL = """
           refresh  approve   reject    lapse
live       live     approved  rejected  lapsed
approved   .        .         .         lapsed
rejected   .        .         .         .
lapsed     .        .         .         .
"""
CHILD = """
            sent   open   amend     amended  kept  part       filled  cancelled  rejected  lapsed
requested   sent   open   .         .        .     open       filled  cancelled  rejected  lapsed
sent        .      open   .         .        .     open       filled  cancelled  rejected  lapsed
open        .      open   amending  open     .     open       filled  cancelled  .         .
amending    .      .      .         open     open  amending   filled  cancelled  .         .
filled      .      .      .         .        .     filled     .       .          .         .
cancelled   .      .      .         .        .     cancelled  .       .          .         .
rejected    .      .      .         .        .     rejected   .       .          .         .
lapsed      .      .      .         .        .     lapsed     .       .          .         .
"""
LIFT = """
         grant    used
asked    granted  .
granted  .        used
used     .        .
"""
MOVES: dict[str, tuple[Callable[[str, str], str], str]] = {
    "parent": (lifecycle.parent, PARENT),
    "proposal": (lifecycle.proposal, PROPOSAL),
    "child": (lifecycle.child, CHILD),
    "lift": (lifecycle.lift, LIFT),
}


def table(text: str) -> dict[tuple[str, str], str]:
    """(state, event) → next state, "." where there is none."""
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {(row[0], event): after for row in rows for event, after in zip(head, row[1:], strict=True)}


PAIRS = [(what, *pair, after) for what, (_, text) in MOVES.items() for pair, after in table(text).items()]


@pytest.mark.parametrize(("what", "state", "event", "after"), PAIRS)
def test_every_state_meets_every_event(what: str, state: str, event: str, after: str) -> None:
    move = MOVES[what][0]
    if after != ".":
        assert move(state, event) == after
        return
    with pytest.raises(IllegalMove, match=f"a {what} that is {state} cannot take '{event}'"):
        move(state, event)


@pytest.mark.parametrize(
    ("what", "states", "moves"),
    [
        ("parent", get_args(lifecycle.ParentState), lifecycle.PARENT),
        ("proposal", get_args(lifecycle.ProposalState), lifecycle.PROPOSAL),
        ("child", get_args(lifecycle.ChildState), lifecycle.CHILD),
        ("lift", get_args(lifecycle.LiftState), lifecycle.LIFT),
    ],
)
def test_nothing_is_left_out_of_the_tables(
    what: str, states: tuple[str, ...], moves: dict[tuple[str, str], str]
) -> None:
    known = table(MOVES[what][1])
    events = {event for _, event in known}
    assert set(known) == set(product(states, events))
    assert moves == {pair: after for pair, after in known.items() if after != "."}


@pytest.mark.parametrize("what", list(MOVES))
def test_what_is_unheard_of_is_illegal(what: str) -> None:
    move, text = MOVES[what]
    state, event = next(iter(table(text)))
    for pair in ((state, "unheard of"), ("unheard of", event), ("", ""), (event, state)):
        with pytest.raises(IllegalMove):
            move(*pair)


def test_live_is_what_can_still_move_on() -> None:
    """A child that has ended takes late fills, but never moves; a parent that has ended takes nothing."""
    moving = {state for (state, _), after in lifecycle.CHILD.items() if after != state}
    assert moving == LIVE_CHILD
    assert {state for state, _ in lifecycle.PARENT} == LIVE_PARENT
