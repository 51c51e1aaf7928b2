"""The venue's standard margin, by hand-computed cases, and what an account is told of itself."""

from __future__ import annotations

import pytest

from engine.domain import NS, Side
from engine.paper.clearing import margin, standing
from engine.paper.clearing.accounts import PICO, Money
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.listing import listing
from tests.paper.small import CALL, FUTURE, PERPETUAL, PUT, SMALL, START, ask, placed, refused, small

B, S = Side.BUY, Side.SELL
P = 200_000  # units of the perpetual: 100,000 USD


def holding(n: int, lots: int, price: int, coin: float = 10.0) -> tuple[Exchange, int]:
    """An exchange, and a client that holds so many lots, bought or sold at this price."""
    exchange, (one, _), _ = small(coin=coin)
    money = exchange.money[n]
    money.apply(exchange.accounts[one], n, lots, money.value(price, abs(lots)))
    return exchange, one


@pytest.mark.parametrize(
    ("lots", "initial", "maintenance"),
    [
        (10_000, 1.0 * (0.02 + 0.00005), 1.0 * (0.01 + 0.00005)),  # 100,000 USD are one coin
        (-10_000, 1.0 * (0.02 + 0.00005), 1.0 * (0.01 + 0.00005)),
        (250_000, 25.0 * 0.02125, 25.0 * 0.01125),  # the published example: 25 coins, 2.125 % and 1.125 %
        (3_500_000, 350.0 * 0.0375, 350.0 * 0.0275),
    ],
)
def test_futures_bind_more_the_larger_they_are(lots: int, initial: float, maintenance: float) -> None:
    exchange, one = holding(PERPETUAL, lots, P)
    account = exchange.accounts[one]
    assert margin.initial(account, exchange.marks, ()) == pytest.approx(initial)
    assert margin.maintenance(account, exchange.marks) == pytest.approx(maintenance)


@pytest.mark.parametrize("n", [CALL, PUT])
@pytest.mark.parametrize("forward", [70_000.0, 97_000.0, 100_000.0, 103_000.0, 160_000.0])
def test_short_options_bind_by_how_far_they_are_out_of_the_money(n: int, forward: float) -> None:
    exchange, one = holding(n, -20, 120)
    marks, option = exchange.marks, exchange.instruments[n]
    marks.tell(START + NS, forward, {option.expiry: forward}, marks.iv[marks.options])
    mark, account = float(marks.price[n]), exchange.accounts[one]
    outside = max(0.0, (option.strike - forward) if option.call else (forward - option.strike))
    kept = (0.075 if option.call else max(0.075, 0.075 * mark)) + mark
    asked = max(0.15 - outside / forward, 0.10) + mark
    assert margin.maintenance(account, marks) == pytest.approx(2.0 * kept)
    assert margin.initial(account, marks, ()) == pytest.approx(2.0 * (asked if option.call else max(asked, kept)))


def test_options_bought_bind_their_premium_only_while_the_order_rests() -> None:
    exchange, (one, _), house = small()
    exchange.place(START, one, ask(B, 10, 100, n=CALL))
    account, marks = exchange.accounts[one], exchange.marks
    assert margin.initial(account, marks, account.open.values()) == pytest.approx(1.0 * (0.01 + 0.0003))
    exchange.quote(START, house, CALL, S, 100, 10)
    assert account.size(CALL) == 10
    assert margin.initial(account, marks, account.open.values()) == 0.0
    assert margin.maintenance(account, marks) == 0.0


def test_working_orders_count_on_the_worse_side_and_what_closes_is_free() -> None:
    exchange, one = holding(PERPETUAL, 10_000, P)
    account, marks = exchange.accounts[one], exchange.marks
    before = margin.initial(account, marks, ())
    exchange.place(START, one, ask(S, 10_000, P + 100))
    assert margin.initial(account, marks, account.open.values()) == before
    exchange.place(START, one, ask(B, 10_000, P - 100))
    assert margin.initial(account, marks, account.open.values()) == pytest.approx(2.0 * (0.02 + 2 * 0.00005))


def test_an_order_that_the_funds_do_not_bear_is_refused() -> None:
    exchange, (one, _), _ = small(coin=1.0)
    assert refused(exchange.place(START, one, ask(B, 600_000, P - 10))) == 10009  # 60 coins bind 1.38
    assert placed(exchange.place(START, one, ask(B, 400_000, P - 10))).order.rest == 400_000  # 40 bind 0.88
    assert refused(exchange.place(START, one, ask(B, 100_000, P - 10))) == 10009
    assert placed(exchange.place(START, one, ask(S, 400_000, P + 10))).order.rest == 400_000  # the other side


