"""What the journal was told is there afterwards, for others too, and it says so when it cannot be."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domain import Side
from engine.messages import Fact, Filled, Reconciled, Refused
from engine.shell.store.folders import Meta, folder_of, meta_of
from engine.shell.store.journal import BadJournal, Journal, JournalReader
from engine.shell.store.tape import Tape, read
from engine.shell.store.writers import Recorder, Writer
from tests.shell.items import T0, frame

ROOT = Path(__file__).resolve().parents[2]
WAIT = 30.0  # a bound on waiting for another thread or process, never an expectation


def fact(n: int) -> Fact:
    if n % 3 == 0:
        return Refused(n=n, t=T0 + n, cause=n * 2, command=f"c{n}", user="anna", reason="über dem Limit")
    if n % 3 == 1:
        return Reconciled(n=n, t=T0 + n, cause=n * 2, differences=("one", "two"))
    return Filled(n=n, t=T0 + n, cause=n * 2, trade=f"t{n}", child="d1", instrument="BTC-PERPETUAL", side=Side.BUY,
                  quantity=3, price=120_001, fee=-1e-7, maker=True, at=T0)  # fmt: skip


def facts(first: int, last: int) -> list[Fact]:
    return [fact(n) for n in range(first, last + 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    yield journal
    journal.close()


class TestFacts:
    def test_what_was_appended_is_read_in_order(self, journal: Journal) -> None:
        assert journal.last == 0
        journal.append(facts(1, 3), "one")
        journal.append(facts(4, 4), "one")
        assert list(journal.facts()) == facts(1, 4)
        assert list(journal.facts(after=2)) == facts(3, 4)
        assert journal.last == 4

    def test_more_than_a_page(self, journal: Journal) -> None:
        journal.append(facts(1, 2500), "one")
        assert list(journal.facts()) == facts(1, 2500)
        assert [one.n for one in journal.facts(after=999)] == list(range(1000, 2501))

    def test_it_spans_sessions(self, path: Path) -> None:
        for session, first, last in (("one", 1, 4), ("two", 5, 6), ("three", 7, 9)):
            journal = Journal(path)
            assert journal.last == first - 1
            journal.append(facts(first, last), session)
            journal.close()
        reader = JournalReader(path)
        assert list(reader.facts()) == facts(1, 9)
        assert list(reader.facts(session="two")) == facts(5, 6)
        assert list(reader.facts(after=7, session="three")) == facts(8, 9)
        assert list(reader.facts(session="four")) == []
        reader.close()

    @pytest.mark.parametrize("numbers", [[2], [0], [1, 3], [1, 1], [2, 1]])
    def test_numbers_that_do_not_go_on_are_refused_whole(self, journal: Journal, numbers: list[int]) -> None:
        with pytest.raises(ValueError, match="cannot follow fact 0"):
            journal.append([fact(n) for n in numbers], "one")
        assert list(journal.facts()) == []

    def test_files_are_their_owners_alone(self, journal: Journal, path: Path) -> None:
        journal.append(facts(1, 1), "one")
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
        assert set(modes) >= {"journal.db", "journal.db-wal", "journal.db.lock"}
        assert set(modes.values()) == {0o600}

    def test_a_commit_waits_for_the_disk(self, journal: Journal, path: Path) -> None:
        settings = {
            name: journal._write.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        }
        assert settings == {"journal_mode": "wal", "synchronous": 2}


class TestOthers:
    def test_a_second_process_reads_while_the_first_writes(self, journal: Journal, path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from engine.shell.store.journal import JournalReader\n"
            "reader = JournalReader(Path(sys.argv[1]))\n"
            "for _ in sys.stdin: print(reader.last, [f.n for f in reader.facts()], flush=True)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            for n in range(1, 6):
                journal.append(facts(n, n), "one")
                other.stdin.write("look\n")
                other.stdin.flush()
                assert other.stdout.readline() == f"{n} {list(range(1, n + 1))}\n"
            other.stdin.close()
        assert other.returncode == 0

    def test_what_was_told_durable_survives_a_kill(self, path: Path) -> None:
        script = (
            "import sys, itertools, threading; from pathlib import Path\n"
            "from engine.shell.store.journal import Journal\n"
            "from engine.shell.store.writers import Writer; from tests.shell.test_journal import facts\n"
            "room = threading.Semaphore(4)\n"
            "def durable(n): print(n, flush=True); room.release()\n"
            "writer = Writer(Journal(Path(sys.argv[1])), 'one', durable, print)\n"
            "writer.start()\n"
            "for n in itertools.count(1, 5): room.acquire(timeout=0.01); writer.put(facts(n, n + 4))\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as other:
            assert other.stdout is not None
            told = [int(other.stdout.readline()) for _ in range(20)]
            other.send_signal(signal.SIGKILL)
            told += [int(line) for line in other.stdout if line.endswith("\n")]
        journal = Journal(path)
        kept = list(journal.facts())
        assert journal.last >= told[-1]
        assert kept == facts(1, journal.last)
        assert told == sorted(set(told))
        journal.append(facts(journal.last + 1, journal.last + 1), "two")
        journal.close()

    def test_a_second_engine_is_told_who_owns_it(self, journal: Journal, path: Path) -> None:
        with pytest.raises(BadJournal, match=rf"belongs to a running engine \(process {os.getpid()}\)"):
            Journal(path)
        journal.close()
        Journal(path).close()

    def test_a_reader_cannot_write(self, journal: Journal, path: Path) -> None:
        reader = JournalReader(path)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._read.execute("DELETE FROM facts")
        reader.close()


class TestBad:
    def test_no_journal_there(self, path: Path) -> None:
        with pytest.raises(BadJournal, match="there is no journal at"):
            JournalReader(path)
        assert not path.exists()

    @pytest.mark.parametrize("kind", [Journal, JournalReader])
    def test_a_file_that_is_no_database(self, tmp_path: Path, kind: type[JournalReader]) -> None:
        path = tmp_path / "journal.db"
        path.write_bytes(b"not a database at all" * 100)
        with pytest.raises(BadJournal, match="is no journal"):
            kind(path)
        assert path.read_bytes() == b"not a database at all" * 100

    @pytest.mark.parametrize("kind", [Journal, JournalReader])
    def test_a_database_that_is_no_journal(self, tmp_path: Path, kind: type[JournalReader]) -> None:
        path = tmp_path / "journal.db"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE facts (n INTEGER)")
        other.close()
        with pytest.raises(BadJournal, match="no journal of this desk"):
            kind(path)

    @pytest.mark.parametrize("kind", [Journal, JournalReader])
    def test_another_version(self, path: Path, kind: type[JournalReader]) -> None:
        journal = Journal(path)
        journal._write.execute("PRAGMA user_version = 7")
        journal.close()
        with pytest.raises(BadJournal, match="is of version 7; this engine reads version 1"):
            kind(path)

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("x'ff'", "fact 1 .* cannot be understood"),
            ("(SELECT body FROM facts WHERE n = 2)", "says that it is number 2"),
        ],
    )
    def test_a_garbled_fact_is_named(self, journal: Journal, body: str, said: str) -> None:
        journal.append(facts(1, 2), "one")
        journal._write.execute(f"UPDATE facts SET body = {body} WHERE n = 1")
        with pytest.raises(BadJournal, match=said):
            list(journal.facts())


class Told:
    """Collects what a writer's thread calls back."""

    def __init__(self) -> None:
        self.durable: list[int] = []
        self.broken: list[str] = []
        self.change = threading.Condition()

    def on_durable(self, n: int) -> None:
        with self.change:
            self.durable.append(n)
            self.change.notify_all()

    def on_broken(self, reason: str) -> None:
        with self.change:
            self.broken.append(reason)
            self.change.notify_all()

    def until(self, n: int) -> None:
        with self.change:
            assert self.change.wait_for(lambda: self.broken or (self.durable and self.durable[-1] >= n), WAIT)

    def until_broken(self) -> None:
        with self.change:
            assert self.change.wait_for(lambda: self.broken, WAIT)


