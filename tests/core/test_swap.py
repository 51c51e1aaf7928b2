"""Another model between two steps: it begins cold, the tape tells of it, and a fold goes the same way."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine.config import WARM_STEPS
from engine.core import Core, Market
from engine.execution.desk import Desk
from engine.forecast.stream import Weights
from engine.view import gauges, say, status
from tests.core.fold import fold, pack_tape, unpack_tape
from tests.forecast.weights import random_net, weights_of
from tests.link import BUSY, World, near_the_money, packed, submit

ONE, TWO = weights_of(random_net(1)), weights_of(random_net(2), threshold_ticks=0.5)
KNOWN = {ONE.id: ONE, TWO.id: TWO}


def world_with(weights: Weights | None) -> tuple[World, str]:
    world = World(7, weights=weights, settings=BUSY)
    world.core.market.models = KNOWN.get
    world.connect()
    world.run(2)
    name = near_the_money(world)
    world.look(name)
    return world, name


@pytest.fixture(scope="module")
def swapped() -> tuple[World, str]:
    """A parent at work, the other model in the middle of it, and a while later none that could be had."""
    world, name = world_with(ONE)
    world.run(6)
    submit(world, name, quantity=300.0, minutes=0.5, dial="auto", algorithm="adaptive")
    world.run(3)
    world.do(m.PromoteModel(model=TWO.id))
    world.take(m.ModelSwap, model=TWO.id)
    world.run(7)
    world.take(m.ModelSwap, model="lstm-gone", reason="there is no model 'lstm-gone' here")
    world.run(1)
    return world, name


def test_a_swap_is_asked_for_fetched_and_said() -> None:
    world, _ = world_with(ONE)
    core = world.core
    item = m.Command(n=world.n + 1, t=world.now, id="c", user="anna", role="trader", verb=m.PromoteModel(model="x"))
    outcome = core.step(item)
    assert [type(fact) for fact in outcome.facts] == [m.ModelAsked]
    assert outcome.effects == [m.FetchModel(model="x", by="anna")]
    world.n += 1
    (changed,) = world.take(m.ModelSwap, model=TWO.id)
    note = say(core, changed)
    assert note is not None
    assert note.model == TWO.id
    assert TWO.id in note.text
    assert status(core).model == TWO.id


def test_who_may_not_trade_may_not_swap() -> None:
    world, _ = world_with(None)
    assert "not trade" in world.refused(m.PromoteModel(model=ONE.id), role="viewer")
    assert "not trade" in world.refused(m.RollBackModel(), role="viewer")
    assert "which model" in world.refused(m.PromoteModel(model=""))


def test_it_begins_cold_and_is_silent_until_warm() -> None:
    world, name = world_with(ONE)
    world.run(6)
    core = world.core
    assert core.market.forecasts[name].warm
    world.take(m.ModelSwap, model=TWO.id)
    assert not core.market.forecasts, "nothing is said by the old one after the swap"
    assert core.market.baselines, "what needs no model goes on"
    assert all(skill.verdict == "unknown yet" for skill in core.market.verdicts.values())
    world.run(0.1 * (WARM_STEPS - 1))
    forecast = core.market.forecasts[name]
    assert (forecast.source, forecast.warm) == (TWO.id, False)
    world.run(0.2)
    assert core.market.forecasts[name].warm
    shown = gauges(core, name)
    assert shown is not None
    assert shown.move_threshold_ticks == 0.5


def test_a_refused_model_changes_nothing() -> None:
    world, name = world_with(ONE)
    world.run(6)
    before = msgspec.msgpack.encode(world.core.market.dump())
    (fact,) = world.take(m.ModelSwap, model=TWO.id, reason="it is cut short")
    assert isinstance(fact, m.ModelRefused)
    assert msgspec.msgpack.encode(world.core.market.dump()) == before
    world.run(0.1)
    assert world.core.market.forecasts[name].source == ONE.id


def test_a_fold_goes_the_same_way_through_a_swap(swapped: tuple[World, str]) -> None:
    world, _ = swapped
    items = unpack_tape(pack_tape(world.inputs))
    assert {m.ModelAsked, m.ModelChanged, m.ModelRefused} <= {type(fact) for fact in world.facts}
    core = Core(Market(world.config, ONE, models=KNOWN.get), Desk())
    assert b"".join(fold(core, items)) == packed(world.facts)
    assert core.digest() == world.core.digest()


def test_a_core_kept_after_a_swap_goes_on_with_the_model_it_had(swapped: tuple[World, str]) -> None:
    world, _ = swapped
    items = unpack_tape(pack_tape(world.inputs))
    at = next(item.n for item in items if isinstance(item, m.ModelSwap)) + 300
    steady = Core(Market(world.config, ONE, models=KNOWN.get), Desk())
    list(fold(steady, items[:at]))
    value = msgspec.msgpack.decode(msgspec.msgpack.encode(steady.dump()))
    assert value["market"]["forecaster"]["id"] == TWO.id
    core = Core.load(value, TWO, models=KNOWN.get)
    assert list(fold(core, items[at:])) == list(fold(steady, items[at:]))
    assert core.digest() == steady.digest() == world.core.digest()


def test_a_fold_that_lacks_the_model_goes_on_without_and_knows_it(swapped: tuple[World, str]) -> None:
    world, name = swapped
    core = Core(Market(world.config, ONE), Desk())
    list(fold(core, unpack_tape(pack_tape(world.inputs))))
    assert core.market.missing == [TWO.id]
    assert core.market.forecasts[name].source == "baseline"
