"""Training is reproducible, learns what is there, and learns nothing where nothing is."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

from engine.domain import Side
from engine.forecast.parameters import Weights
from engine.forecast.stream import Forecaster
from engine.research.fitting import Plan
from engine.research.folds import split, whole
from engine.research.paired import interval
from engine.research.scoring import score
from engine.research.targets import EMBARGO
from engine.research.train import FIRST_SEED, FRESH_SEED, MOST, train, train_on
from tests.forecast.market import OPTION, START, STEP, book_of
from tests.research.stretches import planted, shuffled, stretch_of

PLAN = Plan(hidden=8, epochs=6, segment=250, chunk=50, batch=4, rate=1e-2)
DATA = [planted(seed, 2000) for seed in range(3)]


def quiet(text: str) -> None:
    assert text


@pytest.fixture(scope="module")
def weights() -> Weights:
    return train_on(DATA, PLAN, quiet)


def test_training_twice_with_one_seed_gives_the_same_file(weights: Weights) -> None:
    assert train_on(DATA, PLAN, quiet).to_bytes() == weights.to_bytes()
    other = train_on(DATA, msgspec.structs.replace(PLAN, seed=8), quiet)
    assert other.id != weights.id
    assert other.header.data_hash == weights.header.data_hash


def test_a_signal_that_is_there_is_found(weights: Weights) -> None:
    table = score(weights, [whole(planted(77, 3000))], "made")
    loss = table["direction"]["log_loss"]
    constant = -sum(share * np.log(share) for share in table["direction"]["shares"].values())
    assert loss["lstm"] < min(loss["base"], constant) - 0.03
    assert loss["lstm"] < loss["logistic"]
    band = table["intervals"]["direction_vs_base"]
    assert band is not None
    assert band[1] < 0


def test_shuffled_labels_score_at_the_base_rate() -> None:
    """With features of other moments, in training and when judged, nothing on the way lends the model any skill."""
    blind = train_on([shuffled(stretch, 5) for stretch in DATA], PLAN, quiet)
    table = score(blind, [whole(shuffled(planted(77, 3000), 6))], "made")["direction"]
    constant = -sum(share * np.log(share) for share in table["shares"].values())  # the best that no input can do
    assert table["log_loss"]["lstm"] > constant - 0.005


def test_trained_weights_run_in_the_stream(weights: Weights) -> None:
    forecaster = Forecaster(Weights.from_bytes(weights.to_bytes()))
    book = book_of(OPTION, {400: 50}, {410: 20})
    said = [forecaster.step(START + k * STEP, {"a": DATA[0].x[k]}, {"a": book}, {})["a"] for k in range(60)]
    assert said[-1].warm
    assert said[-1].familiar
    assert said[-1].source == weights.id


def test_no_step_is_both_trained_on_and_held_out() -> None:
    early, late = split(DATA[:1], 0.5)
    assert late[0].begin - early[0].end >= EMBARGO
    assert late[0].end == len(DATA[0].x)
    assert {part.stretch.session for part in split(DATA[:2], 0.9)[1]} == {"made-1"}
    early, late = split(DATA, 0.67)
    assert [part.stretch.session for part in early] == ["made-0", "made-1"]
    assert [part.stretch.session for part in late] == ["made-2"]


def test_too_little_to_train_on_is_said() -> None:
    with pytest.raises(ValueError, match="250 steps in a row"):
        train_on([planted(1, 200)], PLAN, quiet)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device here")
@pytest.mark.parametrize("sessions", [0, -3, MOST + 1])
def test_sessions_that_would_be_judged_on_are_not_trained_on(sessions: int) -> None:
    assert FIRST_SEED + MOST - 1 < FRESH_SEED <= FIRST_SEED + MOST
    with pytest.raises(ValueError, match="training takes 1 to 810 sessions"):
        train(Plan(sessions=sessions), print)


def test_a_device_that_is_not_here_is_said_before_anything_is_simulated() -> None:
    with pytest.raises(ValueError, match="no device 'cuda'"):
        train(Plan(), quiet, device="cuda")


def test_the_interval_covers_and_knows_that_neighbours_are_alike() -> None:
    rng = np.random.default_rng(3)
    luck = np.repeat(rng.normal(size=100), 50)
    alike = interval(luck, np.repeat(np.arange(100.0), 50))
    apart = interval(luck, np.arange(5000.0))
    assert alike is not None
    assert apart is not None
    assert alike[1] - alike[0] > 5 * (apart[1] - apart[0])
    assert interval(luck[:50], np.zeros(50)) is None


def test_a_score_without_any_label_is_empty_not_wrong(weights: Weights) -> None:
    table = score(
        weights, [whole(stretch_of(np.full(100, 400.0), prints=[(60, Side.BUY.sign, 405, 30, 3.0)]))], "short"
    )
    assert table["volatility"]["pinball"]["lstm"] is None
    assert table["direction"]["shares"]["stable"] == 1.0
