"""The surface: what it makes of quotes, what it says when they do not suffice, and how it is read."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import black
from engine.domain import NS, YEAR_NS, Instrument, instrument_of
from engine.surface.surface import KEEP_NS, Fit, Quote, Surface, points_of
from tests.surface.slices import chain, smile

OPTION = instrument_of("BTC-27MAR26-60000-C")
EXPIRY = OPTION.expiry
NOW = EXPIRY - YEAR_NS // 10
FORWARD = 60_000.0
STRIKES = [40_000.0 + 2_000.0 * n for n in range(21)]
PIECE = smile(0.6, -0.2, 2.0, 0.0, 0.1)
CHAIN = chain(PIECE, 0.1, FORWARD, STRIKES)


def quote(**values: Any) -> Quote:
    usual = {"strike": 66_000.0, "call": True, "bid_iv": 0.5, "ask_iv": 0.6, "mark_iv": 0.55}
    return Quote(**(usual | values))


def test_a_full_chain_is_fitted() -> None:
    surface = Surface()
    fit = surface.refit(EXPIRY, FORWARD, CHAIN, NOW)
    assert fit is surface.fit(EXPIRY)
    assert (fit.source, fit.note, fit.quotes, fit.inside) == ("quotes", "", 21, 1.0)
    assert fit.years == pytest.approx(0.1)
    assert fit.rms_bp is not None
    assert fit.rms_bp < 1.0
    for k in STRIKES:
        assert surface.iv(EXPIRY, k, FORWARD) == pytest.approx(PIECE.iv(math.log(k / FORWARD), 0.1), abs=1e-4)


def test_level_skew_and_curvature_are_derivatives_at_the_forward() -> None:
    fit = Surface().refit(EXPIRY, FORWARD, CHAIN, NOW)
    h = 1e-3

    def iv(k: float) -> float:
        return fit.iv(k) or math.nan

    assert fit.atm_iv == pytest.approx(0.6, abs=1e-4)
    assert fit.skew == pytest.approx(0.1 * (iv(h) - iv(-h)) / (2 * h), rel=1e-4)
    assert fit.curvature == pytest.approx(0.01 * (iv(h) - 2 * iv(0.0) + iv(-h)) / h**2, rel=1e-3)


def test_the_smile_moves_with_the_forward() -> None:
    """Sticky moneyness: the same K/F has the same IV, whatever the forward has done since."""
    surface = Surface()
    surface.refit(EXPIRY, FORWARD, CHAIN, NOW)
    assert surface.iv(EXPIRY, 66_000.0, 66_000.0) == surface.iv(EXPIRY, 60_000.0, 60_000.0)
    assert surface.iv(EXPIRY, 60_000.0, 61_000.0) != surface.iv(EXPIRY, 60_000.0, 60_000.0)


@given(st.floats(40_000.0, 90_000.0), st.integers(0, 10 * 86_400))
def test_fair_is_black_at_the_present_forward_and_time(forward: float, seconds: int) -> None:
    surface = Surface()
    surface.fits[EXPIRY] = Fit(expiry=EXPIRY, slice=PIECE, forward=FORWARD, years=0.1, t=NOW, source="quotes")
    t = NOW + seconds * NS
    vol = surface.iv(EXPIRY, OPTION.strike, forward)
    assert vol is not None
    expected = black.price(forward, OPTION.strike, (EXPIRY - t) / YEAR_NS, vol, True)
    assert surface.fair(OPTION, forward, t) == expected


def test_fair_is_only_said_of_options_with_a_smile_and_time_left() -> None:
    surface = Surface()
    assert surface.fair(OPTION, FORWARD, NOW) is None
    surface.refit(EXPIRY, FORWARD, CHAIN, NOW)
    assert surface.fair(OPTION, FORWARD, EXPIRY) is None
    assert surface.fair(instrument_of("BTC-27MAR26"), FORWARD, NOW) is None
    assert surface.fair(OPTION, 0.0, NOW) is None
    assert surface.iv(EXPIRY, 0.0, FORWARD) is None
    surface.forget(EXPIRY)
    assert surface.fit(EXPIRY) is None


@pytest.mark.parametrize("empty", [None, 0.0, 9.99, math.nan, -1.0])
def test_what_means_no_value_is_no_value(empty: float | None) -> None:
    points = points_of([quote(bid_iv=empty)], FORWARD)
    assert np.isnan(points.mid).all()
    assert (points.low.tolist(), points.high.tolist()) == ([-math.inf], [0.6])
    points = points_of([quote(ask_iv=empty)], FORWARD)
    assert (points.low.tolist(), points.high.tolist()) == ([0.5], [math.inf])
    assert len(points_of([quote(bid_iv=empty, ask_iv=empty)], FORWARD).k) == 0


def test_crossed_quotes_are_none() -> None:
    assert len(points_of([quote(bid_iv=0.7)], FORWARD).k) == 0
    assert points_of([quote(bid_iv=0.6)], FORWARD).scale.tolist() == [0.0005]  # locked is not crossed


@pytest.mark.parametrize(
    ("call", "put", "mid"),
    [
        ({}, {"bid_iv": 0.4}, 0.55),  # out of the money before in the money
        ({"bid_iv": None}, {"bid_iv": 0.58, "ask_iv": 0.62}, 0.60),  # … but two sides before one
        ({"bid_iv": None}, {"bid_iv": None}, math.nan),
        ({"bid_iv": None, "ask_iv": None}, {"bid_iv": None}, None),  # a single side of the other says too little
    ],
)
def test_one_point_a_strike(call: dict[str, float], put: dict[str, float], mid: float | None) -> None:
    points = points_of([quote(call=False, **put), quote(**call)], FORWARD)
    assert points.mid.tolist() == pytest.approx([] if mid is None else [mid], nan_ok=True)


def test_a_quote_keeps_the_forward_it_was_made_with() -> None:
    points = points_of([quote(), quote(strike=70_000.0, forward=61_000.0)], FORWARD)
    assert points.k.tolist() == [math.log(66 / 60), math.log(70 / 61)]


def test_the_last_fit_stays_for_ten_minutes_and_is_called_old() -> None:
    surface = Surface()
    first = surface.refit(EXPIRY, FORWARD, CHAIN, NOW)
    later = surface.refit(EXPIRY, 61_000.0, CHAIN[:6], NOW + 120 * NS)
    assert (later.slice, later.t, later.source) == (first.slice, NOW, "quotes")
    assert later.note == "too few quotes (3 two-sided): the fit of 120 s ago"
    still = surface.refit(EXPIRY, 61_000.0, [], NOW + KEEP_NS)
    assert still.note == "too few quotes (0 two-sided): the fit of 600 s ago"
    gone = surface.refit(EXPIRY, 61_000.0, [], NOW + KEEP_NS + 1)
    assert (gone.slice, gone.note) == (None, "too few quotes (0 two-sided), and no marks")


def test_without_quotes_the_venues_marks_are_fitted() -> None:
    surface = Surface()
    bare = [msgspec.structs.replace(q, bid_iv=0.0, ask_iv=9.99) for q in CHAIN]
    fit = surface.refit(EXPIRY, FORWARD, bare, NOW)
    assert (fit.source, fit.rms_bp, fit.inside, fit.quotes) == ("marks", None, None, 0)
    assert fit.note == "too few quotes (0 two-sided): fitted to the venue's marks"
    assert fit.atm_iv == pytest.approx(0.6, abs=1e-3)
    assert surface.fair(OPTION, FORWARD, NOW) is not None


def test_with_next_to_nothing_a_flat_smile_stands_in_and_no_fair_price_is_said() -> None:
    surface = Surface()
    fit = surface.refit(EXPIRY, FORWARD, [quote()], NOW)
    assert (fit.source, fit.note) == ("flat", "too few quotes (1 two-sided): flat at the median mid IV")
    assert surface.iv(EXPIRY, 90_000.0, FORWARD) == pytest.approx(0.55)
    assert (fit.skew, fit.curvature) == (0.0, 0.0)
    assert surface.fair(OPTION, FORWARD, NOW) is None
    fit = surface.refit(EXPIRY, FORWARD, [quote(bid_iv=None)], NOW)
    assert (fit.source, fit.note) == ("flat", "too few quotes (0 two-sided): flat at the median mark IV")


@pytest.mark.parametrize(
    ("forward", "t", "note"),
    [(FORWARD, EXPIRY, "expired"), (0.0, NOW, "no forward"), (math.nan, NOW, "no forward"), (-1.0, NOW, "no forward")],
)
def test_where_nothing_can_be_known_that_is_said(forward: float, t: int, note: str) -> None:
    surface = Surface()
    fit = surface.refit(EXPIRY, forward, CHAIN, t)
    assert (fit.slice, fit.note, fit.source) == (None, note, "none")
    assert (fit.atm_iv, fit.skew, fit.curvature, fit.iv(0.1)) == (None, None, None, None)
    assert surface.iv(EXPIRY, 60_000.0, FORWARD) is None
    assert surface.fair(OPTION, FORWARD, NOW) is None
    assert surface.refit(EXPIRY, FORWARD, CHAIN, NOW).note == ""  # and it recovers


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Quote, st.floats(1_000.0, 300_000.0), st.booleans(),
            *[st.none() | st.sampled_from([0.0, 9.99, math.nan]) | st.floats(0.05, 8.0)] * 3,
        ),
        max_size=30,
    ),
    st.integers(1, YEAR_NS),
)  # fmt: skip
def test_any_quotes_give_a_surface_that_says_what_it_is(quotes: list[Quote], left: int) -> None:
    surface = Surface()
    fit = surface.refit(EXPIRY, FORWARD, quotes, EXPIRY - left)
    assert (fit.source == "quotes") == (fit.note == "")
    assert (fit.slice is None) == (fit.source == "none")
    for strike in (1_000.0, 60_000.0, 300_000.0):
        iv = surface.iv(EXPIRY, strike, FORWARD)
        assert (iv is None) == (fit.slice is None)
        assert iv is None or (math.isfinite(iv) and iv > 0.0)
    fair = surface.fair(OPTION, FORWARD, EXPIRY - left)
    assert fair is None or 0.0 <= fair < 1.0


def digest(surface: Surface) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(surface.dump())).hexdigest()


def reloaded(surface: Surface) -> Surface:
    return Surface.load(msgspec.msgpack.decode(msgspec.msgpack.encode(surface.dump())))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 29))
def test_a_reloaded_surface_goes_on_exactly(seed: int, cut: int) -> None:
    draw = np.random.default_rng(seed)
    one, other = Surface(), Surface()
    for n in range(30):
        instrument: Instrument = instrument_of(f"BTC-{(27, 28, 29)[draw.integers(3)]}MAR26-60000-C")
        forward = FORWARD * float(draw.uniform(0.98, 1.02))
        drawn = smile(float(draw.uniform(0.4, 0.9)), float(draw.uniform(-0.6, 0.4)), 2.0, 0.0, 0.1)
        quotes = chain(drawn, 0.1, FORWARD, STRIKES[: int(draw.integers(0, 22))])
        for surface in (one, other):
            surface.refit(instrument.expiry, forward, quotes, NOW + n * 60 * NS)
        if n == cut:
            other = reloaded(other)
        assert digest(one) == digest(other)
    assert one.fits == reloaded(one).fits
