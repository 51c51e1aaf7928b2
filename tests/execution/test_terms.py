"""A parent's terms at work: edited while running, pressed, capped, begun later, halted more than once."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine.config import Action, Condition, Config, Row
from engine.domain import NS, Side
from tests.execution.scenes import agree, order
from tests.link import World, proposed, ready, submit


def test_an_edit_is_a_new_version_that_spreads_the_rest_anew(desk: tuple[World, str]) -> None:
    world, name = desk
    first = proposed(world, name, minutes=10.0)
    before = world.parent().order
    world.run(5)
    facts = world.do(
        m.EditParent(parent=before.id, quantity=30.0, limit=0.035, minutes=2.0, algorithm="vwap", urgency=8,
                     participation=0.5, would=0.03, max_child=3.0, policy=()), user="ann",
    )  # fmt: skip
    assert [type(fact) for fact in facts[:2]] == [m.Lapsed, m.ParentEdited]
    assert world.desk.proposals[first].reason == "the parent was edited"
    parent = world.parent()
    assert (parent.version, parent.start, parent.done_at_start) == (2, world.now, 0)
    now = parent.order
    assert (now.quantity, now.limit, now.end, now.algorithm) == (300, 350, world.now + 120 * NS, "vwap")
    assert (now.urgency, now.participation, now.would, now.max_child, now.policy) == (8, 0.5, 300, 30, ())
    assert (now.id, now.side, now.start, now.seed, now.dial) == (
        before.id, before.side, before.start, before.seed, before.dial,
    )  # fmt: skip


@pytest.mark.parametrize(("pull", "limit", "left"), [(False, None, True), (True, None, False),
                                                        (False, 0.032, False)])  # fmt: skip
def test_an_edit_leaves_or_pulls_what_works_but_nothing_beyond_the_limit(
    desk: tuple[World, str], pull: bool, limit: float | None, left: bool
) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto", minutes=10.0)
    world.until(lambda: world.desk.live_children)
    child = world.child()
    world.do(m.EditParent(parent=parent, urgency=6, limit=limit, pull=pull))
    assert bool(child.cancelling) is not left
    world.run(1)
    assert (child.state == "open") is left
    agree(world)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "nothing was changed"),
        ({"quantity": 2.0}, "so much is done or working already"),
        ({"minutes": 0.0}, "0 minutes is not between 0 and 1440"),
        ({"rate": 1.5}, "the rate is a share, from 0 to 1"),
        ({"would": 0.05}, "the I-would price is beyond the limit"),
        ({"urgency": 11}, "urgency goes from 0 to 10"),
        ({"policy": (Row(name="odd", kind="protective", when=(Condition("fill", ">", 1.0, "vol_points"),),
                         action=Action()),)}, "the row 'odd' holds fill against vol_points: it is not in ticks"),
    ],
)  # fmt: skip
def test_an_edit_that_cannot_be_is_refused(desk: tuple[World, str], fields: dict[str, object], sentence: str) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto", minutes=10.0)
    world.until(lambda: world.desk.live_children)
    assert world.refused(msgspec.convert({"do": "edit_parent", "parent": parent} | fields, m.EditParent)) == sentence
    assert world.parent().version == 1


def test_a_parent_may_follow_a_table_of_its_own(desk: tuple[World, str]) -> None:
    world, name = desk
    dear = Row(name="dear", kind="protective", when=(Condition("slippage_10_ticks", ">=", 0.0),),
               action=Action(max_child=1.0))  # fmt: skip
    submit(world, name, dial="auto", algorithm="adaptive", urgency=10, policy=(dear,))
    world.until(lambda: world.desk.children)
    assert world.child().request.quantity == 10


def test_press_takes_more_now_and_the_schedule_waits(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, minutes=10.0)
    (fact,) = world.do(m.Press(parent=parent, quantity=6.0), user="ann")
    assert isinstance(fact, m.OrderRequested)
    assert (fact.parent, fact.by, fact.quantity, fact.post_only) == (parent, "ann", 60, False)
    world.run(1)
    assert world.parent().filled == 60
    world.run(60)
    assert not world.of(m.Proposed)  # two of twenty are due, six are done
    assert world.refused(m.Press(parent=parent, quantity=15.0)) == "it is more than the parent has left"
    world.do(m.Pause(parent=parent))
    assert world.refused(m.Press(parent=parent, quantity=1.0)) == "the parent is paused"
    agree(world)


def test_press_stays_inside_the_limit(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, limit=0.033)
    assert world.refused(m.Press(parent=parent, quantity=5.0)) == "nothing is to be had inside the parent's limit"


def test_press_is_over_when_the_parents_time_is(desk: tuple[World, str]) -> None:
    world, name = desk
    world.run(0.05)
    parent = submit(world, name, minutes=0.05)
    world.run(3.01)  # its end lies between two steps
    assert world.now > world.parent().order.end
    assert world.parent().state == "working"
    assert world.refused(m.Press(parent=parent, quantity=1.0)) == "its time is over"


def test_a_parent_begins_when_it_was_told_to(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto", start_minutes=0.5, minutes=1.0, urgency=10)
    start = world.now + 30 * NS
    assert (world.parent().order.start, world.parent().order.end) == (start, start + 60 * NS)
    world.run(29)
    assert not world.desk.children
    world.until(lambda: world.desk.children, 10)
    assert world.now >= start
    world.run(60)
    assert world.parent().state == "done"


def test_participation_waits_for_others_and_does_not_follow_itself(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto", algorithm="pov", rate=0.5, minutes=2.0, urgency=10, min_child=0.5)
    world.run(10)
    assert not world.desk.children
    world.trade(Side.SELL, name, 4.0, 0.0325)  # half of it, 2 contracts, is due: not yet half a child
    world.run(1)
    assert not world.desk.children
    world.trade(Side.SELL, name, 1.0, 0.0325)
    world.run(2)
    assert [child.request.quantity for child in world.desk.children.values()] == [50]
    world.run(30)
    assert (world.parent().filled, len(world.desk.children)) == (50, 1)
    world.run(90)
    assert world.parent().state == "expired"
    agree(world)


def test_the_cap_of_participation_holds_any_schedule_back(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto", quantity=10.0, minutes=1.0, urgency=10, participation=0.5)
    world.run(30)
    assert not world.desk.children
    world.trade(Side.SELL, name, 3.0, 0.0325)
    world.run(5)
    assert world.parent().filled == 15
    world.run(30)
    assert (world.parent().state, world.parent().filled) == ("expired", 15)


def test_at_its_i_would_price_all_of_it_is_taken(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto", quantity=20.0, minutes=10.0, would=0.033)
    world.run(5)
    assert world.parent().filled == 0
    world.trade(Side.SELL, name, 12.0, 0.033, rest=True)
    world.run(1)
    assert world.parent().filled == 120
    (took,) = [child for child in world.desk.children.values() if not child.request.post_only]
    assert (took.request.price, took.state) == (330, "filled")
    agree(world)


def test_after_several_halts_the_trader_is_asked() -> None:
    halt = Row(name="wide", kind="protective", when=(Condition("spread_ticks", ">", 1.0),), action=Action(halt_s=5.0))
    world, name = ready(config=Config(policy=(halt,)))
    parent = submit(world, name, dial="auto", algorithm="adaptive", minutes=10.0)
    world.run(20)
    assert len(world.of(m.ParentHalted)) == 3
    assert (world.parent().state, world.parent().reason) == (
        "paused", "halted 3 times, last by the row 'wide': resume it when you like",
    )  # fmt: skip
    world.do(m.Resume(parent=parent))
    assert world.parent().halts == 0


def test_a_halt_leaves_what_works_where_the_parent_says_so() -> None:
    halt = Row(name="wide", kind="protective", when=(Condition("spread_ticks", ">", 2.5),), action=Action(halt_s=30.0))
    world, name = ready(config=Config(policy=(halt,)))
    submit(world, name, dial="auto", algorithm="adaptive", leave=True, minutes=10.0)
    world.until(lambda: world.desk.live_children)
    child = world.child()
    world.trade(Side.SELL, name, 5.4, 0.0325)
    world.run(2)
    assert world.of(m.ParentHalted)
    assert child.state == "open"
    assert not child.cancelling
    for more in ({"quantity": 6.0}, {"price": 0.033}):
        reason = world.refused(m.EditChild(child=child.request.child, **more))
        assert reason == "its parent is halted by the row 'wide': it can only become less"
    world.do(m.EditChild(child=child.request.child, quantity=1.0))
    world.run(0.1)
    assert child.quantity == 10


def test_children_stray_by_the_seed_and_only_within_their_share(desk: tuple[World, str]) -> None:
    world, name = desk
    fields = {"dial": "auto", "quantity": 40.0, "minutes": 2.0, "urgency": 10, "random_size": 0.4, "random_time": 1.0}
    submit(world, name, **fields)
    world.run(125)
    parent = world.parent()
    assert parent.state == "done"
    sizes = [child.request.quantity for child in world.desk.children.values()]
    assert len(set(sizes[:-2])) > 2
    assert all(30 <= size <= 100 for size in sizes[:-2])
    agree(world)


def test_a_view_is_recorded_with_what_it_made_of_the_forecast(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, minutes=10.0)
    (fact,) = world.do(m.SetView(parent=parent, up=0.7, down=0.1, seconds=30.0), user="ann")
    assert isinstance(fact, m.ViewSet)
    assert fact.view == m.TraderView(up=0.7, down=0.1, weight=0.5, until=world.now + 30 * NS)
    assert world.parent().view == fact.view
    world.do(m.SetView(parent=parent, seconds=0.0))
    assert world.parent().view is None
    assert world.refused(m.SetView(parent=parent, up=0.7, down=0.4)) == "odds are shares, and together not above 1"
    assert world.refused(m.SetView(parent=parent, up=0.1, weight=2.0)) == "a weight goes from 0 to 1"


def test_the_new_terms_are_checked_when_it_is_sent(desk: tuple[World, str]) -> None:
    world, name = desk
    assert world.refused(order(name, random_size=1.5)) == "the randomisation of size is a share, from 0 to 1"
    assert world.refused(order(name, start_minutes=-1.0)) == "-1 minutes is not between 0 and 1440"
    assert world.refused(order(name, would=0.041)) == "the I-would price is beyond the limit"
