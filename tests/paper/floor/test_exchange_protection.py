"""Market-maker protection, self-trade prevention, and how often one may ask."""

from __future__ import annotations

import pytest

from engine.domain import NEVER, NS, Side
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.matching import CANCELLED, FILLED, OPEN
from engine.paper.orders.protection import Limits
from engine.paper.orders.terms import Change, Protected, Report, Rules
from tests.paper.small import CALL, PERPETUAL, PUT, START, ask, placed, refused, small, sound

B, S = Side.BUY, Side.SELL
P = 200_000
SECOND = Limits(interval_ns=NS, frozen_ns=2 * NS, quantity=1.0)


def maker(limits: Limits, account: int = 0) -> tuple[Exchange, int, int]:
    """A client that quotes three options' sides with protected orders of 0.8, and a house account that takes."""
    exchange, (one, _), house = small()
    exchange.set_protection(one, limits)
    for n, side, price in ((CALL, S, 125), (CALL, B, 115), (PUT, B, 115)):
        placed(exchange.place(START, one, ask(side, 8, price, n, mmp=True)))
    placed(exchange.place(START, one, ask(S, 8, 130, CALL)))  # not protected
    exchange.commit(START)
    exchange.drain()
    return exchange, one, house


def take(exchange: Exchange, house: int, lots: int, t: int, n: int = CALL, side: Side = B) -> None:
    exchange.quote(t, house, n, side, 125 if side is B else 115, lots, keep=False)
    exchange.commit(t)


def marked(exchange: Exchange, account: int) -> int:
    return sum(order.mmp for order in exchange.working(account))


def test_what_is_traded_within_the_interval_sets_it_off() -> None:
    exchange, one, house = maker(SECOND)
    take(exchange, house, 5, START + 1)
    assert marked(exchange, one) == 3
    take(exchange, house, 5, START + NS, side=S)  # the other side counts as well
    assert marked(exchange, one) == 0
    assert len(list(exchange.working(one))) == 1
    assert {o.reason for o in exchange.accounts[one].orders if o.state == CANCELLED} == {"mmp_trigger"}
    kinds = [type(said) for said in exchange.drain()]
    assert kinds.count(Protected) == 1
    assert kinds.index(Protected) > kinds.index(Report)
    sound(exchange)


def test_a_new_interval_counts_from_nothing() -> None:
    exchange, one, house = maker(SECOND)
    take(exchange, house, 5, START + 1)
    take(exchange, house, 5, START + 1 + NS, side=S)
    assert marked(exchange, one) == 3


def test_a_match_under_way_goes_on_to_its_end() -> None:
    exchange, one, house = maker(Limits(interval_ns=NS, frozen_ns=NS, quantity=0.1))
    placed(exchange.place(START, one, ask(S, 2, 125, CALL, mmp=True)))
    take(exchange, house, 9, START + 1)
    assert [f.trade.lots for f in exchange.fills[one]] == [8, 1]
    protection = exchange.protection(one)
    assert protection is not None
    assert protection.frozen(START + 2), "what it traded after that did not thaw it"


@pytest.mark.parametrize(
    ("limits", "trips"),
    [
        (Limits(interval_ns=NS, frozen_ns=NS, delta=0.35), True),  # 0.8 of about 0.5, less the mark
        (Limits(interval_ns=NS, frozen_ns=NS, delta=0.5), False),
        (Limits(interval_ns=NS, frozen_ns=NS, vega=10.0), True),
        (Limits(interval_ns=NS, frozen_ns=NS, vega=1e6), False),
        (Limits(interval_ns=NS, frozen_ns=NS), False),
    ],
)
def test_delta_and_vega_have_limits_of_their_own(limits: Limits, trips: bool) -> None:
    exchange, one, house = maker(limits)
    take(exchange, house, 8, START + 1)
    assert marked(exchange, one) == (0 if trips else 2)


def test_delta_is_signed() -> None:
    exchange, one, house = maker(Limits(interval_ns=NS, frozen_ns=NS, delta=0.45))
    take(exchange, house, 7, START + 1)
    take(exchange, house, 7, START + 2, side=S)
    assert marked(exchange, one) == 3


