"""What Deribit says to an account about itself: orders, fills, positions, money, tokens; as on the wire.

How a field is written is said in `data.py`.
"""

from __future__ import annotations

from typing import Any

from engine.market.deribit.data import Direction, WireData, always


class OrderData(WireData, frozen=True):
    """An order as it stands. `price` is "market_price" for a market order."""

    order_id: str
    order_state: str  # open, filled, rejected, cancelled, untriggered
    order_type: str
    time_in_force: str
    creation_timestamp: int
    last_update_timestamp: int
    instrument_name: str
    direction: Direction
    price: float | str
    amount: float
    filled_amount: float = always(0.0)
    average_price: float = always(0.0)
    label: str = always("")
    post_only: bool = always(False)
    reduce_only: bool = always(False)
    api: bool = always(True)
    web: bool = always(False)
    mmp: bool = always(False)
    replaced: bool = always(False)
    is_liquidation: bool = always(False)
    risk_reducing: bool = always(False)
    is_rebalance: bool = always(False)
    reject_post_only: bool | None = None
    contracts: float | None = None
    max_show: float | None = None
    display_amount: float | None = None
    refresh_amount: float | None = None  # what an iceberg has left of what it shows
    original_order_type: str | None = None
    auto_replaced: bool | None = None
    advanced: str | None = None
    implv: float | None = None  # per cent
    usd: float | None = None
    trigger: str | None = None  # this and the next five: of orders that wait for a price
    trigger_price: float | None = None
    trigger_offset: float | None = None
    trigger_reference_price: float | None = None
    triggered: bool | None = None
    trigger_order_id: str | None = None  # of an order that one of those has entered
    mmp_cancelled: bool | None = None
    cancel_reason: str | None = None


class UserTradeData(WireData, frozen=True):
    """A fill of ours. `fee` is in `fee_currency`, negative for a rebate; `state` is the order's after it."""

    trade_id: str
    trade_seq: int
    instrument_name: str
    timestamp: int
    order_id: str
    direction: Direction
    price: float
    amount: float
    fee: float
    fee_currency: str
    liquidity: str  # M or T
    state: str
    order_type: str = always("limit")
    label: str = always("")
    matching_id: str | None = always(None)
    tick_direction: int = always(0)
    index_price: float | None = always(None)
    mark_price: float | None = always(None)
    self_trade: bool = always(False)
    post_only: bool | str = always(False)
    reduce_only: bool | str = always(False)
    mmp: bool = always(False)
    api: bool = always(True)
    risk_reducing: bool = always(False)
    underlying_price: float | None = None
    contracts: float | None = None
    advanced: str | None = None
    iv: float | None = None
    profit_loss: float | None = None
    liquidation: str | None = None
    block_trade_id: str | None = None
    block_rfq_id: int | None = None
    combo_id: str | None = None


class PositionData(WireData, frozen=True):
    """`size` is signed: coin for options, USD for inverse futures."""

    instrument_name: str
    kind: str
    size: float
    direction: str  # buy, sell, zero
    average_price: float
    mark_price: float
    index_price: float
    delta: float
    initial_margin: float = always(0.0)
    maintenance_margin: float = always(0.0)
    settlement_price: float = always(0.0)
    total_profit_loss: float = always(0.0)
    floating_profit_loss: float = always(0.0)
    realized_profit_loss: float = always(0.0)
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    average_price_usd: float | None = None
    floating_profit_loss_usd: float | None = None
    open_orders_margin: float | None = None
    estimated_liquidation_price: float | None = None
    size_currency: float | None = None
    leverage: int | None = None
    realized_funding: float | None = None
    interest_value: float | None = None


class ChangesData(WireData, frozen=True):
    """`user.changes.…`: what one event did to orders, fills and positions, together."""

    instrument_name: str
    orders: list[OrderData]
    trades: list[UserTradeData]
    positions: list[PositionData]


class AccountData(WireData, frozen=True):
    """`private/get_account_summary` and `user.portfolio.…`; money in `currency`."""

    currency: str
    equity: float
    balance: float
    margin_balance: float = always(0.0)
    available_funds: float = always(0.0)
    available_withdrawal_funds: float = always(0.0)
    initial_margin: float = always(0.0)
    maintenance_margin: float = always(0.0)
    projected_initial_margin: float = always(0.0)
    projected_maintenance_margin: float = always(0.0)
    delta_total: float = always(0.0)
    projected_delta_total: float = always(0.0)
    options_delta: float = always(0.0)
    options_gamma: float = always(0.0)
    options_vega: float = always(0.0)
    options_theta: float = always(0.0)
    options_value: float = always(0.0)
    options_pl: float = always(0.0)
    options_session_rpl: float = always(0.0)
    options_session_upl: float = always(0.0)
    futures_pl: float = always(0.0)
    futures_session_rpl: float = always(0.0)
    futures_session_upl: float = always(0.0)
    session_rpl: float = always(0.0)
    session_upl: float = always(0.0)
    total_pl: float = always(0.0)
    fee_balance: float = always(0.0)
    spot_reserve: float = always(0.0)
    additional_reserve: float = always(0.0)
    locked_balance: float = always(0.0)
    estimated_liquidation_ratio: float = always(0.0)
    estimated_liquidation_ratio_map: dict[str, float] = always({})
    options_gamma_map: dict[str, float] = always({})
    options_vega_map: dict[str, float] = always({})
    options_theta_map: dict[str, float] = always({})
    delta_total_map: dict[str, float] = always({})
    margin_model: str = always("segregated_sm")
    portfolio_margining_enabled: bool = always(False)
    cross_collateral_enabled: bool = always(False)
    has_non_block_chain_equity: bool | None = None  # this and the rest: not in a portfolio
    limits: dict[str, Any] | None = None
    fees: list[dict[str, Any]] | None = None


class Placed(WireData, frozen=True):
    """The answer to buy, sell and edit."""

    order: OrderData
    trades: list[UserTradeData]


class UserTrades(WireData, frozen=True):
    trades: list[UserTradeData]
    has_more: bool = always(False)


class Token(WireData, frozen=True):
    """The answer to `public/auth`. Kept out of every log: whoever has it, trades."""

    access_token: str
    refresh_token: str
    expires_in: int  # seconds
    scope: str
    token_type: str = always("bearer")
    state: str | None = None


class CancelOnDisconnect(WireData, frozen=True):
    scope: str
    enabled: bool
