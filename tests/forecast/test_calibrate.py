"""Temperature scaling finds by how much logits were too sure."""

from __future__ import annotations

import numpy as np
import pytest

from engine.forecast.calibrate import log_loss, temperature


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
