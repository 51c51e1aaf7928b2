"""After training: what is said on held-out sessions comes true, and ordinary ones are called familiar."""

from __future__ import annotations

import numpy as np
import pytest

from engine.domain import Kind
from engine.forecast.labels import STABLE
from engine.forecast.parameters import Calibration, Weights, columns
from engine.forecast.stream import STRANGEST
from engine.research.calibration import calibrated
from engine.research.folds import whole
from engine.research.frozen import freeze
from engine.research.gathered import Thinned
from engine.research.judging import judge
from tests.forecast.weights import random_net, weights_of
from tests.research.stretches import planted

HELD = [whole(planted(seed, 1500)) for seed in range(3)]
FROZEN = freeze(HELD)
UNSURE = weights_of(
    random_net(), threshold_ticks=FROZEN.option_threshold, later_thresholds=FROZEN.later_thresholds,
    rates=FROZEN.option_rates,
)  # fmt: skip


@pytest.fixture(scope="module")
def weights() -> Weights:
    return calibrated(UNSURE, FROZEN, HELD)


def test_what_is_said_of_fresh_sessions_comes_true_on_average(weights: Weights) -> None:
    """A net that knows nothing, and is sure of it: only its scale and its lean can be mended."""
    parts = [whole(planted(seed, 1500)) for seed in (11, 12, 13)]
    for each, off in ((UNSURE, True), (weights, False)):
        judged = judge(each, parts)
        known = ~np.isnan(judged["outcome"])
        said = judged["said"][known][:, columns("direction")]
        came = judged["outcome"][known] == STABLE
        assert (abs(said[:, STABLE].mean() - came.mean()) > 0.1) == off


def test_a_head_without_use_is_not_trusted(weights: Weights) -> None:
    """Probabilities are believed or not."""
    assert weights.header.trust["direction"] == 0.0
    assert UNSURE.header.trust["direction"] == 1.0


def test_it_does_not_matter_what_the_calibration_was_before(weights: Weights) -> None:
    assert calibrated(weights, FROZEN, HELD).to_bytes() == weights.to_bytes()


def test_without_held_out_sessions_nothing_is_claimed() -> None:
    header = calibrated(UNSURE, FROZEN, []).header
    assert set(header.trust.values()) == set(header.future_trust.values()) == {0.0}
    assert {each for pair in header.calibration.values() for each in pair} == {Calibration()}
    assert header.usual == (STRANGEST, STRANGEST)


def test_ordinary_moments_are_familiar_and_those_of_another_world_are_not(weights: Weights) -> None:
    limit = weights.header.limit(Kind.OPTION)
    assert 0.5 < limit < 2.0  # of noise with a deviation of one, as in training
    assert weights.header.limit(Kind.PERPETUAL) == STRANGEST, "none were held out"


def test_of_a_kind_that_was_not_held_out_nothing_is_learned(weights: Weights) -> None:
    assert all(pair[1] == Calibration() for pair in weights.header.calibration.values())
    assert set(weights.header.future_trust.values()) == {0.0}


def test_many_sessions_are_thinned_evenly() -> None:
    kept = Thinned(100)
    for at in range(0, 1000, 30):
        kept.add(np.arange(at, at + 30)[:, None])
    assert 50 < len(kept.values) <= 100
    assert set(np.diff(kept.values[:, 0])) == {16}
