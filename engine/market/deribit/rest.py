"""The same calls by HTTP, one at a time, without I/O: GET with a query, POST with a JSON-RPC body.

`/api/v2/public/ticker?instrument_name=…` is `public/ticker`; a POST may go to that path or to `/api/v2` and name
its method in the body. Who calls is in the `Authorization` header (Bearer, Basic, or Deribit's signature) or in
the param `access_token`. What needs a line that stays (subscriptions, heartbeat, cancel-on-disconnect) is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.frames import FRAME_LIMIT, reply
from engine.market.deribit.server import Server
from engine.market.deribit.tokens import Grant, Tokens

ROOT = "/api/v2"
_NEEDS_A_LINE = ("subscribe", "unsubscribe", "heartbeat", "cancel_on_disconnect", "logout")


class HttpRequest(msgspec.Struct, frozen=True):
    """`target` is the request line's: path and query. `authorization` is that header, "" without."""

    method: str
    target: str
    body: bytes = b""
    authorization: str = ""


class _Posted(msgspec.Struct, frozen=True):
    method: str = ""
    params: Any = None
    id: str | int | None = None


class _Body(msgspec.Struct, frozen=True):
    method: str = ""
    params: Any = None
    id: str | int | None = None
    refused: VenueError | None = None


def answer(serve: Callable[[str], Server], tokens: Tokens, request: HttpRequest, now: int) -> tuple[int, bytes]:
    """One request → (HTTP status, JSON). `serve` makes a server without a connection behind it, that draws on the
    credits of this account ("" for those who are not known), so that nobody uses up another's."""
    body, grant = _body(request), _caller(tokens, request, now)
    server = serve(grant.account if isinstance(grant, Grant) else "")
    if not server.afford(now):
        outcome: Any = refusal(10028)
    elif any(part in body.method for part in _NEEDS_A_LINE):
        outcome = refusal(10030)
    elif body.refused is not None or isinstance(grant, VenueError):
        outcome = body.refused or grant
    else:
        outcome = server.call(body.method, body.params, now, grant)
    return _status(outcome), reply(body.id, outcome, now)


def _body(request: HttpRequest) -> _Body:
    path, _, query = request.target.partition("?")
    method = path.removeprefix(ROOT).strip("/")
    if request.method == "GET":
        return _Body(method, dict(parse_qsl(query, keep_blank_values=True)))
    if request.method != "POST":
        return _Body(refused=refusal(11050, f"{request.method} is not served"))
    if len(request.body) > FRAME_LIMIT:
        return _Body(refused=refusal(-32600))
    try:
        body = msgspec.json.decode(request.body or b"{}", type=_Posted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _Body(refused=refusal(11050, str(error)))
    return _Body(body.method or method, {} if body.params is None else body.params, body.id)


def _caller(tokens: Tokens, request: HttpRequest, now: int) -> Grant | VenueError | None:
    """Whose request it is by its header; None where there is no such header."""
    if not request.authorization:
        return None
    signed = f"{request.method}\n{request.target}\n{request.body.decode(errors='replace')}\n"
    return tokens.bearer(request.authorization, signed, now) or refusal(13009, "invalid_token")


def _status(outcome: Any) -> int:
    if not isinstance(outcome, VenueError):
        return 200
    return {-32601: 404, 10028: 429, 10000: 401, 13004: 401, 13009: 401, 13021: 403}.get(outcome.code, 400)
