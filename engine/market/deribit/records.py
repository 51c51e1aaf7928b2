"""What an account can look up about itself beside orders, positions and money; as on the wire. No desk of ours asks."""

from __future__ import annotations

from typing import Any

from engine.market.deribit.data import Direction, WireData, always


class OwnerData(WireData, frozen=True):
    """Whose an account is: what `extended` adds to a summary, and what all summaries have in common."""

    id: int
    username: str
    system_name: str
    email: str
    creation_timestamp: int
    type: str = always("main")
    login_enabled: bool = always(True)
    security_keys_enabled: bool = always(False)
    mmp_enabled: bool = always(False)
    interuser_transfers_enabled: bool = always(False)
    self_trading_reject_mode: str = always("reject_taker")
    self_trading_extended_to_subaccounts: bool = always(False)


class LogEntryData(WireData, frozen=True):
    """A line of the transaction log: what changed the balance, and why."""

    id: int
    type: str  # trade, delivery, settlement, deposit, …
    currency: str
    timestamp: int
    user_id: int
    username: str
    user_seq: int
    commission: float
    cashflow: float
    balance: float  # after it
    change: float
    equity: float
    info: dict[str, Any] = always({})
    instrument_name: str | None = None
    side: str | None = None
    position: float | None = None  # after it
    amount: float | None = None
    contracts: float | None = None
    price: float | None = None
    price_currency: str | None = None
    mark_price: float | None = None
    settlement_price: float | None = None
    index_price: float | None = None
    trade_id: str | None = None
    order_id: str | None = None
    user_role: str | None = None
    fee_role: str | None = None
    profit_as_cashflow: bool | None = None
    interest_pl: float | None = None
    total_interest_pl: float | None = None
    session_rpl: float | None = None
    session_upl: float | None = None


class SettlementData(WireData, frozen=True):
    """A settlement, delivery or bankruptcy of one position."""

    type: str
    timestamp: int
    instrument_name: str
    position: float
    index_price: float
    mark_price: float
    session_profit_loss: float
    profit_loss: float = always(0.0)
    funding: float = always(0.0)


class TriggerData(WireData, frozen=True):
    """One of `private/get_trigger_order_history`."""

    timestamp: int
    last_update_timestamp: int
    trigger: str
    trigger_price: float
    trigger_order_id: str
    order_id: str
    order_state: str
    instrument_name: str
    request: str
    direction: Direction
    price: float
    amount: float
    reduce_only: bool
    post_only: bool
    order_type: str
    label: str
    source: str = always("api")
    is_secondary_oto: bool = always(False)
    trigger_offset: float | None = None


class ProtectionData(WireData, frozen=True):
    """The limits of market-maker protection; times in seconds."""

    index_name: str
    interval: int
    frozen_time: int
    mmp_group: str = always("")
    quantity_limit: float | None = None
    delta_limit: float | None = None
    vega_limit: float | None = None


class ProtectedData(WireData, frozen=True):
    """`user.mmp_trigger.…` and `private/get_mmp_status`: frozen until then (ms), 0 until it is reset by hand."""

    index_name: str
    frozen_until: int
    mmp_group: str = always("")
