"""One attached client of the engine's link: what waits for it, what it says, and what is asked of the desk for it.

Of every topic (a view's type and instrument) only the newest waits. Notes and answers all do, up to a bound; a client
that lets more of those wait is closed, with the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from engine.messages import (
    Answer,
    Ask,
    AskCost,
    AskEstimate,
    Costed,
    Drive,
    Estimated,
    Goodbye,
    Hello,
    Look,
    NoteView,
    Recall,
    Up,
    View,
    Why,
    Work,
    pack,
    unpack_up,
)

REFUSED = 1008  # websocket: policy violation

log = logging.getLogger(__name__)
Topic = tuple[str, str]
Said = Answer | Estimated | Costed


class Desk(Protocol):
    """What stands behind the link. A verdict that takes time is an awaitable; calls are made in the order received."""

    def ask(self, ask: Ask) -> Answer | Awaitable[Answer]: ...

    def look(self, client: int, instruments: tuple[str, ...]) -> None:
        """What this client looks at from now on; nothing, once it is gone."""

    def drive(self, drive: Drive) -> Answer | Awaitable[Answer]: ...

    def why(self, why: Why) -> Answer | Awaitable[Answer]: ...

    def estimate(self, asked: AskEstimate) -> Estimated:
        """What an order would cost: a look, so it is answered at once and kept nowhere."""

    def cost(self, asked: AskCost) -> Costed | Awaitable[Costed]:
        """What a parent cost, or a report as a file."""

    def work(self, work: Work) -> Answer | Awaitable[Answer]: ...

    def recall(self, after: int) -> Sequence[View]:
        """The newest of every topic, and the notes numbered above `after`."""


class _Composed(msgspec.Struct, frozen=True, tag_field="link", tag="views"):
    """`Views`, of views that are packed already."""

    views: list[msgspec.Raw]


class Attached:
    """One attached client: what waits for it, and what it says."""

    def __init__(self, number: int, socket: ServerConnection, desk: Desk, lag: int) -> None:
        self.number = number
        self._socket, self._desk = socket, desk
        self._lag = self._allowed = lag
        self._looks: frozenset[str] | None = None  # None: it has not said, and gets everything
        self._newest: dict[Topic, msgspec.Raw] = {}
        self._notes: deque[msgspec.Raw] = deque()
        self._answers: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._asked: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None

    def offer(self, packed: Sequence[tuple[View, msgspec.Raw]]) -> None:
        """Puts views up for sending: notes behind each other, of a topic the newest only."""
        if self._closing is not None:
            return
        for view, raw in packed:
            if isinstance(view, NoteView):
                self._notes.append(raw)
            elif self._wants(view):
                self._newest[_topic(view)] = raw
        self._bound()
        self._wake.set()

    def recall(self, after: int) -> None:
        """Everything again; of the notes, those above `after` replace what waits."""
        self._notes.clear()
        views = self._desk.recall(after)
        self._allowed = self._lag + sum(isinstance(view, NoteView) for view in views)
        self.offer([(view, msgspec.Raw(pack(view))) for view in views])

    def answer(self, packed: bytes) -> None:
        self._answers.append(packed)
        self._bound()
        self._wake.set()

    async def attend(self) -> None:
        """Sends and receives until the client is gone."""
        sending = asyncio.create_task(self._send())
        try:
            while True:
                if not self._take(await self._socket.recv()):
                    await self.dismiss("that cannot be understood", REFUSED)
                    return
        except ConnectionClosed:
            pass
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            if self._closing is not None:
                await self._closing

    async def dismiss(self, reason: str, code: int) -> None:
        await say_goodbye(self._socket, reason, code)

    def _wants(self, view: View) -> bool:
        instrument = _topic(view)[1]
        return self._looks is None or not instrument or instrument in self._looks

    def _bound(self) -> None:
        if len(self._notes) + len(self._answers) > self._allowed and self._closing is None:
            reason = f"this client reads too slowly: more than {self._allowed} notes and answers wait for it"
            self._closing = asyncio.create_task(self._socket.close(REFUSED, reason))

    async def _send(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._answers:
                    await self._socket.send(self._answers.popleft())
                if self._notes or self._newest:
                    await self._socket.send(self._compose())
        except ConnectionClosed:
            pass

    def _compose(self) -> bytes:
        views = [*self._notes, *self._newest.values()]
        self._notes.clear()
        self._newest.clear()
        self._allowed = self._lag
        return pack(_Composed(views))

    def _take(self, data: str | bytes) -> bool:
        """Acts on one message; False if it is none."""
        match understood(data):
            case Ask() as ask:
                self._reply(ask.id, lambda: self._desk.ask(ask))
            case Drive() as drive:
                self._reply(drive.id, lambda: self._desk.drive(drive))
            case Why() as why:
                self._reply(why.id, lambda: self._desk.why(why))
            case AskEstimate() as asked:
                self._reply(asked.id, lambda: self._desk.estimate(asked))
            case AskCost() as costs:
                self._reply(costs.id, lambda: self._desk.cost(costs))
            case Work() as work:
                self._reply(work.id, lambda: self._desk.work(work))
            case Look(instruments=instruments):
                self._looks = frozenset(instruments)
                self._desk.look(self.number, instruments)
            case Recall(after=after):
                self.recall(after)
            case Hello():
                pass  # the address has said it already
            case None:
                return False
        return True

    def _reply(self, command: str, desk: Callable[[], Said | Awaitable[Said]]) -> None:
        """Has the desk decide, now and in this order; answers now or when it is known."""
        if len(self._asked) >= self._lag:
            self.answer(pack(Answer(id=command, ok=False, text="too many commands are waiting for their answers")))
            return
        verdict = _decided(command, desk)
        if isinstance(verdict, Said):
            self.answer(pack(verdict))
        else:  # goes on after the client has gone: what was asked was asked
            task = asyncio.create_task(self._answer_later(command, verdict))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)

    async def _answer_later(self, command: str, verdict: Awaitable[Said]) -> None:
        try:
            answer: Said = await verdict
        except Exception:
            answer = _failed(command)
        self.answer(pack(answer))


def _decided(command: str, desk: Callable[[], Said | Awaitable[Said]]) -> Said | Awaitable[Said]:
    try:
        return desk()
    except Exception:
        return _failed(command)


def _failed(command: str) -> Answer:
    log.exception("command %s failed", command)
    return Answer(id=command, ok=False, text="the engine failed on this command; its log says more")


def _topic(view: View) -> Topic:
    return type(view).__name__, getattr(view, "instrument", "")


def understood(data: str | bytes) -> Up | None:
    try:
        up: Up | None = unpack_up(data) if isinstance(data, bytes) else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return up


async def say_goodbye(socket: ServerConnection, reason: str, code: int) -> None:
    """Tells the reason twice, as a message and in the closing frame, to whoever reads either."""
    with suppress(TimeoutError, ConnectionClosed):
        async with asyncio.timeout(1):
            await socket.send(pack(Goodbye(reason=reason)))
    await socket.close(code, reason)
