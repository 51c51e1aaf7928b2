"""The web process: a FastAPI server of our own, with Dash on it for the page and `/feed` beside it for what moves.

One worker. The engine is attached while the server runs; a page may come and go without the engine noticing more
than a change of what is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from dash import Dash
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from components import link, page, report
from components.door import Door, Pass, User
from components.relay import FRAME_S, HIDDEN_S, Attach, Form, Look, Past, Relay, Screen
from engine import client
from engine.config import Mode
from engine.messages import Estimated, json_bytes

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SERVING: dict[str, Any] = {  # for uvicorn: no token in an access log, no time spent on squeezing local frames
    "workers": 1,
    "access_log": False,
    "log_level": "warning",
    "ws_per_message_deflate": False,
    "server_header": False,
    "timeout_graceful_shutdown": 1,
}


def build(
    address: str, token: str, *, mode: Mode = "paper", attach: Attach = client.attach, past: Past | None = None
) -> FastAPI:
    """The desk's page for the engine at `address`, behind the login that `token` opens. `past` kills past an engine
    that does not answer."""
    relay = Relay(address, attach, mode, past)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(relay.run())
        yield
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    server = FastAPI(title="Tidegate", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    _routes(server, relay)
    dash = _dash(server, relay)
    server.add_middleware(Door, keys=Pass(token, User("desk", "admin")), policy=policy(dash.csp_hashes()))
    return server


def _dash(server: FastAPI, relay: Relay) -> Dash:
    options: Any = {"server": server, "update_title": None}  # narrower in Dash's types than in what it takes
    dash = Dash(
        "tidegate",
        title="Tidegate",
        **options,
        assets_folder=str(ASSETS),
        include_assets_files=False,  # the page's own <script type=module> loads them, in the order they import
        index_string=page.INDEX,
        add_log_handler=False,
    )
    dash.backend.websocket_capability = (
        False  # else every page would hold a second socket, for callbacks we have none of
    )
    dash.layout = page.layout()
    link.connect(dash, relay)
    return dash


def policy(hashes: Sequence[str]) -> str:
    """Nothing from other hosts, no inline script but Dash's own line, by its hash.

    Dash's components bring their few styles as elements, so those alone may be inline.
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; "
        "img-src 'self' data:; font-src 'self'; style-src 'self'; style-src-elem 'self' 'unsafe-inline'; "
        f"script-src 'self' {' '.join(hashes)}"
    )


def _routes(server: FastAPI, relay: Relay) -> None:
    @server.get("/healthz")
    async def healthz() -> dict[str, object]:
        return health(relay)

    @server.get("/why")
    async def why(instrument: str) -> dict[str, object]:
        answer = await relay.why(instrument)
        return {"ok": answer.ok, "text": answer.text}

    @server.post("/estimate")
    async def estimate(request: Request) -> Response:
        return Response(json_bytes(await _estimated(await request.body(), relay)), media_type="application/json")

    @server.get("/cost")
    async def cost(form: Form, parent: str = "") -> Response:
        return report.answered(await relay.cost(form, [parent] if parent else []))

    @server.websocket("/feed")
    async def feed(socket: WebSocket) -> None:
        await socket.accept()
        screen = Screen()
        relay.screens.add(screen)
        hearing = asyncio.create_task(_hear(socket, screen, relay))
        try:
            await _show(socket, screen, relay)
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # the page went away; starlette says so in several ways
        finally:
            hearing.cancel()
            relay.screens.discard(screen)
            await relay.refocus()


async def _estimated(said: bytes, relay: Relay) -> Estimated:
    """What the order of a half-written ticket would cost, or in words why nothing can be said of it."""
    try:
        return await relay.estimate(link.order_of(msgspec.json.decode(said[: link.MAX_SAID])))
    except msgspec.DecodeError:
        return Estimated(reason="that is not an order")
    except link.Misput as misput:
        return Estimated(reason=str(misput))


def health(relay: Relay) -> dict[str, object]:
    """What `/healthz` answers: the newest confirmed state, feed "down" while the engine is away."""
    status = relay.board.status
    live = relay.board.attached and status is not None
    return {
        "status": "halted" if status and status.halted else "ok",
        "mode": relay.mode,
        "feed": status.feed if live and status else "down",
        "seq": status.n if status else 0,
        "model": {"id": status.model if status else "", "skill": status.skill.verdict if status else "unknown yet"},
    }


async def _show(socket: WebSocket, screen: Screen, relay: Relay) -> None:
    """Send this screen what is newer, never faster than it takes it."""
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(screen.wake.wait(), HIDDEN_S)
        screen.wake.clear()
        await socket.send_text(screen.frame(relay.board, loop.time()).decode())
        await asyncio.sleep(FRAME_S)
        if screen.hidden:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(screen.shown.wait(), HIDDEN_S)


async def _hear(socket: WebSocket, screen: Screen, relay: Relay) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            try:
                said = msgspec.json.decode(await socket.receive_text(), type=Look)
            except (msgspec.DecodeError, KeyError):  # KeyError: starlette's word for a message that is not text
                await socket.close(4400, "not a word this feed knows")
                return
            screen.hear(said)
            if said.recall is not None:
                screen.recall(relay.board, said.recall)
            await relay.refocus()
