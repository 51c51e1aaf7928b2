"""Futures of the paper market: exact, independent of each other, and out of every client's reach."""

from __future__ import annotations

import math
from functools import cache

import msgspec
import pytest

from engine.domain import NS, Side
from engine.market.deribit.wire import request
from engine.paper.instruments.listing import Spec
from engine.paper.simulation import Futures, Simulation
from engine.paper.venue import VenueSettings
from engine.research.oracle import Truth, direction, entropy, fill, impact, log_loss, truth

START = 1_772_000_000 * NS
SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=3, futures=0),))
PERPETUAL = "BTC-PERPETUAL"


@cache
def begun() -> Simulation:
    """A market some seconds old, with an order of the client's in it."""
    simulation = Simulation(11, START, SMALL)
    simulation.advance(START + 10 * NS)
    price = simulation.exchange(PERPETUAL)[0].books[0].bids.best
    assert price is not None
    order = {"instrument_name": PERPETUAL, "amount": 100, "price": price * 0.5, "post_only": True}
    simulation.request(request(1, "private/buy", order))
    return simulation


def future_of(simulation: Simulation, seconds: float = 5.0) -> list[tuple[int, bytes]]:
    names = [i.name for i in simulation.instruments]
    opening = simulation.subscribe(
        [f"{family}.{name}.raw" for name in names for family in ("book", "ticker", "trades")]
    )
    return [(0, frame) for frame in opening] + simulation.advance(simulation.t + round(seconds * NS))


def test_the_same_dice_give_the_same_future_byte_for_byte() -> None:
    assert future_of(begun().clone()) == future_of(begun().clone())
    assert future_of(begun().clone(7)) == future_of(begun().clone(7))


def test_without_other_dice_a_clone_goes_where_the_original_goes() -> None:
    simulation = Simulation(12, START, SMALL)
    simulation.advance(START + 5 * NS)
    assert future_of(simulation.clone()) == future_of(simulation)


def test_other_dice_give_other_futures_of_the_same_past() -> None:
    one, two, own = begun().clone(1), begun().clone(2), begun().clone()
    assert one.venue.markets["BTC"].dump() == two.venue.markets["BTC"].dump()
    futures = [future_of(each) for each in (one, two, own)]
    openings = {tuple(frame for t, frame in future if t == 0) for future in futures}
    assert len(openings) == 1
    assert len({tuple(future) for future in futures}) == 3


def test_a_future_leaves_the_original_and_the_next_future_as_they_were() -> None:
    simulation = begun()
    before = msgspec.msgpack.encode(simulation.venue.dump())
    futures = Futures(simulation)
    first = future_of(futures.future(3))
    future = futures.future(4)
    future.request(request(1, "private/buy", {"instrument_name": PERPETUAL, "amount": 100_000, "type": "market"}))
    future.advance(future.t + 30 * NS)
    assert future_of(futures.future(3)) == first
    assert msgspec.msgpack.encode(simulation.venue.dump()) == before


def test_a_moment_stays_when_the_market_has_gone_on() -> None:
    simulation = Simulation(13, START, SMALL)
    simulation.advance(START + 5 * NS)
    futures = Futures(simulation)
    first = future_of(futures.future(1))
    simulation.advance(START + 20 * NS)
    assert future_of(futures.future(1)) == first


def test_truth_is_smoothed_and_sums_to_one() -> None:
    found = truth([0, 3, 7])
    assert found.n == 10
    assert sum(found.p) == pytest.approx(1.0)
    assert found.p[0] == pytest.approx(0.5 / 11.5)


def test_small_sample_bias_is_taken_off() -> None:
    """Two outcomes, three in ten: over all samples of 40, weighted by their chance, both figures are the entropy."""
    n, p = 40, 0.3
    exact = -(p * math.log(p) + (1 - p) * math.log(1 - p))
    loss = plain = plug = 0.0
    for k in range(n + 1):
        chance = math.comb(n, k) * p**k * (1 - p) ** (n - k)
        each = truth([k, n - k])
        plain += chance * -(p * math.log(each.p[0]) + (1 - p) * math.log(each.p[1]))
        loss += chance * (p * log_loss([each], [0]) + (1 - p) * log_loss([each], [1]))
        plug += chance * entropy(each)
    assert plain > exact + 0.008
    assert loss == pytest.approx(exact, abs=0.002)
    assert plug == pytest.approx(exact, abs=0.002)


def test_direction_by_horizon() -> None:
    near, far = direction(begun(), PERPETUAL, 2.0, (0.2, 4.0), n=25)
    assert isinstance(near, Truth)
    assert isinstance(far, Truth)
    assert near.n == far.n == 25
    assert far.p[2] < near.p[2], "the longer the horizon, the fewer stay where they were"
    sure = direction(begun(), PERPETUAL, 1e9, n=5)[0]
    assert sure is not None
    assert sure.counts == (0, 0, 5)


def test_an_order_is_filled_less_the_larger_it_is() -> None:
    small = fill(begun(), PERPETUAL, Side.BUY, 1, 10.0, n=12)
    large = fill(begun(), PERPETUAL, Side.BUY, 20_000, 10.0, n=12)
    assert small is not None
    assert large is not None
    assert large.counts[0] <= small.counts[0]


def test_what_the_venue_refuses_has_no_truth() -> None:
    assert fill(begun(), PERPETUAL, Side.BUY, 10**9, n=2) is None
    assert impact(begun(), PERPETUAL, Side.BUY, 10**9, n=2) is None


def test_a_large_order_pushes_the_price() -> None:
    push = impact(begun(), PERPETUAL, Side.BUY, 30_000, 0.0, n=3)
    assert push is not None
    assert push.mean > 0.0
    assert push.error == 0.0, "what it does at once is certain"


@pytest.mark.parametrize("method", ["private/clone", "public/oracle", "private/dump", "public/reseed", "private/load"])
def test_no_client_can_reach_it(method: str) -> None:
    replies = begun().clone().request(request(1, method, {}))
    answer = msgspec.json.decode(replies[0])
    assert answer["error"]["code"] == -32601
