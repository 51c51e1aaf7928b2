"""The private calls a venue serves: method → the type of its params; and the params of those about an account."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from engine.market.deribit.methods.orders import (
    ByLabel,
    CancelAll,
    CancelAllByCurrency,
    CancelAllByInstrument,
    CancelAllByKind,
    CancelAllByPair,
    CancelByLabel,
    Close,
    Edit,
    EditByLabel,
    GetOpenOrders,
    GetOpenOrdersByCurrency,
    GetOpenOrdersByInstrument,
    GetOrderHistoryByCurrency,
    GetOrderHistoryByInstrument,
    GetTriggerOrderHistory,
    GetUserTradesByCurrency,
    GetUserTradesByCurrencyAndTime,
    GetUserTradesByInstrument,
    GetUserTradesByInstrumentAndTime,
    GetUserTradesByOrder,
    OfOrder,
    Place,
)
from engine.market.deribit.methods.params import (
    AnyCurrency,
    Channels,
    Count,
    Currency,
    Instant,
    Kind,
    Label,
    Name,
    Offset,
    OfInstrument,
    OrderId,
    Params,
    Scope,
)

Seconds = Annotated[int, Meta(ge=0, le=86_400)]
Wallet = Literal[
    "BTC", "ETH", "STETH", "ETHW", "USDC", "USDT", "EURR", "MATIC", "SOL", "XRP", "USYC", "PAXG", "BNB", "USDE"
]
Settled = Literal["settlement", "delivery", "bankruptcy"]


class OfOrders(Params, frozen=True):
    ids: Annotated[list[OrderId], Meta(max_length=100)]


class GetMargins(Params, frozen=True):
    instrument_name: Name
    amount: float
    price: float


class GetPositions(Params, frozen=True):
    currency: AnyCurrency = "any"
    kind: Kind | None = None
    subaccount_id: int | None = None


class GetAccountSummary(Params, frozen=True):
    currency: Wallet
    subaccount_id: int | None = None
    extended: bool = False


class GetAccountSummaries(Params, frozen=True):
    subaccount_id: int | None = None
    extended: bool = False


class SimulatePortfolio(Params, frozen=True):
    """`simulated_positions` in the units of `size`, by instrument."""

    currency: Currency
    add_positions: bool = True
    simulated_positions: dict[Name, float] = field(default_factory=dict)


class GetTransactionLog(Params, frozen=True):
    currency: Wallet
    start_timestamp: int
    end_timestamp: int
    query: Annotated[str, Meta(max_length=64)] = ""
    count: Annotated[int, Meta(ge=1, le=250)] = 100
    subaccount_id: int | None = None
    continuation: int | None = None


class Settlements(Params, frozen=True, kw_only=True):
    type: Settled | None = None
    count: Count = 20
    continuation: str | None = None
    search_start_timestamp: Instant = None


class SettlementsByCurrency(Settlements, frozen=True):
    currency: Currency


class SettlementsByInstrument(Settlements, frozen=True):
    instrument_name: Name


class OfProtection(Params, frozen=True):
    """Market-maker protection is by index, and within one by a group's name."""

    index_name: Name | None = None
    mmp_group: Label = ""
    block_rfq: bool = False


class ResetProtection(Params, frozen=True):
    index_name: Name
    mmp_group: Label = ""
    block_rfq: bool = False


class SetProtection(Params, frozen=True):
    """An `interval` of 0 takes the protection away."""

    index_name: Name
    interval: Seconds
    frozen_time: Seconds
    mmp_group: Label = ""
    quantity_limit: Annotated[float, Meta(gt=0)] | None = None
    delta_limit: Annotated[float, Meta(gt=0)] | None = None
    vega_limit: Annotated[float, Meta(gt=0)] | None = None
    max_quote_quantity: Annotated[float, Meta(gt=0)] | None = None
    trade_count_limit: Annotated[int, Meta(gt=0)] | None = None
    block_rfq: bool = False


class SetSelfTrading(Params, frozen=True):
    mode: Literal["reject_taker", "cancel_maker"]
    extended_to_subaccounts: bool
    block_rfq_self_match_prevention: bool = False


class Page(Params, frozen=True):
    currency: Wallet
    count: Count = 10
    offset: Offset = 0


class GetAccessLog(Params, frozen=True):
    offset: Offset = 0
    count: Count = 10


class GetSubaccounts(Params, frozen=True):
    with_portfolio: bool = False


class GetSubaccountsDetails(Params, frozen=True):
    currency: Currency
    with_open_orders: bool = False


class OfScope(Params, frozen=True):
    scope: Scope = "connection"


class Logout(Params, frozen=True):
    invalidate_token: bool = True


PRIVATE: dict[str, type[Params]] = {
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
    "private/edit_by_label": EditByLabel,
    "private/cancel": OfOrder,
    "private/cancel_all": CancelAll,
    "private/cancel_all_by_currency": CancelAllByCurrency,
    "private/cancel_all_by_currency_pair": CancelAllByPair,
    "private/cancel_all_by_instrument": CancelAllByInstrument,
    "private/cancel_all_by_kind_or_type": CancelAllByKind,
    "private/cancel_by_label": CancelByLabel,
    "private/close_position": Close,
    "private/get_open_orders": GetOpenOrders,
    "private/get_open_orders_by_currency": GetOpenOrdersByCurrency,
    "private/get_open_orders_by_instrument": GetOpenOrdersByInstrument,
    "private/get_open_orders_by_label": ByLabel,
    "private/get_order_state": OfOrder,
    "private/get_order_state_by_label": ByLabel,
    "private/get_order_history_by_currency": GetOrderHistoryByCurrency,
    "private/get_order_history_by_instrument": GetOrderHistoryByInstrument,
    "private/get_trigger_order_history": GetTriggerOrderHistory,
    "private/get_order_margin_by_ids": OfOrders,
    "private/get_margins": GetMargins,
    "private/get_user_trades_by_currency": GetUserTradesByCurrency,
    "private/get_user_trades_by_currency_and_time": GetUserTradesByCurrencyAndTime,
    "private/get_user_trades_by_instrument": GetUserTradesByInstrument,
    "private/get_user_trades_by_instrument_and_time": GetUserTradesByInstrumentAndTime,
    "private/get_user_trades_by_order": GetUserTradesByOrder,
    "private/get_positions": GetPositions,
    "private/get_position": OfInstrument,
    "private/get_account_summary": GetAccountSummary,
    "private/get_account_summaries": GetAccountSummaries,
    "private/simulate_portfolio": SimulatePortfolio,
    "private/get_transaction_log": GetTransactionLog,
    "private/get_settlement_history_by_currency": SettlementsByCurrency,
    "private/get_settlement_history_by_instrument": SettlementsByInstrument,
    "private/get_mmp_config": OfProtection,
    "private/get_mmp_status": OfProtection,
    "private/set_mmp_config": SetProtection,
    "private/reset_mmp": ResetProtection,
    "private/set_self_trading_config": SetSelfTrading,
    "private/get_deposits": Page,
    "private/get_withdrawals": Page,
    "private/get_transfers": Page,
    "private/get_subaccounts": GetSubaccounts,
    "private/get_subaccounts_details": GetSubaccountsDetails,
    "private/get_access_log": GetAccessLog,
    "private/get_user_locks": Params,
    "private/get_new_announcements": Params,
}
