"""The registry: what is refused and why, what is promoted and comes back, and that a kill leaves it whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine import messages as m
from engine.config import Config
from engine.forecast.parameters import BadWeights, Weights
from engine.shell.registry import LARGEST, Registry, shipped, wanted
from engine.shell.swaps import Swaps
from tests.forecast.weights import random_net, weights_of
from tests.processes import ROOT

SHIPPED = shipped()[-1].stem
BY = "trader"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "data")


def kept(registry: Registry, seed: int = 1, **changes: object) -> Weights:
    """A small model that is added as a candidate."""
    weights = weights_of(random_net(seed), **changes)
    path = registry.folder.parent.with_name(f"{weights.id}.new")
    path.write_bytes(weights.to_bytes())
    assert registry.add(path) == weights.id
    return weights


def test_the_shipped_weights_are_the_champion_until_something_is_promoted(registry: Registry) -> None:
    (row,) = registry.entries()
    assert (row.id, row.where, row.champion, row.bad) == (SHIPPED, "shipped", True, "")
    assert row.crowd_hash
    assert row.log_loss["lstm"]
    assert wanted(registry, Config())[0] == SHIPPED
    assert not registry.folder.exists(), "to look changes nothing"


def test_promote_and_roll_back_go_through_champions_and_keep_their_history(registry: Registry) -> None:
    one, two = kept(registry, 1, code="1.2+abc"), kept(registry, 2)
    assert [row.id for row in registry.entries()][1:] == sorted((one.id, two.id))
    assert next(row for row in registry.entries() if row.id == one.id).code == "1.2+abc"
    assert registry.promote(one.id, BY).to_bytes() == one.to_bytes()
    registry.promote(two.id, "another")
    assert registry.champion() == two.id
    assert Registry(registry.folder.parent).champion() == two.id, "it is on disk"
    assert [registry.roll_back(BY).id for _ in range(2)] == [one.id, SHIPPED]
    with pytest.raises(BadWeights, match="nothing has been promoted"):
        registry.roll_back(BY)
    steps = registry.record().history
    assert [(step.did, step.model, step.before, step.by) for step in steps] == [
        ("promote", one.id, SHIPPED, BY),
        ("promote", two.id, one.id, "another"),
        ("rollback", one.id, two.id, BY),
        ("rollback", SHIPPED, one.id, BY),
    ]
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_the_champion_promoted_again_is_no_step(registry: Registry) -> None:
    one = kept(registry)
    registry.promote(one.id, BY)
    registry.promote(one.id, BY)
    assert len(registry.record().history) == 1


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: data[:-100], "cut short or damaged"),
        (lambda data: data[:200] + b"?" + data[201:], "cut short or damaged"),
        (lambda data: b"", "not a weights file"),
        (lambda data: weights_of(random_net(9)).to_bytes(), "holds another model"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(registry: Registry, spoil: object, reason: str) -> None:
    assert callable(spoil)
    good, bad = kept(registry, 1), kept(registry, 2)
    registry.promote(good.id, BY)
    path = registry.folder / f"{bad.id}.weights"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BadWeights, match=reason):
        registry.promote(bad.id, BY)
    assert registry.champion() == good.id, "the old one goes on"
    assert registry.find(bad.id) is None
    assert reason in next(row.bad for row in registry.entries() if row.id == bad.id)


@pytest.mark.parametrize(
    "told",
    [
        {"scores": {"direction": 5}}, {"scores": {"direction": {"log_loss": [1]}, "intervals": 3}},
        {"training": {"regimes": 5}}, {"training": {"regimes": [["a"]]}}, {"training": {"minutes": "ten"}},
    ],
)  # fmt: skip
def test_a_header_that_tells_nonsense_of_its_past_is_listed_without_it(
    registry: Registry, told: dict[str, object]
) -> None:
    odd = kept(registry, 3, **told)
    row = next(row for row in registry.entries() if row.id == odd.id)
    assert (row.bad, row.minutes, row.regimes, row.log_loss) == ("", None, (), {})
    swaps = Swaps(registry)
    swaps.look()
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(swaps.view("")), type=m.ModelsView)
    assert len(again.models) == 2


def test_what_is_not_a_file_of_ours_is_listed_with_its_reason(registry: Registry) -> None:
    registry.folder.mkdir(parents=True)
    (registry.folder / "folder.weights").mkdir()
    (registry.folder / "gone.weights").symlink_to("nowhere")
    os.mkfifo(registry.folder / "pipe.weights")
    with (registry.folder / "vast.weights").open("wb") as file:
        file.truncate(LARGEST + 1)
    bad = {row.id: row.bad for row in registry.entries() if row.bad}
    assert {model: why.rpartition(" is ")[2] for model, why in bad.items()} == {
        "folder": "not a file", "gone": "not a file", "pipe": "not a file",
        "vast": "far larger than any of this desk's",
    }  # fmt: skip
    with pytest.raises(BadWeights, match="not a file"):
        registry.add(registry.folder / "pipe.weights")


def test_a_registry_that_cannot_be_looked_at_is_said_and_stops_nobody(registry: Registry) -> None:
    swaps = Swaps(registry)
    swaps.look()
    assert len(swaps.view("").models) == 1
    registry.folder.mkdir(parents=True)
    endless = registry.folder / "endless.weights"
    endless.symlink_to("n" * 300)
    swaps.look()
    assert swaps.view("").note == "the registry cannot be read: File name too long"
    assert len(swaps.view("").models) == 1, "what was seen last"
    endless.unlink()
    swaps.look()
    assert swaps.view("").note == ""


def test_an_unknown_model_and_a_garbled_record_are_said(registry: Registry) -> None:
    with pytest.raises(BadWeights, match="no model 'lstm-x'"):
        registry.promote("lstm-x", BY)
    kept(registry)
    (registry.folder / "champion.json").write_bytes(b'{"promoted": [')
    model, weights, why = wanted(registry, Config())
    assert (model, weights) == ("", None)
    assert "cannot be read" in why


def test_a_spoilt_champion_leaves_the_desk_on_baselines_and_says_why(registry: Registry) -> None:
    one = kept(registry)
    registry.promote(one.id, BY)
    (registry.folder / f"{one.id}.weights").write_bytes(b"TIDEGATE-WEIGHTS-1\n")
    model, weights, why = wanted(registry, Config())
    assert (model, weights) == (one.id, None)
    assert "cut short" in why
    assert wanted(registry, Config(model=SHIPPED))[1] is not None, "the settings name another"
    assert registry.usable() == ""


LOOP = """
import sys
from pathlib import Path
from engine.shell.registry import Registry
registry = Registry(Path(sys.argv[1]))
while True:
    for model in sys.argv[2:]:
        registry.promote(model, "loop")
        print(model, flush=True)
"""


@pytest.mark.processes
def test_a_kill_while_it_is_written_leaves_a_whole_record(registry: Registry) -> None:
    ids = [kept(registry, seed).id for seed in (1, 2)]
    said = 0
    for round_ in range(5):
        loop = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(registry.folder.parent), *ids], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert loop.stdout is not None
        for _ in range(3 + 7 * round_):
            said += bool(loop.stdout.readline())
        loop.send_signal(signal.SIGKILL)
        loop.wait()
        loop.stdout.close()
        record = registry.record()
        assert record.promoted[-1] in ids
        assert len(record.history) >= said - round_, "what was said to be done is there"
        assert all(a.model == b.before for a, b in zip(record.history, record.history[1:], strict=False))
    assert registry.roll_back(BY).id in ids, "and the next command goes on from it"
