"""The surface holds no static arbitrage, wherever it goes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.paper.crowd.dice import Stream
from engine.paper.crowd.smile import MAX_CURVE, MAX_SKEW, MONTH, Shape, Smile, SmileSettings
from engine.surface.svi import Slice, least_g, raw

YEARS = [1 / 365, 3 / 365, 8 / 365, 30 / 365, 0.25, 0.6, 1.2]
levels = st.floats(0.001, 4.0)
shapes = st.builds(
    Shape, short=levels, middle=levels, long=levels, rho=st.floats(-MAX_SKEW, MAX_SKEW), eta=st.floats(0.2, MAX_CURVE),
    fast=st.just(40.0), slow=st.just(1.5),
)  # fmt: skip


def slice_of(shape: Shape, years: float) -> Slice:
    """SSVI written as raw SVI (Gatheral and Jacquier 2014, Lemma 3.1… of the natural form)."""
    theta, rho = shape.theta(years), shape.rho
    phi = shape.eta / math.sqrt(theta)
    root = math.sqrt(1.0 - rho * rho)
    return raw(a=theta / 2.0 * (1.0 - rho * rho), b=theta * phi / 2.0, rho=rho, m=-rho / phi, sigma=root / phi)


def total(shape: Shape, k: np.ndarray, years: float) -> np.ndarray:
    iv = shape.ivs(k, np.zeros(len(k), dtype=np.int64), [years])
    return np.asarray(iv * iv * years)


@given(shapes, st.sampled_from(YEARS))
def test_what_is_quoted_is_the_slice_and_holds_no_butterfly(shape: Shape, years: float) -> None:
    piece, k = slice_of(shape, years), np.linspace(-1.5, 1.5, 31)
    assert total(shape, k, years) == pytest.approx(piece.ws(k), rel=1e-9)
    assert least_g(piece) > -1e-9


@given(shapes)
def test_total_variance_grows_with_time_at_every_strike(shape: Shape) -> None:
    k = np.linspace(-2.0, 2.0, 41)
    rows = np.array([total(shape, k, years) for years in YEARS])
    assert (np.diff(rows, axis=0) > 0.0).all()


def test_it_starts_from_the_fitted_chain() -> None:
    """Levels of the chain of May 2026, as shares of its 30-day level, within what one surface for all can do."""
    shape = Smile(SmileSettings(), 1.0 / 1.05, Stream(1, "smile")).shape()
    fitted = {0.91: 0.283, 7.91: 0.319, 14.91: 0.345, 35.91: 0.337, 70.91: 0.377, 126.91: 0.393, 308.91: 0.445}
    for days, level in fitted.items():
        assert shape.atm(days / 365) == pytest.approx(level / 0.345, rel=0.08)
    assert shape.atm(MONTH) == pytest.approx(1.0, rel=0.03)


def test_levels_and_skew_move_with_the_underlying() -> None:
    moves = []
    for log_return in (-0.02, 0.02):
        smile = Smile(SmileSettings(), 0.45, Stream(1, "smile"))
        smile.step(1.0, log_return, 0.0)
        moves.append(smile.shape())
    down, up = moves
    assert down.short > up.short
    assert down.short / up.short > down.long / up.long > 1.0, "the near end moves most"
    assert down.rho < up.rho


def test_its_own_moves_are_the_recorded_ones() -> None:
    """Deviation a √s of the log of at-the-money volatility: near 3e-4 at a day and 7e-5 at six weeks."""
    smile = Smile(SmileSettings(jumps_per_hour=0.0), 0.45, Stream(4, "smile"))
    rows = []
    for _ in range(4000):
        smile.step(1.0, 0.0, 0.0)
        shape = smile.shape()
        rows.append([math.log(shape.atm(days / 365)) for days in (1, 44)])
    near, far = np.diff(np.array(rows), axis=0).std(axis=0)
    assert 2e-4 < near < 4e-4
    assert 4e-5 < far < 1e-4


def test_a_loaded_surface_goes_on_as_the_dumped_one() -> None:
    dice = Stream(7, "smile")
    smile = Smile(SmileSettings(), 0.45, dice)
    for _ in range(50):
        smile.step(0.1, 1e-4, 0.2)
    kept, place = smile.dump(), dice.dump()
    other = Stream(7, "smile")
    other.load(place)
    again = Smile(SmileSettings(), 0.45, other)
    again.load(kept)
    for each in (smile, again):
        for _ in range(50):
            each.step(0.1, -1e-4, 0.1)
    assert smile.shape() == again.shape()
