"""A parent's life, through its children: on its schedule, inside its limit, done in its time."""

from __future__ import annotations

import msgspec

from engine import messages as m
from engine.config import Action, Condition, Config, Execution, Limits, Row
from engine.domain import NS, Side
from tests.execution.scenes import FILL, Held, agree, told
from tests.link import World, proposed, ready, submit


def test_children_add_up_to_the_parent(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, quantity=20.0, minutes=1.0, dial="auto", urgency=10)
    world.run(65)
    parent = world.parent()
    mine = [child for child in world.desk.children.values() if child.request.parent == parent.order.id]
    assert parent.filled == sum(child.filled for child in mine) == 200
    assert parent.notional == sum(child.notional for child in mine)
    assert parent.state == "done"
    agree(world)
    n = len(world.facts)
    world.run(10)
    assert world.since(n) == []


def test_a_seller_works_as_a_buyer_does(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, side=Side.SELL, limit=0.03, quantity=10.0, minutes=1.0, dial="auto", urgency=10)
    world.run(65)
    assert (world.parent().state, world.positions()) == ("done", {name: -100})
    assert all(child.request.price >= 300 for child in world.desk.children.values())
    agree(world)


def test_nothing_beyond_the_limit_and_the_rest_expires(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, limit=0.032, minutes=0.5, dial="auto", urgency=10)
    world.run(20)
    assert {(child.price, child.state) for child in world.desk.children.values()} == {(320, "open")}
    world.run(12)
    assert (world.parent().state, world.parent().filled, world.venue_orders()) == ("expired", 0, [])
    assert world.child().reason == "its time is over"
    agree(world)


def test_time_over_waits_for_its_children(desk: tuple[World, str]) -> None:
    """Expired is said only when nothing of it works any more, however often the cancel must be sent."""
    world, name = desk
    submit(world, name, minutes=0.5, limit=0.032, dial="auto")
    world.run(29)
    assert world.child().state == "open"
    world.cut_requests = True
    world.run(4)
    assert (world.parent().state, world.child().state) == ("working", "open")
    world.cut_requests = False
    world.run(3)
    assert (world.parent().state, world.child().state) == ("expired", "cancelled")
    assert world.venue_orders() == []


def test_what_is_left_near_the_end_is_taken(desk: tuple[World, str]) -> None:
    """Nobody hits the bids that rest: passive first, then too late to wait, and all of it is done in its time."""
    world, name = desk
    submit(world, name, quantity=10.0, minutes=1.0, dial="auto")
    world.run(60)
    assert (world.parent().state, world.parent().filled) == ("done", 100)
    assert {child.reason for child in world.desk.children.values() if child.state == "cancelled"} == {
        "rested long enough; thinking again",
        "too late to wait: crossing instead",
    }


def test_even_a_crumb_is_taken_before_the_end(desk: tuple[World, str]) -> None:
    """Less than half a child never lags enough to cross for: only the end of its time takes it."""
    world, name = desk
    submit(world, name, quantity=5.0, minutes=1.0, dial="auto")
    world.until(lambda: world.desk.live_children, 40)
    world.trade(Side.SELL, name, 5.4 + 3.5, 0.0325)
    assert world.parent().filled == 35
    world.run(60)
    assert world.parent().state == "done"


def test_a_parent_in_a_hurry_never_waits(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, quantity=10.0, minutes=1.0, dial="auto", urgency=10)
    world.run(60)
    assert world.parent().state == "done"
    assert not [child for child in world.desk.children.values() if child.request.post_only]


def test_a_paused_parent_expires_too(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, minutes=0.1)
    world.do(m.Pause(parent=parent))
    world.run(7)
    assert world.parent().state == "expired"


def test_semi_automatic_asks_for_the_large_and_sends_the_small(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="semi", max_child=3.0, auto_limit=3.0)
    world.until(lambda: world.desk.live_children)
    assert (world.child().request.quantity, world.child().request.by) == (30, "semi")
    submit(world, name, side=Side.SELL, limit=0.03, dial="semi", max_child=5.0, auto_limit=3.0)
    world.run(15)
    asked = world.desk.proposal_of(world.parent().order.id)
    assert asked is not None
    assert asked.quantity > 30
    assert not [child for child in world.desk.children.values() if child.request.side is Side.SELL]


def test_automatic_sends_all_and_manual_none(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="manual")
    world.run(40)
    assert world.desk.children == {}
    submit(world, name, dial="auto")
    world.run(40)
    assert {child.request.parent for child in world.desk.children.values()} == {world.parent().order.id}


def test_an_unanswered_proposal_lapses_and_the_schedule_begins_anew(desk: tuple[World, str]) -> None:
    world, name = desk
    first = proposed(world, name)
    world.until(lambda: world.desk.proposals[first].state == "lapsed", 30)
    (lapsed,) = world.of(m.Lapsed)
    assert (lapsed.reason, lapsed.rebased) == ("nobody answered in time", world.now)
    assert (world.parent().start, world.parent().done_at_start) == (world.now, 0)
    world.run(2)
    assert world.desk.proposal_of(world.parent().order.id) is None


