"""Why a forecast is what it is, asked of a running desk."""

from __future__ import annotations

from engine import messages as m
from engine import view
from engine.config import WARM_STEPS
from tests.forecast.weights import random_net, weights_of
from tests.link import World, near_the_money, ready


def test_it_is_said_in_words_once_the_model_has_seen_enough() -> None:
    world = World(1, weights=weights_of(random_net()))
    world.connect()
    world.run(2)
    name = near_the_money(world)
    world.look(name)
    asked = m.Why(id="1", instrument=name)
    world.run(WARM_STEPS / 10 - 1)
    assert not view.why(world.core, asked).ok
    world.run(3)
    answer = view.why(world.core, asked)
    assert answer.ok
    assert answer.text.startswith("up ")
    assert answer == view.why(world.core, asked)  # asking changes nothing
    assert not view.why(world.core, m.Why(id="2", instrument="BTC-1JAN30-5-C")).ok


def test_without_a_model_there_is_nothing_to_explain() -> None:
    world, name = ready()
    assert view.why(world.core, m.Why(id="1", instrument=name)).text == "no model forecasts this instrument now"
