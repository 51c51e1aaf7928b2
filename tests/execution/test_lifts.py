"""A block is lifted in two steps, with a reason, for one order; what is executed too often waits for a person."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine.config import Config, Limits
from engine.execution import risk
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from tests.execution.scenes import by_hand
from tests.link import World, ready, submit

SENTENCE = "60 contracts is over the limit of 50 an order"


def lift(world: World, name: str, block: str = "size", user: str = "ann") -> str:
    (asked,) = world.do(m.AskLift(block=block, instrument=name, reason=" a client's block "), user=user)
    assert isinstance(asked, m.LiftAsked)
    return asked.id


def test_two_steps_and_a_reason_let_one_order_pass(desk: tuple[World, str]) -> None:
    world, name = desk
    large = by_hand(name, quantity=60.0)
    asked = lift(world, name)
    assert world.of(m.LiftAsked)[-1].reason == "a client's block"
    assert world.refused(large, user="ann") == SENTENCE  # one step is none
    world.do(m.GrantLift(lift=asked), user="ann")
    assert world.refused(large, user="bob") == SENTENCE  # it is ann's
    (sent,) = world.do(large, user="ann")
    assert isinstance(sent, m.OrderRequested)
    assert sent.lifted == (asked,)
    assert world.refused(large, user="ann") == SENTENCE  # once


def test_a_lift_lets_only_its_own_block_pass(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(m.GrantLift(lift=lift(world, name, "collar")), user="ann")
    assert world.refused(by_hand(name, quantity=60.0), user="ann") == SENTENCE
    (small,) = world.do(by_hand(name), user="ann")
    assert isinstance(small, m.OrderRequested)
    assert small.lifted == ()  # not needed: not used up
    assert world.desk.lifts


def test_a_lift_ends_with_its_time(desk: tuple[World, str]) -> None:
    world, name = desk
    first, second = lift(world, name), lift(world, name)
    world.do(m.GrantLift(lift=second), user="ann")
    world.run(60)
    assert world.refused(m.GrantLift(lift=first), user="ann") == f"no lift {first} is asked for, or its time is over"
    assert world.refused(by_hand(name, quantity=60.0), user="ann") == SENTENCE


def test_what_cannot_be_lifted_is_said(desk: tuple[World, str]) -> None:
    world, name = desk
    for block in ("desk", "market", "own orders", "credits", "repeats", "tick", "bounds", "nonsense", ""):
        assert "cannot be lifted" in world.refused(m.AskLift(block=block, instrument=name, reason="why not"))
    assert world.refused(m.AskLift(block="size", instrument=name, reason=" ")) == "lifting a block asks for a reason"
    assert world.refused(m.AskLift(block="size", instrument="x", reason="y")) == "'x' is not listed at the venue"
    assert "user with a name" in world.refused(m.AskLift(block="size", instrument=name, reason="y"), user=" ")
    assert "may look" in world.refused(m.AskLift(block="size", instrument=name, reason="y"), role="viewer")
    asked = lift(world, name)
    assert world.refused(m.GrantLift(lift=asked), user="bob") == "ann asked for it: nobody else may confirm it"
    world.do(m.GrantLift(lift=asked), user="ann")
    assert world.refused(m.GrantLift(lift=asked), user="ann") == "it is confirmed already"


def test_the_policy_never_uses_a_lift() -> None:
    """What a parent's child wants goes by the dial; the lift of the parent's own trader is not for it."""
    world, name = ready(config=Config(limits=Limits(order_value=0.01)))
    world.do(m.GrantLift(lift=lift(world, name, "value", user="trader")), user="trader")
    submit(world, name, dial="auto")
    world.run(10)
    assert world.desk.children == {}
    assert world.desk.lifts


@pytest.mark.parametrize("block", risk.LIFTABLE)
def test_what_a_lift_does_can_be_read_in_the_journal(desk: tuple[World, str], block: str) -> None:
    world, name = desk
    world.do(m.GrantLift(lift=lift(world, name, block)), user="ann")
    folded = Desk()
    for fact in world.facts:
        evolve(folded, m.unpack_fact(m.pack(fact)))
    assert folded == world.desk == Desk.load(msgspec.msgpack.decode(msgspec.msgpack.encode(world.desk.dump())))


def test_executed_again_and_again_it_stops_until_a_person_rearms_it() -> None:
    world, name = ready(config=Config(limits=Limits(repeats=3, repeat_s=30.0)))
    take = by_hand(name, quantity=0.5, price=0.0335, post_only=False)
    for _ in range(3):
        world.do(take)
        world.run(0.5)
    (tripped,) = world.of(m.RepeatsTripped)
    assert (tripped.instrument, tripped.side, tripped.count) == (name, "buy", 3)
    sentence = f"buy orders of {name} were executed 3 times in 30 s: a person must re-arm it"
    world.run(60)
    assert world.refused(take) == sentence  # it does not pass by itself
    assert world.refused(m.RearmRepeats(instrument=name, reason="")) == "re-arming asks for a reason"
    world.do(m.RearmRepeats(instrument=name, reason="a real order"))
    assert "is not held" in world.refused(m.RearmRepeats(instrument=name, reason="again"))
    for _ in range(2):
        world.do(take)
        world.run(0.5)
    assert len(world.of(m.RepeatsTripped)) == 1
    world.do(take)
    world.run(0.5)
    assert len(world.of(m.RepeatsTripped)) == 2