@pytest.mark.parametrize("side", [B, S])
def test_two_accounts_cannot_pass_on_more_than_the_one_of_them_has(side: Side) -> None:
    exchange, (one, two), _ = small(coin=1.0)
    price = P + side.sign * 6_000  # 3 % from the mark, where 2 % are asked for
    for lots in range(400_000, 0, -1_000):
        exchange.place(START, two, ask(side.other, lots, price))
        exchange.place(START, one, ask(side, lots, price))
    account, marks = exchange.accounts[one], exchange.marks
    assert abs(account.size(PERPETUAL)) > 100_000
    assert margin.balance(account, marks) > margin.maintenance(account, marks)
    exchange.cancel_where(START, two, lambda order: True)
    for lots in range(400_000, 0, -1_000):  # nor when it is closed
        exchange.place(START, two, ask(side, lots, P - side.sign * 6_000))
        exchange.place(START, one, ask(side.other, lots, P - side.sign * 6_000, reduce_only=True))
    assert margin.balance(account, marks) > margin.maintenance(account, marks)


@pytest.mark.parametrize("lots", [30_000, -30_000])
def test_at_the_liquidation_price_the_margin_is_just_covered(lots: int) -> None:
    exchange, one = holding(PERPETUAL, lots, P, coin=0.2)
    account, marks = exchange.accounts[one], exchange.marks
    price = standing.held(account, marks, PERPETUAL).liquidation
    assert (price < 100_000.0) == (lots > 0)
    for _ in range(20):  # the slope of the maintenance is of the coins at the mark: go to where it stays
        marks.price[PERPETUAL] = price
        price = standing.held(account, marks, PERPETUAL).liquidation
    marks.price[PERPETUAL] = price
    assert margin.balance(account, marks) == pytest.approx(margin.maintenance(account, marks), abs=1e-9)


def test_who_cannot_be_liquidated_has_no_such_price() -> None:
    exchange, one = holding(PERPETUAL, 10_000, P, coin=5.0)
    account, marks = exchange.accounts[one], exchange.marks
    assert 0.0 < standing.held(account, marks, PERPETUAL).liquidation < 20_000.0
    short, two = holding(PERPETUAL, -10_000, P, coin=5.0)
    assert standing.held(short.accounts[two], short.marks, PERPETUAL).liquidation == 0.0
    assert standing.summary(short.accounts[two], short.marks).estimated_liquidation_ratio == 0.0


def test_the_summary_adds_up() -> None:
    exchange, one = holding(PERPETUAL, 20_000, P)
    account, marks = exchange.accounts[one], exchange.marks
    for n, lots, price in ((FUTURE, -5_000, P), (CALL, -10, 120), (PUT, 30, 100), (PERPETUAL, -4_000, P + 800)):
        money = exchange.money[n]
        money.apply(account, n, lots, money.value(price, abs(lots)))
    marks.tell(START + NS, 101_000.0, {exchange.instruments[FUTURE].expiry: 101_100.0}, marks.iv[marks.options])
    said = standing.summary(account, marks, interest=0.5)
    assert [h.instrument for h in said.positions] == [PERPETUAL, FUTURE, CALL, PUT]
    assert said.equity == pytest.approx(said.balance + said.futures_session_rpl + said.futures_session_upl
                                        + said.options_value)  # fmt: skip
    assert said.margin_balance == pytest.approx(said.equity - said.options_value)
    assert said.session_upl == pytest.approx(sum(h.floating for h in said.positions))
    assert said.initial_margin == pytest.approx(sum(h.initial_margin for h in said.positions))
    assert said.maintenance_margin == pytest.approx(sum(h.maintenance_margin for h in said.positions))
    assert said.delta_total == pytest.approx(sum(h.delta for h in said.positions))
    perpetual = said.positions[0]
    assert perpetual.average_price == pytest.approx(100_000.0)
    assert perpetual.realised == pytest.approx(40_000 / 100_000 - 40_000 / 100_400)
    assert perpetual.total == pytest.approx(160_000 / 100_000 - 160_000 / perpetual.mark_price)
    assert (perpetual.interest_value, said.positions[1].interest_value) == (0.5, 0.0)
    assert margin.cover(account, marks) == pytest.approx(said.margin_balance - said.maintenance_margin)
    assert said.available_funds == pytest.approx(margin.available(account, marks, account.open.values()))


def test_the_settlement_begins_a_session_and_keeps_the_average() -> None:
    exchange, one = holding(PERPETUAL, 20_000, P)
    account, marks, money = exchange.accounts[one], exchange.marks, exchange.money[PERPETUAL]
    marks.price[PERPETUAL] = 104_000.0
    before = standing.summary(account, marks)
    profit = money.settle(account, PERPETUAL, 104_000.0)
    after = standing.summary(account, marks)
    assert profit / PICO == pytest.approx(before.session_upl)
    assert after.balance == pytest.approx(before.balance + before.session_upl)
    assert after.session_upl == pytest.approx(0.0, abs=1e-9)
    assert after.session_rpl == 0.0
    assert after.equity == pytest.approx(before.equity)
    assert after.positions[0].average_price == pytest.approx(100_000.0)
    assert after.positions[0].total == pytest.approx(before.positions[0].total)


def test_money_reads_the_fee_table() -> None:
    instruments = listing(START, SMALL)
    assert [Money(i).delivery for i in instruments] == [0, 0, 0, 0]  # a daily is delivered free
