"""The override scorecard: counted in full, scored by the stated rule, silent while there is too little."""

from __future__ import annotations

from typing import Any

import pytest

from engine import messages as m
from engine.domain import Side
from engine.execution import cost_calls
from engine.execution.cost_story import Ledger
from tests.execution.costs import TICK, ended, fill, mark, parent, proposed, request
from tests.execution.still import CALL, forecast


def scored(*facts: m.Fact) -> list[cost_calls.Call]:
    return cost_calls.calls(Ledger.of(facts))


def rejected(n: int, proposal: str = "R1", **fields: Any) -> m.Rejected:
    return m.Rejected(n=n, proposal=proposal, by="ann", reason=fields.pop("reason", "not now"), **fields)


def test_a_rejected_suggestion_that_crosses_is_taken_at_the_walk_of_its_time() -> None:
    """It would have paid 336 for ten; six were had at 331 afterwards, and four not at all: 340 when it ended."""
    (one,) = scored(
        parent(), proposed(2), rejected(3, mark=mark(take=336.0, taken=10)), request(4, proposal="R9", post_only=True),
        fill(5, quantity=6, price=331), ended(6, 340.0),
    )  # fmt: skip
    paid = (6 * 331 + 4 * 340) / 10
    assert (one.suggested, one.paid) == (336.0, paid)
    assert one.earned == pytest.approx((336.0 - paid) / TICK)
    assert one.coin == pytest.approx((336.0 - paid) * 10 * CALL.lot * CALL.tick)


def test_one_that_rests_is_taken_at_its_touch_by_the_chance_of_a_fill() -> None:
    facts: list[m.Fact] = [parent(), proposed(2, cross=False, forecast=forecast(fill_bid=0.4))]
    lapsed = m.Lapsed(n=3, proposal="R1", reason="nobody answered", rebased=1, mark=mark(330.0))
    (one,) = scored(*facts, lapsed, request(4, post_only=True), fill(5, price=335), ended(6))
    assert one.decision.kind == "unanswered"
    assert one.suggested == pytest.approx(0.4 * 325 + 0.6 * 335)
    (silent,) = scored(
        parent(), proposed(2, cross=False), lapsed, request(4, post_only=True), fill(5, price=335), ended(6)
    )
    assert (silent.earned, silent.why) == (None, "no forecast says how likely it would have been filled")


def test_a_seller_earns_where_he_got_more_afterwards() -> None:
    side = Side.SELL
    (one,) = scored(
        parent(side=side), proposed(2, side=side), rejected(3, mark=mark(take=324.0, taken=10)),
        request(4, side=side, post_only=True), fill(5, side=side, price=329), ended(6),
    )  # fmt: skip
    assert one.earned == 5.0 / TICK


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ([rejected(3)], "the market at the decision was not kept"),
        ([rejected(3, mark=mark(take=336.0, taken=4))], "the book did not hold its size"),
        ([rejected(3, mark=mark(take=336.0, taken=10))], "the parent still works"),
        ([rejected(3, mark=mark(take=336.0, taken=10)), ended(4, None)], "the market at the parent's end was not kept"),
    ],
)
def test_what_cannot_be_scored_says_why(facts: list[m.Fact], why: str) -> None:
    (one,) = scored(parent(), proposed(2), *facts)
    assert (one.earned, one.why) == (None, why)


def test_a_press_is_held_against_what_came_after_it() -> None:
    press, later = request(2, "now"), request(4, "later", proposal="R1", post_only=True)
    (one,) = scored(parent(), press, fill(3, "now", price=335), later, fill(5, "later", price=339), ended(6))
    assert (one.decision.kind, one.earned) == ("pressed", 4.0 / TICK)


def test_every_decision_is_counted_once_by_what_it_was() -> None:
    def answered(n: int, **fields: Any) -> list[m.Fact]:
        usual: dict[str, Any] = {"revision": 1, "by": "ann", "quantity": 10, "worst": 335, "edited": False}
        return [proposed(n, f"R{n}"), m.Approved(n=n + 1, proposal=f"R{n}", **(usual | fields))]

    facts = [
        parent(), *answered(10), *answered(20, edited=True), *answered(30, by="auto"), proposed(40, "R40"),
        rejected(41, "R40", reason=""), proposed(50, "R50"), m.Lapsed(n=51, proposal="R50", reason="moved out"),
        proposed(60, "R60"), m.Lapsed(n=61, proposal="R60", reason="nobody answered", rebased=5),
    ]  # fmt: skip
    calls = scored(*facts)
    tally = {row.kind: row.n for row in cost_calls.scorecard(calls)}
    assert tally == {
        "approved": 1, "edited": 1, "rejected": 1, "unanswered": 1, "pressed": 0, "automatic": 1, "withdrawn": 1,
        "all overrides": 3,
    }  # fmt: skip
    assert cost_calls.reasons(calls) == [("no reason given", 1)]


def many(parents: int, each: int) -> list[m.Fact]:
    """Rejections that earned one tick in every second parent and two in the others."""
    facts: list[m.Fact] = []
    for p in range(parents):
        name, n = f"P{p}", 1000 * p
        facts.append(parent(id=name, n=n))
        for k in range(each):
            at = n + 10 * k
            facts += [proposed(at + 1, f"R{at}", parent=name),
                      rejected(at + 2, f"R{at}", mark=mark(take=335.0, taken=10))]  # fmt: skip
        facts.append(ended(n + 999, 335.0 - TICK * (1 + p % 2), parent=name))
    return facts


def test_too_few_say_nothing_and_enough_come_with_an_error_bar() -> None:
    few = {row.kind: row for row in cost_calls.scorecard(scored(*many(2, 3)))}["rejected"]
    assert few.said == "too few to say: 6 of 20 decisions, 2 of 5 parents"
    assert few.earned.lo is None
    enough = {row.kind: row for row in cost_calls.scorecard(scored(*many(6, 4)))}["rejected"]
    assert enough.said == ""
    assert enough.earned.mean == pytest.approx(1.5)
    assert enough.earned.lo is not None
    reach = 1.6449 * (6 * (4 * 0.5) ** 2 * 6 / 5) ** 0.5 / 24
    assert enough.earned.lo == pytest.approx(1.5 - reach, rel=1e-4)
