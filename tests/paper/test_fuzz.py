"""Fifty thousand frames of every sort: no crash, one answer each, and the exchanges stay sound."""

from __future__ import annotations

from itertools import islice

from tests.paper.frames import frames
from tests.paper.fuzz import run

FRAMES = 50_000


def test_the_venue_outlives_any_frames() -> None:
    counts = run(seed=20, n=FRAMES)
    refused = sum(counts.refused.values())
    assert counts.frames == FRAMES == counts.answered + refused + counts.unanswered
    assert counts.unanswered <= counts.lines_closed
    assert counts.answered > FRAMES / 10, "most frames were nonsense: nothing was tried"
    assert counts.trades > 100
    assert len(counts.refused) > 20
    assert counts.pushed > 1_000


def test_frames_are_the_same_for_the_same_seed() -> None:
    assert list(islice(frames(7, 500), 300)) == list(frames(7, 300))
    assert list(frames(7, 50)) != list(frames(8, 50))
