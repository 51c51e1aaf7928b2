"""What happened while nobody listened is asked for, believed and written down."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from engine import messages as m
from engine.config import Config
from engine.domain import NS, Side
from tests.execution.scenes import QUICK, accounted, back_by_connecting, back_by_rising, place, recovered
from tests.link import World, proposed, ready, submit

# ---------------------------------------------------------------- what happened meanwhile


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
def test_fills_while_away_are_taken_in_and_written_down(
    quick: tuple[World, str], back: Callable[[World], None]
) -> None:
    world, name = quick
    place(world, name, quantity=5.0, price=0.033)
    world.lose = lambda _: True
    world.trade(Side.SELL, name, 2.0, 0.033)
    world.ask("private/buy", {"instrument_name": name, "amount": 1.0, "price": 0.0335, "type": "limit",
                              "post_only": False})  # fmt: skip
    before, sent = len(world.facts), len(world.sent)
    back(world)
    recovered(world, before, sent)
    assert (world.child().filled, world.positions()) == (20, {name: 30})
    assert world.of(m.Reconciled)[-1].differences == (
        f"buy 2 {name} filled while away", f"buy 1 {name} filled while away",
    )  # fmt: skip


def test_more_fills_than_one_answer_holds(quick: tuple[World, str]) -> None:
    world, name = quick
    place(world, name, quantity=9.0, price=0.033)
    world.die(noticed=False)
    elsewhere = {"instrument_name": "BTC-PERPETUAL", "amount": 10.0, "type": "market"}
    for _ in range(9):
        world.trade(Side.SELL, name, 1.0, 0.033)
        world.ask("private/buy", elsewhere)
        world.run(0.2)
    world.bend = lambda data: data.replace(b'"count":1000', b'"count":3')
    world.rise()
    world.until(lambda: world.desk.reconciled, 20)
    assert (world.child().state, world.child().filled) == ("filled", 90)
    assert len(world.of(m.Filled)) == 18
    assert world.of(m.PositionSet) == []
    accounted(world)


def test_what_the_account_did_before_this_journal_is_no_fill_of_it() -> None:
    world = World()
    world.run(1)
    name = next(i.name for i in world.venue.exchange.instruments if i.name.endswith("-100000-C"))
    world.ask("private/buy", {"instrument_name": name, "amount": 1.0, "price": world.touch(name)[1], "type": "limit",
                              "post_only": False})  # fmt: skip
    world.run(61)
    world.connect()
    world.run(2)
    assert world.desk.reconciled
    assert world.of(m.Filled) == []
    (found,) = world.of(m.PositionSet)
    assert (found.size, found.reason) == (10, "the venue holds 10, the journal 0 lots")
    assert world.positions() == world.venue_positions() == {name: 10}


def test_parents_wait_for_the_trader_and_then_begin_anew(quick: tuple[World, str]) -> None:
    world, name = quick
    parent = submit(world, name, dial="auto", quantity=10.0, minutes=2.0)
    world.run(3)
    world.die()
    world.run(30)
    world.rise()
    world.look(name)
    world.run(5)
    assert (world.parent().state, world.parent().reason) == ("paused", "the engine started anew")
    n = len(world.facts)
    world.run(10)
    assert world.since(n) == []
    world.do(m.Resume(parent=parent))
    assert (world.parent().start, world.parent().state) == (world.now, "working")
    world.run(75)
    assert world.parent().state == "done"
    accounted(world)


def test_a_proposal_of_an_engine_that_died_cannot_be_approved(quick: tuple[World, str]) -> None:
    world, name = quick
    proposal = proposed(world, name)
    world.die()
    world.rise()
    world.run(2)
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == (
        f"proposal {proposal} is lapsed: the engine started anew"
    )


def test_parents_may_go_on_by_themselves_where_settings_say_so() -> None:
    world, name = ready(config=Config(execution=QUICK, resume_after_recovery=True))
    submit(world, name, dial="auto", quantity=10.0, minutes=2.0)
    world.run(3)
    world.die()
    world.run(30)
    risen = world.now
    world.rise()
    world.look(name)
    assert (world.parent().state, world.parent().start) == ("working", risen)
    world.run(100)
    assert world.parent().state == "done"
    accounted(world)


# ---------------------------------------------------------------- the link


def test_a_lost_link_lets_proposals_lapse_and_nothing_out(quick: tuple[World, str]) -> None:
    world, name = quick
    submit(world, name)
    world.until(lambda: world.desk.proposal_of(world.parent().order.id))
    world.disconnect("a spade")
    assert world.of(m.Lapsed)[-1].reason == "the connection was lost"
    assert world.of(m.Reconciling)[-1].reason == "the connection was lost: a spade"
    assert world.refused(m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0, price=0.033)) == (
        "the venue's connection is down"
    )
    n = len(world.facts)
    world.run(5)
    assert world.since(n) == []
    sent = len(world.sent)
    world.connect()
    recovered(world, n, sent)
    world.run(5)
    assert world.parent().state == "working"
    assert world.desk.proposal_of(world.parent().order.id)


def test_what_the_venue_cancelled_when_it_lost_us_is_cancelled_here(quick: tuple[World, str]) -> None:
    world, name = quick
    place(world, name)
    world.disconnect()
    before, sent = len(world.facts), len(world.sent)
    world.connect()
    recovered(world, before, sent)
    assert (world.child().state, world.child().reason) == ("cancelled", "cancel on disconnect")


def test_an_answer_that_never_comes_is_asked_for_again(quick: tuple[World, str]) -> None:
    """Each of the reconciliation's own questions may go unanswered once, or be refused."""
    for what in ("trades", "orders", "positions"):
        for refused in (False, True):
            world, name = ready(config=Config(execution=QUICK))
            place(world, name)
            world.disconnect(noticed=False)
            before, sent = len(world.facts), len(world.sent)
            mark, done = f'-{what}"'.encode(), list[int]()

            def bad(data: bytes, world: World = world, mark: bytes = mark, done: list[int] = done,
                    refused: bool = refused) -> bool:  # fmt: skip
                if mark not in data or done:
                    return False
                done.append(1)
                if refused:
                    call = msgspec.json.decode(data)["id"]
                    error = {"code": 10041, "message": "settlement_in_progress"}
                    world.say(msgspec.json.encode({"jsonrpc": "2.0", "id": call, "error": error}))
                return True

            world.lose = bad
            world.connect()
            recovered(world, before, sent)
            assert done


