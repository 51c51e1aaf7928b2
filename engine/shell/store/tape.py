"""The tape: every input of a session, in order, in checksummed blocks of bounded size.

`Tape` writes, `read` reads. Writing is split so that nothing on the hot path waits for a disk: `append` packs and
holds, `flush` writes what is held, `sync` makes it durable. A `Recorder` (writers.py) calls the last two from a
thread of its own. Reading yields what was appended, and a `Gap` wherever something is missing.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from engine.messages import Forecasts, pack
from engine.shell.store import blocks
from engine.shell.store.blocks import Block, Broken, Header, Item
from engine.shell.store.folders import (
    BadSession,
    Meta,
    checked,
    make_private,
    meta_of,
    open_new,
    sync_folder,
    write_all,
    write_meta,
)

BLOCK = 256 << 10  # bytes of items in a block, unless one item is larger
SEGMENT = 16 << 20  # bytes on disk after which a new segment begins
MAX_ITEM = 64 << 20
HELD = 4 << 20  # held by a tape that nobody drives before it writes by itself
HELD_DRIVEN = 64 << 20  # held while a recorder's disk is stuck before the tape is given up


class Gap(msgspec.Struct, frozen=True):
    """The numbers strictly between `after` and `before` are missing; `before` is 0 where the tape ends so."""

    after: int
    before: int
    reason: str


class Tape:
    """The writer of one session's inputs. `append` is for one thread, `flush`, `sync` and `close` for any.

    A write that fails raises OSError once and the tape is `broken` from then on: what comes later is dropped, so
    that a full disk stops neither cancels nor the kill, until `mend` begins a new segment.
    """

    def __init__(self, folder: Path, meta: Meta, block: int, segment: int) -> None:
        self.folder = folder
        self.meta = meta
        self.driven = False
        self.broken = ""
        self.last = meta.first - 1
        self._t = meta.started
        self._block, self._segment = block, segment
        self._held: deque[tuple[int, int, bytes]] = deque()
        self._held_bytes = 0
        self._holding = threading.Lock()  # around what is held, never while writing
        self._writing = threading.Lock()  # around the file
        self._index = self._size = 0
        self._file = -1
        self._closed = False
        self._owner = _own(folder)

    @classmethod
    def create(cls, folder: Path, meta: Meta, *, block: int = BLOCK, segment: int = SEGMENT) -> Tape:
        """A new session in `folder`, which is named like it. Raises BadSession (name, already there), OSError."""
        if checked(meta.name) != folder.name:
            raise BadSession(f"session '{meta.name}' does not belong in a folder called '{folder.name}'")
        make_private(folder.parent)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            raise BadSession(f"there is a session '{folder.name}' already") from None
        (folder / "keyframes").mkdir(mode=0o700)
        write_meta(folder, meta)
        sync_folder(folder.parent)
        return cls(folder, meta, block, segment)

    def append(self, item: Item) -> None:
        """Holds one input, or the forecasts that the last input made. Raises ValueError if out of order."""
        if (item.n != self.last) if isinstance(item, Forecasts) else (item.n <= self.last):
            raise ValueError(f"number {item.n} cannot follow number {self.last} on the tape")
        body = pack(item)
        if len(body) > MAX_ITEM:
            raise ValueError(f"input {item.n} of {len(body)} bytes is too large for the tape")
        if not isinstance(item, Forecasts):
            self.last, self._t = item.n, item.t
        if self.broken:
            return
        with self._holding:
            self._held.append((item.n, self._t, body))
            self._held_bytes += len(body)
        if self._held_bytes > (HELD_DRIVEN if self.driven else HELD):
            self._relieve()

    def flush(self) -> None:
        """Writes what is held. Raises OSError, once."""
        with self._writing:
            try:
                while bodies := self._take():
                    self._write(bodies)
            except OSError as error:
                self._break(error.strerror or str(error))
                raise

    def sync(self) -> None:
        """Writes what is held and makes all of it durable. Raises OSError, once."""
        self.flush()
        with self._writing:
            if self._file < 0 or self.broken:
                return
            try:
                os.fsync(self._file)
            except OSError as error:
                self._break(error.strerror or str(error))
                raise

    def close(self) -> None:
        """Syncs, says in `session.json` that the session ended well, lets go of it. Raises OSError."""
        if self._closed:
            return
        self._closed = True
        try:
            self.sync()
            if not self.broken:
                write_meta(self.folder, msgspec.structs.replace(self.meta, closed=True, last=self.last, ended=self._t))
        finally:
            self._let_go()
            os.close(self._owner)

    def mend(self) -> None:
        """Go on in a new segment after a break: what came in between is a gap, which a reader is told of."""
        with self._writing:
            with suppress(OSError):
                self._let_go()
            self._file, self.broken = -1, ""

    def _take(self) -> list[tuple[int, int, bytes]]:
        """One block's worth of what is held: up to `block` bytes, at least one item."""
        taken: list[tuple[int, int, bytes]] = []
        size = 0
        with self._holding:
            while self._held and (not taken or size + len(self._held[0][2]) <= self._block):
                taken.append(self._held.popleft())
                size += len(taken[-1][2])
            self._held_bytes -= size
        return taken

    def _write(self, held: list[tuple[int, int, bytes]]) -> None:
        if self.broken:
            return
        (first, t_first, _), (last, t_last, _) = held[0], held[-1]
        block = blocks.encode((first, last, t_first, t_last), [body for _, _, body in held])
        if self._file >= 0 and self._size + len(block) > self._segment:
            os.fsync(self._file)
            self._let_go()
        if self._file < 0:
            self._index += 1
            self._size = 0
            self._file = open_new(self.folder / f"tape-{self._index:06d}.seg")
            sync_folder(self.folder)
        write_all(self._file, block)
        self._size += len(block)

    def _relieve(self) -> None:
        if self.driven:
            self._break("the disk does not keep up with the inputs")
        else:
            self.flush()

    def _break(self, reason: str) -> None:
        self.broken = self.broken or reason
        with self._holding:
            self._held.clear()
            self._held_bytes = 0

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def read(folder: Path, after: int = 0) -> Iterator[Item | Gap]:
    """Everything with a number above `after`, in order, and a Gap wherever something is missing.

    Raises BadSession for a folder without a session or with one of another format. Holds one block at a time.
    """
    meta = meta_of(folder)
    start = last = max(after, meta.first - 1)
    why = ""
    for found in _found(folder, start):
        if isinstance(found, Broken):
            why = why or found.reason
        elif isinstance(found, Header):
            why = ""  # what was broken lies before the start
        else:
            last, why = yield from _follow(found.items, start, last, why)
    if meta.closed and last < meta.last:
        why = why or f"the tape ends before input {meta.last}, the session's last"
    if why:
        yield Gap(last, 0, why)


