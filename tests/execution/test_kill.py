"""An order by hand, and the hand that stops everything."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine import messages as m
from engine.config import Config, Limits
from engine.domain import Side
from tests.execution.scenes import QUICK, by_hand, order
from tests.link import World, proposed, ready, submit

# ---------------------------------------------------------------- an order by hand


def test_a_post_only_order_rests_and_can_be_pulled(desk: tuple[World, str]) -> None:
    world, name = desk
    (fact,) = world.do(by_hand(name), user="ann")
    assert isinstance(fact, m.OrderRequested)
    assert (fact.parent, fact.proposal, fact.by) == ("", "", "ann")
    (resting,) = world.venue_orders()
    assert (resting.label, resting.time_in_force, resting.post_only) == (fact.child, "good_til_cancelled", True)
    world.do(m.CancelChild(child=fact.child), user="bob")
    world.run(0.1)
    assert world.venue_orders() == []
    assert (world.child().state, world.child().reason) == ("cancelled", "cancelled by bob")


def test_an_immediate_order_takes_what_is_there(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(by_hand(name, quantity=20.0, price=0.0335, post_only=False))
    world.run(0.1)
    child = world.child()
    assert (child.state, child.filled, child.reason) == ("cancelled", 147, "the rest found no one inside its price")
    assert world.positions() == world.venue_positions() == {name: 147}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"price": 0.0335}, "a post-only buy at 0.0335 would cross"),
        ({"side": Side.SELL, "price": 0.0325}, "a post-only sell at 0.0325 would cross"),
        ({"price": 0.0337}, "the price 0.0337 is off the tick of 0.0005"),
        ({"price": math.nan}, "price nan is not a number"),
        ({"quantity": math.nan}, "amount nan is not a number"),
        ({"quantity": 0.0}, "a quantity of 0 is nothing"),
        ({"quantity": 50.1}, "50.1 contracts is over the limit of 50 an order"),
        ({"price": 0.0435, "post_only": False}, "the price 0.0435 is above the collar at 0.0428"),
        ({"instrument": "BTC-3MAR26-100000-C"}, "the book of BTC-3MAR26-100000-C is not subscribed"),
        ({"instrument": "nonsense"}, "'nonsense' is not listed at the venue"),
    ],
)
def test_an_order_by_hand_that_cannot_be_is_refused(
    desk: tuple[World, str], fields: dict[str, Any], sentence: str
) -> None:
    world, name = desk
    assert world.refused(by_hand(name, **fields)) == sentence
    assert world.desk.children == {}


def test_what_does_not_work_cannot_be_pulled(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(by_hand(name))
    world.do(m.CancelChild(child=world.child().request.child))
    world.run(0.1)
    for child in (world.child().request.child, "nobody"):
        assert world.refused(m.CancelChild(child=child)) == f"no order {child} is working"


# ---------------------------------------------------------------- kill


def test_kill_empties_the_venue_and_silences_the_desk(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto", minutes=8.0)
    world.until(lambda: world.desk.live_children)
    world.do(by_hand(name, side=Side.SELL, price=0.034))
    proposal = proposed(world, name)
    assert len(world.venue_orders()) == 2
    world.do(m.Kill(), user="ann")
    assert world.venue_orders() == []
    (confirmed,) = world.of(m.KillConfirmed)
    assert confirmed.took > 0
    assert world.desk.proposals[proposal].state == "lapsed"
    assert {p.state for p in world.desk.live_parents} == {"paused"}
    n = len(world.facts)
    world.run(10)
    assert world.since(n) == []
    sentence = "killed by ann; an admin must re-arm"
    for verb in (order(name), by_hand(name), m.Resume(parent=parent)):
        assert world.refused(verb) == sentence


def test_kill_leaves_orders_made_elsewhere_unless_the_account_is_meant(desk: tuple[World, str]) -> None:
    world, name = desk
    place = {"instrument_name": name, "amount": 1.0, "price": 0.031, "type": "limit", "label": "by hand"}
    world.ask("private/buy", place)
    world.do(by_hand(name))
    world.do(m.Kill())
    assert [found.label for found in world.venue_orders()] == ["by hand"]
    assert world.desk.killed is not None
    assert world.desk.killed.took
    world.do(m.Kill(account=True))
    assert world.venue_orders() == []
    assert len(world.of(m.KillConfirmed)) == 2


def test_a_kill_of_the_account_is_confirmed_by_an_empty_account_only(desk: tuple[World, str]) -> None:
    world, name = desk
    world.ask("private/buy", {"instrument_name": name, "amount": 1.0, "price": 0.031, "type": "limit"})
    world.bend = lambda data: b"" if b"cancel_all" in data else data
    world.do(m.Kill(account=True))
    world.run(0.4)
    assert world.of(m.KillConfirmed) == []
    world.bend = bytes
    world.run(0.3)
    assert world.venue_orders() == []
    assert len(world.of(m.KillConfirmed)) == 1


def test_kill_needs_no_disk_and_an_order_held_back_never_leaves(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(by_hand(name))
    world.durable = False
    world.do(by_hand(name, price=0.0315))
    world.do(m.Kill())
    assert world.venue_orders() == []
    assert world.refused(m.Rearm(reason="too soon")) == "the venue has not confirmed yet that nothing is open"
    world.release()
    assert len(world.venue_history()) == 1
    assert (world.child().state, world.child().reason) == ("lapsed", "not sent: killed by trader; an admin must re-arm")


def test_kill_goes_on_until_the_venue_confirms(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(by_hand(name))
    world.cut_requests = True  # the line is dead, and nobody has noticed
    world.do(m.Kill())
    world.run(1.2)
    assert len(world.of(m.KillAsked)) == 3  # again on each half second
    assert world.of(m.KillConfirmed) == []
    world.disconnect()
    world.cut_requests = False
    world.connect()
    world.run(1)
    assert world.venue_orders() == []
    assert len(world.of(m.KillConfirmed)) == 1


def test_an_order_whose_fate_is_open_holds_the_confirmation_back(desk: tuple[World, str]) -> None:
    """The order is on its way when the kill is pressed: "none open" means nothing until it is found or cannot come."""
    world, name = desk
    world.hold_requests = True
    world.do(by_hand(name))
    world.disconnect(noticed=False)
    way, world._way = world._way, []
    world.hold_requests = False
    world.connect()
    world.do(m.Kill())
    world.run(1)
    assert world.of(m.KillConfirmed) == []
    world._way = way
    world.arrive()
    world.run(2)
    assert world.venue_orders() == []
    assert len(world.of(m.KillConfirmed)) == 1


def test_a_desk_that_can_keep_nothing_takes_no_parent(desk: tuple[World, str]) -> None:
    world, name = desk
    world.take(m.Halted, reason="the journal cannot be written: disk full")
    assert world.refused(order(name)) == "the journal cannot be written: disk full"


def test_only_an_admin_rearms_and_with_a_reason(desk: tuple[World, str]) -> None:
    world, name = desk
    assert world.refused(m.Rearm(reason="nothing to lift")) == "the desk is armed"
    world.do(m.Kill())
    assert world.refused(m.Rearm(reason="please"), role="trader") == "only an admin may re-arm"
    assert world.refused(m.Rearm(reason="  ")) == "re-arming asks for a reason"
    (fact,) = world.do(m.Rearm(reason=" drill over "), user="bob")
    assert isinstance(fact, m.Rearmed)
    assert (fact.by, fact.reason) == ("bob", "drill over")
    world.do(by_hand(name))
    assert len(world.venue_orders()) == 1


def test_a_kill_survives_the_engine(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(m.Kill(), user="ann")
    world.die()
    world.rise()
    world.run(3)
    world.look(name)
    world.run(1)
    assert world.desk.reconciled
    assert world.refused(by_hand(name)) == "killed by ann; an admin must re-arm"


def test_a_kill_with_many_orders_that_never_arrived_is_confirmed() -> None:
    limits = Limits(open_orders=40, orders_per_10s=100, credits_kept=0.1, orders_free=1000)
    world, name = ready(config=Config(execution=QUICK, limits=limits))
    world.cut_requests = True
    for _ in range(20):
        world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0, price=0.032))
        world.run(0.3)
    world.disconnect()
    world.cut_requests = False
    world.connect()
    world.do(m.Kill())
    world.until(lambda: world.desk.killed and world.desk.killed.took, 20)
    assert not world.desk.live_children
    assert not world.hangups
