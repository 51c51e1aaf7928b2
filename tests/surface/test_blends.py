"""Blends of two smiles: what is called safe is safe, and nearly all that is safe is called so."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from engine.surface import blends
from engine.surface.svi import Slice, flat, g, least_g
from tests.surface.oracle import VOGT
from tests.surface.slices import SAFE

K = np.concatenate([np.linspace(-60.0, 60.0, 401), np.linspace(-1.5, 1.5, 601)])
SHARES = np.linspace(0.0, 1.0, 41)[:, None]


def least(near: Slice, far: Slice) -> float:
    first, second = near.rows(K), far.rows(K)
    return float(g(K, first[:, None] + (second - first)[:, None] * SHARES).min())


@settings(max_examples=60)
@given(SAFE, SAFE)
def test_what_is_proven_is_so(near: Slice, far: Slice) -> None:
    far = far.lifted(max(float(np.max(near.ws(K) - far.ws(K))), 0.0)) if far.b1 + far.b2 >= near.b1 + near.b2 else far
    if least_g(far) < 0.0:
        return
    if blends.safe(near, far):
        assert least(near, far) >= 0.0


@settings(max_examples=40)
@given(SAFE)
def test_usual_pairs_are_proven(near: Slice) -> None:
    assert blends.safe(near, near)
    assert blends.safe(near, near.scaled(1.5)) or least_g(near.scaled(1.5)) < 0.0
    assert blends.safe(flat(1e-4), flat(0.04))


@pytest.mark.parametrize("by", [0.0, 0.02])
def test_where_one_end_has_a_butterfly_nothing_is_proven(by: float) -> None:
    """Axel Vogt's slice, on either side and seen from either."""
    vogt, other = VOGT, flat(0.03 + by)
    assert least_g(vogt) < 0.0
    for near, far in ((vogt, other), (other, vogt), (vogt, vogt)):
        assert not blends.safe(near, far)
        assert not blends.safe(blends._mirrored(near), blends._mirrored(far))


def test_mirrored_slices_are_each_others_image() -> None:
    piece = Slice(a=0.01, b1=0.05, m1=0.02, sigma1=0.1, b2=0.03, m2=-0.05, sigma2=0.2)
    there = blends._mirrored(piece)
    for k in (-0.4, 0.0, 0.3):
        assert math.isclose(there.w(-k), piece.w(k), rel_tol=1e-12)
