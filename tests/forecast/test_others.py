"""The book without our own orders, and prices read from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Side
from engine.forecast.others import fair_micro, lots_of, micro, others, walk
from tests.forecast.market import OPTION, PERPETUAL, book_of, with_ours

BIDS = {400: 10, 395: 20, 390: 30}
ASKS = {410: 30, 415: 20, 420: 10}


@pytest.mark.parametrize(
    ("bids", "asks", "own", "price"),
    [
        ({400: 10}, {410: 10}, {}, 405.0),
        ({400: 30}, {410: 10}, {}, 407.5),
        ({400: 30}, {410: 10}, {(Side.BUY, 400): 20}, 405.0),
        ({400: 10, 395: 10}, {410: 10}, {(Side.BUY, 400): 10}, 402.5),
        ({400: 10, 395: 10}, {410: 10}, {(Side.BUY, 400): 15}, 402.5),
        ({400: 10}, {410: 10}, {(Side.SELL, 400): 10}, 405.0),
        ({400: 10}, {}, {}, None),
        ({400: 10}, {410: 10}, {(Side.BUY, 400): 10}, None),
    ],
)
def test_micro_price_is_of_what_others_show(
    bids: dict[int, int], asks: dict[int, int], own: dict[tuple[Side, int], int], price: float | None
) -> None:
    assert micro(book_of(OPTION, bids, asks), own) == price


def test_a_stale_book_has_no_price() -> None:
    book = book_of(OPTION, BIDS, ASKS)
    book.drop("a change is missing")
    assert micro(book, {}) is None


@given(st.dictionaries(st.tuples(st.sampled_from(Side), st.integers(0, 12)), st.integers(1, 500), max_size=6))
def test_our_orders_shown_and_taken_out_leave_the_others(placed: dict[tuple[Side, int], int]) -> None:
    """Wherever our orders rest, inside the spread or deep, the first levels of the others stay what they were."""
    book = book_of(OPTION, BIDS, ASKS)
    own = {(side, (405 if k == 0 else 400 - 5 * k) if side is Side.BUY else 410 + 5 * k): lots
           for (side, k), lots in placed.items()}  # fmt: skip
    assert others(with_ours(book, own), own, 3) == others(book, {}, 3)


@pytest.mark.parametrize(
    ("lots", "cost"), [(30, 0.0), (31, 5 / 31), (50, 100 / 50), (60, 200 / 60), (70, (200 + 10 * 20) / 70)]
)
def test_walking_the_asks(lots: int, cost: float) -> None:
    """Beyond the last level the rest costs twice that level's distance from the touch."""
    assert walk(list(ASKS.items()), lots) == pytest.approx(cost)


def test_walking_a_single_level_past_its_end_costs_a_unit() -> None:
    assert walk([(410, 10)], 20) == pytest.approx(0.5)


def test_fair_micro_is_half_way_to_the_surface() -> None:
    assert fair_micro(400.0, 404.0) == 402.0
    assert fair_micro(400.0, None) == 400.0
    assert fair_micro(None, 404.0) is None


def test_contracts_of_a_future_are_coins_worth() -> None:
    assert lots_of(OPTION, 10.0, 400) == 100
    assert lots_of(PERPETUAL, 10.0, 160_000) == 80_000  # 10 coins at 80,000 USD in lots of 10 USD
