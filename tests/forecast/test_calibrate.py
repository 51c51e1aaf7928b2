"""Temperature scaling finds by how much logits were too sure."""

from __future__ import annotations

import numpy as np
import pytest

from engine.forecast.calibrate import log_loss, temperature, trust


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_comes_out(true: float) -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(20_000, 3))
    powers = np.exp(logits)
    classes = (rng.random((20_000, 1)) > (powers / powers.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
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


def test_a_head_never_seen_at_work_is_not_trusted() -> None:
    assert trust(np.zeros((0, 1)), np.zeros((0, 1)), lambda mix: mix[:, 0], np.zeros(0, np.int64)) == 0.0
