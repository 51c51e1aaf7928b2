"""Leveraged traders: where they are thrown out, how it is marked, and that one throws out the next."""

from __future__ import annotations

import msgspec
import pytest

from engine.domain import NS, Side
from engine.paper.crowd.agents import Ground
from engine.paper.crowd.crowd import Crowd
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.leverage import Leveraged, LeverageSettings
from engine.paper.crowd.settings import Settings
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.terms import Trade, Trades
from tests.paper.crowd.underlying import START, crowd, heard, market

NOBODY_NEW = LeverageSettings(open_s=1e12, stay_s=1e12)


def leveraged(exchange: Exchange, settings: LeverageSettings = NOBODY_NEW) -> Leveraged:
    world = crowd().worlds["BTC"]
    house = exchange.open_account("leveraged", 0.0, house=True)
    ground = Ground("BTC", exchange, world, lambda name: house, lambda name: Stream(1, name))
    return Leveraged(ground, 0, settings, "leveraged")


def stood(bids: dict[int, int], asks: dict[int, int]) -> Exchange:
    exchange = market()
    house = exchange.open_account("book", 0.0, house=True)
    for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
        for price, lots in levels.items():
            exchange.quote(START, house, 0, side, price, lots)
    exchange.commit(START)
    exchange.drain()
    return exchange


def prints(exchange: Exchange, t: int) -> list[Trade]:
    exchange.commit(t)
    return [trade for said in exchange.drain() if isinstance(said, Trades) for trade in said.trades]


def test_a_long_is_sold_when_the_bid_comes_to_its_price_and_the_trade_is_marked() -> None:
    exchange = stood({200_000: 5_000, 199_990: 5_000}, {200_001: 5_000})
    agent = leveraged(exchange)
    agent.longs, agent.shorts = [(199_500, 10), (200_000, 70)], [(200_400, 10)]
    agent.turn(START)
    (trade,) = prints(exchange, START)
    assert (trade.side, trade.price, trade.lots, trade.liquidation) == (Side.SELL, 200_000, 70, "T")
    assert agent.longs == [(199_500, 10)]
    assert agent.shorts == [(200_400, 10)]
    assert agent.closing == 0


def test_a_short_is_bought_back() -> None:
    exchange = stood({200_000: 5_000}, {200_001: 5_000})
    agent = leveraged(exchange)
    agent.longs, agent.shorts = [(199_500, 10)], [(200_001, 40), (200_400, 10)]
    agent.turn(START)
    (trade,) = prints(exchange, START)
    assert (trade.side, trade.price, trade.lots, trade.liquidation) == (Side.BUY, 200_001, 40, "T")
    assert agent.shorts == [(200_400, 10)]


def test_one_liquidation_moves_the_price_to_the_next() -> None:
    """Thin bids: what the first one sells clears the level above the second one's price."""
    exchange = stood({200_000: 30, 199_990: 30, 199_980: 5_000}, {200_001: 5_000})
    agent = leveraged(exchange)
    agent.longs, agent.shorts = [(199_980, 50), (200_000, 60)], [(201_000, 1)]
    t, sold = START, []
    for _ in range(6):
        t = agent.turn(t)
        sold += prints(exchange, t)
    assert sum(trade.lots for trade in sold) == 110
    assert [trade.price for trade in sold] == sorted((trade.price for trade in sold), reverse=True)
    assert sold[-1].price == 199_980
    assert all(trade.liquidation == "T" for trade in sold)
    assert agent.longs == []


def test_a_large_one_is_closed_piece_by_piece() -> None:
    exchange = stood({200_000: 500_000}, {200_001: 5_000})
    agent = leveraged(exchange)
    agent.longs, agent.shorts = [(200_000, 30_000)], [(201_000, 1)]
    t, sizes = START, []
    for _ in range(20):
        t = agent.turn(t)
        sizes += [trade.lots for trade in prints(exchange, t)]
    assert sum(sizes) == 30_000
    assert len(sizes) > 4
    assert max(sizes) <= 6_000


def test_those_who_are_there_from_the_start_lie_on_both_sides() -> None:
    exchange = stood({200_000: 500}, {200_001: 500})
    agent = leveraged(exchange)
    agent.turn(START)
    assert agent.longs == sorted(agent.longs)
    assert agent.longs[-1][0] < 200_000
    assert agent.shorts[0][0] > 200_001
    assert prints(exchange, START) == []


def crisis(seed: int) -> Crowd:
    usual = Settings()
    dense = msgspec.structs.replace(usual.leverage, near_bp=4.0, far_bp=40.0, size=200_000.0, open_s=1.0)
    return crowd(seed, msgspec.structs.replace(usual, leverage=dense))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_crowd_of_them_is_liquidated_and_only_they_are_marked(seed: int) -> None:
    who = crisis(seed)
    trades = [trade for said in heard(who, 60) if isinstance(said, Trades) for trade in said.trades]
    marked = [trade for trade in trades if trade.liquidation]
    assert marked
    assert len(marked) < len(trades)
    (agent,) = (agent for _, _, agent in who.cast if isinstance(agent, Leveraged))
    assert len(agent.longs) + len(agent.shorts) <= agent.s.most


def test_they_are_dumped_and_loaded() -> None:
    one, two = leveraged(stood({200_000: 50}, {200_001: 50})), leveraged(stood({200_000: 50}, {200_001: 50}))
    one.turn(START)
    one.closing = 7
    two.load(one.dump())
    assert one.dump() == two.dump()
    assert one.turn(START + NS) == two.turn(START + NS)
