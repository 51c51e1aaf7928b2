"""The engine's own link: screens and scripts attach here, on this machine only, with a token.

Going in: `Up` structs, one msgpack message a binary frame. Coming out: `Down` structs, the same way, `Welcome` first
and then everything `recall` gives. A client that reads slowly holds nobody up and gets no backlog: of every topic (a
view's type and instrument) only the newest waits for it. Notes and answers are never dropped; a client that lets too
many of those wait is closed, with the reason.

Everything here runs in one asyncio loop, `publish` too. A view is packed once, whoever reads it.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from engine.messages import Hello, View, Welcome, pack
from engine.shell.attached import REFUSED, Attached, Desk, say_goodbye, understood

HOST = "127.0.0.1"
LAG = 2_000  # notes and answers that may wait for a client
HELLO_S = 5.0  # in which a client without the token in its address must say it
MAX_UP = 1 << 20  # bytes of one message from a client
AWAY = 1001  # websocket: going away

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # below that the library would write addresses down, and the token with them


class PortTaken(OSError):
    """The port cannot be listened on. Its text is fit for a person."""


class Serve:
    """`lag` is how many notes and answers may wait for one client; one that is being closed has `patience_s` to read
    why before its connection is cut."""

    def __init__(self, welcome: Welcome, *, token: str = "", lag: int = LAG, patience_s: float = 2.0) -> None:
        self._welcome = pack(welcome)
        self._token = token or secrets.token_urlsafe(24)
        self._lag, self._patience_s = lag, patience_s
        self._clients: dict[int, Attached] = {}
        self._count = 0
        self._server: Server | None = None

    async def start(self, desk: Desk, port: int = 0) -> str:
        """Listens; returns the address with the token, to attach to. Raises PortTaken."""
        self._desk = desk
        try:
            self._server = await serve(
                self._attend,
                HOST,
                port,
                process_request=_no_browsers,
                compression=None,
                max_size=MAX_UP,
                close_timeout=self._patience_s,
                logger=log,
            )
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            why = "is in use already" if taken else f"cannot be used: {error}"
            raise PortTaken(f"port {port} on {HOST} {why}") from None
        return f"ws://{HOST}:{self.port}/?token={self._token}"

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def clients(self) -> int:
        return len(self._clients)

    def publish(self, views: Sequence[View]) -> None:
        """Offers views to every client. Never waits."""
        if self._clients:
            packed = [(view, msgspec.Raw(pack(view))) for view in views]
            for client in self._clients.values():
                client.offer(packed)

    async def stop(self, reason: str = "the engine stops") -> None:
        """Says goodbye to every client and stops listening."""
        await asyncio.gather(*(client.dismiss(reason, AWAY) for client in self._clients.values()))
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _attend(self, socket: ServerConnection) -> None:
        if not await self._admitted(socket):
            return
        self._count += 1
        client = Attached(self._count, socket, self._desk, self._lag)
        client.answer(self._welcome)
        client.recall(0)
        self._clients[client.number] = client
        try:
            await client.attend()
        finally:
            del self._clients[client.number]
            self._desk.look(client.number, ())

    async def _admitted(self, socket: ServerConnection) -> bool:
        assert socket.request is not None
        said = parse_qs(urlsplit(socket.request.path).query).get("token", [None])[0]
        try:
            if said is None:
                async with asyncio.timeout(HELLO_S):
                    hello = understood(await socket.recv())
                said = hello.token if isinstance(hello, Hello) else ""
            if secrets.compare_digest(said.encode(), self._token.encode()):
                return True
            await say_goodbye(socket, "the token is wrong", REFUSED)
        except TimeoutError:
            await say_goodbye(socket, "no token was said", REFUSED)
        except ConnectionClosed:
            pass
        return False


def _no_browsers(socket: ServerConnection, request: Request) -> Response | None:
    """A page in a browser could reach this port; its requests name where they come from, a screen's do not."""
    if "Origin" not in request.headers:
        return None
    return socket.respond(HTTPStatus.FORBIDDEN, "This is the engine's own link; a browser has no business here.\n")
