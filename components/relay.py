"""The web process between one engine and its screens: newest wins, notes are never lost.

Each view is turned into JSON once, when it comes. A screen remembers which version of each topic it was given last;
its next frame is whatever is newer, joined as bytes. A slow browser therefore skips states instead of falling behind,
and costs the others nothing. Notes are numbered: every screen has its own place in them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Literal, Protocol

import msgspec

from engine.config import Mode
from engine.messages import (
    Answer,
    Costed,
    Estimated,
    GaugesView,
    Job,
    Kill,
    LadderView,
    NoteView,
    Role,
    StatusView,
    SubmitParent,
    Verb,
    View,
    json_bytes,
)

SHARED = (  # that every screen gets
    "status", "chain", "surface", "arbitrage", "risk", "models", "job", "skill", "hedge", "costs", "desk", "replay",
)  # fmt: skip
PACE_S = {"surface": 0.5, "arbitrage": 0.5, "risk": 0.5, "hedge": 0.2}  # a topic is sent to a screen at most this often
FRAME_S = 0.05  # a screen gets at most 20 frames a second
HIDDEN_S = 1.0  # and this often when nobody looks at it
NOTES_KEPT = 1000
ASK_S = 10.0
KILL_S = 0.3  # in which an engine takes a kill, or is passed by
REPORT_S = 180.0

Form = Literal["json", "html", "csv", "parquet"]
DriveDo = Literal["play", "pause", "step", "seek", "speed"]


class Desk(Protocol):
    """The engine as a screen's process sees it: `engine.client.Client`, or anything that speaks like it."""

    def __aiter__(self) -> AsyncIterator[tuple[View, ...]]: ...
    async def look(self, instruments: Iterable[str]) -> None: ...
    async def ask(self, verb: Verb, *, user: str, role: Role) -> Answer: ...
    async def drive(self, do: DriveDo, value: float = 0.0) -> Answer: ...
    async def why(self, instrument: str) -> Answer: ...
    async def estimate(self, order: SubmitParent) -> Estimated: ...
    async def cost(self, form: Form, parents: Iterable[str] = ()) -> Costed: ...
    async def work(self, job: Job, *, user: str, role: Role) -> Answer: ...
    async def recall(self, after: int = 0) -> None: ...


Attach = Callable[[str], AbstractAsyncContextManager[Desk]]
Past = Callable[[bool], Coroutine[None, None, Answer]]  # a kill past the engine, of the whole account or of ours


class Board:
    """The newest of every topic as JSON, with its version, and the last notes in order of their numbers."""

    def __init__(self) -> None:
        self.status: StatusView | None = None
        self.attached = False
        self.last_note = 0
        self.age = 0  # grows when the notes begin anew, with another journal
        self._versions: dict[str, int] = {}
        self._json: dict[str, bytes] = {}
        self._notes: dict[int, tuple[int, bytes]] = {}  # number → (version, JSON), both rising
        self._version = 0

    def put(self, view: View) -> None:
        if isinstance(view, NoteView):
            self._note(view)
            return
        if isinstance(view, StatusView):
            self.status = view
        self._version += 1
        topic = topic_of(view)
        self._versions[topic] = self._version
        self._json[topic] = json_bytes(view)

    def _note(self, note: NoteView) -> None:
        line = json_bytes(note)
        if note.n <= self.last_note:
            if note.n not in self._notes or self._notes[note.n][1] == line:
                return  # told again
            self._notes.clear()
            self.age += 1
        self._version += 1
        self.last_note = note.n
        self._notes[note.n] = (self._version, line)
        if len(self._notes) > NOTES_KEPT:
            del self._notes[next(iter(self._notes))]

    def notes_since(self, version: int) -> tuple[int, list[bytes]]:
        """`(version, JSON lines in order)` of every note that came after `version`."""
        lines: list[bytes] = []
        newest = version
        for when, line in reversed(self._notes.values()):
            if when <= version:
                break
            newest = max(newest, when)
            lines.append(line)
        return newest, lines[::-1]

    def version_of_note(self, n: int) -> int:
        """The version to ask `notes_since` for, to get every note after number `n`."""
        return max((version for known, (version, _) in self._notes.items() if known <= n), default=0)

    def newer(self, topic: str, version: int) -> tuple[int, bytes] | None:
        """`(version, JSON)` of the topic if it is newer than `version`."""
        newest = self._versions.get(topic, 0)
        return (newest, self._json[topic]) if newest > version else None

    def forget(self, instruments: set[str]) -> None:
        """Drop ladders and gauges that no screen looks at, so that an old book is never shown as a new one."""
        for topic in [t for t in self._versions if ":" in t and t.partition(":")[2] not in instruments]:
            del self._versions[topic], self._json[topic]


