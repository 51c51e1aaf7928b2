"""A paper venue in this process on a real socket, and the few words that tests say to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import websockets

from engine.shell import venue

PATIENCE_S = 20.0


@asynccontextmanager
async def serving(**more: Any) -> AsyncIterator[str]:
    """A venue in this process; its websocket address."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(venue.serve(port=0, on_ready=ready.set_result, **more))
    try:
        yield await asyncio.wait_for(ready, PATIENCE_S)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def call(line: websockets.ClientConnection, method: str, **params: Any) -> Any:
    await line.send(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}))
    while True:
        answer = json.loads(await asyncio.wait_for(line.recv(), PATIENCE_S))
        if answer.get("id") == method:
            return answer.get("result", answer.get("error"))


async def login(line: websockets.ClientConnection, name: str = "paper", secret: str = "paper") -> Any:
    grant = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    return await call(line, "public/auth", **grant)


def run(story: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(story(), 3 * PATIENCE_S))
