"""Orders sent by lot into clones: the session does not feel them, and what they did becomes a label."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine.config import STEP_NS
from engine.domain import NS, Kind, Side
from engine.forecast.labels import to_ten
from engine.paper.instruments.listing import SMALL
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.research.dataset import START_NS, probed
from engine.research.probes import DRAWN, EVERY, HORIZON, Prober
from engine.research.targets import AHEAD, labels_of
from tests.forecast.market import OPTION, START
from tests.research.stretches import stretch_of

STEPS = 3 * EVERY + 1


def session(probing: bool) -> tuple[Simulation, Prober, list[tuple[int, bytes]]]:
    simulation = Simulation(5, START_NS, VenueSettings(listing=SMALL))
    names = [one.name for one in simulation.instruments if one.kind is Kind.OPTION]
    simulation.subscribe([f"book.{name}.raw" for name in names[:4]])
    prober = Prober(simulation, 5, names, "BTC-PERPETUAL")
    frames = []
    for step in range(STEPS):
        frames += simulation.advance(simulation.t + STEP_NS)
        if probing:
            prober.step(step)
    return simulation, prober, frames


def test_the_session_is_the_same_with_and_without_probes_and_so_are_the_probes() -> None:
    _, prober, frames = session(True)
    assert frames == session(False)[2]
    again = session(True)[1].done
    assert msgspec.json.encode(again) == msgspec.json.encode(prober.done)
    assert {probe.step for probe in prober.done} <= {EVERY, 2 * EVERY, 3 * EVERY}
    assert len(prober.done) >= 3
    for probe in prober.done:
        if probe.taker:
            assert 0 < probe.contracts <= max(DRAWN) * 1.05
            assert probe.filled > 0
        else:
            assert 0 <= probe.filled <= 1


@pytest.mark.parametrize("side", Side)
def test_a_taker_is_compared_with_the_session_that_had_none(side: Side) -> None:
    mids = np.full(300, 400.0)
    mids[100:] = 410.0  # moved by others, five seconds on
    probes = np.array([[60.0, side.sign, 1.0, 5.0, 412.0], [70.0, side.sign, 1.0, 5.0, np.nan]])
    stretch = msgspec.structs.replace(stretch_of(mids, prints=[(80.0, 1.0, 405.0, 250.0, 25.0)]), probes=probes)
    impact = labels_of(stretch).impact
    k = 0 if side is Side.BUY else 1
    assert impact[60, k] == pytest.approx(side.sign * (412.0 - 410.0) / 5.0 * to_ten(5.0))
    assert np.isnan(impact).sum() == impact.size - 1  # prints are not looked at, nor a book without two sides


def test_a_passive_probe_knows_better_whether_it_is_filled() -> None:
    probes = np.array([[60.0, 1.0, 0.0, 1.0, 0.2], [61.0, -1.0, 0.0, 1.0, 0.0]])
    plain = stretch_of(np.full(300, 400.0))
    fill = labels_of(msgspec.structs.replace(plain, probes=probes)).fill
    assert fill[60].tolist() == [1, 0]
    assert fill[61].tolist() == [0, 0]
    assert np.nansum(fill) == 1


def test_labels_that_a_fill_of_ours_came_into_are_unknown() -> None:
    plain = stretch_of(np.full(1000, 400.0))
    labels = labels_of(msgspec.structs.replace(plain, own=np.array([300.0])))
    for name, head in (("move", "direction"), ("move_60", "direction_60"), ("fill", "fill"), ("spread", "spread")):
        unknown = np.isnan(getattr(labels, name)[:350].reshape(350, -1)[:, 0])
        assert np.flatnonzero(unknown).tolist() == list(range(max(300 - AHEAD[head], 0), 300))


def test_probes_are_counted_from_the_stretchs_first_step() -> None:
    _, prober, _ = session(True)
    first = prober.done[0]
    stretch = stretch_of(np.full(300, 400.0))
    began = START - 10 * STEP_NS  # the session is ten steps older than the stretch
    (found,) = probed([stretch], began, [msgspec.structs.replace(first, instrument=OPTION.name, step=70)])
    assert found.probes[0, 0] == 60
    assert HORIZON == 5 * NS
