"""Options on the average of the last half hour, as prices and as volatilities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import black
from engine.domain import MINUTE_NS, NS, YEAR_NS
from engine.surface import delivery
from engine.surface.delivery import WINDOW_NS
from engine.surface.svi import least_g, raw

F = 60_000.0


@given(
    st.integers(NS, WINDOW_NS - NS),
    st.floats(-0.002, 0.002),
    st.floats(-0.003, 0.003),
    st.floats(0.3, 2.0),
    st.booleans(),
)
def test_a_volatility_gives_its_price_back(left: int, away: float, was: float, vol: float, call: bool) -> None:
    strike, so_far = F * math.exp(away), F * math.exp(was)
    price = delivery.fair(F, strike, left, vol, call, so_far)
    found = float(delivery.vols(price, F, strike, left, call, so_far))
    assert price >= 0.0
    one = delivery.vol(price, F, strike, left, call, so_far)
    if one is not None:
        assert delivery.fair(F, strike, left, one, call, so_far) == pytest.approx(price, rel=1e-9, abs=1e-13)
    if not math.isnan(found):
        assert delivery.fair(F, strike, left, found, call, so_far) == pytest.approx(price, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("call", [True, False])
def test_it_goes_on_from_the_plain_price_of_the_minutes_before(call: bool) -> None:
    plain = black.price(F, 60_100.0, WINDOW_NS / YEAR_NS, 0.6, call)
    assert delivery.fair(F, 60_100.0, WINDOW_NS - 1, 0.6, call, 55_000.0) == pytest.approx(plain, rel=1e-6)


def test_what_is_sure_is_paid_and_has_no_volatility() -> None:
    left = MINUTE_NS
    expected = 29 / 30 * 61_000.0 + F / 30
    assert delivery.fair(F, 40_000.0, left, 0.6, True, 61_000.0) == pytest.approx(1.0 - 40_000.0 / expected)
    assert delivery.fair(F, 40_000.0, left, 0.6, False, 61_000.0) == 0.0
    assert np.isnan(delivery.vols([0.4, 0.0], F, 40_000.0, left, [True, False], 61_000.0)).all()


def test_it_moves_by_what_is_still_to_be_averaged() -> None:
    """Ten minutes to go, surely in the money: a third of the move is left, in USD."""
    left = 10 * MINUTE_NS

    def usd(forward: float) -> float:
        return delivery.fair(forward, 50_000.0, left, 0.5, True, F) * (2 / 3 * F + forward / 3)

    assert usd(F + 30.0) - usd(F) == pytest.approx(10.0, abs=1e-6)


@pytest.mark.parametrize("call", [True, False])
@pytest.mark.parametrize("minutes", [5.0, 20.0, 29.0])
@pytest.mark.parametrize("strike", [59_700.0, 60_000.0, 60_200.0])
def test_the_average_is_priced_as_it_is_drawn(strike: float, minutes: float, call: bool) -> None:
    """40,000 drawn paths of the index in steps of ten seconds, antithetic; the mean so far is a little off the forward.
    The mean of the rest has a third of the index's variance."""
    draw, vol, so_far, steps = np.random.default_rng(11), 0.8, 59_950.0, int(minutes * 6)
    noise = draw.standard_normal((20_000, steps))
    noise = np.concatenate([noise, -noise])
    lengths = np.full(steps, minutes / steps / 525_600.0)
    lengths[0] /= 2  # midpoints
    paths = F * np.exp(np.cumsum(vol * np.sqrt(lengths) * noise - vol**2 * lengths / 2, axis=1))
    rest = minutes / 30.0
    average = (1.0 - rest) * so_far + rest * paths.mean(axis=1)
    paid = np.maximum((average - strike) * (1 if call else -1), 0.0)
    found = delivery.greeks(F, strike, round(minutes * MINUTE_NS), vol / math.sqrt(3.0), call, so_far)
    expected = (1.0 - rest) * so_far + rest * F
    error = 4.0 * float(paid.std()) / math.sqrt(len(paid)) + 0.15
    assert float(found.price) * expected == pytest.approx(float(paid.mean()), abs=error)


def test_at_delivery_the_average_is_all_there_is() -> None:
    found = delivery.greeks(F, [59_000.0, 61_000.0], 0, 0.5, True, 59_500.0)
    np.testing.assert_allclose(found.price, [500 / 59_500, 0.0])
    assert found.delta.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("left", "begun"), [(WINDOW_NS, False), (WINDOW_NS - 1, True), (1, True), (0, False)])
def test_when_it_begins_and_ends(left: int, begun: bool) -> None:
    assert delivery.begun(10**18, 10**18 - left) is begun


LEFT = st.one_of(st.integers(2 * MINUTE_NS, WINDOW_NS - MINUTE_NS), st.integers(WINDOW_NS, 50 * WINDOW_NS))


