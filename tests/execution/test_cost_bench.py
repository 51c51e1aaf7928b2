"""Benchmarks, markouts and foretold slippage, by hand."""

from __future__ import annotations

import pytest

from engine import messages as m
from engine.domain import NS, Side
from engine.execution import cost_bench
from engine.execution.cost_story import Ledger
from tests.execution.costs import TICK, ended, fill, mark, parent, proposed, request, seen
from tests.execution.still import NOW, forecast, slippage


def test_benchmarks_are_prices_of_the_same_time() -> None:
    """Others bought 30 at 334 and 10 at 338; the market rose evenly from 330 to 336 in ten minutes."""
    facts: list[m.Fact] = [
        parent(), seen(2, 330.0, take=337.5, taken=100), seen(3, 333.0, after=300, lots=30, turnover=30 * 334),
        request(4), fill(5, price=335, quantity=40), seen(6, 336.0, after=600, lots=10, turnover=10 * 338),
        ended(7, 336.0),
    ]  # fmt: skip
    found = {row.name: row for row in cost_bench.benchmarks(Ledger.of(facts).parents["P1"])}
    assert {name: row.price for name, row in found.items()} == {
        "arrival": 330.0, "TWAP": 333.0, "VWAP": 335.0, "at once": 337.5,
    }  # fmt: skip
    assert {name: row.ticks for name, row in found.items()} == {
        "arrival": 5.0 / TICK, "TWAP": 2.0 / TICK, "VWAP": 0.0, "at once": -2.5 / TICK,
    }  # fmt: skip


def test_a_seller_is_dearer_where_he_got_less() -> None:
    facts: list[m.Fact] = [
        parent(side=Side.SELL),
        seen(2, 330.0),
        request(3, side=Side.SELL),
        fill(4, side=Side.SELL, price=325),
        ended(5),
    ]
    found = {row.name: row.ticks for row in cost_bench.benchmarks(Ledger.of(facts).parents["P1"])}
    assert found["arrival"] == 5.0 / TICK


def test_what_is_not_known_of_a_benchmark_is_said() -> None:
    facts: list[m.Fact] = [parent(), seen(2, 330.0, take=337.5, taken=43), request(3), fill(4), ended(5)]
    found = {row.name: row for row in cost_bench.benchmarks(Ledger.of(facts).parents["P1"])}
    assert (found["VWAP"].price, found["VWAP"].note) == (None, "nobody else traded")
    assert found["at once"].note == "the book held 4.3 of 10"


def test_of_a_running_parent_the_market_counts_until_now() -> None:
    story = Ledger.of([parent(), seen(2, 330.0)]).parents["P1"]
    found = {row.name: row for row in cost_bench.benchmarks(story, mark(340.0), NOW + 10 * NS)}
    assert (found["TWAP"].price, found["TWAP"].ticks) == (335.0, None)


def test_markouts_of_makers_and_takers_stand_apart() -> None:
    facts: list[m.Fact] = [
        parent(), request(2), fill(3, price=335, quantity=30), fill(4, price=335, quantity=10),
        request(5, "c2", post_only=True), fill(6, "c2", price=325, maker=True),
        m.MarkedOut(n=7, trade="t3", seconds=1, mark=mark(330.0)),
        m.MarkedOut(n=8, trade="t4", seconds=1, mark=mark(340.0)),
        m.MarkedOut(n=9, trade="t6", seconds=1, mark=mark(329.0)), m.MarkedOut(n=10, trade="t6", seconds=5, mark=None),
    ]  # fmt: skip
    ledger = Ledger.of(facts)
    found = {(row.maker, row.seconds): row for row in cost_bench.markouts(ledger, ledger.children.values())}
    assert found[False, 1].ticks.mean == pytest.approx((30 * -5 + 10 * 5) / 40 / TICK)
    assert found[True, 1].ticks.mean == 4.0 / TICK
    assert (found[True, 5].ticks.mean, found[True, 5].missing) == (None, 1)
    assert (found[False, 60].ticks.n, found[False, 60].missing) == (0, 0)
    one = found[False, 1].ticks
    assert one.lo is not None
    assert one.hi is not None
    assert one.lo < one.mean < one.hi  # type: ignore[operator]
    assert found[True, 1].ticks.lo is None


def test_foretold_slippage_stands_beside_what_came_by_model() -> None:
    """Ten lots are one contract: a tenth of the curve's cost of ten; a fill half a tick beyond the touch."""
    said = forecast(slip_buy=slippage(4.0), source="lstm-a")
    other = forecast(slip_buy=slippage(10.0), source="lstm-b")
    facts: list[m.Fact] = [parent()]
    for k, (model, price) in enumerate([(said, 335), (said, 340), (other, 340)]):
        n = 10 * (k + 1)
        facts += [proposed(n, f"R{n}", forecast=model), request(n + 1, f"c{n}", proposal=f"R{n}"),
                  fill(n + 2, f"c{n}", price=price)]  # fmt: skip
    found = {row.model: row for row in cost_bench.predicted(Ledger.of(facts).children.values())}
    a, b = found["lstm-a"], found["lstm-b"]
    assert [a.predicted.mean, a.realised.mean] == pytest.approx([0.4, 2.5 / TICK])
    assert (a.realised.n, a.inside) == (2, 0.0)
    assert [b.predicted.mean, b.realised.mean] == pytest.approx([1.0, 5 / TICK])
    assert b.inside == 1.0
