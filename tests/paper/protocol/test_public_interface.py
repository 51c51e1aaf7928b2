"""Every public call and channel: requests as published are accepted, answers and pushes have all they must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from engine.domain import MS, NS
from engine.market.deribit.methods.public import PUBLIC
from engine.market.deribit.rest import HttpRequest
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from tests.paper import published
from tests.paper.client import LOGIN, PERPETUAL, Client
from tests.paper.desk import Desk
from tests.paper.published import Example, Interface, answer_faults, example, faults
from tests.paper.small import START

SOON = VenueSettings(
    listing=(
        Spec(expiries=1, strikes=1, futures=1, minutes=2.0),
        Spec(coin="ETH", index=2500.0, expiries=1, strikes=1, futures=1),
    ),
    crowd=None, balance=50.0, credit_limit=10**9,
)  # fmt: skip
ALL_TIME = {"start_timestamp": START // MS - 1000, "end_timestamp": START // MS + 10**8}
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


published.ELSEWHERE |= {
    "bid_price": "null without one, as its prose says",
    "ask_price": "null without one, as its prose says",
    "mid_price": "null without one, as its prose says",
}
SETTLED = whole(settlements=some({"$ref": "#/components/schemas/settlement"}), continuation=TEXT)
published.SHAPES |= {
    # published: a list that has fields
    "public/get_last_settlements_by_currency": SETTLED,
    "public/get_last_settlements_by_instrument": SETTLED,
    # published: an error message
    "public/ticker": ANY_TICKER,
    "public/get_order_book": partly(ANY_TICKER, bids=ROWS, asks=ROWS, change_id=INTEGER),
    "public/get_order_book_by_instrument_id": partly(ANY_TICKER, bids=ROWS, asks=ROWS, change_id=INTEGER),
    "public/get_index": {"type": "object", "required": ["edp"], "properties": {"edp": NUMBER, "BTC": NUMBER}},
    # published: lists of objects; the venue's own examples, and what clients read, are these
    "public/get_historical_volatility": ROWS,
    "public/get_mark_price_history": ROWS,
    "public/get_index_price_names": NAMES,
    "public/get_expirations": {"type": "object"},
    # published: a list of anything
    "public/get_volatility_index_data": whole(data=ROWS, continuation=null(INTEGER)),
}
published.EMPTY |= {
    "public/get_combos": "none are listed",
    "public/get_combo_ids": "none are listed",
}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """A market with something behind it: prints, an hour of funding, an expiry, an announcement."""
    desk = Desk(SOON)
    desk.option = min((i for i in desk.exchange.instruments if i.call), key=lambda i: i.expiry or 0).name
    for name in (PERPETUAL, desk.option, "ETH-PERPETUAL"):
        desk.trade(name=name)
    desk.wait(36 * 60.0)
    for client, name in ((desk, "paper"), (desk.other, "other")):  # tokens have expired meanwhile
        client.call("public/auth", **(LOGIN | {"client_id": name, "client_secret": name}))
    desk.option = max((i for i in desk.exchange.instruments if i.call), key=lambda i: i.expiry or 0).name
    for name in (PERPETUAL, desk.option):
        desk.trade(name=name)
    desk.venue.command("announce", b'{"title": "a"}', desk.venue.now)
    desk.wait(1.0)
    return desk


def public(*methods: str) -> Callable[[Example], Example]:
    return example(*(f"public/{method}" for method in methods))


@public("get_time", "status", "get_announcements", "disable_heartbeat", "unsubscribe_all", "get_currencies", "test",
        "get_index_price_names", "get_supported_index_names", "get_trade_volumes")  # fmt: skip
def _bare(client: Client) -> dict[str, Any]:
    return {}


@public("auth")
def _auth(client: Client) -> dict[str, Any]:
    return dict(LOGIN) | {"state": "s", "scope": "trade:read_write"}


@public("exchange_token")
def _exchange_token(client: Client) -> dict[str, Any]:
    token = client.call("public/auth", **LOGIN)["refresh_token"]
    return {"refresh_token": token, "subject_id": client.venue.accounts["paper"]}


@public("fork_token")
def _fork_token(client: Client) -> dict[str, Any]:
    token = client.call("public/auth", **LOGIN, scope="session:first")["refresh_token"]
    return {"refresh_token": token, "session_name": "second"}


@public("hello")
def _hello(client: Client) -> dict[str, Any]:
    return {"client_name": "t", "client_version": "1"}


@public("set_heartbeat")
def _heartbeat(client: Client) -> dict[str, Any]:
    return {"interval": 10_000}


@public("subscribe", "unsubscribe")
def _channels(client: Client) -> dict[str, Any]:
    channels = ["book.BTC-PERPETUAL.100ms"]
    client.call("public/subscribe", channels=channels)
    return {"channels": channels}


@public("get_index_price", "get_delivery_prices")
def _of_index(client: Client) -> dict[str, Any]:
    return {"index_name": "btc_usd"}


@public("get_delivery_prices")
def _of_index_in_pages(client: Client) -> dict[str, Any]:
    return {"index_name": "btc_usd", "offset": 0, "count": 1}


@public("get_index", "get_instruments", "get_combos", "get_combo_ids", "get_historical_volatility",
        "get_book_summary_by_currency", "get_last_trades_by_currency", "get_last_settlements_by_currency")  # fmt: skip
def _of_coin(client: Client) -> dict[str, Any]:
    return {"currency": "BTC"}


@public("get_instruments", "get_book_summary_by_currency")
def _of_kind(client: Client) -> dict[str, Any]:
    return {"currency": "BTC", "kind": "option"}


@public("get_instruments")
def _expired(client: Client) -> dict[str, Any]:
    return {"currency": "any", "expired": True}


@public("get_expirations")
def _expirations(client: Client) -> dict[str, Any]:
    return {"currency": "any", "kind": "any"}


@public("get_instrument", "get_contract_size", "ticker", "get_order_book", "get_book_summary_by_instrument",
        "get_last_trades_by_instrument")  # fmt: skip
def _of_instrument(client: Client) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL}


@public("get_last_settlements_by_instrument")
def _delivered(client: Client) -> dict[str, Any]:
    gone = client.call("public/get_instruments", currency="BTC", expired=True)
    return {"instrument_name": gone[0]["instrument_name"], "type": "delivery", "count": 5}


@public("get_instrument", "get_contract_size", "ticker", "get_order_book", "get_book_summary_by_instrument",
        "get_last_trades_by_instrument")  # fmt: skip
def _of_option(client: Client) -> dict[str, Any]:
    (row, *_) = client.call("public/get_instruments", currency="BTC", kind="option")
    return {"instrument_name": row["instrument_name"]}


@public("get_mark_price_history")
def _marks(client: Client) -> dict[str, Any]:
    return _of_option(client) | ALL_TIME


@public("get_order_book_by_instrument_id")
def _by_number(client: Client) -> dict[str, Any]:
    return {"instrument_id": client.call("public/get_instrument", instrument_name="ETH-PERPETUAL")["instrument_id"]}


@public("get_last_trades_by_instrument")
def _by_sequence(client: Client) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "start_seq": 1, "end_seq": 1, "count": 1, "sorting": "asc"}


@public("get_last_trades_by_currency")
def _by_trade(client: Client) -> dict[str, Any]:
    last = client.call("public/get_last_trades_by_currency", currency="ETH", kind="future")["trades"][-1]
    return {"currency": "ETH", "start_id": last["trade_id"], "kind": "any", "sorting": "desc"}


@public("get_last_trades_by_instrument_and_time", "get_funding_rate_history", "get_funding_rate_value")
def _between(client: Client) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL} | ALL_TIME


@public("get_last_trades_by_currency_and_time")
def _coin_between(client: Client) -> dict[str, Any]:
    return {"currency": "BTC", "kind": "option", "count": 5} | ALL_TIME


@public("get_tradingview_chart_data")
def _chart(client: Client) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "resolution": "15"} | ALL_TIME


@public("get_volatility_index_data")
def _volatility(client: Client) -> dict[str, Any]:
    return {"currency": "BTC", "resolution": "60"} | ALL_TIME


@public("get_funding_chart_data")
def _funding_chart(client: Client) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "length": "8h"}


@public("get_trade_volumes")
def _volumes(client: Client) -> dict[str, Any]:
    return {"extended": True}


@pytest.mark.parametrize("method", sorted(PUBLIC))
def test_a_call_as_published(desk: Desk, interface: Interface, method: str) -> None:
    made = published.EXAMPLES.get(method, [])
    assert made, f"{method} is served without an example"
    for make in made:
        assert answer_faults(interface, desk, method, make, unpublished={"public/get_index"}) == []


NEEDS_A_LINE = {"set_heartbeat", "disable_heartbeat", "subscribe", "unsubscribe", "unsubscribe_all"}
ONCE = {"auth", "exchange_token", "fork_token"}  # each answer is another


def by_http(desk: Desk, method: str, params: dict[str, Any]) -> tuple[Any, Any]:
    """The results of a GET and of a POST."""
    query = urlencode(
        {name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items()}
    )
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    requests = (HttpRequest("GET", f"/api/v2/{method}?{query}"), HttpRequest("POST", "/api/v2", body))
    answers = [desk.venue.http(request, desk.venue.now) for request in requests]
    assert {status for status, _ in answers} == {200}, answers
    got, posted = (msgspec.json.decode(text) for _, text in answers)
    assert ("id" in got, posted["id"]) == (False, 7)
    return got["result"], posted["result"]


@pytest.mark.parametrize("method", sorted(set(PUBLIC) - {f"public/{name}" for name in NEEDS_A_LINE}))
def test_the_same_by_http(desk: Desk, method: str) -> None:
    for make in published.EXAMPLES[method]:
        params = make(desk)
        results = by_http(desk, method, params)
        if method.removeprefix("public/") not in ONCE:
            assert results == (desk.call(method, **params),) * 2


@pytest.mark.parametrize("name", sorted(NEEDS_A_LINE))
def test_what_needs_a_line_is_refused_by_http(desk: Desk, name: str) -> None:
    status, body = desk.venue.http(HttpRequest("GET", f"/api/v2/public/{name}?interval=10"), desk.venue.now)
    assert (status, msgspec.json.decode(body)["error"]["code"]) == (400, 10030)


def test_tickers_are_complete_for_their_kind(desk: Desk, interface: Interface) -> None:
    future = next(i.name for i in desk.exchange.instruments if i.expiry and not i.strike)
    for name, schema in (
        (PERPETUAL, both(TICKER, OF_PERPETUAL)),
        (future, TICKER),
        (desk.option, both(TICKER, OF_OPTION)),
    ):
        assert faults({}, schema, desk.call("public/ticker", instrument_name=name), name) == []


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
UNSERVED = {
    "block_trade_confirmations": "there are no block trades between clients",
    "block_trade_confirmations.(currency)": "there are no block trades between clients",
    "block_rfq.maker.(currency)": "there are no requests for quotes",
    "block_rfq.taker.(currency)": "there are no requests for quotes",
    "block_rfq.maker.quotes.(currency)": "there are no requests for quotes",
    "block_rfq.trades.(currency)": "there are no requests for quotes",
}


def everything_happens(desk: Desk) -> None:
    """One of each thing that some public channel tells of."""
    for name in (PERPETUAL, desk.option):
        desk.trade(name=name)
        desk.rest(name=name)
    for state in ("halted", "open"):
        for body in ({"state": state, "instrument_name": desk.option}, {"state": state}):
            status, _ = desk.venue.command("state", msgspec.json.encode(body), desk.venue.now)
            assert status == 200
    for allowed in (b"false", b"true"):
        desk.venue.command("public_methods", b'{"allowed": ' + allowed + b"}", desk.venue.now)
    desk.venue.command("announce", b'{"title": "b", "body": "c"}', desk.venue.now)
    desk.wait(2.0)
    desk.call("private/cancel_all")


@pytest.fixture(scope="module")
def heard(desk: Desk) -> dict[str, list[Any]]:
    """What was said on every channel of the table while everything happened."""
    wanted = [c.replace("OPTION", desk.option) for channels, _ in CHANNELS.values() for c in channels]
    line = Client(desk.venue)
    assert line.call("private/subscribe", channels=wanted) == wanted
    everything_happens(desk)
    line.wait(0.0)
    said: dict[str, list[Any]] = {channel: [] for channel in wanted}
    for push in line.pushed:
        said[push.channel].append(msgspec.json.decode(msgspec.json.encode(push.data)))
    line.call("private/unsubscribe_all")
    return said


@pytest.mark.parametrize("family", sorted(CHANNELS))
def test_a_channel_as_published(desk: Desk, heard: dict[str, list[Any]], interface: Interface, family: str) -> None:
    channels, schema = CHANNELS[family]
    for channel in channels:
        said = heard[channel.replace("OPTION", desk.option)]
        assert said, f"{channel} says nothing"
        assert [fault for data in said for fault in faults(interface.schemas, schema, data, family)] == []


def test_every_published_channel_is_served_or_dropped(desk: Desk, interface: Interface) -> None:
    public_ones = {name for name in interface.channels if not name.startswith("user.")}
    assert public_ones == set(CHANNELS) | set(UNSERVED)
    names = [name.replace("(currency)", "BTC") for name in UNSERVED]
    assert desk.call("private/subscribe", channels=names) == []


def test_raw_channels_are_for_those_who_are_known(desk: Desk) -> None:
    stranger = Client(desk.venue, login=False)
    for family in ("book", "ticker", "trades", "perpetual"):
        assert stranger.refused("public/subscribe", channels=[f"{family}.BTC-PERPETUAL.raw"]) == 13778
        assert stranger.call("public/subscribe", channels=[f"{family}.BTC-PERPETUAL.100ms"])


def test_time_is_as_asked(desk: Desk) -> None:
    trades = desk.call("public/get_last_trades_by_currency", currency="BTC", count=100, sorting="asc")["trades"]
    assert [row["timestamp"] for row in trades] == sorted(row["timestamp"] for row in trades)
    first = trades[0]["timestamp"]
    span = {"currency": "BTC", "start_timestamp": first, "end_timestamp": first}
    only = desk.call("public/get_last_trades_by_currency_and_time", **span, count=100)["trades"]
    assert {row["timestamp"] for row in only} == {first}
    assert desk.venue.now > START + 36 * 60 * NS