def _follow(items: list[Item], after: int, last: int, why: str) -> Generator[Item | Gap, None, tuple[int, str]]:
    """Yields what comes after number `last`, a Gap before it where `why` or the numbers say so."""
    for item in items:
        if isinstance(item, Forecasts):
            if item.n == last > after:  # else its input was lost, or lies before the start
                yield item
        elif item.n > last:
            if why or item.n != last + 1:
                yield Gap(last, item.n, why or "numbers are missing")
            last, why = item.n, ""
            yield item
    return last, why


def headers(folder: Path, t: int = 0) -> Iterator[Header]:
    """The readable blocks of a session, without their items: an index of numbers and times. With `t` (ns UTC) those
    of the segments from the one that holds this moment."""
    paths = segments(folder)
    for path in paths[_segment_with(paths, "t_first", t) if t else 0 :]:
        yield from (found for found in blocks.scan(path) if isinstance(found, Header))


def number_at(folder: Path, t: int) -> int:
    """Number of the last readable input at or before `t` (ns UTC); the number before the first if there is none."""
    number, start = meta_of(folder).first - 1, None
    for header in headers(folder, t):
        if header.t_first > t:
            break
        start = header.first - 1
    if start is None:
        return number
    for item in read(folder, start):
        if isinstance(item, Gap | Forecasts):
            continue
        if item.t > t:
            break
        number = item.n
    return number


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("tape-[0-9][0-9][0-9][0-9][0-9][0-9].seg"))


def running(folder: Path) -> bool:
    """Whether a process is writing this session now."""
    try:
        descriptor = os.open(folder / "owner", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _found(folder: Path, after: int) -> Iterator[Block | Header | Broken]:
    paths = segments(folder)
    start = _segment_with(paths, "first", after)
    expected = _index(paths[start]) if start else 1
    for path in paths[start:]:
        if _index(path) != expected:
            yield Broken("a segment is missing")
        expected = _index(path) + 1
        yield from blocks.scan(path, after)


def _segment_with(paths: list[Path], field: Literal["first", "t_first"], value: int) -> int:
    """Index of the last segment that begins at or before `value`: all that is above it lies there or later."""
    for index in range(len(paths) - 1, 0, -1):
        header = blocks.first_header(paths[index])
        if header is not None and getattr(header, field) <= value:
            return index
    return 0


def _index(path: Path) -> int:
    return int(path.stem.removeprefix("tape-"))


def _own(folder: Path) -> int:
    """Marks the session as being written, for as long as the descriptor is open, however the process ends."""
    descriptor = os.open(folder / "owner", os.O_RDONLY | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits only for somebody who is just looking
    return descriptor
