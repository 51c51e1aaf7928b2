"""Any strike and any time: fair prices within what cannot be wrong, greeks as bumps find them, no jumps in time."""

from __future__ import annotations

import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import black
from engine.domain import DAY_NS, NS, YEAR_NS, instrument_of
from engine.surface import delivery
from engine.surface.surface import Surface
from tests.surface.slices import chain, smile

T, F = 1_780_000_000 * NS, 60_000.0
ENDS = (DAY_NS, 8 * DAY_NS, 45 * DAY_NS, 200 * DAY_NS)
STRIKES = [F * math.exp(0.06 * n) for n in range(-12, 13)]
LEVELS = st.lists(st.floats(0.35, 0.9), min_size=len(ENDS), max_size=len(ENDS))
WHENS = st.integers(DAY_NS // 10, 400 * DAY_NS)


def surface(levels: list[float], skew: float = -0.3) -> Surface:
    """Smiles of these levels, total variance rising."""
    made, total = Surface(), 0.0
    for level, end in zip(levels, ENDS, strict=True):
        years = end / YEAR_NS
        total = max(level * level * years, 1.05 * total)
        strikes = [F * math.exp(n * math.sqrt(total) / 5.0) for n in range(-12, 13)]
        made.refit(T + end, F, chain(smile(math.sqrt(total / years), skew, 2.0, 0.0, years), years, F, strikes), T)
    return made


SURFACES = st.builds(surface, LEVELS, st.floats(-0.6, 0.4))


@settings(max_examples=40)
@given(SURFACES, WHENS)
def test_prices_at_any_time_have_no_arbitrage_in_strikes(of: Surface, when: int) -> None:
    calls, puts = ([of.fair_at(k, call, F, T + when, T) for k in STRIKES] for call in (True, False))
    assume(None not in calls)
    c, p, x = np.array(calls, dtype=float), np.array(puts, dtype=float), np.array(STRIKES) / F
    assert c - p == pytest.approx(1.0 - x, abs=1e-12)  # parity, in coin
    assert (c >= np.maximum(1.0 - x, 0.0) - 1e-12).all()
    assert (c <= 1.0).all()
    slopes = np.diff(c) / np.diff(x)
    assert ((slopes >= -1.0 - 1e-9) & (slopes <= 1e-9)).all()  # verticals
    assert (np.diff(slopes) >= -1e-9).all()  # butterflies


@settings(max_examples=40)
@given(SURFACES, st.floats(-1.0, 1.0), st.lists(WHENS, min_size=6, max_size=6))
def test_total_variance_only_grows_and_does_not_jump(of: Surface, k: float, whens: list[int]) -> None:
    def w(when: int) -> float | None:
        return of.total_variance(k, T + when, T)

    found = [value for when in sorted((*whens, *ENDS)) if (value := w(when)) is not None]
    assert all(far >= near * (1.0 - 1e-9) for near, far in itertools.pairwise(found))
    for end in ENDS:
        at, near = w(end), [w(end - NS), w(end + NS)]
        assert at is not None
        for value in near:
            assert value is None or value == pytest.approx(at, rel=1e-3)


@settings(max_examples=40)
@given(SURFACES, st.floats(-0.5, 0.5), WHENS)
def test_local_variance_is_above_nothing(of: Surface, k: float, when: int) -> None:
    found = of.local_variance(k, T + when, T)
    assert found is None or 0.0 < found < math.inf
    if abs(k) < 0.02 and when > DAY_NS:
        assert found is not None


@settings(max_examples=40)
@given(SURFACES, st.sampled_from(ENDS), st.floats(-0.5, 0.5), st.booleans(), st.floats(-0.05, 0.05))
def test_at_a_listed_expiry_the_two_ways_to_a_fair_price_are_one(
    of: Surface, end: int, k: float, call: bool, moved: float
) -> None:
    forward = F * math.exp(moved)
    strike = forward * math.exp(k)
    option = msgspec.structs.replace(instrument_of("BTC-27MAR26-60000-C"), strike=strike, call=call, expiry=T + end)
    fair, at = of.fair(option, forward, T), of.fair_at(strike, call, forward, T + end, T)
    assert fair is not None
    assert fair == pytest.approx(at, rel=1e-9, abs=1e-15)
    g = of.greeks(T + end, [strike], [call], forward, T)
    vol = of.iv(T + end, strike, forward)
    assert vol is not None
    assert g.price[0] == pytest.approx(fair, rel=1e-9, abs=1e-15)
    years, h = end / YEAR_NS, 1e-4 * forward
    up, down = (black.price(forward + each, strike, years, vol, call) for each in (h, -h))  # the strike keeps its IV
    usd = ((forward + h) * up - (forward - h) * down) / (2.0 * h)
    assert g.delta[0] == pytest.approx(usd, abs=1e-4)
    assert g.coin_delta[0] == pytest.approx((up - down) / (2.0 * h) * forward, abs=1e-4)


@given(st.floats(0.3, 1.0), st.floats(-0.004, 0.004), st.booleans(), st.floats(0.99, 1.01))
def test_the_window_begins_without_a_jump(level: float, k: float, call: bool, average: float) -> None:
    expiry, made = T + DAY_NS, surface([level] * 4)
    option = msgspec.structs.replace(
        instrument_of("BTC-27MAR26-60000-C"), strike=F * math.exp(k), call=call, expiry=expiry
    )
    begins = expiry - delivery.WINDOW_NS
    before, after = made.fair(option, F, begins), made.fair(option, F, begins + 1, average * F)
    assert before is not None
    assert after == pytest.approx(before, abs=1e-9)
    g = [made.greeks(expiry, [option.strike], [call], F, t, average * F) for t in (begins, begins + 1)]
    assert g[1].delta == pytest.approx(g[0].delta, abs=1e-6)
    assert g[1].price == pytest.approx(g[0].price, abs=1e-9)


@settings(max_examples=25)
@given(SURFACES, st.sampled_from(ENDS))
def test_the_doubt_is_above_nothing_and_grows_away_from_the_quotes(of: Surface, end: int) -> None:
    spread = math.sqrt(of.total_variance(0.0, T + end, T) or 0.0)
    inside, outside = (of.error(T + end, F * math.exp(n * spread), F) for n in (0.0, 6.0))
    assert inside is not None
    assert outside is not None
    assert 0.0 < inside < outside
    assert of.error(T + end + NS, F, F) is None


@pytest.mark.parametrize("strike", [0.0, -1.0])
@pytest.mark.parametrize("forward", [0.0, -1.0, F])
def test_what_is_no_strike_or_no_forward_has_no_price(strike: float, forward: float) -> None:
    of = surface([0.5] * 4)
    assert of.fair_at(strike, True, forward, T + DAY_NS, T) is None
    assert of.iv(T + DAY_NS, strike, forward) is None
    assert of.error(T + DAY_NS, strike, forward) is None
