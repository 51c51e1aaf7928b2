"""The engine dies anywhere, the wire breaks anywhere: nothing is sent twice, nothing is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Config, Execution
from engine.domain import NS, Side
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from tests.link import Died, World, near_the_money, proposed, ready, submit

QUICK = Execution(order_ttl_s=1.0, ask_after_s=0.5)  # the same waits, shorter
ENTRIES = ("private/buy", "private/sell")


def by_hand(world: World, name: str, **fields: Any) -> None:
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 2.0, "price": 0.0325}
    world.do(m.SendOrder(**(usual | fields)))


def session(world: World) -> None:
    """A trading session with a bit of everything: about a hundred facts in twenty seconds."""
    world.connect()
    world.run(0.5)
    name = near_the_money(world)
    world.look(name)
    world.run(0.3)
    buyer = submit(world, name, quantity=10.0, minutes=0.25, dial="auto")
    seller = submit(world, name, side=Side.SELL, limit=0.033, quantity=10.0, minutes=0.5, max_child=3.0)
    by_hand(world, name)
    world.run(2)
    world.trade(Side.SELL, name, 6.5, 0.0325)  # part of ours by hand
    by_hand(world, name, price=0.032)
    world.do(m.CancelChild(child=world.child().request.child))
    by_hand(world, name, quantity=16.0, price=0.034, post_only=False)
    world.run(3)
    if proposal := world.desk.proposal_of(seller):
        world.do(m.Approve(proposal=proposal.born.id, revision=proposal.revision))
    world.run(5)
    world.trade(Side.BUY, name, 20.0, 0.034)
    world.run(0.7)
    world.do(m.Pause(parent=seller))
    world.run(1)
    world.do(m.Resume(parent=seller))
    world.ask("private/buy", {"instrument_name": "BTC-PERPETUAL", "amount": 10.0, "type": "market"})
    world.disconnect()
    world.run(0.5)
    world.connect()
    world.run(4)
    if proposal := world.desk.proposal_of(seller):
        world.do(m.Reject(proposal=proposal.born.id))
    world.run(3)
    world.do(m.SetDial(parent=buyer, dial="manual"))
    by_hand(world, name, side=Side.SELL, price=0.035)
    by_hand(world, name, quantity=0.0)  # refused
    world.do(m.Kill())
    world.run(1)
    world.do(m.Rearm(reason="drill over"))
    by_hand(world, name, quantity=1.0, price=0.034, post_only=False)
    world.run(1)


def world_of(*, cancelling: bool = True) -> World:
    return World(config=Config(execution=QUICK, cancel_on_disconnect=cancelling))


def recovered(world: World, before: int, sent: int) -> None:
    """After a rise, or a link that came back: reconciled, and everything accounted for."""
    world.until(lambda: world.desk.reconciled, 20)
    since = world.facts[before:]
    opened = next(k for k, fact in enumerate(since) if isinstance(fact, m.Reconciled))
    assert not [fact for fact in since[:opened] if isinstance(fact, m.OrderRequested)]
    assert not [call for call in world.sent[sent:] if call.method in ENTRIES]
    accounted(world)


def accounted(world: World) -> None:
    """Desk and venue agree on every order and position; no label is twice at the venue, and none is unknown here."""
    history = {order.label: order for order in world.venue_history() if order.label}
    counts = Counter(order.label for order in world.venue_history() if order.label)
    assert set(counts.values()) <= {1}
    assert set(counts) <= set(world.desk.children)
    for label, child in world.desk.children.items():
        if child.state in ("requested", "lapsed", "rejected"):
            assert label not in history
            continue
        lot, order = world.instrument(child.request.instrument).lot, history[label]
        assert (child.filled, child.state) == (round(order.filled_amount / lot), order.order_state)
    assert world.positions() == world.venue_positions()
    for parent in world.desk.parents.values():
        mine = [c for c in world.desk.children.values() if c.request.parent == parent.order.id]
        assert parent.filled == sum(child.filled for child in mine) <= parent.order.quantity
    folded = Desk()
    for fact in world.facts:
        evolve(folded, fact)
    assert folded == world.desk
    assert not world.hangups


def facts_of_a_session() -> int:
    world = world_of()
    session(world)
    return len(world.facts)


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("dumb", [False, True], ids=["spoken", "dumb"])
def test_the_engine_may_die_after_every_fact(part: int, dumb: bool) -> None:
    """Cut the journal after each fact: what stood on it had left, or nothing had. The venue cancels what the dead
    engine leaves behind, or knows nothing of its death."""
    total = facts_of_a_session()
    assert total > 70
    for k in range(1 + part, total, 4):
        world = world_of(cancelling=(k // 4 + dumb) % 2 == 0)
        world.dies_after, world.dies_dumb = k, dumb
        with pytest.raises(Died):
            session(world)
        assert len(world.facts) == k
        running = {parent.order.id for parent in world.desk.live_parents}
        world.run(0.7)
        sent = len(world.sent)
        world.rise()
        assert world.desk.live_proposals == []
        recovered(world, k, sent)
        kept = {parent for parent in running if parent in world.desk.parents}
        assert {world.desk.parents[parent].state for parent in kept} <= {"paused", "done", "cancelled", "expired"}


def test_it_dies_again_while_it_recovers() -> None:
    """The second death comes after each fact of the first recovery."""
    for k in range(1, 12):
        world = world_of(cancelling=False)
        world.dies_after = 45
        with pytest.raises(Died):
            session(world)
        world.dies_after = 45 + k
        try:
            world.rise()
            world.until(lambda: world.desk.reconciled, 20)  # noqa: B023
        except Died:
            world.dies_after = 0
            sent = len(world.sent)
            world.rise()
            recovered(world, 45 + k, sent)
        assert world.desk.reconciled


# ---------------------------------------------------------------- an order in flight


@pytest.fixture
def quick() -> tuple[World, str]:
    return ready(config=Config(execution=QUICK))


KINDS = {"maker": {"price": 0.033}, "taker": {"price": 0.0335, "post_only": False}}


def back_by_rising(world: World) -> None:
    world.die(noticed=False)
    world.run(0.3)
    world.rise()


def back_by_connecting(world: World) -> None:
    world.disconnect(noticed=False)
    world.run(0.3)
    world.cut_requests = world.hold_requests = False
    world.lose = lambda _: False
    world.connect()


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
@pytest.mark.parametrize("kind", KINDS)
def test_an_order_whose_answer_was_lost_is_found_by_its_label(
    quick: tuple[World, str], kind: str, back: Callable[[World], None]
) -> None:
    world, name = quick
    world.lose = lambda _: True
    before, sent = len(world.facts), len(world.sent) + 1
    by_hand(world, name, **KINDS[kind])
    assert world.child().state == "sent"
    assert len(world.venue_history()) == 1
    back(world)
    recovered(world, before + 1, sent)
    assert world.child().state == ("open" if kind == "maker" else "filled")


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
@pytest.mark.parametrize("kind", KINDS)
def test_an_order_that_never_arrived_has_lapsed_but_not_before_its_time(
    quick: tuple[World, str], kind: str, back: Callable[[World], None]
) -> None:
    world, name = quick
    world.cut_requests = True
    before, sent = len(world.facts), len(world.sent) + 1
    by_hand(world, name, **KINDS[kind])
    valid_until = world.child().request.valid_until
    back(world)
    recovered(world, before + 1, sent)
    assert (world.child().state, world.child().reason) == ("lapsed", "it never reached the venue")
    (ended,) = world.of(m.OrderEnded)
    assert ended.t > valid_until + 0.5 * NS


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("late", "found"), [(0.4, True), (1.2, False)], ids=["in time", "too late"])
def test_an_order_that_arrives_after_we_asked_is_not_called_lapsed(
    quick: tuple[World, str], kind: str, back: Callable[[World], None], late: float, found: bool
) -> None:
    """It is still on its way when the new line is up: it comes in time and is found, or the venue turns it away."""
    world, name = quick
    world.hold_requests = True
    by_hand(world, name, **KINDS[kind])
    before, sent = len(world.facts), len(world.sent)
    way, world._way = world._way, []
    back(world)
    world.run(late)
    world._way = way
    world.arrive()
    recovered(world, before, sent)
    assert (world.child().state in ("open", "filled"), world.child().state == "lapsed") == (found, not found)


def test_an_order_that_waited_for_the_disk_when_the_engine_died_is_forgotten_by_all(quick: tuple[World, str]) -> None:
    world, name = quick
    world.durable = False
    by_hand(world, name)
    world.die()
    before, sent = len(world.facts), len(world.sent)
    world.rise()
    recovered(world, before, sent)
    assert world.desk.children == {}
    assert world.venue_history() == []


def test_an_order_of_which_nobody_tells_is_found_by_asking(quick: tuple[World, str]) -> None:
    """It arrives after the list of open orders was given, and the private channel is silent: its label finds it."""
    world, name = quick
    world.hold_requests = True
    by_hand(world, name)
    before, sent = len(world.facts), len(world.sent)
    way, world._way = world._way, []
    back_by_connecting(world)
    world.lose = lambda data: b"user.changes" in data
    world._way = way
    world.arrive()
    recovered(world, before, sent)
    assert (world.child().state, len(world.of(m.Asked))) == ("open", 1)
    world.lose = lambda _: False
    world.run(6)
    assert len(world.of(m.Asked)) == 1


@pytest.mark.parametrize("impatient", [False, True])
def test_the_clocks_need_not_agree(quick: tuple[World, str], impatient: bool) -> None:
    """The venue's clock is 0.4 s behind: an order it still takes must not have been given up, even if somebody who
    wanted it cancelled has made us ask early."""
    world, name = quick
    world.hold_requests = True
    by_hand(world, name)
    way = [(line, data.replace(*self_shift(data, 400))) for line, data in world._way]
    world._way = []
    back_by_rising(world)
    world.run(0.9)  # past `valid_until` by our clock, not yet by the venue's
    if impatient:
        world.do(m.CancelChild(child=world.child().request.child))
        assert len(world.of(m.Asked)) == 1
    assert not world.desk.reconciled
    assert world.child().state not in ("lapsed", "cancelled")
    world._way = way
    world.arrive()
    world.until(lambda: world.desk.reconciled, 10)
    world.run(1)
    assert world.child().state == ("cancelled" if impatient else "open")
    accounted(world)


def self_shift(data: bytes, ms: int) -> tuple[bytes, bytes]:
    until = msgspec.json.decode(data)["params"]["valid_until"]
    return str(until).encode(), str(until + ms).encode()


# ---------------------------------------------------------------- what happened meanwhile


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
def test_fills_while_away_are_taken_in_and_written_down(
    quick: tuple[World, str], back: Callable[[World], None]
) -> None:
    world, name = quick
    by_hand(world, name, quantity=5.0, price=0.033)
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
    by_hand(world, name, quantity=9.0, price=0.033)
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
    by_hand(world, name)
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
            by_hand(world, name)
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
    by_hand(world, name)
    n = len(world.facts)
    state = {"instrument_name": "BTC-28MAR26-80000-C", "state": "created", "timestamp": 1}
    params = {"channel": "instrument.state.any.BTC", "data": state}
    world.say(msgspec.json.encode({"jsonrpc": "2.0", "method": "subscription", "params": params}))
    world.deliver()
    assert world.sent[-1].method == "public/get_instruments"
    assert (world.since(n), world.desk.reconciled) == ([], True)


def test_a_link_that_is_new_without_having_fallen_is_not_trusted(quick: tuple[World, str]) -> None:
    world, name = quick
    by_hand(world, name)
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
    by_hand(world, name, quantity=3.0, price=0.0335, post_only=False)
    by_hand(world, name)
    world.cut_requests = True
    by_hand(world, name)
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
    by_hand(world, name)
    assert world.child().state == "open"


def test_a_venue_that_forgot_without_a_word_is_believed(quick: tuple[World, str]) -> None:
    """Real venues forget cancelled orders after a while: that ends the order here, and breaks nothing."""
    world, name = quick
    by_hand(world, name, quantity=3.0, price=0.0335, post_only=False)
    by_hand(world, name)
    world.restart_venue(said=False)
    world.connect()
    world.until(lambda: world.desk.reconciled, 20)
    assert (world.child().state, world.child().reason) == ("cancelled", "the venue does not know it any more")
    assert world.of(m.PositionSet)[-1].size == 0
    assert world.positions() == world.venue_positions() == {}


def test_a_position_that_was_delivered_is_asked_about(quick: tuple[World, str]) -> None:
    """No fill tells of a delivery: a minute after the expiry the venue is asked what it holds."""
    world, name = quick
    by_hand(world, name, quantity=3.0, price=0.0335, post_only=False)
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
