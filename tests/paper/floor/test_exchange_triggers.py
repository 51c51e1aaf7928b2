"""Orders that wait for a price, and what they enter."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain import DAY_NS, HOUR_NS, Side
from engine.paper.clearing.settlement import next_settlement
from engine.paper.floor.exchange import Exchange
from engine.paper.orders import triggers
from engine.paper.orders.matching import CANCELLED, FILLED, OPEN, REJECTED, TRIGGERED, UNTRIGGERED, Order
from engine.paper.orders.terms import Change, Report
from tests.paper.small import CALL, FREE, PERPETUAL, START, ask, levels, placed, refused, small, sound

B, S = Side.BUY, Side.SELL
P = 200_000  # units of the perpetual: 100,000 USD
Market = tuple[Exchange, int, int, int]


@pytest.fixture
def market() -> Market:
    """Asks 5 @ P+2 and 5 @ P+4, bids 5 @ P-2 and 5 @ P-4, of the house; the index and every mark at P."""
    exchange, (one, two), house = small()
    for side, price in ((S, P + 2), (S, P + 4), (B, P - 2), (B, P - 4)):
        exchange.quote(START, house, PERPETUAL, side, price, 5)
    exchange.commit(START)
    exchange.drain()
    return exchange, one, two, house


def waiting(exchange: Exchange, account: int, kind: str, side: Side, at: int, *, lots: int = 2, price: int = 0,
            n: int = PERPETUAL, trigger: str = "index", offset: int = 0, **more: Any) -> Order:  # fmt: skip
    outcome = exchange.place(START, account, ask(side, lots, price, n, kind=kind, trigger=trigger, trigger_price=at,
                                                 trigger_offset=offset, **more))  # fmt: skip
    exchange.commit(START)
    order = exchange.order(account, placed(outcome).order.id)
    assert order is not None
    assert order.state == UNTRIGGERED
    return order


def tell(exchange: Exchange, units: int, t: int = START + 1) -> None:
    """Index and marks of the futures at so many units of the perpetual."""
    marks, index = exchange.marks, units / 2
    marks.tell(t, index, {}, marks.iv[marks.options])
    exchange.commit(t)


def entered(exchange: Exchange, account: int, order: Order) -> Order:
    (found,) = [o for o in exchange.accounts[account].orders if o.trigger_order == order.id]
    return found


@pytest.mark.parametrize(
    ("kind", "side", "at", "still", "reached"),
    [
        ("stop_market", B, P + 6, P + 5, P + 6),
        ("stop_market", S, P - 6, P - 5, P - 7),
        ("take_market", B, P - 6, P - 5, P - 6),
        ("take_market", S, P + 6, P + 5, P + 8),
    ],
)
@pytest.mark.parametrize("trigger", ["index", "mark"])
def test_it_enters_when_its_price_is_reached(
    market: Market, kind: str, side: Side, at: int, still: int, reached: int, trigger: str
) -> None:
    exchange, one, _, _ = market
    order = waiting(exchange, one, kind, side, at, trigger=trigger, label="s")
    tell(exchange, still)
    assert order.state == UNTRIGGERED
    tell(exchange, reached)
    child = entered(exchange, one, order)
    assert (order.state, child.kind, child.state, child.label) == (TRIGGERED, "market", FILLED, "s")
    assert exchange.accounts[one].size(PERPETUAL) == 2 * side.sign
    tell(exchange, still, START + 2)
    tell(exchange, reached, START + 3)
    assert exchange.accounts[one].size(PERPETUAL) == 2 * side.sign  # once only
    sound(exchange)


def test_a_stop_limit_rests_at_its_limit(market: Market) -> None:
    exchange, one, _, _ = market
    order = waiting(exchange, one, "stop_limit", B, P + 6, price=P + 1)
    tell(exchange, P + 6)
    child = entered(exchange, one, order)
    assert (child.kind, child.state, child.price, child.created) == ("limit", OPEN, P + 1, START + 1)
    assert exchange.books[PERPETUAL].bids.best == P + 1


def test_the_last_trade_sets_off_one_stop_and_that_the_next(market: Market) -> None:
    exchange, one, two, _ = market
    flow = exchange.open_account("flow", 0.0, house=True)
    exchange.quote(START, flow, PERPETUAL, B, P + 2, 1)
    buys = waiting(exchange, one, "stop_market", B, P + 4, lots=3, trigger="last")
    sells = waiting(exchange, two, "take_limit", S, P + 5, price=P - 4, trigger="last")
    exchange.quote(START + 5, flow, PERPETUAL, S, P + 5, 9)
    exchange.commit(START + 5)
    assert (buys.state, sells.state) == (UNTRIGGERED, UNTRIGGERED)
    exchange.quote(START + 6, flow, PERPETUAL, B, P + 4, 7, keep=False)  # leaves 2 at P+4 and 9 at P+5
    exchange.commit(START + 6)
    assert [f.trade.price for f in exchange.fills[one]] == [P + 4, P + 5]
    assert [f.trade.price for f in exchange.fills[two]] == [P - 2]
    assert (buys.state, sells.state) == (TRIGGERED, TRIGGERED)
    sound(exchange)


def test_a_trailing_stop_follows_the_best_price_and_not_back(market: Market) -> None:
    exchange, one, _, _ = market
    order = waiting(exchange, one, "trailing_stop", S, 0, offset=10)
    assert (order.trigger_price, order.trigger_reference) == (P - 10, P)
    exchange.drain()
    tell(exchange, P + 20)
    (report,) = exchange.drain()
    assert isinstance(report, Report)
    assert [o.trigger_price for o in report.orders] == [P + 10]
    tell(exchange, P + 15)
    assert (order.trigger_price, exchange.drain()) == (P + 10, [])
    tell(exchange, P + 9)
    assert (order.state, entered(exchange, one, order).kind) == (TRIGGERED, "market")


@pytest.mark.parametrize(
    ("kind", "side", "more", "code"),
    [
        ("stop_market", B, {"trigger_price": P}, 10035),
        ("stop_market", S, {"trigger_price": P}, 10034),
        ("take_market", B, {"trigger_price": P + 1}, 10034),
        ("take_market", S, {"trigger_price": P - 1}, 10035),
        ("stop_market", B, {"trigger_price": 0}, 11036),
        ("trailing_stop", B, {"trigger_offset": 0}, 11036),
        ("trailing_stop", B, {"trigger_offset": 5, "trigger": "last"}, 11036),  # nothing was traded yet
        ("stop_market", B, {"trigger_price": P + 9, "trigger": "moon"}, 11029),
        ("stop_limit", B, {"trigger_price": P + 9, "price": 0}, 10005),
        ("stop_limit", B, {"trigger_price": 126, "trigger": "mark", "n": CALL, "price": 121}, 10043),
        ("stop_limit", B, {"trigger_price": 131, "trigger": "mark", "n": CALL, "price": 125}, 10044),
        ("stop_market", B, {"trigger_price": P + 9, "post_only": True}, 11055),
        ("stop_market", B, {"trigger_price": P + 9, "amount": 0}, 10002),
    ],
)
def test_what_cannot_wait_is_refused(market: Market, kind: str, side: Side, more: dict[str, Any], code: int) -> None:
    exchange, one, _, _ = market
    given = {"n": PERPETUAL, "price": P, "trigger": "index", "amount": 1, **more}
    lots, price, n = given.pop("amount"), given.pop("price"), given.pop("n")
    assert refused(exchange.place(START, one, ask(side, lots, price, n, kind=kind, **given))) == code
    exchange.commit(START)
    assert not exchange.accounts[one].orders
    assert exchange.drain() == []


def test_an_option_may_wait_for_the_index_in_cents(market: Market) -> None:
    exchange, one, _, house = market
    exchange.quote(START, house, CALL, S, 125, 5)
    order = waiting(exchange, one, "stop_market", B, 10_000_250, n=CALL)  # 100,002.50 USD
    assert triggers.unit(exchange.instruments[CALL], "index") == 0.01
    tell(exchange, P + 4)
    assert order.state == UNTRIGGERED
    tell(exchange, P + 5)
    assert exchange.accounts[one].size(CALL) == 2


def test_what_it_enters_is_looked_at_like_any_order(market: Market) -> None:
    exchange, one, _, _ = market
    order = waiting(exchange, one, "stop_market", B, P + 6, reduce_only=True)
    tell(exchange, P + 6)
    assert (order.state, order.reason) == (REJECTED, "other_reject")
    assert len(exchange.accounts[one].orders) == 1
    exchange.drain()
    sound(exchange)


def test_it_waits_while_its_book_is_shut(market: Market) -> None:
    exchange, one, _, _ = market
    order = waiting(exchange, one, "stop_market", B, P + 6)
    exchange.set_state(START, PERPETUAL, "halted")
    tell(exchange, P + 9)
    assert order.state == UNTRIGGERED
    exchange.set_state(START + 2, PERPETUAL, "open")
    exchange.commit(START + 2)
    assert order.state == TRIGGERED


def test_edits_and_cancels_of_what_waits(market: Market) -> None:
    exchange, one, _, _ = market
    order = waiting(exchange, one, "stop_limit", B, P + 6, price=P + 1, label="a")
    assert refused(exchange.edit(START + 1, one, order.id, Change(trigger_price=P - 1))) == 10035
    assert (order.trigger_price, order.replaced) == (P + 6, False)
    changed = placed(exchange.edit(START + 1, one, order.id, Change(trigger_price=P + 20, amount=7, price=P + 3)))
    assert (changed.order.trigger_price, changed.order.amount, changed.order.replaced) == (P + 20, 7, True)
    tell(exchange, P + 6)
    assert exchange.by_label(one, "a") == list(exchange.working(one)) == [order]
    assert exchange.cancel(START + 2, one, order.id) == order
    assert (order.state, order.reason) == (CANCELLED, "user_request")
    tell(exchange, P + 30)
    assert order.state == CANCELLED
    sound(exchange)


def test_cancelling_all_takes_what_waits_along_and_there_is_a_most(market: Market) -> None:
    exchange, one, _, _ = market
    for _ in range(FREE.max_triggers):
        waiting(exchange, one, "stop_market", B, P + 6)
    assert refused(exchange.place(START, one, ask(B, 1, kind="stop_market", trigger="index",
                                                  trigger_price=P + 6))) == 11035  # fmt: skip
    assert exchange.cancel_where(START, one, lambda order: True) == FREE.max_triggers
    assert not exchange.triggers.waiting


def test_expiry_ends_what_waits(market: Market) -> None:
    exchange, one, _, _ = market
    order = waiting(exchange, one, "stop_market", B, 10_000_250, n=CALL)
    exchange.settle(START + 1, CALL, 100_000.0)
    exchange.commit(START + 1)
    assert (order.state, order.reason) == (CANCELLED, "settlement")
    sound(exchange)


# other kinds


def test_a_market_limit_order_takes_the_best_price_and_rests_there(market: Market) -> None:
    exchange, one, _, _ = market
    done = placed(exchange.place(START, one, ask(B, 7, kind="market_limit")))
    assert [(f.trade.price, f.trade.lots) for f in done.fills] == [(P + 2, 5)]
    order = done.order
    assert (order.kind, order.original, order.state, order.price, order.rest) == ("limit", "market_limit", OPEN, P + 2,
                                                                                  2)  # fmt: skip
    assert exchange.books[PERPETUAL].bids.best == P + 2
    assert refused(exchange.place(START, one, ask(B, 1, n=CALL, kind="market_limit"))) == 11030
    assert refused(exchange.place(START, one, ask(B, 1, kind="market_limit", post_only=True))) == 11055
    assert refused(exchange.place(START, one, ask(B, 1, kind="limited"))) == 11029


def test_an_order_of_the_day_ends_at_eight(market: Market) -> None:
    exchange, one, _, _ = market
    order = placed(exchange.place(START, one, ask(B, 1, P, tif="good_til_day"))).order
    wait = waiting(exchange, one, "stop_market", B, P + 6, tif="good_til_day")
    kept = placed(exchange.place(START, one, ask(B, 1, P))).order
    end = next_settlement(START)
    assert START < end <= START + DAY_NS
    assert end % DAY_NS == 8 * HOUR_NS
    exchange.reprice(end - 1)
    assert len(list(exchange.working(one))) == 3
    exchange.reprice(end)
    assert [o.id for o in exchange.working(one)] == [kept.id]
    assert exchange.finished[order.id].state == exchange.finished[wait.id].state == CANCELLED


# icebergs


def test_an_iceberg_shows_a_part_and_refills_behind_the_others(market: Market) -> None:
    exchange, one, two, house = market
    mine = placed(exchange.place(START, one, ask(S, 10, P + 1, show=3))).order
    placed(exchange.place(START, two, ask(S, 4, P + 1)))
    assert levels(exchange.books[PERPETUAL].asks)[P + 1] == 3 + 4
    exchange.quote(START, house, PERPETUAL, B, P + 1, 5, keep=False)
    exchange.commit(START)
    iceberg = exchange.order(one, mine.id)
    assert iceberg is not None
    assert (iceberg.filled, iceberg.shown) == (3, 3)
    assert list(exchange.books[PERPETUAL].asks.levels[P + 1].orders)[-1] == iceberg.id
    sound(exchange)
    exchange.quote(START, house, PERPETUAL, B, P + 1, 9, keep=False)  # 2 of the other, then all that is hidden
    assert (iceberg.state, iceberg.filled) == (FILLED, 10)
    assert P + 1 not in levels(exchange.books[PERPETUAL].asks)
    sound(exchange)


def test_an_iceberg_made_smaller_keeps_its_place_and_loses_what_is_hidden_first(market: Market) -> None:
    exchange, one, two, _ = market
    mine = placed(exchange.place(START, one, ask(S, 10, P + 1, show=3))).order
    placed(exchange.place(START, two, ask(S, 4, P + 1)))
    for amount, shown in ((5, 3), (2, 2)):
        assert placed(exchange.edit(START + 1, one, mine.id, Change(amount=amount))).order.shown == shown
        assert next(iter(exchange.books[PERPETUAL].asks.levels[P + 1].orders)) == mine.id
        sound(exchange)
    exchange.edit(START + 1, one, mine.id, Change(show=0))
    assert next(iter(exchange.books[PERPETUAL].asks.levels[P + 1].orders)) != mine.id


@pytest.mark.parametrize(
    ("lots", "show", "code"), [(40, 1, 10036), (42, 2, 10036), (41, 2, 0), (3, 3, 0), (9, -1, 10036)]
)
def test_what_an_iceberg_may_hide(market: Market, lots: int, show: int, code: int) -> None:
    exchange, one, _, _ = market
    outcome = exchange.place(START, one, ask(S, lots, P + 1, show=show))
    assert refused(outcome) == code if code else placed(outcome).order.show == (show if show < lots else 0)


def test_an_own_order_is_met_only_after_what_is_shown_before_it(market: Market) -> None:
    exchange, one, two, _ = market
    placed(exchange.place(START, two, ask(S, 10, P + 1, show=3)))
    placed(exchange.place(START, one, ask(S, 1, P + 1)))
    assert refused(exchange.place(START, one, ask(B, 4, P + 1))) == 10003  # the iceberg hides 7, but behind
    assert placed(exchange.place(START, one, ask(B, 3, P + 1))).order.state == FILLED
