"""The hard blocks of the book as a whole, of the venue's patience and of whose order it is, in a trader's words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Bounds, Config, Limits, Named
from engine.domain import NS, Side
from engine.execution import risk
from tests.execution.desks import GREEKS, OTHER, desk_of, filled, parent_of, picture_of, request, wanted
from tests.execution.still import CALL, NAME, NOW


def limited(**limits: Any) -> Config:
    return Config(limits=Limits(**limits))


# ---------------------------------------------------------------- the book as a whole


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [  # 5 contracts held, 1 on its way, 5 wanted: 11 × 0.4 delta, 2e-5 gamma, 90 vega
        ({"position_delta": 4.3}, "the book's delta could become +4.4 coin: the limit is 4.3"),
        ({"position_delta": 4.5}, ""),
        ({"position_gamma": 0.00021}, "the book's gamma could become +0.00022 coin a USD: the limit is 0.00021"),
        ({"position_gamma": 0.00023}, ""),
        ({"position_vega": 980.0}, "the book's vega could become +990 USD a vol point: the limit is 980"),
        ({"position_vega": 1000.0}, ""),
    ],
)
def test_greeks_of_the_book_are_bounded_with_what_is_on_its_way(limits: dict[str, float], sentence: str) -> None:
    desk = desk_of(filled(1, quantity=50), request(9), config=limited(**limits))
    assert risk.blocked(desk, picture_of(), wanted()) == sentence


def test_what_brings_a_greek_back_may_always_go() -> None:
    desk = desk_of(filled(1, quantity=500), config=limited(position_delta=4.0))
    assert "delta" in risk.blocked(desk, picture_of(), wanted(quantity=1))
    assert risk.blocked(desk, picture_of(), wanted(side=Side.SELL, price=330, quantity=500)) == ""


def test_a_greek_that_is_not_known_blocks() -> None:
    picture = picture_of()
    picture.deltas.clear()
    assert risk.blocked(desk_of(), picture, wanted()) == f"the delta of {NAME} is not known"
    picture = picture_of()
    picture.ticker(mark_price=0.033)
    assert risk.blocked(desk_of(), picture, wanted()) == f"the gamma of {NAME} is not known"


def test_what_is_held_and_not_listed_blocks_until_it_expires() -> None:
    desk = desk_of(filled(1, instrument="BTC-27MAR26-70000-C"))
    sentence = "the venue has not listed BTC-27MAR26-70000-C, which is held"
    assert risk.blocked(desk, picture_of(), wanted()) == sentence


@pytest.mark.parametrize(("limit", "blocks"), [(10.9, True), (11.0, False)])
def test_short_options_of_an_expiry_are_bounded(limit: float, blocks: bool) -> None:
    """5 sold, 1 on its way, 5 more; a purchase on its way covers nothing."""
    desk = desk_of(
        filled(1, Side.SELL, 50), request(9, side=Side.SELL, price=335), request(10, price=300, instrument=OTHER.name),
        config=limited(short_per_expiry=limit),
    )  # fmt: skip
    order = wanted(side=Side.SELL, price=330)
    sentence = f"11 calls of 27MAR26 would be sold short: the limit is {limit:.12g}"
    assert risk.blocked(desk, picture_of(), order) == (sentence if blocks else "")
    assert risk.blocked(desk, picture_of(), wanted(price=330)) == ""


def test_margin_is_bounded_with_what_the_venue_has_not_counted_yet() -> None:
    picture = picture_of()
    picture.venue.own.account = {"equity": 1.0, "margin": 0.5, "t": float(NOW)}
    assert risk.blocked(desk_of(), picture, wanted()) == ""  # five at 0.0335 are 0.169 coin
    desk = desk_of(request(9, quantity=50))
    assert risk.blocked(desk, picture, wanted()) == "0.8330 of 1.0000 BTC would be bound as margin: the limit is 80%"
    opened = m.OrderOpened(child="s-9", order="v-9", price=325)
    assert risk.blocked(desk_of(request(9, quantity=50), opened), picture, wanted()) == ""
    picture.venue.own.account = {}
    assert risk.blocked(desk_of(), picture, wanted()) == "the venue has not stated the account's margin"


def test_a_short_option_binds_more_than_its_premium() -> None:
    picture = picture_of()
    picture.venue.index = 80_000.0
    picture.venue.own.account = {"equity": 1.0, "margin": 0.0, "t": float(NOW)}
    order = wanted(side=Side.SELL, price=330)  # 5 × (15 % + 0.033)
    assert risk.blocked(desk_of(), picture, order) == "0.9150 of 1.0000 BTC would be bound as margin: the limit is 80%"
    assert risk.blocked(desk_of(filled(1, quantity=50)), picture, order) == ""  # it only closes


@pytest.mark.parametrize(("minutes", "blocks"), [(9.9, True), (10.0, False)])
def test_nothing_new_shortly_before_expiry(minutes: float, blocks: bool) -> None:
    picture = picture_of()
    picture.now = CALL.expiry - round(minutes * 60 * NS)
    picture.ticker(mark_price=0.033, greeks=GREEKS)
    sentence = f"{NAME} expires in 9.9 minutes: nothing new in the last 10"
    assert risk.blocked(desk_of(), picture, wanted()) == (sentence if blocks else "")


def test_the_day_s_loss_is_bounded() -> None:
    bought = filled(1, quantity=100, price=430, fee=0.003)  # ten at 0.043, worth 0.033
    assert risk.blocked(desk_of(bought, config=limited(daily_loss=0.11)), picture_of(), wanted()) == ""
    desk = desk_of(bought, config=limited(daily_loss=0.1))
    assert risk.blocked(desk, picture_of(), wanted()) == "0.1030 BTC lost today: the limit is 0.1"
    picture = picture_of()
    picture.now += 86_400 * NS
    picture.ticker(mark_price=0.033, greeks=GREEKS)
    assert risk.blocked(desk, picture, wanted()) == ""  # another day
    picture = picture_of()
    picture.ticker(mark_price=None, greeks=GREEKS)
    assert "the day's result is not known: a mark price is missing" in [
        refusal.reason for refusal, _ in risk.judged(desk, picture, wanted())
    ]


@pytest.mark.parametrize(("side", "price", "blocks"), [(Side.BUY, 345, True), (Side.SELL, 320, True),
                                                       (Side.BUY, 340, False), (Side.SELL, 325, False)])  # fmt: skip
def test_the_venue_s_own_bounds_hold(side: Side, price: int, blocks: bool) -> None:
    picture = picture_of()
    picture.ticker(mark_price=0.033, greeks=GREEKS, min_price=0.0325, max_price=0.034)
    assert ("the venue's own bound" in risk.blocked(desk_of(), picture, wanted(side=side, price=price))) is blocks


# ---------------------------------------------------------------- the venue's patience


def test_credits_are_kept_for_cancels() -> None:
    picture = picture_of()
    picture.venue.meter.credits, picture.venue.meter.t = 9_999.0, NOW
    sentence = "20% of the venue's credits are left: they are kept for cancels"
    assert risk.blocked(desk_of(), picture, wanted()) == sentence
    picture.now += NS // 1000
    assert risk.blocked(desk_of(), picture, wanted()) == ""


def test_requests_of_the_matching_engine_are_kept_for_cancels() -> None:
    picture = picture_of()
    picture.venue.meter.requests, picture.venue.meter.t = 5.9, NOW
    sentence = "the venue takes 5 orders a second: what it still takes now is kept for cancels"
    assert risk.blocked(desk_of(), picture, wanted()) == sentence
    picture.now += NS // 10
    assert risk.blocked(desk_of(), picture, wanted()) == ""


def test_orders_are_in_proportion_to_what_they_fill() -> None:
    """An immediate order that finds nobody counts twice."""
    config = limited(orders_free=2, orders_per_contract=1.0)
    sent: list[m.Fact] = []
    for k in range(2):
        sent += [request(k, post_only=False), m.OrderEnded(child=f"s-{k}", state="cancelled", reason="")]
    assert risk.blocked(desk_of(*sent[:2], filled(1), config=config), picture_of(), wanted()) == ""
    assert risk.blocked(desk_of(*sent, filled(1), config=config), picture_of(), wanted()) == (
        "4 orders today for 1 contracts filled: the venue watches the ratio"
    )
    assert risk.blocked(desk_of(*sent, filled(1, quantity=30), config=config), picture_of(), wanted()) == ""


# ---------------------------------------------------------------- whose order it is


BOUNDS: dict[str, Any] = {
    "order_contracts": (4.0, "5 contracts is over the limit of 4 an order {who}"),
    "order_value": (0.1, "0.1675 BTC is over the limit of 0.1 an order {who}"),
    "open_orders": (1, "1 orders {who} are working already"),
    "orders_per_10s": (1, "1 orders {who} in the last 10 s: the limit is 1"),
}


@pytest.mark.parametrize("field", list(BOUNDS))
@pytest.mark.parametrize(("scope", "who"), [("instruments", f"in {NAME}"), ("parent", "of parent P1"),
                                            ("traders", "of ann")])  # fmt: skip
def test_an_order_must_be_inside_every_bound(field: str, scope: str, who: str) -> None:
    most, sentence = BOUNDS[field]
    names = {"instruments": NAME, "traders": "ann"}
    bounds = Bounds(**{field: most}) if scope == "parent" else (Named(name=names[scope], **{field: most}),)
    desk = desk_of(parent_of(), request(9, parent="P1"), config=limited(**{scope: bounds}))
    assert risk.blocked(desk, picture_of(), wanted(parent="P1")) == sentence.format(who=who)
    by_bob = msgspec.structs.replace(wanted(by="bob"), instrument=OTHER)
    assert not any(who in refusal.reason for refusal, _ in risk.judged(desk, picture_of(), by_bob))


def test_positions_are_bounded_by_instrument_and_by_trader() -> None:
    """5 of ann's parent are filled, 1 is on its way; bob holds nothing."""
    mine = (parent_of(), request(9, parent="P1", quantity=60), filled(1, child="s-9", quantity=50))
    desk = desk_of(*mine, config=limited(instruments=(Named(name=NAME, position_contracts=10.0),)))
    sentence = f"11 contracts of {NAME} would be over the limit of 10"
    assert risk.blocked(desk, picture_of(), wanted(parent="P1")) == sentence
    assert risk.blocked(desk, picture_of(), wanted(by="bob")) == sentence
    traders = tuple(Named(name=name, position_contracts=10.0) for name in ("ann", "bob"))
    desk = desk_of(*mine, config=limited(traders=traders))
    assert risk.blocked(desk, picture_of(), wanted(parent="P1")) == (
        f"11 contracts of {NAME} by ann would be over the limit of 10"
    )
    assert risk.blocked(desk, picture_of(), wanted(by="bob")) == ""


# ---------------------------------------------------------------- executed again and again


def test_what_was_executed_too_often_waits_for_a_person() -> None:
    tripped = m.RepeatsTripped(instrument=NAME, side=Side.BUY, count=60, seconds=60.0)
    sentence = f"buy orders of {NAME} were executed 60 times in 60 s: a person must re-arm it"
    assert risk.blocked(desk_of(tripped), picture_of(), wanted()) == sentence
    assert risk.blocked(desk_of(tripped), picture_of(), wanted(side=Side.SELL, price=330)) == ""
    rearmed = m.RepeatsRearmed(instrument=NAME, by="ann", reason="a real order")
    assert risk.blocked(desk_of(tripped, rearmed), picture_of(), wanted()) == ""
