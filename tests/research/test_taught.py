"""Nobody is taught by one who has seen the answers."""

from __future__ import annotations

import msgspec
import numpy as np

from engine.research.folds import whole
from engine.research.frozen import freeze
from engine.research.targets import Part
from engine.research.taught import Teachers
from tests.research.stretches import planted, shuffled


def sessions() -> list[Part]:
    return [whole(msgspec.structs.replace(planted(seed, 2500), session=f"made-{seed}")) for seed in (1, 2, 3, 4)]


def test_a_session_teaches_only_the_other_half() -> None:
    parts = sessions()
    frozen = freeze(parts)
    told = Teachers(parts, frozen)
    other = [whole(shuffled(part.stretch, 9)) if k == 0 else part for k, part in enumerate(parts)]
    differently = Teachers(other, frozen)
    mine = told.say(parts[0])
    assert np.array_equal(mine, differently.say(parts[0]))  # its own answers are not in what it is told
    assert not np.array_equal(told.say(parts[1]), differently.say(parts[1]))  # but in what the other half is
    assert mine.shape == (2500, 3)
    np.testing.assert_allclose(mine.sum(axis=1), 1.0, atol=1e-5)


def test_what_is_taught_is_worth_knowing() -> None:
    """The planted signal: up is likelier where it is high."""
    parts = sessions()
    said = Teachers(parts, freeze(parts)).say(parts[0])
    moves = parts[0].labels.move
    known = ~np.isnan(moves)
    assert np.corrcoef(said[known, 0] - said[known, 1], moves[known])[0, 1] > 0.1


def test_one_session_alone_has_no_teacher() -> None:
    parts = sessions()[:1]
    assert np.isnan(Teachers(parts, freeze(parts)).say(parts[0])).all()
