"""What the venue hides is read without touching it, and tells more than the desk can see."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine.domain import Kind
from engine.paper.instruments.listing import SMALL
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.research.dataset import AT, START_NS, Recorder, Watcher, simulated
from engine.research.hidden import NAMES, OPTIONS, hindsight
from engine.research.targets import labels_of

STEPS = 300


@pytest.fixture(scope="module")
def watched() -> tuple[Watcher, Recorder]:
    desk = Watcher(31, None)
    desk.look(6)
    recorder = Recorder("made", hindsight(desk.simulation))
    for _ in range(STEPS):
        recorder.step(desk.market, desk.step())
    return desk, recorder


def test_reading_leaves_the_market_as_it_is(watched: tuple[Watcher, Recorder]) -> None:
    blind = Watcher(31, None)
    blind.look(6)
    for _ in range(STEPS):
        blind.step()
    one, other = (each.simulation.venue.dump() for each in (watched[0], blind))
    assert msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)


def test_each_kind_has_its_own_and_nothing_of_the_other(watched: tuple[Watcher, Recorder]) -> None:
    for stretch in watched[1].finish():
        assert stretch.hidden is not None
        assert stretch.hidden.shape == (len(stretch.x), len(NAMES))
        assert np.isfinite(stretch.hidden).all()
        mine, others = stretch.hidden[:, :OPTIONS], stretch.hidden[:, OPTIONS:]
        if stretch.instrument.kind is not Kind.OPTION:
            mine, others = others, mine
        assert mine.any() == np.isfinite(stretch.now[:, AT["micro"]]).any()
        assert not others.any()


def test_what_is_hidden_tells_what_comes() -> None:
    """The true worth of the perpetual over its price leads it."""
    session = simulated(32, 1.0, focus=1)
    perpetual = next(stretch for stretch in session if not stretch.option)
    assert perpetual.hidden is not None
    worth, moves = perpetual.hidden[:, NAMES.index("worth")], labels_of(perpetual).move
    known = ~np.isnan(moves)
    assert np.corrcoef(worth[known], moves[known])[0, 1] > 0.3


def test_where_nobody_trades_there_is_nothing_to_read() -> None:
    assert hindsight(Simulation(1, START_NS, VenueSettings(listing=SMALL, crowd=None))) is None