class TestWriter:
    def test_what_is_called_durable_is_there_for_another_connection(self, journal: Journal, path: Path) -> None:
        reader, told = JournalReader(path), Told()
        writer = Writer(journal, "one", told.on_durable, told.on_broken)
        writer.start()
        for n in range(1, 200, 2):
            writer.put(facts(n, n + 1))
            if n % 50 == 1:
                told.until(n + 1)
                assert reader.last >= n + 1
        writer.close()
        assert told.durable == sorted(set(told.durable))
        assert told.durable[-1] == 200
        assert list(reader.facts(session="one")) == facts(1, 200)
        assert told.broken == []
        reader.close()

    def test_facts_that_came_together_are_committed_together(self, journal: Journal) -> None:
        told = Told()
        writer = Writer(journal, "one", told.on_durable, told.on_broken)
        for n in range(1, 50):
            writer.put(facts(n, n))
        writer.put([])
        writer.start()
        writer.close()
        assert told.durable == [49]

    def test_a_write_error_is_told_once_and_nothing_is_durable_after(self, journal: Journal, path: Path) -> None:
        told = Told()
        writer = Writer(journal, "one", told.on_durable, told.on_broken)
        writer.start()
        writer.put(facts(1, 2))
        told.until(2)
        journal._write.execute("PRAGMA max_page_count = 1")
        writer.put([Reconciled(n=3, t=T0, differences=("x" * 100_000,))])
        told.until_broken()
        journal._write.execute("PRAGMA max_page_count = 1000000")
        writer.put(facts(4, 5))
        writer.close()
        assert told.durable == [2]
        assert told.broken == ["the journal cannot be written: database or disk is full"]
        assert list(journal.facts()) == facts(1, 2)

    def test_once_mended_everything_is_written_in_its_order(self, journal: Journal) -> None:
        told = Told()
        writer = Writer(journal, "one", told.on_durable, told.on_broken)
        writer.mend()  # nothing is broken: nothing to mend
        writer.start()
        journal._write.execute("PRAGMA max_page_count = 1")
        large = Reconciled(n=1, t=T0, differences=("x" * 100_000,))
        writer.put([large])
        told.until_broken()
        writer.put(facts(2, 3))
        journal._write.execute("PRAGMA max_page_count = 1000000")
        writer.mend()
        told.until(3)
        writer.close()
        assert list(journal.facts()) == [large, *facts(2, 3)]

    def test_a_hole_in_the_numbers_breaks_it(self, journal: Journal) -> None:
        told = Told()
        writer = Writer(journal, "one", told.on_durable, told.on_broken)
        writer.start()
        writer.put(facts(2, 2))
        told.until_broken()
        writer.close()
        assert told.broken == ["the journal cannot be written: facts [2]… cannot follow fact 0 in the journal"]

    def test_a_writer_that_never_started_closes(self, journal: Journal) -> None:
        told = Told()
        Writer(journal, "one", told.on_durable, told.on_broken).close()
        assert told.durable == []


