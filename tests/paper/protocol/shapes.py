"""Schemas of what the venue says where the published file has none or a wrong one, and of each public channel."""

from __future__ import annotations

from typing import Any

NUMBER, TEXT, FLAG, INTEGER = ({"type": kind} for kind in ("number", "string", "boolean", "integer"))
NAMES = {"type": "array", "items": TEXT}
STATES = ["open", "closed", "settlement", "inactive", "locked", "halted"]


def whole(**fields: Any) -> dict[str, Any]:
    """An object with all of these fields and no others."""
    return {"type": "object", "required": list(fields), "properties": fields, "additionalProperties": False}


def partly(schema: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """…which may have these too."""
    return schema | {"properties": schema["properties"] | fields}


def some(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def null(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"nullable": True}


ROWS = some(some(NUMBER))
STATS = whole(volume=NUMBER, volume_usd=NUMBER, price_change=null(NUMBER), low=null(NUMBER), high=null(NUMBER))
TICKER = whole(
    instrument_name=TEXT, timestamp=INTEGER, state=TEXT | {"enum": STATES}, stats=STATS, best_bid_price=NUMBER,
    best_bid_amount=NUMBER, best_ask_price=NUMBER, best_ask_amount=NUMBER, mark_price=NUMBER, last_price=null(NUMBER),
    index_price=NUMBER, open_interest=NUMBER, min_price=NUMBER, max_price=NUMBER, settlement_price=NUMBER,
    estimated_delivery_price=NUMBER,
)  # fmt: skip
OF_OPTION = whole(
    mark_iv=NUMBER, bid_iv=NUMBER, ask_iv=NUMBER, underlying_price=NUMBER, underlying_index=TEXT, interest_rate=NUMBER,
    greeks=whole(delta=NUMBER, gamma=NUMBER, vega=NUMBER, theta=NUMBER, rho=NUMBER),
)  # fmt: skip
OF_PERPETUAL = whole(current_funding=NUMBER, funding_8h=NUMBER, interest_value=NUMBER)
ANY_TICKER = partly(TICKER, **OF_OPTION["properties"], **OF_PERPETUAL["properties"])


def both(*schemas: dict[str, Any]) -> dict[str, Any]:
    return whole(**{name: field for schema in schemas for name, field in schema["properties"].items()})


TRADE = {"$ref": "#/components/schemas/public_trade"}
LEVELS = some({"type": "array"})
BOOK = partly(whole(type=TEXT | {"enum": ["snapshot", "change"]}, timestamp=INTEGER, instrument_name=TEXT,
                    change_id=INTEGER, bids=LEVELS, asks=LEVELS), prev_change_id=INTEGER)  # fmt: skip
WINDOW = whole(timestamp=INTEGER, instrument_name=TEXT, change_id=INTEGER, bids=ROWS, asks=ROWS)
INCREMENT = {
    "type": "object", "required": ["type", "timestamp", "instrument_name"],
    "properties": ANY_TICKER["properties"] | {"type": TEXT | {"enum": ["snapshot", "change"]}},
    "additionalProperties": False,
}  # fmt: skip
RANKING = whole(identifier=TEXT, enabled=FLAG, price=null(NUMBER), original_price=null(NUMBER), weight=NUMBER,
                timestamp=INTEGER)  # fmt: skip
CHANNELS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "book.(instrument_name).(interval)": (
        [f"book.BTC-PERPETUAL.{pace}" for pace in ("raw", "100ms", "agg2")], BOOK),
    "book.(instrument_name).(group).(depth).(interval)": (
        ["book.BTC-PERPETUAL.none.10.100ms", "book.BTC-PERPETUAL.250.1.agg2", "book.OPTION.5.20.raw"], WINDOW),
    "ticker.(instrument_name).(interval)": (
        [f"ticker.{name}.{pace}" for name in ("BTC-PERPETUAL", "OPTION") for pace in ("raw", "100ms", "agg2")],
        ANY_TICKER),
    "incremental_ticker.(instrument_name)": (["incremental_ticker.BTC-PERPETUAL", "incremental_ticker.OPTION"],
                                             INCREMENT),
    "perpetual.(instrument_name).(interval)": (
        [f"perpetual.BTC-PERPETUAL.{pace}" for pace in ("raw", "100ms", "agg2")],
        whole(interest=NUMBER, timestamp=INTEGER, index_price=NUMBER)),
    "quote.(instrument_name)": (["quote.OPTION"], whole(
        timestamp=INTEGER, instrument_name=TEXT, best_bid_price=NUMBER, best_bid_amount=NUMBER, best_ask_price=NUMBER,
        best_ask_amount=NUMBER)),
    "trades.(instrument_name).(interval)": (
        ["trades.BTC-PERPETUAL.raw", "trades.OPTION.100ms", "trades.OPTION.agg2"], some(TRADE)),
    "trades.(kind).(currency).(interval)": (
        ["trades.future.BTC.raw", "trades.option.any.100ms", "trades.any.any.agg2"], some(TRADE)),
    "deribit_price_index.(index_name)": (
        ["deribit_price_index.btc_usd"], whole(index_name=TEXT, price=NUMBER, timestamp=INTEGER)),
    "deribit_price_ranking.(index_name)": (["deribit_price_ranking.eth_usd"], some(RANKING)),
    "deribit_price_statistics.(index_name)": (["deribit_price_statistics.btc_usd"], whole(
        index_name=TEXT, low24h=NUMBER, high24h=NUMBER, change24h=NUMBER, high_volatility=FLAG)),
    "deribit_volatility_index.(index_name)": (["deribit_volatility_index.btc_usd"], whole(
        index_name=TEXT, volatility=NUMBER, timestamp=INTEGER, estimated_delivery=NUMBER)),
    "markprice.options.(index_name)": (["markprice.options.btc_usd"], some(whole(
        instrument_name=TEXT, mark_price=NUMBER, iv=NUMBER, timestamp=INTEGER))),
    "estimated_expiration_price.(index_name)": (["estimated_expiration_price.btc_usd"], whole(
        seconds=INTEGER, price=NUMBER, is_estimated=FLAG)),
    "chart.trades.(instrument_name).(resolution)": (
        [f"chart.trades.BTC-PERPETUAL.{resolution}" for resolution in ("1", "180", "D", "1D", "W", "M")],
        whole(tick=INTEGER, open=NUMBER, high=NUMBER, low=NUMBER, close=NUMBER, volume=NUMBER, cost=NUMBER)),
    "instrument.state.(kind).(currency)": (
        ["instrument.state.option.BTC", "instrument.state.any.any"],
        whole(instrument_name=TEXT, state=TEXT, timestamp=INTEGER)),
    "platform_state": (["platform_state"], whole(price_index=TEXT, locked=FLAG)),
    "platform_state.public_methods_state": (
        ["platform_state.public_methods_state"], whole(allow_unauthenticated_public_requests=FLAG)),
    "announcements": (["announcements"], whole(
        id=INTEGER, title=TEXT, body=TEXT, important=FLAG, confirmation=FLAG, publication_timestamp=INTEGER,
        action=TEXT)),
}  # fmt: skip
