"""What a person may ask: done as asked, or refused in one sentence that leaves no other trace."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Config, Limits
from engine.domain import NS, Side
from tests.execution.scenes import by_hand, kinds, order
from tests.link import START, World, proposed, ready, submit

# ---------------------------------------------------------------- a parent


def test_a_parent_is_taken_in_lots_and_units(desk: tuple[World, str]) -> None:
    world, name = desk
    (fact,) = world.do(order(name, minutes=10.0, min_child=0.5, max_child=8.0, dial="semi", urgency=7), user="ann")
    assert isinstance(fact, m.ParentAccepted)
    assert fact.kappa > 0.0
    assert 0 <= fact.seed < 2**63
    assert msgspec.structs.replace(fact, cause=0, arrival=None, kappa=0.0, seed=0, mark=None) == m.ParentAccepted(
        n=fact.n, t=world.now, id=f"P{fact.n}", user="ann", instrument=name, side=Side.BUY, quantity=200, limit=400,
        start=world.now, end=world.now + 600 * NS, algorithm="adaptive", urgency=7, min_child=5, max_child=80,
        dial="semi", auto_limit=30, arrival=None, rate=0.1,
    )  # fmt: skip
    assert fact.arrival == pytest.approx(325 + 10 * 54 / (54 + 147), abs=0.5)
    assert fact.mark
    assert (fact.mark.micro, fact.mark.taken) == (fact.arrival, 200)


def test_the_largest_child_is_twice_the_base_unless_said(desk: tuple[World, str]) -> None:
    world, name = desk
    for asked, lots in ((0.0, 100), (3.0, 30), (0.04, 1)):
        submit(world, name, max_child=asked)
        assert world.parent().order.max_child == lots


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"instrument": "BTC-1JAN30-5-C"}, "'BTC-1JAN30-5-C' is not listed at the venue"),
        ({"instrument": ""}, "'' is not listed at the venue"),
        ({"quantity": 0.0}, "a quantity of 0 is nothing"),
        ({"quantity": -3.0}, "a quantity of -3 is nothing"),
        ({"quantity": 1e-9}, "a quantity of 1e-09 is nothing"),
        ({"quantity": 0.25}, "amount 0.25 is not a multiple of 0.1"),
        ({"quantity": math.nan}, "amount nan is not a number"),
        ({"quantity": math.inf}, "amount inf is not a number"),
        ({"quantity": 1e300}, "amount 1e+300 is beyond what can be counted"),
        ({"quantity": 1000.1}, "1,000.1 contracts is over the limit of 1,000 a parent"),
        ({"limit": 0.0}, "it asks for a limit: a price, or an implied volatility"),
        ({"limit": -0.03}, "a price of -0.03 is nothing"),
        ({"limit": 1e-9}, "price 1e-09 is not a multiple of 0.0001"),
        ({"limit": 1e-11}, "a price of 1e-11 is nothing"),
        ({"limit": 0.0337}, "the price 0.0337 is off the tick of 0.0005"),
        ({"limit": 0.00333}, "price 0.00333 is not a multiple of 0.0001"),
        ({"limit": math.nan}, "price nan is not a number"),
        ({"limit": math.inf}, "price inf is not a number"),
        ({"minutes": 0.0}, "0 minutes is not between 0 and 1440"),
        ({"minutes": -1.0}, "-1 minutes is not between 0 and 1440"),
        ({"minutes": 1440.1}, "1440.1 minutes is not between 0 and 1440"),
        ({"minutes": math.nan}, "nan minutes is not between 0 and 1440"),
        ({"minutes": math.inf}, "inf minutes is not between 0 and 1440"),
        ({"urgency": -1}, "urgency goes from 0 to 10"),
        ({"urgency": 11}, "urgency goes from 0 to 10"),
        ({"min_child": math.nan}, "the smallest child cannot be nan"),
        ({"min_child": -1.0}, "the smallest child cannot be -1"),
        ({"max_child": math.nan}, "the largest child cannot be nan"),
        ({"max_child": math.inf}, "the largest child cannot be inf"),
        ({"max_child": -5.0}, "the largest child cannot be -5"),
        ({"auto_limit": math.inf}, "the automatic limit cannot be inf"),
        ({"auto_limit": -1.0}, "the automatic limit cannot be -1"),
    ],
)
def test_a_parent_that_cannot_be_is_refused(desk: tuple[World, str], fields: dict[str, Any], sentence: str) -> None:
    world, name = desk
    before = world.core.desk.dump()
    assert world.refused(order(name, **fields)) == sentence
    assert {**world.core.desk.dump(), "facts": 0} == {**before, "facts": 0}


def test_a_parent_may_not_outlive_its_instrument() -> None:
    world = World(start=START + 12 * 3600 * NS)  # the nearest expires in twelve hours and a half
    world.connect()
    world.run(1)
    near = next(i for i in world.core.market.venue.instruments.values() if i.name.startswith("BTC-3MAR26-"))
    minutes = (near.expiry - world.now) / 60 / NS
    assert world.refused(order(near.name, minutes=minutes + 0.01)) == (
        f"{near.name} expires before the order would end"
    )
    submit(world, near.name, minutes=minutes - 0.01)


def test_a_parent_of_a_future_is_limited_in_dollars(desk: tuple[World, str]) -> None:
    world, _ = desk
    future = order("BTC-PERPETUAL", limit=100_500.0, quantity=1_000_010.0)
    assert world.refused(future) == "1,000,010 USD is over the limit of 1,000,000 a parent"
    assert world.refused(msgspec.structs.replace(future, quantity=15.0)) == "amount 15 is not a multiple of 10"
    submit(world, "BTC-PERPETUAL", quantity=10_000.0, limit=100_500.0, dial="auto")
    world.run(60)
    assert world.parent().filled > 0
    assert world.venue_positions() == world.positions() == {"BTC-PERPETUAL": world.parent().filled}


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(
    "verb",
    [
        m.Kill(), m.Pause(parent="P8"), m.Approve(proposal="R9", revision=1), m.Rearm(reason="x"),
        m.CancelChild(child="x"), by_hand("BTC-13MAR26-100000-C"), order("BTC-13MAR26-100000-C"),
    ],
)  # fmt: skip
def test_a_viewer_may_only_look(desk: tuple[World, str], verb: m.Verb) -> None:
    world, _ = desk
    assert world.refused(verb, user="eve", role="viewer") == "eve may look, not trade"


def test_in_a_replay_nothing_can_be_done() -> None:
    world, name = ready(config=Config(mode="replay"))
    for verb in (order(name), by_hand(name), m.Kill()):
        assert world.refused(verb) == "this is a replay: nothing can be done in it"


# ---------------------------------------------------------------- pause, resume, cancel, dial


def test_pause_is_silence_and_resume_spreads_the_rest_anew(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    facts = world.do(m.Pause(parent=world.parent().order.id))
    assert kinds(facts) == ["Lapsed", "ParentPaused"]
    assert world.desk.proposals[proposal].reason == "paused"
    n = len(world.facts)
    world.run(20)
    assert world.since(n) == []
    assert world.refused(m.Pause(parent=world.parent().order.id)) == "it is paused already"
    world.do(m.Resume(parent=world.parent().order.id))
    world.run(1)
    assert world.desk.proposal_of(world.parent().order.id) is None  # nothing of the pause is owed
    assert (world.parent().start, world.parent().state) == (world.now - NS, "working")


def test_pausing_pulls_what_works(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto")
    world.until(lambda: world.desk.live_children)
    world.run(0.5)
    assert kinds(world.do(m.Pause(parent=world.parent().order.id))) == ["CancelRequested", "ParentPaused"]
    world.run(0.2)
    assert world.child().state == "cancelled"
    assert world.child().reason == "paused"
    assert world.venue_orders() == []


def test_cancelling_a_parent_ends_it_and_pulls_what_works(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto")
    world.until(lambda: world.desk.live_children)
    world.run(0.5)
    facts = world.do(m.CancelParent(parent=world.parent().order.id))
    assert kinds(facts) == ["CancelRequested", "ParentEnded"]
    world.run(5)
    assert (world.parent().state, world.child().state, world.venue_orders()) == ("cancelled", "cancelled", [])
    assert world.desk.live_parents == []


@pytest.mark.parametrize("state", ["unknown", "cancelled", "expired"])
def test_a_parent_that_does_not_run_takes_no_orders(desk: tuple[World, str], state: str) -> None:
    world, name = desk
    parent = "P99" if state == "unknown" else submit(world, name, minutes=0.01)
    if state == "cancelled":
        world.do(m.CancelParent(parent=parent))
    if state == "expired":
        world.run(1)
        assert world.parent().state == "expired"
    verbs = (m.Pause(parent=parent), m.Resume(parent=parent), m.CancelParent(parent=parent),
             m.SetDial(parent=parent, dial="auto"))  # fmt: skip
    for verb in verbs:
        assert world.refused(verb) == f"no parent {parent} is running"


def test_the_dial_can_be_turned_while_a_proposal_waits(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    world.do(m.SetDial(parent=world.parent().order.id, dial="auto"))
    world.run(0.5)
    assert world.desk.proposals[proposal].state == "approved"
    assert (world.child().request.by, world.child().state) == ("auto", "open")


# ---------------------------------------------------------------- limits of the settings


def test_limits_are_the_settings() -> None:
    world, name = ready(config=Config(limits=Limits(order_contracts=1.0, parent_contracts=3.0)))
    assert world.refused(by_hand(name)) == "2 contracts is over the limit of 1 an order"
    assert world.refused(order(name, quantity=4.0)) == "4 contracts is over the limit of 3 a parent"
    assert world.refused(by_hand(name, quantity=2.0, post_only=False, price=0.0335)).endswith("an order")


def test_before_the_venue_is_there_everything_waits() -> None:
    world = World()
    assert world.refused(order("BTC-PERPETUAL")) == "'BTC-PERPETUAL' is not listed at the venue"
    world.do(m.Kill())
    assert world.desk.killed is not None


@pytest.mark.parametrize("model", ["../../x", "x" * 101, "lstm-1\n", "--data", "модель", "a b", "\x00"])
def test_what_cannot_be_a_models_name_is_not_looked_for(desk: tuple[World, str], model: str) -> None:
    world, _ = desk
    (fact,) = world.do(m.PromoteModel(model=model))
    assert isinstance(fact, m.Refused)
    assert fact.reason.startswith("that cannot be a model's name")
    assert [type(fact) for fact in world.do(m.PromoteModel(model="lstm-0123456789ab"))] == [m.ModelAsked]
