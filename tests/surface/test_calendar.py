"""Smiles that do not cross: the proof against a dense look, and the whole surface against call prices themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS, YEAR_NS
from engine.surface import calendar
from engine.surface.smile import Fit
from engine.surface.surface import Surface
from engine.surface.svi import Slice, flat, raw
from tests.surface.oracle import arbitrages
from tests.surface.slices import SAFE, chain, quoted

T = 1_790_000_000 * NS
DAY = 86_400 * NS
FORWARD = 60_000.0
STRIKES = [30_000.0 + 2_000.0 * n for n in range(36)]
WIDE = np.concatenate([-np.geomspace(60.0, 1e-3, 600), np.geomspace(1e-3, 60.0, 600)])


def crossing() -> Surface:
    """Three expiries whose quotes cross: the second lies below the first in the left wing, the third below both."""
    surface = Surface()
    smiles = (
        (7, raw(a=0.001, b=0.04, rho=-0.6, m=0.0, sigma=0.08)),
        (14, raw(a=0.004, b=0.02, rho=0.5, m=0.0, sigma=0.1)),
        (28, raw(a=0.0048, b=0.015, rho=0.0, m=0.0, sigma=0.1)),
    )
    for days, piece in smiles:
        years = days / 365
        surface.refit(T + days * DAY, FORWARD, chain(piece, years, FORWARD, STRIKES), T)
    return surface


@settings(max_examples=200)
@given(SAFE, SAFE, st.floats(0.2, 1.2))
def test_what_is_proven_to_lie_below_lies_below(near: Slice, far: Slice, share: float) -> None:
    near = near.scaled(share)
    (may,) = calendar.may_rise_above([near], [far])
    gap = float((far.ws(WIDE) - near.ws(WIDE)).min())
    assert may or gap >= -1e-12
    assert may == calendar.may_rise_above([flat(1.0), near], [flat(0.5), far])[1]


def test_nearly_all_that_lies_below_is_proven_to() -> None:
    near, far = raw(0.01, 0.1, -0.2, 0.0, 0.2), raw(0.012, 0.11, -0.2, 0.0, 0.2)
    assert calendar.may_rise_above([near], [far]) == [False]
    assert calendar.may_rise_above([far], [near]) == [True]
    assert calendar.may_rise_above([], []) == []


def test_quotes_that_cross_make_a_surface_that_does_not() -> None:
    surface = crossing()
    assert any(fit.above for fit in surface.fits.values())
    rungs = surface.rungs(T)
    assert arbitrages(rungs, [rung.years for rung in rungs]) == []
    assert arbitrages(surface.rungs(T + 3 * DAY), [rung.years for rung in surface.rungs(T + 3 * DAY)]) == []


def test_the_raw_slices_of_those_quotes_do_cross() -> None:
    """Else the test above would say nothing."""
    surface = crossing()
    for fit in surface.fits.values():
        surface._put_above(fit.expiry, min(surface.fits), None)
        surface._put_above(fit.expiry, sorted(surface.fits)[1], None)
    rungs = surface.rungs(T)
    assert arbitrages(rungs, [rung.years for rung in rungs]) != []


@settings(max_examples=10)
@given(st.lists(SAFE, min_size=2, max_size=4), st.integers(0, 2**32 - 1))
def test_any_smiles_in_any_order_make_a_surface_without_arbitrage(pieces: list[Slice], seed: int) -> None:
    draw, surface = np.random.default_rng(seed), Surface()
    for second, n in enumerate(draw.permutation(len(pieces))):
        days = 3 * (int(n) + 1)
        surface.refit(T + days * DAY, FORWARD, chain(pieces[n], days / 365, FORWARD, STRIKES), T + second * NS)
    now = T + 10 * NS
    rungs = surface.rungs(now)
    between = [rung.years * share for rung in rungs for share in (0.5, 0.9, 1.0)]
    assert arbitrages(rungs, [*between, rungs[-1].years * 1.3]) == []


def test_a_nearer_smile_that_goes_is_forgotten_above_the_others() -> None:
    surface = crossing()
    first, *later = sorted(surface.fits)
    assert any(each.expiry == first for expiry in later for each in surface.fits[expiry].above)
    surface.forget(first)
    assert not any(each.expiry == first for expiry in later for each in surface.fits[expiry].above)


def test_a_fit_that_crosses_is_drawn_back_between_its_neighbours() -> None:
    """The far smile's mids lie two vol points below the near one's variance at the money, quoted six points wide."""
    near = Fit(expiry=T + 7 * DAY, slice=flat(0.01), forward=FORWARD, years=7 / 365, t=T, source="quotes",
               lowest_k=-0.3, highest_k=0.3)  # fmt: skip
    years = 14 / 365
    k = np.linspace(-0.3, 0.3, 21)
    points = quoted(flat((math.sqrt(0.01 / years) - 0.02) ** 2 * years), years, k, half=0.03)
    surface = Surface()
    surface.fits[near.expiry] = near
    blank = Fit(expiry=T + 14 * DAY, slice=None, forward=FORWARD, years=years, t=T)
    fit = surface._drawn(blank, points, None)
    assert fit.slice is not None
    assert (fit.slice.ws(k) > 0.0095).all()
    assert float(points.mid[0]) ** 2 * years < 0.0095


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_stand_in_stays_outside(order: tuple[int, int]) -> None:
    surface = Surface()
    for n in order:
        days = (7, 14)[n]
        quotes = chain(flat(0.5), days / 365, FORWARD, STRIKES[:2] if n == 0 else STRIKES)
        surface.refit(T + days * DAY, FORWARD, quotes, T)
    assert surface.fits[T + 7 * DAY].source == "flat"
    assert surface.fits[T + 14 * DAY].above == ()
    assert [round(rung.years * YEAR_NS / DAY) for rung in surface.rungs(T)] == [14]
