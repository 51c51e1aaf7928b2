"""Marks of options in their last half hour: those of options on the average that they are delivered at."""

from __future__ import annotations

import numpy as np
import pytest

from engine import black
from engine.domain import MINUTE_NS, NS, YEAR_NS, instrument_of
from engine.paper.instruments.marks import Marks
from engine.surface import delivery

INDEX, VOL = 60_000.0, 0.6
CHAIN = [instrument_of(f"BTC-27MAR26-{strike}-{side}") for strike in (59_800, 60_000, 60_200) for side in "CP"]
LATER = [instrument_of("BTC-24APR26-60000-C")]
EXPIRY = CHAIN[0].expiry
WINDOW = delivery.WINDOW_NS


def told(left: int, index: float = INDEX, before: float = INDEX) -> Marks:
    """The index was `before` until the window began and `index` since; `left` ns are to go."""
    marks = Marks([*CHAIN, *LATER], before)
    for _ in range((WINDOW - left) // NS):
        marks.index = index
        marks.sample()
    tell(marks, left, index)
    return marks


def tell(marks: Marks, left: int, index: float) -> None:
    forwards = {EXPIRY: index, LATER[0].expiry: index}
    marks.tell(EXPIRY - left, index, forwards, np.full(len(CHAIN) + 1, VOL))


def test_before_the_last_half_hour_a_mark_is_the_plain_price() -> None:
    marks = told(WINDOW)
    for n, i in enumerate(CHAIN):
        assert marks.price[n] == pytest.approx(black.price(INDEX, i.strike, WINDOW / YEAR_NS, VOL, i.call), rel=1e-12)


def test_it_goes_on_from_there() -> None:
    marks = told(WINDOW)
    before = marks.price.copy()
    for left in (WINDOW - 1, WINDOW - NS // 2, WINDOW - NS):
        tell(marks, left, INDEX)
        assert marks.price == pytest.approx(before, abs=2e-6)


@pytest.mark.parametrize("minutes", [25, 10, 1])
def test_in_it_a_mark_is_that_of_the_average(minutes: int) -> None:
    left = minutes * MINUTE_NS
    marks = told(left, 60_120.0)
    average = marks.average(EXPIRY, EXPIRY - left)
    assert average == pytest.approx(60_120.0, rel=2e-5)
    for n, i in enumerate(CHAIN):
        fair = delivery.fair(60_120.0, i.strike, left, VOL, i.call, average)
        assert marks.price[n] == pytest.approx(max(fair, 1e-6))
        assert marks.worth(n, VOL, EXPIRY - left) == pytest.approx(fair)
        if minutes > 1 and 1e-4 < fair < 3e-3:
            assert marks.implied(n, float(marks.price[n])) == pytest.approx(VOL, rel=1e-6)
    plain = black.price(60_120.0, 60_000.0, LATER[0].years(marks.t), VOL, call=True)
    assert marks.price[len(CHAIN)] == pytest.approx(plain)


def test_greeks_run_off_with_what_is_left_of_it() -> None:
    deltas = [abs(told(minutes * MINUTE_NS).greeks[0, :2]).sum() for minutes in (30, 20, 10, 1)]
    assert deltas == pytest.approx([1.0, 2 / 3, 1 / 3, 1 / 30], abs=0.02)


def test_the_last_mark_is_what_is_delivered_and_stays() -> None:
    marks = told(0, 60_150.0, before=40_000.0)
    price = marks.delivery()
    assert price == pytest.approx(60_150.0)
    payout = [max((price - i.strike) * (1.0 if i.call else -1.0), 0.0) / price for i in CHAIN]
    assert marks.price[: len(CHAIN)] == pytest.approx(np.maximum(payout, 1e-6))
    last = marks.price[: len(CHAIN)].copy()
    tell(marks, -NS, 70_000.0)
    assert marks.price[: len(CHAIN)].tolist() == last.tolist()
    assert marks.implied(0, 0.01) == 0.0
    assert np.isfinite(marks.price).all()
    assert np.isfinite(marks.greeks).all()


def test_a_young_venue_is_delivered_at_the_index_it_began_with() -> None:
    marks = Marks(CHAIN, INDEX)
    for _ in range(120):
        marks.index = INDEX + 1_800.0
        marks.sample()
    assert marks.delivery() == pytest.approx(INDEX + 120.0)
