"""A trader's own view beside the model's: the weighted mean of their log-odds, and never a veto."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Side
from engine.execution.belief import pooled
from engine.execution.policy import readings
from engine.messages import Odds, TraderView
from tests.execution.still import CALL, NAME, NOW, Still, forecast

SHARES = st.tuples(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1)).map(lambda t: [v / sum(t) for v in t])


@given(SHARES, SHARES, st.floats(0, 1))
def test_log_odds_are_weighed(model: list[float], own: list[float], weight: float) -> None:
    odds = Odds(seconds=1, up=model[0], down=model[1], stable=model[2])
    found = pooled(odds, TraderView(up=own[0], down=own[1], weight=weight, until=NOW), NOW - 1)
    assert found.up + found.down + found.stable == pytest.approx(1.0)
    expected = (1 - weight) * math.log(model[0] / model[1]) + weight * math.log(own[0] / own[1])
    assert math.log(found.up / found.down) == pytest.approx(expected, abs=1e-9)


def test_a_view_that_is_over_or_weighs_nothing_changes_nothing() -> None:
    odds = Odds(seconds=1, up=0.2, down=0.3, stable=0.5)
    assert pooled(odds, None, NOW) == odds
    assert pooled(odds, TraderView(up=1.0, down=0.0, weight=0.5, until=NOW), NOW) == odds
    assert pooled(odds, TraderView(up=1.0, down=0.0, weight=0.0, until=NOW), NOW - 1) == odds


def test_certainty_is_no_veto() -> None:
    odds = Odds(seconds=1, up=0.98, down=0.01, stable=0.01)
    found = pooled(odds, TraderView(up=0.0, down=1.0, weight=0.5, until=NOW), NOW - 1)
    assert 0.0 < found.up < 1.0


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_policy_reads_the_pooled_direction_where_the_model_has_an_edge(side: Side) -> None:
    picture, view = Still(), TraderView(up=0.9, down=0.05, weight=0.5, until=NOW + 1)
    picture.forecasts[NAME] = picture.baselines[NAME] = forecast(up=0.5, down=0.2, stable=0.3)
    picture.stable[NAME, 1] = 0.5
    picture.edge("direction")
    alone, both = readings(picture, CALL, side), readings(picture, CALL, side, 1, view)
    up = "p_against" if side is Side.BUY else "p_for"
    assert both[up] > alone[up]
    assert side.sign * (both["edge_over_cost_ticks"] - alone["edge_over_cost_ticks"]) > 0.0
    picture.edge()
    assert "p_against" not in readings(picture, CALL, side, 1, view)  # no edge: its rows do not fire


@pytest.mark.parametrize(("seconds", "carried"), [(1, 3.0), (10, 1.0), (60, 50 / 60)])
def test_the_edge_reads_the_horizon_of_the_direction(seconds: int, carried: float) -> None:
    """P(fill) 0.1 in 5 s is a wait of 50 s: three seconds of a 1 s forecast, all of a longer one's horizon at most."""
    picture = Still()
    later = (Odds(seconds=10, up=0.8, down=0.1, stable=0.1), Odds(seconds=60, up=0.6, down=0.3, stable=0.1))
    picture.forecasts[NAME] = forecast(up=0.7, down=0.1, stable=0.2, drift_ticks=0.9, fill_bid=0.1, later=later)
    picture.baselines[NAME] = picture.forecasts[NAME]
    picture.edge("direction")
    picture.verdicts |= dict.fromkeys(("direction_10", "direction_60"), picture.verdicts["direction"])
    picture.stable[NAME, 10], picture.stable[NAME, 60] = 2.0, 5.0
    drift = {1: 0.9, 10: 2.0 * 0.7, 60: 5.0 * 0.3}[seconds]
    found = readings(picture, CALL, Side.BUY, seconds)
    assert found["edge_over_cost_ticks"] == pytest.approx(drift * carried - 1.0)  # half a spread of two ticks
    if seconds > 1:
        del picture.stable[NAME, seconds]
        assert "edge_over_cost_ticks" not in readings(picture, CALL, Side.BUY, seconds)
