"""Bands that hold what they say, however the market drifts."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Kind
from engine.forecast.adaptive import MISS, Stretches, stretched

BAND = (-1.2815515, 0.0, 1.2815515)  # 80 % of a standard normal


def held(deviations: np.ndarray, stretches: Stretches, adapt: bool) -> np.ndarray:
    """Whether each outcome of these deviations fell inside the band that was said just before."""
    out = []
    for y in deviations * np.random.default_rng(4).normal(size=len(deviations)):
        band = stretched(BAND, stretches.of("volatility", Kind.OPTION) if adapt else 1.0)
        stretches.saw("volatility", Kind.OPTION, band, y)
        out.append(band[0] <= y <= band[2])
    return np.array(out)


@pytest.mark.parametrize("after", [0.3, 1.0, 3.0, 8.0])
def test_bands_hold_their_share_after_the_market_has_drifted(after: float) -> None:
    deviations = np.concatenate([np.ones(1500), np.full(3000, after)])
    inside = held(deviations, Stretches(), adapt=True)
    assert inside[500:1500].mean() == pytest.approx(1 - MISS, abs=0.04)
    assert inside[2000:].mean() == pytest.approx(1 - MISS, abs=0.04)
    fixed = held(deviations, Stretches(), adapt=False)[2000:].mean()
    assert (abs(fixed - (1 - MISS)) > 0.1) == (after != 1.0)


@pytest.mark.parametrize("deviation", [0.5, 1.0])
def test_outcomes_that_stand_still_do_not_squeeze_the_bands_of_those_that_move(deviation: float) -> None:
    """Nineteen costs in twenty are what the book says, to the tick, and the band says just that; the others vary."""
    rng, stretches, inside = np.random.default_rng(5), Stretches(), []
    for _ in range(20_000):
        moves = rng.random() < 0.05
        band = stretched(BAND if moves else (2.0, 2.0, 2.0), stretches.of("slippage", Kind.OPTION))
        y = deviation * rng.normal() if moves else 2.0
        stretches.saw("slippage", Kind.OPTION, band, y)
        if moves:
            inside.append(band[0] <= y <= band[2])
    assert np.mean(inside[300:]) == pytest.approx(1 - MISS, abs=0.06)


def test_a_single_number_that_nearly_always_comes_stays_a_narrow_band() -> None:
    rng, stretches, widths = np.random.default_rng(6), Stretches(), []
    for _ in range(20_000):
        lo, mid, hi = stretched((2.0, 2.0, 2.0), stretches.of("slippage", Kind.OPTION))
        stretches.saw("slippage", Kind.OPTION, (lo, mid, hi), 2.0 + (rng.random() < 0.02) * rng.normal())
        widths.append(hi - lo)
    assert np.mean(widths) < 0.01


def test_heads_and_kinds_learn_apart_and_a_state_goes_on() -> None:
    stretches = Stretches()
    for _ in range(20):
        stretches.saw("slippage", Kind.OPTION, (0.0, 0.0, 0.0), 1.0)
    assert stretches.of("slippage", Kind.OPTION) > 1.2
    assert stretches.of("slippage", Kind.PERPETUAL) == stretches.of("volatility", Kind.OPTION) == 1.0
    loaded = Stretches.load(msgspec.msgpack.decode(msgspec.msgpack.encode(stretches.dump())))
    assert loaded.dump() == stretches.dump()


@given(st.tuples(*[st.floats(-1e3, 1e3)] * 3).map(sorted), st.floats(0.05, 20.0))
def test_a_stretched_band_keeps_its_middle_and_its_order(band: list[float], by: float) -> None:
    lo, mid, hi = stretched((band[0], band[1], band[2]), by)
    assert mid == band[1]
    assert lo <= mid <= hi
    if by >= 1.0:
        assert lo <= band[0] + 1e-9
        assert hi >= band[2] - 1e-9
