"""A venue's frames in both directions: a request read as far as it can be, its params typed; what goes out, encoded."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import Params

FRAME_LIMIT = 32 * 1024  # bytes a client may send in one frame


class Ask(msgspec.Struct, frozen=True):
    """A request as far as it could be read; `refused` says why no further."""

    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | int | None = None
    refused: VenueError | None = None


class _Notification(msgspec.Struct):
    jsonrpc: str
    method: str
    params: Any


class _Subscribed(msgspec.Struct):
    channel: str
    data: Any


class _Request(msgspec.Struct, frozen=True):
    method: str
    params: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | int | None = None


class _Id(msgspec.Struct, frozen=True):
    id: str | int | None = None


_requests = msgspec.json.Decoder(_Request)
_ids = msgspec.json.Decoder(_Id)
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read(data: bytes) -> Ask:
    """A client's frame. Never raises; the id is kept where it can be read, so that the refusal finds its asker."""
    if len(data) > FRAME_LIMIT:
        return Ask(refused=refusal(-32600))
    try:
        request = _requests.decode(data)
        params = request.params if bytes(request.params) != b"null" else msgspec.Raw(b"{}")
        return Ask(request.method, params, request.id)
    except _UNREADABLE as error:
        refused = refusal(11050, str(error))
    try:
        return Ask(id=_ids.decode(data).id, refused=refused)
    except _UNREADABLE:
        return Ask(refused=refused)


def notification(channel: str, data: Any) -> bytes:
    """A push as it goes out, to be made once for all who want it."""
    return _encode(_Notification("2.0", "subscription", _Subscribed(channel, data)))


def read_params(kind: type[Params], given: Any) -> Params | VenueError:
    """JSON (`Raw`) or a mapping of texts → typed params; refused (-32602) with the name of the one that is wrong.

    A list or an object may also come as its JSON in a text: by GET there is no other way.
    """
    try:
        if isinstance(given, msgspec.Raw):
            return msgspec.json.decode(given, type=kind, strict=False)
        return msgspec.convert(given, type=kind, strict=False)
    except _UNREADABLE as error:
        wrong = error
    try:
        return msgspec.convert(_unfolded(given), type=kind, strict=False)
    except _UNREADABLE:
        name = re.search(r"required field `(\w+)`|\$\.(\w+)", str(wrong))
        return refusal(-32602, str(wrong), (name[1] or name[2]) if name else "")


def _unfolded(given: Any) -> dict[str, Any]:
    """Params, with JSON in place of the texts that are some."""
    params = msgspec.json.decode(given) if isinstance(given, msgspec.Raw) else given
    if not isinstance(params, dict):
        raise msgspec.ValidationError("params are not an object")
    return {name: msgspec.json.decode(value) if _is_json(value) else value for name, value in params.items()}


def _is_json(value: Any) -> bool:
    return isinstance(value, str) and value[:1] in ("[", "{")


def beat(kind: str) -> bytes:
    return _encode(_Notification("2.0", "heartbeat", {"type": kind}))


def reply(id: str | int | None, outcome: Any, now: int) -> bytes:  # noqa: A002
    """An answer as it goes out. It is made at the moment of the question, so both times are the same. Never the real
    exchange's: it says so."""
    frame: dict[str, Any] = {"jsonrpc": "2.0"}
    if id is not None:
        frame["id"] = id
    frame["error" if isinstance(outcome, VenueError) else "result"] = outcome
    frame |= {"usIn": now // 1000, "usOut": now // 1000, "usDiff": 0, "testnet": True}
    return _encode(frame)
