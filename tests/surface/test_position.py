"""Greeks and the ladder of a book, against the book valued twice."""

from __future__ import annotations

import numpy as np
import pytest

from engine import black
from engine.domain import YEAR_NS, instrument_of
from engine.surface.position import Held, by_expiry, ladder

CALL, PUT = instrument_of("BTC-27MAR26-60000-C"), instrument_of("BTC-24APR26-55000-P")
FUTURE, PERPETUAL = instrument_of("BTC-27MAR26"), instrument_of("BTC-PERPETUAL")
NOW = CALL.expiry - YEAR_NS // 10
FORWARDS = {CALL.expiry: 60_000.0, PUT.expiry: 60_500.0, 0: 59_900.0}
VOLS = {CALL.name: 0.6, PUT.name: 0.7}
BOOK = [Held(CALL, 3.0), Held(PUT, -2.0), Held(FUTURE, -90_000.0), Held(PERPETUAL, 30_000.0)]


def usd(move: float, points: float) -> float:
    total = 0.0
    for held in BOOK:
        one, forward = held.instrument, FORWARDS[held.instrument.expiry]
        then = forward * (1 + move)
        if one.strike:
            years = (one.expiry - NOW) / YEAR_NS
            total += held.size * then * black.price(then, one.strike, years, VOLS[one.name] + points / 100, one.call)
        else:
            total += held.size * (then / forward - 1)
    return total


def test_the_ladder_is_the_book_valued_again() -> None:
    spot, points = (-0.1, 0.0, 0.03), (-5.0, 0.0, 10.0)
    found = ladder(BOOK, FORWARDS, VOLS, NOW, spot, points)
    wanted = [[usd(move, shift) - usd(0.0, 0.0) for move in spot] for shift in points]
    np.testing.assert_allclose(found, wanted, atol=1e-8)
    assert found[1, 1] == 0.0


def test_greeks_add_up_and_are_the_ladders_slopes() -> None:
    rows = by_expiry(BOOK, FORWARDS, VOLS, NOW)
    assert [row.expiry for row in rows] == [0, CALL.expiry, PUT.expiry]
    slope = sum(row.delta * FORWARDS[row.expiry] for row in rows)
    assert slope == pytest.approx((usd(1e-5, 0) - usd(-1e-5, 0)) / 2e-5, rel=1e-6)
    assert sum(row.vega for row in rows) == pytest.approx((usd(0, 0.01) - usd(0, -0.01)) / 0.02, rel=1e-6)
    bend = sum(row.gamma * FORWARDS[row.expiry] * 100 for row in rows)
    assert bend == pytest.approx((usd(1e-3, 0) - 2 * usd(0, 0) + usd(-1e-3, 0)) / 1e-6, rel=1e-3)
    assert rows[0].delta == pytest.approx(30_000 / 59_900)
    assert rows[1].coin_delta == pytest.approx(rows[1].delta - rows[1].value)


def test_what_nobody_knows_is_said_and_left_out() -> None:
    (row,) = by_expiry([Held(CALL, 1.0)], FORWARDS, {}, NOW)
    assert (row.unknown, row.value, row.delta) == ((CALL.name,), 0.0, 0.0)
    assert by_expiry([], FORWARDS, VOLS, NOW) == []
    assert not ladder([Held(CALL, 1.0)], FORWARDS, {}, NOW).any()
    assert not ladder(BOOK, {}, VOLS, NOW).any()