def topic_of(view: View) -> str:
    kind = str(view.__struct_config__.tag)
    return f"{kind}:{view.instrument}" if isinstance(view, LadderView | GaugesView) else kind


class Look(msgspec.Struct, forbid_unknown_fields=True):
    """What a page says on its feed; any one of the fields."""

    look: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    hidden: bool | None = None
    recall: int | None = None


class Screen:
    """One page's place in the views. `frame` says what it has not seen yet; it holds no socket and no clock."""

    def __init__(self) -> None:
        self.instrument = ""
        self.hidden = False
        self.wake = asyncio.Event()
        self.shown = asyncio.Event()  # set while somebody looks
        self.shown.set()
        self._seen: dict[str, int] = {}
        self._sent_at: dict[str, float] = {}
        self._noted = 0  # a version, as for topics
        self._age = 0
        self._seq = 0

    def hear(self, said: Look) -> None:
        if said.look is not None and said.look != self.instrument:
            self.instrument = said.look
            self._seen = {topic: version for topic, version in self._seen.items() if ":" not in topic}
        if said.hidden is not None:
            self.hidden = said.hidden
            self.shown.clear() if said.hidden else self.shown.set()
        self.wake.set()

    def recall(self, board: Board, after: int) -> None:
        """The page has missed something: everything again, notes from `after` on."""
        self._noted = board.version_of_note(after)
        self._seen.clear()
        self._sent_at.clear()

    def frame(self, board: Board, now: float) -> bytes:
        """The next message to this page: views newest, notes all and in order.

        `{"seq":n,"engine":bool,"noted":[from,to],"views":[…]}`. The notes in it follow those that ended at `from`;
        a page that had others before asks for them again. From 0 they begin anew.
        """
        parts = [line for topic in self._topics() if (line := self._newer(board, topic, now)) is not None]
        if self._age != board.age:
            self._age, self._noted = board.age, 0
        before = self._noted
        self._noted, notes = board.notes_since(before)
        self._seq += 1
        engine = b"true" if board.attached else b"false"
        body = b",".join([*parts, *notes])
        return b'{"seq":%d,"engine":%s,"noted":[%d,%d],"views":[%s]}' % (self._seq, engine, before, self._noted, body)

    def _topics(self) -> tuple[str, ...]:
        if self.hidden:
            return ("status",)
        return (*SHARED, f"ladder:{self.instrument}", f"gauges:{self.instrument}")

    def _newer(self, board: Board, topic: str, now: float) -> bytes | None:
        pace = PACE_S.get(topic, 0.0)
        if pace and now - self._sent_at.get(topic, -pace) < pace:
            return None
        found = board.newer(topic, self._seen.get(topic, 0))
        if found is None:
            return None
        self._seen[topic] = found[0]
        self._sent_at[topic] = now
        return found[1]


