"""The options' market: who quotes, how it follows, what it is calibrated to, and that it is exact."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
import pytest

from engine.domain import NS, Kind, Side
from engine.paper.crowd.consensus import SHARES
from engine.paper.crowd.option_takers import OptionTakerSettings
from engine.paper.crowd.option_visitors import OptionVisitorSettings
from engine.paper.crowd.settings import Settings
from engine.paper.instruments.listing import BTC
from engine.paper.orders.terms import BookChange, Trades
from tests.paper.crowd.options_market import CHAIN, START, Options
from tests.paper.small import sound

NEVER = 1e9
QUIET = Settings(
    option_takers=OptionTakerSettings(every_s=NEVER, informed_s=NEVER, orders_s=NEVER, child_s=NEVER),
    option_visitors=OptionVisitorSettings(visitor_s=NEVER, robots=0.0, leftovers=0.0),
)


def test_a_loaded_market_goes_on_exactly_as_the_dumped_one() -> None:
    one = Options(5)
    one.advance(25.0)
    exchange, crowd = msgspec.msgpack.decode(one.state())
    two = Options(5)
    two.exchange.load(exchange)
    two.crowd.load(crowd)
    one.advance(15.0)
    two.advance(15.0)
    assert one.state() == two.state()


def test_another_seed_is_another_market() -> None:
    one, two = Options(5), Options(6)
    for market in (one, two):
        market.advance(5.0)
    assert [one.touch(n) for n in one.numbers] != [two.touch(n) for n in two.numbers]


def test_orders_from_outside_change_what_makers_do_and_not_their_dice() -> None:
    quiet, busy = Options(5), Options(5)
    outside = busy.exchange.open_account("outside", 0.0, house=True)
    for market in (quiet, busy):
        market.advance(10.0)
        n = market.numbers[8]
        if market is busy:
            best = market.exchange.books[n].asks.best
            assert best is not None
            market.exchange.quote(market.crowd.t, outside, n, Side.BUY, best, 300, keep=False)
        market.advance(10.0)
    assert quiet.crowd.streams() == busy.crowd.streams()
    assert [quiet.touch(n) for n in quiet.numbers] != [busy.touch(n) for n in busy.numbers]


def test_the_exchange_stays_sound() -> None:
    market = Options(4)
    market.advance(40.0)
    sound(market.exchange)


def test_every_option_near_the_money_is_quoted_on_both_sides_and_far_in_it_not_all() -> None:
    market = Options(3, BTC)
    market.advance(30.0)
    delta = market.consensus.now.delta
    both = np.array([None not in market.touch(n) for n in market.numbers])
    assert both[(delta > 0.1) & (delta < 0.55)].mean() > 0.95
    deep = both[delta > 0.85].mean()
    assert 0.25 < deep < 0.95


def test_spreads_and_sizes_are_the_recorded_ones() -> None:
    """Coin from bid to ask, and coin at the best price: medians of the chains, within a factor."""
    market, wide, size = Options(3, BTC), [], []
    for _ in range(4):
        market.advance(15.0)
        r = market.consensus.now
        for row, n in enumerate(market.numbers):
            bid, ask = market.touch(n)
            if bid is not None and ask is not None:
                days = float(r.years[row]) * 365.0
                wide.append((float(r.delta[row]), days, (ask - bid) * 1e-4))
                size.append((float(r.delta[row]), market.exchange.books[n].asks.total(ask) * 0.1))
    spreads, sizes = np.array(wide), np.array(size)

    def spread(low: float, high: float, first: float, last: float) -> float:
        d, days, coin = spreads.T
        return float(np.median(coin[(d > low) & (d < high) & (days > first) & (days < last)]))

    assert spread(0.4, 0.58, 0, 2) == pytest.approx(0.00085, abs=0.0005)
    assert spread(0.4, 0.58, 2, 50) == pytest.approx(0.001, abs=0.0005)
    assert spread(0.4, 0.58, 50, 400) == pytest.approx(0.0018, abs=0.0008)
    assert spread(0.1, 0.25, 2, 50) == pytest.approx(0.0006, abs=0.0004)
    assert spread(0.75, 0.95, 0, 400) == pytest.approx(0.0125, rel=0.5)
    assert np.median(sizes[(sizes[:, 0] > 0.4) & (sizes[:, 0] < 0.6), 1]) == pytest.approx(12.0, rel=0.6)
    assert np.median(sizes[sizes[:, 0] < 0.25, 1]) > 1.4 * np.median(sizes[sizes[:, 0] > 0.4, 1])


def test_most_seconds_leave_an_option_as_it_was() -> None:
    """The recorded options: 89 to 98 % of windows unchanged; 36 and 46 changes of ten options in 30 s."""
    market = Options(3, BTC)
    market.crowd.advance(START + 30 * NS)
    market.exchange.drain()
    same: Counter[int] = Counter()
    known: Counter[int] = Counter()
    before = {n: market.micro(n) for n in market.numbers}
    changes, options = 0, set(market.numbers)
    for second in range(31, 91):
        market.crowd.advance(START + second * NS)
        changes += sum(isinstance(s, BookChange) and s.instrument in options for s in market.exchange.drain())
        for n in market.numbers:
            now = market.micro(n)
            if now is not None and before[n] is not None:
                known[n] += 1
                same[n] += now == before[n]
            before[n] = now
    assert 0.89 < sum(same.values()) / sum(known.values()) < 0.98
    assert np.median([same[n] / known[n] for n in known]) > 0.89
    assert 12 < changes / 60 * 30 / len(market.numbers) * 10 < 90


def test_quotes_are_left_behind_and_then_follow_in_part() -> None:
    market = Options(3, settings=QUIET)
    market.advance(30.0)
    world, row = market.crowd.worlds[CHAIN.coin], market.consensus.chain.row[market.numbers[8]]
    before = [market.touch(n) for n in market.numbers]
    world.log_price += 0.01
    world.past.extend([world.price * 1.01] * len(world.past))
    heard = [maker.heard for maker in market.makers]
    market.advance(0.04)
    assert [market.touch(n) for n in market.numbers] == before, "nobody is as quick"
    market.advance(0.4)
    moved = [a != b for a, b in zip(before, (market.touch(n) for n in market.numbers), strict=True)]
    assert any(moved)
    assert not all(maker.heard > old for maker, old in zip(market.makers, heard, strict=True)), "the slowest has not"
    market.advance(6.0)
    assert market.consensus.now.fair[row] == pytest.approx(
        sum(filter(None, market.touch(market.numbers[8]))) / 2, abs=5
    )


def test_what_makers_are_made_to_sell_becomes_dearer_and_fades() -> None:
    market = Options(3, settings=QUIET)
    market.advance(20.0)
    consensus, t, row = market.consensus, market.crowd.t, 8
    slot = int(consensus.chain.slot[row])
    consensus.tape[:] = 0.0
    consensus.print(t, row, -1.0)
    at_once = float(consensus.pressed(t)[slot])
    assert at_once > 0.0
    assert 0.0 < float(consensus.pressed(t + 60 * NS)[slot]) < 0.6 * at_once
    assert float(SHARES.sum()) == pytest.approx(1.0)


def test_a_hidden_orders_mark_grows_slower_than_its_size() -> None:
    """Worked at a steady pace, four times as much moves volatility about twice as far."""
    marks = []
    for pieces in (10, 40):
        market = Options(3, settings=QUIET)
        consensus, t = market.consensus, market.crowd.t
        consensus.tape[:] = 0.0
        for _ in range(pieces):
            t += 9 * NS
            consensus.print(t, 8, -0.3)
        marks.append(float(consensus.pressed(t).max()))
    assert 1.5 < marks[1] / marks[0] < 2.6


def test_the_venues_protection_takes_a_maker_out_and_it_comes_back() -> None:
    market = Options(3, settings=QUIET)
    market.advance(20.0)
    outside = market.exchange.open_account("outside", 0.0, house=True)
    maker = market.makers[0]
    mine = [o for o in market.exchange.accounts[maker.account].open.values() if o.side is Side.SELL]
    for order in sorted(mine, key=lambda o: -o.amount)[:12]:
        n, price = order.instrument, order.price
        market.exchange.quote(market.crowd.t, outside, n, Side.BUY, price, 5000, keep=False)
    assert market.exchange.protections.frozen(market.crowd.t, maker.account)
    market.advance(1.0)
    assert not market.exchange.accounts[maker.account].open
    market.advance(12.0)
    assert len(market.exchange.accounts[maker.account].open) > len(market.numbers) / 2


def test_makers_hold_back_when_the_underlying_leaps() -> None:
    market = Options(3, settings=QUIET)
    market.advance(20.0)
    world = market.crowd.worlds[CHAIN.coin]
    world.log_price -= 0.02
    away = 0
    for _ in range(12):
        market.advance(0.25)
        away = max(away, sum(maker.away > market.crowd.t for maker in market.makers))
    assert away == sum(market.makers[0].settings.timid)


def test_blocks_and_combos_are_printed_and_marked() -> None:
    blocks = msgspec.structs.replace(Settings().blocks, every_s=1.0)
    market = Options(3, settings=msgspec.structs.replace(QUIET, blocks=blocks))
    market.crowd.advance(START + 40 * NS)
    prints = [t for said in market.exchange.drain() if isinstance(said, Trades) for t in said.trades]
    options = [t for t in prints if market.exchange.instruments[t.instrument].kind is Kind.OPTION]
    blocks_, asked = [t for t in options if t.block_trade_id], [t for t in options if t.block_rfq_id]
    combos = [t for t in options if t.combo_id]
    assert blocks_
    assert asked
    assert combos
    assert all(t.lots * 0.1 >= 25.0 for t in blocks_)
    assert len(combos) == 2 * len({(t.combo_id, t.t) for t in combos})
    sound(market.exchange)


def test_a_metaorder_trades_one_way_for_minutes() -> None:
    takers = OptionTakerSettings(every_s=NEVER, informed_s=NEVER, orders_s=1.0, child_s=2.0)
    market = Options(3, settings=msgspec.structs.replace(QUIET, option_takers=takers))
    market.crowd.advance(START + 90 * NS)
    prints = [t for said in market.exchange.drain() if isinstance(said, Trades) for t in said.trades]
    mine = [
        t for t in prints if t.instrument in market.numbers and not (t.block_trade_id or t.combo_id or t.block_rfq_id)
    ]
    assert len(mine) >= 8
    assert max(Counter((t.instrument, t.side) for t in mine).values()) >= 0.6 * len(mine)


def test_expired_options_are_left_alone() -> None:
    spec = msgspec.structs.replace(CHAIN, expiries=1, minutes=0.5)
    market = Options(3, spec)
    market.advance(29.0)
    short = [n for n in market.numbers if market.exchange.instruments[n].expiry <= START + 30 * NS]
    assert short
    market.advance(1.5)
    for n in short:
        market.exchange.settle(market.crowd.t, n, 100_000.0)
    market.advance(20.0)
    assert all(market.touch(n) == (None, None) for n in short)
    others = [n for n in market.numbers if n not in short]
    assert np.mean([None not in market.touch(n) for n in others]) > 0.6
    sound(market.exchange)
