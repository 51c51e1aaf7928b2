"""Simulated sessions are made once, and found again by what they hang on or by the hash of their data."""

from __future__ import annotations

from pathlib import Path

from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from engine.research.cluster import Workers
from engine.research.crowds import Session
from engine.research.dataset import digest, simulated
from engine.research.shelf import remember, remembered, stored

SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=3, futures=0),))
MINUTES = 0.2


def quiet(text: str) -> None:
    assert text


TWO = [Session(5, "thin"), Session(6, "calm")]


def test_sessions_are_simulated_once_and_found_by_their_data(tmp_path: Path) -> None:
    said: list[str] = []
    first = stored(TWO, MINUTES, SMALL, Workers(1), said.append, tmp_path)
    assert said[0] == "simulating 2 sessions of 0.2 minutes, 0 are there"
    assert digest(first[0]) == digest(simulated(5, MINUTES, Session(5, "thin").venue(SMALL)))
    said.clear()
    again = stored(TWO, MINUTES, SMALL, Workers(1), said.append, tmp_path)
    assert said == ["simulating 0 sessions of 0.2 minutes, 2 are there"]
    assert [one.path for one in again] == [one.path for one in first]
    remember(tmp_path, "ab" * 32, first)
    found = remembered(tmp_path, "ab" * 32)
    assert found is not None
    assert [one.path for one in found] == [one.path for one in first]
    first[1].path.unlink()
    assert remembered(tmp_path, "ab" * 32) is None, "one of them is gone"
    assert remembered(tmp_path, "cd" * 32) is None
    assert remembered(None, "ab" * 32) is None


def test_other_settings_and_lengths_have_files_of_their_own(tmp_path: Path) -> None:
    short, other = MINUTES / 2, VenueSettings(listing=SMALL.listing, balance=7.0)
    questions = [([Session(5)], short, SMALL), ([Session(5, "thin")], short, SMALL), ([Session(5)], short, other)]
    paths = {stored(some, minutes, base, Workers(1), quiet, tmp_path)[0].path for some, minutes, base in questions}
    assert len(paths) == len(questions)
