"""What the params of many calls have in common, as published."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Currency = Literal["BTC", "ETH", "USDC", "USDT", "EURR"]
AnyCurrency = Literal["BTC", "ETH", "USDC", "USDT", "EURR", "any"]
Kind = Literal["future", "option", "spot", "future_combo", "option_combo"]
AnyKind = Literal["future", "option", "spot", "future_combo", "option_combo", "combo", "any"]
Sorting = Literal["asc", "desc", "default"]
Scope = Literal["connection", "account"]
OrderType = Literal[
    "limit", "stop_limit", "take_limit", "market", "stop_market", "take_market", "market_limit", "trailing_stop"
]
OrderFilter = Literal[
    "all", "limit", "trigger_all", "stop", "take", "stop_all", "stop_limit", "stop_market", "take_all", "take_limit",
    "take_market", "trailing_all", "trailing_stop",
]  # fmt: skip
TimeInForce = Literal["good_til_cancelled", "good_til_day", "fill_or_kill", "immediate_or_cancel"]
Label = Annotated[str, Meta(max_length=64)]
Name = Annotated[str, Meta(max_length=64)]
Count = Annotated[int, Meta(ge=1, le=1000)]
OrderId = Annotated[str, Meta(max_length=64)]
Instant = int | None  # ms
Offset = Annotated[int, Meta(ge=0, le=2**53)]
Depth = Literal[1, 5, 10, 20, 50, 100, 1000, 10000]


class Params(Struct, frozen=True, kw_only=True, gc=False):
    """What every call may carry: a token in place of a connection's own."""

    access_token: str | None = None


class Channels(Params, frozen=True):
    channels: Annotated[list[str], Meta(max_length=1000)]
    label: str = ""


class OfInstrument(Params, frozen=True):
    instrument_name: Name
