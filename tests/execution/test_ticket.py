"""What a ticket is told before it is sent: every way of doing an order, book or block, or why nothing can be said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m
from engine.config import Block, Config
from engine.domain import NS, Kind, Side
from engine.execution import rfq
from engine.execution.algorithms import ALGORITHMS
from engine.execution.desk import Desk
from engine.execution.estimate import AT_ONCE, Estimate
from engine.execution.ticket import advice_of
from tests.execution.still import CALL, NAME, NOW, Still, forecast, slippage

INDEX = 80_000.0
DESK = Desk(config=Config())


def picture(fill: float = 0.3, **fields: Any) -> Still:
    out = Still(**fields)
    out.baselines[NAME] = forecast(fill_bid=fill, fill_ask=fill, slip_buy=slippage(3.0), slip_sell=slippage(3.0))
    out.sigmas[NAME], out.vegas[NAME], out.micros[NAME] = 0.09, 4.0, 330.0
    out.volume = [(NOW - 100 * NS, 1200)]
    out.push("deribit_price_index.btc_usd", {"index_name": "btc_usd", "price": INDEX, "timestamp": NOW // 10**6})
    return out


def typed(**fields: Any) -> m.SubmitParent:
    usual: dict[str, Any] = {"instrument": NAME, "side": Side.BUY, "quantity": 100.0, "limit": 0.05}
    return m.SubmitParent(**(usual | fields))


def told(verb: m.SubmitParent, desk: Desk = DESK, **fields: Any) -> m.Estimated:
    found = advice_of(desk, picture(**fields), verb)
    assert isinstance(found, m.Estimated)
    return found


def test_each_way_is_said_in_ticks_in_coin_and_in_usd() -> None:
    found = told(typed())
    assert [way.name for way in found.ways] == [*ALGORITHMS, AT_ONCE]
    for way in found.ways:
        for money in (way.cost, way.low, way.high):
            assert money.coin == pytest.approx(money.ticks * 100 * 0.0005)  # above 0.005 a tick is five units
            assert money.usd == pytest.approx(money.coin * INDEX)
        assert way.low.ticks <= way.cost.ticks <= way.high.ticks


def test_below_a_block_nothing_is_said_of_one() -> None:
    assert told(typed(quantity=24.9)).book_or_rfq is None
    assert told(typed(quantity=25.0)).book_or_rfq is not None
    eth = Desk(config=Config(block=Block(contracts=250.0)))
    assert told(typed(quantity=249.0), eth).book_or_rfq is None


def test_the_three_ways_stand_beside_each_other() -> None:
    said = told(typed(), fill=0.01)  # nobody comes to us: working it is dear
    found, by_name = said.book_or_rfq, {way.name: way for way in said.ways}
    assert found is not None
    assert found.sweep == by_name[AT_ONCE]
    done = [way for way in by_name.values() if way.name != AT_ONCE and way.done > 0.99]
    assert found.work.cost.ticks == min(way.cost.ticks for way in done)
    assert found.block.cost.ticks == pytest.approx(4.0 / 2)  # half a vol point, four ticks of premium each
    assert found.best == "block"
    assert found.advice.startswith("A block is expected to cost least: 2.0 ticks a contract, against ")
    assert found.block.warning == "at an assumed dealer's spread: nobody has been asked"


def test_a_wide_dealer_is_not_recommended() -> None:
    found = told(typed(), Desk(config=Config(block=Block(vol_points=40.0)))).book_or_rfq
    assert found is not None
    assert found.block.cost.ticks == pytest.approx(80.0)
    assert found.best == found.work.name
    assert "80.0 for a block" in found.advice


def test_a_dealer_who_is_alike_but_surer_is_said_to_be_both() -> None:
    def way(name: str, cost: float, width: float) -> Estimate:
        return Estimate(algorithm=name, cost=cost, low=cost - width, high=cost + width, seconds=1.0, passive=0.0,
                        done=1.0)  # fmt: skip

    near = rfq.compared([way("twap", 5.0, 8.0), way(AT_ONCE, 30.0, 1.0)], way("block", 5.5, 1.0))
    assert rfq.advice(near) == (
        "Little lies between working it by TWAP, 5.0 ticks a contract, and a block, 5.5."
        " A block is the surer: in nine of ten cases under 6.5 ticks, against 13.0."
    )


def test_what_is_not_expected_to_finish_is_not_held_against_a_block_while_another_is() -> None:
    assert told(typed()).book_or_rfq is not None
    pov = next(way for way in told(typed(rate=0.25)).ways if way.name == "pov")
    assert pov.done < 1.0
    share = f"about {pov.done:.0%} of it is expected to be done in its time"
    assert pov.warning == f"{share}: participation waits for others"
    found = told(typed(rate=0.25)).book_or_rfq
    assert found is not None
    assert found.work.name != "pov"


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        (typed(instrument="BTC-1JAN30-1-C"), "'BTC-1JAN30-1-C' is not listed at the venue"),
        (typed(quantity=0.05), "amount 0.05 is not a multiple of 0.1"),
        (typed(limit=0.03301), "price 0.03301 is not a multiple of 0.0001"),
        (typed(urgency=11), "urgency goes from 0 to 10"),
        (typed(minutes=0.0), "0 minutes is not between 0 and 1440"),
    ],
)
def test_what_would_be_refused_is_refused(verb: m.SubmitParent, reason: str) -> None:
    assert advice_of(DESK, picture(), verb) == reason


def test_a_book_without_two_sides_says_nothing() -> None:
    said = advice_of(DESK, picture(asks=()), typed())
    assert said == f"the book of {NAME} is not two-sided: nothing can be said of its cost"


def test_a_limit_that_does_not_reach_is_minded() -> None:
    found = {way.name: way.warning for way in told(typed(limit=0.033)).ways}
    assert found["twap"] == "the limit does not reach the ask: it only rests"
    assert found[AT_ONCE] == "only 0 are shown inside the limit"
    assert {way.name: way.warning for way in told(typed()).ways}[AT_ONCE] == "only 25 are shown inside the limit"


def test_a_future_is_counted_in_usd_and_is_no_block() -> None:
    future = msgspec.structs.replace(CALL, name="BTC-27MAR26", kind=Kind.FUTURE, tick=0.5, lot=10.0, contract=10.0,
                                     tick_steps=(), strike=0.0)  # fmt: skip
    now = Still(((79_995.0, 1e5),), ((80_005.0, 1e5),), future)
    now.baselines[future.name], now.sigmas[future.name] = forecast(), 1.0
    now.micros[future.name] = 160_000.0
    found = advice_of(DESK, now, typed(instrument=future.name, quantity=80_000.0, limit=81_000.0))
    assert isinstance(found, m.Estimated)
    assert found.book_or_rfq is None
    once = found.ways[-1].cost
    assert once.coin == pytest.approx(once.ticks * 0.5 / 80_000.0)  # one coin's worth, so many half dollars a coin
    assert once.usd == pytest.approx(once.coin * 80_000.0)


@settings(max_examples=40)
@given(st.sampled_from(list(Side)), st.floats(1, 900), st.floats(0, 1), st.floats(0, 20), st.floats(0, 3))
def test_bands_hold_their_middle_and_the_best_is_the_cheapest(
    side: Side, quantity: float, fragility: float, vol_points: float, share: float
) -> None:
    desk = Desk(config=Config(block=Block(vol_points=vol_points, spread_share=share)))
    limit = 0.05 if side is Side.BUY else 0.01
    found = advice_of(desk, picture(), typed(side=side, quantity=round(quantity, 0), limit=limit), fragility)
    assert isinstance(found, m.Estimated)
    if three := found.book_or_rfq:
        named = {way.name: way for way in (three.sweep, three.work, three.block)}
        assert named[three.best].cost.ticks == min(way.cost.ticks for way in named.values())
        assert all(way.low.ticks <= way.cost.ticks <= way.high.ticks for way in named.values())
