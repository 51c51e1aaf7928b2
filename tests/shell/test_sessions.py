"""The list of sessions, from files as they are: closed, running, cut off, broken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from engine.shell.store.folders import Meta, folder_of
from engine.shell.store.sessions import Session, sessions
from engine.shell.store.tape import Tape, segments
from tests.shell.items import T0, frame

ROOT = Path(__file__).resolve().parents[2]


def begin(data: Path, name: str, started: int, inputs: int) -> Tape:
    meta = Meta(name=name, mode="paper", started=started, code="abc", instruments=3)
    tape = Tape.create(folder_of(data, name), meta, block=200, segment=600)
    for n in range(1, inputs + 1):
        tape.append(frame(n, os.urandom(100)))
    tape.sync()
    return tape


def test_none_where_there_is_nothing(tmp_path: Path) -> None:
    assert sessions(tmp_path) == []


def test_closed_and_running_ones_oldest_first(tmp_path: Path) -> None:
    running = begin(tmp_path, "a", T0 + 5, 7)
    begin(tmp_path, "b", T0, 4).close()
    empty = begin(tmp_path, "c", T0 + 9, 0)
    known = Session(name="", state="running", mode="paper", code="abc", instruments=3)
    assert [msgspec.structs.replace(one, size=0) for one in sessions(tmp_path)] == [
        msgspec.structs.replace(known, name="b", state="closed", start=T0, end=frame(4).t, inputs=4),
        msgspec.structs.replace(known, name="a", start=T0 + 5, end=frame(7).t, inputs=7),
        msgspec.structs.replace(known, name="c", start=T0 + 9, end=T0 + 9, inputs=0),
    ]
    running.close()
    empty.close()
    assert [one.state for one in sessions(tmp_path)] == ["closed"] * 3


def test_size_is_that_of_its_files(tmp_path: Path) -> None:
    begin(tmp_path, "a", T0, 20).close()
    files = [path for path in (tmp_path / "sessions" / "a").rglob("*") if path.is_file()]
    assert sessions(tmp_path)[0].size == sum(path.stat().st_size for path in files) > 2000


def test_one_whose_writer_was_killed_is_recovered_to_its_last_whole_block(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.shell.test_sessions import begin\n"
        "tape = begin(Path(sys.argv[1]), 'a', 1, 9); print('written', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        assert [(one.state, one.inputs) for one in sessions(tmp_path)] == [("running", 9)]
        writer.send_signal(signal.SIGKILL)
    assert [(one.state, one.inputs) for one in sessions(tmp_path)] == [("recovered", 9)]
    last = segments(tmp_path / "sessions" / "a")[-1]
    os.truncate(last, last.stat().st_size - 1)
    assert [(one.state, one.inputs, one.end) for one in sessions(tmp_path)] == [("recovered", 8, frame(8).t)]


def test_an_unreadable_one_is_listed_with_the_reason(tmp_path: Path) -> None:
    begin(tmp_path, "a", T0, 2).close()
    (tmp_path / "sessions" / "a" / "session.json").write_text("{")
    (tmp_path / "sessions" / "b").mkdir()
    (tmp_path / "sessions" / "stray.txt").touch()
    found = sessions(tmp_path)
    assert [(one.name, one.state) for one in found] == [("a", "unreadable"), ("b", "unreadable")]
    assert "cannot be understood" in found[0].note
    assert "there is no session 'b'" in found[1].note
