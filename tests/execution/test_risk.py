"""The hard blocks of one order, of the market and of the desk, with the sentence that a trader reads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Config, Limits
from engine.domain import NS, Side, instrument_of
from engine.execution import risk
from tests.execution.desks import GREEKS, OTHER, desk_of, picture_of, request, wanted
from tests.execution.still import CALL, NAME, NOW, Still

PERPETUAL = instrument_of("BTC-PERPETUAL")


def test_an_order_like_any_other_may_go() -> None:
    for side, price in ((Side.BUY, 335), (Side.SELL, 325)):
        assert risk.blocked(desk_of(), picture_of(), wanted(side=side, price=price)) == ""


# ---------------------------------------------------------------- the order itself


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"quantity": 0}, "the quantity is nothing"),
        ({"quantity": -5}, "the quantity is nothing"),
        ({"quantity": 501}, "50.1 contracts is over the limit of 50 an order"),
        ({"price": 0}, "the price 0 is off the tick of 0.0001"),
        ({"price": -5}, "the price -0.0005 is off the tick of 0.0001"),
        ({"price": 337}, "the price 0.0337 is off the tick of 0.0005"),
        ({"price": 430 + 5}, "the price 0.0435 is above the collar at 0.043"),
        ({"side": Side.SELL, "price": 230 - 5}, "the price 0.0225 is below the collar at 0.023"),
    ],
)
def test_what_an_order_may_not_be(fields: dict[str, Any], sentence: str) -> None:
    assert risk.blocked(desk_of(), picture_of(), wanted(**fields)) == sentence


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": 500},
        {"quantity": 1},
        {"price": 430},  # 20 ticks of 5 units above the mark
        {"side": Side.SELL, "price": 230},
        {"price": 5},  # a bid too low harms nobody
        {"side": Side.SELL, "price": 900},
    ],
)
def test_what_is_just_inside_may_go(fields: dict[str, Any]) -> None:
    assert risk.blocked(desk_of(), picture_of(), wanted(**fields)) == ""


def test_the_collar_is_the_wider_of_ticks_and_share() -> None:
    picture = picture_of(((0.199, 5.0),), ((0.201, 5.0),), mark=0.2)
    assert risk.blocked(desk_of(), picture, wanted(price=2500)) == ""  # a quarter of 2000 units
    assert risk.blocked(desk_of(), picture, wanted(price=2505)) == "the price 0.2505 is above the collar at 0.25"


def test_the_value_of_an_order_is_bounded() -> None:
    picture = picture_of(((0.599, 50.0),), ((0.601, 50.0),), mark=0.6)
    assert risk.blocked(desk_of(), picture, wanted(quantity=415, price=6000)) == ""
    assert risk.blocked(desk_of(), picture, wanted(quantity=420, price=6000)) == (
        "25.2000 BTC is over the limit of 25 an order"
    )


def test_without_a_mark_there_is_nothing_to_hold_a_price_against() -> None:
    sentence = f"there is no mark price of {NAME} to hold the price against"
    picture = Still()
    assert risk.blocked(desk_of(), picture, wanted()) == sentence
    picture.ticker(mark_price=None)
    assert risk.blocked(desk_of(), picture, wanted()) == sentence


def test_futures_have_limits_of_their_own() -> None:
    levels = ((99_999.0, 500.0),), ((100_001.0, 500.0),)
    picture = picture_of(*levels, mark=100_000.0, delta=1e-5, instrument=PERPETUAL)
    order = wanted(instrument=PERPETUAL, quantity=100_000, price=200_000)
    assert risk.blocked(desk_of(), picture, order) == ""
    assert risk.blocked(desk_of(), picture, msgspec.structs.replace(order, quantity=100_001)) == (
        "1,000,010 USD is over the limit of 1,000,000 an order"
    )
    assert risk.blocked(desk_of(), picture, msgspec.structs.replace(order, price=204_001)) == (
        "the price 102000.5 is above the collar at 102000"
    )


# ---------------------------------------------------------------- the market


def test_a_book_that_broke_blocks() -> None:
    picture = picture_of()
    picture.venue.books[NAME].drop("change 7 is missing after 5")
    assert risk.blocked(desk_of(), picture, wanted()) == (f"the book of {NAME} is stale: change 7 is missing after 5")


def test_a_book_that_is_not_there_blocks() -> None:
    other = instrument_of("BTC-27MAR26-90000-C")
    assert risk.blocked(desk_of(), picture_of(), wanted(instrument=other)) == (
        "the book of BTC-27MAR26-90000-C is not subscribed"
    )


def test_a_crossed_book_blocks() -> None:
    picture = picture_of()
    picture.book(((0.0335, 5.0),), ((0.0335, 5.0),))
    assert "is stale: crossed" in risk.blocked(desk_of(), picture, wanted())


def test_a_silent_venue_blocks() -> None:
    picture = picture_of()
    picture.now += 5 * NS
    assert risk.blocked(desk_of(), picture, wanted()) == ""
    picture.now += 1
    assert risk.blocked(desk_of(), picture, wanted()) == "the venue has said nothing for 5.0 s"


@pytest.mark.parametrize("state", ["halted", "locked", "settlement", "closed"])
def test_an_instrument_that_is_not_open_blocks(state: str) -> None:
    picture = picture_of()
    picture.ticker(mark_price=0.033, state=state, greeks=GREEKS)
    assert risk.blocked(desk_of(), picture, wanted()) == f"{NAME} is {state} at the venue"


def test_what_has_expired_blocks() -> None:
    picture = picture_of()
    picture.now = CALL.expiry
    picture.ticker(mark_price=0.033, greeks=GREEKS)
    assert risk.blocked(desk_of(), picture, wanted()) == f"{NAME} has expired"


# ---------------------------------------------------------------- the desk


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ((m.Killed(by="ann", account=False),), "killed by ann; an admin must re-arm"),
        ((m.Reconciling(reason="", call="r"),), "the venue is still being asked what it holds"),
    ],
)
def test_a_desk_that_is_closed_blocks(facts: tuple[m.Fact, ...], sentence: str) -> None:
    assert risk.blocked(desk_of(*facts), picture_of(), wanted()) == sentence


def test_rearming_opens_it_again() -> None:
    killed = (m.Killed(by="ann", account=False), m.Rearmed(by="bob", reason="drill"))
    assert risk.blocked(desk_of(*killed), picture_of(), wanted()) == ""


def test_a_replay_has_no_route() -> None:
    desk = desk_of(config=Config(mode="replay"))
    assert risk.blocked(desk, picture_of(), wanted()) == "this is a replay: it has no route to any venue"


def test_a_journal_that_cannot_be_written_blocks() -> None:
    picture = picture_of()
    picture.halted = "the journal cannot be written: disk full"
    assert risk.blocked(desk_of(), picture, wanted()) == picture.halted


@pytest.mark.parametrize("apart", [6 * NS, -6 * NS])
def test_clocks_that_disagree_block(apart: int) -> None:
    """`valid_until` is our clock's word to the venue's: seconds apart, it could let an order in late, or never."""
    picture = picture_of()
    picture.venue.lag = float(apart)
    assert "clock" in risk.blocked(desk_of(), picture, wanted())


def test_a_line_that_is_down_or_nobodys_blocks() -> None:
    picture = picture_of()
    picture.see(m.Link, up=True, authenticated=False)
    assert risk.blocked(desk_of(), picture, wanted()) == "the venue has not authenticated this desk"
    picture.see(m.Link, up=False)
    assert risk.blocked(desk_of(), picture, wanted()) == "the venue's connection is down"


def test_a_desk_that_would_not_hear_of_its_fills_blocks() -> None:
    picture = picture_of()
    picture.see(m.Link, up=True, authenticated=True)
    sentence = "the venue has not agreed to tell this desk of its orders"
    assert risk.closed(desk_of(), picture) == sentence
    picture.tell("private/subscribe", ["user.portfolio.btc"])
    assert risk.closed(desk_of(), picture) == sentence


# ---------------------------------------------------------------- what is on its way


def test_orders_on_their_way_count() -> None:
    working = [request(k, price=300) for k in range(10, 13)]
    config = Config(limits=Limits(open_orders=3))
    assert risk.blocked(desk_of(*working, config=config), picture_of(), wanted()) == "3 orders are working already"
    ended = m.OrderEnded(child="s-11", state="lapsed", reason="")
    assert risk.blocked(desk_of(*working, ended, config=config), picture_of(), wanted()) == ""


def test_orders_come_no_faster_than_the_limit() -> None:
    sent: list[m.Fact] = []
    for k in range(4):
        sent.append(msgspec.structs.replace(request(k), t=NOW - k * 3 * NS))
        sent.append(m.OrderEnded(child=f"s-{k}", state="cancelled", reason=""))
    picture = picture_of()  # the oldest is 9 s old
    config = Config(limits=Limits(orders_per_10s=4))
    assert risk.blocked(desk_of(*sent, config=config), picture, wanted()) == (
        "4 orders in the last 10 s: the limit is 4"
    )
    picture.now += NS
    assert risk.blocked(desk_of(*sent, config=config), picture, wanted()) == ""


@pytest.mark.parametrize(
    ("side", "price", "meets"),
    [(Side.SELL, 325, True), (Side.SELL, 320, True), (Side.SELL, 330, False), (Side.BUY, 325, False)],
)
def test_our_own_orders_never_meet(side: Side, price: int, meets: bool) -> None:
    reason = risk.blocked(desk_of(request(10)), picture_of(), wanted(side=side, price=price))
    assert reason == ("it would meet our own buy s-10 at 0.0325" if meets else "")


def test_a_buyer_does_not_meet_his_own_offer() -> None:
    offered = request(10, side=Side.SELL, price=335)
    assert (
        risk.blocked(desk_of(offered), picture_of(), wanted(price=340)) == "it would meet our own sell s-10 at 0.0335"
    )
    gone = m.OrderEnded(child="s-10", state="cancelled", reason="")
    assert risk.blocked(desk_of(offered, gone), picture_of(), wanted(price=340)) == ""


def test_orders_in_other_instruments_are_no_counterpart() -> None:
    elsewhere = request(10, side=Side.SELL, price=300, instrument=OTHER.name)
    assert risk.blocked(desk_of(elsewhere), picture_of(), wanted()) == ""


@pytest.mark.parametrize(
    ("side", "price", "sentence"),
    [
        (Side.BUY, 335, "a post-only buy at 0.0335 would cross"),
        (Side.BUY, 330, ""),
        (Side.SELL, 325, "a post-only sell at 0.0325 would cross"),
        (Side.SELL, 330, ""),
    ],
)
def test_a_post_only_order_must_rest(side: Side, price: int, sentence: str) -> None:
    order = wanted(side=side, price=price, post_only=True)
    assert risk.price_inside(picture_of(), order) == sentence
    assert risk.price_inside(picture_of(), msgspec.structs.replace(order, post_only=False)) == ""
