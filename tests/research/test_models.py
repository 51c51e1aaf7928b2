"""The command `models`, alone and beside a running engine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.__main__ import main
from engine.shell.registry import Registry, shipped
from tests.forecast.weights import random_net, weights_of
from tests.processes import ROOT

SHIPPED = shipped()[-1].stem
ONE = weights_of(random_net(1))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one candidate."""
    file = tmp_path / "one.weights"
    file.write_bytes(ONE.to_bytes())
    assert main(["models", "add", str(file), "--data", str(tmp_path / "data")]) == 0
    return tmp_path / "data"


def test_the_list_says_what_each_is(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["models", "--data", str(data)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{SHIPPED}  champion, shipped")
    assert "lstm 0." in first
    assert second.startswith(f"{ONE.id}  candidate, kept")
    assert main(["models", "list", "--json", "--data", str(data)]) == 0
    said = msgspec.json.decode(capsys.readouterr().out)
    assert said["champion"] == SHIPPED
    assert [row["id"] for row in said["models"]] == [SHIPPED, ONE.id]


def test_promote_and_roll_back_without_an_engine(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "promote", ONE.id, "--data", str(data)]) == 0
    assert "engines start with it" in capsys.readouterr().out
    assert main(["models", "rollback", "--json", "--data", str(data)]) == 0
    assert json.loads(capsys.readouterr().out) == {"champion": SHIPPED, "engines": []}
    assert [step.did for step in Registry(data).record().history] == ["promote", "rollback"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["promote"], "takes 1 model"),
        (["compare", "a"], "takes 2 models"),
        (["list", "a"], "takes no models"),
        (["promote", "lstm-none"], "no model 'lstm-none'"),
        (["rollback"], "nothing has been promoted"),
        (["add", "/nowhere"], "is not there"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments, "--data", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["-1", "nan", "inf", "1e-9", "soon"])
@pytest.mark.parametrize("command", [["train"], ["evaluate", "forecast"], ["models", "compare", "a", "b"]])
def test_a_length_that_no_session_has_is_refused_before_anything_runs(
    command: list[str], minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--minutes", minutes])
    assert "argument --minutes" in capsys.readouterr().err


def test_a_spoilt_file_is_listed_with_its_reason_and_not_promoted(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "models" / f"{ONE.id}.weights").write_bytes(ONE.to_bytes()[:-1])
    assert main(["models", "--data", str(data)]) == 0
    assert "NOT USABLE: the weights file is cut short" in capsys.readouterr().out
    assert main(["models", "promote", ONE.id, "--data", str(data)]) == 1
    assert "cut short" in capsys.readouterr().err
    assert Registry(data).champion() == SHIPPED


@pytest.mark.processes
def test_a_running_engine_takes_it_up_and_its_tape_verifies(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "engine", "run", "--data", str(data), "--seed", "3"]
    engine = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True)
    try:
        assert engine.stdout is not None
        assert engine.stdout.readline().startswith("engine: ")
        capsys.readouterr()
        assert main(["models", "promote", ONE.id, "--data", str(data)]) == 0
        assert "the engine on the paper venue uses it now" in capsys.readouterr().out
        (data / "models" / f"{ONE.id}.weights").write_bytes(b"spoilt")
        assert main(["models", "rollback", "--json", "--data", str(data)]) == 0
        assert json.loads(capsys.readouterr().out) == {"champion": SHIPPED, "engines": ["paper"]}
        (data / "models" / f"{ONE.id}.weights").write_bytes(ONE.to_bytes())
    finally:
        engine.send_signal(signal.SIGINT)
        engine.wait()
        assert engine.stdout is not None
        engine.stdout.close()
    assert [step.by for step in Registry(data).record().history] == ["command line", "command line"]
    (session,) = (data / "paper" / "sessions").iterdir()
    assert main(["verify", str(session), "--data", str(data)]) == 0
    assert "the same facts" in capsys.readouterr().out
