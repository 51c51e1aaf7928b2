"""The proof check on the surface's own smiles, drawn ones and Vogt's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import YEAR_NS, instrument_of
from engine.research.proven import butterflies, crossings
from engine.research.surface_proof import Proofs, curve_of, smile_of
from engine.research.svi_peers import levels
from engine.surface import fitting
from engine.surface.surface import Surface
from engine.surface.svi import Slice, least_g, raw
from tests.surface.slices import SMILES, chain, quoted, strikes_for

VOGT = raw(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
NEAR, FAR = (instrument_of(name).expiry for name in ("BTC-27MAR26-60000-C", "BTC-25SEP26-60000-C"))
NOW, FORWARD = NEAR - YEAR_NS // 20, 60_000.0
STRIKES = [40_000.0 + 2_000.0 * n for n in range(21)]


def years(expiry: int) -> float:
    return (expiry - NOW) / YEAR_NS


@given(SMILES, st.floats(-2.0, 2.0))
def test_a_slice_and_its_curve_are_one_function(piece: Slice, k: float) -> None:
    assert levels(curve_of(piece), np.array([k]))[0] == pytest.approx(max(piece.w(k), 0.0), rel=1e-12, abs=1e-15)


@given(SMILES)
def test_the_fits_own_bound_says_nothing_that_the_check_refutes(piece: Slice) -> None:
    (verdict,) = butterflies([curve_of(piece)])
    assert least_g(piece) < 0.0 or verdict.answer == "proven"


def test_vogts_slice_is_caught_and_repaired_by_the_fit() -> None:
    assert butterflies([curve_of(VOGT)])[0].answer == "refuted"
    fitted = fitting.fit(quoted(VOGT, 1.0, np.linspace(-1.5, 1.5, 31)), 1.0)
    assert butterflies([curve_of(fitted)])[0].answer == "proven"


@settings(max_examples=25)
@given(SMILES, st.lists(st.floats(-0.03, 0.03), min_size=15, max_size=15))
def test_whatever_the_quotes_the_fit_is_proven(piece: Slice, noise: list[float]) -> None:
    k = strikes_for(piece, len(noise))
    fitted = fitting.fit(quoted(piece, 0.2, k, noise=np.array(noise)), 0.2)
    assert butterflies([curve_of(fitted)])[0].answer == "proven"


@settings(max_examples=20)
@given(st.floats(0.3, 1.2), st.floats(0.3, 1.2), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_crossing_quotes_make_smiles_that_do_not_cross(first: float, second: float, skew: float, other: float) -> None:
    """The later expiry may be quoted far below the nearer one."""
    proofs, surface = Proofs(), Surface()
    for expiry, level, rho in ((NEAR, first, skew), (FAR, second, other)):
        total = level * level * years(expiry)
        spread = math.sqrt(total)
        piece = raw(0.4 * total, 0.6 * spread, rho, 0.0, spread)
        surface.refit(expiry, FORWARD, chain(piece, years(expiry), FORWARD, STRIKES), NOW)
    proofs.take(list(surface.fits.values()), surface.rungs(NOW))
    said = proofs.table()
    assert said["smiles"] == {"proven": 2, "refuted": 0, "undecided": 0}
    assert said["neighbours"] == {"proven": 1, "refuted": 0, "undecided": 0}
    assert said["between"]["refuted"] == said["after"]["refuted"] == 0
    assert said["between"]["proven"] + said["between"]["undecided"] + said["between"]["priced"] == 1


def test_a_crossing_pair_is_caught() -> None:
    high, low = raw(0.02, 0.1, -0.2, 0.0, 0.2), raw(0.025, 0.05, -0.2, 0.0, 0.2)
    verdict, fine = crossings([[curve_of(high)], [curve_of(low)]], [[curve_of(low)], [curve_of(low), curve_of(high)]])
    assert (verdict.answer, fine.answer) == ("refuted", "proven")
    assert verdict.at is not None
    assert high.w(verdict.at) > low.w(verdict.at)


def test_the_smile_of_a_fit_begins_with_its_own_slice() -> None:
    surface = Surface()
    fit = surface.refit(NEAR, FORWARD, chain(raw(0.01, 0.05, -0.2, 0.0, 0.1), years(NEAR), FORWARD, STRIKES), NOW)
    assert fit.slice is not None
    assert smile_of(fit)[0] == curve_of(fit.slice)
