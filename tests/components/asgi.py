"""Asks an ASGI application directly, as a browser would by HTTP or a websocket, without a port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message

HOST = "desk.test"
ORIGIN = f"http://{HOST}"


class Reply(msgspec.Struct):
    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def cookies(self) -> str:
        """The Cookie header a browser would send back."""
        jar = SimpleCookie(self.headers.get("set-cookie", ""))
        return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())


class Refused(Exception):
    """A websocket was closed before it was accepted."""


def _scope(kind: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = path.partition("?")
    raw = [(name.lower().encode(), value.encode()) for name, value in {"host": HOST, **headers}.items()]
    return {"type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(), "headers": raw,
            "client": ("127.0.0.1", 1), "server": (HOST, 80), "state": {}, "subprotocols": []}  # fmt: skip


async def ask(
    app: ASGIApp, path: str, headers: Mapping[str, str] | None = None, *, post: object = None, method: str = ""
) -> Reply:
    """One request; `post` is sent as JSON."""
    scope = _scope("http", path, headers or {})
    body = b"" if post is None else json.dumps(post).encode()
    if post is not None:
        scope["headers"].append((b"content-type", b"application/json"))
    scope["method"] = method or ("GET" if post is None else "POST")
    sent: list[Message] = []

    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()  # the browser says nothing more and stays
        return waiting.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    parts = [message.get("body", b"") for message in sent if message["type"] == "http.response.body"]
    return Reply(start["status"], Headers(raw=start["headers"]), b"".join(parts))


def _begin(serving: Awaitable[None]) -> asyncio.Task[None]:
    async def served() -> None:
        await serving

    return asyncio.create_task(served())


class Socket:
    """A page's end of a websocket."""

    def __init__(self) -> None:
        self.to_app: asyncio.Queue[Message] = asyncio.Queue()
        self.from_app: asyncio.Queue[Message] = asyncio.Queue()

    async def say(self, word: object) -> None:
        text = word if isinstance(word, str) else json.dumps(word)
        await self.to_app.put({"type": "websocket.receive", "text": text})

    async def frame(self) -> dict[str, Any]:
        message = await self.from_app.get()
        if message["type"] == "websocket.close":
            raise Refused(message.get("reason", ""))
        frame: dict[str, Any] = json.loads(message["text"])
        return frame

    async def until(self, topic: str) -> dict[str, Any]:
        """The next view of this topic, whatever frames it takes."""
        while True:
            for view in (await self.frame())["views"]:
                if view["type"] == topic:
                    found: dict[str, Any] = view
                    return found


@asynccontextmanager
async def socket(app: ASGIApp, path: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Socket]:
    """An open websocket; raises Refused if the application does not accept it."""
    page = Socket()
    await page.to_app.put({"type": "websocket.connect"})
    scope = _scope("websocket", path, headers or {}) | {"scheme": "ws"}
    running = _begin(app(scope, page.to_app.get, page.from_app.put))
    first = await page.from_app.get()
    if first["type"] != "websocket.accept":
        await running
        raise Refused(first.get("reason", ""))
    try:
        yield page
    finally:
        await page.to_app.put({"type": "websocket.disconnect", "code": 1001})
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def started(app: ASGIApp) -> AsyncIterator[None]:
    """The application between its start-up and its shut-down."""
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = _begin(app(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
        await running
