"""Deribit's JSON-RPC as types: what the venue says, decoded; what we ask, encoded. No I/O.

`decode` never raises. A push is decoded straight into its type by a peek at its channel; whatever the peek
does not recognise, or what does not fit the type, goes the slow way round, where `1.6e12` is an integer too,
and ends as an event or as `Garbage` with a reason. Fields the venue adds are tolerated; fields that old
recordings lack or have as null are optional.

Everything here is as on the wire: prices and amounts in decimals, times in milliseconds, IVs in per cent
(except `MarkPrice.iv`, a fraction). `instrument_of` and the book turn them into units and lots.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from engine.domain import Instrument, Kind

MS = 1_000_000  # nanoseconds
FRAME_LIMIT = 32 * 1024  # bytes a client may send in one frame

Level = tuple[str, float, float]  # ("new" | "change" | "delete", price, amount)
Direction = Literal["buy", "sell"]


class _Data(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    pass


class BookData(_Data, frozen=True):
    """`book.X.{interval}`: a snapshot, or a change that follows `prev_change_id`."""

    type: Literal["snapshot", "change"]
    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[Level]
    asks: list[Level]
    prev_change_id: int | None = None


class WindowData(_Data, frozen=True):
    """`book.X.{group}.{depth}.{interval}`: the best levels, whole, each time."""

    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Greeks(_Data, frozen=True):
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    rho: float | None = None


class Stats(_Data, frozen=True):
    volume: float | None = None
    volume_usd: float | None = None
    price_change: float | None = None
    low: float | None = None
    high: float | None = None


class TickerData(_Data, frozen=True):
    """A side without orders has price, amount and IV 0 (or null): not a quote at zero."""

    instrument_name: str
    timestamp: int
    state: str = "open"
    best_bid_price: float | None = None
    best_bid_amount: float | None = None
    best_ask_price: float | None = None
    best_ask_amount: float | None = None
    mark_price: float | None = None
    last_price: float | None = None
    index_price: float | None = None
    settlement_price: float | None = None
    estimated_delivery_price: float | None = None
    delivery_price: float | None = None
    open_interest: float | None = None
    min_price: float | None = None
    max_price: float | None = None
    mark_iv: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    underlying_price: float | None = None
    underlying_index: str | None = None
    interest_rate: float | None = None
    greeks: Greeks | None = None
    stats: Stats | None = None
    current_funding: float | None = None
    funding_8h: float | None = None
    interest_value: float | None = None


class TradeData(_Data, frozen=True):
    """A public print. `direction` is the aggressor's."""

    trade_seq: int
    trade_id: str
    timestamp: int
    instrument_name: str
    price: float
    amount: float
    direction: Direction
    tick_direction: int = 0
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


class MarkPrice(_Data, frozen=True):
    """One of `markprice.options.…`. `iv` is a fraction."""

    instrument_name: str
    mark_price: float
    iv: float
    timestamp: int | None = None


class IndexData(_Data, frozen=True):
    index_name: str
    price: float
    timestamp: int


class DvolData(_Data, frozen=True):
    index_name: str
    volatility: float
    timestamp: int


class PerpetualData(_Data, frozen=True):
    """`perpetual.X.{interval}`: `interest` is the funding rate in force."""

    interest: float
    timestamp: int
    index_price: float | None = None


class StateData(_Data, frozen=True):
    """`instrument.state.{kind}.{currency}`: created, started, settled, closed, terminated, …"""

    instrument_name: str
    state: str
    timestamp: int


class OrderData(_Data, frozen=True):
    """`price` is "market_price" for a market order that has not traded."""

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
    filled_amount: float = 0.0
    average_price: float | None = None
    contracts: float | None = None
    label: str = ""
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool = False
    api: bool = True
    web: bool = False
    mmp: bool = False
    replaced: bool = False
    is_liquidation: bool = False
    max_show: float | None = None
    advanced: str | None = None
    implv: float | None = None
    usd: float | None = None
    cancel_reason: str | None = None


