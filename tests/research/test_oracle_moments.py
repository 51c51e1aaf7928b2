"""The oracle of the forecasts' own labels: exact futures, and everyone's losses at its moments."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine.config import STEP_NS, WARM_STEPS
from engine.forecast.labels import HORIZON_NS
from engine.paper.instruments.listing import Spec
from engine.paper.simulation import Futures
from engine.paper.venue import VenueSettings
from engine.research.dataset import Recorder, Watcher
from engine.research.judging import Judged, outputs_of
from engine.research.oracle_moments import _state, ahead, gap, judge_moments, moments, places
from engine.research.rivals import simple
from engine.research.targets import Part
from engine.research.train import whole
from tests.forecast.weights import random_net, weights_of

SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=9, futures=0),))
WEIGHTS = weights_of(random_net())
AT = 2 * WARM_STEPS
FUTURES = 12


def begun(seed: int) -> Watcher:
    desk = Watcher(seed, SMALL, WEIGHTS)
    desk.look(6)
    return desk


def test_the_future_under_the_own_dice_is_the_one_that_comes() -> None:
    """Every place, the fitted surface's part included, to the last bit: the oracle counts the very labels."""
    desk = begun(21)
    for _ in range(AT):
        desk.step()
    names = desk.market.followed()
    future = Futures(desk.simulation).future()
    foretold = places(ahead(future, desk.market, _state(desk.market)), names)
    for _ in range(HORIZON_NS["direction"] // STEP_NS):
        desk.step()
    came = places(desk.market, names)
    assert len(came) >= 4
    assert any(len(place.where) == 2 for place in came.values()), "the surface has a say"
    assert foretold == came


@cache
def session() -> tuple[Judged, tuple[Part, ...]]:
    """A short session in which the oracle was asked twice, judged."""
    desk, recorder, found = begun(22), Recorder("made"), []
    for step in range(AT + 30):
        prints = desk.step()
        recorder.step(desk.market, prints)
        if step in (AT, AT + 10):
            found += moments(desk, WEIGHTS, FUTURES)
    parts = tuple(whole(stretch) for stretch in recorder.finish())
    return judge_moments(WEIGHTS, parts, outputs_of(WEIGHTS, parts), simple(WEIGHTS), found), parts


def test_every_forecaster_is_judged_at_its_moments() -> None:
    judged, parts = session()
    count = len(judged["true_outcome"])
    assert 2 <= count <= 2 * len(parts)
    assert {len(values) for values in judged.values()} == {count}
    assert judged.keys() == {f"true_{name}" for name in ("counts", "outcome", "block", "lstm", "base", "past_only",
                                                         "logistic")}  # fmt: skip
    assert (judged["true_counts"].sum(axis=1) <= FUTURES).all()
    assert len(np.unique(judged["true_block"])) <= 2


def test_asking_changes_nothing_of_the_session() -> None:
    asked, alone = begun(23), begun(23)
    for step in range(AT):
        if step == AT - 5:
            moments(asked, WEIGHTS, 2)
        assert asked.step() == alone.step()
    assert places(asked.market, asked.market.followed()) == places(alone.market, alone.market.followed())


def test_the_gap_is_the_share_of_the_way_from_base_rate_to_oracle() -> None:
    sure = np.array([[200, 0, 0], [0, 0, 200]])
    judged: Judged = {
        "true_counts": sure, "true_outcome": np.array([0, 2]), "true_block": np.zeros(2),
        "true_base": np.array([1.0, 1.0]), "true_lstm": np.array([0.6, 0.4]), "true_logistic": np.array([1.0, 1.2]),
    }  # fmt: skip
    found = gap(judged)
    assert found is not None
    assert found.losses["oracle"] == pytest.approx(0.0, abs=0.003)
    assert found.closed["lstm"] == pytest.approx(0.5, abs=0.002)
    assert found.closed["logistic"] == pytest.approx(-0.1, abs=0.002)
    assert "base" not in found.closed
    assert gap({}) is None
