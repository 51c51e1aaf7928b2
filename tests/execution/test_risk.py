"""Every hard block, with the sentence that a trader reads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Bounds, Config, Limits, Named
from engine.domain import NS, Side, instrument_of
from engine.execution import risk
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.market.deribit import wire
from tests.execution.still import CALL, NAME, NOW, Still

PERPETUAL = instrument_of("BTC-PERPETUAL")
OTHER = instrument_of("BTC-27MAR26-90000-C")


def desk_of(*facts: m.Fact, config: Config | None = None) -> Desk:
    """A desk that has reconciled, and then these."""
    desk = Desk()
    begun = m.Began(session="s", config=config or Config(), code="", model="")
    for fact in (begun, m.Reconciling(reason="", call="recon2"), m.Reconciled(differences=()), *facts):
        evolve(desk, msgspec.structs.replace(fact, n=desk.facts + 1, t=fact.t or NOW))
    return desk


def request(k: int, **fields: Any) -> m.OrderRequested:
    usual: dict[str, Any] = {
        "child": f"s-{k}", "call": f"order-{k}", "parent": "", "proposal": "", "by": "trader", "instrument": NAME,
        "side": Side.BUY, "quantity": 10, "price": 325, "post_only": True, "valid_until": NOW + 3 * NS, "mid": None,
    }  # fmt: skip
    return m.OrderRequested(**(usual | fields))


GREEKS = wire.Greeks(delta=0.4, gamma=2e-5, vega=90.0)


def picture_of(*args: Any, mark: float = 0.033, delta: float = 0.4, **more: Any) -> Still:
    """A market that gives all that a limit is held against."""
    picture = Still(*args, **more)
    picture.ticker(mark_price=mark, greeks=GREEKS)
    picture.deltas |= {picture.instrument.name: delta, OTHER.name: delta}
    picture.venue.instruments[OTHER.name] = OTHER
    picture.venue.quotes[OTHER.name] = picture.venue.quotes[picture.instrument.name]
    return picture


def wanted(**fields: Any) -> risk.Wanted:
    usual: dict[str, Any] = {
        "instrument": CALL, "side": Side.BUY, "quantity": 50, "price": 335, "post_only": False,
    }  # fmt: skip
    return risk.Wanted(**(usual | fields))


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


# ---------------------------------------------------------------- the book as a whole


def filled(k: int, side: Side = Side.BUY, quantity: int = 10, **fields: Any) -> m.Filled:
    usual: dict[str, Any] = {
        "trade": f"t{k}", "child": "", "instrument": NAME, "side": side, "quantity": quantity, "price": 330, "fee": 0.0,
        "maker": True, "at": NOW,
    }  # fmt: skip
    return m.Filled(**(usual | fields))


def limited(**limits: Any) -> Config:
    return Config(limits=Limits(**limits))


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
    picture.venue.account = {"equity": 1.0, "margin": 0.5, "t": float(NOW)}
    assert risk.blocked(desk_of(), picture, wanted()) == ""  # five at 0.0335 are 0.169 coin
    desk = desk_of(request(9, quantity=50))
    assert risk.blocked(desk, picture, wanted()) == "0.8330 of 1.0000 BTC would be bound as margin: the limit is 80%"
    opened = m.OrderOpened(child="s-9", order="v-9", price=325)
    assert risk.blocked(desk_of(request(9, quantity=50), opened), picture, wanted()) == ""
    picture.venue.account = {}
    assert risk.blocked(desk_of(), picture, wanted()) == "the venue has not stated the account's margin"


def test_a_short_option_binds_more_than_its_premium() -> None:
    picture = picture_of()
    picture.venue.index = 80_000.0
    picture.venue.account = {"equity": 1.0, "margin": 0.0, "t": float(NOW)}
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


def parent_of(user: str = "ann") -> m.ParentAccepted:
    return m.ParentAccepted(
        id="P1", user=user, instrument=NAME, side=Side.BUY, quantity=500, limit=400, start=NOW, end=NOW + 600 * NS,
        algorithm="twap", urgency=5, min_child=0, max_child=100, dial="auto", auto_limit=0, arrival=None,
    )  # fmt: skip


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
