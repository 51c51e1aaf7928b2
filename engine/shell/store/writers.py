"""The two threads that wait for the disk, so that nothing else does.

`Writer` commits facts in groups: all that came while the last commit was under way go into the next. `Recorder`
writes the tape at a pace. They are apart because a fact waits for its commit and a tape's fsync may be long.
Both call back from their own thread; an asyncio side passes callables that wrap `call_soon_threadsafe`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from engine.messages import Fact
from engine.shell.store.journal import Journal
from engine.shell.store.tape import Tape

FLUSH_S = 0.2
SYNC_EVERY = 5  # flushes


class Writer:
    """Group commit. `put` never blocks on the disk.

    `on_durable(n)` says that all facts up to `n` are durable. `on_broken(reason)` comes once for each time that it
    breaks: nothing is written any more, since a journal with a hole is worse than one that ends. What came since waits
    for `mend`, which tries to write it all, in its order.
    """

    def __init__(
        self, journal: Journal, session: str, on_durable: Callable[[int], None], on_broken: Callable[[str], None]
    ) -> None:
        self._journal, self._session = journal, session
        self._on_durable, self._on_broken = on_durable, on_broken
        self._waiting: list[Fact] = []
        self._closing = self._broken = False
        self._change = threading.Condition()
        self._thread = self._new_thread()

    def start(self) -> None:
        self._thread.start()

    def put(self, facts: Sequence[Fact]) -> None:
        if not facts:
            return
        with self._change:
            self._waiting.extend(facts)
            if not self._broken:
                self._change.notify()

    def mend(self) -> None:
        """Try again with everything that waits: `on_durable` or `on_broken` tells what came of it."""
        with self._change:
            if not self._broken or self._closing:
                return
            self._broken = False
        self._thread.join()
        self._thread = self._new_thread()
        self._thread.start()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="journal", daemon=True)

    def close(self) -> None:
        """Commits what is waiting and ends the thread. The journal stays open."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            try:
                self._journal.append(batch, self._session)
            except Exception as error:  # whatever it is, a thread that died in silence would be worse
                self._break(batch, f"the journal cannot be written: {error}")
                return
            self._on_durable(batch[-1].n)

    def _next(self) -> list[Fact]:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closing)
            batch, self._waiting = self._waiting, []
            return batch

    def _break(self, unwritten: list[Fact], reason: str) -> None:
        with self._change:
            self._broken = True
            self._waiting = unwritten + self._waiting
        self._on_broken(reason)


class Recorder:
    """Writes a tape every `flush_s` seconds and makes it durable every fifth time.

    `on_broken(reason)` comes once for each time that it breaks. A disk that hangs in a write cannot tell: `tape.broken`
    may be looked at.
    """

    def __init__(self, tape: Tape, on_broken: Callable[[str], None], flush_s: float = FLUSH_S) -> None:
        self._tape, self._on_broken, self._flush_s = tape, on_broken, flush_s
        self._told = False
        self._closing = threading.Event()
        self._thread = self._new_thread()
        tape.driven = True

    def start(self) -> None:
        self._thread.start()

    def mend(self) -> None:
        """Go on with the tape, after a gap, where it had broken."""
        if not self._told or self._closing.is_set():
            return
        self._thread.join()
        self._tape.mend()
        self._told = False
        self._thread = self._new_thread()
        self._thread.start()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="tape", daemon=True)

    def close(self) -> None:
        """Writes what is held, makes it durable, ends the thread and closes the tape."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._attempt(self._tape.close)

    def _run(self) -> None:
        beat = 0
        while not self._told and not self._closing.wait(self._flush_s):
            beat += 1
            self._attempt(self._tape.flush if beat % SYNC_EVERY else self._tape.sync)

    def _attempt(self, write: Callable[[], None]) -> None:
        reason = ""
        try:
            write()
        except Exception as error:  # as above
            reason = str(error)
        reason = reason or self._tape.broken
        if reason and not self._told:
            self._told = True
            self._on_broken(f"the tape cannot be written: {reason}")