class TestRecorder:
    META = Meta(name="one", mode="paper", started=T0, code="abc")

    def test_the_tape_is_written_at_a_pace_and_closed_at_the_end(self, tmp_path: Path) -> None:
        told = Told()
        tape = Tape.create(folder_of(tmp_path, "one"), self.META)
        recorder = Recorder(tape, told.on_broken, flush_s=0.001)
        recorder.start()
        beat = threading.Event()
        for n in range(1, 20):
            tape.append(frame(n))
            while len(list(read(tape.folder))) < n:
                beat.wait(0.001)
        tape.append(frame(20))
        recorder.close()
        assert list(read(tape.folder)) == [frame(n) for n in range(1, 21)]
        assert meta_of(tape.folder).closed
        assert told.broken == []

    def test_a_write_error_is_told_once(self, tmp_path: Path) -> None:
        told = Told()
        tape = Tape.create(folder_of(tmp_path, "one"), self.META)
        (tape.folder / "tape-000001.seg").touch()
        recorder = Recorder(tape, told.on_broken, flush_s=0.001)
        recorder.start()
        tape.append(frame(1))
        told.until_broken()
        tape.append(frame(2))
        recorder.close()
        assert told.broken == [
            "the tape cannot be written: [Errno 17] File exists: " + repr(str(tape.folder / "tape-000001.seg"))
        ]
        assert not meta_of(tape.folder).closed

    def test_a_tape_that_fell_behind_is_told(self, tmp_path: Path) -> None:
        told = Told()
        tape = Tape.create(folder_of(tmp_path, "one"), self.META)
        recorder = Recorder(tape, told.on_broken, flush_s=0.001)
        for n in range(1, 6):
            tape.append(frame(n, bytes(16 << 20)))
        recorder.start()
        told.until_broken()
        recorder.close()
        assert told.broken == ["the tape cannot be written: the disk does not keep up with the inputs"]
