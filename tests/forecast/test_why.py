"""What moves a forecast is found where it was put."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.domain import Kind
from engine.forecast.names import GROUPS, NAMES
from engine.forecast.parameters import Weights, columns
from engine.forecast.past import SPAN
from engine.forecast.stream import Forecaster
from engine.forecast.why import why
from tests.forecast.market import START, STEP
from tests.forecast.test_stream import vectors
from tests.forecast.weights import random_net, weights_of


def listening(group: str) -> Weights:
    """A model whose head hears nothing but one group's first input, of the present."""
    net = random_net(hidden=8)
    with torch.no_grad():
        net.head.weight.zero_()
        net.head.bias.zero_()
        net.head.weight[columns("direction").start, 8 + NAMES.index(GROUPS[group][0])] = 2.0
    return weights_of(net)


def stepped(weights: Weights, steps: int) -> Forecaster:
    forecaster, x = Forecaster(weights), vectors(3, steps)
    x[:, :5] = 1.0
    for k in range(steps):
        forecaster.outputs(START + k * STEP, {"a": x[k]})
    return forecaster


@pytest.mark.parametrize("group", [name for name in GROUPS if name != "contract"])
def test_the_group_that_is_listened_to_is_the_reason(group: str) -> None:
    weights = listening(group)
    past = stepped(weights, 130).past("a")
    assert past is not None
    reasons = why(weights, Kind.OPTION, past)
    assert reasons is not None
    assert reasons[0].group == group
    assert abs(reasons[0].up) > 0.01
    assert all(reason.up == reason.down == 0.0 for reason in reasons[1:])
    assert {reason.group for reason in reasons} == set(GROUPS)


def test_every_feature_is_in_one_group() -> None:
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted(NAMES)


@pytest.mark.parametrize("steps", [SPAN - 1, SPAN, 2 * SPAN, 2 * SPAN + 1, 333])
def test_the_past_is_remembered_so_far_that_the_model_says_the_same_again(steps: int) -> None:
    weights = weights_of(random_net(hidden=8))
    forecaster = stepped(weights, steps)
    past = forecaster.past("a")
    assert past is not None
    if steps < SPAN:
        assert why(weights, Kind.OPTION, past) is None
        return
    assert SPAN <= len(past.rows) <= 2 * SPAN
    assert past.h is not None
    assert past.c is not None
    h, c = past.h[:, None].copy(), past.c[:, None].copy()
    for row in past.rows:
        said = weights.packed.step(row[None], h, c)
    again = Forecaster(weights)
    x = vectors(3, steps)
    x[:, :5] = 1.0
    for k in range(steps):
        want = again.outputs(START + k * STEP, {"a": x[k]})["a"]
    np.testing.assert_array_equal(said[0], want)
