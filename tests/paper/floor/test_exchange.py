"""One rule of the exchange a test, on hand-made books."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain import Side
from engine.paper.clearing.accounts import PICO, VENUE
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.matching import CANCELLED, FILLED, OPEN
from engine.paper.orders.terms import Change, Report
from tests.paper.small import CALL, FUTURE, PERPETUAL, START, ask, levels, placed, refused, small, sound

B, S = Side.BUY, Side.SELL
P = 200_000  # units of the perpetual: 100,000 USD
IOC: dict[str, Any] = {"tif": "immediate_or_cancel"}
FOK: dict[str, Any] = {"tif": "fill_or_kill"}


@pytest.fixture
def market() -> tuple[Exchange, int, int]:
    """Asks 5 @ P+2 (two orders, 2 then 3) and 4 @ P+4; bids 5 @ P-2, of the house."""
    exchange, (one, two), house = small()
    for side, price, lots in ((S, P + 2, 2), (S, P + 2, 3), (S, P + 4, 4), (B, P - 2, 5)):
        exchange.quote(START, house, PERPETUAL, side, price, lots)
    exchange.commit(START)
    exchange.drain()
    return exchange, one, two


def test_an_order_that_does_not_cross_rests(market: tuple[Exchange, int, int]) -> None:
    exchange, one, _ = market
    done = placed(exchange.place(START, one, ask(B, 3, P - 1, label="mine")))
    assert (done.order.state, done.fills) == (OPEN, ())
    assert levels(exchange.books[PERPETUAL].bids) == {P - 1: 3, P - 2: 5}


def test_price_then_time(market: tuple[Exchange, int, int]) -> None:
    exchange, one, two = market
    first = placed(exchange.place(START, one, ask(S, 1, P + 2))).order
    exchange.commit(START)
    taken = placed(exchange.place(START + 1, two, ask(B, 7, P + 4)))
    assert [(f.trade.price - P, f.trade.lots) for f in taken.fills] == [(2, 2), (2, 3), (2, 1), (4, 1)]
    assert taken.order.state == FILLED
    assert exchange.finished[first.id].state == FILLED


def test_a_limit_that_is_partly_filled_rests_with_its_rest(market: tuple[Exchange, int, int]) -> None:
    exchange, one, _ = market
    done = placed(exchange.place(START, one, ask(B, 8, P + 3)))
    assert (done.order.state, done.order.filled, done.order.rest) == (OPEN, 5, 3)
    assert exchange.books[PERPETUAL].bids.best == P + 3


@pytest.mark.parametrize(
    ("more", "lots", "price", "state", "filled"),
    [
        (IOC, 3, P + 2, FILLED, 3),
        (IOC, 8, P + 2, CANCELLED, 5),
        (IOC, 1, P, CANCELLED, 0),
        (FOK, 9, P + 4, FILLED, 9),
        (FOK, 10, P + 4, CANCELLED, 0),
        ({"kind": "market"}, 9, 0, FILLED, 9),
        ({"kind": "market"}, 12, 0, CANCELLED, 9),
    ],
)
def test_orders_that_do_not_stay(
    market: tuple[Exchange, int, int], more: dict[str, Any], lots: int, price: int, state: str, filled: int
) -> None:
    exchange, one, _ = market
    done = placed(exchange.place(START, one, ask(B, lots, price, **more)))
    assert (done.order.state, done.order.filled) == (state, filled)
    assert not exchange.accounts[one].open


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (ask(B, 0, P), 10002),
        (ask(B, 1, 51, n=CALL), 10043),  # above 0.005 the tick is five units
        (ask(B, 1, P + 20_000), 10007),
        (ask(S, 1, P - 20_000), 10005),
        (ask(B, 1, P + 2, post_only=True, reject_post_only=True), 11054),
        (ask(B, 1, P, post_only=True, **IOC), 11055),
        (ask(S, 1, P + 2, reduce_only=True), 11030),
        (ask(B, 1, P, valid_until=START), 13888),
        (ask(S, 2000, 120, n=CALL), 10009),
        (ask(B, 20_000, 120, n=CALL), 10009),
        (ask(B, 6_000_000, P - 10), 10009),
    ],
)
def test_refusals(market: tuple[Exchange, int, int], wanted: Any, code: int) -> None:
    exchange, one, _ = market
    assert refused(exchange.place(START, one, wanted)) == code
    exchange.commit(START)
    assert not exchange.accounts[one].orders
    assert exchange.drain() == []


def test_an_expired_request_is_refused_only_when_it_is_late(market: tuple[Exchange, int, int]) -> None:
    exchange, one, _ = market
    assert placed(exchange.place(START, one, ask(B, 1, P, valid_until=START + 1))).order.state == OPEN


@pytest.mark.parametrize(("side", "price", "moved"), [(B, P + 9, P + 1), (B, P + 2, P + 1), (S, P - 2, P - 1)])
def test_post_only_is_repriced_inside_the_spread(
    market: tuple[Exchange, int, int], side: Side, price: int, moved: int
) -> None:
    exchange, one, _ = market
    done = placed(exchange.place(START, one, ask(side, 1, price, post_only=True)))
    assert (done.order.price, done.order.state, done.fills) == (moved, OPEN, ())


def test_reduce_only_is_cut_to_the_position_and_follows_it(market: tuple[Exchange, int, int]) -> None:
    exchange, one, two = market
    exchange.place(START, one, ask(B, 5, P + 2))
    assert exchange.accounts[one].size(PERPETUAL) == 5
    done = placed(exchange.place(START, one, ask(S, 9, P + 3, reduce_only=True)))
    assert done.order.amount == 5
    exchange.place(START, one, ask(S, 3, P - 2))  # the position shrinks to 2, and so does the order
    order = exchange.order(one, done.order.id)
    assert order is not None
    assert order.rest == 2
    exchange.place(START, two, ask(B, 2, P + 3))
    assert exchange.accounts[one].size(PERPETUAL) == 0
    exchange.commit(START)
    sound(exchange)


def test_an_own_order_in_the_way_is_refused(market: tuple[Exchange, int, int]) -> None:
    exchange, one, _ = market
    exchange.place(START, one, ask(S, 1, P + 3))
    assert refused(exchange.place(START, one, ask(B, 6, P + 3))) == 10003
    assert placed(exchange.place(START, one, ask(B, 5, P + 3))).order.state == FILLED  # it is not reached


def test_a_smaller_size_keeps_the_queue_place_and_anything_else_loses_it(market: tuple[Exchange, int, int]) -> None:
    exchange, one, two = market
    for amount, first in ((2, True), (4, False)):
        exchange.cancel_where(START, one, lambda order: True)
        exchange.cancel_where(START, two, lambda order: True)
        mine = placed(exchange.place(START, one, ask(S, 3, P + 1))).order
        other = placed(exchange.place(START, two, ask(S, 3, P + 1))).order
        assert placed(exchange.edit(START + 1, one, mine.id, Change(amount=amount))).order.replaced
        queue = list(exchange.books[PERPETUAL].asks.levels[P + 1].orders)
        assert queue == ([mine.id, other.id] if first else [other.id, mine.id])
        exchange.commit(START)
        sound(exchange)


def test_edits(market: tuple[Exchange, int, int]) -> None:
    exchange, one, _ = market
    order = placed(exchange.place(START, one, ask(B, 3, P))).order
    done = placed(exchange.edit(START, one, order.id, Change(price=P + 2)))
    assert (done.order.state, len(done.fills)) == (FILLED, 2)
    assert refused(exchange.edit(START, one, order.id, Change(price=P))) == 11008
    assert refused(exchange.edit(START, one, 999_999, Change(price=P))) == 10004
    other = placed(exchange.place(START, one, ask(B, 9, P + 2))).order  # 2 are filled, 7 rest
    assert refused(exchange.edit(START, one, other.id, Change(amount=2))) == 11008
    assert refused(exchange.edit(START, one, other.id, Change(price=P + 9, post_only=True,
                                                             reject_post_only=True))) == 11054  # fmt: skip
    unchanged = exchange.order(one, other.id)
    assert unchanged is not None
    assert (unchanged.price, unchanged.amount, unchanged.state) == (P + 2, 9, OPEN)


def test_cancel(market: tuple[Exchange, int, int]) -> None:
    exchange, one, two = market
    order = placed(exchange.place(START, one, ask(B, 3, P))).order
    assert refused(exchange.cancel(START, two, order.id)) == 10004  # another's order is not there
    exchange.cancel(START + 1, one, order.id)
    gone = exchange.finished[order.id]
    assert (gone.state, gone.reason, gone.updated) == (CANCELLED, "user_request", START + 1)
    assert refused(exchange.cancel(START, one, order.id)) == 11044


def test_news_are_private_first_and_told_once(market: tuple[Exchange, int, int]) -> None:
    exchange, one, _ = market
    exchange.place(START, one, ask(B, 6, P + 2, label="a"))
    exchange.commit(START)
    report, trades, change = exchange.drain()
    assert isinstance(report, Report)
    assert [order.label for order in report.orders] == ["a"]
    assert [fill.trade for fill in report.fills] == list(trades.trades)  # type: ignore[union-attr]
    assert change.bids == [("new", P + 2, 1)]  # type: ignore[union-attr]
    assert change.asks == [("delete", P + 2, 0)]  # type: ignore[union-attr]
    exchange.commit(START)
    assert exchange.drain() == []


@pytest.mark.parametrize(
    ("n", "price", "lots", "fee"),
    [
        (CALL, 120, 100, 0.0003 * 10),  # ten contracts
        (CALL, 10, 100, 0.001 * 10 * 0.125),  # the cap: 12.5 % of the premium
        (PERPETUAL, P, 1000, 10_000 / 100_000 * 0.0005),
    ],
)
def test_fees_go_to_the_venue(n: int, price: int, lots: int, fee: float) -> None:
    exchange, (one, _), house = small()
    exchange.quote(START, house, n, S, price, lots)
    done = placed(exchange.place(START, one, ask(B, lots, price, n=n)))
    assert sum(fill.fee for fill in done.fills) == round(fee * PICO)
    assert exchange.accounts[VENUE].cash == round(fee * PICO)
    sound(exchange)


def test_an_inverse_future_pays_in_coin() -> None:
    exchange, (one, _), house = small()
    exchange.quote(START, house, PERPETUAL, S, P, 1000)
    exchange.place(START, one, ask(B, 1000, P))
    exchange.quote(START, house, PERPETUAL, B, P + 2000, 1000)
    exchange.place(START, one, ask(S, 1000, P + 2000))
    account = exchange.accounts[one]
    profit = 10_000 / 100_000 - 10_000 / 101_000
    assert account.positions[PERPETUAL].realised == pytest.approx(profit * PICO, abs=2)
    assert account.cash == account.deposit + account.positions[PERPETUAL].realised - account.fees
    sound(exchange)


def test_closing_asks_for_no_margin() -> None:
    exchange, (one, _), house = small(coin=0.2)
    exchange.quote(START, house, CALL, B, 120, 10)
    exchange.quote(START, house, CALL, S, 125, 10)
    assert placed(exchange.place(START, one, ask(S, 10, 120, n=CALL))).order.state == FILLED  # short 1: 0.16 of 0.21
    assert refused(exchange.place(START, one, ask(S, 10, 120, n=CALL))) == 10009
    assert placed(exchange.place(START, one, ask(B, 10, 125, n=CALL))).order.state == FILLED
    sound(exchange)


def test_expiry_pays_out_and_closes() -> None:
    exchange, (one, two), house = small()
    exchange.quote(START, house, CALL, S, 120, 30)
    exchange.quote(START, house, FUTURE, S, P, 30)
    exchange.place(START, one, ask(B, 20, 120, n=CALL))
    exchange.place(START, two, ask(B, 30, P, n=FUTURE))
    resting = placed(exchange.place(START, one, ask(B, 5, 100, n=CALL))).order
    cash = exchange.accounts[one].cash
    exchange.settle(START + 1, CALL, 102_000.0)
    exchange.settle(START + 1, FUTURE, 102_000.0)
    assert exchange.accounts[one].cash - cash == pytest.approx(2.0 * 2_000 / 102_000 * PICO, abs=20)
    assert exchange.accounts[two].size(FUTURE) == 0
    assert exchange.finished[resting.id].reason == "settlement"
    assert refused(exchange.place(START + 2, one, ask(B, 1, 100, n=CALL))) == 10012
    exchange.commit(START + 2)
    sound(exchange)
