"""The leak test: silent on what the desk computes, and it catches a model that is given the future."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
import pytest

from engine.forecast.features import NAMES
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from engine.research.dataset import AT, Stretch, simulated
from engine.research.folds import whole
from engine.research.leaks import future_columns
from engine.research.scoring import score
from engine.research.train import train_on
from tests.research.stretches import planted
from tests.research.test_train import DATA, PLAN, quiet

SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=3, futures=0),))
PEEK = NAMES.index("micro_2")


@cache
def session(minutes: float) -> tuple[Stretch, ...]:
    return tuple(simulated(5, minutes, SMALL, focus=3))


def peeking(stretch: Stretch, ahead: int = 10) -> Stretch:
    """One column tells where the price will be when the label falls due."""
    x, place = stretch.x.copy(), stretch.now[:, AT["place"]]
    x[:-ahead, PEEK] = place[ahead:] - place[:-ahead]
    x[-ahead:, PEEK] = 0.0
    return Stretch(stretch.session, stretch.instrument, stretch.t, x, stretch.now, stretch.prints)


def test_no_feature_knows_the_future() -> None:
    assert len(session(0.5)) >= 3
    assert future_columns(session(0.5), session(0.35)) == []


def test_a_future_column_is_caught_by_its_name() -> None:
    caught = future_columns([peeking(one) for one in session(0.5)], [peeking(one) for one in session(0.35)])
    assert caught == ["micro_2"]


def test_a_model_that_is_given_it_is_better_than_can_be() -> None:
    """Why it matters: on a pure random walk nothing can be forecast, and a peeking model forecasts it."""
    walks, told = [planted(seed, 1500, strength=0.0) for seed in range(5)], planted(77, 3000, strength=0.0)
    bare = msgspec.structs.replace(
        PLAN, epochs=12, hidden_inputs=0.0, hidden_slow=0.0
    )  # else it learns not to lean on what knows
    seer = score(train_on([peeking(one) for one in walks], bare, quiet), [whole(peeking(told))], "made")["direction"]
    constant = -sum(share * np.log(share) for share in seer["shares"].values())  # the best that no input can do
    assert seer["log_loss"]["lstm"] < 0.9 * constant
    assert seer["log_loss"]["base"] > constant - 0.005


def test_runs_that_share_nothing_show_nothing() -> None:
    with pytest.raises(ValueError, match="in common"):
        future_columns(session(0.5), DATA)
