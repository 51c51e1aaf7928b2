"""The paper venue's process: the venue of `engine/paper` on real sockets and a real clock.

One port serves the websocket (`/ws/api/v2`) and the same calls by HTTP (`/api/v2/<method>`). A timer lets the venue's
time follow the wall's, times `speed`. Each client has a writer of its own; one that does not read is dropped, so that
it can slow nobody and fill no memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from engine.domain import NS
from engine.market.deribit.frames import FRAME_LIMIT
from engine.market.deribit.rest import HttpRequest
from engine.paper.crowd.settings import settings_of
from engine.paper.instruments.listing import BTC_ONLY, DEFAULT, SMALL
from engine.paper.lines import Connection
from engine.paper.venue import PaperVenue, VenueSettings
from engine.shell.clock import Clock

HOST = "127.0.0.1"
PERIOD_S = 0.005
LINGER_S = 30.0  # for the last frames of a line that is closed: why it is, is one of them
SLICE_S = 0.05  # the wall's
WAITING_LIMIT = 20_000  # frames a client may leave unread before it is dropped
SEND_BUFFER = 256 * 1024
POLICY_VIOLATION = 1008
OPERATOR = "TIDEGATE_OPERATOR"  # the environment's: the key of the operator's door, which is shut without one
LISTINGS = {"default": DEFAULT, "btc": BTC_ONLY, "small": SMALL}


class CannotServe(Exception):
    """The venue could not start. Its text is fit for a person."""


class Hall:
    """Clients' sockets on one venue."""

    def __init__(self, venue: PaperVenue, clock: Clock, key: str = "") -> None:
        self.venue, self.clock, self._key = venue, clock, key
        self._wake: dict[int, asyncio.Event] = {}

    async def run(self) -> None:
        """Let the venue's time pass, until cancelled; no more at once than leaves room for those who ask."""
        while True:
            self.venue.advance(self._now())
            self.flush()
            await asyncio.sleep(PERIOD_S)

    def _now(self) -> int:
        """A venue that was held up runs faster until its time is right again: clients trust it in `valid_until`."""
        return min(self.clock.now(), self.venue.now + int(SLICE_S * self.clock.speed * NS))

    def flush(self) -> None:
        """Wake the writers of those for whom there is something."""
        for number, connection in self.venue.connections.items():
            if connection.frames or connection.server.closing:
                self._wake[number].set()

    async def websocket(self, socket: WebSocket) -> None:
        await socket.accept()
        connection = self.venue.connect()
        wake = self._wake[connection.number] = asyncio.Event()
        tasks = [asyncio.create_task(self._read(socket, connection)),
                 asyncio.create_task(self._write(socket, connection, wake)),
                 asyncio.create_task(self._guard(connection))]  # fmt: skip
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await _hang_up(socket, connection.server.closing)
            self.venue.drop(connection, self._now())
            del self._wake[connection.number]
            self.flush()

    async def _read(self, socket: WebSocket, connection: Connection) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                message = await socket.receive()
                if message["type"] != "websocket.receive":
                    return
                text = message.get("text")
                data = text.encode() if text is not None else message.get("bytes") or b""
                self.venue.receive(connection, data, self._now())
                self.flush()

    async def _write(self, socket: WebSocket, connection: Connection, wake: asyncio.Event) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await wake.wait()
                wake.clear()
                for _, frame in connection.take():
                    await socket.send_text(frame.decode())
                if connection.server.closing:
                    return

    async def _guard(self, connection: Connection) -> None:
        """Ends when the client has left too much unread."""
        while len(connection.frames) <= WAITING_LIMIT:
            await asyncio.sleep(0.1)
        connection.server.closing = connection.server.closing or "too slow: too much was left unread"

    async def operator(self, request: Request) -> Response:
        """The operator's door: `POST /paper/<command>` with the key as a bearer's token."""
        given = request.headers.get("authorization", "").encode()
        if not self._key or not secrets.compare_digest(given, f"Bearer {self._key}".encode()):
            return Response("Not Found", 404)
        status, answer = self.venue.command(request.path_params["command"], await _body(request), self._now())
        self.flush()
        return Response(answer, status, media_type="application/json")

    async def http(self, request: Request) -> Response:
        body = await _body(request)
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = HttpRequest(request.method, target, body, request.headers.get("authorization", ""))
        status, answer = self.venue.http(asked, self._now())
        self.flush()
        return Response(answer, status, media_type="application/json")


async def _hang_up(socket: WebSocket, reason: str) -> None:
    """Say why, unless it is the client that has gone."""
    if reason:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await socket.close(POLICY_VIOLATION, reason)


