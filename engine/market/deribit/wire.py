"""Deribit's JSON-RPC without I/O: what the venue says, decoded; what we ask, encoded.

`decode` never raises. A push is decoded straight into its type by a peek at its head, which the venue always writes
in the same way; what the peek does not recognise, or what does not fit the type, goes the slow way round, where
`1.6e12` is an integer too, and ends as an event or as `Garbage` with a reason. Fields the venue adds are tolerated;
fields that old recordings lack or have as null are optional.

Everything is as on the wire: prices and amounts in decimals, times in milliseconds, IVs in per cent (except
`MarkPrice.iv`, a fraction). `instrument_of` and the book turn them into units and lots.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Literal, cast

import msgspec

from engine.domain import MS
from engine.market.deribit.account import (
    AccountData,
    CancelOnDisconnect,
    ChangesData,
    OrderData,
    Placed,
    PositionData,
    Token,
    UserTradeData,
    UserTrades,
)
from engine.market.deribit.data import (
    BookData,
    Direction,
    DvolData,
    Greeks,
    IndexData,
    InstrumentData,
    Level,
    MarkPrice,
    PerpetualData,
    StateData,
    Stats,
    TickerData,
    TickStep,
    TradeData,
    WindowData,
    instrument_of,
)
from engine.market.deribit.errors import ERRORS, VenueError, refusal

__all__ = [
    "ERRORS", "FAMILIES", "HEAD", "MS",
    "AccountData", "BookData", "CancelOnDisconnect", "ChangesData", "Direction", "DvolData",
    "Event", "Garbage", "Greeks", "Heartbeat", "IndexData", "InstrumentData", "Level", "MarkPrice", "OrderData",
    "PerpetualData", "Placed", "PositionData", "Push", "Reply", "StateData", "Stats", "TickStep", "TickerData", "Token",
    "TradeData", "UserTradeData", "UserTrades", "VenueError", "WindowData", "decode", "family_of", "instrument_of",
    "refusal", "request",
]  # fmt: skip


class Push(msgspec.Struct, frozen=True):
    """`data` is of the type that `FAMILIES` has for `family`; a channel of no known family ("") keeps it as Raw."""

    family: ClassVar[str] = ""
    channel: str
    data: Any


class Reply(msgspec.Struct, frozen=True):
    """The answer to a request; `id` is None when the venue could not read ours. Times are its clock's µs."""

    id: str | int | None
    result: msgspec.Raw | None
    error: VenueError | None
    us_in: int | None = None
    us_out: int | None = None


class Heartbeat(msgspec.Struct, frozen=True):
    """A sign of life; with `test_request` the venue hangs up unless `public/test` is called."""

    test_request: bool


class Garbage(msgspec.Struct, frozen=True):
    """A frame that is nothing known. `reason` is fit for a person."""

    reason: str


Event = Push | Reply | Heartbeat | Garbage

FAMILIES: dict[str, Any] = {
    "book": BookData,
    "window": WindowData,
    "ticker": TickerData,
    "trades": list[TradeData],
    "markprice": list[MarkPrice],
    "index": IndexData,
    "dvol": DvolData,
    "perpetual": PerpetualData,
    "state": StateData,
    "orders": OrderData | list[OrderData],
    "user_trades": list[UserTradeData],
    "changes": ChangesData,
    "portfolio": AccountData,
}
_PREFIXES = {
    ("ticker",): "ticker",
    ("trades",): "trades",
    ("markprice", "options"): "markprice",
    ("deribit_price_index",): "index",
    ("deribit_volatility_index",): "dvol",
    ("perpetual",): "perpetual",
    ("instrument", "state"): "state",
    ("user", "orders"): "orders",
    ("user", "trades"): "user_trades",
    ("user", "changes"): "changes",
    ("user", "portfolio"): "portfolio",
}


