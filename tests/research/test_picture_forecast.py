"""The forecasts' picture: it shows what the table knows, says what it does not, and is drawn from a saved table."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from engine.__main__ import main
from engine.research.picture_forecast import picture
from engine.research.picture_strips import Group, Row, extent

LOSSES = {"lstm": 0.38, "base": 0.44, "past_only": 0.41, "logistic": 0.39, "boosting": 0.385, "deeplob": 0.4,
          "transformer": 0.395, "oracle": 0.28}  # fmt: skip
BANDS = {f"direction_vs_{name}": [0.37 - loss, 0.39 - loss] for name, loss in LOSSES.items() if name != "lstm"}
EXPECTED = {name: loss for name, loss in LOSSES.items() if name != "past_only"} | {"hidden_state": 0.31}
SHARES = {"lstm": 0.4, "logistic": 0.3, "hidden_state": 0.8}
BINS = [[0.05, 0.06, 900], [0.5, 0.48, 100], [0.9, 0.4, 3]]
REGIMES = ("calm", "crisis", "held-out")
PART = {"n": 9, "sessions": 3, "log_loss": LOSSES, "gap_closed": 0.4, "ece": 0.01, "rows": {},
        "intervals": BANDS | {"gap_closed": [0.3, 0.5]}}  # fmt: skip
TABLE: dict[str, Any] = {
    "data": "paper sessions [1, 2] & more", "weights": "lstm-0", "n": 37485, "notes": ["a note < others"],
    "direction": {
        "log_loss": LOSSES, "reliability": dict.fromkeys(("up", "down", "stable"), BINS),
        "at_threshold": [
            {"head": "up", "threshold": 0.75, "n": 0, "mean_forecast": None, "realised": None, "lo": None, "hi": None},
            {"head": "down", "threshold": 0.75, "n": 9, "mean_forecast": 0.8, "realised": 0.7, "lo": None, "hi": None},
            {"head": "stable", "threshold": 0.8, "n": 900, "mean_forecast": 0.9, "realised": 0.91, "lo": 0.9,
             "hi": 0.92},
        ],
        "oracle": {"n": 959, "log_loss": EXPECTED, "expected_log_loss": EXPECTED, "gap_closed": SHARES},
    },
    **{head: {"log_loss": {"lstm": 0.8, "base": 0.9}} for head in ("direction_10", "direction_60", "fill")},
    "slippage": {"pinball": {"lstm": 0.16, "book": 0.17}}, "impact": {"huber": {"lstm": 0.9, "base": 0.8}},
    "volatility": {"pinball": {"lstm": 0.1, "persistence": 0.1}},
    "spread": {"squared_log": {"lstm": 0.03, "persistence": 0.031}},
    "by_regime": dict.fromkeys(REGIMES, PART),
    "intervals": BANDS | {
        "direction_10_vs_base": [-0.2, -0.05], "impact_vs_base": [0.05, 0.15], "volatility_vs_persistence": [-0.1, 0.1],
        "slippage_vs_book": None, "gap_closed": [0.3, 0.5],
    },
}  # fmt: skip


def words(table: dict[str, Any]) -> str:
    return " ".join(text.strip() for text in ElementTree.fromstring(picture(table)).itertext() if text.strip())


def test_it_is_well_formed_and_says_what_it_shows() -> None:
    said = words(TABLE)
    for each in ("37,485 moments", "DeepLOB 0.4000", "at the oracle's 959 moments", "told what is hidden 0.3100",
                 "90 % intervals", "a note < others", *(f"Direction, {name}" for name in REGIMES)):  # fmt: skip
        assert each in said
    assert "Not in this table" not in said


def test_the_oracle_stands_only_beside_what_was_said_at_its_moments() -> None:
    everywhere, asked = words(TABLE).split("at the oracle's")
    assert "oracle 0.2800" in asked
    assert "0.2800" not in everywhere


def test_a_head_that_gains_nothing_is_said_to() -> None:
    said = words(TABLE)
    assert "0.100 of 0.100, no better" in said
    assert "0.900 of 0.800, worse" in said
    assert "0.160 of 0.170, no interval" in said
    assert "direction, 10 s · base rate 0.800 of 0.900 direction, 60 s" in said


def test_thresholds_and_the_tenths_with_moments_enough_are_drawn() -> None:
    said, page = words(TABLE), picture(TABLE)
    assert "up ≥ 75 %: never said" in said
    assert "stable ≥ 80 %: 90.0 → 91.0 % [90.0, 92.0], n 900" in said
    assert page.count('fill="#3fcf9f"') == 2 + 1, "two tenths, and the name of the class"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (("direction", "log_loss", "boosting"), "boosting"),
        (("direction", "oracle"), "told what is hidden, oracle"),
        (("direction", "reliability"), "calibration"),
        (("by_regime",), "regimes"),
        (("spread", "squared_log", "persistence"), "spread, 10 s"),
    ],
)
def test_what_is_not_known_is_left_out_and_said(path: tuple[str, ...], named: str) -> None:
    table = copy.deepcopy(TABLE)
    holder = table
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = None
    assert f"Not in this table, so not drawn: {named}." in words(table)


def test_a_table_of_recordings_says_that_it_is_a_stand_in() -> None:
    said = words(TABLE | {"stand_in": True, "weights": {"linear": "lstm-1"}, "notes": ["first", "second"]})
    assert "Recordings, a stand-in" in said
    assert "95 % intervals" in said
    assert "second" not in said


def test_one_wild_whisker_does_not_squeeze_the_dots() -> None:
    rows = [Row("a", 1.0, (0.9, 50.0), "theirs"), Row("b", 2.0, None, "ours")]
    low, high = extent([Group("", rows)])
    assert low < 0.9
    assert 2.0 < high < 3.5


def test_a_saved_table_is_drawn_without_evaluating(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved, drawn = tmp_path / "table.json", tmp_path / "table.svg"
    saved.write_bytes(msgspec.json.encode(TABLE))
    assert main(["evaluate", "forecast", "--table", str(saved), "--picture", str(drawn), "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == TABLE
    assert drawn.read_text(encoding="utf-8") == picture(TABLE)


@pytest.mark.parametrize("held", [b"[1]", b"{", b'{"facts": 1}'])
def test_another_file_is_refused(held: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "other.json"
    saved.write_bytes(held)
    assert main(["evaluate", "forecast", "--table", str(saved)]) == 1
    assert "holds no table" in capsys.readouterr().err