def test_while_frozen_protected_orders_are_refused_and_others_are_not() -> None:
    exchange, one, house = maker(SECOND)
    take(exchange, house, 8, START + 1)
    take(exchange, house, 8, START + 2, side=S)
    until = START + 2 + 2 * NS
    (protected,) = [said for said in exchange.drain() if isinstance(said, Protected)]
    assert (protected.account, protected.until) == (one, until)
    wanted = ask(B, 1, 100, CALL, mmp=True)
    assert refused(exchange.place(until - 1, one, wanted)) == 13030
    plain = placed(exchange.place(until - 1, one, ask(B, 1, 100, CALL))).order
    assert refused(exchange.edit(until - 1, one, plain.id, Change(mmp=True))) == 13030
    assert placed(exchange.place(until, one, wanted)).order.state == OPEN


def test_without_a_frozen_time_it_is_thawed_by_hand() -> None:
    exchange, one, house = maker(Limits(interval_ns=NS, frozen_ns=0, quantity=0.5))
    take(exchange, house, 8, START + 1)
    protection = exchange.protection(one)
    assert protection is not None
    assert protection.until == NEVER
    assert exchange.reset_protection(one)
    placed(exchange.place(START + 2, one, ask(B, 1, 100, CALL, mmp=True)))
    exchange.set_protection(one, Limits(interval_ns=0, frozen_ns=0))
    assert exchange.protection(one) is None
    assert not exchange.reset_protection(one)


def test_an_incoming_order_that_sets_it_off_does_not_rest() -> None:
    exchange, (one, _), house = small()
    exchange.set_protection(one, SECOND)
    exchange.quote(START, house, CALL, S, 120, 10)
    order = placed(exchange.place(START + 1, one, ask(B, 15, 120, CALL, mmp=True))).order
    assert (order.state, order.reason, order.filled) == (CANCELLED, "mmp_trigger", 10)
    sound(exchange)


def test_the_crowd_is_protected_too() -> None:
    exchange, (one, _), house = small()
    exchange.set_protection(house, SECOND)
    first = exchange.quote(START, house, CALL, S, 120, 20, mmp=True)
    second = exchange.quote(START, house, PUT, S, 120, 20, mmp=True)
    plain = exchange.quote(START, house, PUT, S, 125, 20)
    placed(exchange.place(START + 1, one, ask(B, 12, 120, CALL)))
    exchange.commit(START + 1)
    assert [order.state for order in (first, second, plain)] == [CANCELLED, CANCELLED, OPEN]
    assert exchange.quote(START + 2, house, PUT, S, 120, 20, mmp=True).state == CANCELLED
    assert not any(isinstance(said, Protected) for said in exchange.drain())
    assert exchange.quote(START + 1 + 2 * NS, house, PUT, S, 120, 20, mmp=True).state == OPEN
    sound(exchange)


# self-trade prevention


def test_the_resting_order_may_give_way() -> None:
    exchange, (one, two), _ = small()
    assert exchange.self_trading(one) == "reject_taker"
    exchange.set_self_trading(one, "cancel_maker")
    assert exchange.self_trading(one) == "cancel_maker"
    mine = placed(exchange.place(START, one, ask(S, 3, P + 1))).order
    placed(exchange.place(START, two, ask(S, 2, P + 1)))
    taker = placed(exchange.place(START + 1, one, ask(B, 4, P + 1))).order
    assert (taker.state, taker.filled, taker.rest) == (OPEN, 2, 2)
    assert exchange.finished[mine.id].state == CANCELLED
    exchange.commit(START + 1)
    sound(exchange)


def test_own_orders_do_not_fill_a_fill_or_kill() -> None:
    exchange, (one, two), _ = small()
    exchange.set_self_trading(one, "cancel_maker")
    placed(exchange.place(START, one, ask(S, 3, P + 1)))
    placed(exchange.place(START, two, ask(S, 2, P + 1)))
    done = placed(exchange.place(START + 1, one, ask(B, 4, P + 1, tif="fill_or_kill"))).order
    assert (done.state, done.filled) == (CANCELLED, 0)
    assert placed(exchange.place(START + 1, one, ask(B, 2, P + 1, tif="fill_or_kill"))).order.state == FILLED
    sound(exchange)


