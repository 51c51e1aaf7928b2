"""The same inputs give the same facts, to the byte: in another process, and from any state put down and taken up."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Action, Condition, Config, Execution, Row
from engine.core import Core, Market
from engine.domain import Side
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.forecast.stream import Weights
from tests.core.fold import core_for, fold, pack_tape, unpack_tape
from tests.forecast.weights import random_net, weights_of
from tests.link import BUSY, World, near_the_money, packed, submit

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = 40

encode = msgspec.msgpack.encode
decode = msgspec.msgpack.decode

# Rows that fire often, so that many roads through the policy are taken.
POLICY = (
    Row(name="tight", kind="opportunistic", when=(Condition("spread_ticks", "<", 2.0),),
        action=Action(times_base=1.0, style="cross")),
    Row(name="wide", kind="protective", when=(Condition("spread_ticks", ">", 2.5),), action=Action(halt_s=2.0)),
    Row(name="dear", kind="protective", when=(Condition("slippage_10_ticks", ">", 0.3),), action=Action(max_child=2.0)),
)  # fmt: skip


class Told:
    """A session, as its tape tells it: inputs, the facts of each, and the forecasts noted beside them."""

    def __init__(self, weights: Weights | None) -> None:
        self.weights = weights
        config = Config(policy=POLICY, execution=Execution(order_ttl_s=1.0, ask_after_s=0.5))
        world = World(7, config, weights, settings=BUSY)
        session(world)
        self.items = unpack_tape(pack_tape(world.inputs))
        assert self.items == world.inputs
        self.facts = packed(world.facts)
        self.digest = world.core.digest()
        self.desk_facts = world.facts


def session(world: World) -> None:
    """Half a minute on a busy venue: parents of both sides, orders by hand, a link that breaks, a kill."""
    world.connect()
    world.run(2)
    name = near_the_money(world)
    puts = [i.name for i in world.core.market.venue.instruments.values() if i.name.endswith("-P")]
    world.look(name, puts[0])
    world.run(1)
    submit(world, name, quantity=300.0, minutes=0.5, dial="auto", algorithm="adaptive")
    submit(world, name, side=Side.SELL, limit=0.02, quantity=8.0, minutes=0.5, dial="semi", algorithm="adaptive")
    submit(world, name, quantity=40.0, minutes=0.4)
    for k in range(12):
        world.run(1)
        price = world.instrument(name).floor_tick(world.core.market.micro(name) or 300)
        world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0 + k % 3,
                             price=world.instrument(name).price(price), post_only=k % 2 == 0))  # fmt: skip
        if k == 4:
            world.lose = lambda data: b"book." in data and data.endswith(b"7}}}")
        if k == 5:
            world.lose = lambda _: False
        if k == 7:
            world.disconnect()
            world.run(0.5)
            world.connect()
    world.look(puts[0], puts[2])
    world.run(4)
    world.say(b"\x00 garbage")
    world.do(m.Kill())
    world.run(1)
    world.do(m.Rearm(reason="drill over"))
    world.run(3)


@pytest.fixture(scope="module")
def bare() -> Told:
    return Told(None)


@pytest.fixture(scope="module")
def modelled() -> Told:
    return Told(weights_of(random_net()))


@pytest.fixture(params=["bare", "modelled"])
def told(request: pytest.FixtureRequest) -> Told:
    found: Told = request.getfixturevalue(request.param)
    return found


def test_the_session_is_worth_folding(told: Told) -> None:
    kinds = {type(fact) for fact in told.desk_facts}
    assert {m.Proposed, m.Refreshed, m.Approved, m.Lapsed, m.ParentHalted, m.Filled, m.OrderEnded, m.CancelRequested,
            m.Reconciled, m.KillConfirmed} <= kinds  # fmt: skip
    assert len(told.items) > 1500
    assert len(told.desk_facts) > 100


def test_a_fresh_core_folds_the_tape_to_the_same_facts(told: Told) -> None:
    core = core_for(told.items, told.weights)
    assert b"".join(fold(core, told.items)) == told.facts
    assert core.digest() == told.digest


def test_two_fresh_processes_agree_whatever_their_hash_seed(told: Told, tmp_path: Path) -> None:
    tape, weights = tmp_path / "tape", tmp_path / "weights"
    tape.write_bytes(pack_tape(told.items))
    command = [sys.executable, "-m", "tests.core.fold", str(tape)]
    if told.weights is not None:
        weights.write_bytes(told.weights.to_bytes())
        command.append(str(weights))
    running = [
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE)
        for seed in ("1", "4242")
    ]
    said = [process.communicate()[0].decode().split() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert said[0] == said[1] == [hashlib.sha256(told.facts).hexdigest(), str(len(told.desk_facts)), told.digest]


def moments(items: Sequence[m.Input], count: int) -> set[int]:
    """Random moments, the same each time; early ones and those around what is rare among them."""
    rare = [item.n for item in items if isinstance(item, m.Link | m.Command | m.Focus | m.Sent)]
    dice = random.Random(20261121)
    return {1, 2, 3, *dice.sample(range(4, len(items)), count), *dice.sample(rare, min(count // 2, len(rare)))}


def test_a_core_put_down_and_taken_up_goes_on_as_if_nothing_had_been(told: Told) -> None:
    """At each of many moments the state is packed, unpacked and loaded: facts, state and dump stay the same."""
    steady, core = core_for(told.items, told.weights), core_for(told.items, told.weights)
    when = moments(told.items, MOMENTS)
    for item in told.items:
        assert [m.pack(f) for f in core.step(item).facts] == [m.pack(f) for f in steady.step(item).facts]
        if item.n in when:
            kept = encode(core.dump())
            core = Core.load(decode(kept), told.weights)
            assert encode(core.dump()) == kept
            assert core.digest() == steady.digest()
    assert core.digest() == steady.digest() == told.digest


def test_a_dump_is_no_part_of_what_goes_on(told: Told) -> None:
    """What was dumped stays as it was, though not a byte of it has been packed."""
    core = core_for(told.items, told.weights)
    half = len(told.items) // 2
    list(fold(core, told.items[:half]))
    dumped = core.dump()
    before = encode(dumped)
    taken_up = Core.load(dumped, told.weights)
    first = list(fold(core, told.items[half:]))
    assert encode(dumped) == before
    assert list(fold(taken_up, told.items[half:])) == first
    assert encode(dumped) == before
    assert taken_up.digest() == core.digest()


def test_a_market_alone_goes_on_from_its_dump(told: Told) -> None:
    first = told.items[0]
    assert isinstance(first, m.Started)
    steady, market = Market(first.config, told.weights), Market(first.config, told.weights)
    when = moments(told.items, MOMENTS)
    for item in told.items:
        assert market.observe(item) == steady.observe(item)
        if item.n in when:
            kept = encode(market.dump())
            assert kept == encode(steady.dump())
            market = Market.load(first.config, told.weights, decode(kept))
            assert encode(market.dump()) == kept
    assert encode(market.dump()) == encode(steady.dump())


def test_a_desk_alone_goes_on_from_its_dump(told: Told) -> None:
    steady, desk = Desk(), Desk()
    for fact in told.desk_facts:
        evolve(steady, fact)
        evolve(desk, fact)
        kept = encode(desk.dump())
        desk = Desk.load(decode(kept))
        assert encode(desk.dump()) == kept
    assert desk == steady


def test_recorded_forecasts_give_the_same_facts(modelled: Told) -> None:
    """What decisions read was noted beside the inputs; fed back, it decides the same."""
    core = core_for(modelled.items, modelled.weights)
    noted: dict[int, Any] = {}
    for item in modelled.items:
        if (found := core.step(item).noted) is not None:
            again = m.unpack_taped(m.pack(found))
            assert isinstance(again, m.Forecasts)
            noted[again.n] = again.values
    assert noted
    first = modelled.items[0]
    assert isinstance(first, m.Started)
    again_core = Core(Market(first.config, modelled.weights, noted), Desk())
    assert b"".join(fold(again_core, modelled.items)) == modelled.facts


def test_a_core_is_taken_up_only_with_its_own_model(modelled: Told, bare: Told) -> None:
    from engine.forecast.stream import BadWeights

    core = core_for(modelled.items, modelled.weights)
    list(fold(core, modelled.items[:50]))
    with pytest.raises(BadWeights):
        Core.load(core.dump(), bare.weights)
