"""The socket to the venue: connects, authenticates itself, hands frames on, comes back when the line is lost.

Secrets end here. The answers to its own authentication are kept, every other frame is handed on as it came; what is
written is written at once, so that "sent" means that the bytes are with the operating system. It answers nothing for
the core: a test_request is a frame like any other.

Life of a line: connect → `public/auth` (where there are credentials) → `on_link(True, …)` → frames → lost, hung up or
refused → `on_link(False, …)` with the reason → a pause, longer each time, with jitter → connect.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State

from engine.market.deribit import wire

MAX_FRAME = 1 << 24  # an instrument list takes megabytes
CLOGGED = 1 << 16  # bytes that wait in our own buffer: what is added now would leave late
ANSWER_S = 10.0  # in which an authentication is answered
REFRESH_SHARE = 0.8  # of a token's life
STEADY_S = 30.0  # a line that held so long begins its pauses anew
REFUSED_FOR_GOOD = (13004, 13009, 13021)  # another try with the same secret would be refused again

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # below that the library would write frames down, and the secret with them


class BadSecret(ValueError):
    """A secret that is missing or cannot be read. Its text is fit for a person and names no secret."""


class Credentials(msgspec.Struct, frozen=True):
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Credentials({self.client_id}, …)"


def credentials_from(environ: Mapping[str, str], venue: str) -> Credentials:
    """`TIDEGATE_CLIENT_ID` and `TIDEGATE_CLIENT_SECRET`, or the files that `…_FILE` names. The paper venue's own
    account needs none. Raises BadSecret."""
    names = ("TIDEGATE_CLIENT_ID", "TIDEGATE_CLIENT_SECRET")
    found = [_secret(environ, name) for name in names]
    if all(found):
        return Credentials(*found)
    if venue == "paper" and not any(found):
        return Credentials("paper", "paper")
    missing = " and ".join(name for name, value in zip(names, found, strict=True) if not value)
    raise BadSecret(f"{missing} must be set to trade on the {venue} venue (or {names[1]}_FILE, a file that holds it)")


def _secret(environ: Mapping[str, str], name: str) -> str:
    if path := environ.get(f"{name}_FILE", ""):
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise BadSecret(f"the file that {name}_FILE names cannot be read: {why}") from None
    return environ.get(name, "")


class Backoff:
    """Pauses between tries, in seconds: doubled from `first` up to `cap`, each shortened at random by up to half."""

    def __init__(self, dice: random.Random, first: float = 0.25, cap: float = 30.0) -> None:
        self._dice, self._first, self._cap = dice, first, cap
        self._tries = 0

    def next(self) -> float:
        pause: float = min(self._cap, self._first * 2 ** min(self._tries, 16))
        self._tries += 1
        return pause * self._dice.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._tries = 0


class Feed:
    """One venue's line. `on_link(up, authenticated, reason)` and `on_frame(data)` are called in its loop.

    `credentials` is asked anew for each connection; None from it means to look without trading. `speed` is how much
    faster than the wall the venue's clock runs, whose seconds tokens are counted in.
    """

    def __init__(
        self,
        url: str,
        credentials: Callable[[], Credentials | None],
        on_link: Callable[[bool, bool, str], None],
        on_frame: Callable[[bytes], None],
        *,
        backoff: Backoff | None = None,
        speed: float = 1.0,
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._on_link = on_link
        self._on_frame = on_frame
        self._backoff = backoff or Backoff(random.Random())
        self._speed = speed
        self._line: ClientConnection | None = None  # the one that is up
        self._why = ""  # we hung up ourselves, because
        self._said = ""  # the last reason reported for being down
        self._asked = 0

    def send(self, data: bytes) -> bool:
        """Write a frame to the socket now; False if the line is down, or clogged so that it would leave late."""
        line = self._line
        if line is None or line.state is not State.OPEN:
            return False
        if line.transport.get_write_buffer_size() > CLOGGED:
            return False
        broadcast((line,), data.decode())
        return True

    def hangup(self, reason: str) -> None:
        """Leave this line at once; nothing more of it is handed on. A new one is made after a pause."""
        line, self._line = self._line, None
        if line is not None:
            self._why = reason
            line.transport.abort()

    async def run(self) -> None:
        """Hold a line until cancelled. What the callbacks raise comes out of here."""
        while True:
            reason = await self._connect()
            log.info("line down: %s", reason)
            if reason != self._said:
                self._said = reason
                self._on_link(False, False, reason)
            await asyncio.sleep(self._backoff.next())

    async def _connect(self) -> str:
        """One line, from its beginning to its end; why it ended."""
        local = urlsplit(self._url).hostname in ("127.0.0.1", "localhost", "::1")
        credentials = self._credentials()
        try:
            line = await connect(
                self._url, compression=None, max_size=MAX_FRAME, max_queue=1024, ping_interval=10, ping_timeout=10,
                close_timeout=1, logger=log, proxy=None if local else True,
            )  # fmt: skip
        except (OSError, TimeoutError, WebSocketException) as error:
            return f"{self._url} cannot be reached: {str(error) or type(error).__name__}"
        began = asyncio.get_running_loop().time()
        self._why = ""
        try:
            return await _Login(self, line).run(credentials)
        finally:
            self._line = None
            line.transport.abort()
            if asyncio.get_running_loop().time() - began > STEADY_S:
                self._backoff.reset()


class _Login:
    """One line's frames, and the authentication that rides on it."""

    def __init__(self, feed: Feed, line: ClientConnection) -> None:
        self.feed = feed
        self.line = line
        self.ended = ""  # why we leave
        self.up = False
        self.timer: asyncio.TimerHandle | None = None
        self.deadline = asyncio.timeout(None)

    async def run(self, credentials: Credentials | None) -> str:
        try:
            async with self.deadline:
                if credentials is None:
                    self._up(False, "")
                else:
                    self._ask("client_credentials", **msgspec.structs.asdict(credentials))
                while not self.ended and not self.feed._why:
                    self._take(await self.line.recv(decode=False))
        except TimeoutError:
            self.ended = "the venue did not answer the authentication"
        except ConnectionClosed as error:
            self.ended = _closed(error)
        finally:
            if self.timer is not None:
                self.timer.cancel()
        return self.feed._why or self.ended

    def _take(self, data: bytes) -> None:
        if not data.startswith(wire.HEAD) and (b"auth-" in data or b'"access_token"' in data):
            event = wire.decode(data)
            if isinstance(event, wire.Reply) and (_is_own(event) or b'"access_token"' in data):
                self._answered(event)
                return
        if self.up:
            self.feed._on_frame(data)

    def _answered(self, reply: wire.Reply) -> None:
        if reply.error is not None:
            self._refused(reply.error)
            return
        try:
            token = msgspec.json.decode(reply.result or b"", type=wire.Token)
        except msgspec.DecodeError:
            self.ended = "the venue's answer to the authentication cannot be read"
            return
        self.deadline.reschedule(None)
        later = max(token.expires_in * REFRESH_SHARE / self.feed._speed, 0.0)
        loop = asyncio.get_running_loop()
        self.timer = loop.call_later(min(later, 86_400.0), self._refresh, token.refresh_token)
        if not self.up:
            self._up(True, "")

    def _refused(self, error: wire.VenueError) -> None:
        """A secret that is wrong leaves us looking on; anything else, or a refresh, begins anew with a new line."""
        reason = f"authentication was refused: {error.message} ({error.code})"
        if not self.up and error.code in REFUSED_FOR_GOOD:
            self.deadline.reschedule(None)
            self._up(False, reason)
        else:
            self.ended = reason

    def _up(self, authenticated: bool, reason: str) -> None:
        self.up = True
        self.feed._line, self.feed._said = self.line, ""
        self.feed._on_link(True, authenticated, reason)

    def _refresh(self, token: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            self._ask("refresh_token", refresh_token=token)

    def _ask(self, grant: str, **params: str) -> None:
        self.feed._asked += 1
        call = wire.request(f"auth-{self.feed._asked}", "public/auth", {"grant_type": grant, **params})
        self.deadline.reschedule(asyncio.get_running_loop().time() + ANSWER_S)
        broadcast((self.line,), call.decode())


def _is_own(reply: wire.Reply) -> bool:
    return isinstance(reply.id, str) and reply.id.startswith("auth-")


def _closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "the line broke"
    return f"the venue closed the line: {error.rcvd.reason or error.rcvd.code}"
