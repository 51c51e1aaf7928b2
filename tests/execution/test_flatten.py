"""Pull and flatten: what works goes, what is held is closed inside the collar, and what could not be is said."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m
from engine.config import Config, Hedging, Limits
from engine.domain import Side
from engine.execution.blocks import widest
from engine.execution.evolve import evolve
from engine.execution.risk import Wanted, blocked
from tests.execution.desks import desk_of, filled, picture_of
from tests.execution.scenes import FILL, Held, place
from tests.execution.still import CALL, NAME, NOW
from tests.link import World, ready, submit

BUY, SELL = Side.BUY, Side.SELL


def live(world: World) -> list[str]:
    return [child.request.child for child in world.desk.live_children]


def working(world: World, name: str) -> tuple[str, str]:
    """A buyer and a seller that rest, both on their own, and an order by hand beside each."""
    buyer = submit(world, name, dial="auto", limit=0.0325, quantity=60.0)
    seller = submit(world, name, dial="auto", side=SELL, limit=0.0335, quantity=60.0)
    place(world, name, price=0.032)
    place(world, name, side=SELL, price=0.035)
    world.until(lambda: len(world.desk.live_children) == 4 and all(c.order for c in world.desk.live_children))
    return buyer, seller


def position(world: World, name: str, side: Side, amount: float) -> None:
    world.do(m.SendOrder(instrument=name, side=side, quantity=amount, price=0.0335 if side is BUY else 0.0325,
                         post_only=False))  # fmt: skip
    assert world.desk.positions[name] == side.sign * round(amount * 10)


# ---------------------------------------------------------------- pull


def test_one_side_is_pulled_and_its_parents_do_not_place_again(desk: tuple[World, str]) -> None:
    world, name = desk
    buyer, seller = working(world, name)
    before = len(world.facts)
    world.do(m.Pull(side=BUY), user="ann")
    paused = [fact for fact in world.facts[before:] if isinstance(fact, m.ParentPaused)]
    assert [(fact.parent, fact.reason) for fact in paused] == [(buyer, "pulled by ann")]
    assert {child.request.side for child in world.desk.live_children} == {SELL}
    world.run(5)
    assert not world.desk.children_of(buyer)
    assert world.desk.children_of(seller)
    world.do(m.Resume(parent=buyer))
    world.until(lambda: world.desk.children_of(buyer))


def test_all_is_pulled_with_each_cancel_a_call_of_its_own(desk: tuple[World, str]) -> None:
    world, name = desk
    working(world, name)
    world.do(m.Pull())
    calls = [call.id for call in world.sent if call.method == "private/cancel"]
    assert len(calls) == len(set(calls)) == 4
    assert not live(world)
    assert not world.venue_orders()
    assert {parent.state for parent in world.desk.parents.values()} == {"paused"}


def test_another_instrument_is_left_alone_and_a_proposal_lapses(desk: tuple[World, str]) -> None:
    world, name = desk
    manual = submit(world, name, dial="manual")
    world.until(lambda: world.desk.proposal_of(manual))
    assert world.refused(m.Pull(instrument="BTC-PERPETUAL")) == "nothing of ours works in BTC-PERPETUAL"
    world.do(m.Pull(instrument=name))
    assert world.proposal().state == "lapsed"
    assert world.parent().reason == "pulled by trader"


def test_what_a_paused_parent_left_is_pulled_too(desk: tuple[World, str]) -> None:
    world, name = desk
    buyer, _ = working(world, name)
    world.do(m.Pause(parent=buyer, leave=True))
    assert world.desk.children_of(buyer)
    world.do(m.Pull(side=BUY))
    assert not world.desk.children_of(buyer)


def test_nothing_to_pull_is_said(desk: tuple[World, str]) -> None:
    world, _ = desk
    assert world.refused(m.Pull()) == "nothing of ours works anywhere"
    assert world.refused(m.Pull(instrument="BTC-1JAN30-5-C")) == "'BTC-1JAN30-5-C' is not listed at the venue"
    assert world.refused(m.Pull(), role="viewer") == "trader may look, not trade"


# ---------------------------------------------------------------- flatten


@pytest.mark.parametrize(("side", "amount"), [(BUY, 4.0), (SELL, 3.0)])
def test_what_is_held_is_closed_by_a_limit_order_that_only_reduces(
    desk: tuple[World, str], side: Side, amount: float
) -> None:
    world, name = desk
    position(world, name, side, amount)
    sent = len(world.sent)
    world.do(m.Flatten(), user="ann")
    world.until(lambda: not world.desk.flattening)
    assert world.positions() == world.venue_positions() == {}
    (call,) = [call for call in world.sent[sent:] if call.child]
    assert call.method == f"private/{side.other}"
    assert call.params["reduce_only"] is True
    assert (call.params["type"], call.params["time_in_force"]) == ("limit", "immediate_or_cancel")
    assert world.child().request.by == "ann"
    assert world.of(m.FlattenEnded)[-1].left == 0


def test_our_own_orders_are_gone_before_a_position_is_closed(desk: tuple[World, str]) -> None:
    world, name = desk
    position(world, name, BUY, 4.0)
    buyer, seller = working(world, name)
    world.do(m.Flatten(instrument=name))
    world.until(lambda: not world.desk.flattening)
    world.run(3)
    assert world.positions() == {}
    assert not live(world)
    assert {world.desk.parents[each].state for each in (buyer, seller)} == {"paused"}


def test_what_fills_before_it_is_gone_is_closed_too(desk: tuple[World, str]) -> None:
    world, name = desk
    place(world, name)
    world.run(1)
    world.lose = Held(*FILL)
    world.trade(SELL, name, 7.4, 0.0325)
    world.run(0.2)
    world.lose = lambda _: False
    assert (world.positions(), world.venue_positions()) == ({}, {name: 20})  # nobody has told us yet
    world.do(m.Flatten())
    world.until(lambda: not world.desk.flattening)
    assert world.positions() == world.venue_positions() == {}


def test_a_position_larger_than_an_order_may_be_is_closed_in_several() -> None:
    world, name = ready(config=Config(limits=Limits(order_contracts=2.0)))
    for _ in range(2):
        world.do(m.SendOrder(instrument=name, side=BUY, quantity=2.0, price=0.0335, post_only=False))
    assert world.desk.positions[name] == 40
    world.do(m.Flatten())
    world.until(lambda: not world.desk.flattening)
    assert world.positions() == {}
    closing = [child for child in world.desk.children.values() if child.request.reduce_only]
    assert [child.request.quantity for child in closing] == [20, 20]


def test_what_nobody_takes_inside_the_collar_is_said_to_be_left() -> None:
    limits = Limits(collar_ticks=2.0, collar_share=0.0)  # the bid stands below it
    world, name = ready(config=Config(limits=limits))
    position(world, name, BUY, 4.0)
    world.trade(SELL, name, 400.0, 0.01)  # nobody bids any more
    world.do(m.Flatten())
    world.until(lambda: not world.desk.flattening, 30)
    ended = world.of(m.FlattenEnded)[-1]
    assert (ended.left, ended.reason) == (40, "no one inside its price")
    assert len(world.of(m.OrderRequested)) > 3  # it was tried again and again
    quote = world.core.market.venue.quotes[name]
    assert quote.mark is not None
    bound = quote.mark / 0.0001 - 2 * 5
    assert all(c.request.price >= bound for c in world.desk.children.values() if c.request.reduce_only)


def test_a_kill_ends_a_flatten(desk: tuple[World, str]) -> None:
    world, name = desk
    position(world, name, BUY, 4.0)
    place(world, name, price=0.032)
    world.hold_requests = True
    world.do(m.Flatten())
    world.do(m.Kill())
    world.run(0.2)
    assert not world.desk.flattening
    world.arrive()
    world.run(3)
    assert world.desk.positions[name] == 40
    assert "killed by trader" in world.refused(m.Flatten())


def test_a_flatten_is_no_hedge_that_may_go_while_killed() -> None:
    """Not even where the venue confirms the kill before the next step."""
    world, name = ready(config=Config(hedging=Hedging(while_killed=True)))
    position(world, name, BUY, 4.0)
    world.do(m.Flatten())
    world.do(m.Kill())
    assert world.desk.killed
    assert world.desk.killed.took
    assert world.desk.flattening
    world.run(3)
    assert "killed by trader" in world.of(m.FlattenEnded)[-1].reason
    assert world.desk.positions[name] == 40


def test_a_flatten_does_not_outlive_its_engine(desk: tuple[World, str]) -> None:
    world, name = desk
    position(world, name, BUY, 4.0)
    world.hold_requests = True
    place(world, name, price=0.032)  # so that it has to wait
    world.do(m.Flatten())
    assert world.desk.flattening
    world.die()
    world.rise()
    world.run(12)
    assert world.of(m.FlattenEnded)[-1].reason == "the engine started anew"
    assert world.desk.positions[name] == 40


def test_with_nothing_held_and_nothing_working_there_is_nothing_to_do(desk: tuple[World, str]) -> None:
    world, name = desk
    assert world.refused(m.Flatten()) == "nothing is held anywhere, and nothing works"
    place(world, name, price=0.032)
    world.do(m.Flatten())
    assert not live(world)
    world.run(0.2)  # what was pulled might have been filled: it was not
    (ended,) = world.of(m.FlattenEnded)
    assert (ended.left, ended.reason, len(world.desk.children)) == (0, "", 1)


@settings(max_examples=60)
@given(
    st.sampled_from(list(Side)), st.floats(0.0003, 0.2), st.floats(0, 40), st.floats(0, 0.9),
    st.none() | st.floats(0.001, 0.05), st.none() | st.floats(0.02, 0.3),
)  # fmt: skip
def test_the_widest_price_is_one_that_collar_bounds_and_tick_let_pass(
    side: Side, mark: float, ticks: float, share: float, lowest: float | None, highest: float | None
) -> None:
    config = Config(limits=Limits(collar_ticks=ticks, collar_share=share))
    desk, picture = desk_of(config=config), picture_of(mark=mark)
    picture.ticker(mark_price=mark, min_price=lowest, max_price=highest, greeks=None)
    price = widest(desk, picture, CALL, side)
    assert price is not None
    assert CALL.on_tick(price) or price == 1
    order = Wanted(instrument=CALL, side=side, quantity=1, price=price, post_only=False)
    said = blocked(desk, picture, order)
    assert "collar" not in said
    assert "bound" not in said
    worse = msgspec.structs.replace(order, price=max(CALL.step(price, side.sign * 10), 1))
    assert (
        worse.price == 1 or "collar at" in blocked(desk, picture, worse) or "bound at" in blocked(desk, picture, worse)
    )


def test_a_flatten_is_folded_like_all_else() -> None:
    desk = desk_of(filled(1), m.FlattenAsked(by="ann", instruments=(NAME,), until=NOW))
    assert type(desk).load(desk.dump()) == desk
    evolve(desk, m.FlattenEnded(n=desk.facts + 1, t=NOW, instrument=NAME, left=10, reason="nobody there"))
    assert not desk.flattening
