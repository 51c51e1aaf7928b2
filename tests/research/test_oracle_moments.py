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
from engine.research.folds import whole
from engine.research.judging import Judged, outputs_of
from engine.research.oracle_moments import _state, ahead, gap, judge_moments, moments, places
from engine.research.rivals import simple
from engine.research.targets import Part
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
    """Two moments of which one outcome is sure: the oracle loses nothing, a forecaster what it does not know."""
    e = np.exp(-1.0)
    base = np.array([[e, 0.5, 0.5 - e], [0.5, 0.5 - e, e]])  # loses one nat each time
    half = np.array([[np.exp(-0.6), 0.0, 0.0], [0.0, 0.0, np.exp(-0.4)]])
    judged: Judged = {
        "true_counts": np.array([[200, 0, 0], [0, 0, 200]]), "true_outcome": np.array([0, 2]),
        "true_block": np.zeros(2), "true_base": base, "true_lstm": half, "true_logistic": base,
    }  # fmt: skip
    found = gap(judged)
    assert found is not None
    assert found.losses["oracle"] == pytest.approx(0.0, abs=0.003)
    assert found.losses["base"] == found.closed.expected["base"] == pytest.approx(1.0)
    assert found.closed.shares == {"lstm": pytest.approx(0.5), "logistic": pytest.approx(0.0)}
    assert found.closed.band is None, "two moments of one time say nothing of their luck"
    assert gap({}) is None


def test_the_expected_loss_is_that_of_all_that_could_have_come() -> None:
    """Whatever came, a forecaster who says the truth loses what the oracle does."""
    rng, p = np.random.default_rng(4), np.array([0.2, 0.1, 0.7])
    counts = rng.multinomial(200, p, 400)
    uniform = np.full((400, 3), 1 / 3)
    judged: Judged = {
        "true_counts": counts, "true_outcome": np.zeros(400, np.int64), "true_block": np.arange(400) // 10,
        "true_base": uniform, "true_lstm": np.tile(p, (400, 1)),
    }  # fmt: skip
    found = gap(judged)
    assert found is not None
    assert found.closed.shares["lstm"] == pytest.approx(1.0, abs=0.02)
    assert found.closed.band is not None
    assert found.closed.band[0] < found.closed.shares["lstm"] < found.closed.band[1]
    assert found.closed.expected["lstm"] == pytest.approx(found.closed.expected["oracle"], abs=0.005)
    assert found.losses["lstm"] == pytest.approx(-np.log(0.2)), "on the one draw it looks otherwise"
