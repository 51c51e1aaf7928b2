"""`evaluate forecast` as a whole, on little: its JSON, what is kept of it, and one model beside another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.__main__ import main
from engine.config import DEFAULT_POLICY
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from engine.research.cluster import Workers
from engine.research.compare import THRESHOLDS, lines
from engine.research.crowds import Session
from engine.research.evaluate import Wanted, evaluate_forecast, judged_session, rows, seeds_of
from engine.research.folds import whole
from engine.research.judging import judge, merged
from engine.research.kept import Kept
from engine.research.oracle_orders import Asked
from engine.research.paired import HEADS, differences
from tests.forecast.weights import random_net, weights_of
from tests.research.stretches import planted

SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=3, futures=0),))
WEIGHTS = weights_of(random_net())
ONE = Workers(1)
WANTED = Wanted(
    seeds=2, minutes=0.4, oracle=4, futures=3, rivals=False, settings=SMALL, focus=2, workers=ONE,
    orders=Asked(fills=2, pairs=2, takers=2),
)  # fmt: skip


def quiet(text: str) -> None:
    assert text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def table(folder: Path) -> dict[str, object]:
    found = evaluate_forecast(WEIGHTS, WANTED, quiet, folder)
    again: dict[str, object] = msgspec.json.decode(msgspec.json.encode(found))
    return again


def test_the_table_has_the_shape_that_others_script_against(table: dict[str, object]) -> None:
    assert {"data", "n", *HEADS, "rows", "rows_flagged", "intervals", "crowd", "notes"} <= table.keys()
    direction = table["direction"]
    assert isinstance(direction, dict)
    assert {"log_loss", "gap_closed", "brier", "ece", "at_threshold", "oracle"} <= direction.keys()
    losses = direction["log_loss"]
    assert losses.keys() == {"lstm", "base", "past_only", "logistic", "boosting", "deeplob", "transformer", "oracle"}
    assert losses["oracle"] is not None
    assert losses["boosting"] is None, "no rivals were trained"
    assert direction["oracle"]["n"] >= 2
    assert direction["oracle"]["gap_closed"].keys() == {"lstm", "logistic"}
    assert table["rows"].keys() == {row.name for row in DEFAULT_POLICY}  # type: ignore[attr-defined]
    fill, impact, by_regime = table["fill"], table["impact"], table["by_regime"]
    assert isinstance(fill, dict)
    assert isinstance(impact, dict)
    assert isinstance(by_regime, dict)
    assert {"n", "log_loss", "brier", "gap_closed"} <= fill["oracle"].keys()
    assert impact["oracle"]["huber"].keys() == {"lstm", "base", "oracle"}
    assert by_regime["usual"]["sessions"] == 2
    assert by_regime["usual"]["log_loss"] == losses
    assert [row["seed"] for row in table["sessions"]] == seeds_of(2)  # type: ignore[attr-defined]


def test_what_is_kept_is_not_simulated_again(table: dict[str, object], folder: Path) -> None:
    said: list[str] = []
    again = evaluate_forecast(WEIGHTS, WANTED, said.append, folder)
    assert msgspec.json.encode(again) == msgspec.json.encode(table)
    assert said[0] == "2 sessions of 0.4 minutes, 2 of them as kept"
    assert not any("judged" in line for line in said)


def test_one_that_was_broken_off_goes_on_where_it_was(table: dict[str, object], folder: Path) -> None:
    last = max(folder.glob("*.npz"))
    last.write_bytes(last.read_bytes()[:100])
    said: list[str] = []
    again = evaluate_forecast(WEIGHTS, WANTED, said.append, folder)
    assert msgspec.json.encode(again) == msgspec.json.encode(table)
    assert sum("is judged" in line for line in said) == 1


def test_rows_that_say_nothing_are_flagged() -> None:
    fired = np.zeros((2, len(DEFAULT_POLICY)))
    fired[:, :4] = [[0, 1, 50, 99], [0, 0, 50, 99]]
    shares = rows({"fired": fired, "looks": np.array([100, 100])})
    assert list(shares.values())[:4] == [0.0, 0.005, 0.5, 0.99]
    assert shares.keys() == {row.name for row in DEFAULT_POLICY}


def test_another_question_finds_nothing_that_is_kept(table: dict[str, object], folder: Path) -> None:
    other = Kept(folder, "forecast", WEIGHTS.id, "another question")
    assert other.read(seeds_of(1)[0]) is None


def test_an_object_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "thing", 1)
    assert kept.read_object() is None
    kept.write_object({"a": [1, 2]})
    assert kept.read_object() == {"a": [1, 2]}
    (path,) = tmp_path.glob("thing-*.pickle")
    path.write_bytes(path.read_bytes()[:-1])
    assert kept.read_object() is None
    assert Kept(None, "thing", 1).read_object() is None


def test_a_session_is_the_same_each_time() -> None:
    one, again = (judged_session(Session(5), WANTED, WEIGHTS, (), quiet) for _ in range(2))
    assert one.keys() == again.keys()
    assert all(np.array_equal(one[name], again[name], equal_nan=True) for name in one)


def test_no_session_is_said() -> None:
    with pytest.raises(ValueError, match="at least one"):
        seeds_of(0)


# ------------------------------------------------------------ one beside another


def test_a_model_against_itself_differs_by_nothing_and_against_another_by_something() -> None:
    parts = [whole(planted(1, 2000)), whole(planted(2, 2000))]
    ours, theirs = judge(WEIGHTS, parts), judge(weights_of(random_net(2)), parts)
    same, other = differences(ours, ours), differences(ours, theirs)
    for head in ("direction", "slippage", "fill", "spread"):
        row = same[head]
        assert row is not None
        assert (row["mean"], row["lo"], row["hi"]) == (0.0, 0.0, 0.0)
        assert other[head] != row
    assert differences(ours, theirs, direction=False)["direction"] is None


def test_both_stand_on_the_same_moments_however_they_are_merged() -> None:
    parts = [whole(planted(1, 1500)), whole(planted(2, 1500))]
    together = judge(WEIGHTS, parts)
    apart = merged([judge(WEIGHTS, [part]) for part in parts])
    assert all(np.array_equal(together[name], apart[name], equal_nan=True) for name in together)


def test_a_verdict_needs_an_interval_beside_zero() -> None:
    row = {"mean": -0.1, "lo": -0.2, "hi": -0.05, "n": 9}
    table = {"first": "a", "second": "b", "data": "made", "notes": [THRESHOLDS],
             "paired": {"fill": row, "spread": row | {"hi": 0.1}, "impact": None}}  # fmt: skip
    said = list(lines(table))
    assert "the first is better" in said[1]
    assert "no difference can be told" in said[2]
    assert "not compared" in said[3]
    assert said[4] == THRESHOLDS


def test_the_command_says_in_a_sentence_what_cannot_be_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "forecast", "--seeds", "0", "--data", str(tmp_path)]) == 1
    assert "at least one" in capsys.readouterr().err
    assert main(["evaluate", "forecast", "--model", "lstm-none", "--data", str(tmp_path)]) == 1
    assert "no model 'lstm-none'" in capsys.readouterr().err
