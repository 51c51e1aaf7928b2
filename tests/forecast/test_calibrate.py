"""Calibration finds by how much logits were too sure, and what they leaned to."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from engine.forecast.calibrate import log_loss, recalibration, temperature, trust
from engine.forecast.parameters import Calibration


def drawn(logits: np.ndarray, seed: int = 4) -> np.ndarray:
    """Classes as likely as these logits say."""
    powers = np.exp(logits)
    shares = (powers / powers.sum(axis=1, keepdims=True)).cumsum(axis=1)
    out: np.ndarray = (np.random.default_rng(seed).random((len(logits), 1)) > shares).sum(axis=1)
    return out


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("hot", "bias"), [(1.0, 0.0), (0.5, 1.0), (2.5, -2.0), (1.3, -5.0)])
def test_the_temperature_and_the_bias_that_were_put_in_come_out(classes: int, hot: float, bias: float) -> None:
    logits = np.random.default_rng(3).normal(size=(40_000, classes))
    lean = np.eye(classes)[-1] * bias
    found = recalibration(((logits - lean) * hot).astype(np.float32), drawn(logits))
    assert found.temperature == pytest.approx(hot, rel=0.08)
    assert found.bias == pytest.approx(bias, abs=0.1)
    mended = (logits - lean) * hot / found.temperature + np.eye(classes)[-1] * found.bias
    assert log_loss(mended, drawn(logits)) <= log_loss(logits, drawn(logits)) + 1e-3


def test_what_never_came_is_made_unlikely_and_not_impossible() -> None:
    logits = np.random.default_rng(3).normal(size=(5000, 3)).astype(np.float32)
    found = recalibration(logits, drawn(logits[:, :2]))
    assert -12.0 < found.bias < -4.0


def test_nothing_to_calibrate_on_changes_nothing() -> None:
    assert recalibration(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)) == Calibration()


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_comes_out(true: float) -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(20_000, 3))
    classes = drawn(logits)
    found = temperature((logits * true).astype(np.float32), classes)
    assert found == pytest.approx(true, rel=0.08)
    assert log_loss(logits * true / found, classes) <= log_loss(logits * true, classes)


def test_nothing_to_calibrate_on_leaves_the_logits_alone() -> None:
    assert temperature(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)) == 1.0


@pytest.mark.parametrize(("useful", "share"), [(1.0, 1.0), (0.5, 0.5), (0.0, 0.0), (-1.0, 0.0)])
def test_a_head_is_trusted_as_far_as_it_is_right(useful: float, share: float) -> None:
    rng = np.random.default_rng(1)
    model = rng.normal(size=(20_000, 1))
    came = useful * model + rng.normal(size=model.shape)
    groups = np.arange(20_000) // 100
    found = trust(model, np.zeros_like(model), lambda mix: ((came - mix) ** 2)[:, 0], groups)
    assert found == pytest.approx(share, abs=0.11)
    assert found <= share


def squared(mix: np.ndarray, came: np.ndarray) -> np.ndarray:
    out: np.ndarray = ((came - mix) ** 2)[:, 0]
    return out


def test_a_head_that_is_believed_or_not_is_believed_only_where_that_is_plain() -> None:
    rng = np.random.default_rng(1)
    model, groups = rng.normal(size=(20_000, 1)), np.arange(20_000) // 100
    for useful, share in ((0.6, 1.0), (0.5, 0.0), (0.2, 0.0)):
        came = useful * model + rng.normal(size=model.shape)
        squares = partial(squared, came=came)
        assert trust(model, 0 * model, squares, groups, shares=1) == share


def test_a_head_never_seen_at_work_is_not_trusted() -> None:
    assert trust(np.zeros((0, 1)), np.zeros((0, 1)), lambda mix: mix[:, 0], np.zeros(0, np.int64)) == 0.0