def test_a_list_of_instruments_in_the_middle_of_the_day_disturbs_nobody(quick: tuple[World, str]) -> None:
    world, name = quick
    place(world, name)
    n = len(world.facts)
    state = {"instrument_name": "BTC-28MAR26-80000-C", "state": "created", "timestamp": 1}
    params = {"channel": "instrument.state.any.BTC", "data": state}
    world.say(msgspec.json.encode({"jsonrpc": "2.0", "method": "subscription", "params": params}))
    world.deliver()
    assert world.sent[-1].method == "public/get_instruments"
    assert (world.since(n), world.desk.reconciled) == ([], True)


def test_a_link_that_is_new_without_having_fallen_is_not_trusted(quick: tuple[World, str]) -> None:
    world, name = quick
    place(world, name)
    before, sent = len(world.facts), len(world.sent)
    world.connect()
    assert world.of(m.Reconciling)[-2].reason == "the connection is a new one"
    recovered(world, before, sent)


@pytest.mark.parametrize("lost", [b"public/hello", b"get_instruments", b"private/subscribe"])
def test_an_introduction_that_fails_is_made_again(lost: bytes) -> None:
    """Deaf to its own fills, or without a list of what is traded, a desk does not trade."""
    world = World(config=Config(execution=QUICK))
    dropped: list[bytes] = []

    def once(data: bytes) -> bytes:
        if lost in data and not dropped:
            dropped.append(data)
            return b""
        return data

    world.bend = once
    world.connect()
    world.run(1)
    if lost != b"public/hello":
        assert world.refused(m.SendOrder(instrument="BTC-PERPETUAL", side=Side.BUY, quantity=10.0, price=99_000.0)) in (
            "the venue has not agreed to tell this desk of its orders",
            "'BTC-PERPETUAL' is not listed at the venue",
        )
    world.run(4)
    assert world.desk.reconciled
    assert world.core.market.venue.listening
    accounted(world)


# ---------------------------------------------------------------- a venue that forgot


@pytest.mark.parametrize("dead", [False, True])
def test_a_new_epoch_is_understood(quick: tuple[World, str], dead: bool) -> None:
    world, name = quick
    submit(world, name, dial="auto")
    place(world, name, quantity=3.0, price=0.0335, post_only=False)
    place(world, name)
    world.cut_requests = True
    place(world, name)
    if dead:
        world.die()
    world.restart_venue()
    world.cut_requests = False
    before = len(world.facts)
    if dead:
        world.rise()
    else:
        world.connect()
    world.until(lambda: world.desk.reconciled, 20)
    assert [fact.epoch for fact in world.of(m.EpochBegan)] == ["world-1", "world-2"]
    reason = "the venue began a new epoch"
    assert [(c.state, c.reason) for c in world.desk.children.values()] == [
        ("filled", ""), ("cancelled", reason), ("lapsed", reason),
    ]  # fmt: skip
    assert (world.parent().state, world.positions(), world.venue_positions()) == ("cancelled", {}, {})
    assert not [fact for fact in world.facts[before:] if isinstance(fact, m.OrderRequested | m.PositionSet)]
    world.look(name)
    world.run(2)
    place(world, name)
    assert world.child().state == "open"


def test_a_venue_that_forgot_without_a_word_is_believed(quick: tuple[World, str]) -> None:
    """Real venues forget cancelled orders after a while: that ends the order here, and breaks nothing."""
    world, name = quick
    place(world, name, quantity=3.0, price=0.0335, post_only=False)
    place(world, name)
    world.restart_venue(said=False)
    world.connect()
    world.until(lambda: world.desk.reconciled, 20)
    assert (world.child().state, world.child().reason) == ("cancelled", "the venue does not know it any more")
    assert world.of(m.PositionSet)[-1].size == 0
    assert world.positions() == world.venue_positions() == {}


def test_a_position_that_was_delivered_is_asked_about(quick: tuple[World, str]) -> None:
    """No fill tells of a delivery: a minute after the expiry the venue is asked what it holds."""
    world, name = quick
    place(world, name, quantity=3.0, price=0.0335, post_only=False)
    listed = world.core.market.venue.instruments
    listed[name] = msgspec.structs.replace(listed[name], expiry=world.now + NS)
    world.run(1)
    exchange = world.venue.exchange
    exchange.settle(world.now, exchange.number[name], 105_000.0)
    assert world.venue_positions() == {}
    world.run(59)
    assert world.positions() == {name: 30}
    world.run(2)
    assert world.of(m.Reconciling)[-1].reason == f"{name} has expired"
    assert world.desk.reconciled
    assert world.positions() == {}
    n = len(world.facts)
    world.run(120)
    assert world.since(n) == []