def test_a_fill_or_kill_does_not_count_on_what_its_own_trades_would_take_away() -> None:
    exchange, (one, two), house = small()
    exchange.quote(START, house, PERPETUAL, S, P, 5)
    placed(exchange.place(START, two, ask(B, 5, P)))  # two is long 5
    placed(exchange.place(START, two, ask(S, 5, P + 1)))
    placed(exchange.place(START, two, ask(S, 5, P + 2, reduce_only=True)))
    done = placed(exchange.place(START + 1, one, ask(B, 8, P + 2, tif="fill_or_kill"))).order
    assert (done.state, done.filled) == (CANCELLED, 0)
    assert placed(exchange.place(START + 1, one, ask(B, 5, P + 2, tif="fill_or_kill"))).order.state == FILLED
    exchange.commit(START + 1)
    assert exchange.accounts[two].size(PERPETUAL) == 0
    assert not exchange.accounts[two].open
    sound(exchange)


# how often


def test_requests_are_charged_and_refused_when_none_are_left() -> None:
    exchange, (one, two), _ = small(rules=Rules())
    order = placed(exchange.place(START, one, ask(B, 5, P))).order
    for lots in range(18, 0, -1):
        exchange.edit(START, one, order.id, Change(amount=lots + 5))
    assert not isinstance(exchange.cancel(START, one, order.id), int)
    codes = (exchange.place(START, one, ask(B, 1, P)), exchange.edit(START, one, 7, Change(amount=2)),
             exchange.cancel(START, one, 7))  # fmt: skip
    assert [refused(outcome) for outcome in codes] == [10028, 10028, 10028]
    assert placed(exchange.place(START, two, ask(B, 1, P)))  # each account has its own
    assert refused(exchange.place(START + NS // 5 - 1, one, ask(B, 1, P))) == 10028
    assert placed(exchange.place(START + NS // 5, one, ask(B, 1, P)))
    assert refused(exchange.place(START + NS // 5, one, ask(B, 1, P))) == 10028


def test_sweeps_have_their_own_allowance() -> None:
    exchange, (one, _), _ = small(rules=Rules(sweep_rate=1, sweep_burst=2))
    outcomes = [exchange.admit(t, one, sweep=True) for t in (START, START, START, START + NS)]
    assert [outcome is None for outcome in outcomes] == [True, True, False, True]
    assert placed(exchange.place(START, one, ask(B, 1, P)))


def test_only_the_latest_of_what_is_over_is_kept() -> None:
    exchange, (one, _), house = small(rules=Rules(order_rate=0, kept=10))
    resting = placed(exchange.place(START, one, ask(B, 1, P - 50, label="stays"))).order
    for k in range(300):
        exchange.quote(START + k, house, PERPETUAL, S, P, 1)
        placed(exchange.place(START + k, one, ask(B, 1, P, label=f"{k % 3}")))
        exchange.quote(START + k, house, PERPETUAL, B, P, 1)
        placed(exchange.place(START + k, one, ask(S, 1, P)))
        exchange.commit(START + k)
        exchange.drain()
    account = exchange.accounts[one]
    assert 10 <= len(account.orders) <= 21
    assert len(exchange.finished) == len(account.orders) - 1
    assert 10 <= len(exchange.fills[one]) <= 20
    assert exchange.order(one, resting.id) is account.orders[0]
    assert exchange.by_label(one, "stays") == [account.orders[0]]
    assert sum(map(len, account.labels.values())) == sum(1 for order in account.orders if order.label)
    twin = small(rules=Rules(order_rate=0, kept=10))[0]
    twin.load(exchange.dump())
    assert twin.dump() == exchange.dump()


def test_too_many_open_orders() -> None:
    exchange, (one, _), _ = small(rules=Rules(order_rate=0, max_open=3))
    orders = [placed(exchange.place(START, one, ask(B, 1, P - k))).order for k in range(3)]
    assert refused(exchange.place(START, one, ask(B, 1, P))) == 10047
    assert placed(exchange.edit(START, one, orders[0].id, Change(price=P - 9)))
