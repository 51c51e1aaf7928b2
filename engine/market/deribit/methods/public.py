"""The public calls a venue serves: method → the type of its params."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from engine.market.deribit.methods.params import (
    AnyCurrency,
    Channels,
    Count,
    Currency,
    Depth,
    Kind,
    Name,
    OfInstrument,
    Params,
    Sorting,
)


class Auth(Params, frozen=True):
    grant_type: Literal["client_credentials", "client_signature", "refresh_token"]
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    timestamp: int = 0
    signature: str = ""
    nonce: str = ""
    data: str = ""
    state: str | None = None
    scope: str = ""


class Hello(Params, frozen=True):
    client_name: str
    client_version: str


class Test(Params, frozen=True):
    expected_result: Literal["exception", ""] = ""


class SetHeartbeat(Params, frozen=True):
    interval: Annotated[float, Meta(ge=10, le=86400)]  # seconds


class GetInstruments(Params, frozen=True):
    currency: AnyCurrency = "any"  # published as required; the venue answers without it, and clients rely on that
    kind: Kind | None = None
    expired: bool = False


class GetIndexPrice(Params, frozen=True):
    index_name: Name


class GetIndexPriceNames(Params, frozen=True):
    extended: bool = False


class GetOrderBook(Params, frozen=True):
    instrument_name: Name
    depth: Depth = 5


class GetLastTrades(Params, frozen=True):
    instrument_name: Name
    start_seq: int | None = None
    end_seq: int | None = None
    start_timestamp: int | None = None
    end_timestamp: int | None = None
    count: Count = 10
    sorting: Sorting = "default"


class GetBookSummary(Params, frozen=True):
    currency: Currency
    kind: Kind | None = None


class GetAnnouncements(Params, frozen=True):
    start_timestamp: int | None = None
    count: Annotated[int, Meta(ge=1, le=50)] = 5


PUBLIC: dict[str, type[Params]] = {
    "public/auth": Auth,
    "public/hello": Hello,
    "public/test": Test,
    "public/get_time": Params,
    "public/status": Params,
    "public/set_heartbeat": SetHeartbeat,
    "public/disable_heartbeat": Params,
    "public/subscribe": Channels,
    "public/unsubscribe": Channels,
    "public/unsubscribe_all": Params,
    "public/get_instruments": GetInstruments,
    "public/get_instrument": OfInstrument,
    "public/get_currencies": Params,
    "public/get_index_price": GetIndexPrice,
    "public/get_index_price_names": GetIndexPriceNames,
    "public/get_order_book": GetOrderBook,
    "public/ticker": OfInstrument,
    "public/get_last_trades_by_instrument": GetLastTrades,
    "public/get_book_summary_by_currency": GetBookSummary,
    "public/get_contract_size": OfInstrument,
    "public/get_announcements": GetAnnouncements,
}
