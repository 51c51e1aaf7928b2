"""Both ends of the engine's link, as its tests need them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from engine.client import Client
from engine.domain import Side
from engine.messages import (
    Answer,
    Approve,
    Ask,
    AskCost,
    AskEstimate,
    ChainView,
    Costed,
    Down,
    Drive,
    Estimated,
    LadderView,
    NoteView,
    OwnOrder,
    View,
    Welcome,
    Why,
    Work,
    unpack_down,
)
from engine.shell.serve import Serve

WELCOME = Welcome(mode="paper", session="one", code="abc")
WAIT = 30.0  # a bound, never an expectation


class Script:
    """What stands behind the link in these tests: remembers what it was asked, answers as it is set to."""

    def __init__(self) -> None:
        self.asked: list[Ask | Drive] = []
        self.looks: dict[int, tuple[str, ...]] = {}
        self.looked = asyncio.Event()
        self.kept: list[View] = []
        self.held: dict[str, asyncio.Future[Answer]] = {}

    def ask(self, ask: Ask) -> Answer | Awaitable[Answer]:
        self.asked.append(ask)
        if isinstance(ask.verb, Approve):
            return self.held.setdefault(ask.verb.proposal, asyncio.get_running_loop().create_future())
        if ask.user == "explode":
            raise RuntimeError("a broken invariant")
        return Answer(id=ask.id, ok=True, text=f"done for {ask.user}")

    def look(self, client: int, instruments: tuple[str, ...]) -> None:
        self.looks[client] = instruments
        self.looked.set()

    def drive(self, drive: Drive) -> Answer | Awaitable[Answer]:
        self.asked.append(drive)

        async def later() -> Answer:
            return Answer(id=drive.id, ok=drive.do != "seek", text=f"{drive.do} {drive.value}")

        return later()

    def why(self, why: Why) -> Answer:
        return Answer(id=why.id, ok=bool(why.instrument), text=f"because of {why.instrument}")

    def estimate(self, asked: AskEstimate) -> Estimated:
        if asked.order.instrument == "explode":
            raise RuntimeError("a book that cannot be")
        return Estimated(id=asked.id, reason=f"nothing is known of {asked.order.instrument}")

    def cost(self, asked: AskCost) -> Costed:
        return Costed(id=asked.id, name=f"{asked.form}", data=" ".join(asked.parents).encode())

    def work(self, work: Work) -> Answer:
        return Answer(id=work.id, ok=work.role != "viewer", text=f"{work.job} for {work.user}")

    def recall(self, after: int) -> Sequence[View]:
        return [view for view in self.kept if not isinstance(view, NoteView) or view.n > after]

    async def until_looking(self, *instruments: str) -> None:
        while instruments not in self.looks.values():
            self.looked.clear()
            await self.looked.wait()


def note(n: int) -> NoteView:
    return NoteView(n=n, t_ms=float(n), level="info", who="anna", text=f"note {n}", instrument="not looked at")


def ladder(instrument: str, t_ms: float = 0.0) -> LadderView:
    own = OwnOrder(child="d1", side=Side.BUY, units=400, remaining=2.0, state="open")
    return LadderView(
        instrument=instrument, unit=0.0001, digits=4, steps=((50, 5),), lot=0.1, contract_label="BTC", t_ms=t_ms,
        stale="", state="open", bids=((400, 1.5),), asks=((410, 2.0),), own=(own,), micro=404.5, fair=None, mark=405.0,
        forward=80_000.0, mark_iv=46.9, fair_iv=None, bid_iv=46.0, ask_iv=48.0, delta=0.5, coin_delta=0.45,
        trades=((1.0, 405, 0.5, "buy"),),
    )  # fmt: skip


def big(version: int) -> ChainView:
    """About a megabyte: more than a few of them do not fit into the buffers of a socket."""
    return ChainView(instruments=(("x" * (1 << 20), "option", float(version), 0.0),))


def run(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(WAIT):
            await test

    asyncio.run(bounded())


@asynccontextmanager
async def served(desk: Script | None = None, **options: Any) -> AsyncIterator[tuple[Serve, Script, str]]:
    desk = desk or Script()
    serve = Serve(WELCOME, **options)
    address = await serve.start(desk)
    try:
        yield serve, desk, address
    finally:
        await serve.stop()


async def until(serve: Serve, clients: int) -> None:
    while serve.clients != clients:
        await asyncio.sleep(0)


async def gather(client: Client, enough: int) -> list[View]:
    """Views as they come, until there are `enough`."""
    got: list[View] = []
    async for views in client:
        got += views
        if len(got) >= enough:
            return got
    raise AssertionError


async def said(raw: ClientConnection) -> Down:
    data = await raw.recv()
    assert isinstance(data, bytes)
    down: Down = unpack_down(data)
    return down


async def closing(raw: ClientConnection) -> tuple[int, str]:
    """Reads until the other end closes; its code and reason."""
    try:
        while True:
            await raw.recv()
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (0, "")
