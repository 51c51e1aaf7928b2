"""What a cost is told from is kept when it happens: on a real desk against the paper venue, joined by a wire."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine.domain import NS, Side
from engine.execution import cost, markout
from engine.execution.cost_story import Ledger
from engine.execution.mark import mark, marked
from tests.execution.costs import fill, request
from tests.execution.desks import desk_of
from tests.execution.still import NAME, NOW, Still
from tests.link import World, proposed, submit


def still() -> Still:
    picture = Still()
    picture.micros[NAME] = 330.0
    picture.deltas[NAME] = 0.4
    return picture


def test_a_mark_says_what_taking_the_size_would_come_to() -> None:
    found = mark(still(), NAME, Side.BUY, 80)
    assert found
    assert (found.bid, found.ask, found.half) == (325, 335, 5.0)
    assert (found.take, found.taken) == ((50 * 335 + 30 * 340) / 80, 80)
    thin = mark(still(), NAME, Side.SELL, 1000)
    assert thin
    assert thin.taken == 250


def test_there_is_no_mark_of_a_book_that_cannot_be_believed() -> None:
    picture = still()
    picture.venue.books[NAME].drop("a gap")
    assert mark(picture, NAME) is None


def test_the_mark_of_a_fill_is_the_market_before_it() -> None:
    """A taker's as its order left; a resting order's as the clock last stepped; none of a fill long ago."""
    picture, then = still(), mark(still(), NAME)
    picture.before[NAME] = (331.5, 330, 333)
    desk = desk_of(request(3, child="took", parent="", mark=then), request(4, child="rested", parent="", mark=then))
    bare = {"at": NOW, "mark": None}
    took = marked(desk, picture, fill(5, "took", **bare))
    rested = marked(desk, picture, fill(6, "rested", maker=True, **bare))
    late = marked(desk, picture, fill(7, "took", at=NOW - 60 * NS, mark=None))
    elsewhere = marked(desk, picture, fill(8, "", **bare))
    assert isinstance(rested, m.Filled)
    assert rested.mark
    assert took == fill(5, "took", at=NOW, mark=then)
    assert (rested.mark.micro, rested.mark.bid, rested.mark.ask) == (331.5, 330, 333)
    assert late == fill(7, "took", at=NOW - 60 * NS, mark=None)
    assert elsewhere == fill(8, "", **bare)


@pytest.mark.parametrize(("after", "seen"), [(1.0, True), (1.9, True), (2.1, False)])
def test_a_markout_that_is_late_is_unknown_not_invented(after: float, seen: bool) -> None:
    picture, desk = still(), desk_of(request(3, child="c", parent=""), fill(4, "c"))
    picture.now = NOW + round(after * NS)
    first = next(iter(markout.look(desk, picture)))
    assert isinstance(first, m.MarkedOut)
    assert (first.trade, first.seconds, first.mark is not None) == ("t4", 1, seen)
    picture.halted = "the disk is full"
    assert not list(markout.look(desk, picture))


def test_what_happened_while_it_lived_is_in_the_journal(desk: tuple[World, str]) -> None:
    """Arrival, looks, a fill with the market before it, four markouts, an end; a ledger told live is the journal's."""
    world, name = desk
    parent = submit(world, name, quantity=10.0, minutes=0.5, dial="auto", urgency=10)
    live = Ledger()
    world.run(100)
    for fact in world.facts:
        live.take(fact)
    story = live.parents[parent]
    assert story.decided.mark
    assert story.seen[0].mark.taken == 100
    assert story.fills
    assert all(each.mark for each in story.fills)
    assert story.ended
    assert story.ended.mark
    assert world.desk.due == []
    assert {seconds for each in story.fills for seconds in live.after[each.trade]} == {1, 5, 30, 60}
    kept = [m.unpack_fact(m.pack(fact)) for fact in world.facts]
    assert cost.of_parent(Ledger.of(kept).parents[parent]) == cost.of_parent(story)
    found = cost.of_parent(story)
    assert not found.unknown
    ticks = found.told("ticks")
    assert ticks
    assert ticks["total"] == pytest.approx(sum(ticks[term] for term in cost.TERMS))


def test_what_is_owed_survives_a_restart(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, quantity=5.0, minutes=0.2, dial="auto", urgency=10)
    world.until(lambda: world.desk.fills)
    owed = list(world.desk.due)
    assert [due.seconds for due in owed][:1] == [1]
    assert type(world.desk).load(msgspec.msgpack.decode(msgspec.msgpack.encode(world.desk.dump()))).due == owed
    world.die()
    world.run(45)
    world.rise()
    world.look(name)
    world.run(40)
    told = {fact.seconds: fact.mark for fact in world.facts if isinstance(fact, m.MarkedOut)}
    assert (told[1], told[5], told[30]) == (None, None, None)
    assert told[60] is not None


def test_an_answer_to_a_proposal_keeps_the_market_it_was_given_in(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    (fact,) = world.do(m.Reject(proposal=proposal, reason="not now"))
    assert isinstance(fact, m.Rejected)
    assert fact.mark
    assert fact.mark.taken == world.desk.proposals[proposal].quantity