class UserTradeData(_Data, frozen=True):
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
    order_type: str = "limit"
    label: str = ""
    matching_id: str | None = None
    tick_direction: int = 0
    index_price: float | None = None
    mark_price: float | None = None
    underlying_price: float | None = None
    contracts: float | None = None
    iv: float | None = None
    profit_loss: float | None = None
    self_trade: bool = False
    post_only: bool | str = False
    reduce_only: bool | str = False
    mmp: bool = False
    api: bool = True
    liquidation: str | None = None
    block_trade_id: str | None = None
    block_rfq_id: int | None = None
    combo_id: str | None = None


class PositionData(_Data, frozen=True):
    """`size` is signed: coin for options, USD for inverse futures."""

    instrument_name: str
    kind: str
    size: float
    direction: str  # buy, sell, zero
    average_price: float
    mark_price: float
    index_price: float
    delta: float
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    initial_margin: float = 0.0
    maintenance_margin: float = 0.0
    settlement_price: float | None = None
    total_profit_loss: float = 0.0
    floating_profit_loss: float = 0.0
    realized_profit_loss: float = 0.0
    average_price_usd: float | None = None
    floating_profit_loss_usd: float | None = None
    size_currency: float | None = None
    leverage: int | None = None


class ChangesData(_Data, frozen=True):
    """`user.changes.…`: what one event did to orders, fills and positions, together."""

    instrument_name: str
    orders: list[OrderData] = []
    trades: list[UserTradeData] = []
    positions: list[PositionData] = []


class AccountData(_Data, frozen=True):
    """`private/get_account_summary` and `user.portfolio.…`; money in `currency`."""

    currency: str
    equity: float
    balance: float
    margin_balance: float = 0.0
    available_funds: float = 0.0
    available_withdrawal_funds: float = 0.0
    initial_margin: float = 0.0
    maintenance_margin: float = 0.0
    projected_initial_margin: float = 0.0
    projected_maintenance_margin: float = 0.0
    delta_total: float = 0.0
    projected_delta_total: float = 0.0
    options_delta: float = 0.0
    options_gamma: float = 0.0
    options_vega: float = 0.0
    options_theta: float = 0.0
    options_value: float = 0.0
    options_pl: float = 0.0
    options_session_rpl: float = 0.0
    options_session_upl: float = 0.0
    futures_pl: float = 0.0
    futures_session_rpl: float = 0.0
    futures_session_upl: float = 0.0
    session_rpl: float = 0.0
    session_upl: float = 0.0
    total_pl: float = 0.0
    limits: dict[str, Any] | None = None


class TickStep(_Data, frozen=True):
    above_price: float
    tick_size: float


class InstrumentData(_Data, frozen=True):
    """One of `public/get_instruments`. Perpetuals expire in the year 3000."""

    instrument_name: str
    kind: str
    base_currency: str
    quote_currency: str
    tick_size: float
    min_trade_amount: float
    contract_size: float
    expiration_timestamp: int = 0
    creation_timestamp: int = 0
    settlement_period: str = ""
    is_active: bool = True
    tick_size_steps: list[TickStep] = []
    strike: float | None = None
    option_type: Literal["call", "put"] | None = None
    instrument_type: str | None = None  # reversed or linear; absent in old recordings
    future_type: str | None = None
    settlement_currency: str | None = None
    counter_currency: str | None = None
    instrument_id: int | None = None
    price_index: str | None = None
    state: str | None = None
    maker_commission: float = 0.0003
    taker_commission: float = 0.0003
    block_trade_commission: float | None = None
    block_trade_tick_size: float | None = None
    block_trade_min_trade_amount: float | None = None
    max_leverage: int | None = None
    max_liquidation_commission: float | None = None


class VenueError(_Data, frozen=True):
    """A refusal of the venue. `code` is one of `ERRORS`, or another that it invented since."""

    code: int
    message: str
    data: Any = None


