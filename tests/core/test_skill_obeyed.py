"""A head without an edge has no say: through the whole core no row that reads it fires."""

from __future__ import annotations

import pytest
import torch

from engine.domain import NS
from engine.forecast.parameters import Weights, columns
from engine.forecast.skill import Monitor
from engine.forecast.stream import STRANGEST
from tests.forecast.weights import random_net, weights_of
from tests.link import BUSY, World, near_the_money, submit

READS_DIRECTION = {"up", "up, not worth the spread", "down", "quiet", "stable"}


def sure(usual: float) -> Weights:
    """A model that says P(stable) = 1, whatever it sees."""
    net = random_net()
    torch.nn.init.zeros_(net.head.weight)
    net.head.bias.data[columns("direction")] = torch.tensor([-20.0, -20.0, 20.0])
    return weights_of(net, usual=(usual, usual))


def judged(weights: Weights, verdict: str, gain: float, now: int) -> Monitor:
    """A watch that has found this of the direction by now, as a dump of one would have it."""
    value = Monitor(weights).dump()
    tally = value["tallies"]["direction"]
    tally[0] = now // (10 * NS)  # the block now filling: a verdict of long ago is forgotten
    tally[3] = [[gain, 5]] * 40
    tally[7] = {"verdict": verdict, "gain": gain, "lo": gain, "hi": gain, "n": 200}
    return Monitor.load(weights, value)


def at_work(usual: float) -> World:
    """A world with such a model, warm, and a parent at work in it."""
    world = World(7, weights=sure(usual), settings=BUSY)
    world.connect()
    world.run(2)
    name = near_the_money(world)
    world.look(name)
    world.run(6)
    submit(world, name, quantity=300.0, minutes=3.0, algorithm="adaptive", dial="auto")
    return world


def fired(world: World, verdict: str, gain: float) -> set[str]:
    """Rows that fire within two seconds while this verdict stands."""
    market = world.core.market
    assert market.forecaster.weights is not None
    world.until(lambda: 1 <= world.now // NS % 10 <= 6)  # no block ends before the look
    market.monitor, market.fired = judged(market.forecaster.weights, verdict, gain, world.now), {}
    world.run(2)
    return {row for row, count in market.fired.items() if count}


@pytest.fixture(scope="module")
def world() -> World:
    return at_work(STRANGEST)


def test_rows_that_read_a_head_with_an_edge_fire(world: World) -> None:
    assert "stable" in fired(world, "edge", 0.1)
    assert world.core.market.verdicts["direction"].verdict == "edge"


@pytest.mark.parametrize(("verdict", "gain"), [("no edge", 0.0), ("drift", -0.1), ("unknown yet", 0.0)])
def test_rows_that_read_a_greyed_head_do_not_fire(world: World, verdict: str, gain: float) -> None:
    assert not fired(world, verdict, gain) & READS_DIRECTION
    assert world.core.market.verdicts["direction"].verdict == verdict


def test_an_edge_counts_for_nothing_on_inputs_unlike_the_training() -> None:
    """Each forecast says that it is unfamiliar with them, and once a good part of them does, the verdict is drift."""
    world = at_work(1e-3)
    assert not fired(world, "edge", 0.1) & READS_DIRECTION
    assert not any(forecast.familiar for forecast in world.core.market.forecasts.values())
    world.run(9)
    assert {skill.verdict for skill in world.core.market.verdicts.values()} == {"drift"}
