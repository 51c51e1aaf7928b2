"""What can be foretold is found, what cannot is not, and the recordings say what they always said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.domain import NS, instrument_of
from engine.paper.instruments.listing import SMALL
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.research import recorded
from engine.research.dataset import START_NS
from engine.research.predictability import (
    EMBARGO,
    INPUTS,
    WARM,
    Moments,
    gain,
    gain_across,
    halves,
    interval,
    judged,
    moments,
    outcomes,
    unchanged,
)
from engine.research.track import STEP_NS, Track, Tracker, paper_tracks

PERPETUAL = instrument_of("BTC-PERPETUAL")


def made(steps: int, hint: float, seed: int = 1) -> Track:
    """A price that walks by ticks every 100 ms; the touch's imbalance tells its next second with weight `hint`."""
    rng = np.random.default_rng(seed)
    walk = rng.normal(0.0, 3.0, steps)
    price = 10_000 + np.cumsum(walk).round()
    ahead = np.convolve(walk, np.ones(10), "full")[9 : 9 + steps] - walk
    tracker = Tracker(PERPETUAL)
    for k in range(steps):
        lean = float(np.tanh(hint * ahead[k] / 10.0 + 0.5 * rng.normal()))
        tracker.book(k * STEP_NS, [(price[k] - 1, 10 * (1 + 0.99 * lean))], [(price[k] + 1, 10 * (1 - 0.99 * lean))])
    return tracker.track()


def test_a_hint_is_found_and_chosen() -> None:
    found = gain(made(3000, hint=1.0))
    assert found.best == "imbalance"
    assert 0.1 < found.low <= found.gain <= found.high


def test_where_there_is_nothing_there_is_no_gain() -> None:
    found = gain(made(6000, hint=0.0), moving=1 / 3)
    assert found.gain < 0.01


def test_the_threshold_is_frozen_on_the_training_part() -> None:
    rng = np.random.default_rng(0)
    train = Moments(rng.normal(size=(2000, len(INPUTS))), rng.normal(0.0, 10.0, 2000))
    wild = Moments(train.x, train.move * 100)
    calm = judged([train], [train])
    assert calm.moves == pytest.approx(0.25, abs=0.01)
    assert judged([train], [wild]).threshold == calm.threshold
    assert judged([train], [train], moving=0.5).moves == pytest.approx(0.5, abs=0.01)


def test_a_move_of_less_than_a_tick_is_none() -> None:
    rng = np.random.default_rng(0)
    small = Moments(rng.normal(size=(2000, len(INPUTS))), rng.uniform(-0.5, 0.5, 2000))
    assert judged([small], [small]).moves == 0.0
    assert judged([small], [small]).gain == pytest.approx(0.0, abs=1e-3)


def test_outcomes() -> None:
    assert outcomes(np.array([2.0, -2.0, 1.0, 0.0]), 1.0).tolist() == [0, 1, 2, 2]


def test_halves_keep_apart() -> None:
    every = Moments(np.zeros((1000, len(INPUTS))), np.arange(1000.0))
    first, later = halves(every)
    assert later.move[0] - first.move[-1] > EMBARGO - 1


def test_moments_look_back_only() -> None:
    """Changing what comes after a moment and its horizon changes neither its inputs nor its outcome."""
    one, two = made(400, 1.0), made(400, 1.0)
    cut = 200
    two.bid[cut:] += 50
    two.ask[cut:] += 50
    before, after = moments(one), moments(two)
    same = cut - WARM - NS // STEP_NS
    assert np.array_equal(before.x[:same], after.x[:same])
    assert np.array_equal(before.move[:same], after.move[:same])
    assert not np.array_equal(before.move, after.move)


def test_too_little_is_said() -> None:
    with pytest.raises(ValueError, match="too few"):
        gain(made(150, 1.0))


def test_the_interval_holds_the_mean_and_narrows() -> None:
    values = np.random.default_rng(2).normal(0.3, 1.0, 20_000)
    few, many = interval(values[:2000]), interval(values)
    assert few[0] < values[:2000].mean() < few[1]
    assert many[1] - many[0] < few[1] - few[0]


def test_unchanged_share() -> None:
    tracker = Tracker(PERPETUAL)
    for second in range(101):
        up = second // 10
        tracker.book(second * NS, [(100 + up, 1.0)], [(102 + up, 1.0)])
    assert unchanged(tracker.track(), NS) == pytest.approx(0.9)


def test_the_recorded_inverse_perpetual(shared_data: Path) -> None:
    """Trained on the 8th of August 2024, judged on the 9th: the touch's imbalance tells something."""
    earlier, later = recorded.perpetual(shared_data)
    found = gain_across([earlier], [later])
    assert found.best == "imbalance"
    assert found.gain == pytest.approx(0.075, abs=0.003)
    assert 0.0 < found.low < found.gain < found.high
    assert unchanged(later) < 0.01


def test_the_paper_perpetual_is_no_easier_than_the_recorded_one(shared_data: Path) -> None:
    """Two sessions of six minutes under the frozen settings; `evaluate venue` takes more and longer ones."""
    pairs = []
    for seed in (2001, 2002):
        simulation = Simulation(seed, START_NS, VenueSettings(listing=SMALL))
        simulation.advance(simulation.t + 30 * NS)
        pairs.append(halves(moments(paper_tracks(simulation, ["BTC-PERPETUAL"], 360.0)["BTC-PERPETUAL"])))
    earlier, later = recorded.perpetual(shared_data)
    for moving in (None, 1 / 3):
        ours = judged([first for first, _ in pairs], [second for _, second in pairs], moving)
        assert ours.gain <= gain_across([earlier], [later], moving).gain
