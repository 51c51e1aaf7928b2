"""The curve of a calibration: what was said beside what came true, tenth by tenth."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.research.scoring import reliability


def test_each_tenth_has_its_mean_forecast_and_its_realised_share() -> None:
    said = np.array([0.05, 0.07, 0.55, 0.95, 1.0])
    came = np.array([0.0, 1.0, 1.0, 1.0, 0.0])
    assert np.allclose(reliability(said, came), [(0.06, 0.5, 2), (0.55, 1.0, 1), (0.975, 0.5, 2)])


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60))
def test_every_moment_is_counted_once_and_means_are_kept(moments: list[tuple[float, bool]]) -> None:
    said, came = np.array([p for p, _ in moments]), np.array([hit for _, hit in moments], dtype=bool)
    bins = reliability(said, came)
    assert sum(n for *_, n in bins) == len(moments)
    assert np.isclose(sum(mean * n for mean, _, n in bins), said.sum())
    assert np.isclose(sum(share * n for _, share, n in bins), came.sum())
    assert all(0.0 <= mean <= 1.0 and 0.0 <= share <= 1.0 for mean, share, _ in bins)
