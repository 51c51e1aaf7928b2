"""Bad input at the command line: one clear sentence, a non-zero exit, no traceback, nothing lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_CLIENT")}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**known, **environment},
    )


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr, done.stderr


def test_an_unknown_replay_file(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.txt"
    refused(run("-m", "engine", "run", "--data", str(tmp_path), "--replay", str(missing)), str(missing))


def test_a_replay_file_that_is_no_recording(tmp_path: Path) -> None:
    strange = tmp_path / "strange.txt"
    strange.write_bytes(bytes(range(256)) * 10)
    refused(run("-m", "engine", "run", "--data", str(tmp_path), "--replay", str(strange)), str(strange))


def test_a_replay_file_without_an_end(tmp_path: Path) -> None:
    refused(run("-m", "engine", "run", "--data", str(tmp_path), "--replay", "/dev/zero"), "/dev/zero", "not a file")


def test_a_folder_that_is_no_session(tmp_path: Path) -> None:
    refused(run("-m", "engine", "run", "--data", str(tmp_path), "--replay", str(tmp_path)), "no session.json")


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(run("app.py", "--port", port, "--data", str(tmp_path)), port, "in use")
        refused(run("-m", "engine", "venue", "--port", port), port, "in use")
    assert not any(tmp_path.iterdir()), "nothing was started"


def test_a_missing_secret(tmp_path: Path) -> None:
    done = run("-m", "engine", "run", "--venue", "test", "--data", str(tmp_path))
    refused(done, "TIDEGATE_CLIENT_ID", "TIDEGATE_CLIENT_SECRET")


def test_live_does_not_arm(tmp_path: Path) -> None:
    done = run("-m", "engine", "run", "--venue", "live", "--data", str(tmp_path),
               TIDEGATE_CLIENT_ID="someone", TIDEGATE_CLIENT_SECRET="something")  # fmt: skip
    refused(done, "probe")
    assert "something" not in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[limits]\norder_contract = 3\n", "order_contract"),
        ("[limits]\norder_contracts = 'many'\n", "order_contracts"),
        ("not toml at all", "settings"),
    ],
)
def test_bad_settings(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    refused(run("-m", "engine", "run", "--data", str(tmp_path)), words)


def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    refused(run("-m", "engine", "verify", "nothing", "--data", str(tmp_path)), "nothing")
    refused(run("-m", "engine", "verify", "../../etc", "--data", str(tmp_path)))


def test_no_sessions_are_one_json_object_too(tmp_path: Path) -> None:
    done = run("-m", "engine", "sessions", "--json", "--data", str(tmp_path))
    assert (done.returncode, json.loads(done.stdout)) == (0, {"sessions": []})


def test_a_kill_with_nothing_to_kill(tmp_path: Path) -> None:
    refused(run("-m", "engine", "kill", "--data", str(tmp_path)), "nothing to kill")


def test_a_drill_of_nothing(tmp_path: Path) -> None:
    refused(run("-m", "engine", "drill", "--data", str(tmp_path)), "no engine runs")
    refused(run("-m", "engine", "drill", "--venue", "live", "--data", str(tmp_path)), "never on live")


def test_a_probe_of_nothing(tmp_path: Path) -> None:
    refused(run("-m", "engine", "probe", "--data", str(tmp_path)), "no paper venue runs")
    refused(run("-m", "engine", "probe", "--venue", "test", "--data", str(tmp_path)), "TIDEGATE_CLIENT_ID")


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--speed", "0"], ["--speed", "fast"], ["--venue", "moon"]])
def test_bad_options(arguments: list[str]) -> None:
    refused(run("app.py", *arguments), arguments[0])


def test_help_names_every_command() -> None:
    done = run("-m", "engine", "--help")
    assert done.returncode == 0
    for command in ("run", "venue", "import", "sessions", "verify", "kill", "probe", "train", "evaluate"):
        assert command in done.stdout
        assert run("-m", "engine", command, "--help").returncode == 0
