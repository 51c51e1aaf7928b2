"""Sessions on disk are what they were; statistics by pieces are those of the whole; a training taken up again ends
where it would have."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.research.dataset import Stretch, digest
from engine.research.fitting import Plan
from engine.research.folds import folds
from engine.research.frozen import freeze
from engine.research.gathered import Sample, Spread
from engine.research.stored import Stored, write
from engine.research.train import train_sessions
from tests.research.stretches import planted, stretch_of

PLAN = Plan(hidden=4, epochs=3, segment=250, chunk=50, batch=4, rate=1e-2)


def session(seed: int, steps: int = 600) -> list[Stretch]:
    return [planted(seed, steps), msgspec.structs.replace(planted(seed + 100, steps - 7), session=f"made-{seed}")]


def quiet(text: str) -> None:
    assert text


def test_a_session_on_disk_is_what_it_was(tmp_path: Path) -> None:
    one = stretch_of(np.full(120, 400.0), prints=[(60.0, 1.0, 405.0, 25.0, 2.5)])
    one = msgspec.structs.replace(one, probes=np.array([[60.0, 1.0, 1.0, 10.0, np.nan]]), own=np.array([7.0]))
    stretches = [one, *session(3)]
    write(tmp_path / "a.parquet", stretches)
    read = list(Stored(tmp_path / "a.parquet"))
    assert digest(read) == digest(stretches)
    assert [stretch.instrument for stretch in read] == [stretch.instrument for stretch in stretches]
    assert Stored(tmp_path / "a.parquet").steps == [120, 600, 593]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("keep", [0, 10, -20])
def test_a_file_cut_short_is_said_to_be(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.parquet"
    write(path, session(1))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="no whole session"):
        Stored(path)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 99))
def test_mean_and_deviation_by_pieces_are_those_of_the_whole(lengths: list[int], seed: int) -> None:
    pieces = [
        np.random.default_rng([seed, k]).normal(5.0, 3.0, (n, 2)).astype(np.float32) for k, n in enumerate(lengths)
    ]
    spread = Spread()
    for piece in pieces:
        spread.add(piece)
    values = np.concatenate(pieces).astype(np.float64)
    np.testing.assert_allclose(spread.mean, values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(spread.deviation, values.std(axis=0), rtol=1e-9, atol=1e-12)


@given(st.lists(st.integers(0, 50), max_size=20))
def test_a_sample_is_all_or_evenly_thinned_out(lengths: list[int]) -> None:
    whole, thin = Sample(10_000), Sample(64)
    values = np.arange(float(sum(lengths)))
    for piece in np.split(values, np.cumsum(lengths)[:-1]) if lengths else ():
        whole.add(piece)
        thin.add(piece)
    np.testing.assert_array_equal(whole.values, values)
    assert len(thin.values) <= 64
    gaps = np.diff(thin.values)
    assert len(thin.values) >= min(len(values), 32)
    assert len(set(gaps)) <= 1


def test_sessions_on_disk_train_the_same_weights(tmp_path: Path) -> None:
    sessions = [session(seed) for seed in range(3)]
    for k, stretches in enumerate(sessions):
        write(tmp_path / f"{k}.parquet", stretches)
    stored = [Stored(tmp_path / f"{k}.parquet") for k in range(3)]
    early, _ = folds(stored, PLAN.share)
    assert msgspec.msgpack.encode(freeze(early).option_rates) == msgspec.msgpack.encode(
        freeze(folds(sessions, PLAN.share)[0]).option_rates
    )
    assert train_sessions(stored, PLAN, quiet).to_bytes() == train_sessions(sessions, PLAN, quiet).to_bytes()


class Stopped(Exception):
    pass


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, epoch: int) -> None:
    sessions = [session(seed) for seed in range(3)]
    said: list[str] = []

    def until(text: str) -> None:
        said.append(text)
        if text.startswith(f"epoch {epoch + 1} of 3: direction"):  # after this epoch, before it is kept
            raise Stopped

    want = train_sessions(sessions, PLAN, quiet).to_bytes()
    with pytest.raises(Stopped):
        train_sessions(sessions, PLAN, until, keep=tmp_path)
    said.clear()
    assert train_sessions(sessions, PLAN, said.append, keep=tmp_path).to_bytes() == want
    assert f"going on after epoch {epoch}" in said
    assert not list(tmp_path.glob("training-*"))
