"""The slice's own arithmetic, and the butterfly test against an exact one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.research import proven
from engine.research.surface_proof import curve_of
from engine.surface.svi import SAFE_G, Slice, flat, g, grid, least_g, raw, tamed
from tests.surface.oracle import VOGT, VOGT_RAW, butterflies, butterflies_of_raw
from tests.surface.slices import SMILES

WINGS = (st.floats(0.001, 0.9), st.floats(-0.5, 0.5), st.floats(0.005, 1.0))
SLICES = st.builds(Slice, st.floats(-0.1, 0.3), *WINGS, *WINGS).filter(lambda piece: lowest(piece) > 1e-4)
RAW = st.tuples(
    st.floats(-0.1, 0.3), st.floats(0.001, 0.9), st.floats(-0.99, 0.99), st.floats(-0.5, 0.5), st.floats(0.005, 1.0)
).filter(lambda numbers: lowest(raw(*numbers)) > 1e-4)


def lowest(piece: Slice) -> float:
    return float(piece.ws(np.linspace(-100.0, 100.0, 2001)).min())


@given(st.one_of(SLICES, SMILES), st.floats(-2.0, 2.0))
def test_slopes_are_slopes(piece: Slice, k: float) -> None:
    h = 1e-4 * min(piece.sigma1, piece.sigma2)
    slope = (piece.w(k + h) - piece.w(k - h)) / (2 * h)
    bend = (piece.slope(k + h) - piece.slope(k - h)) / (2 * h)
    assert piece.slope(k) == pytest.approx(slope, abs=1e-6)
    assert piece.bend(k) == pytest.approx(bend, rel=1e-5, abs=1e-6)
    assert float(piece.ws(np.array([k]))[0]) == pytest.approx(piece.w(k), rel=1e-12)


@given(RAW, st.floats(-2.0, 2.0))
def test_raw_svi_is_one_of_them(numbers: tuple[float, float, float, float, float], k: float) -> None:
    a, b, rho, m, sigma = numbers
    w = a + b * (rho * (k - m) + math.sqrt((k - m) ** 2 + sigma**2))
    assert raw(*numbers).w(k) == pytest.approx(w, rel=1e-9, abs=1e-12)


def test_the_slice_of_vogt_is_caught() -> None:
    assert least_g(VOGT) == pytest.approx(-0.0331, abs=5e-4)
    ((low, high),) = butterflies_of_raw(*VOGT_RAW)
    k = np.linspace(low, high, 100_001)[1:-1]
    assert (g(k, VOGT.rows(k)) < 0.0).all()
    assert float(g(k, VOGT.rows(k)).min()) == pytest.approx(-0.03286, abs=1e-5)
    ((near, far),) = butterflies(VOGT)
    assert (near, far) == pytest.approx((low, high), abs=0.01)


def test_the_slice_of_vogt_is_repaired() -> None:
    repaired = tamed(VOGT)
    assert least_g(repaired) >= 0.0
    assert butterflies(repaired) == []
    assert repaired.w(0.0) == pytest.approx(VOGT.w(0.0), rel=1e-12)  # at the money it is what it was
    assert repaired.b1 > 0.7 * VOGT.b1  # and it is still a smile


@given(RAW)
def test_the_bound_sees_what_the_exact_test_of_raw_svi_sees(numbers: tuple[float, float, float, float, float]) -> None:
    least = least_g(raw(*numbers))
    assume(not -2e-4 < least < 0.0)  # a bound may be below 0 where g just is not
    assert (least < 0.0) == bool(butterflies_of_raw(*numbers))


@given(st.one_of(SLICES, SMILES))
def test_the_bound_is_one_and_is_close(piece: Slice) -> None:
    k = grid(piece, 20_000)
    seen, bound = float(g(k, piece.rows(k)).min()), least_g(piece)
    assert bound <= seen + 1e-9
    if seen < 0.02:
        assert bound >= seen - 2e-4 - 0.02 * abs(seen)


@given(st.one_of(SLICES, SMILES))
def test_a_tamed_slice_has_no_butterfly_and_a_tame_one_is_left_alone(piece: Slice) -> None:
    safe = tamed(piece)
    assert least_g(safe) >= 0.0
    assert butterflies(safe) == []
    if least_g(piece) >= SAFE_G:
        assert safe == piece


@given(st.lists(st.floats(), min_size=7, max_size=7))
def test_numbers_that_are_none_are_no_smile_and_raise_nothing(numbers: list[float]) -> None:
    bound = least_g(Slice(*numbers))
    if not all(math.isfinite(number) for number in numbers):
        assert bound == -math.inf


@given(st.floats(1e-6, 2.0))
def test_flat_is_flat_and_safe(level: float) -> None:
    piece = flat(level)
    assert least_g(piece) > 0.02
    assert piece.iv(-1.0, 0.25) == piece.iv(1.0, 0.25) == pytest.approx(math.sqrt(level / 0.25))


def test_a_slice_without_variance_somewhere_is_no_smile() -> None:
    assert least_g(raw(a=-0.5, b=0.1, rho=0.0, m=0.0, sigma=0.1)) == -math.inf


@pytest.mark.parametrize("rise", [1e-9, 1e-6, 5e-4, 1e-3, 2e-3])
def test_a_wing_that_hardly_rises_is_no_butterfly(rise: float) -> None:
    """The other hinge still falls at the edge of what is looked at piece by piece."""
    piece = Slice(a=0.01, b1=rise, m1=-1.5, sigma1=2.6, b2=0.8, m2=-1.5, sigma2=2.6)
    mirrored = Slice(a=0.01, b1=0.8, m1=1.5, sigma1=2.6, b2=rise, m2=1.5, sigma2=2.6)
    assert butterflies(piece) == []
    assert least_g(piece) > 0.0
    assert least_g(mirrored) == least_g(piece)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.one_of(SLICES, SMILES), min_size=10, max_size=30))
def test_what_is_called_free_of_butterflies_is_proven_to_be_in_interval_arithmetic(pieces: list[Slice]) -> None:
    verdicts = proven.butterflies([curve_of(piece) for piece in pieces])
    said = [least_g(piece) >= 0.0 for piece in pieces]
    assert [verdict.answer for verdict, safe in zip(verdicts, said, strict=True) if safe] == ["proven"] * sum(said)
