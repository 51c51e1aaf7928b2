"""What the model in use has been worth, and rows of the policy that say nothing."""

from __future__ import annotations

import pytest

from engine import view
from engine.forecast.skill import HEADS, UNLIKE
from engine.view.skill import flag_of
from tests.forecast.weights import random_net, weights_of
from tests.link import World, near_the_money, ready


def test_without_a_model_no_head_has_an_edge() -> None:
    world, _ = ready()
    seen = view.skill(world.core)
    assert seen.model == "baseline"
    assert {one.verdict for one in seen.skill.values()} == {"no edge"}


def test_every_head_and_every_row_of_the_policy_is_told_of() -> None:
    weights = weights_of(random_net())
    world = World(1, weights=weights)
    world.connect()
    world.run(2)
    before = view.skill(world.core)
    assert [row.share for row in before.rows] == [None] * len(world.core.desk.config.policy)
    world.look(near_the_money(world))
    world.run(12)
    seen = view.skill(world.core)
    assert (seen.model, seen.unlike_limit) == (weights.id, UNLIKE)
    assert set(seen.skill) == set(HEADS)
    assert seen.skill["slippage"].n > 0
    assert 0.0 <= seen.unlike <= 1.0
    assert seen.looks == world.core.market.looks > 0
    shares = {row.name: row.share for row in seen.rows}
    assert shares == {
        row.name: world.core.market.fired.get(row.name, 0) / seen.looks for row in world.core.desk.config.policy
    }


@pytest.mark.parametrize(
    ("share", "flag"),
    [(None, ""), (0.0, "too seldom"), (0.0099, "too seldom"), (0.01, ""), (0.95, ""), (0.951, "nearly always")],
)
def test_a_row_that_hardly_ever_or_nearly_always_fires_is_flagged(share: float | None, flag: str) -> None:
    assert flag_of(share) == flag
