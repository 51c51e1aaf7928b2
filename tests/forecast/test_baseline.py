"""What the book as it stands says: costs, pushes, and base rates put into the form of a forecast."""

from __future__ import annotations

import pytest

from engine.domain import Side
from engine.forecast.baseline import Rates, baseline, standing
from engine.messages import SIZES
from tests.forecast.market import OPTION, START, book_of


def test_the_book_is_walked_for_every_size() -> None:
    """Asks of 2, 2 and 6 contracts, one tick (5 units) apart; bids of 40 in one level."""
    now = standing(book_of(OPTION, {400: 400}, {410: 20, 415: 20, 420: 60}), {})
    assert now is not None
    assert now.tick == 5
    assert now.spread == 2.0
    assert now.depth == 21.0
    assert now.buy[:4] == pytest.approx((0.0, 0.0, (2 * 1 + 1 * 2) / 5, (2 * 1 + 6 * 2) / 10))
    assert now.buy[4] == pytest.approx((2 * 1 + 6 * 2 + 15 * 4) / 25)
    assert now.sell == (0.0,) * len(SIZES)


def test_taking_ten_pushes_the_micro_price_by_what_is_left() -> None:
    now = standing(book_of(OPTION, {400: 100}, {410: 100, 420: 100}), {})
    assert now is not None
    assert now.push_buy == pytest.approx((410.0 - 405.0) / 5)  # the ask moves to 420
    assert now.push_sell == pytest.approx((405.0 - 404.5) / 5)  # nothing is left at 400: a bid one unit lower


@pytest.mark.parametrize(("bids", "asks"), [({}, {410: 10}), ({400: 10}, {}), ({400: 10}, {410: 10})])
def test_nothing_is_said_of_a_book_without_two_sides_of_others(bids: dict[int, int], asks: dict[int, int]) -> None:
    book = book_of(OPTION, bids, asks)
    own = {(Side.SELL, 410): 10} if bids and asks else {}
    assert standing(book, own) is None


def test_the_baseline_is_base_rates_and_the_book() -> None:
    now = standing(book_of(OPTION, {400: 400}, {410: 20, 415: 200}), {})
    assert now is not None
    said = baseline(START, now, Rates(up=0.2, down=0.1, fill_bid=0.3, slip=(-0.1, 0.0, 0.2), impact=0.5))
    assert (said.up, said.down, said.stable) == pytest.approx((0.2, 0.1, 0.7))
    assert said.source == "baseline"
    assert said.fill_bid == 0.3
    ten = now.buy[3]
    assert said.slip_buy[3] == pytest.approx((ten - 0.1 * (1 + ten), ten, ten + 0.2 * (1 + ten)))
    assert said.impact_buy == pytest.approx(0.5 * now.push_buy)
    assert (said.spread_ticks, said.depth) == (now.spread, now.depth)
