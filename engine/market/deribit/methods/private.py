"""The private calls a venue serves: method → the type of its params."""

from __future__ import annotations

from typing import Literal

from engine.market.deribit.methods.params import (
    AnyCurrency,
    AnyKind,
    Channels,
    Count,
    Currency,
    Kind,
    Label,
    Name,
    OfInstrument,
    OrderFilter,
    OrderType,
    Params,
    Scope,
    Sorting,
    TimeInForce,
)


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
