"""load(dump(x)) goes on exactly as x would."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS
from engine.market.deribit.wire import request
from engine.paper.simulation import Simulation
from tests.paper.play import Play, commands
from tests.paper.simulated import channels, simulation
from tests.paper.small import START, sound


def picture(value: Any) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(value)).hexdigest()


def traded(sim: Simulation, until: int) -> None:
    """Go on to `until`, leaving an order and taking a little every second."""
    while sim.t < until:
        sim.advance(sim.t + NS)
        for side, more in (("buy", {"type": "market"}), ("sell", {"price": 100_500.0, "label": "x"})):
            params = {"instrument_name": "BTC-PERPETUAL", "amount": 20_000, **more}
            sim.request(request(1, f"private/{side}", params))


@pytest.mark.parametrize("seconds", [0, 1, 7, 23])
def test_a_clone_goes_the_same_way(seconds: int) -> None:
    sim = simulation()
    traded(sim, START + seconds * NS)
    twin = sim.clone()
    assert picture(twin.venue.dump()) == picture(sim.venue.dump())
    heard = []
    for each in (sim, twin):
        each.request(request(1, "public/unsubscribe_all", {}))
        each.subscribe(channels(each))
        heard.append(each.advance(each.t + 10 * NS))
        traded(each, each.t + 5 * NS)
        sound(each.venue.exchange)
    assert heard[0] == heard[1]
    assert picture(twin.venue.dump()) == picture(sim.venue.dump())


def test_a_clone_leaves_the_original_alone() -> None:
    sim, other = simulation(), simulation()
    for each in (sim, other):
        each.advance(START + 3 * NS)
    twin = sim.clone()
    traded(twin, START + 9 * NS)
    for each in (sim, other):
        each.advance(START + 9 * NS)
    assert picture(sim.venue.dump()) == picture(other.venue.dump())
    assert picture(twin.venue.dump()) != picture(sim.venue.dump())


@settings(max_examples=40, deadline=None)
@given(st.lists(commands, min_size=20, max_size=40), st.integers(0, 20))
def test_an_exchange_at_any_moment(script: list[tuple[str, Any]], moment: int) -> None:
    play, twin = Play(), Play()
    for name, what in script[:moment]:
        play.do(name, what)
    play.exchange.drain()
    twin.exchange.load(msgspec.msgpack.decode(msgspec.msgpack.encode(play.exchange.dump())))
    twin.exchange.drain()
    twin.t, twin.quotes = play.t, list(play.quotes)
    for name, what in script[moment:]:
        play.do(name, what)
        twin.do(name, what)
    assert twin.exchange.drain() == play.exchange.drain()
    assert picture(twin.exchange.dump()) == picture(play.exchange.dump())
    sound(twin.exchange)
