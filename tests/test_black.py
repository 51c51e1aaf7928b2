"""Black-76 against independent slow references. What the venue said: `test_black_recordings`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from engine import black
from tests.reference.black76 import exactly, off_by

FORWARD = st.floats(100.0, 200_000.0)
SCORE = st.floats(-6.0, 6.0)  # ln(K/F) in deviations: deep wings included
VOL = st.floats(0.05, 5.0)
YEARS = st.floats(60.0 / 31_536_000.0, 3.0)  # the last minute included


def reference(forward: float, strike: float, years: float, vol: float, call: bool) -> float:
    """Black-76 by the book: USD value of the option, divided by the forward."""
    s = vol * math.sqrt(years)
    d1 = (math.log(forward / strike) + s * s / 2) / s
    if call:
        return float(forward * norm.cdf(d1) - strike * norm.cdf(d1 - s)) / forward
    return float(strike * norm.cdf(s - d1) - forward * norm.cdf(-d1)) / forward


def bisected(target: float, forward: float, strike: float, years: float, call: bool) -> float:
    low, high = 1e-6, 20.0
    for _ in range(100):
        middle = (low + high) / 2
        if reference(forward, strike, years, middle, call) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def strike_of(forward: float, score: float, years: float, vol: float) -> float:
    return forward * math.exp(score * vol * math.sqrt(years))


@given(FORWARD, SCORE, YEARS, VOL, st.booleans())
def test_price_is_the_reference(forward: float, score: float, years: float, vol: float, call: bool) -> None:
    strike = strike_of(forward, score, years, vol)
    assume(strike < 1e12)
    wanted = reference(forward, strike, years, vol, call)
    tolerance = 1e-12 * max(1.0, strike / forward)
    assert black.price(forward, strike, years, vol, call) == pytest.approx(wanted, rel=0, abs=tolerance)
    assert float(black.prices(forward, strike, years, vol, call)) == pytest.approx(wanted, rel=0, abs=tolerance)


@given(FORWARD, SCORE, YEARS, VOL, st.booleans())
@example(60_000.0, 0.0, 60.0 / 31_536_000.0, 0.5, True)
@example(60_000.0, 6.0, 60.0 / 31_536_000.0, 0.5, True)
def test_implied_vol_is_the_reference_where_the_price_knows_it(
    forward: float, score: float, years: float, vol: float, call: bool
) -> None:
    """Conditioned: a rounding error of the price moves the volatility by less than 1e-11."""
    strike = strike_of(forward, score, years, vol)
    assume(strike < 1e12)
    price = reference(forward, strike, years, vol, call)
    slope = 100.0 * black.vega(forward, strike, years, vol)
    terms = abs(black.delta(forward, strike, years, vol, call)) + price  # the price is a difference of two such
    assume(slope > 0.0 and 4e-16 * terms / slope < 1e-11)
    wanted = bisected(price, forward, strike, years, call)
    found = black.implied_vol(price, forward, strike, years, call)
    assert found == pytest.approx(wanted, rel=0, abs=1e-10)
    assert float(black.implied_vols(price, forward, strike, years, call)) == pytest.approx(wanted, rel=0, abs=1e-10)


@given(FORWARD, st.floats(0.0, 6.0), YEARS, VOL, st.booleans())
def test_out_of_the_money_prices_give_their_volatility_back_however_small(
    forward: float, score: float, years: float, vol: float, call: bool
) -> None:
    strike = strike_of(forward, score if call else -score, years, vol)
    assume(strike < 1e12)
    price = black.price(forward, strike, years, vol, call)
    assume(price > 1e-250)
    assert black.implied_vol(price, forward, strike, years, call) == pytest.approx(vol, rel=1e-7)


@pytest.mark.parametrize(
    ("price", "strike", "years", "call"),
    [
        (0.0, 70_000.0, 0.1, True),  # no time value
        (-0.01, 70_000.0, 0.1, True),
        (1 - 50 / 60, 50_000.0, 0.1, True),  # intrinsic, to the bit
        (1 - 50 / 60 + 5e-17, 50_000.0, 0.1, True),  # … and to its rounding
        (0.1, 50_000.0, 0.1, True),  # below intrinsic
        (1.0, 50_000.0, 0.1, True),  # a call is worth less than its coin
        (7.0 / 6.0, 70_000.0, 0.1, False),  # a put less than its strike
        (0.05, 70_000.0, 0.0, True),  # expired
        (0.05, 70_000.0, -0.1, True),
        (math.nan, 70_000.0, 0.1, True),
    ],
)
def test_no_volatility_is_none_and_never_zero(price: float, strike: float, years: float, call: bool) -> None:
    assert black.implied_vol(price, 60_000.0, strike, years, call) is None
    assert np.isnan(black.implied_vols([price, price], 60_000.0, strike, years, call)).all()


def test_a_chain_with_holes_is_solved_around_them() -> None:
    strikes = np.array([50_000.0, 60_000.0, 70_000.0])
    quoted = black.prices(60_000.0, strikes, 0.1, 0.5, True)
    quoted[1] = np.nan
    vols, greeks = black.solved(quoted, 60_000.0, strikes, 0.1, True)
    np.testing.assert_allclose(vols, [0.5, np.nan, 0.5], rtol=0, atol=1e-12)
    for each in greeks:
        assert np.isnan(each).tolist() == [False, True, False]


@given(FORWARD, st.floats(-3.0, 3.0), st.floats(0.001, 3.0), st.floats(0.1, 2.0), st.booleans())
def test_greeks_are_the_slopes_of_the_reference(
    forward: float, score: float, years: float, vol: float, call: bool
) -> None:
    strike = strike_of(forward, score, years, vol)
    g = black.greeks(forward, strike, years, vol, call)

    def usd(f: float = forward, t: float = years, v: float = vol) -> float:
        return f * reference(f, strike, t, v, call)

    def coin(f: float) -> float:
        return reference(f, strike, years, vol, call)

    h, scale = forward * vol * math.sqrt(years) * 1e-4, strike / forward + 1
    slope = (usd(forward + h) - usd(forward - h)) / (2 * h)
    assert float(g.delta) == pytest.approx(slope, abs=1e-6 * scale)
    assert float(g.coin_delta) == pytest.approx(
        forward * (coin(forward + h) - coin(forward - h)) / (2 * h), abs=1e-6 * scale
    )
    wide = h * 10
    bend = (usd(forward + wide) - 2 * usd() + usd(forward - wide)) / wide**2
    assert float(g.gamma) * h * 1e4 == pytest.approx(bend * h * 1e4, abs=1e-4 * scale)
    dv = vol * 1e-4
    rise = (usd(v=vol + dv) - usd(v=vol - dv)) / (2 * dv) / 100
    assert float(g.vega) / forward == pytest.approx(rise / forward, abs=1e-7 * scale)
    assert float(g.coin_vega) * forward == pytest.approx(float(g.vega), rel=1e-14)
    dt = years * 1e-4
    decay = (usd(t=years - dt) - usd(t=years + dt)) / (2 * dt) / 365
    assert float(g.theta) / forward == pytest.approx(decay / forward, abs=1e-5 * scale)
    assert float(g.coin_theta) * forward == pytest.approx(float(g.theta), rel=1e-14)


@given(FORWARD, SCORE, YEARS, VOL, st.booleans())
def test_one_option_is_the_chain_of_one(forward: float, score: float, years: float, vol: float, call: bool) -> None:
    strike = strike_of(forward, score, years, vol)
    assume(strike < 1e12)
    g = black.greeks(forward, strike, years, vol, call)

    def near(value: object) -> object:
        return pytest.approx(float(value), rel=1e-11, abs=1e-14 * max(1.0, strike / forward))  # type: ignore[arg-type]

    assert black.price(forward, strike, years, vol, call) == near(g.price)
    assert black.delta(forward, strike, years, vol, call) == near(g.delta)
    assert black.coin_delta(forward, strike, years, vol, call) == near(g.coin_delta)
    assert black.vega(forward, strike, years, vol) == near(g.coin_vega)


@given(FORWARD, SCORE, YEARS, VOL)
def test_put_call_parity_in_coin(forward: float, score: float, years: float, vol: float) -> None:
    strike = strike_of(forward, score, years, vol)
    assume(strike < 1e12)
    difference = black.price(forward, strike, years, vol, True) - black.price(forward, strike, years, vol, False)
    assert difference == pytest.approx(1.0 - strike / forward, rel=0, abs=1e-14 * max(1.0, strike / forward))


@pytest.mark.parametrize("call", [True, False])
@pytest.mark.parametrize(("years", "vol"), [(0.0, 0.5), (-1.0, 0.5), (0.1, 0.0)])
@pytest.mark.parametrize("strike", [50_000.0, 60_000.0, 70_000.0])
def test_at_expiry_what_is_left_is_intrinsic(strike: float, years: float, vol: float, call: bool) -> None:
    sign = 1 if call else -1
    value = max(sign * (1 - strike / 60_000.0), 0.0)
    step = sign * (0.5 if strike == 60_000.0 else float(sign * (60_000.0 - strike) > 0))
    g = black.greeks(60_000.0, strike, years, vol, call)
    assert [float(g.price), float(g.delta), float(g.gamma), float(g.vega), float(g.theta)] == [value, step, 0, 0, 0]
    assert black.price(60_000.0, strike, years, vol, call) == value
    assert black.delta(60_000.0, strike, years, vol, call) == step
    assert black.vega(60_000.0, strike, years, vol) == 0.0


# ------------------------------------------------------------ digits beyond doubt

FAR = st.floats(-11.0, 11.0)  # deviations: prices down to 1e-30 coin


@settings(max_examples=200)
@given(FORWARD, FAR, YEARS, VOL, st.booleans())
@example(60_000.0, 6.0, 60.0 / 31_536_000.0, 0.5, True)
@example(60_000.0, -6.0, 60.0 / 31_536_000.0, 0.5, False)
@example(60_000.0, 11.0, 1.0 / 31_536_000.0, 5.0, True)
def test_prices_volatilities_and_greeks_have_ten_digits(
    forward: float, score: float, years: float, vol: float, call: bool
) -> None:
    """Deep wings and the last minute included. A volatility wherever the price, a float, still knows it: out of the
    money always, in the money where the rounding of what it is worth anyway moves it by less than 1e-11."""
    strike = strike_of(forward, score, years, vol)
    assume(strike < 1e12)
    exact = exactly(forward, strike, years, vol, call)
    g = black.greeks(forward, strike, years, vol, call)
    scale = max(1.0, strike / forward)
    assert float(g.price) == pytest.approx(float(exact.price), rel=0, abs=1e-12 * scale)
    assert float(g.delta) == pytest.approx(float(exact.delta), rel=0, abs=1e-12)
    assert float(g.coin_delta) == pytest.approx(float(exact.delta - exact.price), rel=0, abs=1e-12 * scale)
    for mine, wanted in ((g.gamma, exact.gamma), (g.coin_vega, exact.coin_vega), (g.coin_theta, exact.coin_theta)):
        assert float(mine) == pytest.approx(float(wanted), rel=1e-10, abs=1e-250)
    price, slope = float(exact.price), 100.0 * float(exact.coin_vega)
    outside = call == (strike >= forward)
    if price > 0.0 and (outside or 4e-16 * (1.0 + strike / forward) / slope < 1e-11):
        for found in (
            black.implied_vol(price, forward, strike, years, call),
            float(black.implied_vols(price, forward, strike, years, call)),
        ):
            assert found is not None
            assert abs(off_by(found, price, forward, strike, years, call)) < 1e-10


def test_a_chain_is_solved_in_one_call() -> None:
    strikes = np.array([50_000.0, 60_000.0, 70_000.0])
    mark = black.prices(60_000.0, strikes, 0.1, 0.5, True)
    found = black.chain(mark * [np.nan, 0.99, 0.0], mark * 1.01, mark, 60_000.0, strikes, 0.1, True)
    assert np.isnan(found.bid).tolist() == [True, False, True]
    assert (found.ask > found.mark).all()
    np.testing.assert_allclose(found.mark, 0.5, atol=1e-12)
    np.testing.assert_allclose(found.greeks.delta, black.greeks(60_000.0, strikes, 0.1, 0.5, True).delta, atol=1e-12)
