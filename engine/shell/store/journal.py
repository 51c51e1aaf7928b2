"""The desk's journal: every fact, in one SQLite file that spans sessions and is never rotated away.

One engine owns it (a locked file beside it says which process); screens, scripts and `verify` read it through
connections of their own. Commits are in WAL mode with `synchronous=FULL`: what `append` returned from survives a
power cut. A commit is whole or absent, so a journal ends between two batches and never inside one.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.messages import Fact, pack, unpack_fact
from engine.shell.store.folders import make_private, sync_folder

VERSION = 1
_APPLICATION = 0x54494445  # "TIDE", in the file's header
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION};
CREATE TABLE facts (n INTEGER PRIMARY KEY, t INTEGER NOT NULL, cause INTEGER NOT NULL, session TEXT NOT NULL,
                    body BLOB NOT NULL) STRICT;
CREATE INDEX facts_of_session ON facts (session, n);
"""
_PAGE = 1000  # facts read at once: a reader never holds the log open for longer than that


class BadJournal(ValueError):
    """A journal that cannot be used. Its text is fit for a person."""


class JournalReader:
    """Reads a journal that somebody else may be writing. Raises BadJournal."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise BadJournal(f"there is no journal at {path}")
        self.path = path
        self._read = _connect(path)
        self._read.execute("PRAGMA query_only=ON")
        try:
            _check(self._read, path)
        except BadJournal:
            self._read.close()
            raise

    def facts(self, after: int = 0, session: str = "") -> Iterator[Fact]:
        """Facts numbered above `after`, in order, of all sessions or of one. Raises BadJournal at a garbled one."""
        sql = f"SELECT n, body FROM facts WHERE n > ? {'AND session = ?' if session else ''} ORDER BY n LIMIT {_PAGE}"
        while rows := self._rows(sql, (after, session) if session else (after,)):
            for n, body in rows:
                yield self._fact(n, body)
            after = rows[-1][0]

    @property
    def last(self) -> int:
        """Number of the last durable fact, 0 in an empty journal."""
        return int(self._rows("SELECT coalesce(max(n), 0) FROM facts", ())[0][0])

    def close(self) -> None:
        self._read.close()

    def _fact(self, n: int, body: bytes) -> Fact:
        try:
            fact: Fact = unpack_fact(body)
        except msgspec.DecodeError as error:
            raise BadJournal(f"fact {n} of {self.path} cannot be understood: {error}") from None
        if fact.n != n:
            raise BadJournal(f"fact {n} of {self.path} says that it is number {fact.n}")
        return fact

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[tuple[int, bytes]]:
        try:
            return self._read.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise BadJournal(f"the journal {self.path} cannot be read: {error}") from None


class Journal(JournalReader):
    """The owner's side. `append` is for one thread; the rest may run in another.

    Raises BadJournal for a file that is no journal, one of another version, or one that another engine owns.
    """

    def __init__(self, path: Path) -> None:
        make_private(path.parent)
        self._lock = _own(path)
        self._closed = False
        try:
            with suppress(FileExistsError):  # made here so that it is its owner's alone; SQLite's side files follow it
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            sync_folder(path.parent)
            self._write = _connect(path)
            _prepare(self._write, path)
            super().__init__(path)
        except BaseException:
            os.close(self._lock)
            raise
        self._last = super().last

    def append(self, batch: Sequence[Fact], session: str) -> None:
        """Makes a batch durable, all or nothing. Raises ValueError if its numbers do not go on from the last one's,
        sqlite3.Error if it cannot be written."""
        numbers = [fact.n for fact in batch]
        if numbers != list(range(self._last + 1, self._last + 1 + len(batch))):
            raise ValueError(f"facts {numbers[:1]}… cannot follow fact {self._last} in the journal")
        rows = [(fact.n, fact.t, fact.cause, session, pack(fact)) for fact in batch]
        self._write.execute("BEGIN IMMEDIATE")
        try:
            self._write.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?)", rows)
            self._write.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self._write.execute("ROLLBACK")
            raise
        self._last += len(batch)

    @property
    def last(self) -> int:
        return self._last

    def close(self) -> None:
        """Lets go of the journal; another engine may take it up."""
        if not self._closed:
            self._closed = True
            super().close()
            self._write.close()
            os.close(self._lock)


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that any one thread at a time may use, with transactions only where they are written."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the schema in an empty file, checks it in any other."""
    try:
        if connection.execute("PRAGMA application_id").fetchone()[0] == 0 and not _tables(connection):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        _check(connection, path)
        connection.execute("PRAGMA synchronous=FULL")
    except (sqlite3.Error, BadJournal) as error:
        connection.close()
        raise error if isinstance(error, BadJournal) else BadJournal(f"{path} is no journal: {error}") from None


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        (kind,), (version,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except sqlite3.Error as error:
        raise BadJournal(f"{path} is no journal: {error}") from None
    if kind != _APPLICATION:
        raise BadJournal(f"{path} is an SQLite file, but no journal of this desk")
    if version != VERSION:
        raise BadJournal(f"{path} is of version {version}; this engine reads version {VERSION}")
    if mode != "wal":
        raise BadJournal(f"{path} is not in write-ahead mode ({mode}): its file system does not allow it")


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _own(path: Path) -> int:
    """Takes the lock beside the journal and writes this process's number into it. It falls with the process."""
    lock = path.with_name(path.name + ".lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise BadJournal(
            f"the journal {path} belongs to a running engine (process {owner}); stop that one first"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
