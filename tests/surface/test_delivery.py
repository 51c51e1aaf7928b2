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


@pytest.mark.parametrize(("left", "begun"), [(WINDOW_NS, False), (WINDOW_NS - 1, True), (1, True), (0, False)])
def test_when_it_begins_and_ends(left: int, begun: bool) -> None:
    assert delivery.begun(10**18, 10**18 - left) is begun
