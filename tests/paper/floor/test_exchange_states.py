"""States of an instrument, and trades that no book sees."""

from __future__ import annotations

import pytest

from engine.domain import Side
from engine.paper.orders.matching import CANCELLED, FILLED, OPEN
from engine.paper.orders.terms import BookState, Change, Platform, Trades
from tests.paper.small import CALL, PERPETUAL, START, ask, placed, refused, small, sound

B, S = Side.BUY, Side.SELL
P = 200_000


@pytest.mark.parametrize(
    ("state", "enters", "cancels"),
    [("settlement", 10041, 10041), ("locked", 10019, 0), ("halted", 11051, 11051), ("inactive", 10012, 0)],
)
def test_what_may_be_asked_of_a_book(state: str, enters: int, cancels: int) -> None:
    exchange, (one, _), house = small()
    order = placed(exchange.place(START, one, ask(B, 2, P))).order
    quote = exchange.quote(START, house, PERPETUAL, S, P + 5, 4)
    assert exchange.set_state(START + 1, PERPETUAL, state) is None
    assert refused(exchange.place(START + 1, one, ask(B, 1, P))) == enters
    assert refused(exchange.place(START + 1, one, ask(B, 1, kind="stop_market", trigger="index",
                                                      trigger_price=P + 9))) == enters  # fmt: skip
    assert refused(exchange.edit(START + 1, one, order.id, Change(amount=1))) == enters
    assert exchange.quote(START + 1, house, PERPETUAL, S, P, 1).state == CANCELLED
    assert placed(exchange.place(START + 1, one, ask(B, 1, 120, CALL))).order.state == OPEN  # the others trade on
    assert exchange.cancel_where(START + 1, one, lambda o: o.instrument == PERPETUAL) == (0 if cancels else 1)
    outcome = exchange.cancel(START + 1, one, order.id)
    assert refused(outcome) == (cancels or 11044)
    exchange.commit(START + 1)
    exchange.pull(START + 2, quote)
    assert exchange.set_state(START + 2, PERPETUAL, "open") is None
    assert placed(exchange.place(START + 2, one, ask(B, 1, P))).order.state == OPEN
    sound(exchange)


def test_what_rests_stays_and_trades_again() -> None:
    exchange, (one, _), house = small()
    order = placed(exchange.place(START, one, ask(B, 2, P))).order
    exchange.set_state(START, PERPETUAL, "halted")
    exchange.quote(START, house, PERPETUAL, S, P, 2)
    assert exchange.accounts[one].open
    exchange.set_state(START, PERPETUAL, "open")
    exchange.quote(START, house, PERPETUAL, S, P, 2)
    assert exchange.finished[order.id].state == FILLED


def test_the_venues_own_reasons_cancel_in_a_halted_book() -> None:
    exchange, (one, _), _ = small()
    placed(exchange.place(START, one, ask(B, 2, P)))
    exchange.set_state(START, None, "halted")
    assert exchange.cancel_where(START, one, lambda order: True, "cancel_on_disconnect") == 1


def test_states_are_announced_each_and_for_all() -> None:
    exchange, _, _ = small()
    exchange.set_state(START, CALL, "locked")
    exchange.commit(START)
    assert exchange.drain() == [BookState(START, CALL, "locked")]
    exchange.set_state(START + 1, None, "locked")
    exchange.commit(START + 1)
    said = exchange.drain()
    others = [n for n in range(len(exchange.instruments)) if n != CALL]
    assert said == [*(BookState(START + 1, n, "locked") for n in others), Platform(START + 1, "locked")]
    assert said[-1].locked  # type: ignore[union-attr]
    exchange.set_state(START + 2, None, "open")
    exchange.commit(START + 2)
    assert not exchange.drain()[-1].locked  # type: ignore[union-attr]


def test_what_has_ended_stays_ended_but_for_the_archive() -> None:
    exchange, _, _ = small()
    assert refused(exchange.set_state(START, CALL, "delivered")) == 10012  # that is what settling is for
    assert refused(exchange.set_state(START, CALL, "archivized")) == 10012
    assert refused(exchange.set_state(START, CALL, "asleep")) == 10012
    exchange.settle(START, CALL, 100_000.0)
    assert refused(exchange.set_state(START, CALL, "open")) == 10012
    assert exchange.set_state(START, None, "halted") is None
    assert exchange.stats[CALL].state == "delivered"
    assert exchange.set_state(START, CALL, "archivized") is None
    assert exchange.stats[CALL].closed


