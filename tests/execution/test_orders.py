"""An order's life as the venue tells it: in parts, late, twice, in any order; and a parent's, through its children."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Action, Condition, Config, Execution, Limits, Row
from engine.domain import NS, Side
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.market.deribit import wire
from tests.link import Frames, World, packed, proposed, ready, submit


@pytest.fixture
def desk() -> tuple[World, str]:
    """Connected and reconciled, on a book of 5.4 at 0.0325 and 14.7 at 0.0335 that stays as it is."""
    return ready()


def send(world: World, name: str, **fields: Any) -> str:
    """An order by hand; its child's id."""
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 5.0, "price": 0.033}
    (fact,) = world.do(m.SendOrder(**(usual | fields)))
    assert isinstance(fact, m.OrderRequested), fact
    return fact.child


def told(world: World, n: int = 0) -> list[str]:
    return [type(fact).__name__ for fact in world.since(n)]


class Held:
    """Frames of this kind do not arrive: they are kept."""

    def __init__(self, *marks: bytes) -> None:
        self.marks, self.frames = marks, list[bytes]()

    def __call__(self, data: bytes) -> bool:
        if hit := all(mark in data for mark in self.marks):
            self.frames.append(data)
        return hit


FILL = (b"user.changes", b'"trade_id"')


def agree(world: World) -> None:
    """Desk and venue hold the same, and the journal folds to the very desk."""
    assert world.positions() == world.venue_positions()
    working = {child.request.child: child.remaining for child in world.desk.live_children}
    lots = world.instrument(world.child().request.instrument).lots
    assert {o.label: lots(o.amount) - lots(o.filled_amount) for o in world.venue_orders()} == working
    folded = Desk()
    for fact in world.facts:
        evolve(folded, fact)
    assert folded == world.desk


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


def test_meeting_an_order_of_the_account_made_elsewhere_is_refused_by_the_venue(desk: tuple[World, str]) -> None:
    world, name = desk
    world.ask("private/sell", {"instrument_name": name, "amount": 1.0, "price": 0.033, "type": "limit"})
    send(world, name, post_only=False)
    assert (world.child().state, world.child().reason) == ("rejected", "the venue refused: order overlap (10003)")


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


# ---------------------------------------------------------------- a parent and its children


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
        "too late to wait: crossing instead"
    }


def test_even_a_crumb_is_taken_before_the_end(desk: tuple[World, str]) -> None:
    """Less than half a child never lags enough to cross for: only the end of its time takes it."""
    world, name = desk
    submit(world, name, quantity=5.0, minutes=1.0, dial="auto")
    world.until(lambda: world.desk.live_children, 40)
    world.trade(Side.SELL, name, 5.4 + 3.5, 0.0325)
    assert world.parent().filled == 35
    world.run(30)
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
    world.run(0.5)
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
