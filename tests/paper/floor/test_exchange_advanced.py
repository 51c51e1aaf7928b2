"""Orders held at an implied volatility or at USD."""

from __future__ import annotations

from typing import Any

import pytest

from engine import black
from engine.domain import NS, Side
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.advanced import nearest
from engine.paper.orders.matching import CANCELLED, FILLED, OPEN
from engine.paper.orders.terms import Change
from tests.paper.small import CALL, FREE, PERPETUAL, PUT, START, ask, placed, refused, small, sound

B, S = Side.BUY, Side.SELL


def tell(exchange: Exchange, forward: float, t: int, vol: float = 0.5) -> None:
    marks = exchange.marks
    marks.tell(t, forward - 50.0, dict.fromkeys(marks.forwards, forward), marks.iv[marks.options] * 0.0 + vol)


def in_coin(exchange: Exchange, vol: float, t: int = START) -> float:
    i = exchange.instruments[CALL]
    return black.price(exchange.marks.forwards[i.expiry], i.strike, i.years(t), vol, i.call) / i.tick


@pytest.mark.parametrize(
    ("units", "tick"), [(119.9, 120), (122.4, 120), (122.6, 125), (47.4, 47), (47.6, 48), (0.2, 1)]
)
def test_the_nearest_tick(units: float, tick: int) -> None:
    exchange, _, _ = small()
    assert nearest(exchange.instruments[CALL], units) == tick


@pytest.mark.parametrize("vol", [30.0, 48.0, 50.0, 70.0])
def test_an_iv_is_turned_into_the_nearest_tick(vol: float) -> None:
    exchange, (one, _), _ = small()
    order = placed(exchange.place(START, one, ask(B, 1, n=CALL, advanced="implv", anchor=vol))).order
    assert abs(order.price - in_coin(exchange, vol / 100)) <= 2.5
    assert order.price % 5 == 0
    assert (order.advanced, order.anchor, order.state) == ("implv", vol, OPEN)


def test_usd_are_divided_by_the_forward() -> None:
    exchange, (one, _), _ = small()
    order = placed(exchange.place(START, one, ask(B, 1, n=PUT, advanced="usd", anchor=1_100.0))).order
    assert order.price == 110  # 1,100 ÷ 100,050 = 0.010995


def test_it_follows_the_forward_at_its_pace_and_loses_its_place() -> None:
    exchange, (one, two), _ = small()
    order = placed(exchange.place(START, one, ask(B, 3, n=CALL, advanced="implv", anchor=45.0))).order
    exchange.reprice(START + NS)
    first = order.price
    tell(exchange, 101_000.0, START + NS)
    exchange.reprice(START + 2 * NS - 1)
    assert exchange.order(one, order.id) == order
    aim = nearest(exchange.instruments[CALL], in_coin(exchange, 0.45, START + 2 * NS))
    other = placed(exchange.place(START, two, ask(B, 1, aim, n=CALL))).order
    exchange.reprice(START + 2 * NS)
    exchange.commit(START + 2 * NS)
    moved = exchange.order(one, order.id)
    assert moved is not None
    assert first < moved.price == aim
    assert (moved.auto_replaced, moved.replaced) == (True, False)
    assert list(exchange.books[CALL].bids.levels[aim].orders) == [other.id, order.id]
    sound(exchange)


def test_an_unmoved_price_keeps_its_place_and_says_nothing() -> None:
    exchange, (one, two), _ = small()
    order = placed(exchange.place(START, one, ask(B, 3, n=CALL, advanced="implv", anchor=45.0))).order
    placed(exchange.place(START, two, ask(B, 1, order.price, n=CALL)))
    exchange.commit(START)
    exchange.drain()
    exchange.reprice(START + 10 * NS)
    exchange.commit(START + 10 * NS)
    assert exchange.drain() == []
    assert next(iter(exchange.books[CALL].bids.levels[order.price].orders)) == order.id


def test_a_repriced_order_may_trade() -> None:
    exchange, (one, _), house = small()
    exchange.quote(START, house, CALL, S, 140, 2)
    order = placed(exchange.place(START, one, ask(B, 3, n=CALL, advanced="implv", anchor=50.0))).order
    assert not order.filled
    tell(exchange, 102_000.0, START + 1)
    exchange.reprice(START + NS)
    exchange.commit(START + NS)
    (fill,) = exchange.fills[one]
    assert (fill.trade.price, fill.trade.lots, fill.maker, fill.advanced) == (140, 2, False, "implv")
    sound(exchange)


def test_where_it_cannot_go_it_ends() -> None:
    exchange, (one, _), _ = small(coin=0.02)
    order = placed(exchange.place(START, one, ask(B, 10, n=CALL, advanced="implv", anchor=50.0))).order
    tell(exchange, 106_000.0, START + 1)  # it would cost 0.06 now
    exchange.reprice(START + NS)
    gone = exchange.finished[order.id]
    assert (gone.state, gone.reason) == (CANCELLED, "risk_mitigation")


def test_it_ends_before_expiry_and_is_not_taken_then() -> None:
    exchange, (one, _), _ = small()
    order = placed(exchange.place(START, one, ask(B, 1, n=CALL, advanced="implv", anchor=50.0))).order
    end = exchange.instruments[CALL].expiry - FREE.advanced_end_ns
    exchange.reprice(end - 1)
    kept = exchange.order(one, order.id)
    assert kept is not None
    assert kept.state == OPEN
    exchange.reprice(end + NS)
    assert exchange.finished[order.id].state == CANCELLED
    assert refused(exchange.place(end, one, ask(B, 1, n=CALL, advanced="implv", anchor=50.0))) == 11037


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"n": PERPETUAL}, 11038),
        ({"post_only": True}, 11039),
        ({"advanced": "delta"}, 11029),
        ({"kind": "market"}, 11029),
        ({"kind": "stop_limit", "trigger": "mark", "trigger_price": 500, "price": 100}, 11029),
        ({"anchor": 0.0}, 10005),
        ({"anchor": float("nan")}, 10005),
        ({"anchor": 900.0}, 10007),
    ],
)
def test_refusals(more: dict[str, Any], code: int) -> None:
    exchange, (one, _), _ = small()
    given = {"n": CALL, "advanced": "implv", "anchor": 50.0, "price": 0, **more}
    n, price = given.pop("n"), given.pop("price")
    assert refused(exchange.place(START, one, ask(B, 1, price, n, **given))) == code


def test_edits() -> None:
    exchange, (one, _), house = small()
    order = placed(exchange.place(START, one, ask(B, 4, n=CALL, advanced="implv", anchor=40.0))).order
    higher = placed(exchange.edit(START + 1, one, order.id, Change(anchor=45.0))).order
    assert (higher.anchor, higher.replaced) == (45.0, True)
    assert higher.price > order.price
    assert refused(exchange.edit(START + 1, one, order.id, Change(post_only=True))) == 11039
    usd = placed(exchange.edit(START + 1, one, order.id, Change(advanced="usd", anchor=1_000.0))).order
    assert (usd.advanced, usd.price) == ("usd", 100)
    plain = placed(exchange.edit(START + 1, one, order.id, Change(advanced="", price=105))).order
    assert (plain.advanced, plain.anchor, plain.price) == ("", 0.0, 105)
    tell(exchange, 105_000.0, START + 2)
    exchange.reprice(START + 5 * NS)
    assert exchange.order(one, order.id) == plain
    exchange.quote(START, house, CALL, S, 105, 4)
    assert exchange.finished[order.id].state == FILLED
    sound(exchange)