class Relay:
    """Keeps one engine attached for all screens, and puts their clicks to it."""

    def __init__(self, address: str, attach: Attach, mode: Mode, past: Past | None = None) -> None:
        self._past = past
        self._presses: set[asyncio.Task[Answer]] = set()  # kills that the engine may yet hear of
        self.board = Board()
        self.screens: set[Screen] = set()
        self._address = address
        self._attach = attach
        self._mode = mode
        self._desk: Desk | None = None
        self._looks: tuple[str, ...] = ()

    @property
    def mode(self) -> Mode:
        return self.board.status.mode if self.board.status else self._mode

    async def run(self) -> None:
        """Attach, read, and attach again when the engine goes away. Runs until cancelled."""
        wait = 0.1
        while True:
            try:
                async with self._attach(self._address) as desk:
                    wait = 0.1
                    await self._read(desk)
            except OSError:
                pass  # the page shows that the engine is away; there is nothing else to do than to try again
            finally:
                self._lose()
            await asyncio.sleep(wait)
            wait = min(wait * 1.6, 2.0)

    async def _read(self, desk: Desk) -> None:
        self._desk = desk
        self.board.attached = True
        self._looks = ()
        await self.refocus()
        async for views in desk:
            for view in views:
                self.board.put(view)
            self._wake()

    def _lose(self) -> None:
        self._desk = None
        self.board.attached = False
        self._wake()

    def _wake(self) -> None:
        for screen in self.screens:
            screen.wake.set()

    async def refocus(self) -> None:
        """Tell the engine what all screens together look at, if that has changed."""
        looks = tuple(sorted({screen.instrument for screen in self.screens} - {""}))
        if looks == self._looks or self._desk is None:
            return
        self._looks = looks
        self.board.forget(set(looks))
        with contextlib.suppress(OSError):
            await self._desk.look(looks)
            await self._desk.recall(self.board.last_note)  # what stands still would else not be said again

    async def ask(self, verb: Verb, user: str, role: Role) -> Answer:
        """The engine's word on a command; a refusal with its reason if there is no engine to ask."""
        if isinstance(verb, Kill):
            return await self._kill(verb, user, role)
        desk = self._desk
        return away() if desk is None else await _answered(desk.ask(verb, user=user, role=role))

    async def _kill(self, verb: Kill, user: str, role: Role) -> Answer:
        """No press is lost: an engine that does not take it in a moment is passed by, straight to the venue. It hears
        of it all the same, when it goes on."""
        desk, answer = self._desk, away("; run `python -m engine kill` where it ran")
        if desk is not None:
            press = asyncio.ensure_future(_answered(desk.ask(verb, user=user, role=role)))
            self._presses.add(press)
            press.add_done_callback(self._presses.discard)
            await asyncio.wait([press], timeout=None if self._past is None else KILL_S)
            if press.done() and (press.result().ok or self._past is None):
                return press.result()
        return answer if self._past is None else await self._past(verb.account)

    async def drive(self, do: DriveDo, value: float) -> Answer:
        desk = self._desk
        return away() if desk is None else await _answered(desk.drive(do, value))

    async def work(self, job: Job, user: str, role: Role) -> Answer:
        """Have a long command begun or ended."""
        desk = self._desk
        return away() if desk is None else await _answered(desk.work(job, user=user, role=role))

    async def why(self, instrument: str) -> Answer:
        """What moves this instrument's forecast now, in words."""
        desk = self._desk
        return away() if desk is None else await _answered(desk.why(instrument))

    async def estimate(self, order: SubmitParent) -> Estimated:
        """What an order would cost, each way of doing it; a look, which sends nothing."""
        desk = self._desk
        if desk is None:
            return Estimated(reason="the engine does not answer")
        try:
            return await asyncio.wait_for(desk.estimate(order), ASK_S)
        except OSError:  # a TimeoutError is one
            return Estimated(reason="the engine does not answer")

    async def cost(self, form: Form, parents: Iterable[str]) -> Costed:
        """What a parent cost, or a report as a file; a look, which sends nothing."""
        desk = self._desk
        if desk is None:
            return Costed(reason="the engine does not answer")
        try:
            return await asyncio.wait_for(desk.cost(form, parents), REPORT_S)
        except OSError:  # a TimeoutError is one
            return Costed(reason="the engine does not answer")


def away(hint: str = "") -> Answer:
    return Answer(id="", ok=False, text=f"the engine does not answer; nothing was sent{hint}")


async def _answered(asking: Coroutine[None, None, Answer]) -> Answer:
    try:
        return await asyncio.wait_for(asking, ASK_S)
    except TimeoutError:
        text = f"no word from the engine for {ASK_S:.0f} s: look at the blotter before you try again"
        return Answer(id="", ok=False, text=text)
    except OSError:
        text = "the engine went away before it answered: look at the blotter before you try again"
        return Answer(id="", ok=False, text=text)