class Push(msgspec.Struct, frozen=True):
    """`family` names the type of `data`; a channel of an unknown family keeps its bytes as Raw."""

    channel: str
    family: str
    data: PushData


class Reply(msgspec.Struct, frozen=True):
    """The answer to a request; `id` is null when the venue could not read ours."""

    id: str | int | None
    result: msgspec.Raw | None
    error: VenueError | None
    us_in: int | None = None
    us_out: int | None = None


class Heartbeat(msgspec.Struct, frozen=True):
    """A sign of life; with `test_request` the venue hangs up unless `public/test` is called."""

    test_request: bool


class Garbage(msgspec.Struct, frozen=True):
    """A frame that is nothing known. `reason` is fit for a person."""

    reason: str


PushData = (
    BookData | WindowData | TickerData | list[TradeData] | list[MarkPrice] | IndexData | DvolData | PerpetualData
    | StateData | OrderData | list[OrderData] | list[UserTradeData] | ChangesData | AccountData | msgspec.Raw
)  # fmt: skip
Event = Push | Reply | Heartbeat | Garbage

FAMILIES: dict[str, Any] = {
    "book": BookData,
    "window": WindowData,
    "ticker": TickerData,
    "trades": list[TradeData],
    "markprice": list[MarkPrice],
    "index": IndexData,
    "dvol": DvolData,
    "perpetual": PerpetualData,
    "state": StateData,
    "orders": OrderData | list[OrderData],
    "user_trades": list[UserTradeData],
    "changes": ChangesData,
    "portfolio": AccountData,
}
_PREFIXES = {
    ("ticker",): "ticker",
    ("trades",): "trades",
    ("markprice", "options"): "markprice",
    ("deribit_price_index",): "index",
    ("deribit_volatility_index",): "dvol",
    ("perpetual",): "perpetual",
    ("instrument", "state"): "state",
    ("user", "orders"): "orders",
    ("user", "trades"): "user_trades",
    ("user", "changes"): "changes",
    ("user", "portfolio"): "portfolio",
}


def family_of(channel: str) -> str:
    """The family of a channel, "" if it is none that is typed here."""
    parts = channel.split(".")
    if parts[0] == "book":
        return {3: "book", 5: "window"}.get(len(parts), "")
    return _PREFIXES.get((parts[0],)) or _PREFIXES.get(tuple(parts[:2]), "")


class _Route(NamedTuple):
    channel: str
    family: str
    decode: Callable[[bytes], Any]


def _typed(family: str, data: Any) -> Callable[[bytes], Any]:
    """A decoder of whole frames whose `params.data` is of this type."""
    params = msgspec.defstruct(f"{family}_params", [("channel", str), ("data", data)], frozen=True, gc=False)
    frame = msgspec.defstruct(f"{family}_frame", [("params", params), ("method", str)], frozen=True, gc=False)
    return msgspec.json.Decoder(frame).decode


_FRAMES = {family: _typed(family, data) for family, data in FAMILIES.items()}
_LAX = {family: msgspec.json.Decoder(data, strict=False) for family, data in FAMILIES.items()}


@lru_cache(maxsize=8192)
def _route(channel: bytes) -> _Route | None:
    name = channel.decode("ascii", "replace")
    family = family_of(name)
    return _Route(name, family, _FRAMES[family]) if family else None


_MARK = b'"channel":"'


def decode(data: bytes) -> Event:
    """One frame from the venue → an event. Never raises; what cannot be read is `Garbage`."""
    start = data.find(_MARK) + 11
    if start > 10:
        route = _route(data[start : data.find(b'"', start)])
        if route is not None:
            try:
                frame = route.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return _slow(data)
            params = frame.params
            if params.channel == route.channel and frame.method == "subscription":
                return Push(route.channel, route.family, params.data)
    return _slow(data)


_ABSENT = msgspec.Raw()


