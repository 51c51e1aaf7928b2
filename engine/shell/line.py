"""Request and answer on one socket of a venue, for commands that need no engine: the kill and the probe."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection

from engine.market.deribit import wire
from engine.shell.feed import Credentials


class Refused(Exception):
    """The venue's refusal of a call. Its text is fit for a person."""

    def __init__(self, method: str, error: wire.VenueError) -> None:
        super().__init__(f"{method} was refused: {error.message} ({error.code})")
        self.code = error.code


class Line:
    """One call at a time; what the venue says by itself meanwhile is kept in `pushed`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.pushed: list[wire.Push] = []
        self._ids = itertools.count(1)

    async def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result. Raises Refused."""
        call = f"line-{next(self._ids)}"
        await self.socket.send(wire.request(call, method, params or {}))
        while True:
            event = wire.decode(await self.socket.recv(decode=False))
            if isinstance(event, wire.Push):
                self.pushed.append(event)
            elif isinstance(event, wire.Heartbeat) and event.test_request:
                await self.socket.send(wire.request("beat", "public/test", {}))
            elif isinstance(event, wire.Reply) and event.id == call:
                if event.error is not None:
                    raise Refused(method, event.error)
                return None if event.result is None else msgspec.json.decode(event.result)

    async def login(self, secret: Credentials) -> dict[str, Any]:
        """Authenticate this connection; the venue's token. Raises Refused."""
        grant = {"grant_type": "client_credentials"} | msgspec.structs.asdict(secret)
        token: dict[str, Any] = await self.ask("public/auth", grant)
        return token

    async def listen(self, seconds: float) -> None:
        """Take in what the venue says by itself for so long."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    event = wire.decode(await self.socket.recv(decode=False))
                    if isinstance(event, wire.Push):
                        self.pushed.append(event)
        except TimeoutError:
            return
