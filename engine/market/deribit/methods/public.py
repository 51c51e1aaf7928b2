"""The public calls a venue serves: method → the type of its params."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from engine.market.deribit.methods.params import (
    AnyCurrency,
    AnyKind,
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


class OfIndexType(Params, frozen=True):
    type: Literal["all", "spot", "derivative"] = "all"


class GetOrderBook(Params, frozen=True):
    instrument_name: Name
    depth: Depth = 5


class GetOrderBookById(Params, frozen=True):
    instrument_id: int
    depth: Depth = 5


class GetLastTrades(Params, frozen=True):
    instrument_name: Name
    start_seq: int | None = None
    end_seq: int | None = None
    start_timestamp: int | None = None
    end_timestamp: int | None = None
    count: Count = 10
    sorting: Sorting = "default"


class GetLastTradesAndTime(Params, frozen=True):
    instrument_name: Name
    start_timestamp: int
    end_timestamp: int | None = None  # published as required; clients leave it out
    count: Count = 10
    sorting: Sorting = "default"


class GetLastTradesByCurrency(Params, frozen=True):
    currency: Currency
    kind: AnyKind | None = None
    start_id: Name | None = None
    end_id: Name | None = None
    start_timestamp: int | None = None
    end_timestamp: int | None = None
    count: Count = 10
    sorting: Sorting = "default"


class GetLastTradesByCurrencyAndTime(Params, frozen=True):
    currency: Currency
    start_timestamp: int
    end_timestamp: int | None = None  # published as required; clients leave it out
    kind: AnyKind | None = None
    count: Count = 10
    sorting: Sorting = "default"


class OfCurrency(Params, frozen=True):
    currency: Currency


class OfAnyCurrency(Params, frozen=True):
    currency: AnyCurrency


class GetBookSummary(Params, frozen=True):
    currency: Currency
    kind: Kind | None = None


class GetAnnouncements(Params, frozen=True):
    start_timestamp: int | None = None
    count: Annotated[int, Meta(ge=1, le=50)] = 5


class GetTradeVolumes(Params, frozen=True):
    extended: bool = False


class Between(Params, frozen=True):
    """Milliseconds."""

    instrument_name: Name
    start_timestamp: int
    end_timestamp: int


class GetChart(Params, frozen=True):
    """`resolution` in minutes, or "1D"."""

    instrument_name: Name
    start_timestamp: int
    end_timestamp: int
    resolution: Literal["1", "3", "5", "10", "15", "30", "60", "120", "180", "360", "720", "1D"]


class GetVolatilityIndex(Params, frozen=True):
    """`resolution` in seconds, or "1D"."""

    currency: Currency
    start_timestamp: int
    end_timestamp: int
    resolution: Literal["1", "60", "3600", "43200", "1D"]


class GetFundingChart(Params, frozen=True):
    instrument_name: Name
    length: Literal["8h", "24h", "1m"]


class GetDeliveryPrices(Params, frozen=True):
    index_name: Name
    offset: Annotated[int, Meta(ge=0)] = 0
    count: Count = 10


class GetSettlements(Params, frozen=True):
    currency: Currency
    type: Literal["settlement", "delivery", "bankruptcy"] | None = None
    count: Count = 20
    continuation: Name | None = None
    search_start_timestamp: int | None = None


class GetSettlementsOfInstrument(Params, frozen=True):
    instrument_name: Name
    type: Literal["settlement", "delivery", "bankruptcy"] | None = None
    count: Count = 20
    continuation: Name | None = None
    search_start_timestamp: int | None = None


class GetExpirations(Params, frozen=True):
    currency: Literal["BTC", "ETH", "USDC", "USDT", "any", "grouped"]
    kind: Literal["future", "option", "any"]
    currency_pair: Name | None = None


class GetComboIds(Params, frozen=True):
    currency: Currency
    state: Literal["active", "inactive"] | None = None


class ExchangeToken(Params, frozen=True):
    refresh_token: str
    subject_id: int
    scope: str = ""


class ForkToken(Params, frozen=True):
    refresh_token: str
    session_name: str


PUBLIC: dict[str, type[Params]] = {
    "public/auth": Auth,
    "public/exchange_token": ExchangeToken,
    "public/fork_token": ForkToken,
    "public/hello": Hello,
    "public/test": Test,
    "public/get_time": Params,
    "public/status": Params,
    "public/get_announcements": GetAnnouncements,
    "public/set_heartbeat": SetHeartbeat,
    "public/disable_heartbeat": Params,
    "public/subscribe": Channels,
    "public/unsubscribe": Channels,
    "public/unsubscribe_all": Params,
    "public/get_currencies": Params,
    "public/get_instruments": GetInstruments,
    "public/get_instrument": OfInstrument,
    "public/get_contract_size": OfInstrument,
    "public/get_expirations": GetExpirations,
    "public/get_combos": OfAnyCurrency,
    "public/get_combo_ids": GetComboIds,
    "public/get_index": OfCurrency,
    "public/get_index_price": GetIndexPrice,
    "public/get_index_price_names": GetIndexPriceNames,
    "public/get_supported_index_names": OfIndexType,
    "public/ticker": OfInstrument,
    "public/get_order_book": GetOrderBook,
    "public/get_order_book_by_instrument_id": GetOrderBookById,
    "public/get_book_summary_by_currency": GetBookSummary,
    "public/get_book_summary_by_instrument": OfInstrument,
    "public/get_trade_volumes": GetTradeVolumes,
    "public/get_last_trades_by_instrument": GetLastTrades,
    "public/get_last_trades_by_instrument_and_time": GetLastTradesAndTime,
    "public/get_last_trades_by_currency": GetLastTradesByCurrency,
    "public/get_last_trades_by_currency_and_time": GetLastTradesByCurrencyAndTime,
    "public/get_tradingview_chart_data": GetChart,
    "public/get_mark_price_history": Between,
    "public/get_historical_volatility": OfCurrency,
    "public/get_volatility_index_data": GetVolatilityIndex,
    "public/get_funding_rate_history": Between,
    "public/get_funding_rate_value": Between,
    "public/get_funding_chart_data": GetFundingChart,
    "public/get_delivery_prices": GetDeliveryPrices,
    "public/get_last_settlements_by_currency": GetSettlements,
    "public/get_last_settlements_by_instrument": GetSettlementsOfInstrument,
}
