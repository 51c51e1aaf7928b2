"""The slice's own arithmetic, and the butterfly test against an exact one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.surface.svi import SAFE_G, Slice, flat, g, least_g, tamed
from tests.surface.oracle import VOGT, butterflies
from tests.surface.slices import SMILES

SLICES = st.builds(
    Slice,
    a=st.floats(-0.1, 0.3),
    b=st.floats(0.001, 1.5),
    rho=st.floats(-0.99, 0.99),
    m=st.floats(-0.5, 0.5),
    sigma=st.floats(0.005, 1.0),
).filter(lambda piece: piece.least_w() > 1e-4)


@given(SLICES, st.floats(-2.0, 2.0))
def test_slopes_are_slopes(piece: Slice, k: float) -> None:
    h = 1e-4 * piece.sigma
    slope = (piece.w(k + h) - piece.w(k - h)) / (2 * h)
    bend = (piece.slope(k + h) - piece.slope(k - h)) / (2 * h)
    assert piece.slope(k) == pytest.approx(slope, abs=1e-6)
    assert piece.bend(k) == pytest.approx(bend, rel=1e-5, abs=1e-6)
    assert float(piece.ws(np.array([k]))[0]) == pytest.approx(piece.w(k), rel=1e-13)


@given(SLICES)
def test_the_lowest_variance_is_reached_and_not_passed(piece: Slice) -> None:
    k = piece.m - piece.rho * piece.sigma / math.sqrt(1 - piece.rho**2)
    assert piece.w(k) == pytest.approx(piece.least_w(), rel=1e-9, abs=1e-12)
    assert (piece.ws(np.linspace(-3, 3, 101)) >= piece.least_w() - 1e-12).all()


def test_the_slice_of_vogt_is_caught() -> None:
    assert least_g(VOGT) == pytest.approx(-0.0328, abs=2e-4)
    ((low, high),) = butterflies(VOGT)
    k = np.linspace(low, high, 100_001)[1:-1]
    assert (g(VOGT.params(), k) < 0.0).all()
    assert float(g(VOGT.params(), k).min()) == pytest.approx(-0.0329, abs=1e-4)


def test_the_slice_of_vogt_is_repaired() -> None:
    repaired = tamed(VOGT)
    assert least_g(repaired) >= 0.0
    assert butterflies(repaired) == []
    assert repaired.w(0.0) == pytest.approx(VOGT.w(0.0), rel=1e-12)  # at the money it is what it was
    assert repaired.b > 0.7 * VOGT.b  # and it is still a smile


@given(st.one_of(SLICES, SMILES))
def test_the_grid_sees_what_the_exact_test_sees(piece: Slice) -> None:
    least = least_g(piece)
    assume(abs(least) > 1e-6)  # nearer to 0 rounding decides
    assert (least < 0.0) == bool(butterflies(piece))


@given(st.one_of(SLICES, SMILES))
def test_a_tamed_slice_has_no_butterfly_and_a_tame_one_is_left_alone(piece: Slice) -> None:
    safe = tamed(piece)
    assert least_g(safe) >= 0.0
    assert butterflies(safe) == []
    if least_g(piece) >= SAFE_G:
        assert safe == piece


@given(st.floats(1e-6, 2.0))
def test_flat_is_flat_and_safe(level: float) -> None:
    piece = flat(level)
    assert least_g(piece) == pytest.approx(0.25)
    assert piece.iv(-1.0, 0.25) == piece.iv(1.0, 0.25) == pytest.approx(math.sqrt(level / 0.25))


def test_a_slice_without_variance_somewhere_is_no_smile() -> None:
    assert least_g(Slice(a=-0.5, b=0.1, rho=0.0, m=0.0, sigma=0.1)) == -math.inf
