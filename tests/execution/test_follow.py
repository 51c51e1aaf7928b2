"""With `amends` set a resting child follows the market by one message, and holds a place that is good."""

from __future__ import annotations

import pytest

from engine import messages as m
from engine.config import Config, Execution
from engine.domain import Side
from tests.link import World, proposed, ready, submit


@pytest.fixture
def following() -> tuple[World, str]:
    return ready(config=Config(execution=Execution(amends=True, passive_ttl_s=5.0)))


def test_a_passive_child_follows_the_market_by_one_amend(following: tuple[World, str]) -> None:
    world, name = following
    submit(world, name, dial="auto")
    world.until(lambda: world.desk.live_children)
    first = world.child()
    world.run(2)
    world.trade(Side.BUY, name, 3.0, 0.033, rest=True)
    world.run(1)
    assert (first.state, first.price) == ("open", 330)
    (moved,) = world.of(m.AmendRequested)
    assert (moved.by, moved.reason) == ("auto", "the market moved away")
    assert not world.of(m.CancelRequested)
    assert len(world.venue_orders()) == len(world.desk.live_children)


def test_where_the_dial_asks_it_is_pulled_and_a_proposal_asks_for_what_comes_instead(
    following: tuple[World, str],
) -> None:
    world, name = following
    world.do(m.Approve(proposal=proposed(world, name), revision=1))
    world.run(2)
    first = world.child()
    world.trade(Side.BUY, name, 3.0, 0.033, rest=True)
    world.run(1)
    assert (first.state, first.reason) == ("cancelled", "the market moved away")
    assert not world.of(m.AmendRequested)
    assert world.proposal().worst == 330
