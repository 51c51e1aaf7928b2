"""The forward that put–call parity implies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import black
from engine.surface.forward import Pair, agreed, between_expiries, forward_of, of_future, of_parity

STRIKES = [50_000.0, 55_000.0, 58_000.0, 60_000.0, 62_000.0, 65_000.0, 70_000.0]


def pair(forward: float, strike: float, half: float, rounded: Callable[[float], float] = float) -> Pair:
    call, put = (black.price(forward, strike, 0.1, 0.6, side) for side in (True, False))
    return Pair(strike, *(rounded(price + sign * half) for price in (call, put) for sign in (-1, 1)))


@given(st.floats(40_000.0, 80_000.0))
def test_parity_gives_the_forward_back(forward: float) -> None:
    assert forward_of([pair(forward, strike, 0.0) for strike in STRIKES]) == pytest.approx(forward, rel=1e-12)


@given(st.floats(55_000.0, 65_000.0))
def test_rounding_to_ticks_leaves_it_within_a_tick_or_two(forward: float) -> None:
    pairs = [pair(forward, strike, 0.001, lambda price: round(price, 4)) for strike in STRIKES]
    assert forward_of(pairs) == pytest.approx(forward, rel=2e-4)


def test_stale_quotes_do_not_move_it() -> None:
    pairs = [pair(60_000.0 if n != 2 else 55_000.0, strike, 0.0005) for n, strike in enumerate(STRIKES)]
    assert forward_of(pairs) == pytest.approx(60_000.0, rel=1e-6)


def test_narrow_quotes_outweigh_wide_ones() -> None:
    wide = [pair(55_000.0, strike, 0.02) for strike in STRIKES[:4]]
    narrow = [pair(60_000.0, strike, 0.0005) for strike in STRIKES[4:]]
    assert forward_of(wide + narrow) == pytest.approx(60_000.0, rel=1e-6)


@pytest.mark.parametrize(
    "broken",
    [
        Pair(60_000.0, None, 0.06, 0.05, 0.06),
        Pair(60_000.0, 0.05, 0.06, 0.0, 0.06),
        Pair(60_000.0, 0.07, 0.06, 0.05, 0.06),  # crossed
        Pair(60_000.0, 1.4, 1.5, 0.05, 0.06),  # a call worth more than its coin: no forward does that
    ],
)
def test_unusable_pairs_are_left_out(broken: Pair) -> None:
    assert forward_of([broken]) is None
    assert forward_of([broken, pair(60_000.0, 58_000.0, 0.001)]) == pytest.approx(60_000.0, rel=1e-9)


def test_nothing_implies_nothing() -> None:
    assert forward_of([]) is None


def test_sources_are_weighted_by_their_quality_and_their_disagreement_is_said() -> None:
    future, parity = of_future(59_990.0, 60_010.0), of_parity([pair(60_060.0, k, 0.0005) for k in STRIKES])
    assert future is not None
    assert parity is not None
    assert future.half == 10.0
    assert parity.half == pytest.approx(60.06, rel=1e-3)  # 0.002 coin wide, half of it
    found = agreed([future, parity, None])
    assert found is not None
    assert found.value == pytest.approx((60_000 / 100 + 60_060 / 60.06**2) / (1 / 100 + 1 / 60.06**2), rel=1e-6)
    assert found.apart_bp == pytest.approx(10.0, rel=1e-2)
    assert found.off_bp[0] < 0.0 < found.off_bp[1]
    assert [source.name for source in found.sources] == ["future", "parity"]


@pytest.mark.parametrize(("bid", "ask"), [(None, 1.0), (1.0, 0.0), (2.0, 1.0), (-1.0, 1.0)])
def test_a_future_without_two_sound_sides_has_no_opinion(bid: float | None, ask: float | None) -> None:
    assert of_future(bid, ask) is None
    assert of_parity([]) is None
    assert agreed([None]) is None


def test_between_expiries_the_forward_grows_evenly() -> None:
    forwards = {100: 60_000.0, 300: 61_000.0}
    assert between_expiries(forwards, 200) == pytest.approx((60_000.0 * 61_000.0) ** 0.5)
    assert [between_expiries(forwards, t) for t in (1, 100, 300, 999)] == pytest.approx([60e3, 60e3, 61e3, 61e3])
    assert between_expiries({}, 1) is None
