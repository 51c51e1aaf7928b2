"""A screen without a page: attached to a real engine, waiting for what it sees; and a second look, at the venue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import connect

from engine import messages as m
from engine.client import attach
from engine.market.deribit import wire
from engine.shell.seen import Seen


class Watch(Seen):
    """What an attached screen has seen last; `until` waits a minute at most."""

    async def until(self, ready: Any) -> None:
        async with asyncio.timeout(60):
            await super().until(ready)


@asynccontextmanager
async def watching(address: str) -> AsyncIterator[Watch]:
    async with attach(address) as client:
        watch = Watch(client)
        await watch.ready()
        yield watch


async def ask_venue(address: str, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Results straight from the venue, by a client that is not ours."""
    login = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "paper"}
    out = []
    async with connect(address, max_size=None) as socket:
        for k, (method, params) in enumerate([("public/auth", login), *calls]):
            await socket.send(wire.request(k, method, params))
            while True:
                event = wire.decode(await socket.recv(decode=False))
                if isinstance(event, wire.Reply) and event.id == k:
                    assert event.error is None, event.error
                    assert event.result is not None
                    out.append(msgspec.json.decode(event.result))
                    break
    return out[1:]


def tradable(ladder: m.LadderView | None) -> bool:
    return ladder is not None and not ladder.stale and bool(ladder.bids and ladder.asks and ladder.mark)


def pick(chain: m.ChainView) -> str:
    """A call of the second expiry, or the only one, at the middle of its strikes: near the money, both sides quoted."""
    calls = [row for row in chain.instruments if row[1] == "option" and row[0].endswith("-C")]
    second = sorted({expiry for _, _, expiry, _ in calls})[:2][-1]
    strikes = sorted((strike, name) for name, _, expiry, strike in calls if expiry == second)
    return strikes[len(strikes) // 2][1]
