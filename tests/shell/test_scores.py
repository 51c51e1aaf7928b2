"""Score tables read for a screen: whole ones, those of other versions, and what is no table at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import messages as m
from engine.forecast.labels import HORIZON_NS
from engine.forecast.parameters import Weights
from engine.shell.registry import shipped
from engine.shell.scores import comparison, heads

TABLE: dict[str, Any] = {
    "n": 900,
    "direction": {
        "log_loss": {"lstm": 0.35, "base": 0.4, "logistic": 0.36, "boosting": None}, "gap_closed": 0.5, "ece": 0.01,
        "reliability": {"up": [[0.1, 0.2, 5]]},
        "at_threshold": [{"head": "up", "threshold": 0.75, "n": 3, "mean_forecast": 0.8, "realised": 1.0, "lo": None,
                          "hi": None}],
    },
    "slippage": {"pinball": {"lstm": 0.15, "book": 0.16}, "coverage": 0.9, "n": 800},
    "spread": None,
    "intervals": {"direction_vs_base": [-0.06, -0.04], "direction_vs_logistic": None},
}  # fmt: skip


def test_each_head_stands_beside_its_rivals_with_the_interval_of_their_difference() -> None:
    direction, slippage = heads(TABLE)
    assert direction.rivals == (
        m.RivalScore(name="base", loss=0.4, lo=-0.06, hi=-0.04), m.RivalScore(name="logistic", loss=0.36)
    )  # fmt: skip
    assert (direction.measure, direction.loss, direction.n, direction.gap_closed) == ("log-loss", 0.35, 900, 0.5)
    assert direction.reliability == {"up": ((0.1, 0.2, 5),)}
    assert direction.at_threshold[0].realised == 1.0
    assert (slippage.measure, slippage.n, slippage.coverage) == ("pinball", 800, 0.9)


def test_the_shipped_weights_say_how_every_head_was_judged() -> None:
    found = heads(Weights.from_bytes(shipped()[-1].read_bytes()).header.scores)
    assert [one.head for one in found] == list(HORIZON_NS)
    assert all(one.loss is not None and one.rivals and one.rivals[0].lo is not None for one in found)


@pytest.mark.parametrize(
    "table", [{}, {"direction": {}}, {"direction": "good"}, {"direction": {"log_loss": {"lstm": "x"}}}]
)
def test_what_was_not_judged_is_not_shown(table: dict[str, Any]) -> None:
    assert heads(table) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["log_loss", "lstm", "n", "a"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["direction", "fill", "intervals", "n"]), JSON))
def test_no_table_of_another_version_breaks_the_screen(table: dict[str, Any]) -> None:
    assert all(one.head in HORIZON_NS for one in heads(table))


def test_a_comparison_pairs_both_models_losses_with_their_difference() -> None:
    text = json.dumps({
        "data": "paper sessions [913], 1 minutes each", "first": "a", "second": "b", "notes": ["other thresholds"],
        "models": {"a": TABLE, "b": TABLE | {"direction": {"log_loss": {"lstm": 0.37}}}},
        "paired": {"direction": {"mean": -0.02, "lo": -0.03, "hi": -0.01, "n": 900}, "slippage": None},
    }).encode()  # fmt: skip
    found = comparison(text)
    assert (found.first, found.second, found.notes) == ("a", "b", ("other thresholds",))
    assert found.duels == (
        m.Duel(head="direction", measure="log-loss", first=0.35, second=0.37, n=900, mean=-0.02, lo=-0.03, hi=-0.01),
        m.Duel(head="slippage", measure="pinball", first=0.15, second=0.15),
    )