@given(LEFT, st.floats(-1.5, 1.5), st.floats(-0.002, 0.002), st.floats(0.3, 1.5), st.booleans())
def test_greeks_are_what_a_bump_finds(left: int, away: float, was: float, vol: float, call: bool) -> None:
    """The option's own money: USD, and coin at the average expected."""
    strike, so_far = F * math.exp(away * vol * math.sqrt(left / YEAR_NS)), F * math.exp(was)

    def coin(forward: float = F, vol: float = vol) -> float:
        return float(delivery.greeks(forward, strike, left, vol, call, so_far).price)

    def expected(forward: float) -> float:
        rest = min(left / WINDOW_NS, 1.0)
        return (1.0 - rest) * so_far + rest * forward

    g = delivery.greeks(F, strike, left, vol, call, so_far)
    h = 1e-3 * F * vol * math.sqrt(left / YEAR_NS)
    up, down = coin(F + h) * expected(F + h), coin(F - h) * expected(F - h)
    assert float(g.delta) == pytest.approx((up - down) / (2.0 * h), abs=2e-5)
    moved = (coin(F + h) - coin(F - h)) / (2.0 * h) * expected(F)
    assert float(g.coin_delta) == pytest.approx(moved, abs=2e-5)
    slopes = [float(delivery.greeks(F + s * h, strike, left, vol, call, so_far).delta) for s in (1.0, -1.0)]
    assert float(g.gamma) * h == pytest.approx((slopes[0] - slopes[1]) / 2.0, abs=2e-6)
    by_vol = (coin(vol=vol + 1e-4) - coin(vol=vol - 1e-4)) / 2e-4 / 100.0
    assert float(g.coin_vega) == pytest.approx(by_vol, rel=1e-4, abs=1e-10)
    assert float(g.vega) == pytest.approx(by_vol * expected(F), rel=1e-4, abs=1e-6)


@given(LEFT, st.floats(-1.5, 1.5), st.floats(-0.002, 0.002), st.floats(0.3, 1.5), st.booleans())
def test_theta_is_what_a_second_at_the_same_forward_costs(
    left: int, away: float, was: float, vol: float, call: bool
) -> None:
    strike, so_far = F * math.exp(away * vol * math.sqrt(left / YEAR_NS)), F * math.exp(was)

    def usd(later: int) -> float:
        then = left - later
        known, rest = 1.0 - min(left / WINDOW_NS, 1.0), min(then / WINDOW_NS, 1.0)
        average = so_far if rest == 1.0 else (known * so_far + (1.0 - rest - known) * F) / (1.0 - rest)
        price = float(delivery.greeks(F, strike, then, vol, call, average).price)
        return price * ((1.0 - rest) * average + rest * F)

    g = delivery.greeks(F, strike, left, vol, call, so_far)
    step = NS if left < WINDOW_NS else -NS  # not over the window's begin, where the pace changes
    slope = (usd(step) - usd(0)) / step * 24 * 60 * MINUTE_NS
    assert float(g.theta) == pytest.approx(slope, rel=0.03, abs=5.0)
    assert float(g.price) == pytest.approx(delivery.fair(F, strike, left, vol, call, so_far), rel=1e-9, abs=1e-13)


@given(
    st.floats(0.35, 1.0), st.floats(0.3, 2.0), st.floats(0.0, 1.1), st.floats(-0.9, 0.9), st.floats(0.4, 3.0),
    st.floats(-3.0, 3.0),
)  # fmt: skip
def test_a_smile_of_the_average_has_no_butterfly_among_its_prices(
    share: float, vol: float, bend: float, rho: float, wide: float, was: float
) -> None:
    left = int(share * WINDOW_NS)
    total = vol * vol * left / YEAR_NS
    sigma, average = wide * math.sqrt(total), F * math.exp(was * math.sqrt(total))
    drawn = raw(a=total * (1.0 - bend), b=bend * total / sigma, rho=rho, m=0.0, sigma=sigma)
    piece = delivery.tamed(drawn, F, left, average)
    assert least_g(piece) >= 0.0
    assert delivery.least_g(piece, F, left, average) >= 0.0
    strikes = (1.0 - share) * average + share * F * np.exp(np.linspace(-4.0, 4.0, 200) * math.sqrt(total))
    ivs = [piece.iv(math.log(strike / F), left / YEAR_NS) for strike in strikes]
    prices = delivery.greeks(F, strikes, left, ivs, True, average).price
    slopes = np.diff(prices) / np.diff(strikes)
    assert (np.diff(slopes) >= -1e-12).all()


def test_a_smile_that_would_have_one_is_bent() -> None:
    """Without a butterfly in its own strikes, but the average is far below the forward."""
    left = round(0.64 * WINDOW_NS)
    total = 1.3**2 * left / YEAR_NS
    sigma, average = 0.7 * math.sqrt(total), F * math.exp(-4.0 * math.sqrt(total))
    drawn = raw(a=-0.1 * total, b=1.1 * total / sigma, rho=0.7, m=-0.3 * sigma, sigma=sigma)
    assert least_g(drawn) >= 0.0
    assert delivery.least_g(drawn, F, left, average) < -0.1
    assert delivery.least_g(delivery.tamed(drawn, F, left, average), F, left, average) >= 0.0
