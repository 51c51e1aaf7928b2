"""Between expiries: local variance against differences, and what is known where."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import YEAR_NS, instrument_of
from engine.surface.between import Rung, liftable, local_variance, smooth, total_variance
from engine.surface.surface import Surface
from engine.surface.svi import Slice, flat, g, grid, least_g, raw
from tests.surface.slices import SAFE, chain

NEAR = raw(a=0.004, b=0.05, rho=-0.3, m=0.0, sigma=0.15)
FAR = raw(a=0.02, b=0.09, rho=-0.35, m=0.01, sigma=0.25)
RUNGS = [Rung(0.05, (NEAR,)), Rung(0.2, (FAR,))]
FLAT_FOOT = Slice(a=0.0017, b1=0.063, m1=-0.053, sigma1=0.14, b2=0.04, m2=0.12, sigma2=0.17)
HOLLOW = Slice(a=-0.02, b1=0.21, m1=-0.19, sigma1=0.12, b2=0.15, m2=0.18, sigma2=0.62)
UNPROVEN = [Rung(0.05, (FLAT_FOOT,)), Rung(0.2, (HOLLOW,))]  # some blend of the two all but has a butterfly


@given(st.floats(-0.3, 0.3), st.floats(0.001, 2.0))
def test_a_flat_surface_is_flat_everywhere(k: float, years: float) -> None:
    rungs = [Rung(t, (flat(0.36 * t),)) for t in (0.1, 0.3, 1.0)]
    assert total_variance(rungs, k, years) == pytest.approx(0.36 * years, rel=1e-9)
    assert local_variance(rungs, k, years) == pytest.approx(0.36, rel=1e-9)


@pytest.mark.parametrize("years", [0.07, 0.1, 0.15, 0.4])
@pytest.mark.parametrize("k", [-0.2, -0.05, 0.0, 0.1, 0.25])
@pytest.mark.parametrize(("rungs", "linear"), [(RUNGS, True), (UNPROVEN, False)])
def test_local_variance_is_dupires_by_differences(k: float, years: float, rungs: list[Rung], linear: bool) -> None:
    """Of total variance linear in time, and of blended prices."""
    assert smooth(*rungs) is linear

    def w(at: float = k, t: float = years) -> float:
        return total_variance(rungs, at, t) or math.nan

    h, dt = 1e-3, 1e-4
    slope, bend = (w(k + h) - w(k - h)) / (2 * h), (w(k + h) - 2 * w() + w(k - h)) / h**2
    density = (1 - k * slope / (2 * w())) ** 2 - slope**2 / 4 * (1 / w() + 0.25) + bend / 2
    dupire = (w(t=years + dt) - w(t=years - dt)) / (2 * dt) / density
    assert local_variance(rungs, k, years) == pytest.approx(dupire, rel=2e-3)


def test_at_an_expiry_it_is_that_expiry() -> None:
    assert total_variance(RUNGS, 0.1, 0.05) == NEAR.w(0.1)
    assert total_variance(RUNGS, 0.1, 0.05 + 1e-9) == pytest.approx(NEAR.w(0.1), rel=1e-6)
    assert total_variance(RUNGS, 0.1, 0.2 - 1e-9) == pytest.approx(FAR.w(0.1), rel=1e-6)


@pytest.mark.parametrize(("rungs", "years"), [([], 0.1), (RUNGS, 0.0), (RUNGS, -1.0)])
def test_where_nothing_is_known_nothing_is_said(rungs: list[Rung], years: float) -> None:
    assert total_variance(rungs, 0.0, years) is None
    assert local_variance(rungs, 0.0, years) is None


@given(SAFE, st.floats(1e-6, 10.0))
def test_what_may_be_lifted_has_no_butterfly_at_any_height(piece: Slice, by: float) -> None:
    lifted = piece.lifted(by)
    k = grid(piece)
    assert not liftable(piece) or (g(k, lifted.rows(k)) >= 0.0).all()


def test_a_slice_with_a_butterfly_is_not_lifted() -> None:
    vogt = raw(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
    assert not liftable(vogt)
    assert liftable(FAR)
    assert least_g(FAR) > 0.0


def test_the_surface_prices_any_strike_and_time() -> None:
    option = instrument_of("BTC-27MAR26-60000-C")
    now, forward = option.expiry - YEAR_NS // 10, 60_000.0
    surface = Surface()
    strikes = [40_000.0 + 2_000.0 * n for n in range(21)]
    surface.refit(option.expiry, forward, chain(FAR, 0.1, forward, strikes), now)
    listed = surface.fair(option, forward, now)
    assert listed is not None
    assert surface.fair_at(60_000.0, True, forward, option.expiry, now) == pytest.approx(listed, rel=1e-12)
    half = surface.fair_at(61_234.5, False, forward, option.expiry - YEAR_NS // 20, now)
    assert half is not None
    assert 0.0 < half < (surface.fair_at(61_234.5, False, forward, option.expiry, now) or 0.0)
    greeks = surface.greeks(option.expiry, strikes, True, forward, now)
    assert greeks.price[10] == pytest.approx(listed, rel=1e-12)
    assert np.isnan(surface.greeks(1, strikes, True, forward, now).price).all()
    local = surface.local_variance(0.05, option.expiry - YEAR_NS // 20, now)
    assert local is not None
    assert local > 0.0
    assert surface.fair_at(0.0, True, forward, option.expiry, now) is None
    assert surface.fair_at(60_000.0, True, forward, now, now) is None
