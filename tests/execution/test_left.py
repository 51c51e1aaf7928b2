"""What a parent that runs out of time says of its rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine import messages as m
from engine.domain import NS, Side
from engine.execution.left import why_left
from tests.execution.desks import desk_of, parent_of, picture_of
from tests.execution.still import NAME, NOW, Still
from tests.link import World, submit

PAUSED = m.ParentPaused(parent="P1", by="ann", reason="paused by ann")
HALTED = m.ParentHalted(parent="P1", row="volatility", until=NOW + 9 * NS)
RESTED = m.ParentRested(parent="P1", until=NOW + 9 * NS, reason="the venue refused: not enough funds (10009)")
SUSPENDED = m.ParentSuspended(parent="P1", reason="the settlement at 08:00 UTC")
KILLED = m.Killed(by="ann", account=False)


def nothing(_: Still) -> None: ...


def silent(picture: Still) -> None:
    picture.now += 9 * NS


def late(picture: Still) -> None:
    picture.now += 600 * NS
    picture.book([(0.0325, 5.0)], [(0.0335, 5.0)])


def bare(picture: Still) -> None:
    picture.book([(0.0325, 5.0)], [])


@pytest.mark.parametrize(
    ("facts", "market", "said"),
    [
        ([PAUSED], nothing, "paused by ann"),
        ([PAUSED], silent, "paused by ann"),
        ([HALTED], nothing, "halted by the row 'volatility'"),
        ([RESTED], nothing, "the venue refused: not enough funds (10009)"),
        ([SUSPENDED], nothing, "the settlement at 08:00 UTC"),
        ([KILLED], nothing, "killed by ann; an admin must re-arm"),
        ([], silent, "the venue has said nothing for 9.0 s"),
        ([], bare, "nobody shows an ask"),
        ([], nothing, "its schedule asked for no more"),
        ([], late, "what it worked was not filled in time"),
    ],
)
def test_why_something_is_left(facts: list[m.Fact], market: Callable[[Still], None], said: str) -> None:
    desk, picture = desk_of(parent_of(), *facts), picture_of()
    market(picture)
    assert why_left(desk, picture, desk.parents["P1"]) == said


def test_what_is_not_listed_any_more() -> None:
    desk, picture = desk_of(parent_of()), picture_of()
    del picture.venue.instruments[NAME]
    assert why_left(desk, picture, desk.parents["P1"]) == f"{NAME} is not listed any more"


@pytest.mark.parametrize(
    ("side", "limit", "said"),
    [
        (Side.BUY, 0.0325, "the ask of 0.0335 is beyond its limit 0.0325"),
        (Side.SELL, 0.0335, "the bid of 0.0325 is beyond its limit 0.0335"),
    ],
)
def test_it_is_in_the_journal_and_on_the_desk(desk: tuple[World, str], side: Side, limit: float, said: str) -> None:
    world, name = desk
    submit(world, name, side=side, limit=limit, minutes=0.1, dial="auto")
    world.run(8)
    (ended,) = world.of(m.ParentEnded)
    assert (ended.outcome, ended.reason, world.parent().reason) == ("expired", said, said)
