"""Shortfall, split: the terms sum to it exactly, whatever happened; each is what its formula says; sells mirror."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import messages as m
from engine.domain import Side, instrument_of
from engine.execution import cost
from engine.execution.cost_story import Ledger, Story
from tests.execution.costs import TICK, ended, fill, mark, parent, proposed, request, seen
from tests.execution.still import CALL

FUTURE = "BTC-PERPETUAL"


def story(*facts: m.Fact) -> Story:
    return Ledger.of(facts).parents["P1"]


def shortfall(told: Story) -> Fraction:
    """The definition, in whole numbers as far as they are: lots × units."""
    assert told.final
    sign, decision, filled = told.order.side.sign, Fraction(told.decided.mark.micro), told.filled  # type: ignore[union-attr]
    paid = sum(Fraction(f.quantity) * (f.price - decision) for f in told.fills)
    left = (told.order.quantity - filled) * (Fraction(told.final.micro) - decision)
    instrument = instrument_of(told.order.instrument)
    lot_unit = cost.scale_of(instrument, 1, told.decided.mark.micro, []).coin  # type: ignore[union-attr]
    return sign * (paid + left) + sum(Fraction(f.fee) for f in told.fills) / Fraction(lot_unit)


prices = st.floats(100.0, 900.0)
maybe = st.none() | st.floats(20.0, 90.0)
marks = st.builds(
    mark, micro=prices, forward=st.none() | st.floats(50_000.0, 150_000.0), iv=maybe,
    delta=st.none() | st.floats(-1.0, 1.0), vega=st.none() | st.floats(0.0, 30.0),
)  # fmt: skip
fills = st.lists(
    st.fixed_dictionaries({
        "quantity": st.integers(1, 40), "price": st.integers(100, 900), "maker": st.booleans(),
        "fee": st.floats(-0.001, 0.01), "mark": st.none() | marks,
    }),
    max_size=8,
)  # fmt: skip


@given(st.sampled_from(Side), prices, prices, prices, fills, st.integers(0, 300), st.booleans(), st.booleans())
def test_the_terms_sum_to_the_shortfall(
    side: Side, decision: float, arrival: float, final: float, made: list[dict[str, Any]], left: int, ends: bool,
    inverse: bool,
) -> None:  # fmt: skip
    name = FUTURE if inverse else CALL.name
    quantity = sum(one["quantity"] for one in made) + left or 1
    facts: list[m.Fact] = [
        parent(side=side, quantity=quantity, mark=mark(decision), instrument=name), seen(2, arrival),
        request(3, side=side, instrument=name),
    ]  # fmt: skip
    facts += [fill(4 + k, side=side, instrument=name, **one) for k, one in enumerate(made)]
    facts.append(ended(50, final) if ends else seen(50, final))
    told = story(*facts)
    found = cost.of_parent(told)
    tick = Fraction(found.scale.tick) * quantity
    assert abs(Fraction(found.total) - shortfall(told)) / tick < Fraction(1, 10**9)
    units: tuple[cost.Unit, ...] = ("ticks", "vol", "coin", "usd")
    for unit in units:
        if said := found.told(unit):
            assert sum(said[term] for term in cost.TERMS) == pytest.approx(said["total"], rel=1e-9, abs=1e-9)


def test_each_term_by_hand() -> None:
    """Bought 10 at the ask of 340 and 10 resting at 328 of 100, with the forward up 900 and IV down half a point."""
    later = mark(335.0, bid=330, ask=340, forward=90_900.0, iv=49.5)
    told = story(
        parent(mark=mark(330.0)), seen(2, 331.0), request(3),
        fill(4, price=340, mark=later, fee=0.0003),
        fill(5, price=328, maker=True, mark=mark(331.0, bid=328, ask=334), fee=0.0003), ended(6, 336.0),
    )  # fmt: skip
    found = cost.of_parent(told)
    slope = (0.45 / 90_000 + 0.45 / 90_900) / 2 / CALL.tick
    under, vol = 10 * slope * 900, 10 * 8.0 * -0.5
    assert found.terms == pytest.approx({
        "delay": 100 * 1.0, "underlying": under, "volatility": vol, "timing": 10 * 4.0 - under - vol,
        "spread": 10 * 5 - 10 * 3, "impact": 10 * (340 - 335 - 5) + 10 * (328 - 331 + 3),
        "opportunity": 80 * 5.0, "fees": 0.0006 / (CALL.lot * CALL.tick),
    })  # fmt: skip
    assert not found.unknown
    ticks, coin, usd, points = (found.told(unit) for unit in ("ticks", "coin", "usd", "vol"))
    assert ticks
    assert coin
    assert usd
    assert points
    assert ticks["delay"] == pytest.approx(1.0 / TICK)
    assert coin["fees"] == pytest.approx(0.0006)
    assert usd["fees"] == pytest.approx(0.0006 * 89_900)
    assert points["opportunity"] == pytest.approx(80 * 5.0 / 100 / 8.0)


@given(prices, prices, st.integers(100, 900), st.booleans())
def test_a_seller_is_the_mirror(arrival: float, final: float, price: int, maker: bool) -> None:
    """The same prices turned round a point cost a seller what they cost a buyer."""

    def turned(micro: float, flip: bool) -> m.Mark:
        at = 1000.0 - micro if flip else micro
        return mark(at, bid=at - 4, ask=at + 4, delta=-0.4 if flip else 0.4, vega=-6.0 if flip else 6.0)

    both = []
    for flip, side in ((False, Side.BUY), (True, Side.SELL)):
        paid = 1000 - price if flip else price
        told = story(
            parent(side=side, mark=turned(330.0, flip)),
            msgspec.structs.replace(seen(2), mark=turned(arrival, flip)), request(3, side=side),
            fill(4, side=side, price=paid, maker=maker, mark=turned(arrival + 3, flip)),
            msgspec.structs.replace(ended(5), mark=turned(final, flip)),
        )  # fmt: skip
        both.append(cost.of_parent(told).terms)
    assert both[0] == pytest.approx(both[1], abs=1e-6)


def test_what_nobody_saw_is_left_in_timing_and_said() -> None:
    told = story(parent(), seen(2, 330.0), request(3), fill(4, mark=None), fill(5, quantity=30, price=332), ended(6))
    found = cost.of_parent(told)
    assert found.terms["timing"] == 10 * 5.0
    assert found.unknown == {"underlying": 0.25, "volatility": 0.25, "spread": 0.25, "impact": 0.25}


def test_without_a_final_price_what_is_left_is_left_out() -> None:
    found = cost.of_parent(story(parent(), seen(2, 340.0), request(3), fill(4, price=345), ended(5, None)))
    assert found.terms["delay"] == 10 * 10.0
    assert found.terms["opportunity"] == 0.0
    assert found.unknown == {"opportunity": 1.0}


def test_an_older_desk_kept_the_arrival_only() -> None:
    told = story(parent(mark=None, arrival=330.0), request(3, mark=None), fill(4, mark=None, price=340))
    found = cost.of_parent(told)
    assert found.total == pytest.approx(10 * 10.0 + 0.0003 / (CALL.lot * CALL.tick))
    assert set(found.unknown) == {"delay", "underlying", "volatility", "spread", "impact", "opportunity"}
    assert found.told("usd") is None
    nothing = cost.of_parent(story(parent(mark=None, arrival=None), request(3, mark=None), fill(4, mark=None)))
    assert nothing.total == nothing.terms["fees"]
    assert set(nothing.unknown) == set(cost.TERMS) - {"fees"}


def test_what_is_left_of_a_running_parent_counts_as_the_market_stands() -> None:
    told = story(parent(), seen(2, 330.0), seen(3, 333.0, after=5))
    assert cost.of_parent(told).terms["opportunity"] == 100 * 3.0
    assert cost.of_parent(told, mark(340.0)).terms["opportunity"] == 100 * 10.0


def test_a_child_pays_for_the_time_until_it_was_approved_and_not_for_what_was_not_filled() -> None:
    facts: list[m.Fact] = [
        parent(), seen(2), proposed(3, mark=mark(330.0)), m.Approved(n=4, proposal="R1", revision=1, by="ann",
        quantity=10, worst=340, edited=False), request(5, proposal="R1", mark=mark(332.0)),
        fill(6, quantity=4, price=337, mark=mark(332.0)),
    ]  # fmt: skip
    found = cost.of_child(Ledger.of(facts).children["c1"])
    assert (found.terms["delay"], found.terms["spread"], found.terms["opportunity"]) == (4 * 2.0, 4 * 5.0, 0.0)
    assert found.scale.lots == 4


def test_a_fill_made_elsewhere_costs_a_parent_once_it_has_adopted_it() -> None:
    elsewhere: list[m.Fact] = [parent(quantity=10), seen(2), fill(3, child="", price=340, mark=None)]
    assert story(*elsewhere).filled == 0
    told = story(*elsewhere, m.FillAdopted(n=4, trade="t3", parent="P1", by="ann"), ended(5, 500.0, outcome="done"))
    found = cost.of_parent(told)
    assert told.filled == 10
    assert (found.terms["timing"], found.terms["opportunity"]) == (100.0, 0.0)
    assert found.unknown["impact"] == 1.0
