"""What a run of gains says: rarely an edge where there is none, soon where there is, and no longer once it is gone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import NS
from engine.forecast.score import BLOCKS, ENOUGH, Tally
from engine.messages import Skill

RUNS, LONG = 40, 600  # blocks of a long run: a hundred minutes
Gains = Callable[[np.random.Generator, int], np.ndarray]


def alike(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=n)


def following(rng: np.random.Generator, n: int) -> np.ndarray:
    """Each block has half of its neighbour's luck."""
    out = rng.normal(size=n)
    for k in range(1, n):
        out[k] += 0.5 * out[k - 1]
    return out


def ties(rng: np.random.Generator, n: int) -> np.ndarray:
    """Nine blocks in ten bring nothing, the others anything."""
    return rng.standard_t(2, size=n) * (rng.random(n) < 0.1)


def lopsided(rng: np.random.Generator, n: int) -> np.ndarray:
    """Small gains, and in one block of ten a loss that makes up for them."""
    return np.where(rng.random(n) < 0.1, -0.9, 0.1)


def verdicts(gains: np.ndarray) -> list[str]:
    """As of each block, looked at all the time."""
    tally, out = Tally(10), list[str]()
    for k, gain in enumerate(gains.tolist()):
        tally.add(10 * k, gain)
        out.append(tally.skill().verdict)
    return out


@pytest.mark.parametrize("gains", [alike, following, ties, lopsided])
def test_a_model_like_its_baseline_is_hardly_ever_said_to_have_an_edge(gains: Gains) -> None:
    runs = [verdicts(gains(np.random.default_rng(seed), LONG)) for seed in range(RUNS)]
    assert sum("edge" in run for run in runs) <= 0.05 * RUNS
    assert sum("drift" in run for run in runs) <= 0.25 * RUNS


@pytest.mark.parametrize(("gain", "blocks"), [(1.0, 90), (0.5, 200)])
def test_a_real_gain_is_found_in_time(gain: float, blocks: int) -> None:
    runs = [verdicts(gain + alike(np.random.default_rng(seed), blocks)) for seed in range(20)]
    assert sum("edge" in run for run in runs) >= 18
    assert not any("drift" in run for run in runs)


def test_a_model_that_turns_bad_loses_its_edge_and_then_drifts() -> None:
    for seed in range(10):
        noise = alike(np.random.default_rng(seed), 320)
        run = verdicts(np.where(np.arange(320) < 200, 1.0, -1.0) + noise)
        assert run[199] == "edge"
        assert "edge" not in run[245:]
        assert "drift" in run[200 : 200 + BLOCKS + 20]


def test_a_model_that_turns_good_is_found_again() -> None:
    noise = alike(np.random.default_rng(3), 500)
    run = verdicts(np.where(np.arange(500) < 150, -1.0, 1.0) + noise)
    assert "drift" in run[:150]
    assert run[-1] == "edge"


def test_nothing_is_said_at_first_nor_of_ties_alone() -> None:
    assert set(verdicts(np.ones(ENOUGH))) == {"unknown yet"}
    assert set(verdicts(np.zeros(200))) == {"unknown yet", "no edge"}


@given(st.lists(st.floats(-5, 5), max_size=120), st.integers(0, 120))
def test_a_loaded_tally_goes_on_exactly(gains: list[float], cut: int) -> None:
    one, two = Tally(10), Tally(10)
    for k, gain in enumerate(gains):
        if k == cut:
            two.load(msgspec.msgpack.decode(msgspec.msgpack.encode(one.dump())))
        one.add(4 * k, gain)
        if k >= cut:
            two.add(4 * k, gain)
            assert one.skill() == two.skill()
            assert one.dump() == two.dump()


def test_after_a_pause_as_long_as_its_memory_nothing_is_known_again() -> None:
    tally = Tally(NS)
    for k in range(200):
        tally.add(k * NS, 1.0 + 0.1 * (k % 3))
    assert tally.skill().verdict == "edge"
    tally.add((199 + BLOCKS) * NS, 1.0)
    assert tally.skill().verdict == "edge", "not yet"
    tally.add((201 + 2 * BLOCKS + 1) * NS, 1.0)
    assert tally.skill() == Skill(verdict="unknown yet")
    for k in range(ENOUGH + 1):
        tally.add((202 + 2 * BLOCKS + k) * NS, 1.0 + 0.1 * (k % 3))
    assert tally.skill().verdict == "edge", "what was proven stays proven; how it does now is measured anew"
