"""The weights that come with the desk: whole, scored, and honest about a market they have not seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import messages as m
from engine.config import STEP_NS, Config
from engine.core.market import Market
from engine.forecast.parameters import Weights
from engine.research.evaluate import shipped
from engine.research.imports import open_recording
from engine.shell.registry import shipped_folder

RECORDINGS = ("2021-07-22.ws.txt", "2021-04-17.ws.txt")


def replayed(path: Path, weights: Weights) -> list[dict[str, m.Forecast]]:
    """Each step's forecasts of a recording."""
    recording = open_recording(path)
    market, start = Market(Config(mode="replay"), weights), recording.first_t
    said, put = [], market.observe
    put(m.Started(n=1, t=start, config=market.config, code="", model="", seed=0, session="",
                  instruments=recording.instruments))  # fmt: skip
    put(m.Link(n=2, t=start, up=True, authenticated=True))
    put(m.Focus(n=3, t=start, instruments=tuple(each.name for each in recording.instruments)))
    step = start // STEP_NS + 1
    for n, (t, data) in enumerate(recording, 4):
        while step * STEP_NS <= t:
            put(m.Tick(n=n, t=step * STEP_NS))
            said.append(dict(market.forecasts))
            step += 1
        put(m.Frame(n=n, t=t, data=data))
    return said


def test_they_load_and_carry_their_scores() -> None:
    (path,) = shipped_folder().glob("*.weights")
    weights = shipped()
    assert path.stem == weights.id
    assert path.stat().st_size < 1_000_000
    assert len(weights.header.crowd_hash) == 64
    loss = weights.header.scores["direction"]["log_loss"]
    assert set(loss) >= {"lstm", "base", "past_only", "logistic"}
    assert loss["lstm"] < loss["base"]


@pytest.mark.parametrize("name", RECORDINGS)
def test_real_frames_of_2021_are_marked_as_unlike_the_training(name: str, shared_data: Path) -> None:
    """They carry no underlying's book, which the training always had: each warm forecast says it is unfamiliar."""
    said = replayed(shared_data / "deribit_frames" / name, shipped())
    warm = [forecast for step in said for forecast in step.values() if forecast.warm]
    assert len(warm) > 1000
    assert not any(forecast.familiar for forecast in warm)
    for forecast in warm:
        assert forecast.up + forecast.down + forecast.stable == pytest.approx(1.0)
        assert all(lo <= mid <= hi for lo, mid, hi in (*forecast.slip_buy, *forecast.slip_sell, forecast.iv_move))
