"""`evaluate execution`: pairs and intervals by table, its JSON, what is kept, and one market run for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config, Execution
from engine.domain import Side
from engine.paper.crowd.settings import REGIMES, held_out, settings_of
from engine.research import evaluate_execution as evaluation
from engine.research.cluster import Workers
from engine.research.evaluate_execution import JUDGED_SEED, TUNING_SEED, WATCH_SEED, Wanted, evaluate_execution
from engine.research.execution_orders import ALGORITHMS, BASELINES, MARKS_S, Ordered, Outcome, Skipped, Task, Under
from engine.research.execution_runs import Prepared, prepared, runs
from engine.research.execution_shelf import Shelf
from engine.research.execution_tables import cost, lines, paired, tabled
from engine.research.picture_execution import picture
from engine.research.train import FRESH_SEED
from tests.forecast.weights import random_net, weights_of

WEIGHTS = weights_of(random_net())
ORDER = Ordered("BTC-13MAR26-99000-C", Side.BUY, 20.0, 4.0)


def outcome(seed: int, algorithm: str, shortfall: float, **more: Any) -> Outcome:
    usual: dict[str, Any] = {
        "regime": "normal", "order": ORDER, "fees": 0.6, "half_spread": 0.5, "depth": 5.0, "missing": 0.0,
        "missing_ticks": 0.0, "passive": 0.0, "children": 4, "seconds": 200.0, "market_s": 240.0, "cpu_s": 36.0,
        "rows": {"schedule": Under(children=4, filled=20.0, edge=20.0 * shortfall)}, "fired": {"schedule": 10},
    }  # fmt: skip
    return Outcome(seed=seed, algorithm=algorithm, shortfall=shortfall, **(usual | more))


def test_a_pair_is_of_one_seed_and_its_share_of_what_twap_costs() -> None:
    mine = {1: outcome(1, "adaptive", 1.0), 2: outcome(2, "adaptive", -3.0), 3: outcome(3, "adaptive", 9.0)}
    twap = {1: outcome(1, "twap", 2.0), 2: outcome(2, "twap", -2.0)}
    found = paired(mine, twap)
    assert (found["n"], found["mean"], found["lo"], found["hi"]) == (2, -1.0, -1.0, -1.0)
    assert found["share"] == -0.5
    assert found["of_half_spread"] == -2.0
    assert paired(mine, {})["mean"] is None
    assert paired({3: mine[3]}, {3: outcome(3, "twap", 8.0)})["lo"] is None, "one seed has no interval"


@given(st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=20))
def test_an_interval_holds_its_mean_and_lies_among_the_differences(differences: list[float]) -> None:
    mine = {k: outcome(k, "adaptive", x) for k, x in enumerate(differences)}
    found = paired(mine, {k: outcome(k, "twap", 0.0) for k in mine})
    assert min(differences) - 1e-9 <= found["lo"] <= found["hi"] <= max(differences) + 1e-9


def test_the_table_has_the_shape_that_others_script_against() -> None:
    every = [outcome(k, name, 1.0, regime=regime)
             for k, regime in enumerate(("calm", "thin")) for name in ("adaptive", "twap")]  # fmt: skip
    table = tabled([*every, Skipped(9, "crisis", "nobody was there")]) | {"data": "two markets"}
    again = msgspec.json.decode(msgspec.json.encode(table))
    assert again["seeds"] == 2
    assert again["core_hours"] == pytest.approx(4 * 36.0 / 3600.0)
    assert set(again["regimes"]) == {"calm", "thin"}
    for algorithms in (*again["regimes"].values(), again["pooled"]):
        assert set(algorithms) == {"adaptive", "twap"}
        for row in algorithms.values():
            assert {"n", "shortfall_ticks", "of_half_spread", "vs_twap"} <= row.keys()
            assert {"mean", "lo", "hi"} <= row["vs_twap"].keys()
    assert again["pooled"]["adaptive"]["of_half_spread"] == 2.0
    assert again["skipped"] == {"9": "crisis: nobody was there"}
    assert any("pooled" in line and "adaptive" in line for line in lines(table))


def test_the_picture_shows_what_the_table_knows() -> None:
    every = [outcome(k, name, k + (name == "twap"), regime=regime)
             for k, regime in enumerate(("calm", "thin", "calm")) for name in ALGORITHMS]  # fmt: skip
    table = tabled(every) | {"data": "three < markets", "model": "lstm-0"}
    page = ElementTree.fromstring(picture(table))
    told = [element.text or "" for element in page.iter() if element.tag.endswith("text")]
    for words in ("calm", "thin", "pooled", "VWAP", "Almgren–Chriss", "what is unfilled", "-50%  n 3"):
        assert any(words in line for line in told), words
    alone = picture(tabled(every[:1]) | {"data": "one", "model": ""})
    assert "Where the cost sits" in alone
    assert "beyond TWAP" not in alone
    with pytest.raises(ValueError, match="nothing to draw"):
        picture(tabled([]) | {"data": "", "model": ""})


def test_seeds_for_choosing_are_no_seeds_for_claiming_nor_of_any_training() -> None:
    judged = {task.seed for task in Wanted(seeds=5000).tasks()}
    tuned = {task.seed for task in Wanted(seeds=5000, tuning=True).tasks()}
    watching = {WATCH_SEED + k for k in range(len(REGIMES))}
    assert not judged & tuned
    assert not (judged | tuned) & watching
    assert min(judged | tuned | watching) > FRESH_SEED + evaluation.MOST
    assert TUNING_SEED + evaluation.MOST <= JUDGED_SEED
    assert JUDGED_SEED + evaluation.MOST <= WATCH_SEED


def test_regimes_come_in_turn_and_the_rest_of_the_algorithms_on_the_first_seeds() -> None:
    wanted = Wanted(seeds=12, others=6)
    assert [task.regime for task in wanted.tasks()] == [*REGIMES, *REGIMES]
    assert set(wanted.algorithms_of(5)) == set(ALGORITHMS)
    assert set(wanted.algorithms_of(6)) == {"adaptive", "twap"}
    for wrong in (Wanted(seeds=0), Wanted(regimes=("stormy",)), Wanted(algorithms=("adaptive", "luck"))):
        with pytest.raises(ValueError, match=r"seeds|there is no"):
            wrong.tasks()


def test_a_market_of_a_regime_is_none_that_was_trained_on() -> None:
    known = {settings_of(regime) for regime in REGIMES}
    for regime in REGIMES:
        drawn = {held_out(seed, regime) for seed in range(20)}
        assert len(drawn) == 20
        assert not drawn & known
        widths = {one.option_makers.width for one in drawn}
        assert widths == {settings_of(regime).option_makers.width}, "it is still of its regime"


def test_what_is_kept_hangs_on_what_it_was_run_under(tmp_path: Path) -> None:
    task, other = Task(1, "calm"), Config(execution=Execution(base_child=3.0))
    shelf = Shelf(tmp_path, WEIGHTS, Config())
    for name in ("adaptive", "twap"):
        shelf.write(task, name, outcome(1, name, 1.0))
        assert shelf.read(task, name) == outcome(1, name, 1.0)
        assert Shelf(tmp_path, WEIGHTS, other).read(task, name) is None
        assert shelf.read(Task(1, "calm", 2.0), name) is None
    rows = Config(policy=Config().policy[:3])
    assert Shelf(tmp_path, WEIGHTS, rows).read(task, "twap") is not None, "TWAP reads no row"
    assert Shelf(tmp_path, WEIGHTS, rows).read(task, "adaptive") is None
    next(tmp_path.glob("*-twap.json")).write_bytes(b"torn")
    assert shelf.read(task, "twap") is None


@pytest.fixture(scope="module")
def ready() -> Prepared:
    found = prepared(Task(TUNING_SEED, "normal", 0.2, 3.0), WEIGHTS, None)
    assert isinstance(found, Prepared)
    return found


@pytest.fixture(scope="module")
def real(ready: Prepared) -> list[Outcome | Skipped]:
    """One market of the paper venue, for real: three algorithms on a parent of some seconds."""
    return list(runs(ready, ("adaptive", "twap", "cross_at_once"), WEIGHTS))


def test_costs_add_up(real: list[Outcome | Skipped]) -> None:
    for one in real:
        assert isinstance(one, Outcome)
        assert one.shortfall == pytest.approx(sum(cost([one]).values()))
        assert sum(under.filled for under in one.rows.values()) == pytest.approx(one.order.quantity * (1 - one.missing))
        assert sum(under.children for under in one.rows.values()) == one.children
        assert all(len(under.after) == len(MARKS_S) for under in one.rows.values())
        assert one.half_spread > 0.0


def test_taking_all_at_once_takes_all_at_once(real: list[Outcome | Skipped]) -> None:
    one = real[2]
    assert isinstance(one, Outcome)
    assert one.rows.keys() <= {"press", "schedule"}, "what the book did not hold goes on as TWAP does"
    assert one.rows["press"].children == 1
    assert one.rows["press"].filled > one.depth, "it walks the book"
    assert one.rows["press"].passive == 0.0
    assert one.rows["press"].edge > 0.0


def test_twap_is_the_same_whether_a_model_is_there_or_not(ready: Prepared, real: list[Outcome | Skipped]) -> None:
    """Runs of schedules are made without one: it would change nothing but the time they take."""
    (one,) = runs(ready, ("twap",), WEIGHTS, blind=())
    assert isinstance(one, Outcome)
    assert isinstance(real[1], Outcome)
    assert msgspec.structs.replace(one, cpu_s=0.0) == msgspec.structs.replace(real[1], cpu_s=0.0)
    assert "twap" in BASELINES


def test_what_was_run_is_not_run_again(tmp_path: Path) -> None:
    said: list[str] = []
    wanted = Wanted(
        seeds=2, minutes=0.1, warm_s=1.0, watch_minutes=0.05, algorithms=("adaptive", "twap"), workers=Workers(1),
        regimes=("calm",), tuning=True,
    )  # fmt: skip
    first = evaluate_execution(WEIGHTS, wanted, said.append, tmp_path)
    assert said[0] == "2 seeds, 0 runs as kept, 4 to run"
    next(tmp_path.glob(f"*-{TUNING_SEED}-twap.json")).unlink()
    said.clear()
    again = evaluate_execution(WEIGHTS, wanted, said.append, tmp_path)
    assert said[0] == "2 seeds, 3 runs as kept, 1 to run"
    assert len(said) == 2, "what was watched is kept, too"
    assert again | {"core_hours": 0.0} == first | {"core_hours": 0.0}
    assert first["seeds"] == 2
    assert "for choosing settings by" in first["data"]
