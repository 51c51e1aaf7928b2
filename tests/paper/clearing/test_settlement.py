"""What happens at eight in the morning, and at an expiry."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS, Kind, Side
from engine.paper.clearing import standing
from engine.paper.clearing.accounts import INSURANCE, PICO, VENUE
from engine.paper.clearing.house import ClearingSettings
from engine.paper.clearing.settlement import next_settlement
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.listing import Spec, listing
from engine.paper.orders.terms import DELIVERED, LOCKED, SETTLEMENT
from tests.paper.small import CALL, FUTURE, PERPETUAL, PUT, START, ask, placed, refused, small, sound

B, S = Side.BUY, Side.SELL
P = 200_000
EIGHT = next_settlement(START)
DAY = 24 * 3600 * NS


def hold(exchange: Exchange, account: int, house: int, n: int, lots: int, price: int) -> None:
    """The account trades so many lots, signed, with the house."""
    side = B if lots > 0 else S
    exchange.quote(START, house, n, side.other, price, abs(lots))
    placed(exchange.place(START, account, ask(side, abs(lots), price, n=n)))


def moved(exchange: Exchange, t: int, index: float) -> None:
    marks = exchange.marks
    marks.tell(t, index, dict.fromkeys(marks.forwards, index), marks.iv[marks.options])


def test_sessions_end_at_eight() -> None:
    assert next_settlement(0) == 8 * 3600 * NS
    assert next_settlement(8 * 3600 * NS) == DAY + 8 * 3600 * NS
    assert EIGHT % DAY == 8 * 3600 * NS


def test_the_settlement_pays_what_floats_and_begins_a_session() -> None:
    exchange, (one, two), house = small()
    for client, n, lots, price in ((one, PERPETUAL, 20_000, P), (two, FUTURE, -5_000, P), (one, CALL, 10, 120)):
        hold(exchange, client, house, n, lots, price)
    moved(exchange, EIGHT - NS, 104_000.0)
    account = exchange.accounts[one]
    before = account.cash
    exchange.clearing.turn(EIGHT)
    assert (account.cash - before) / PICO == pytest.approx(200_000 / 100_000 - 200_000 / 104_000)
    assert account.positions[PERPETUAL].size == 20_000
    assert exchange.marks.settled[PERPETUAL] == 104_000.0
    (line,) = exchange.clearing.settlements.of(one)
    assert (line.type, line.instrument, line.position) == ("settlement", PERPETUAL, 20_000)
    assert line.session_profit_loss == account.cash - before
    assert [entry.type for entry in account.log] == ["deposit", "trade", "trade", "settlement"]
    public = exchange.clearing.settlements.public
    assert [(line.instrument, line.position) for line in public] == [(PERPETUAL, 20_000), (FUTURE, 5_000)]
    sound(exchange)
    moved(exchange, EIGHT + NS, 104_000.0)
    exchange.clearing.turn(EIGHT + DAY)  # nothing has moved since: there is nothing to pay
    assert exchange.clearing.settlements.of(one)[-1].session_profit_loss == 0
    sound(exchange)


def test_what_was_delivered_has_no_part_in_the_next_session() -> None:
    exchange, (one, _), house = small()
    hold(exchange, one, house, FUTURE, 5_000, P)
    expiry = exchange.instruments[FUTURE].expiry
    moved(exchange, expiry, 104_000.0)
    exchange.marks.sample()
    exchange.clearing.turn(expiry)
    told = standing.summary(exchange.accounts[one], exchange.marks)
    assert expiry == next_settlement(expiry - NS)
    assert (told.futures_session_rpl, told.balance) == (0.0, told.equity)
    sound(exchange)


def test_books_are_in_settlement_for_a_moment() -> None:
    exchange, (one, _), _ = small()
    order = placed(exchange.place(START, one, ask(B, 5, P))).order
    exchange.set_state(START, CALL, "halted")
    exchange.clearing.turn(EIGHT)
    assert exchange.stats[PERPETUAL].state == SETTLEMENT
    assert refused(exchange.place(EIGHT, one, ask(B, 5, P))) == 10041
    exchange.clearing.turn(EIGHT + NS)
    assert (exchange.stats[PERPETUAL].state, exchange.stats[CALL].state) == ("open", "halted")
    assert exchange.accounts[one].open.keys() == {order.id}
    assert placed(exchange.place(EIGHT + NS, one, ask(B, 5, P))).order.state == "open"


def test_an_expiry_is_delivered_at_the_average_of_the_last_half_hour() -> None:
    exchange, (one, two), house = small()
    expiry = exchange.instruments[CALL].expiry
    hold(exchange, one, house, CALL, 20, 120)
    hold(exchange, two, house, FUTURE, 3_000, P)
    cash = exchange.accounts[one].cash
    for second in range(-2400, 1):
        moved(exchange, expiry + second * NS, 101_000.0 if second < -900 else 103_000.0)
        if second == -900:
            assert exchange.marks.estimated(CALL) == pytest.approx(101_000.0, rel=1e-4)
        exchange.clearing.turn(expiry + second * NS)
    price = exchange.clearing.settlements.delivered[-1][1]
    assert price == pytest.approx(102_000.0, rel=1e-4)
    assert (exchange.accounts[one].cash - cash) / PICO == pytest.approx(2.0 * (price - 100_000) / price)
    assert [exchange.stats[n].state for n in (FUTURE, CALL, PUT)] == [DELIVERED] * 3
    assert exchange.clearing.settlements.delivered == [(expiry, price)]
    kinds = [(line.type, line.instrument) for line in exchange.clearing.settlements.of(one)]
    assert kinds == [("delivery", CALL)]
    assert exchange.accounts[two].log[-1].type == "delivery"
    sound(exchange)


@pytest.mark.parametrize(
    ("name", "lots", "price", "at", "fee"),
    [
        ("C", 10, 500, 130_000.0, 0.00015),  # a contract, of a monthly
        ("C", 10, 500, 100_100.0, 0.125 * 100 / 100_100),  # capped at an eighth of what is paid
        ("C", 10, 500, 90_000.0, 0.0),  # worthless
        ("P", 10, 500, 90_000.0, 0.00015),
        ("F", 1_000, P, 100_000.0, 0.1 * 0.00025),  # 10,000 USD
    ],
)
def test_clients_pay_for_delivery_as_the_table_says(name: str, lots: int, price: int, at: float, fee: float) -> None:
    instruments = listing(START, Spec(expiries=3, strikes=1, futures=1))
    exchange = Exchange(instruments, 100_000.0, start_ns=START)
    marks = exchange.marks
    marks.tell(START, 100_000.0, {}, marks.iv[marks.options] + 0.8)
    one, house = exchange.open_account("one", 10.0), exchange.open_account("house", 0.0, house=True)
    month = max(i.expiry for i in instruments)
    n = next(n for n, i in enumerate(instruments) if i.expiry == month and _letter(i.kind, i.call) == name)
    hold(exchange, one, house, n, lots, price)
    fees = exchange.accounts[one].fees
    exchange.settle(month, n, at)
    assert (exchange.accounts[one].fees - fees) / PICO == pytest.approx(fee, abs=1e-9)
    assert exchange.accounts[VENUE].cash == exchange.accounts[one].fees
    sound(exchange)


def _letter(kind: Kind, call: bool) -> str:
    return "F" if kind is not Kind.OPTION else "C" if call else "P"


def test_what_is_not_modelled_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="not modelled"):
        ClearingSettings(options_to_futures=True)


def test_an_account_in_trouble_is_liquidated_in_steps() -> None:
    exchange, (one, two), house = small(coin=0.05)
    hold(exchange, one, house, PERPETUAL, 20_000, P)  # two coins on a twentieth of one
    working = placed(exchange.place(START, one, ask(B, 10, P - 1_000))).order
    moved(exchange, START + NS, 98_500.0)
    exchange.quote(START, house, PERPETUAL, B, 196_900, 9_000)
    exchange.commit(START)
    exchange.drain()
    exchange.clearing.turn(START + NS)
    account = exchange.accounts[one]
    assert exchange.finished[working.id].state == "cancelled"
    assert 0 < account.size(PERPETUAL) < 20_000
    insurance = exchange.accounts[INSURANCE]
    closed = 20_000 - account.size(PERPETUAL)
    assert (insurance.cash - insurance.deposit) / PICO == pytest.approx(closed * 10 / 98_450 * 0.0075, rel=1e-6)
    exchange.commit(START + NS)
    prints = [t for said in exchange.drain() for t in getattr(said, "trades", ())]
    assert {trade.liquidation for trade in prints} == {"T"}
    assert "liquidation" in {entry.type for entry in account.log}
    sound(exchange)
    assert exchange.accounts[two].cash == exchange.accounts[two].deposit


def test_nothing_is_liquidated_in_a_book_that_takes_no_orders() -> None:
    exchange, (one, _), house = small(coin=0.05)
    hold(exchange, one, house, PERPETUAL, 20_000, P)
    moved(exchange, START + NS, 98_500.0)
    exchange.quote(START, house, PERPETUAL, B, 196_900, 9_000)
    exchange.set_state(START, None, LOCKED)
    exchange.clearing.turn(START + NS)
    account = exchange.accounts[one]
    assert (account.size(PERPETUAL), len(account.orders)) == (20_000, 1), "and no orders are made for it"


def test_the_insurance_pays_what_a_bankrupt_account_owes() -> None:
    exchange, (one, _), house = small(coin=0.05)
    hold(exchange, one, house, PERPETUAL, 20_000, P)
    moved(exchange, START + NS, 90_000.0)
    exchange.quote(START, house, PERPETUAL, B, 179_000, 40_000)
    for second in range(1, 40):
        exchange.clearing.turn(START + second * NS)
    account, insurance = exchange.accounts[one], exchange.accounts[INSURANCE]
    assert (account.size(PERPETUAL), account.cash) == (0, 0)
    assert insurance.cash < insurance.deposit
    assert exchange.clearing.settlements.of(one)[-1].type == "bankruptcy"
    sound(exchange)


def test_the_house_is_liquidated_only_where_it_was_opened_with_coin() -> None:
    exchange, _, house = small()
    rich, poor = exchange.open_account("on margin", 0.05, house=True), exchange.open_account("free", 0.0, house=True)
    for each in (rich, poor):
        exchange.quote(START, house, PERPETUAL, S, P, 20_000)
        exchange.quote(START, each, PERPETUAL, B, P, 20_000, keep=False)
    moved(exchange, START + NS, 97_000.0)
    exchange.quote(START, house, PERPETUAL, B, 193_000, 90_000)
    for second in range(1, 40):
        exchange.clearing.turn(START + second * NS)
    assert exchange.accounts[rich].size(PERPETUAL) < 20_000
    assert exchange.accounts[poor].size(PERPETUAL) == 20_000
    sound(exchange)


events = st.one_of(
    st.tuples(st.just("trade"), st.integers(0, 3), st.sampled_from([PERPETUAL, FUTURE, CALL, PUT]),
              st.integers(-9_000, 9_000)),
    st.tuples(st.just("move"), st.floats(0.9, 1.1), st.floats(-0.004, 0.004), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 3600]), st.just(0), st.just(0)),
    st.tuples(st.just("day"), st.just(0), st.just(0), st.just(0)),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(events, min_size=5, max_size=40))
def test_whatever_happens_nothing_is_made_or_lost(story: list[tuple[str, float, float, int]]) -> None:
    exchange, clients, house = small(clients=3, coin=0.5)
    clients.append(exchange.open_account("on margin", 0.3, house=True))
    _tell(exchange, START, story, clients, house)
    for account in exchange.accounts:
        if not account.house:  # the log explains every pico; funding is in it when a session has ended
            accrued = sum(position.funding for position in account.positions.values())
            told = sum(entry.change + entry.funding for entry in account.log)
            assert account.cash == told + accrued


def _tell(
    exchange: Exchange, t: int, story: list[tuple[str, float, float, int]], clients: list[int], house: int
) -> None:
    index = 100_000.0
    for name, first, second, lots in story:
        if name == "move":
            index = min(max(index * first, 60_000.0), 160_000.0)
            marks = exchange.marks
            marks.tell(t, index, dict.fromkeys(marks.forwards, index), marks.iv[marks.options], second)
        elif name == "trade" and lots:
            _trade(exchange, t, clients[int(first)], house, int(second), lots)
        else:
            t = next_settlement(t) if name == "day" else t + int(first) * NS
            for k in (PERPETUAL, FUTURE):
                low, high = exchange.marks.band(k)
                exchange.quote(t, house, k, B, low + 10, 50_000, keep=True)
                exchange.quote(t, house, k, S, high - 10, 50_000, keep=True)
            exchange.clearing.turn(t)
        exchange.commit(t)
        sound(exchange)


def _trade(exchange: Exchange, t: int, account: int, house: int, n: int, lots: int) -> None:
    """With the house, at the mark, as far as the account may."""
    if not exchange.trades(n):
        return
    i, mark = exchange.instruments[n], float(exchange.marks.price[n])
    price, side = i.ceil_tick(mark / i.tick), B if lots > 0 else S
    size = abs(lots) if i.kind is not Kind.OPTION else abs(lots) % 20 + 1
    exchange.quote(t, house, n, side.other, price, size)
    if exchange.accounts[account].house:
        exchange.quote(t, account, n, side, price, size, keep=False)
    else:
        exchange.place(t, account, ask(side, size, price, n=n, tif="immediate_or_cancel"))


def test_a_clearing_goes_on_from_what_was_dumped() -> None:
    made = [small(), small()]
    for exchange, (one, _), house in made:
        hold(exchange, one, house, PERPETUAL, 20_000, P)
        exchange.clearing.turn(EIGHT)
    exchange, twin = made[0][0], made[1][0]
    exchange.clearing.turn(EIGHT + NS)
    twin.load(msgspec.msgpack.decode(msgspec.msgpack.encode(exchange.dump())))
    for each in (exchange, twin):
        moved(each, EIGHT + 2 * NS, 101_000.0)
        for second in range(2, 100):
            each.clearing.turn(EIGHT + second * NS)
        each.clearing.turn(EIGHT + DAY)
    assert twin.dump() == exchange.dump()
