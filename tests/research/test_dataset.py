"""A simulated session goes through the desk's own market and comes out the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from engine.config import STEP_NS
from engine.research.dataset import AT, Stretch, digest, simulated

MINUTES = 0.2


@pytest.fixture(scope="module")
def session() -> list[Stretch]:
    return simulated(3, MINUTES, focus=4)


def test_what_a_session_brings(session: list[Stretch]) -> None:
    names = {stretch.instrument.name for stretch in session}
    assert "BTC-PERPETUAL" in names
    assert len(names) == 5
    for stretch in session:
        assert len(stretch.x) == len(stretch.now)
        assert np.isfinite(stretch.x).all()
        known = stretch.now[~np.isnan(stretch.now[:, AT["bid"]])]
        assert (known[:, AT["ask"]] > known[:, AT["bid"]]).all()
        assert stretch.t % STEP_NS == 0
    perpetual = next(stretch for stretch in session if not stretch.option)
    assert len(perpetual.prints) > 10


def test_the_same_seed_gives_the_same_data(session: list[Stretch]) -> None:
    assert digest(simulated(3, MINUTES, focus=4)) == digest(session)
    assert digest(simulated(4, MINUTES, focus=4)) != digest(session)
