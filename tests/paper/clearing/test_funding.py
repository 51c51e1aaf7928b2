"""What longs pay shorts."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import NS, Side
from engine.paper.clearing.accounts import VENUE
from engine.paper.clearing.funding import PERIOD_NS, Funding, fair_price, rate
from engine.paper.floor.exchange import Exchange
from tests.paper.small import PERPETUAL, START, small

P = 200_000
HOUR = 3600


@pytest.mark.parametrize(
    ("premium", "paid"),
    [(0.0, 0.0), (0.00025, 0.0), (-0.0002, 0.0), (0.001, 0.00075), (-0.001, -0.00075), (0.02, 0.005), (-0.02, -0.005)],
)
def test_the_rate_is_the_premium_beyond_the_damper_within_the_cap(premium: float, paid: float) -> None:
    assert rate(premium) == pytest.approx(paid)


def perpetual(exchange: Exchange) -> Funding:
    return Funding(PERPETUAL, exchange.instruments[PERPETUAL].lot, START, exchange.marks.index)


def held(sizes: list[int]) -> tuple[Exchange, list[int]]:
    """Accounts with these sizes of the perpetual, and one more that has the rest."""
    exchange, clients, _ = small(clients=len(sizes) + 1)
    money = exchange.money[PERPETUAL]
    for account, lots in zip(clients, [*sizes, -sum(sizes)], strict=True):
        if lots:
            money.apply(exchange.accounts[account], PERPETUAL, lots, money.value(P, abs(lots)))
    return exchange, clients


@given(
    st.lists(st.integers(-3_000_000, 3_000_000), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 5), st.floats(-0.01, 0.01)), min_size=1, max_size=20),
)
def test_nothing_is_made_or_lost(sizes: list[int], story: list[tuple[int, float]]) -> None:
    exchange, clients = held(sizes)
    funding, t, before = perpetual(exchange), START, sum(a.cash for a in exchange.accounts)
    for seconds, premium in story:
        t += seconds * NS
        exchange.marks.price[PERPETUAL] = exchange.marks.index * (1.0 + premium)
        funding.accrue(t, exchange.marks, exchange.accounts)
    assert sum(a.cash for a in exchange.accounts) == before
    assert abs(exchange.accounts[VENUE].cash) <= len(clients) * len(story)  # what rounding leaves, in pico
    for client in clients:
        account = exchange.accounts[client]
        position = account.positions.get(PERPETUAL)
        if position is not None:
            assert position.funding == position.session == position.realised == account.cash - account.deposit


def test_eight_hours_at_a_rate_cost_the_rate() -> None:
    exchange, clients = held([10_000])
    funding, marks = perpetual(exchange), exchange.marks
    marks.price[PERPETUAL] = marks.index * 1.00125  # 0.1 % beyond the damper
    for second in range(1, PERIOD_NS // NS + 1, 60):
        funding.accrue(START + second * NS, marks, exchange.accounts)
    funding.accrue(START + PERIOD_NS, marks, exchange.accounts)
    account = exchange.accounts[clients[0]]
    assert (account.cash - account.deposit) / 1e12 == pytest.approx(-0.001, rel=1e-6)  # of one coin
    assert funding.rate == pytest.approx(0.001)
    assert funding.interest_8h == pytest.approx(0.001)
    assert funding.total == pytest.approx(0.001)


def test_the_history_is_by_full_hours() -> None:
    exchange, _ = held([10_000])
    funding, marks = perpetual(exchange), exchange.marks
    for minute in range(1, 12 * 60):
        marks.price[PERPETUAL] = marks.index * (1.00125 if minute > 180 else 1.0)
        funding.accrue(START + minute * 60 * NS, marks, exchange.accounts)
    ends = [hour.t for hour in funding.hours]
    assert all(t % (HOUR * NS) == 0 for t in ends)
    assert [b - a for a, b in pairwise(ends)] == [HOUR * NS] * (len(ends) - 1)
    assert funding.hours[-1].interest_1h == pytest.approx(0.001 / 8, rel=0.02)
    assert funding.hours[0].interest_1h == 0.0
    assert funding.value(ends[0], ends[-1]) == pytest.approx(sum(h.interest_1h for h in list(funding.hours)[1:]))
    twin = perpetual(exchange)
    twin.load(msgspec.msgpack.decode(msgspec.msgpack.encode(funding.dump())))
    assert twin.dump() == funding.dump()


def test_the_fair_price_is_what_trading_one_coin_costs_within_a_tenth_of_a_per_cent() -> None:
    exchange, _, house = small()
    book, perpetual_ = exchange.books[PERPETUAL], exchange.instruments[PERPETUAL]
    assert fair_price(book, perpetual_, 100_000.0) is None
    exchange.quote(START, house, PERPETUAL, Side.BUY, P - 20, 20_000)  # all of a coin at one price
    exchange.quote(START, house, PERPETUAL, Side.SELL, P + 20, 5_000)
    exchange.quote(START, house, PERPETUAL, Side.SELL, P + 60, 5_000)
    assert fair_price(book, perpetual_, 100_000.0) == pytest.approx((P - 20 + P + 40) / 2 * 0.5)
    exchange.pull(START, next(iter(book.asks.levels[P + 20].orders.values())))  # now too little is offered
    assert fair_price(book, perpetual_, 100_000.0) == pytest.approx((P - 20 + (P + 60) * 1.001) / 2 * 0.5)


def test_the_mark_follows_the_fair_price_slowly_and_not_far() -> None:
    exchange, _, _ = small()
    marks = exchange.marks
    for second in range(1, 121):
        marks.tell(START + second * NS, 100_000.0, {}, marks.iv[marks.options], 0.02)
        if second == 30:
            assert marks.perpetual == pytest.approx(0.005)
        if second == 1:
            assert marks.perpetual == pytest.approx(0.02 * 2 / 31)
    assert float(marks.price[PERPETUAL]) == pytest.approx(100_500.0)