class _Envelope(msgspec.Struct, frozen=True):
    id: str | int | None = None
    method: str | None = None
    params: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    error: VenueError | None = None
    us_in: int | None = msgspec.field(name="usIn", default=None)
    us_out: int | None = msgspec.field(name="usOut", default=None)


class _PushParams(msgspec.Struct, frozen=True):
    channel: str
    data: msgspec.Raw


class _BeatParams(msgspec.Struct, frozen=True):
    type: Literal["heartbeat", "test_request"]


_envelope = msgspec.json.Decoder(_Envelope)
_push_params = msgspec.json.Decoder(_PushParams)
_beat_params = msgspec.json.Decoder(_BeatParams)


def _slow(data: bytes) -> Event:
    try:
        return _classify(_envelope.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Garbage(str(error) or type(error).__name__)


def _classify(frame: _Envelope) -> Event:
    if frame.method == "subscription":
        params = _push_params.decode(frame.params)
        family = family_of(params.channel)
        return Push(params.channel, family, _LAX[family].decode(params.data) if family else params.data)
    if frame.method == "heartbeat":
        return Heartbeat(_beat_params.decode(frame.params).type == "test_request")
    if frame.method is not None:
        return Garbage(f"a notification '{frame.method[:40]}' that is not known")
    result = frame.result if bytes(frame.result) else None
    if result is None and frame.error is None:
        return Garbage("neither an answer nor a notification")
    return Reply(frame.id, result, frame.error, frame.us_in, frame.us_out)


class _Request(msgspec.Struct):
    jsonrpc: str
    id: str | int
    method: str
    params: dict[str, Any]


_encode = msgspec.json.Encoder().encode


def request(id: str | int, method: str, params: dict[str, Any]) -> bytes:  # noqa: A002
    """A call as the venue wants it."""
    return _encode(_Request("2.0", id, method, params))


def instrument_of(data: InstrumentData) -> Instrument:
    """The venue's own fields → Instrument. Raises ValueError for what the desk does not trade: spot, combos, linear."""
    if data.kind not in ("option", "future"):
        raise ValueError(f"{data.instrument_name} is a {data.kind}, which the desk does not trade")
    if "linear" in (data.instrument_type, data.future_type) or data.quote_currency not in ("USD", data.base_currency):
        raise ValueError(f"{data.instrument_name} is linear; the desk trades inverse instruments")
    perpetual = data.settlement_period == "perpetual" or data.instrument_name.endswith("-PERPETUAL")
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


ERRORS: dict[int, str] = {
    9999: "api_not_enabled",
    10000: "authorization_required",
    10001: "error",
    10002: "qty_too_low",
    10003: "order_overlap",
    10004: "order_not_found",
    10005: "price_too_low",
    10006: "price_too_low4idx",
    10007: "price_too_high",
    10009: "not_enough_funds",
    10010: "already_closed",
    10011: "price_not_allowed",
    10012: "book_closed",
    10020: "invalid_or_unsupported_instrument",
    10021: "invalid_amount",
    10022: "invalid_quantity",
    10023: "invalid_price",
    10028: "too_many_requests",
    10029: "not_owner_of_order",
    10040: "retry",
    10041: "settlement_in_progress",
    10043: "price_wrong_tick",
    10047: "matching_engine_queue_full",
    11008: "already_filled",
    11029: "invalid_arguments",
    11039: "no_adv_postonly",
    11044: "not_open_order",
    11050: "bad_request",
    11054: "post_only_reject",
    11055: "post_only_not_allowed",
    13004: "invalid_credentials",
    13009: "unauthorized",
    13020: "not_found",
    13021: "forbidden",
    13030: "mmp_trigger",
    13778: "raw_subscriptions_not_available_for_unauthorized",
    13888: "timed_out",
    -32600: "request entity too large",
    -32601: "Method not found",
    -32602: "Invalid params",
}


def error(code: int, data: Any = None) -> VenueError:
    return VenueError(code=code, message=ERRORS[code], data=data)
