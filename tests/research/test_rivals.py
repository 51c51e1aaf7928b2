"""The rivals: each finds what is there, says nothing where nothing is, uses the past only, and is the same again."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
import pytest

from engine.config import WARM_STEPS
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from engine.research.cluster import Workers
from engine.research.dataset import Stretch, simulated
from engine.research.fitting import Plan
from engine.research.folds import split, whole
from engine.research.knowing import Knowing
from engine.research.networks import Diet
from engine.research.rivals import EVERY, Rival, lesson_of, simple
from engine.research.rivals_trained import NONE, fitted, folds, question, trained
from engine.research.scoring import score
from engine.research.targets import AHEAD
from engine.research.train import train_on
from tests.forecast.weights import random_net, weights_of
from tests.research.stretches import planted, shuffled
from tests.research.test_train import PLAN, quiet

DIET = Diet(batch=32, rate=3e-3)
STRENGTH = 3.0
CLEAR = [planted(seed, 2000, STRENGTH) for seed in range(3)]
WEIGHTS = train_on(CLEAR, msgspec.structs.replace(PLAN, epochs=1), quiet)
QUESTION = question(WEIGHTS)
JUDGED = planted(77, 3000, STRENGTH)
SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=3, futures=0),))
ONE = Workers(1)
NAMES = ("boosting", "deeplob", "transformer")


def rivals_of(data: list[Stretch], updates: int) -> list[Rival]:
    early, late = ([lesson_of(part, QUESTION) for part in fold] for fold in split(data, PLAN.share))
    return fitted(early, late, QUESTION, quiet, msgspec.structs.replace(DIET, updates=updates))


@cache
def rivals() -> tuple[Rival, ...]:
    return tuple(rivals_of(CLEAR, 100))


def test_each_finds_a_signal_that_is_there() -> None:
    table = score(WEIGHTS, [whole(JUDGED)], "made", rivals())
    losses = table["direction"]["log_loss"]
    assert set(losses) == {"lstm", "base", "past_only", "logistic", *NAMES, "oracle"}
    for name in NAMES:
        assert losses[name] < losses["base"] - 0.02, name
        assert table["intervals"][f"direction_vs_{name}"] is not None


def test_with_shuffled_labels_none_scores_better_than_the_base_rate() -> None:
    blind = rivals_of([shuffled(stretch, 5) for stretch in CLEAR], 40)
    table = score(WEIGHTS, [whole(shuffled(JUDGED, 6))], "made", blind)["direction"]
    constant = -sum(share * np.log(share) for share in table["shares"].values())  # the best that no input can do
    for name in NAMES:
        assert table["log_loss"][name] > constant - 0.005, name


def test_none_looks_ahead() -> None:
    """What is said at a step is the same, whatever comes after it."""
    steps, cut = np.arange(WARM_STEPS, 400, 10), 400
    other = planted(78, 3000)
    mixed = Stretch(
        JUDGED.session, JUDGED.instrument, JUDGED.t, np.concatenate([JUDGED.x[:cut], other.x[cut:]]),
        np.concatenate([JUDGED.now[:cut], other.now[cut:]]), JUDGED.prints,
    )  # fmt: skip
    for rival in (*simple(WEIGHTS), *rivals()):
        known = steps[steps + AHEAD["direction"] < cut]
        assert np.array_equal(rival.says(whole(JUDGED), known), rival.says(whole(mixed), known)), rival.name


def test_probabilities_are_probabilities_at_any_steps() -> None:
    steps = np.array([0, 7, WARM_STEPS, 555, 2999])
    for rival in (*simple(WEIGHTS), *rivals()):
        said = rival.says(whole(JUDGED), steps)
        assert said.shape == (5, 3), rival.name
        assert (said >= 0).all()
        assert said.sum(axis=1) == pytest.approx(1.0)
        assert rival.says(whole(JUDGED), steps[:0]).shape == (0, 3)


def test_trained_again_they_say_the_same() -> None:
    steps = np.arange(WARM_STEPS, 900, 10)
    for one, again in zip(rivals_of(CLEAR[:2], 5), rivals_of(CLEAR[:2], 5), strict=True):
        assert np.array_equal(one.says(whole(JUDGED), steps), again.says(whole(JUDGED), steps)), one.name


def test_weights_that_name_no_sessions_have_no_trained_rivals() -> None:
    assert trained(weights_of(random_net()), None, ONE, quiet) == ([], [NONE])


def test_boosting_on_a_market_that_never_moves_is_sure() -> None:
    still = [planted(seed, 600, strength=0.0) for seed in range(2)]
    flat = [Stretch(s.session, s.instrument, s.t, s.x, np.tile(s.now[:1], (len(s.now), 1)), s.prints) for s in still]
    early = [lesson_of(whole(one), QUESTION) for one in flat]
    boosting = fitted(early, [], QUESTION, quiet, Diet(updates=1, batch=2))[0]
    assert boosting.says(whole(flat[0]), np.array([100]))[0].tolist() == [0.0, 0.0, 1.0]


def test_the_folds_are_those_that_the_weights_were_trained_on() -> None:
    """Simulated again, the very same data; the rivals' folds are the model's, standardised by its constants."""
    plan = Plan(sessions=2, minutes=0.5, hidden=4, epochs=1, segment=100, chunk=50, batch=4, share=0.5)
    data = [simulated(seed, plan.minutes, SMALL) for seed in (101, 102)]
    stretches = [stretch for session in data for stretch in session]
    weights = train_on(stretches, plan, quiet, seeds=(101, 102))
    (early, late, told), same = folds(weights, SMALL, ONE, quiet)
    assert same
    assert [len(early), len(late)] == [len(session) for session in data]
    want = lesson_of(whole(data[0][0]), question(weights))
    assert np.array_equal(early[0].x, want.x)
    assert np.array_equal(early[0].came, want.came, equal_nan=True)
    known = ~np.isnan(want.came[::EVERY])
    hidden = data[0][0].hidden
    assert hidden is not None
    assert np.array_equal(told[0].x, np.concatenate([want.x, hidden], axis=1)[::EVERY][known])
    knowing = Knowing(told, question(weights))
    steps = np.array([WARM_STEPS, 70])
    assert knowing.says(whole(data[1][0]), steps).sum(axis=1) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="nothing hidden is known"):
        knowing.says(whole(planted(1, 300)), steps)
    assert not folds(weights, msgspec.structs.replace(SMALL, balance=1.0, crowd=None), ONE, quiet)[1]
