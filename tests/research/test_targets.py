"""Labels over whole arrays equal the live definitions, and are unknown where the future is."""

from __future__ import annotations

import numpy as np
import pytest

from engine.domain import Side
from engine.forecast.baseline import standing
from engine.forecast.features import NAMES, Context
from engine.forecast.labels import costs, to_ten
from engine.forecast.parameters import TARGETS
from engine.research.dataset import Stretch, _columns
from engine.research.folds import whole
from engine.research.frozen import freeze, targets
from engine.research.targets import AHEAD, classes, labels_of
from tests.forecast.market import OPTION, START, walk_market
from tests.research.stretches import planted, stretch_of

FLAT = np.full(200, 400.0)


def test_direction_compares_now_with_one_second_later() -> None:
    mids = 400.0 + np.arange(200.0)
    labels = labels_of(stretch_of(mids))
    assert labels.move[:-10] == pytest.approx(np.full(190, 10 / 5))
    assert np.isnan(labels.move[-10:]).all()
    assert classes(np.array([0.3, -0.3, 0.1, np.nan]), 0.25)[:3].tolist() == [0, 1, 2]


def test_a_surface_that_comes_or_goes_leaves_the_move_unknown() -> None:
    stretch = stretch_of(FLAT)
    stretch.now[:50, 1] = 0.0
    unknown = np.isnan(labels_of(stretch).move[:-10])
    assert unknown[40:50].all()
    assert unknown.sum() == 10


def test_costs_equal_the_live_definition() -> None:
    books = [moment.books[-1] for moment in walk_market(4, 200) if moment.books]
    standings = [found for found in (standing(book, {}) for book in books) if found is not None]
    now = np.array([_columns(each, Context()) for each in standings])
    x = np.zeros((len(now), len(NAMES)), np.float32)
    labels = labels_of(Stretch("made", OPTION, START, x, now, np.zeros((0, 5))))
    for k in range(len(standings) - 1):
        then, later = standings[k], standings[k + 1]
        buy, sell = costs(later, then.ask, then.bid, then.tick)
        assert labels.cost[k] == pytest.approx([*buy, *sell])
    assert np.isnan(labels.cost[-1]).all()


@pytest.mark.parametrize(
    ("prints", "filled"),
    [
        ([(60, Side.SELL.sign, 395, 100, 10.0)], False),
        ([(60, Side.SELL.sign, 395, 101, 10.1)], True),
        ([(60, Side.SELL.sign, 395, 60, 6.0), (70, Side.SELL.sign, 395, 60, 6.0)], True),
        ([(60, Side.SELL.sign, 390, 1, 0.1)], True),
        ([(60, Side.BUY.sign, 395, 500, 50.0)], False),
        ([(50, Side.SELL.sign, 390, 500, 50.0)], False),  # already over at this step
        ([(101, Side.SELL.sign, 390, 500, 50.0)], False),  # after its 5 s
    ],
)
def test_fill_of_a_bid_at_step_50(prints: list[tuple[float, ...]], filled: bool) -> None:
    assert labels_of(stretch_of(FLAT, prints=prints)).fill[50, 0] == filled


def test_the_other_side_coming_to_the_price_fills() -> None:
    mids = FLAT.copy()
    mids[80:] = 390.0
    fill = labels_of(stretch_of(mids)).fill
    assert fill[50].tolist() == [1, 0]
    assert fill[29].tolist() == [0, 0]
    assert np.isnan(fill[-AHEAD["fill"] :]).all()


def test_impact_is_known_only_after_large_prints_and_scaled_to_ten() -> None:
    mids = FLAT.copy()
    mids[60:] = 405.0
    prints = [(60.0, 1.0, 405.0, 25.0, 2.5), (90.0, 1.0, 405.0, 5.0, 0.5)]
    impact = labels_of(stretch_of(mids, prints=prints)).impact
    assert impact[59, 0] == pytest.approx(1.0 * to_ten(2.5))
    assert np.isnan(impact).sum() == impact.size - 1


def test_what_is_frozen_comes_from_the_training_parts() -> None:
    part = whole(planted(1, 3000))
    frozen = freeze([part])
    moves = np.abs(part.labels.move[~np.isnan(part.labels.move)])
    assert 0.15 < (moves > frozen.option_threshold).mean() < 0.35
    assert frozen.option_rates.up + frozen.option_rates.down == pytest.approx((moves > frozen.option_threshold).mean())
    y = targets(part.stretch, part.labels, frozen)
    assert y.shape == (3000, TARGETS)
    assert np.isfinite(y[:-600, :14]).all()
