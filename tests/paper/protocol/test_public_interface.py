"""Every public call: requests as published are accepted, and answers have all they must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from engine.domain import MS, NS
from engine.market.deribit.methods.public import PUBLIC
from engine.market.deribit.rest import HttpRequest
from tests.paper import published
from tests.paper.client import LOGIN, PERPETUAL, Client
from tests.paper.desk import Desk, lived
from tests.paper.protocol.shapes import (
    ANY_TICKER,
    INTEGER,
    NAMES,
    NUMBER,
    OF_OPTION,
    OF_PERPETUAL,
    ROWS,
    TEXT,
    TICKER,
    both,
    null,
    partly,
    some,
    whole,
)
from tests.paper.published import Example, Interface, answer_faults, example, faults
from tests.paper.small import START

ALL_TIME = {"start_timestamp": START // MS - 1000, "end_timestamp": START // MS + 10**8}
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
    return lived()


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


def test_time_is_as_asked(desk: Desk) -> None:
    trades = desk.call("public/get_last_trades_by_currency", currency="BTC", count=100, sorting="asc")["trades"]
    assert [row["timestamp"] for row in trades] == sorted(row["timestamp"] for row in trades)
    first = trades[0]["timestamp"]
    span = {"currency": "BTC", "start_timestamp": first, "end_timestamp": first}
    only = desk.call("public/get_last_trades_by_currency_and_time", **span, count=100)["trades"]
    assert {row["timestamp"] for row in only} == {first}
    assert desk.venue.now > START + 36 * 60 * NS