def family_of(channel: str) -> str:
    """The family of a channel, "" if it is none that is typed here."""
    parts = channel.split(".")
    if parts[0] == "book":
        return {3: "book", 5: "window"}.get(len(parts), "")
    return _PREFIXES.get((parts[0],)) or _PREFIXES.get(tuple(parts[:2]), "")


def _push_type(family: str, data: Any) -> type[Push]:
    """Push with `data` of this type, so that a frame's params decode straight into what is handed on."""
    kind = msgspec.defstruct(
        f"Push_{family}", [("data", data)], bases=(Push,), namespace={"family": family}, frozen=True
    )
    return cast(type[Push], kind)


def _frame_decoder(params: type[Push]) -> Callable[[bytes], Any]:
    frame = msgspec.defstruct(f"{params.__name__}_frame", [("params", params)], frozen=True, gc=False)
    return msgspec.json.Decoder(frame).decode


_PUSHES = {family: _push_type(family, data) for family, data in FAMILIES.items()}
_FRAMES = {family: _frame_decoder(push) for family, push in _PUSHES.items()}
_LAX = {family: msgspec.json.Decoder(data, strict=False) for family, data in FAMILIES.items()}


@lru_cache(maxsize=8192)
def _route(channel: bytes) -> tuple[str, Callable[[bytes], Any]] | None:
    name = channel.decode("ascii", "replace")
    family = family_of(name)
    return (name, _FRAMES[family]) if family else None


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
HEAD = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'
_HEAD_SIZE = len(HEAD)


def decode(data: bytes) -> Event:
    """One frame from the venue → an event. Never raises; what cannot be read is `Garbage`."""
    if data.startswith(HEAD):
        route = _route(data[_HEAD_SIZE : data.find(b'"', _HEAD_SIZE)])
        if route is not None:
            channel, typed = route
            try:
                push: Push = typed(data).params
            except _UNREADABLE:
                return _slow(data)
            if push.channel == channel:  # else a second channel stands further on: let the slow way judge
                return push
    return _slow(data)


_ABSENT = msgspec.Raw()


class _Envelope(msgspec.Struct, frozen=True):
    id: str | int | None = None
    method: str | None = None
    params: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    error: VenueError | None = None
    us_in: int | None = msgspec.field(name="usIn", default=None)
    us_out: int | None = msgspec.field(name="usOut", default=None)


class _PushParams(msgspec.Struct, frozen=True):
    channel: str
    data: msgspec.Raw


class _BeatParams(msgspec.Struct, frozen=True):
    type: Literal["heartbeat", "test_request"]


_envelope = msgspec.json.Decoder(_Envelope)
_push_params = msgspec.json.Decoder(_PushParams)
_beat_params = msgspec.json.Decoder(_BeatParams)


def _slow(data: bytes) -> Event:
    try:
        data.decode()  # what is kept as Raw would else be found not to be text only when somebody reads it
        return _classify(_envelope.decode(data))
    except _UNREADABLE as error:
        return Garbage(str(error))


def _classify(frame: _Envelope) -> Event:
    if frame.method == "subscription":
        params = _push_params.decode(frame.params)
        family = family_of(params.channel)
        if not family:
            return Push(params.channel, params.data)
        return _PUSHES[family](params.channel, _LAX[family].decode(params.data))
    if frame.method == "heartbeat":
        return Heartbeat(_beat_params.decode(frame.params).type == "test_request")
    if frame.method is not None:
        return Garbage(f"a notification '{frame.method[:40]}' that is not known")
    result = frame.result if bytes(frame.result) else None
    if result is None and frame.error is None:
        return Garbage("neither an answer nor a notification")
    return Reply(frame.id, result, frame.error, frame.us_in, frame.us_out)


class _Request(msgspec.Struct):
    jsonrpc: str
    id: str | int
    method: str
    params: dict[str, Any]


_encode = msgspec.json.Encoder().encode


def request(id: str | int, method: str, params: dict[str, Any]) -> bytes:  # noqa: A002
    """A call as the venue wants it."""
    return _encode(_Request("2.0", id, method, params))
