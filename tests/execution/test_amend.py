"""A resting order gets another price or size by one message; whatever it meets on its way, the venue's word wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Bounds, Config, Limits, Named
from engine.domain import Side
from engine.execution import exposure
from engine.execution.calls import effects_of
from engine.execution.evolve import evolve
from tests.execution.desks import desk_of, picture_of, request
from tests.execution.scenes import (
    QUICK,
    accounted,
    agree,
    back_by_connecting,
    back_by_rising,
    by_hand,
    recovered,
    send,
)
from tests.execution.still import NOW
from tests.link import World, ready, submit


def resting(world: World, name: str, **fields: Any) -> str:
    """An order by hand that rests at 0.0325, where others stand already; its id."""
    child = send(world, name, **({"quantity": 5.0, "price": 0.0325} | fields))
    world.run(1.2)
    assert world.desk.children[child].state == "open"
    return child


def edits(world: World) -> list[m.Call]:
    return [call for call in world.sent if call.method == "private/edit"]


def queue(world: World, name: str, price: float) -> list[str]:
    """Labels at one price of the bids, as the venue has them in line."""
    exchange = world.venue.exchange
    n = exchange.number[name]
    level = exchange.books[n].bids.levels[exchange.instruments[n].units(price)]
    return [order.label for order in level.orders.values()]


# ---------------------------------------------------------------- asked and answered


def test_one_message_moves_it_and_post_only_is_said_again(desk: tuple[World, str]) -> None:
    world, name = desk
    child = resting(world, name)
    facts = world.do(m.EditChild(child=child, price=0.033))
    world.run(0.1)
    assert [type(fact) for fact in facts] == [m.AmendRequested]
    (call,) = edits(world)
    assert call.params["post_only"] is True
    assert (call.params["amount"], call.params["price"]) == (5.0, 0.033)
    assert not world.of(m.CancelRequested)
    (order,) = world.venue_orders()
    assert (order.price, order.amount) == (0.033, 5.0)
    assert world.desk.children[child].state == "open"
    assert world.desk.children[child].price == 330
    agree(world)


@pytest.mark.parametrize(
    ("change", "kept"),
    [({"quantity": 3.0}, True), ({"quantity": 6.0}, False), ({"price": 0.033}, False)],
)
def test_only_a_smaller_size_keeps_the_place(desk: tuple[World, str], change: dict[str, float], kept: bool) -> None:
    world, name = desk
    first = resting(world, name)
    since = world.desk.children[first].placed
    resting(world, name)
    world.do(m.EditChild(child=first, **change))
    world.run(0.2)
    own = [label for label in queue(world, name, change.get("price", 0.0325)) if label]
    assert own.index(first) == (0 if kept or "price" in change else 1)
    assert (world.desk.children[first].placed == since) is kept
    agree(world)


def test_a_price_that_would_cross_is_refused_here_and_moved_by_the_venue(desk: tuple[World, str]) -> None:
    world, name = desk
    child = resting(world, name)
    assert "would cross" in world.refused(m.EditChild(child=child, price=0.0335))
    world.hold_requests = True
    world.do(m.EditChild(child=child, price=0.033))
    world.trade(Side.SELL, name, 1.0, 0.033, rest=True)  # meanwhile the ask comes down to it
    world.arrive()
    world.run(0.2)
    assert world.desk.children[child].price == 325  # the venue's tick before the ask: where it stood
    assert world.desk.children[child].state == "open"
    agree(world)


def test_what_makes_no_sense_is_refused(desk: tuple[World, str]) -> None:
    world, name = desk
    child = resting(world, name)
    world.trade(Side.SELL, name, 7.4, 0.0325)  # 5.4 of others, and 2 of ours
    world.run(0.2)
    said = {
        "nothing about it would change": m.EditChild(child=child),
        "filled already": m.EditChild(child=child, quantity=2.0),
        "off the tick": m.EditChild(child=child, price=0.0326),
        "is nothing": m.EditChild(child=child, quantity=0.0),
        "no order": m.EditChild(child="nobody", price=0.033),
        "over the limit": m.EditChild(child=child, quantity=60.0),
    }
    for text, verb in said.items():
        assert text in world.refused(verb)
    assert "may look" in world.refused(m.EditChild(child=child, price=0.033), role="viewer")
    world.lose = lambda data: b"private/edit" in data or b'"amend-' in data or b"user.changes" in data
    world.do(m.EditChild(child=child, price=0.033))
    assert "already" in world.refused(m.EditChild(child=child, price=0.032))


# ---------------------------------------------------------------- what it counts for


def test_until_it_is_answered_the_larger_size_and_the_worse_price_count() -> None:
    world, name = ready(config=Config(execution=QUICK, limits=Limits(position_delta=1e9)))
    child = resting(world, name)
    world.hold_requests = True
    for quantity, price, counted, bound in ((8.0, 0.032, 80, 325), (4.0, 0.033, 80, 330)):
        before = exposure.reach(0, world.instrument(name), Side.BUY, 0, world.desk.live_children)
        world.do(m.EditChild(child=child, quantity=quantity, price=price))
        state = world.desk.children[child]
        assert (state.remaining, state.bound) == (counted, bound)
        after = exposure.reach(0, world.instrument(name), Side.BUY, 0, world.desk.live_children)
        assert after == max(before, quantity)
        world.arrive()
        world.run(0.2)
        assert (state.remaining, state.bound) == (round(quantity * 10), round(price * 10_000))
        world.hold_requests = True


def test_own_orders_never_meet_by_an_amend(desk: tuple[World, str]) -> None:
    world, name = desk
    world.hold_requests = False
    bid = resting(world, name, price=0.032)
    ask = resting(world, name, side=Side.SELL, price=0.034)
    world.hold_requests = True
    world.do(m.EditChild(child=bid, price=0.033))
    assert "our own buy" in world.refused(m.EditChild(child=ask, price=0.033))
    world.do(m.CancelChild(child=bid))
    assert "our own buy" in world.refused(m.EditChild(child=ask, price=0.033))  # until the venue has said so


def test_limits_hold_for_it_and_less_is_always_allowed() -> None:
    limits = Limits(orders_per_10s=4, parent=Bounds(order_contracts=6.0), position_delta=4.0)
    world, name = ready(config=Config(execution=QUICK, limits=limits))
    child = resting(world, name)
    assert "delta" in world.refused(m.EditChild(child=child, quantity=40.0))
    tight = msgspec.structs.replace(world.desk.config, limits=msgspec.structs.replace(limits, position_delta=0.1))
    world.desk.config = tight
    assert "delta" in world.refused(m.EditChild(child=child, price=0.033))
    for quantity in (4.0, 3.0, 2.0):
        assert isinstance(world.do(m.EditChild(child=child, quantity=quantity))[0], m.AmendRequested)
        world.run(0.1)
    assert "in the last 10 s" in world.refused(m.EditChild(child=child, quantity=1.0))
    (order,) = world.venue_orders()
    assert order.amount == 2.0


def test_a_parents_child_stays_inside_the_parent(quick: tuple[World, str]) -> None:
    world, name = quick
    submit(world, name, quantity=6.0, limit=0.033, dial="auto", minutes=5.0, max_child=6.0)
    world.until(lambda: any(child.state == "open" for child in world.desk.live_children))
    child = world.desk.live_children[0]
    assert "limit" in world.refused(m.EditChild(child=child.request.child, price=0.0335))
    assert "has left" in world.refused(m.EditChild(child=child.request.child, quantity=9.0))
    world.do(m.Pause(parent=child.request.parent, leave=True))
    assert "paused" in world.refused(m.EditChild(child=child.request.child, quantity=7.0))
    world.do(m.EditChild(child=child.request.child, price=0.032))
    world.run(0.2)
    assert child.price == 320
    agree(world)


# ---------------------------------------------------------------- what it may meet on its way


def test_what_only_reduces_a_position_does_so_still() -> None:
    facts = request(1, reduce_only=True), m.OrderOpened(child="s-1", order="v1", price=325)
    desk, picture = desk_of(*facts), picture_of()
    amend = m.AmendRequested(
        n=desk.facts + 1, child="s-1", call="amend-1", by="ann", reason="", quantity=5, price=325,
        valid_until=NOW, mid=None,
    )  # fmt: skip
    (call,) = effects_of(amend, evolve(desk, amend), picture.venue)
    assert call.params["reduce_only"] is True


def test_a_partial_fill_comes_first(quick: tuple[World, str]) -> None:
    world, name = quick
    child = resting(world, name)
    world.hold_requests = True
    world.do(m.EditChild(child=child, quantity=4.0))
    world.trade(Side.SELL, name, 7.4, 0.0325)
    state = world.desk.children[child]
    assert (state.filled, state.state) == (20, "amending")
    world.arrive()
    world.run(0.2)
    assert (state.filled, state.quantity, state.remaining) == (20, 40, 20)
    agree(world)


def test_it_is_filled_beyond_the_smaller_size_before(quick: tuple[World, str]) -> None:
    """The venue says that so much is filled already: the order stands as it stood."""
    world, name = quick
    child = resting(world, name)
    world.hold_requests = True
    world.do(m.EditChild(child=child, quantity=2.0))
    world.trade(Side.SELL, name, 8.4, 0.0325)
    world.arrive()
    world.run(0.3)
    state = world.desk.children[child]
    assert (state.state, state.filled, state.quantity) == ("open", 30, 50)
    assert "11008" in world.of(m.AmendRefused)[0].reason
    agree(world)


@pytest.mark.parametrize("gone", ["filled", "cancelled"])
def test_the_order_is_gone_before(quick: tuple[World, str], gone: str) -> None:
    """Whether its end is told of by the private channel or has to be asked for."""
    world, name = quick
    child = resting(world, name)
    world.lose = lambda data: b"user.changes" in data
    world.hold_requests = True
    world.do(m.EditChild(child=child, price=0.033))
    if gone == "filled":
        world.trade(Side.SELL, name, 10.4, 0.0325)
    else:
        world.ask("private/cancel_all", {})
    world.arrive()
    world.run(0.3)
    state = world.desk.children[child]
    assert (state.state, state.filled) == (gone, 50 if gone == "filled" else 0)
    accounted(world)


@pytest.mark.parametrize("lost", ["the amend", "its answer"])
def test_one_without_an_answer_is_asked_for_by_label(quick: tuple[World, str], lost: str) -> None:
    world, name = quick
    child = resting(world, name)
    if lost == "the amend":
        world.bend = lambda data: b"" if b"private/edit" in data else data
    else:
        world.lose = lambda data: b'"amend-' in data or b"user.changes" in data
    world.do(m.EditChild(child=child, price=0.033))
    world.run(1.0)  # while it is valid nothing is concluded
    state = world.desk.children[child]
    assert state.state == "amending"
    world.until(lambda: state.state == "open", 8)
    assert state.price == (325 if lost == "the amend" else 330)
    assert [type(fact) for fact in world.facts if isinstance(fact, m.AmendRefused)] == (
        [m.AmendRefused] if lost == "the amend" else []
    )
    agree(world)


@pytest.mark.parametrize("how", ["cancel", "kill"])
@pytest.mark.parametrize("where", ["waits for the disk", "on its way", "unanswered"])
def test_a_cancel_and_a_kill_win(quick: tuple[World, str], how: str, where: str) -> None:
    world, name = quick
    child = resting(world, name)
    if where == "waits for the disk":
        world.durable = False
    elif where == "on its way":
        world.hold_requests = True
    else:
        world.lose = lambda data: b'"amend-' in data
    world.do(m.EditChild(child=child, price=0.033))
    world.do(m.CancelChild(child=child) if how == "cancel" else m.Kill())
    if where == "waits for the disk":
        world.release()
        assert not edits(world)
    world.arrive()
    world.run(3)
    assert world.venue_orders() == []
    assert world.desk.children[child].state == "cancelled"
    assert how == "cancel" or (world.desk.killed and world.desk.killed.took)
    accounted(world)


def test_what_was_changed_on_the_venues_own_page_is_taken_as_it_is(desk: tuple[World, str]) -> None:
    world, name = desk
    child = resting(world, name)
    order = world.venue_orders()[0]
    world.ask("private/edit", {"order_id": order.order_id, "amount": 3.0, "price": 0.032, "post_only": True})
    world.run(0.2)
    state = world.desk.children[child]
    assert (state.state, state.quantity, state.price) == ("open", 30, 320)
    agree(world)


def test_older_news_of_it_is_not_believed(desk: tuple[World, str]) -> None:
    """The private channel tells of a fill before the amend once the amend has been answered."""
    world, name = desk
    child = resting(world, name)
    held: list[bytes] = []

    def lose(data: bytes) -> bool:
        late = b"user.changes" in data
        held.extend([data] * late)
        return late

    world.lose = lose
    world.trade(Side.SELL, name, 6.4, 0.0325)
    world.lose = lambda _: False
    world.do(m.EditChild(child=child, price=0.033))
    world.run(0.1)
    for data in held:
        world.say(data)
    state = world.desk.children[child]
    assert (state.price, state.filled) == (330, 10)
    agree(world)


# ---------------------------------------------------------------- death and lost lines


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
@pytest.mark.parametrize("where", ["not durable", "not sent", "lost", "taken"])
def test_an_amend_that_death_or_a_cut_meets(back: Callable[[World], None], where: str) -> None:
    """Before anything new goes out, the venue has said how the order stands."""
    world, name = ready(config=Config(execution=QUICK, cancel_on_disconnect=False))
    child = resting(world, name)
    if where == "not durable":
        world.durable = False
    elif where == "lost":
        world.cut_requests = True
    elif where == "not sent":
        world.core.desk.config = world.desk.config
        world.bend = lambda data: b"" if b"private/edit" in data else data
    else:
        world.lose = lambda _: True
    world.do(m.EditChild(child=child, quantity=8.0, price=0.033))
    before, sent = len(world.facts) if where != "not durable" else world.kept, len(world.sent)
    back(world)
    if where == "not durable" and back is back_by_connecting:
        world.release()
    recovered(world, before, sent)
    state = world.desk.children[child]
    expected = (80, 330) if where == "taken" else (50, 325)
    assert (state.state, state.quantity, state.price) == ("open", *expected)
    agree(world)


def test_an_amend_that_arrives_after_the_line_is_back(quick: tuple[World, str]) -> None:
    """It hung in a socket that both sides had given up: until it cannot arrive any more nothing is concluded."""
    world, name = ready(config=Config(execution=QUICK, cancel_on_disconnect=False))
    child = resting(world, name)
    world.hold_requests = True
    world.do(m.EditChild(child=child, quantity=8.0, price=0.033))
    way, world._way = world._way, []
    world.disconnect(noticed=False)
    world.hold_requests = False
    world.connect()
    world.run(0.5)
    assert world.desk.children[child].state == "amending"
    assert not world.desk.reconciled
    world._way = way
    world.arrive()
    world.until(lambda: world.desk.reconciled, 20)
    assert world.desk.children[child].quantity == 80
    agree(world)


def test_a_new_epoch_ends_it(quick: tuple[World, str]) -> None:
    world, name = quick
    child = resting(world, name)
    world.hold_requests = True
    world.do(m.EditChild(child=child, price=0.033))
    world.restart_venue()
    world.hold_requests = False
    world.connect()
    world.until(lambda: world.desk.reconciled, 20)
    assert world.desk.children[child].state == "cancelled"
    assert world.desk.live_children == []


def test_it_counts_as_a_message_and_is_charged(desk: tuple[World, str]) -> None:
    world, name = desk
    child = resting(world, name)
    meter, orders = world.core.market.venue.meter, world.desk.day.orders
    left = meter.requests_at(world.now)
    world.do(m.EditChild(child=child, price=0.033))
    assert meter.requests_at(world.now) == pytest.approx(left - 1.0)
    assert world.desk.day.orders == orders + 1
    for _ in range(40):
        world.do(by_hand(name, price=0.001))
    assert "kept for cancels" in world.refused(m.EditChild(child=child, price=0.032)) or "10 s" in world.refused(
        m.EditChild(child=child, price=0.032)
    )


@pytest.mark.parametrize("limits", [
    Limits(traders=(Named(name="trader", orders_per_10s=3),)), Limits(orders_per_10s=3),
])  # fmt: skip
def test_each_amend_counts_for_the_rate_of_whoever_sends_it(limits: Limits) -> None:
    world, name = ready(config=Config(limits=limits))
    child = resting(world, name)
    for price in (0.033, 0.0325):
        world.do(m.EditChild(child=child, price=price))
        world.run(0.1)
    assert "3 orders" in world.refused(m.EditChild(child=child, price=0.033))
    assert type(world.desk).load(world.desk.dump()) == world.desk
    world.run(10)
    world.do(m.EditChild(child=child, price=0.033))
    assert len(world.of(m.AmendRequested)) == 3


def test_one_that_only_becomes_less_uses_up_no_lift() -> None:
    world, name = ready(config=Config(limits=Limits(order_contracts=5.0)))
    child = resting(world, name)
    world.desk.config = msgspec.structs.replace(world.desk.config, limits=Limits(order_contracts=2.0))
    world.do(m.AskLift(block="size", instrument=name, reason="as agreed"))
    (lift,) = world.desk.lifts
    world.do(m.GrantLift(lift=lift))
    world.do(m.EditChild(child=child, quantity=4.0))
    assert world.of(m.AmendRequested)[-1].lifted == ()
    assert world.desk.lifts[lift].state == "granted"
