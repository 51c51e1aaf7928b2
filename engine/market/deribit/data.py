"""What Deribit publishes about the market, as on the wire: decimals, milliseconds, IVs in per cent.

The same types are read by the client and written by a venue, so a field also says how it is written: one without
a default always; one that is None by default only where it has a value; one that is `always(…)` always, though it
may be missing in what is read (old recordings lack some).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from engine.domain import MS, Instrument, Kind

LAST_MS = 4_200_000_000_000  # of the year 2103: whatever is later is no time of an instrument
Level = tuple[str, float, float]  # ("new" | "change" | "delete", price, amount)
Direction = Literal["buy", "sell"]


def always(value: Any) -> Any:
    """A default for reading that is nevertheless written. (A factory's value is not left out as a default.)"""
    return msgspec.field(default_factory=lambda: value)


class WireData(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What every structure on the wire is."""


class BookData(WireData, frozen=True):
    """`book.X.{interval}`: a snapshot, or a change that follows `prev_change_id`."""

    type: Literal["snapshot", "change"]
    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[Level]
    asks: list[Level]
    prev_change_id: int | None = None


class WindowData(WireData, frozen=True):
    """`book.X.{group}.{depth}.{interval}`: the best levels, whole, each time."""

    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Greeks(WireData, frozen=True):
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    rho: float | None = None


class Stats(WireData, frozen=True):
    """Of 24 hours; null where nothing traded."""

    volume: float | None = always(None)
    price_change: float | None = always(None)
    low: float | None = always(None)
    high: float | None = always(None)
    volume_usd: float | None = None


class TickerData(WireData, frozen=True):
    """A side without orders has price, amount and IV 0 (or null): not a quote at zero."""

    instrument_name: str
    timestamp: int
    state: str = always("open")
    stats: Stats = always(Stats())
    best_bid_price: float | None = always(None)
    best_bid_amount: float | None = always(None)
    best_ask_price: float | None = always(None)
    best_ask_amount: float | None = always(None)
    mark_price: float | None = always(None)
    last_price: float | None = always(None)
    index_price: float | None = always(None)
    open_interest: float | None = always(None)
    min_price: float | None = always(None)
    max_price: float | None = always(None)
    settlement_price: float | None = None
    estimated_delivery_price: float | None = None
    delivery_price: float | None = None
    mark_iv: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    underlying_price: float | None = None
    underlying_index: str | None = None
    interest_rate: float | None = None
    greeks: Greeks | None = None
    current_funding: float | None = None
    funding_8h: float | None = None
    interest_value: float | None = None


class TradeData(WireData, frozen=True):
    """A public print. `direction` is the aggressor's."""

    trade_seq: int
    trade_id: str
    timestamp: int
    instrument_name: str
    price: float
    amount: float
    direction: Direction
    tick_direction: int = always(0)
    mark_price: float | None = None
    index_price: float | None = None
    contracts: float | None = None
    iv: float | None = None
    liquidation: str | None = None  # M, T or MT
    block_trade_id: str | None = None
    block_trade_leg_count: int | None = None
    block_rfq_id: int | None = None
    combo_id: str | None = None
    combo_trade_id: int | str | None = None


class MarkPrice(WireData, frozen=True):
    """One of `markprice.options.…`. `iv` is a fraction."""

    instrument_name: str
    mark_price: float
    iv: float
    timestamp: int | None = None


class IndexData(WireData, frozen=True):
    index_name: str
    price: float
    timestamp: int


class DvolData(WireData, frozen=True):
    index_name: str
    volatility: float
    timestamp: int
    estimated_delivery: float | None = None


class RankingData(WireData, frozen=True):
    """One of `deribit_price_ranking.…`: a source of the index, its weight in per cent."""

    identifier: str
    enabled: bool
    price: float | None = always(None)
    original_price: float | None = always(None)
    weight: float = always(0.0)
    timestamp: int = always(0)


class StatisticsData(WireData, frozen=True):
    """`deribit_price_statistics.…`: the index over 24 hours, USD."""

    index_name: str
    low24h: float
    high24h: float
    change24h: float
    high_volatility: bool = always(False)


class ExpirationPriceData(WireData, frozen=True):
    """`estimated_expiration_price.…`: of the next expiry; estimated while its average is being taken."""

    seconds: int
    price: float
    is_estimated: bool


class QuoteData(WireData, frozen=True):
    """`quote.X`: the touch. A side without orders has price and amount 0."""

    timestamp: int
    instrument_name: str
    best_bid_price: float
    best_bid_amount: float
    best_ask_price: float
    best_ask_amount: float


class ChartData(WireData, frozen=True):
    """`chart.trades.X.{resolution}`: the bar that has just changed."""

    tick: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    cost: float


class PerpetualData(WireData, frozen=True):
    """`perpetual.X.{interval}`: `interest` is the funding rate in force."""

    interest: float
    timestamp: int
    index_price: float | None = None


class StateData(WireData, frozen=True):
    """`instrument.state.{kind}.{currency}`: created, started, settled, closed, terminated, …"""

    instrument_name: str
    state: str
    timestamp: int


class TickStep(WireData, frozen=True):
    above_price: float
    tick_size: float


class InstrumentData(WireData, frozen=True):
    """One of `public/get_instruments`. Perpetuals expire in the year 3000."""

    instrument_name: str
    kind: str
    base_currency: str
    quote_currency: str
    tick_size: float
    min_trade_amount: float
    contract_size: float
    expiration_timestamp: int = always(0)
    creation_timestamp: int = always(0)
    settlement_period: str = always("")
    is_active: bool = always(True)
    tick_size_steps: list[TickStep] = msgspec.field(default_factory=lambda: [])  # noqa: PIE807: `list` is left out
    strike: float | None = None
    option_type: Literal["call", "put"] | None = None
    instrument_type: str | None = None  # reversed or linear; absent in old recordings
    future_type: str | None = None
    settlement_currency: str | None = None
    counter_currency: str | None = None
    instrument_id: int | None = None
    price_index: str | None = None
    state: str | None = None
    rfq: bool | None = None
    maker_commission: float = always(0.0003)
    taker_commission: float = always(0.0003)
    block_trade_commission: float | None = None
    block_trade_tick_size: float | None = None
    block_trade_min_trade_amount: float | None = None
    max_leverage: int | None = None
    max_liquidation_commission: float | None = None


def instrument_of(data: InstrumentData) -> Instrument:
    """The venue's own fields → Instrument. Raises ValueError for what the desk does not trade: spot, combos, linear."""
    if data.kind not in ("option", "future"):
        raise ValueError(f"{data.instrument_name} is a {data.kind}, which the desk does not trade")
    if "linear" in (data.instrument_type, data.future_type) or data.quote_currency not in ("USD", data.base_currency):
        raise ValueError(f"{data.instrument_name} is linear; the desk trades inverse instruments")
    if data.kind == "option" and not (data.strike and 0.0 < data.strike < math.inf):
        raise ValueError(f"{data.instrument_name} is an option without a strike")
    perpetual = data.settlement_period == "perpetual" or data.instrument_name.endswith("-PERPETUAL")
    if not perpetual and not 0 < data.expiration_timestamp < LAST_MS:
        raise ValueError(f"{data.instrument_name} has no expiry")
    kind = Kind.OPTION if data.kind == "option" else Kind.PERPETUAL if perpetual else Kind.FUTURE
    return Instrument(
        name=data.instrument_name,
        kind=kind,
        coin=data.base_currency,
        tick=data.tick_size,
        lot=data.min_trade_amount,
        contract=data.contract_size,
        tick_steps=tuple((step.above_price, step.tick_size) for step in data.tick_size_steps),
        expiry=0 if perpetual else data.expiration_timestamp * MS,
        strike=data.strike or 0.0,
        call=data.option_type == "call",
        maker_fee=data.maker_commission,
        taker_fee=data.taker_commission,
    )
