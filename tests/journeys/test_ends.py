"""However a desk ends, what it started ends with it, and the session is whole."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from engine.shell.store.sessions import sessions
from tests import processes


def ports(data: Path) -> list[int]:
    """Of all that runs for a desk beside its page: the engine and the paper venue."""
    return [int(json.loads((data / "paper" / f"{who}.json").read_text())["port"]) for who in ("engine", "venue")]


def answers(port: int) -> bool:
    with socket.socket() as line:
        line.settimeout(5)
        return line.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_desk_that_is_told_to_end_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    with processes.desk(tmp_path / "data") as desk:
        running = ports(desk.data)
        assert all(answers(port) for port in running)
        assert desk.stop(number) == 0
    assert not any(answers(port) for port in running)
    assert [row.state for row in sessions(tmp_path / "data" / "paper")] == ["closed"]


def test_a_desk_whose_engine_has_just_died_takes_the_venue_with_it(tmp_path: Path) -> None:
    with processes.desk(tmp_path / "data") as desk:
        venue = ports(desk.data)[1]
        desk.kill_engine()
        assert desk.stop() == 0
    assert not answers(venue)


def test_a_desk_that_cannot_have_the_folder_leaves_the_venue_of_who_has_it(tmp_path: Path) -> None:
    with processes.engine(tmp_path / "data") as engine:
        running = ports(engine.data)
        (engine.data / "paper" / "engine.json").unlink()  # as if it had not said yet where it is
        with pytest.raises(AssertionError, match="belongs to a running engine"):
            processes.desk(engine.data)
        assert all(answers(port) for port in running)