# off the book


@pytest.mark.parametrize(
    ("kind", "number", "ids"),
    [
        ("block", "BLOCK-7", ("BLOCK-7", 0, "")),
        ("block_rfq", "12", ("", 12, "")),
        ("combo", "BTC-FS", ("", 0, "BTC-FS")),
    ],
)
def test_a_print_moves_positions_and_no_book(kind: str, number: str, ids: tuple[str, int, str]) -> None:
    exchange, _, house = small()
    other = exchange.open_account("other", 0.0, house=True)
    exchange.quote(START, house, CALL, S, 125, 5)
    exchange.quote(START, other, CALL, B, 125, 2)
    exchange.commit(START)
    exchange.drain()
    stats = exchange.stats[CALL]
    last, interest = stats.last, stats.open_interest
    trade = exchange.print_off_book(START + 1, CALL, B, 121, 250, taker=other, maker=house, kind=kind, number=number)
    exchange.commit(START + 1)
    assert trade is not None
    assert (trade.block_trade_id, trade.block_rfq_id, trade.combo_id) == ids
    assert (trade.price, trade.lots, trade.side, trade.tick_direction, trade.liquidation) == (121, 250, B, 2, "")
    assert exchange.drain() == [Trades(START + 1, CALL, (trade,))]
    assert (stats.last, stats.open_interest) == (last, interest + 250)
    assert (exchange.accounts[other].size(CALL), exchange.accounts[house].size(CALL)) == (252, -252)
    assert exchange.hits[house] == {CALL: -2}
    sound(exchange)


def test_only_the_house_prints_and_only_while_the_book_trades() -> None:
    exchange, (one, _), house = small()
    with pytest.raises(ValueError, match="house"):
        exchange.print_off_book(START, CALL, B, 121, 1, taker=one, maker=house, kind="block", number="B")
    with pytest.raises(ValueError, match="house"):
        exchange.print_off_book(START, CALL, B, 121, 1, taker=house, maker=house, kind="block", number="B")
    other = exchange.open_account("other", 0.0, house=True)
    exchange.set_state(START, CALL, "halted")
    made = exchange.print_off_book(START, CALL, B, 121, 1, taker=other, maker=house, kind="block", number="B")
    assert made is None
    assert not exchange.stats[CALL].seq


@pytest.mark.parametrize(("client", "crowd", "marks"), [(True, False, "T"), (False, True, "T"), (False, False, "")])
def test_a_liquidation_is_marked(client: bool, crowd: bool, marks: str) -> None:
    exchange, (one, _), house = small()
    other = exchange.open_account("other", 0.0, house=True)
    exchange.quote(START, house, PERPETUAL, S, P, 5)
    if client or crowd:
        order = exchange.liquidate(START, one if client else other, PERPETUAL, B, P, 8)
        assert (order.state, order.filled, order.reason) == (CANCELLED, 5, "autoliquidation")
    else:
        exchange.quote(START, other, PERPETUAL, B, P, 8, keep=False)
    exchange.commit(START)
    (trades,) = [said for said in exchange.drain() if isinstance(said, Trades)]
    assert [trade.liquidation for trade in trades.trades] == [marks]
    if client:
        assert exchange.order(one, order.id) is order
    sound(exchange)


def test_a_liquidation_goes_through_the_accounts_own_orders() -> None:
    exchange, (one, _), house = small()
    exchange.quote(START, house, PERPETUAL, S, P + 2, 5)
    mine = placed(exchange.place(START, one, ask(S, 2, P + 1))).order
    order = exchange.liquidate(START + 1, one, PERPETUAL, B, P + 2, 5)
    assert (order.state, order.traded) == (FILLED, 5 * (P + 2))
    assert exchange.finished[mine.id].state == CANCELLED
    exchange.commit(START + 1)
    sound(exchange)
