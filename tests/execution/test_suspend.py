"""Where nobody can trade a parent waits with its reason, and goes on by itself, with nothing owed."""

from __future__ import annotations

import pytest

from engine import messages as m
from engine.config import Config
from engine.domain import NS, Side
from engine.execution.suspend import suspension
from tests.execution.desks import desk_of, picture_of
from tests.execution.still import NAME
from tests.link import START, World, near_the_money, ready, submit

EIGHT = START + 1800 * NS  # START is 07:30 UTC


def put(world: World, name: str, state: str) -> None:
    """The venue's operator puts a book into a state; we hear of it."""
    exchange = world.venue.exchange
    exchange.set_state(world.now, exchange.number[name], state)
    world.run(0.3)


@pytest.mark.parametrize("state", ["halted", "locked", "inactive", "settlement"])
def test_a_book_that_is_not_open_suspends_its_parent_until_it_is(desk: tuple[World, str], state: str) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto", limit=0.0325, quantity=60.0, minutes=10.0)
    world.until(lambda: world.desk.children_of(parent))
    world.run(2)
    put(world, name, state)
    world.run(2)
    held = world.desk.parents[parent]
    assert held.state == "working"
    assert held.reason.startswith(f"{name} is ")
    assert held.reason.endswith("at the venue: it goes on by itself once the book is open")
    before = len(world.facts)
    world.run(60)
    told = world.facts[before:]
    assert not [fact for fact in told if isinstance(fact, m.Proposed | m.OrderRequested)]
    assert len(world.of(m.ParentSuspended)) == 1
    put(world, name, "open")
    world.until(lambda: not world.desk.parents[parent].suspended)
    world.until(lambda: world.desk.children_of(parent))
    resumed = world.of(m.ParentResumed)[-1]
    assert (resumed.by, resumed.rebased) == ("market", resumed.t)
    assert world.desk.parents[parent].start == resumed.t  # the minute that was lost is not owed


def test_a_locked_book_takes_cancels_and_the_parent_says_whether_its_orders_stay(desk: tuple[World, str]) -> None:
    world, name = desk
    pulled = submit(world, name, dial="auto", limit=0.0325, quantity=60.0, minutes=10.0)
    left = submit(world, name, dial="auto", limit=0.032, quantity=60.0, minutes=10.0, leave=True)
    world.until(lambda: world.desk.children_of(pulled) and world.desk.children_of(left))
    world.run(0.5)
    put(world, name, "locked")
    world.until(lambda: not world.desk.children_of(pulled))
    assert len(world.desk.children_of(left)) == 1
    assert len(world.venue_orders()) == 1


def test_nothing_is_pressed_while_nobody_can_trade(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, minutes=10.0)
    put(world, name, "halted")
    assert "halted at the venue" in world.refused(m.Press(parent=parent, quantity=1.0))


def test_a_parent_paused_by_a_person_stays_paused(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto", minutes=10.0)
    put(world, name, "halted")
    world.do(m.Pause(parent=parent))
    put(world, name, "open")
    world.run(5)
    assert world.desk.parents[parent].state == "paused"
    world.do(m.Resume(parent=parent))
    assert world.desk.parents[parent].suspended == ""


def test_parents_wait_across_the_settlement() -> None:
    world = World(start=EIGHT - 40 * NS)
    world.connect()
    world.run(2)
    name = near_the_money(world)
    world.look(name)
    parent = submit(world, name, dial="auto", limit=0.0325, quantity=60.0, minutes=5.0)
    world.until(lambda: world.desk.children_of(parent))
    world.until(lambda: world.desk.parents[parent].suspended)
    assert world.now == EIGHT - 10 * NS
    assert world.desk.parents[parent].reason == "the settlement at 08:00 UTC: it goes on by itself afterwards"
    world.run(0.5)
    assert not world.venue_orders()
    world.until(lambda: not world.desk.parents[parent].suspended)
    assert world.now == EIGHT + 10 * NS
    world.until(lambda: world.desk.children_of(parent))


@pytest.mark.parametrize(
    ("at", "suspended"),
    [(-11.0, False), (-10.0, True), (-0.1, True), (0.0, True), (9.9, True), (10.0, False), (3600.0, False)],
)
def test_the_window_of_the_settlement(at: float, suspended: bool) -> None:
    picture = picture_of()
    picture.now = EIGHT + round(at * NS)
    assert bool(suspension(desk_of(), picture, NAME)) is suspended


def test_what_never_opens_again_does_not_go_on() -> None:
    picture = picture_of()
    picture.venue.states[NAME] = "archivized"
    assert suspension(desk_of(), picture, NAME) == f"{NAME} is archivized at the venue"


def test_an_engine_that_starts_anew_leaves_a_suspended_parent_to_the_trader() -> None:
    world, name = ready(config=Config())
    parent = submit(world, name, dial="auto", side=Side.SELL, limit=0.03, minutes=10.0)
    put(world, name, "halted")
    world.die()
    world.rise()
    world.until(lambda: world.desk.reconciled)
    put(world, name, "open")
    world.run(3)
    assert world.desk.parents[parent].state == "paused"
