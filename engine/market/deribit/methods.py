"""The calls a venue serves, as a table: method → the type of its params. The names and types are the published ones.

Params are read leniently (`"0.1"` is a number, `"true"` a boolean) because by GET everything is text; what is not
known is ignored, as the venue does. What a type cannot say (amount or contracts, a price where one is needed) is
said by the exchange.
"""

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
Depth = Literal[1, 5, 10, 20, 50, 100, 1000, 10000]


class Params(Struct, frozen=True, kw_only=True, gc=False):
    """What every call may carry: a token in place of a connection's own."""

    access_token: str | None = None


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


class Channels(Params, frozen=True):
    channels: Annotated[list[str], Meta(max_length=1000)]
    label: str = ""


class GetInstruments(Params, frozen=True):
    currency: AnyCurrency = "any"  # published as required; the venue answers without it, and clients rely on that
    kind: Kind | None = None
    expired: bool = False


class OfInstrument(Params, frozen=True):
    instrument_name: Name


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


class Place(Params, frozen=True):
    """`post_only` is true where nothing is said, as published."""

    instrument_name: Name
    amount: float | None = None
    contracts: float | None = None
    type: OrderType = "limit"
    label: Label = ""
    price: float | None = None
    time_in_force: TimeInForce = "good_til_cancelled"
    display_amount: float | None = None
    post_only: bool = True
    reject_post_only: bool = False
    reduce_only: bool = False
    trigger_price: float | None = None
    trigger_offset: float | None = None
    trigger: str | None = None
    advanced: Literal["usd", "implv"] | None = None
    mmp: bool = False
    valid_until: int | None = None  # ms


class Edit(Params, frozen=True):
    order_id: str
    amount: float | None = None
    contracts: float | None = None
    price: float | None = None
    post_only: bool = True
    reject_post_only: bool = False
    reduce_only: bool = False
    advanced: Literal["usd", "implv"] | None = None
    mmp: bool = False
    valid_until: int | None = None  # ms


class OfOrder(Params, frozen=True):
    order_id: str


class CancelAll(Params, frozen=True):
    detailed: bool = False


class CancelAllByCurrency(Params, frozen=True):
    currency: Currency
    kind: AnyKind | None = None
    type: OrderFilter = "all"
    detailed: bool = False


class CancelAllByInstrument(Params, frozen=True):
    instrument_name: Name
    type: OrderFilter = "all"
    detailed: bool = False


class CancelByLabel(Params, frozen=True):
    label: str
    currency: Currency | None = None


class GetOpenOrders(Params, frozen=True):
    kind: Kind | None = None
    type: OrderFilter = "all"


class GetOpenOrdersByCurrency(Params, frozen=True):
    currency: Currency
    kind: Kind | None = None
    type: OrderFilter = "all"


class GetOpenOrdersByInstrument(Params, frozen=True):
    instrument_name: Name
    type: OrderFilter = "all"


class ByLabel(Params, frozen=True):
    currency: Currency
    label: str = ""


class GetUserTradesByCurrency(Params, frozen=True):
    currency: Currency
    kind: AnyKind | None = None
    start_id: str | None = None
    end_id: str | None = None
    start_timestamp: int | None = None
    end_timestamp: int | None = None
    count: Count = 10
    sorting: Sorting = "default"
    historical: bool = False


class GetUserTradesByInstrument(Params, frozen=True):
    instrument_name: Name
    start_seq: int | None = None
    end_seq: int | None = None
    start_timestamp: int | None = None
    end_timestamp: int | None = None
    count: Count = 10
    sorting: Sorting = "default"
    historical: bool = False


class GetUserTradesByOrder(Params, frozen=True):
    order_id: str
    sorting: Sorting = "default"
    historical: bool = False


class GetPositions(Params, frozen=True):
    currency: AnyCurrency = "any"
    kind: Kind | None = None


class GetAccountSummary(Params, frozen=True):
    currency: str
    extended: bool = False


class OfScope(Params, frozen=True):
    scope: Scope = "connection"


class Logout(Params, frozen=True):
    invalidate_token: bool = True


METHODS: dict[str, type[Params]] = {
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
    "private/logout": Logout,
    "private/subscribe": Channels,
    "private/unsubscribe": Channels,
    "private/unsubscribe_all": Params,
    "private/enable_cancel_on_disconnect": OfScope,
    "private/disable_cancel_on_disconnect": OfScope,
    "private/get_cancel_on_disconnect": OfScope,
    "private/buy": Place,
    "private/sell": Place,
    "private/edit": Edit,
    "private/cancel": OfOrder,
    "private/cancel_all": CancelAll,
    "private/cancel_all_by_currency": CancelAllByCurrency,
    "private/cancel_all_by_instrument": CancelAllByInstrument,
    "private/cancel_by_label": CancelByLabel,
    "private/get_open_orders": GetOpenOrders,
    "private/get_open_orders_by_currency": GetOpenOrdersByCurrency,
    "private/get_open_orders_by_instrument": GetOpenOrdersByInstrument,
    "private/get_open_orders_by_label": ByLabel,
    "private/get_order_state": OfOrder,
    "private/get_order_state_by_label": ByLabel,
    "private/get_user_trades_by_currency": GetUserTradesByCurrency,
    "private/get_user_trades_by_instrument": GetUserTradesByInstrument,
    "private/get_user_trades_by_order": GetUserTradesByOrder,
    "private/get_positions": GetPositions,
    "private/get_position": OfInstrument,
    "private/get_account_summary": GetAccountSummary,
}
