"""Greeks and the ladder of a book, against the book valued twice by other means."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import black
from engine.domain import MINUTE_NS, YEAR_NS, Instrument, Kind, instrument_of
from engine.surface.position import Floats, Held, Marks, by_expiry, ladder
from engine.surface.surface import Quote, Surface

CALL, PUT = instrument_of("BTC-27MAR26-60000-C"), instrument_of("BTC-24APR26-55000-P")
FUTURE, PERPETUAL = instrument_of("BTC-27MAR26"), instrument_of("BTC-PERPETUAL")
NOW = CALL.expiry - YEAR_NS // 10
FORWARDS, VOLS = {CALL.expiry: 60_000.0, PUT.expiry: 60_500.0, 0: 59_900.0}, {CALL.name: 0.6, PUT.name: 0.7}
MARKS = Marks(NOW, FORWARDS, VOLS)
BOOK = [Held(CALL, 3.0), Held(PUT, -2.0), Held(FUTURE, -90_000.0), Held(PERPETUAL, 30_000.0)]

LATE = msgspec.structs.replace(MARKS, t=CALL.expiry - 12 * MINUTE_NS, averages={CALL.expiry: 59_800.0})


def money(held: Held, marks: Marks, move: float, points: float) -> tuple[float, float]:
    """USD and coin that one position has come to, its futures having been bought at the marks."""
    one, forward = held.instrument, marks.forwards[held.instrument.expiry]
    left = min((one.expiry - marks.t) / (30 * MINUTE_NS), 1.0) if one.expiry else 1.0
    so_far = marks.averages.get(one.expiry, 0.0)
    before = (1 - left) * so_far + left * forward
    after = (1 - left) * so_far + left * forward * (1 + move)
    if one.kind is not Kind.OPTION:
        coin = held.size * (1 / before - 1 / after)
    elif left == 1.0:
        years, vol = (one.expiry - marks.t) / YEAR_NS, marks.vols[one.name] + points / 100
        coin = held.size * black.price(after, one.strike, years, vol, one.call)
    else:  # what is left of the average, as an option of its own
        years, vol = (one.expiry - marks.t) / YEAR_NS, marks.vols[one.name] + points / 100
        strike, there = (one.strike - (1 - left) * so_far) / left, forward * (1 + move)
        coin = held.size * left * there * black.price(there, strike, years, vol, one.call) / after
    return coin * after, coin


def worth(book: list[Held], marks: Marks, move: float, points: float) -> Floats:
    total: Floats = np.array([money(held, marks, move, points) for held in book]).sum(axis=0)
    return total


@pytest.mark.parametrize("marks", [MARKS, LATE])
def test_the_ladder_is_the_book_valued_again(marks: Marks) -> None:
    """In USD and in coin; in the last half hour too, where a part of the delivery price is made already."""
    spot, points = (-0.1, 0.0, 0.03), (-5.0, 0.0, 10.0)
    usd, coin = ladder(BOOK, marks, spot, points)
    wanted = np.array(
        [[worth(BOOK, marks, move, shift) - worth(BOOK, marks, 0, 0) for move in spot] for shift in points]
    )
    np.testing.assert_allclose(usd, wanted[:, :, 0], atol=1e-6)
    np.testing.assert_allclose(coin, wanted[:, :, 1], atol=1e-11)
    assert (usd[1, 1], coin[1, 1]) == (0.0, 0.0)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from([CALL, PUT, FUTURE, PERPETUAL]), st.integers(-50, 50).filter(bool)), min_size=1),
    st.sampled_from([-0.5, -0.2, 0.05, 1.0]),
    st.sampled_from([-200.0, -10.0, 10.0]),
)
def test_any_book_of_futures_and_options(rows: list[tuple[Instrument, int]], move: float, points: float) -> None:
    """Volatilities do not fall below 0."""
    book = [Held(one, n * (0.1 if one.strike else 10.0)) for one, n in rows]
    usd, coin = ladder(book, MARKS, (move,), (points,))
    least = {name: max(vol + points / 100, 0.0) for name, vol in VOLS.items()}
    then = worth(book, msgspec.structs.replace(MARKS, vols=least), move, 0.0)
    gained = then - worth(book, MARKS, 0.0, 0.0)
    assert [usd[0, 0], coin[0, 0]] == pytest.approx(gained.tolist(), abs=1e-6)


@pytest.mark.parametrize("marks", [MARKS, LATE])
def test_greeks_add_up_and_are_the_ladders_slopes(marks: Marks) -> None:
    rows = by_expiry(BOOK, marks)
    assert [row.expiry for row in rows] == [0, CALL.expiry, PUT.expiry]

    def usd(move: float, points: float) -> float:
        return float(ladder(BOOK, marks, (move,), (points,))[0][0, 0])

    slope = sum(row.delta * marks.forwards[row.expiry] for row in rows)
    assert slope == pytest.approx((usd(1e-5, 0) - usd(-1e-5, 0)) / 2e-5, rel=1e-3)
    assert sum(row.vega for row in rows) == pytest.approx((usd(0, 0.01) - usd(0, -0.01)) / 0.02, rel=1e-3)
    values = [money(held, marks, 0.0, 0.0) for held in BOOK if held.instrument.kind is Kind.OPTION]
    assert sum(row.usd for row in rows) == pytest.approx(sum(usd for usd, _ in values))
    assert sum(row.value for row in rows) == pytest.approx(sum(coin for _, coin in values))
    assert rows[0].delta == pytest.approx(30_000 / 59_900)


@pytest.mark.parametrize("minutes", [31, 29, 15, 2])
def test_an_option_is_held_at_the_fair_price_of_its_smile(minutes: int) -> None:
    """Before and in the last half hour: what the smile's volatility means is the same to both."""
    surface, forward, t = Surface(), FORWARDS[CALL.expiry], CALL.expiry - minutes * MINUTE_NS
    so_far = 59_990.0 if minutes < 30 else math.nan
    quotes = [Quote(strike, strike >= forward, 0.58, 0.62, 0.6) for strike in map(float, range(59_000, 61_001, 200))]
    surface.refit(CALL.expiry, forward, quotes, t, so_far=so_far)
    vol = surface.iv(CALL.expiry, CALL.strike, forward)
    assert vol is not None
    averages = {CALL.expiry: so_far} if minutes < 30 else {}
    (row,) = by_expiry([Held(CALL, 1.0)], Marks(t, FORWARDS, {CALL.name: vol}, averages))
    assert row.value == pytest.approx(surface.fair(CALL, forward, t, so_far), rel=1e-9)
    greeks = surface.greeks(CALL.expiry, CALL.strike, True, forward, t, so_far)
    assert (row.delta, row.coin_delta, row.vega, row.theta) == pytest.approx(
        tuple(float(each) for each in (greeks.delta, greeks.coin_delta, greeks.vega, greeks.theta))
    )