async def _body(request: Request) -> bytes:
    """No more of it than the venue reads of a frame, and the byte that shows it was more."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FRAME_LIMIT:
            break
    return body


def app_of(hall: Hall) -> Starlette:
    """The venue's addresses."""
    return Starlette(routes=[
        WebSocketRoute("/ws/api/v2", hall.websocket),
        Route("/paper/{command}", hall.operator, methods=["POST"]),
        Route("/api/v2", hall.http, methods=["GET", "POST"]),
        Route("/api/v2/{method:path}", hall.http, methods=["GET", "POST"]),
    ])  # fmt: skip


class _Uvicorn(uvicorn.Server):
    """Ends on our word, and leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Line(WebSocketsSansIOProtocol):
    """A websocket that, once we are done with it, does not wait for ever for one who does not read."""

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.writable.set()  # the last word waits in the line's buffer, not before it
        await super().send(message)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(LINGER_S, self.transport.abort)


async def serve(
    port: int = 8765, seed: int = 1, speed: float = 1.0, accounts: Sequence[str] = ("paper:paper",),
    on_ready: Callable[[str], None] | None = None, settings: VenueSettings | None = None,
) -> None:  # fmt: skip
    """Serve until cancelled or asked to end (SIGINT, SIGTERM). Port 0 takes a free one; `on_ready` is told the
    address. Raises CannotServe with a sentence for a person."""
    credentials = dict(map(parse_account, accounts))
    if not 0 < speed <= 100:
        raise CannotServe(f"--speed {speed:g}: the paper venue runs at more than 0 and up to 100 times the wall's time")
    listening, clock = _bind(port), Clock(speed=speed)
    start = clock.now()
    venue = PaperVenue(
        seed, start, settings or settings_for(), epoch=f"{start // 1_000_000:x}", credentials=credentials,
        mint=lambda: secrets.token_urlsafe(24),
    )  # fmt: skip
    hall = Hall(venue, clock, os.environ.get(OPERATOR, ""))
    server = _Uvicorn(uvicorn.Config(
        app_of(hall), ws=_Line, lifespan="off", log_level="error", access_log=False, ws_per_message_deflate=False,
        ws_max_size=4 * FRAME_LIMIT, timeout_graceful_shutdown=1,
    ))  # fmt: skip
    _end_on_signals(server)
    with contextlib.closing(listening):
        await _both(hall, server, listening, on_ready)


async def _both(
    hall: Hall, server: uvicorn.Server, listening: socket.socket, on_ready: Callable[[str], None] | None
) -> None:
    """The sockets and the venue's time, together: when one ends, or we are cancelled, so does the other."""
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    beside = [asyncio.create_task(hall.run()), asyncio.create_task(_announce(server, listening, on_ready))]
    try:
        await asyncio.wait([serving, beside[0]], return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        for task in beside:
            task.cancel()
        ended = await asyncio.gather(serving, *beside, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


def _end_on_signals(server: uvicorn.Server) -> None:
    for sign in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):  # not in the main thread: whoever runs us cancels
            asyncio.get_running_loop().add_signal_handler(sign, lambda: setattr(server, "should_exit", True))


def settings_for(regime: str = "normal", listing: str = "default") -> VenueSettings:
    """What the process serves: BTC and ETH, unless less is asked for, in one of the crowd's REGIMES."""
    return VenueSettings(listing=LISTINGS[listing], crowd=settings_of(regime))


def run(port: int = 8765, seed: int = 1, speed: float = 1.0, accounts: Sequence[str] = ("paper:paper",),
        on_ready: Callable[[str], None] | None = None, settings: VenueSettings | None = None) -> int:  # fmt: skip
    """`serve` as a command: its exit status. Prints `venue: ws://…` when it listens."""
    try:
        asyncio.run(serve(port, seed, speed, accounts, on_ready or say_ready, settings))
    except CannotServe as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def say_ready(address: str) -> None:
    print(f"venue: {address}", flush=True)


def parse_account(text: str) -> tuple[str, str]:
    """`ID:SECRET`. Raises CannotServe."""
    name, colon, secret = text.partition(":")
    if not (name and colon and secret):
        raise CannotServe("--account must be ID:SECRET, both not empty")
    return name, secret


def _bind(port: int) -> socket.socket:
    # the protocol is named, because asyncio sends small frames at once only on sockets that say they are TCP
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # what is unread waits with us, and counts
    try:
        listening.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or str(error)
        raise CannotServe(
            f"the paper venue cannot listen on {HOST}:{port}: {why}. Choose another with --port"
        ) from None
    return listening


async def _announce(server: uvicorn.Server, listening: socket.socket, on_ready: Callable[[str], None] | None) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    if on_ready is not None:
        on_ready(f"ws://{HOST}:{listening.getsockname()[1]}/ws/api/v2")