def test_a_passive_child_is_thought_over_when_the_market_leaves_it(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto")
    world.until(lambda: world.desk.live_children)
    first = world.child()
    world.run(2)
    world.trade(Side.BUY, name, 3.0, 0.033, rest=True)
    world.run(1)
    assert (first.state, first.reason) == ("cancelled", "the market moved away")
    assert (world.child().price, world.child().state) == (330, "open")


def test_a_passive_child_is_thought_over_when_it_rested_long_enough() -> None:
    world, name = ready(config=Config(execution=Execution(passive_ttl_s=5.0)))
    submit(world, name, dial="auto", minutes=10.0)
    world.until(lambda: world.desk.live_children, 90)
    first = world.child()
    world.run(4)
    assert first.state == "open"
    world.run(2)
    assert (first.state, first.reason) == ("cancelled", "rested long enough; thinking again")


def test_a_crossing_row_takes_the_place_of_what_rests() -> None:
    cross = Row(name="tight", kind="opportunistic", when=(Condition("spread_ticks", "<", 1.5),),
                action=Action(times_base=2.0, style="cross"))  # fmt: skip
    world, name = ready(config=Config(policy=(cross,)))
    submit(world, name, dial="auto", algorithm="adaptive", minutes=10.0)
    world.until(lambda: world.desk.live_children, 90)
    first = world.child()
    world.run(2)
    world.trade(Side.SELL, name, 20.0, 0.033, rest=True)
    world.run(1.5)
    assert (first.state, first.reason) == ("cancelled", "the row 'tight' crosses instead")
    taken = [c for c in world.desk.children.values() if not c.request.post_only]
    assert [(c.request.quantity, c.request.price, c.state) for c in taken] == [
        (100, 330, "filled"),
        (100, 330, "filled"),
    ]
    assert world.parent().state == "done"
    agree(world)


def test_a_halting_row_pulls_everything_and_waits() -> None:
    halt = Row(name="wide", kind="protective", when=(Condition("spread_ticks", ">", 2.5),), action=Action(halt_s=30.0))
    world, name = ready(config=Config(policy=(halt,)))
    submit(world, name, dial="auto", algorithm="adaptive")
    world.until(lambda: world.desk.live_children)
    world.trade(Side.SELL, name, 5.4, 0.0325)  # the bid is gone, part of the child with it
    world.run(0.2)
    parent, child = world.parent(), world.child()
    (halted,) = world.of(m.ParentHalted)
    assert (halted.row, halted.until) == ("wide", halted.t + 30 * NS)
    assert (child.state, child.reason) in [("cancelled", "halted by the row 'wide'"), ("filled", "")]
    world.trade(Side.BUY, name, 1.0, 0.033, rest=True)
    n = len(world.facts)
    world.run(29)
    assert world.since(n) == []
    assert (parent.start, parent.done_at_start, parent.halts) == (halted.until, parent.filled, 1)
    world.run(40)
    assert "Proposed" in told(world, n)
    agree(world)


def test_dear_size_caps_the_children() -> None:
    dear = Row(name="slippage", kind="protective", when=(Condition("slippage_10_ticks", ">=", 0.0),),
               action=Action(max_child=2.0))  # fmt: skip
    world, name = ready(config=Config(policy=(dear,)))
    submit(world, name, dial="auto", algorithm="adaptive", urgency=10)
    world.run(60)
    assert world.desk.children
    assert all(child.request.quantity <= 20 for child in world.desk.children.values())


def test_a_parent_that_fell_behind_is_not_stopped_by_the_limit_of_an_order() -> None:
    """What is due may be more than one order may have: then it is several orders."""
    world, name = ready(config=Config(limits=Limits(order_contracts=2.5)))
    submit(world, name, dial="auto", quantity=10.0, minutes=1.0, max_child=40.0, urgency=10)
    world.run(62)
    assert world.parent().state == "done"
    assert max(child.request.quantity for child in world.desk.children.values()) == 25


def test_a_parent_done_by_fills_leaves_nothing_behind(desk: tuple[World, str]) -> None:
    """A fill that was thought impossible completes the parent while another child works: that one is pulled."""
    world, name = desk
    submit(world, name, quantity=10.0, minutes=1.0, dial="auto", max_child=5.0)
    world.until(lambda: world.desk.live_children)
    first = world.child()
    held = world.lose = Held(*FILL)
    world.trade(Side.SELL, name, 10.4, 0.0325)
    forged = msgspec.json.decode(held.frames[0])
    forged["params"]["data"] |= {"trades": [], "positions": []}
    forged["params"]["data"]["orders"][0] |= {"order_state": "cancelled", "filled_amount": 0.0}
    world.say(msgspec.json.encode(forged))
    world.lose = lambda _: False
    assert first.state == "cancelled"
    world.until(lambda: world.parent().filled + world.desk.working(world.parent().order.id) >= 90, 60)
    world.say(held.frames[0])
    world.run(40)
    assert world.parent().state == "done"
    assert world.venue_orders() == []
    assert world.positions() == world.venue_positions()


def test_two_parents_of_opposite_sides_never_meet(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, quantity=20.0, minutes=1.0, dial="auto")
    submit(world, name, side=Side.SELL, limit=0.03, quantity=20.0, minutes=1.0, dial="auto")
    world.run(65)
    assert world.desk.fills
    assert not [child for child in world.desk.children.values() if child.state == "rejected"]
    agree(world)
