"""What a person may ask: done as asked, or refused in one sentence that leaves no other trace."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Action, Condition, Config, Limits, Row
from engine.domain import NS, Side
from tests.link import START, World, proposed, ready, submit

TIGHT = Row(name="tight", kind="opportunistic", when=(Condition("spread_ticks", "<", 1.5),),
            action=Action(times_base=1.0, style="post"))  # fmt: skip


@pytest.fixture
def desk() -> tuple[World, str]:
    """Connected and reconciled, on a book of 5.4 at 0.0325 and 14.7 at 0.0335 that stays as it is."""
    return ready()


def order(name: str, **fields: Any) -> m.SubmitParent:
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 20.0, "limit": 0.04}
    return m.SubmitParent(**(usual | fields))


def by_hand(name: str, **fields: Any) -> m.SendOrder:
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 2.0, "price": 0.032}
    return m.SendOrder(**(usual | fields))


def kinds(facts: list[m.Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


# ---------------------------------------------------------------- a parent


def test_a_parent_is_taken_in_lots_and_units(desk: tuple[World, str]) -> None:
    world, name = desk
    (fact,) = world.do(order(name, minutes=10.0, min_child=0.5, max_child=8.0, dial="semi", urgency=7), user="ann")
    assert isinstance(fact, m.ParentAccepted)
    assert msgspec.structs.replace(fact, cause=0, arrival=None) == m.ParentAccepted(
        n=fact.n, t=world.now, id=f"P{fact.n}", user="ann", instrument=name, side=Side.BUY, quantity=200, limit=400,
        start=world.now, end=world.now + 600 * NS, algorithm="adaptive", urgency=7, min_child=5, max_child=80,
        dial="semi", auto_limit=30, arrival=None,
    )  # fmt: skip
    assert fact.arrival == pytest.approx(325 + 10 * 54 / (54 + 147), abs=0.5)


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
        ({"limit": 0.0}, "a price of 0 is nothing"),
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


# ---------------------------------------------------------------- approve, edit, reject


def test_an_approved_proposal_becomes_the_order_that_was_shown(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    facts = world.do(m.Approve(proposal=proposal, revision=1), user="ann")
    assert kinds(facts) == ["Approved", "OrderRequested"]
    request = world.child().request
    assert (request.quantity, request.price, request.post_only, request.by) == (50, 325, True, "ann")
    assert (request.parent, request.proposal) == (world.parent().order.id, proposal)
    (resting,) = world.venue_orders()
    assert (resting.label, resting.amount, resting.price, resting.post_only) == (request.child, 5.0, 0.0325, True)


def test_edit_and_approve_is_one_step(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    facts = world.do(m.Approve(proposal=proposal, revision=1, quantity=2.5, worst=0.032))
    assert isinstance(facts[0], m.Approved)
    assert (facts[0].edited, facts[0].quantity, facts[0].worst) == (True, 25, 320)
    (resting,) = world.venue_orders()
    assert (resting.amount, resting.price) == (2.5, 0.032)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ({"quantity": 0.0}, "a quantity of 0 is nothing"),
        ({"quantity": math.nan}, "amount nan is not a number"),
        ({"quantity": 0.15}, "amount 0.15 is not a multiple of 0.1"),
        ({"quantity": 20.1}, "it is more than the parent has left"),
        ({"worst": 0.0337}, "the price 0.0337 is off the tick of 0.0005"),
        ({"worst": math.inf}, "price inf is not a number"),
        ({"worst": 0.0405}, "its worst price is beyond the parent's limit 0.04"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_the_proposal_stands(
    desk: tuple[World, str], edit: dict[str, float], sentence: str
) -> None:
    world, name = desk
    proposal = proposed(world, name)
    assert world.refused(m.Approve(proposal=proposal, revision=1, **edit)) == sentence
    assert world.desk.proposals[proposal].state == "live"


def test_rejected_means_quiet_for_a_while(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    (fact,) = world.do(m.Reject(proposal=proposal, reason="not now"))
    assert isinstance(fact, m.Rejected)
    assert world.desk.proposals[proposal].reason == "not now"
    n = len(world.facts)
    world.run(10)
    assert world.since(n) == []
    assert (world.parent().start, world.parent().state) == (fact.quiet_until, "working")
    world.until(lambda: world.desk.proposal_of(world.parent().order.id))


def test_rejected_is_quiet_even_when_a_row_fires_all_the_time() -> None:
    always = Row(name="always", kind="opportunistic", when=(), action=Action(times_base=1.0, style="post"))
    world, name = ready(config=Config(policy=(always,)))
    proposal = proposed(world, name, algorithm="adaptive")
    world.do(m.Reject(proposal=proposal))
    n = len(world.facts)
    world.run(9.9)
    assert world.since(n) == []
    world.run(0.2)
    assert kinds(world.since(n)) == ["Proposed"]


@pytest.mark.parametrize("first", ["approve", "reject", "lapse"])
def test_a_proposal_is_answered_once(desk: tuple[World, str], first: str) -> None:
    world, name = desk
    proposal = proposed(world, name)
    if first == "lapse":
        world.until(lambda: world.desk.proposals[proposal].state == "lapsed")
        assert world.desk.proposals[proposal].reason == "nobody answered in time"
    else:
        world.do(m.Approve(proposal=proposal, revision=1) if first == "approve" else m.Reject(proposal=proposal))
    state = world.desk.proposals[proposal].state
    for verb in (m.Approve(proposal=proposal, revision=1), m.Reject(proposal=proposal)):
        assert world.refused(verb).startswith(f"proposal {proposal} is {state}: ")
    assert len(world.desk.children) == (first == "approve")


def test_what_was_never_proposed_cannot_be_answered(desk: tuple[World, str]) -> None:
    world, name = desk
    assert world.refused(m.Approve(proposal="R77", revision=1)) == "there is no proposal R77"
    assert world.refused(m.Reject(proposal="R77")) == "there is no proposal R77"
    proposal = proposed(world, name)
    assert world.refused(m.Approve(proposal=proposal, revision=7)) == f"proposal {proposal} has no revision 7"


def test_an_old_revision_binds_at_what_it_showed(desk: tuple[World, str]) -> None:
    """The bid goes from 0.0325 to 0.033: approving what was seen before rests at the 0.0325 that was seen."""
    world, name = desk
    proposal = proposed(world, name)
    world.trade(Side.BUY, name, 1.0, 0.033, rest=True)
    world.until(lambda: world.desk.proposals[proposal].revision == 2)
    assert world.desk.proposals[proposal].worst == 330
    world.do(m.Approve(proposal=proposal, revision=1))
    assert world.child().request.price == 325


def test_a_better_price_never_refuses(desk: tuple[World, str]) -> None:
    """Seen at 0.033, which is gone: it rests at 0.0325, the touch as it is now."""
    world, name = desk
    world.trade(Side.BUY, name, 1.0, 0.033, rest=True)
    proposal = proposed(world, name)
    assert world.desk.proposals[proposal].worst == 330
    world.clear()
    world.do(m.Approve(proposal=proposal, revision=1))
    assert world.child().request.price == 325


@pytest.fixture
def taker() -> tuple[World, str, str]:
    """A proposal that takes 5 at the ask, whatever the market does."""
    cross = Row(name="cross", kind="opportunistic", when=(), action=Action(times_base=1.0, style="cross"))
    world, name = ready(config=Config(policy=(cross,)))
    return world, name, proposed(world, name, algorithm="adaptive")


def test_a_price_that_moved_out_is_refused(taker: tuple[World, str, str]) -> None:
    world, name, proposal = taker
    shown = world.desk.proposals[proposal]
    assert (shown.worst, shown.revision) == (335, 1)
    world.trade(Side.BUY, name, 14.7, 0.0335)  # all that was offered there
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == (
        "moved out: the ask is 0.034, beyond your worst 0.0335"
    )
    assert world.desk.children == {}


def test_a_taker_leaves_at_the_price_it_needs_now(taker: tuple[World, str, str]) -> None:
    world, name, proposal = taker
    world.trade(Side.SELL, name, 9.0, 0.033, rest=True)
    world.do(m.Approve(proposal=proposal, revision=1))
    world.run(0.2)
    assert (world.child().request.price, world.child().request.post_only) == (330, False)
    assert (world.child().state, world.child().filled) == ("filled", world.child().request.quantity)


def test_a_taker_never_leaves_beyond_its_worst_price(taker: tuple[World, str, str]) -> None:
    """Only 2 are left at the ask that was seen: 5 would need the next price, which nobody approved."""
    world, name, proposal = taker
    world.trade(Side.BUY, name, 12.7, 0.0335)
    world.do(m.Approve(proposal=proposal, revision=1))
    world.run(0.1)
    assert (world.child().request.price, world.child().filled, world.child().state) == (335, 20, "cancelled")


def test_a_row_that_no_longer_holds_refuses() -> None:
    world, name = ready(config=Config(policy=(TIGHT,)))
    world.trade(Side.BUY, name, 1.0, 0.033, rest=True)  # one tick wide
    proposal = proposed(world, name, algorithm="adaptive")
    assert world.desk.proposals[proposal].row == "tight"
    world.clear()
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == "the row 'tight' no longer holds"


def test_the_row_that_was_seen_must_hold_not_the_one_of_now() -> None:
    """Revision 1 was shown for one row, revision 2 stands for another: approving 1 is not approving 2."""
    world, name = ready(config=Config(policy=(TIGHT,)))
    parent = submit(world, name, algorithm="adaptive")
    world.run(16)
    proposal = world.desk.proposal_of(parent)
    assert proposal is not None
    assert proposal.row == "schedule"
    world.trade(Side.BUY, name, 1.0, 0.033, rest=True)
    world.until(lambda: proposal.revision == 2)
    assert proposal.row == "tight"
    assert world.refused(m.Approve(proposal=proposal.born.id, revision=1)) == "the row 'schedule' no longer holds"
    world.do(m.Approve(proposal=proposal.born.id, revision=2))
    assert world.child().state == "open"


def test_a_parent_whose_time_is_over_refuses_between_two_steps() -> None:
    always = Row(name="always", kind="opportunistic", when=(), action=Action(times_base=1.0, style="post"))
    world, name = ready(config=Config(policy=(always,)))
    world.run(0.05)
    proposal = proposed(world, name, algorithm="adaptive", minutes=0.1)
    world.run((world.parent().order.end - world.now) / NS)
    assert (world.now, world.parent().state) == (world.parent().order.end, "working")  # no step has come since
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == "its time is over"


def test_a_row_that_halts_refuses_between_two_steps() -> None:
    halt = Row(name="wide", kind="protective", when=(Condition("spread_ticks", ">", 2.5),), action=Action(halt_s=30.0))
    world, name = ready(config=Config(policy=(halt,)))
    proposal = proposed(world, name, algorithm="adaptive")
    world.trade(Side.SELL, name, 5.4, 0.0325)  # the bid is gone: three ticks wide
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == "halted by the row 'wide'"


def test_an_approval_is_checked_against_the_book_as_it_is(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    world.core.market.venue.books[name].drop("change 7 is missing after 5")
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == (
        f"the book of {name} is stale: change 7 is missing after 5"
    )


def test_an_approval_without_a_book_at_all_is_refused(taker: tuple[World, str, str]) -> None:
    world, name, proposal = taker
    world.look("BTC-PERPETUAL")
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == f"the book of {name} is not subscribed"


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
