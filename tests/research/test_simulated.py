"""A whole desk in memory: the same facts twice, and again from any of its moments."""

from __future__ import annotations

import pytest

from engine import messages as m
from engine.config import STEP_NS
from engine.domain import NS, Side
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from engine.research.simulated import LATENCY_NS, Moment, Simulated
from tests.forecast.weights import random_net, weights_of
from tests.link import START, packed

LISTING = VenueSettings(listing=(Spec(expiries=1, strikes=3, futures=0),))
WEIGHTS = weights_of(random_net())
SECONDS = 6


def warm() -> tuple[Simulated, str]:
    desk = Simulated(3, START, LISTING, weights=WEIGHTS)
    desk.run(desk.t + 2 * NS)
    quotes = desk.core.market.venue.quotes
    name = next(name for name in sorted(quotes) if name.endswith("-C") and quotes[name].bid and quotes[name].ask)
    desk.look(name)
    desk.run(desk.t + 2 * NS)
    return desk, name


def worked(desk: Simulated, name: str) -> bytes:
    """The facts of a parent that is worked for a while."""
    instrument = desk.core.market.venue.instruments[name]
    micro = desk.core.market.micro(name)
    assert micro is not None
    limit = instrument.price(instrument.ceil_tick(micro * 1.2))
    desk.do(m.SubmitParent(instrument=name, side=Side.BUY, quantity=5.0, limit=limit, minutes=0.08, dial="auto",
                           algorithm="twap"))  # fmt: skip
    desk.run(desk.t + SECONDS * NS)
    return packed(desk.facts)


@pytest.fixture(scope="module")
def moment() -> tuple[Moment, str, bytes]:
    """A moment, and what came of a parent from there without ever leaving it."""
    desk, name = warm()
    moment = desk.moment()
    before = len(desk.facts)
    worked(desk, name)
    return moment, name, packed(desk.facts[before:])


def test_the_same_desk_twice_comes_to_the_same_facts(moment: tuple[Moment, str, bytes]) -> None:
    desk, name = warm()
    before = len(desk.facts)
    worked(desk, name)
    assert packed(desk.facts[before:]) == moment[2]
    assert any(isinstance(fact, m.Filled) for fact in desk.facts)


def test_a_desk_taken_up_at_a_moment_goes_on_as_the_one_that_never_stopped(moment: tuple[Moment, str, bytes]) -> None:
    at, name, facts = moment
    desk = Simulated(at.seed, at.start, at.settings)
    for _ in range(2):
        desk.rewind(at, WEIGHTS)
        assert desk.t == START + 4 * NS
        assert worked(desk, name) == facts


def test_what_is_changed_at_a_moment_holds_from_there_on(moment: tuple[Moment, str, bytes]) -> None:
    at, name, facts = moment
    desk = Simulated(at.seed, at.start, at.settings)

    def change(state: dict[str, dict[str, dict[str, dict[str, object]]]]) -> object:
        state["desk"]["config"]["execution"]["base_child"] = 1.0
        return state

    desk.rewind(at, WEIGHTS, change)
    assert desk.core.desk.config.execution.base_child == desk.core.market.config.execution.base_child == 1.0
    assert worked(desk, name) != facts


def test_the_wire_takes_its_time_both_ways(moment: tuple[Moment, str, bytes]) -> None:
    at, name, _ = moment
    desk = Simulated(at.seed, at.start, at.settings)
    desk.rewind(at, WEIGHTS)
    worked(desk, name)
    requested = {fact.child: fact.t for fact in desk.facts if isinstance(fact, m.OrderRequested)}
    fills = [fact for fact in desk.facts if isinstance(fact, m.Filled)]
    took = [fact for fact in fills if not fact.maker]
    assert all(fact.t - fact.at >= LATENCY_NS for fact in fills)
    assert {fact.t - requested[fact.child] for fact in took} == {2 * LATENCY_NS}
    assert all(t % STEP_NS == 0 for t in requested.values())
