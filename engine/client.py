"""The way in for screens and scripts: views and answers out, looks and commands in.

    import asyncio, sys
    from engine.client import attach
    from engine.domain import Side
    from engine.messages import LadderView, SubmitParent

    async def main(address: str) -> None:                       # as `engine: ADDRESS` was printed
        async with attach(address) as client:
            await client.look(["BTC-27MAR26-80000-C"])
            parent = SubmitParent(instrument="BTC-27MAR26-80000-C", side=Side.BUY, quantity=20, limit=0.0450)
            print((await client.ask(parent, user="anna", role="trader")).text)
            async for views in client:                          # whatever is new since the last turn
                for view in views:
                    if isinstance(view, LadderView):
                        print(view.bids[:1], view.asks[:1])

    asyncio.run(main(sys.argv[1]))

Of every topic only the newest view waits for a slow reader; notes all do. A client is one connection: when it is
lost, everything raises `LinkLost` and the caller attaches again, perhaps elsewhere. A newcomer is told everything, so
nothing is missed by that; notes come again, each with its number.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from engine.messages import (
    Answer,
    Ask,
    AskCost,
    AskEstimate,
    Costed,
    Down,
    Drive,
    Estimated,
    Goodbye,
    Job,
    Look,
    NoteView,
    Recall,
    Role,
    SubmitParent,
    Up,
    Verb,
    View,
    Views,
    Welcome,
    Why,
    Work,
    pack,
    unpack_down,
)

MAX_DOWN = 64 << 20  # bytes of one message from the engine
WELCOME_S = 10.0
MAX_NOTES = 50_000  # that wait for a reader before it is told that it reads too slowly

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # below that the library would write the address down, and the token with it


class LinkLost(ConnectionError):
    """The engine cannot be reached, or not any more. Its text is fit for a person."""


@asynccontextmanager
async def attach(address: str) -> AsyncIterator[Client]:
    """Connects to an engine at `ws://127.0.0.1:PORT/?token=…`. Raises LinkLost."""
    socket = await _connect(address)
    try:
        client = Client(socket, await _welcome(socket))
        reading = asyncio.create_task(client._read())
        try:
            yield client
        finally:
            reading.cancel()
            await asyncio.wait([reading])
    finally:
        await socket.close()


class Client:
    """An attached client. Iterating gives tuples of views, to one reader; commands may be given by many tasks."""

    def __init__(self, socket: ClientConnection, welcome: Welcome) -> None:
        self.welcome = welcome
        self._socket = socket
        self._name, self._count = secrets.token_hex(6), 0
        self._answers: dict[str, asyncio.Future[Answer | Estimated | Costed]] = {}
        self._newest: dict[tuple[str, str], View] = {}
        self._notes: list[NoteView] = []
        self._news = asyncio.Event()
        self._lost = ""
        self._overrun = False

    def __aiter__(self) -> Client:
        return self

    async def __anext__(self) -> tuple[View, ...]:
        """What is new since the last turn. Raises LinkLost once all that came has been given."""
        await self._news.wait()
        if self._overrun:
            raise LinkLost("views were read too slowly: notes have been lost")
        if not (self._notes or self._newest):
            raise LinkLost(self._lost)
        views = (*self._notes, *self._newest.values())
        self._notes.clear()
        self._newest.clear()
        if not self._lost:
            self._news.clear()
        return views

    async def ask(self, verb: Verb, *, user: str, role: Role, command: str = "") -> Answer:
        """A person's command, and the engine's word on it. `command` is its id, made here if not given. Raises
        LinkLost: then it is not known whether the command was taken."""
        command = command or self._next_id()
        return await self._answer(command, Ask(id=command, user=user, role=role, verb=verb))

    async def drive(self, do: Literal["play", "pause", "step", "seek", "speed"], value: float = 0.0) -> Answer:
        """Moves a replay: seek to ms UTC, step so many inputs, speed so many times. Raises LinkLost."""
        command = self._next_id()
        return await self._answer(command, Drive(id=command, do=do, value=value))

    async def why(self, instrument: str) -> Answer:
        """What moves the forecast of an instrument now, in words. Raises LinkLost."""
        command = self._next_id()
        return await self._answer(command, Why(id=command, instrument=instrument))

    async def estimate(self, order: SubmitParent) -> Estimated:
        """What an order would cost, each way of doing it, before it is sent; it sends nothing. Raises LinkLost."""
        command = self._next_id()
        said = await self._reply(command, AskEstimate(id=command, order=order))
        return said if isinstance(said, Estimated) else Estimated(id=command, reason=getattr(said, "text", ""))

    async def cost(self, form: Literal["json", "html", "csv", "parquet"], parents: Iterable[str] = ()) -> Costed:
        """A parent's cost in full as JSON, or a report of some (of all, without any) as a file. Raises LinkLost."""
        command = self._next_id()
        said = await self._reply(command, AskCost(id=command, form=form, parents=tuple(parents)))
        return said if isinstance(said, Costed) else Costed(id=command, reason=getattr(said, "text", ""))

    async def work(self, job: Job, *, user: str, role: Role) -> Answer:
        """Has a long command of the engine's begun or ended; how it goes is a view. Raises LinkLost."""
        command = self._next_id()
        return await self._answer(command, Work(id=command, user=user, role=role, job=job))

    async def look(self, instruments: Iterable[str]) -> None:
        """What this client looks at from now on: it gets these instruments' views, and all that concern none. Until
        the first look it gets everything that is published. Raises LinkLost."""
        await self._say(Look(instruments=tuple(instruments)))

    async def recall(self, after: int = 0) -> None:
        """Has everything sent again, of the notes those numbered above `after`. Raises LinkLost."""
        await self._say(Recall(after=after))

    def _next_id(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"

    async def _answer(self, command: str, message: Ask | Drive | Why | Work) -> Answer:
        said = await self._reply(command, message)
        assert isinstance(said, Answer), "an estimate answers nothing but its own question"
        return said

    async def _reply(
        self, command: str, message: Ask | AskEstimate | AskCost | Drive | Why | Work
    ) -> Answer | Estimated | Costed:
        if command in self._answers:
            raise ValueError(f"command {command} is waiting for its answer already")
        future: asyncio.Future[Answer | Estimated | Costed] = asyncio.get_running_loop().create_future()
        self._answers[command] = future
        try:
            await self._say(message)
            return await future
        finally:
            del self._answers[command]

    async def _say(self, message: Up) -> None:
        if self._lost:
            raise LinkLost(self._lost)
        try:
            await self._socket.send(pack(message))
        except ConnectionClosed as error:
            raise LinkLost(self._lost or _reason(error)) from None

    async def _read(self) -> None:
        """Takes everything off the socket as it comes, so that an answer never waits behind views unread."""
        reason = ""
        try:
            while not reason:
                reason = self._handle(_understood(await self._socket.recv()))
        except ConnectionClosed as error:
            reason = _reason(error)
        finally:
            self._lose(reason or "this program has detached")

    def _handle(self, message: Down | None) -> str:
        """Takes one message in; gives a reason if it is the last."""
        match message:
            case Views(views=views):
                self._take(views)
            case Answer() | Estimated() | Costed() as answer:
                self._resolve(answer)
            case Goodbye(reason=reason):
                return f"the engine said goodbye: {reason}"
            case None:
                return "the engine said something that this program does not understand"
        return ""

    def _take(self, views: tuple[View, ...]) -> None:
        for view in views:
            if isinstance(view, NoteView):
                self._notes.append(view)
            else:
                self._newest[type(view).__name__, getattr(view, "instrument", "")] = view
        if len(self._notes) > MAX_NOTES:
            self._overrun = True
            self._notes.clear()
        self._news.set()

    def _resolve(self, answer: Answer | Estimated | Costed) -> None:
        future = self._answers.get(answer.id)
        if future is not None and not future.done():
            future.set_result(answer)

    def _lose(self, reason: str) -> None:
        self._lost = reason
        self._news.set()
        for future in self._answers.values():
            if not future.done():
                future.set_exception(LinkLost(reason))


async def _connect(address: str) -> ClientConnection:
    place = urlsplit(address).netloc or address.partition("?")[0]  # said without the token
    try:
        return await connect(address, compression=None, max_size=MAX_DOWN, proxy=None, logger=log, close_timeout=1)
    except (InvalidURI, ValueError):
        raise LinkLost(f"'{place}' is not an engine's address; it looks like ws://127.0.0.1:PORT/?token=…") from None
    except InvalidHandshake:
        raise LinkLost(f"what answers at {place} is not an engine") from None
    except (OSError, TimeoutError, EOFError):
        raise LinkLost(f"no engine answers at {place}") from None


async def _welcome(socket: ClientConnection) -> Welcome:
    try:
        async with asyncio.timeout(WELCOME_S):
            first = _understood(await socket.recv())
        match first:
            case Welcome() as welcome:
                return welcome
            case Goodbye(reason=reason):
                raise LinkLost(f"the engine refused: {reason}")
            case _:
                raise LinkLost("what answers there is not an engine of this version")
    except ConnectionClosed as error:
        raise LinkLost(_reason(error)) from None
    except TimeoutError:
        raise LinkLost("what answers there says nothing; it is not an engine") from None


def _understood(data: str | bytes) -> Down | None:
    try:
        down: Down | None = unpack_down(data) if isinstance(data, bytes) else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return down


def _reason(error: ConnectionClosed) -> str:
    if error.rcvd is not None and error.rcvd.reason:
        return f"the engine closed the link: {error.rcvd.reason}"
    return "the link to the engine is lost"
