"""Fits of known smiles: as good as a slow reference, robust to what quotes do, never with a butterfly."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.surface import fitting
from engine.surface.fitting import Points
from engine.surface.svi import Slice, least_g
from tests.surface.oracle import VOGT, best_fit, butterflies, rms
from tests.surface.slices import SAFE, quoted, smile, strikes_for

YEARS = st.sampled_from([2 / 365, 7 / 365, 0.1, 0.5, 1.0])


@settings(deadline=None)
@given(SAFE, YEARS, st.integers(9, 40))
def test_a_clean_smile_comes_back(piece: Slice, years: float, strikes: int) -> None:
    points = quoted(piece, years, strikes_for(piece, strikes))
    found = fitting.fit(points, years)
    assert rms(found, points, years) < 0.02  # of a half-spread: a vol basis point
    assert least_g(found) >= 0.0


@pytest.mark.parametrize("seed", range(12))
def test_a_noisy_smile_is_fitted_as_well_as_by_the_slow_reference(seed: int) -> None:
    """30 vol bp of noise. The reference is free to have butterflies; ours is asked to match it where it has none."""
    draw = np.random.default_rng(seed)
    years, strikes = float(draw.choice([7 / 365, 0.1, 0.5, 1.0])), int(draw.integers(12, 40))
    level, skew, width = (float(draw.uniform(*ends)) for ends in ((0.4, 1.0), (-0.6, 0.4), (1.0, 3.0)))
    piece = smile(level, skew, width, 0.0, years)
    points = quoted(piece, years, strikes_for(piece, strikes), noise=draw.normal(0.0, 0.003, strikes))
    found, reference = fitting.fit(points, years), best_fit(points, years)
    assert least_g(found) >= 0.0
    allowed = 1.1 if least_g(reference) >= 0.0 else 1.5
    assert rms(found, points, years) <= allowed * rms(reference, points, years)


def test_wide_quotes_count_less() -> None:
    piece, years = smile(0.6, -0.2, 2.0, 0.0, 0.1), 0.1
    k = strikes_for(piece, 21)
    half = np.where(np.arange(21) % 2 == 0, 0.002, 0.05)
    points = quoted(piece, years, k, half, noise=np.where(half > 0.01, 0.02, 0.0))
    iv = np.sqrt(fitting.fit(points, years).ws(k) / years)
    true = np.sqrt(piece.ws(k) / years)
    assert np.abs(iv - true).max() < 0.001


@pytest.mark.parametrize("where", [3, 10, 17])
@pytest.mark.parametrize("by", [-0.25, 0.25])
def test_an_outlier_pulls_little(where: int, by: float) -> None:
    piece, years = smile(0.6, -0.2, 2.0, 0.0, 0.1), 0.1
    k = strikes_for(piece, 21)
    points = quoted(piece, years, k, noise=np.where(np.arange(21) == where, by, 0.0))
    iv = np.sqrt(fitting.fit(points, years).ws(k) / years)
    assert np.abs(iv - np.sqrt(piece.ws(k) / years)).max() < 0.002  # well inside every sound quote


def test_one_sided_quotes_pull_only_while_they_are_violated() -> None:
    """Mids reach from the forward upwards only; in the left wing there are bids, above what the mids would suggest."""
    piece, years = smile(0.6, -0.5, 1.5, 0.0, 0.1), 0.1
    k = strikes_for(piece, 25)
    known = k >= -0.05
    two = quoted(piece, years, k[known])
    alone = fitting.fit(two, years)
    left = k[~known]
    bids = np.sqrt(piece.ws(left) / years) + 0.03
    nan, top = np.full(len(left), math.nan), np.full(len(left), math.inf)
    parts = (left, nan, bids, top, np.full(len(left), 0.005))
    both = Points(*(np.concatenate([a, b]) for a, b in zip(parts, _columns(two), strict=True)))
    found = fitting.fit(both, years)
    assert (np.sqrt(found.ws(left) / years) > bids - 0.015).all()
    assert (np.sqrt(alone.ws(left) / years) < bids - 0.02).all()
    low = msgspec.structs.replace(both, low=np.where(np.isnan(both.mid), 0.01, both.low))
    far = np.sqrt(fitting.fit(low, years).ws(k) / years)
    np.testing.assert_allclose(far, np.sqrt(alone.ws(k) / years), atol=1e-4)  # bids far below say nothing


def _columns(points: Points) -> tuple[np.ndarray, ...]:
    return points.k, points.mid, points.low, points.high, points.scale


def test_quotes_of_the_slice_of_vogt_are_fitted_without_its_butterfly() -> None:
    k = np.linspace(-1.5, 1.5, 41)
    points = quoted(VOGT, 1.0, k, half=0.01)
    found = fitting.fit(points, 1.0)
    assert least_g(found) >= 0.0
    assert butterflies(found) == []
    assert rms(found, points, 1.0) < 1.0  # the best that a slow constrained search finds is 0.63 half-spreads


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(0.05, 3.0), st.floats(0.0005, 0.5)), min_size=5, max_size=40),
    st.sampled_from([10 / 31_536_000, 1 / 365, 0.1, 2.0]),
)
@example([(0.0, 0.125, 0.5), (0.0, 0.125, 0.25), (0.0, 0.051, 0.5), (0.25, 1.0, 0.125)], 10 / 31_536_000)
def test_any_quotes_give_a_slice_without_butterflies(rows: list[tuple[float, float, float]], years: float) -> None:
    k, mid, half = (np.array(column) for column in zip(*sorted(rows), strict=True))
    found = fitting.fit(Points(k=k, mid=mid, low=mid - half, high=mid + half, scale=half), years)
    assert least_g(found) >= 0.0
    assert butterflies(found) == []
    assert all(math.isfinite(value) for value in msgspec.structs.astuple(found))


@settings(deadline=None)
@given(SAFE, SAFE, YEARS)
def test_any_start_leads_to_within_the_quotes_and_it_is_deterministic(piece: Slice, other: Slice, years: float) -> None:
    points = quoted(piece, years, strikes_for(piece, 21))
    cold, warm = fitting.fit(points, years), fitting.fit(points, years, other)
    assert rms(warm, points, years) < 0.5  # of a half-spread, whatever smile there was before
    assert cold == fitting.fit(points, years)
    assert warm == fitting.fit(points, years, other)


def test_a_long_smile_with_one_level_wing_is_fitted_again_as_well() -> None:
    years, k = 10.0, np.linspace(-0.6, 0.6, 31)
    mid = 0.6 + 0.1 * k
    points = Points(k=k, mid=mid, low=mid - 0.01, high=mid + 0.01, scale=np.full(31, 0.01))
    first = fitting.fit(points, years)
    again = fitting.fit(points, years, first)
    for piece in (first, again):
        assert rms(piece, points, years) < 0.1