def test_gamma_is_the_bend_and_coin_delta_is_premium_adjusted() -> None:
    rows = by_expiry(BOOK, MARKS)

    def usd(move: float) -> float:
        return float(ladder(BOOK, MARKS, (move,), (0.0,))[0][0, 0])

    bend = sum(row.gamma * MARKS.forwards[row.expiry] * 100 for row in rows)
    assert bend == pytest.approx((usd(1e-3) + usd(-1e-3)) / 1e-6, rel=1e-3)
    assert rows[1].coin_delta == pytest.approx(rows[1].delta - rows[1].value)


def test_a_future_that_is_being_delivered_moves_by_what_is_left_of_it() -> None:
    (row,) = by_expiry([Held(FUTURE, 60_000.0)], LATE)
    average = 0.6 * 59_800.0 + 0.4 * 60_000.0
    assert row.delta == pytest.approx(0.4 * 60_000.0 / average)


@pytest.mark.parametrize(
    ("marks", "left_out"),
    [
        (Marks(NOW, FORWARDS, {PUT.name: 0.7}), [CALL]),
        (Marks(NOW, FORWARDS, VOLS | {CALL.name: math.nan}), [CALL]),
        (Marks(NOW, {0: 59_900.0, PUT.expiry: 60_500.0}, VOLS), [CALL, FUTURE]),
        (Marks(NOW, FORWARDS | {0: 0.0}, VOLS), [PERPETUAL]),
        (msgspec.structs.replace(LATE, averages={}), [CALL, FUTURE]),
        (Marks(NOW, {}, {}), [CALL, PUT, FUTURE, PERPETUAL]),
    ],
)
def test_what_nobody_knows_is_in_no_sum_and_the_sum_says_so(marks: Marks, left_out: list[Instrument]) -> None:
    rows = by_expiry(BOOK, marks)
    assert sorted(name for row in rows for name in row.unknown) == sorted(one.name for one in left_out)
    assert sum(row.known for row in rows) == len(BOOK) - len(left_out)
    rest = [held for held in BOOK if held.instrument not in left_out]
    for whole, part in zip(ladder(BOOK, marks), ladder(rest, marks), strict=True):
        assert np.isfinite(whole).all()
        np.testing.assert_array_equal(whole, part)
    assert all(math.isfinite(value) for row in rows for value in (row.usd, row.delta, row.vega, row.gamma, row.theta))


def test_an_empty_book_is_nothing() -> None:
    assert by_expiry([], MARKS) == []
    assert not ladder([], MARKS)[0].any()
