"""Costs on the screen: what the ledger tells, live as from the journal; one parent in full; a replay makes no files."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine import view
from engine.execution.cost import TERMS
from engine.execution.cost_story import Ledger
from engine.view.costs import detail, told
from tests.execution.costs import ended, fill, mark, parent, request, seen
from tests.execution.still import NAME, NOW
from tests.link import ready, submit


def ledger() -> Ledger:
    return Ledger.of([parent(), seen(2, 330.0), request(3), fill(4, price=340, mark=mark(334.0)), seen(5, 334.0)])


def test_a_running_parent_counts_at_the_present_market() -> None:
    (row,) = told(ledger(), {NAME: mark(350.0)}, NOW).parents
    assert row.ticks
    assert row.ticks["opportunity"] == pytest.approx(90 * 20 / 100 / 5)
    assert row.final == pytest.approx(0.035)
    (row,) = told(ledger(), {}, NOW).parents
    assert row.final == pytest.approx(0.0334)


def test_the_fills_of_a_parent_sum_to_its_terms() -> None:
    found = detail(ledger(), "P1", {}, NOW)
    assert found.parent.ticks
    (one,) = found.fills
    for term, value in one.ticks.items():
        assert value * one.amount / found.parent.amount == pytest.approx(found.parent.ticks[term])
    assert [point.done for point in found.points] == [0.0, 1.0]


def test_only_the_newest_are_listed_and_the_rest_is_counted() -> None:
    many = Ledger.of([parent(id=f"P{k}", n=k) for k in range(1, 6)])
    found = told(many, {}, NOW, most=2)
    assert ([row.id for row in found.parents], found.more) == (["P5", "P4"], 3)


def test_a_desk_tells_of_what_it_does() -> None:
    world, name = ready()
    number = submit(world, name, quantity=5.0, minutes=0.3, dial="auto", urgency=10)
    world.until(lambda: world.desk.fills)
    live = Ledger.of(world.facts)
    (row,) = view.costs(world.core, live).parents
    assert (row.id, row.state, set(row.ticks or {})) == (number, "done", {*TERMS, "total"})
    answer = view.costed(world.core, live, m.AskCost(id="a", form="json", parents=(number,)))
    assert msgspec.json.decode(answer.data, type=m.CostDetail).parent.id == number
    assert "no parent P99" in view.costed(world.core, live, m.AskCost(id="a", form="json", parents=("P99",))).reason
    assert "a replay makes no files" in view.costed(world.core, live, m.AskCost(id="a", form="html")).reason


def test_an_ended_parent_stands_as_it_ended() -> None:
    done = Ledger.of([parent(), seen(2, 330.0), ended(3, 333.0)])
    (row,) = told(done, {NAME: mark(400.0)}, NOW).parents
    assert row.final == pytest.approx(0.0333)
