"""Params of the private calls that place, end and list orders and their trades."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from engine.market.deribit.methods.params import (
    AnyCurrency,
    AnyKind,
    Count,
    Currency,
    Instant,
    Kind,
    Label,
    Name,
    Offset,
    OrderFilter,
    OrderId,
    OrderType,
    Params,
    Sorting,
    TimeInForce,
)

Trigger = Literal["index_price", "mark_price", "last_price"]
Advanced = Literal["usd", "implv"]
Linked = Literal["one_triggers_other", "one_cancels_other", "one_triggers_one_cancels_other"]


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
    trigger: Trigger | None = None
    advanced: Advanced | None = None
    mmp: bool = False
    valid_until: Instant = None
    linked_order_type: Linked | None = None
    trigger_fill_condition: Literal["first_hit", "complete_fill", "incremental"] | None = None


class Edited(Params, frozen=True, kw_only=True):
    """What is not said stays as it is, except that `post_only` is true again."""

    amount: float | None = None
    contracts: float | None = None
    price: float | None = None
    post_only: bool = True
    reject_post_only: bool = False
    reduce_only: bool | None = None
    advanced: Advanced | None = None
    trigger_price: float | None = None
    mmp: bool | None = None
    valid_until: Instant = None


class Edit(Edited, frozen=True, kw_only=True):
    order_id: OrderId
    trigger_offset: float | None = None
    display_amount: float | None = None


class EditByLabel(Edited, frozen=True, kw_only=True):
    instrument_name: Name
    label: Label = ""


class OfOrder(Params, frozen=True):
    order_id: OrderId


class CancelAll(Params, frozen=True, kw_only=True):
    detailed: bool = False
    freeze_quotes: bool = False


class CancelAllOf(CancelAll, frozen=True, kw_only=True):
    """Of a kind of instruments and a type of orders."""

    kind: AnyKind | None = None
    type: OrderFilter = "all"


class CancelAllByCurrency(CancelAllOf, frozen=True):
    currency: Currency


class CancelAllByPair(CancelAllOf, frozen=True):
    currency_pair: Name


class CancelAllByKind(CancelAllOf, frozen=True):
    currency: AnyCurrency | Annotated[list[Currency], Meta(max_length=10)]


class CancelAllByInstrument(CancelAll, frozen=True):
    instrument_name: Name
    type: OrderFilter = "all"
    include_combos: bool = False


class CancelByLabel(Params, frozen=True):
    label: Label
    currency: Currency | None = None


class Close(Params, frozen=True):
    instrument_name: Name
    type: Literal["limit", "market"]
    price: float | None = None


class GetOpenOrders(Params, frozen=True, kw_only=True):
    kind: Kind | None = None
    type: OrderFilter = "all"


class GetOpenOrdersByCurrency(GetOpenOrders, frozen=True):
    currency: Currency


class GetOpenOrdersByInstrument(Params, frozen=True):
    instrument_name: Name
    type: OrderFilter = "all"


class ByLabel(Params, frozen=True):
    currency: Currency
    label: Label = ""


class OrderHistory(Params, frozen=True, kw_only=True):
    """`continuation` counts what was already told."""

    count: Count = 20
    offset: Offset = 0
    include_old: bool = False
    include_unfilled: bool = False
    with_continuation: bool = False
    continuation: str | None = None
    historical: bool = False


class GetOrderHistoryByCurrency(OrderHistory, frozen=True):
    currency: Currency
    kind: AnyKind | None = None


class GetOrderHistoryByInstrument(OrderHistory, frozen=True):
    instrument_name: Name


class GetTriggerOrderHistory(Params, frozen=True):
    currency: Currency
    instrument_name: Name | None = None
    count: Count = 20
    continuation: str | None = None


class UserTrades(Params, frozen=True, kw_only=True):
    """Calls "and time" need the start; their end is published as required, but clients leave it out."""

    start_timestamp: Instant = None
    end_timestamp: Instant = None
    count: Count = 10
    sorting: Sorting = "default"
    historical: bool = False


class GetUserTradesByCurrency(UserTrades, frozen=True, kw_only=True):
    currency: Currency
    kind: AnyKind | None = None
    start_id: OrderId | None = None
    end_id: OrderId | None = None
    subaccount_id: int | None = None


class GetUserTradesByInstrument(UserTrades, frozen=True, kw_only=True):
    instrument_name: Name
    start_seq: int | None = None
    end_seq: int | None = None


class GetUserTradesByCurrencyAndTime(GetUserTradesByCurrency, frozen=True):
    start_timestamp: int


class GetUserTradesByInstrumentAndTime(GetUserTradesByInstrument, frozen=True):
    start_timestamp: int


class GetUserTradesByOrder(Params, frozen=True):
    order_id: OrderId
    sorting: Sorting = "default"
    historical: bool = False
