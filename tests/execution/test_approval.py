"""A proposal is answered once, for what was seen, on the market as it is now."""

from __future__ import annotations

import math

import pytest

from engine import messages as m
from engine.config import Action, Condition, Config, Row
from engine.domain import NS, Side
from tests.execution.scenes import kinds
from tests.link import World, proposed, ready, submit

TIGHT = Row(name="tight", kind="opportunistic", when=(Condition("spread_ticks", "<", 1.5),),
            action=Action(times_base=1.0, style="post"))  # fmt: skip


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
