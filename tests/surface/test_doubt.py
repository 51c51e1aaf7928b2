"""The standard error of a smile: against fits of many draws of the same quotes, and where quotes are thin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.domain import NS, YEAR_NS, instrument_of
from engine.surface import doubt, fitting
from engine.surface.quotes import marks_of
from engine.surface.surface import Quote, Surface
from engine.surface.svi import least_g
from tests.surface.slices import chain, quoted, smile, strikes_for

YEARS = 0.1
PIECE = smile(0.6, -0.2, 2.0, 0.0, YEARS)
K = strikes_for(PIECE, 21)


def test_it_is_the_spread_of_fits_to_fresh_noise() -> None:
    draw, at = np.random.default_rng(5), [0.0, 0.1, -0.2]
    fits, said = [], []
    for _ in range(60):
        points = quoted(PIECE, YEARS, K, noise=draw.normal(0.0, 0.005, len(K)))
        piece = fitting.fit(points, YEARS)
        fits.append([piece.iv(k, YEARS) for k in at])
        said.append([doubt.at(doubt.of(piece, points, YEARS), piece, k, YEARS) for k in at])
    ratio = np.median(said, axis=0) / np.std(fits, axis=0)
    assert (ratio > 0.7).all(), ratio
    assert (ratio < 1.5).all(), ratio


def test_it_grows_outside_the_quotes_and_with_their_width() -> None:
    narrow, wide = (quoted(PIECE, YEARS, K, half=half) for half in (0.005, 0.02))
    known, vague = (doubt.of(PIECE, points, YEARS) for points in (narrow, wide))
    inside, edge, outside = (doubt.at(known, PIECE, k, YEARS) for k in (0.0, float(K[-1]), 3 * float(K[-1])))
    assert inside < edge < outside
    assert 2.0 < doubt.at(vague, PIECE, 0.0, YEARS) / inside <= 4.0 + 1e-6


@pytest.mark.parametrize(("quotes", "known"), [(21, True), (1, False), (0, False)])
def test_the_surface_says_it_or_that_it_does_not_know(quotes: int, known: bool) -> None:
    expiry = instrument_of("BTC-27MAR26-60000-C").expiry
    surface = Surface()
    strikes = [40_000.0 + 2_000.0 * n for n in range(quotes)]
    surface.refit(expiry, 60_000.0, chain(PIECE, YEARS, 60_000.0, strikes), expiry - YEAR_NS // 10)
    error = surface.error(expiry, 60_000.0, 60_000.0)
    assert (error is not None) == known
    assert error is None or 0.0 < error < 0.01
    assert surface.error(expiry + 1, 60_000.0, 60_000.0) is None
    assert surface.error(expiry, 60_000.0, 0.0) is None
    assert error is None or not math.isnan(error)


@pytest.mark.parametrize("left", [1776, 600, 1])
def test_a_smile_of_next_to_no_variance_has_a_doubt(left: int) -> None:
    """Steep wings over half an hour: a slice whose variance is next to nothing at the money, where slopes explode."""
    ivs = [2.0, 1.62, 1.23, 0.84, 0.64, 0.38, 0.50, 0.83, 1.20, 1.56, 1.91]
    quotes = [Quote(95_000.0 + 1_000.0 * n, n >= 5, None, None, iv, 99_995.0) for n, iv in enumerate(ivs)]
    marks, years = marks_of(quotes, 99_995.0), left * NS / YEAR_NS
    piece = fitting.fit(marks, years)
    assert least_g(piece) >= 0.0
    known = doubt.of(piece, marks, years)
    assert all(math.isfinite(value) for value in known)
    assert math.isfinite(doubt.at(known, piece, 0.0, years))


@pytest.mark.parametrize("shape", ["W", "step"])
def test_quotes_of_no_smile_are_said_to_be_none(shape: str) -> None:
    """A smile with two dips, and one that jumps: no slice follows, and its error covers what it leaves."""
    at = np.linspace(-0.3, 0.3, 21)
    iv = 0.6 + (0.08 * np.cos(at * 40.0) if shape == "W" else np.where(at > 0.0, 0.15, 0.0))
    expiry = instrument_of("BTC-27MAR26-60000-C").expiry
    quotes = [Quote(60_000.0 * math.exp(k), k >= 0.0, v - 0.005, v + 0.005, None) for k, v in zip(at, iv, strict=True)]
    fit = Surface().refit(expiry, 60_000.0, quotes, expiry - YEAR_NS // 10)
    assert "not of one smile" in fit.note
    errors = np.array([fit.error(float(k)) for k in at])
    assert np.mean(np.abs(fit.ivs(at) - iv) <= 2.0 * errors) > 0.9
