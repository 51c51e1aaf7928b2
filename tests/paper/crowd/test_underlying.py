"""The market of the perpetual and the futures: a sound, two-sided book, exact clones, and nobody who sees ahead."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS, Side
from engine.paper.crowd.crowd import Crowd
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.metaorders import Metaorder
from engine.paper.crowd.settings import Settings
from engine.paper.orders.terms import Trades
from tests.paper.crowd.underlying import START, crowd, heard, market, middle


class Forked:
    """A stream that is another one's until so many draws, and then its own."""

    def __init__(self, first: Stream, after: Stream, draws: int) -> None:
        self.first, self.after, self.left = first, after, draws

    def uniforms(self, count: int) -> list[float]:
        return (self.first if self.left > 0 else self.after).uniforms(count)

    def normals(self, count: int) -> list[float]:
        self.left -= 1
        return (self.first if self.left >= 0 else self.after).normals(count)


def copied(original: Crowd, seed: int, coins: tuple[str, ...] = ("BTC",), futures: int = 0) -> Crowd:
    twin = crowd(seed, original.settings, coins, futures)
    for coin, exchange in twin.exchanges.items():
        exchange.load(original.exchanges[coin].dump())
    twin.load(original.dump())
    return twin


def test_the_same_seed_is_the_same_market() -> None:
    assert heard(crowd(4), 5) == heard(crowd(4), 5)
    assert heard(crowd(4), 5) != heard(crowd(5), 5)


@settings(max_examples=6, deadline=None)
@given(st.integers(1, 3), st.floats(0.001, 6.0))
def test_a_clone_goes_on_exactly_from_any_moment(seed: int, seconds: float) -> None:
    original = crowd(seed, coins=("BTC", "ETH"), futures=1)
    heard(original, seconds)
    twin = copied(original, seed, ("BTC", "ETH"), 1)
    assert heard(original, seconds + 4) == heard(twin, seconds + 4)
    assert original.dump() == twin.dump()
    assert all(original.exchanges[coin].dump() == twin.exchanges[coin].dump() for coin in original.exchanges)


def test_a_clone_under_other_dice_goes_another_way_and_can_be_repeated() -> None:
    original = crowd(2)
    heard(original, 5)
    futures = []
    for fresh in (7, 7, 8):
        twin = copied(original, 2)
        twin.reseed(fresh)
        futures.append(heard(twin, 10))
    assert futures[0] == futures[1]
    assert futures[0] != futures[2]


def test_nobody_acts_on_what_has_not_happened() -> None:
    """Two markets whose efficient prices part after six seconds are one market until then."""
    one, two = crowd(3), crowd(3)
    world: Any = two.worlds["BTC"]
    steps = 6 * 40 + 1  # the first step is at the start
    world._dice = Forked(world._dice, Stream(99, "another future"), steps)
    assert heard(one, 6) == heard(two, 6)
    assert one.worlds["BTC"].price == two.worlds["BTC"].price
    assert heard(one, 9) != heard(two, 9)


def test_the_coins_agents_do_not_shift_each_others_dice() -> None:
    alone, both = crowd(3), crowd(3, coins=("BTC", "ETH"))
    prices = []
    for who in (alone, both):
        heard(who, 5)
        prices.append((who.worlds["BTC"].dump(), middle(who)))
    assert prices[0] == prices[1]


def test_the_book_is_two_sided_with_a_touch_of_a_tick_or_so() -> None:
    who = crowd(6)
    heard(who, 5)
    spreads, levels = [], []
    for second in range(5, 45):
        heard(who, second + 1)
        book = who.exchanges["BTC"].books[0]
        assert book.bids.best is not None
        assert book.asks.best is not None
        spreads.append(book.asks.best - book.bids.best)
        levels += [len(book.bids.ranks), len(book.asks.ranks)]
    assert np.mean(np.array(spreads) <= 2) > 0.85
    assert min(levels) >= 8


def test_the_book_follows_the_efficient_price() -> None:
    who = crowd(8)
    gaps = []
    for second in range(5, 60):
        heard(who, second)
        gaps.append(middle(who) / who.worlds["BTC"].price - 1.0)
    assert np.std(gaps) < 4e-4


def test_trades_cluster_and_their_signs_remember() -> None:
    who = crowd(2)
    trades = [said for said in heard(who, 150) if isinstance(said, Trades)]
    signs = np.array([said.trades[0].side.sign for said in trades])
    gaps = np.diff([said.t for said in trades])
    assert 1.0 < len(trades) / 150 < 8.0
    assert gaps.std() / gaps.mean() > 1.15
    assert np.corrcoef(signs[:-1], signs[1:])[0, 1] > 0.2
    assert np.corrcoef(signs[:-4], signs[4:])[0, 1] > 0.0


def pushed(seed: int, usd: float, until: int) -> list[float]:
    """The middle once a second, with an order of that size bought within 20 s from the fifth on."""
    usual = Settings()
    alone = msgspec.structs.replace(usual.metaorders, every_s=1e9, child_s=1.0)
    who = crowd(seed, msgspec.structs.replace(usual, metaorders=alone))
    (agent,) = (agent for _, _, agent in who.cast if isinstance(agent, Metaorder))
    heard(who, 5)
    agent.side, agent.left, agent.until = Side.BUY, round(usd / 10.0), START + 25 * NS
    return [middle(who) for second in range(6, until) if heard(who, second) is not None]


def test_a_metaorder_moves_the_price_less_than_in_proportion_and_the_move_fades() -> None:
    paths = {usd: np.mean([pushed(seed, usd, 60) for seed in range(1, 4)], axis=0) for usd in (0.0, 5e5, 8e6)}
    small, large = ((paths[usd] - paths[0.0]) / paths[0.0] * 1e4 for usd in (5e5, 8e6))
    peak = large[17:23].mean()
    assert peak > 2.0, "basis points"
    assert small[17:23].mean() < peak
    assert peak < 12.0 * max(small[17:23].mean(), 0.5), "sixteen times the size"
    assert -0.25 * peak < large[-8:].mean() < 0.85 * peak


def test_a_halt_stops_everybody_and_a_clone_of_it_is_exact() -> None:
    who = crowd(1)
    exchange = who.exchanges["BTC"]
    heard(who, 6)
    exchange.set_state(START + 6 * NS, 0, "halted")
    before = exchange.books[0].dump()[1:]
    assert not [said for said in heard(who, 9) if isinstance(said, Trades)]
    assert exchange.books[0].dump()[1:] == before
    twin = copied(who, 1)
    for each in (exchange, twin.exchanges["BTC"]):
        each.set_state(START + 9 * NS, 0, "open")
    assert heard(who, 13) == heard(twin, 13)
    assert who.dump() == twin.dump()


def test_a_new_future_finds_its_traders() -> None:
    who = crowd(1)
    exchange = who.exchanges["BTC"]
    heard(who, 2)
    exchange.enlist(START + 2 * NS, [i for i in market(futures=2).instruments if i.expiry])
    heard(who, 8)
    assert len({name for name, _, _ in who.cast}) == len(who.cast)
    assert all(book.bids.ranks and book.asks.ranks for book in exchange.books)
    twin = copied(who, 1)
    assert heard(who, 12) == heard(twin, 12)


@pytest.mark.parametrize("coins", [("BTC",), ("BTC", "ETH")])
def test_a_house_account_has_one_number_everywhere(coins: tuple[str, ...]) -> None:
    who = crowd(1, coins=coins)
    names = [[account.name for account in exchange.accounts] for exchange in who.exchanges.values()]
    assert all(each == names[0] for each in names)
