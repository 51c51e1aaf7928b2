"""An order's life as the venue tells it: in parts, late, twice, in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.domain import Side
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.market.deribit import wire
from tests.execution.scenes import FILL, Held, agree, by_hand, send, told
from tests.link import Frames, World, packed, ready, submit

# ---------------------------------------------------------------- one order


def test_the_plain_life_of_a_resting_order(desk: tuple[World, str]) -> None:
    world, name = desk
    n = len(world.facts)
    child = send(world, name)
    assert told(world, n) == ["OrderRequested", "OrderSent", "OrderOpened"]
    for amount, lots in ((2.0, 20), (1.5, 35), (1.5, 50)):
        world.trade(Side.SELL, name, amount, 0.033)
        assert world.desk.children[child].filled == lots
        agree(world)
    assert told(world, n)[3:] == ["Filled", "Filled", "Filled", "OrderEnded"]
    assert (world.child().state, world.positions()) == ("filled", {name: 50})
    assert all(fill.maker and fill.price == 330 and fill.fee == pytest.approx(0.0003 * fill.quantity / 10)
               for fill in world.of(m.Filled))  # fmt: skip


def test_a_taker_fills_at_several_prices_and_the_rest_is_gone(desk: tuple[World, str]) -> None:
    world, name = desk
    n = len(world.facts)
    send(world, name, quantity=20.0, price=0.034, post_only=False)
    world.run(0.1)
    assert told(world, n) == ["OrderRequested", "OrderSent", *["Filled"] * len(world.of(m.Filled)), "OrderEnded"]
    child = world.child()
    assert (child.state, child.filled, child.notional) == ("filled", 200, 147 * 335 + 53 * 340)
    agree(world)


def test_a_post_only_order_that_met_the_market_is_re_priced_and_we_hear_of_it(desk: tuple[World, str]) -> None:
    """The offer came while the order waited for the disk: the venue puts it one tick below."""
    world, name = desk
    world.durable = False
    send(world, name, price=0.033)
    world.trade(Side.SELL, name, 1.0, 0.033, rest=True)
    world.release()
    assert (world.child().state, world.child().price, world.child().request.price) == ("open", 325, 330)
    agree(world)


@pytest.mark.parametrize(
    ("params", "code", "sentence"),
    [
        ({"price": 0.0337}, 10043, "the venue refused: the price is off the tick (10043)"),
        ({"price": 0.3}, 10007, "the venue refused: price too high (10007)"),
        ({"amount": 100_000.0}, 10009, "the venue refused: not enough funds (10009)"),
    ],
)
def test_what_the_venue_refuses_is_rejected_in_words(
    desk: tuple[World, str], params: dict[str, Any], code: int, sentence: str
) -> None:
    """Our own limits would not let these out: so the request is changed on its way."""
    world, name = desk

    def bent(data: bytes) -> bytes:
        call = msgspec.json.decode(data)
        if call["method"] == "private/buy":
            call["params"] |= params
        return msgspec.json.encode(call)

    world.bend = bent
    send(world, name)
    assert (world.child().state, world.child().reason) == ("rejected", sentence)
    assert f"({code})" in sentence
    agree(world)


def test_meeting_an_order_of_the_account_made_elsewhere_is_refused(desk: tuple[World, str]) -> None:
    """By us where we have heard of it, by the venue where we have not."""
    world, name = desk
    there = {"instrument_name": name, "amount": 1.0, "price": 0.033, "type": "limit"}
    world.lose = lambda data: b"user.changes" in data
    world.ask("private/sell", there)
    world.lose = lambda _: False
    send(world, name, post_only=False)
    assert (world.child().state, world.child().reason) == (
        "rejected", "the venue refused: it would have met another order of this account (10003)"
    )  # fmt: skip
    world.ask("private/sell", there)
    reason = world.refused(by_hand(name, price=0.033, post_only=False))
    assert reason == "it would meet a sell of this account made elsewhere, at 0.033"


def news_first(frames: Frames) -> Frames:
    return frames[1:] + frames[:1]


def each_twice(frames: Frames) -> Frames:
    return [frame for frame in frames for _ in range(2)]


def all_again(frames: Frames) -> Frames:
    return frames + frames


@pytest.mark.parametrize("mix", [news_first, each_twice, all_again])
@pytest.mark.parametrize(
    ("price", "post_only", "state", "filled"),
    [(0.033, True, "open", 0), (0.0335, False, "filled", 50), (0.0330, False, "cancelled", 0)],
)
def test_the_order_of_what_is_heard_does_not_matter(
    desk: tuple[World, str], mix: Callable[[Frames], Frames], price: float, post_only: bool, state: str, filled: int
) -> None:
    """Answer and private channel, in either order, each of them once or twice: the same orders, fills and position."""
    world, name = desk
    plain, _ = ready()
    world.mix = mix
    for each in (world, plain):
        send(each, name, price=price, post_only=post_only)
        each.run(0.3)
    child = world.child()
    assert (child.state, child.filled, child.order) == (state, filled, plain.child().order)
    assert world.positions() == plain.positions()
    assert len(world.of(m.Filled)) == len(plain.of(m.Filled))
    assert world.core.market.venue.own_lots(name) == plain.core.market.venue.own_lots(name)
    agree(world)


def test_the_same_frame_again_changes_nothing(desk: tuple[World, str]) -> None:
    """Everything the venue ever said of our orders, said once more: not one fact."""
    world, name = desk
    heard: Frames = []
    world.lose = lambda data: heard.append(data) is not None  # type: ignore[func-returns-value]
    first = send(world, name)
    world.trade(Side.SELL, name, 2.0, 0.033)
    world.do(m.CancelChild(child=first))
    send(world, name, price=0.034, quantity=20.0, post_only=False)
    send(world, name, price=0.0325)
    world.run(0.2)
    private = [data for data in heard if b"user.changes" in data or b'"order' in data]
    assert len(private) > 5
    facts, own = packed(world.facts), world.core.market.venue.own_lots(name)
    for data in private:
        world.say(data)
    assert packed(world.facts) == facts
    assert world.core.market.venue.own_lots(name) == own
    agree(world)


def test_a_fill_after_the_cancel_was_answered_still_counts(desk: tuple[World, str]) -> None:
    """The venue said cancelled, and only then what had been filled before: position and parent have it all the same."""
    world, name = desk
    submit(world, name, dial="auto")
    world.until(lambda: world.desk.live_children)
    child = world.child()
    held = world.lose = Held(*FILL)
    world.trade(Side.SELL, name, 9.9, 0.0325)
    assert held.frames
    assert child.filled == 0
    forged = msgspec.json.decode(held.frames[0])
    forged["params"]["data"] |= {"trades": [], "positions": []}
    forged["params"]["data"]["orders"][0] |= {"order_state": "cancelled", "filled_amount": 0.0}
    world.say(msgspec.json.encode(forged))
    assert child.state == "cancelled"
    world.say(held.frames[0])
    assert (child.state, child.filled > 0) == ("cancelled", True)
    assert world.parent().filled == child.filled
    assert world.positions() == world.venue_positions()


@pytest.mark.parametrize("state", ["rejected", "lapsed"])
def test_a_fill_of_an_order_that_never_was_is_a_fill(desk: tuple[World, str], state: str) -> None:
    world, name = desk
    send(world, name)
    world.trade(Side.SELL, name, 1.0, 0.033)
    fill = world.of(m.Filled)[0]
    late = Desk()
    for fact in world.facts:
        if not isinstance(fact, m.Filled | m.OrderOpened):
            evolve(late, fact)
    ended = m.OrderEnded(child=fill.child, state=state, reason="")  # type: ignore[arg-type]
    for fact in (ended, fill):
        evolve(late, fact)
    assert (late.children[fill.child].state, late.positions) == (state, {name: 10})


def test_a_fill_made_elsewhere_moves_the_position_and_is_nobodys(desk: tuple[World, str]) -> None:
    world, name = desk
    world.ask("private/buy", {"instrument_name": name, "amount": 2.0, "price": 0.0335, "type": "limit",
                              "post_only": False})  # fmt: skip
    (fill,) = world.of(m.Filled)
    assert (fill.child, fill.quantity) == ("", 20)
    assert world.positions() == world.venue_positions() == {name: 20}


def test_a_leg_that_filled_between_two_ticks_is_taken_in(desk: tuple[World, str]) -> None:
    world, name = desk
    child = send(world, name)
    held = world.lose = Held(*FILL)
    world.trade(Side.SELL, name, 1.0, 0.033)
    world.say(held.frames[0].replace(b'"price":0.033,', b'"price":0.03297,'))
    assert world.desk.children[child].filled == 10
    assert world.of(m.Filled)[0].price == 330


def test_nonsense_about_our_orders_is_no_traceback(desk: tuple[World, str]) -> None:
    """An answer of the wrong shape is as good as none: the order is asked for by its label."""
    world, name = desk
    world.lose = Held(b'"order"')
    world.mix = lambda frames: frames[:1]  # and the private channel says nothing
    world.take(m.Command, id="x", user="ann", role="trader",
               verb=m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0, price=0.033))  # fmt: skip
    world.deliver()
    call = world.child().request.call
    results: list[Any] = [[], 7, "ok", {"order": 3}, {"order": {}, "trades": 1}]
    for result in results:
        world.core.market.venue.awaiting[call] = "private/buy"
        assert world.say(msgspec.json.encode({"jsonrpc": "2.0", "id": call, "result": result})) == []
    world.mix = list
    world.until(lambda: world.child().state == "open", 10)
    world.run(6)
    assert len(world.of(m.Asked)) == 1  # answered, and not asked again
    agree(world)


def test_an_order_that_the_venue_told_of_and_then_refused_is_asked_about(desk: tuple[World, str]) -> None:
    """The venue contradicts itself: what rests is believed, and asked about."""
    world, name = desk

    def contradict(frames: Frames) -> Frames:
        call = msgspec.json.decode(frames[0])
        if "order" not in str(call["id"]):
            return frames
        error = {"code": 10047, "message": "matching_engine_queue_full"}
        return [*frames[1:], msgspec.json.encode({"jsonrpc": "2.0", "id": call["id"], "error": error})]

    world.mix = contradict
    send(world, name)
    world.run(1)
    assert (world.child().state, len(world.of(m.Asked))) == ("open", 1)
    agree(world)


def test_a_taker_of_which_nobody_tells_is_found_with_its_fills(desk: tuple[World, str]) -> None:
    """Neither answer nor private channel: the label tells that it filled, and then its fills are asked for."""
    world, name = desk
    world.mix = lambda _: []
    child = send(world, name, quantity=20.0, price=0.0335, post_only=False)
    world.mix = list
    world.lose = lambda data: b"user.changes" in data
    world.run(4)
    assert (world.child().state, world.child().filled) == ("sent", 0)
    world.run(4)
    assert (world.child().state, world.child().filled) == ("cancelled", 147)
    asked = [fact.call.split("-")[0] for fact in world.of(m.Asked)]
    assert asked == ["label", "fills", "label"]
    assert {fact.child for fact in world.of(m.Filled)} == {child}
    agree(world)


# ---------------------------------------------------------------- cancels


def test_a_cancel_that_got_lost_is_sent_again(desk: tuple[World, str]) -> None:
    world, name = desk
    child = send(world, name)
    world.cut_requests = True
    world.do(m.CancelChild(child=child))
    world.run(1)
    assert len(world.venue_orders()) == 1
    world.cut_requests = False
    world.run(3)
    assert (world.child().state, world.venue_orders()) == ("cancelled", [])
    assert world.child().reason == "cancelled by trader"
    assert [fact.by for fact in world.of(m.CancelRequested)] == ["trader", "engine"]


def test_a_cancel_while_the_link_is_down_is_sent_when_it_is_back(desk: tuple[World, str]) -> None:
    world, name = desk
    child = send(world, name)
    world.disconnect(noticed=False)
    world.do(m.CancelChild(child=child))
    world.run(5)
    world.connect()
    world.run(8)
    assert world.desk.reconciled
    assert (world.child().state, world.venue_orders()) == ("cancelled", [])


def test_a_cancel_overtakes_an_order_that_waits_for_the_disk(desk: tuple[World, str]) -> None:
    world, name = desk
    world.durable = False
    child = send(world, name)
    world.do(m.CancelChild(child=child))
    world.release()
    world.run(6)
    assert (world.child().state, world.child().reason) == ("lapsed", "not sent: it was cancelled before it left")
    assert world.venue_history() == []


def test_a_cancel_too_late_finds_the_order_filled(desk: tuple[World, str]) -> None:
    world, name = desk
    child = send(world, name)
    world.lose = lambda data: b"user.changes" in data
    world.trade(Side.SELL, name, 5.0, 0.033)
    world.do(m.CancelChild(child=child))
    world.run(3)
    assert (world.child().state, world.child().filled) == ("filled", 50)
    agree(world)


def test_an_order_that_waited_too_long_for_the_disk_does_not_leave(desk: tuple[World, str]) -> None:
    world, name = desk
    world.durable = False
    send(world, name)
    world.run(3)
    world.release()
    assert world.venue_history() == []
    assert world.child().reason == "not sent: its time ran out while it was written down"


def test_a_book_that_broke_meanwhile_keeps_the_order_back(desk: tuple[World, str]) -> None:
    world, name = desk
    world.durable = False
    send(world, name)
    world.core.market.venue.books[name].drop("change 7 is missing after 5")
    world.release()
    assert world.venue_history() == []
    assert world.child().reason == f"not sent: the book of {name} is stale: change 7 is missing after 5"


def test_the_wire_says_what_the_desk_meant(desk: tuple[World, str]) -> None:
    world, name = desk
    child = send(world, name, quantity=2.5)
    (call,) = [call for call in world.sent if call.child == child]
    request = world.desk.children[child].request
    assert call.method == "private/buy"
    assert call.after == request.n
    assert call.params == {
        "instrument_name": name, "amount": 2.5, "type": "limit", "price": 0.033, "label": child,
        "time_in_force": "good_til_cancelled", "post_only": True, "reject_post_only": False,
        "valid_until": request.valid_until // wire.MS,
    }  # fmt: skip
    taker = send(world, name, price=0.0335, post_only=False)
    (call,) = [call for call in world.sent if call.child == taker]
    assert (call.params["time_in_force"], call.params["post_only"]) == ("immediate_or_cancel", False)
