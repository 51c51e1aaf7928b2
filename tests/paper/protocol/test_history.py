"""What a market remembers: right, bounded, and kept by a dump."""

from __future__ import annotations

import math

import msgspec
import pytest

from engine.domain import HOUR_NS, NS, Side
from engine.paper.orders.terms import Trade, Trades
from engine.paper.protocol.history import MARKS, RECENT, YEAR_MINUTES, History
from tests.paper.client import PERPETUAL
from tests.paper.desk import Desk
from tests.paper.small import START, small


def told(history: History, t: int, index: float) -> bool:
    marks = history.exchange.marks
    marks.tell(t, index, {}, marks.iv[marks.options] + (0.0 if t > START else 0.5))
    return history.marked()


def index_at(minute: int) -> float:
    return 100_000.0 * math.exp(0.001 * math.sin(minute * 1.7))


def trade(number: int, t: int, price: int = 200_000, lots: int = 10, **more: object) -> Trades:
    print_ = Trade(number, number, t, 0, Side.BUY, price, lots, 0, 1e5, 1e5, 0.0, 1e5, **more)  # type: ignore[arg-type]
    return Trades(t, 0, (print_,))


def test_realised_volatility_is_that_of_the_minutes() -> None:
    history = History(small()[0])
    begin = START // HOUR_NS * HOUR_NS + HOUR_NS
    for minute in range(121):
        told(history, begin + minute * 60 * NS, index_at(minute))
    moves = [math.log(index_at(k + 1) / index_at(k)) for k in range(60)]
    expected = 100.0 * math.sqrt(sum(move**2 for move in moves) / 60 * YEAR_MINUTES)
    hours = history.realised(begin + 120 * 60 * NS)
    assert [at for at, _ in hours] == [begin + HOUR_NS, begin + 2 * HOUR_NS]
    assert hours[0][1] == pytest.approx(expected)
    assert history.day(begin + 120 * 60 * NS) == pytest.approx(
        (
            min(index_at(k) for k in range(121)),
            max(index_at(k) for k in range(121)),
            index_at(120) - index_at(0),
        )
    )


def test_marks_are_looked_at_once_each_time_they_are_told() -> None:
    history = History(small()[0])
    assert told(history, START + NS, 100_000.0)
    assert not history.marked()
    assert told(history, START + 2 * NS, 100_001.0)
    assert len(history.marks) == 2


def test_memory_is_bounded() -> None:
    history = History(small()[0])
    for second in range(2 * RECENT):
        told(history, START + second * NS, 100_000.0)
        history.printed(trade(second + 1, START + second * NS))
    assert (len(history.recent[0]), len(history.marks)) == (RECENT, MARKS)
    assert history.recent[0][-1].id == 2 * RECENT


def test_a_block_counts_in_the_volume_and_moves_no_bar() -> None:
    history = History(small()[0])
    history.printed(trade(1, START))
    history.printed(trade(2, START, price=150_000, block_trade_id="7"))
    bar = history.prints[0].last(START, 60 * NS)
    assert bar is not None
    assert (bar.low, bar.close, bar.cost) == (100_000.0, 100_000.0, 200.0)
    assert bar.volume == pytest.approx(100 / 100_000 + 100 / 75_000)


def test_a_dump_goes_on() -> None:
    history, twin = History(small()[0]), History(small()[0])
    for second in range(200):
        told(history, START + second * NS, index_at(second))
        history.printed(trade(second + 1, START + second * NS))
    kept = msgspec.msgpack.encode(history.dump())
    twin.load(msgspec.msgpack.decode(kept))
    assert msgspec.msgpack.encode(twin.dump()) == kept


def test_mark_prices_are_told_for_options_only() -> None:
    desk = Desk()
    desk.wait(5.0)
    span = {"start_timestamp": START // 1_000_000 + 2000, "end_timestamp": START // 1_000_000 + 4000}
    rows = desk.call("public/get_mark_price_history", instrument_name=desk.option, **span)
    assert [at - span["start_timestamp"] for at, _ in rows] == [0, 1000, 2000]
    assert [price for _, price in rows] == pytest.approx([desk.mark(desk.option)] * 3, rel=0.01)
    assert desk.call("public/get_mark_price_history", instrument_name=PERPETUAL, **span) == []
