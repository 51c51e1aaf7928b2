"""The protocol on the exchange: each call as a client makes it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS
from engine.market.deribit.data import InstrumentData, TickerData, instrument_of
from engine.market.deribit.methods import METHODS
from engine.paper.instruments.listing import Spec
from engine.paper.venue import PaperVenue, VenueSettings
from tests.paper.client import LOGIN, PERPETUAL, SETTINGS, Client, http
from tests.paper.small import START, sound


@pytest.fixture
def client() -> Client:
    return Client()


def low(client: Client) -> float:
    """A price well below the market, on the tick."""
    return float(round(client.call("public/ticker", instrument_name=PERPETUAL)["mark_price"] * 0.98))


def test_the_listing_is_read_back_as_it_was_meant(client: Client) -> None:
    rows = msgspec.convert(client.call("public/get_instruments", currency="BTC"), list[InstrumentData])
    assert tuple(instrument_of(row) for row in rows) == client.venue.exchange.instruments
    options = client.call("public/get_instruments", currency="BTC", kind="option")
    assert [row["kind"] for row in options] == ["option", "option"]
    assert client.call("public/get_instruments", currency="ETH") == []
    assert client.call("public/get_instruments", currency="BTC", expired=True) == []


def test_the_epoch_is_stated(client: Client) -> None:
    version = client.call("public/hello", client_name="t", client_version="1")["version"]
    assert version == f"1.2.26 paper epoch={client.venue.epoch}"
    assert PaperVenue(1, START + NS, SETTINGS).version != version


def test_an_option_ticker_is_complete_and_consistent(client: Client) -> None:
    client.wait(2.0)
    name = client.venue.exchange.instruments[2].name
    ticker = msgspec.convert(client.call("public/ticker", instrument_name=name), TickerData)
    assert ticker.greeks is not None
    assert ticker.bid_iv is not None
    assert ticker.mark_iv is not None
    assert ticker.ask_iv is not None
    assert ticker.bid_iv < ticker.mark_iv + 2.0
    assert ticker.ask_iv > ticker.mark_iv - 2.0
    assert 10.0 < ticker.mark_iv < 150.0
    assert ticker.underlying_index == "SYN.BTC-29MAY26" or ticker.underlying_index in client.venue.exchange.number


def test_life_of_a_resting_order(client: Client) -> None:
    client.call("private/subscribe", channels=["user.orders.any.any.raw"])
    price = low(client)
    order = client.buy(20.0, price, label="child-1", post_only=True)["order"]
    assert (order["order_state"], order["price"], order["amount"], order["label"]) == ("open", price, 20.0, "child-1")
    assert client.call("private/get_open_orders_by_currency", currency="BTC") == [order]
    assert client.call("private/get_open_orders_by_instrument", instrument_name=PERPETUAL) == [order]
    assert client.call("private/get_open_orders_by_label", currency="BTC", label="child-1") == [order]
    edited = client.call("private/edit", order_id=order["order_id"], amount=10.0, price=price)["order"]
    assert (edited["amount"], edited["replaced"]) == (10.0, True)
    gone = client.call("private/cancel", order_id=order["order_id"])
    assert (gone["order_state"], gone["cancel_reason"]) == ("cancelled", "user_request")
    assert client.call("private/get_order_state_by_label", currency="BTC", label="child-1") == [gone]
    assert client.call("private/get_order_state", order_id=order["order_id"]) == gone
    assert client.refused("private/cancel", order_id=order["order_id"]) == 11044
    assert [push.data.order_state for push in client.pushed] == ["open", "open", "cancelled"]


def test_life_of_a_taker(client: Client) -> None:
    client.wait(1.0)
    done = client.buy(100.0, type="market", label="t")
    (fill, *_) = done["trades"]
    assert (done["order"]["order_state"], fill["liquidity"], fill["label"]) == ("filled", "T", "t")
    (position,) = client.call("private/get_positions", currency="BTC")
    assert (position["size"], position["direction"]) == (100.0, "buy")
    assert position["average_price"] == pytest.approx(done["order"]["average_price"], abs=0.5)
    assert client.call("private/get_user_trades_by_order", order_id=done["order"]["order_id"]) == done["trades"]
    trades = client.call("private/get_user_trades_by_currency", currency="BTC", count=100, sorting="asc")["trades"]
    assert trades == done["trades"]
    summary = client.call("private/get_account_summary", currency="BTC")
    assert summary["balance"] == pytest.approx(20.0 - sum(fill["fee"] for fill in done["trades"]), abs=1e-9)
    assert summary["delta_total"] == pytest.approx(0.001, rel=0.01)
    public = client.call("public/get_last_trades_by_instrument", instrument_name=PERPETUAL, count=1)["trades"]
    assert public[0]["trade_id"] == done["trades"][-1]["trade_id"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"instrument_name": "BTC-NOPE"}, 10020),
        ({"amount": 15.0}, 10021),
        ({"amount": 0.0}, 10002),
        ({"price": 90_000.3}, 10043),
        ({"price": 200_000.0}, 10007),
        ({"price": None}, 11029),
        ({"amount": None}, 11029),
        ({"type": "stop_limit"}, 11029),
        ({"advanced": "implv"}, 11038),
        ({"valid_until": 1}, 13888),
        ({"label": "x" * 65}, -32602),
        ({"time_in_force": "forever"}, -32602),
        ({"price": -5.0}, 10005),
        ({"amount": 2_000_000_000.0}, 10009),
    ],
)
def test_refusals(client: Client, params: dict[str, Any], code: int) -> None:
    wanted = {"instrument_name": PERPETUAL, "amount": 10.0, "price": low(client), "post_only": True} | params
    assert client.refused("private/buy", **{k: v for k, v in wanted.items() if v is not None}) == code
    assert client.call("private/get_open_orders") == []


def test_a_seller_below_the_bounds(client: Client) -> None:
    assert client.refused("private/sell", instrument_name=PERPETUAL, amount=10, price=50_000.0) == 10005


def test_post_only_is_the_default_and_means_nothing_to_a_taker(client: Client) -> None:
    client.wait(1.0)
    ticker = client.call("public/ticker", instrument_name=PERPETUAL)
    order = client.buy(10.0, ticker["best_ask_price"])["order"]
    assert (order["order_state"], order["post_only"]) == ("open", True)
    assert order["price"] == ticker["best_ask_price"] - 0.5
    client.call("private/cancel_all")
    taken = client.buy(10.0, ticker["best_ask_price"], time_in_force="immediate_or_cancel")["order"]
    assert (taken["order_state"], taken["post_only"]) == ("filled", False)


def test_cancelling_many(client: Client) -> None:
    price = low(client)
    for label in ("a", "a", "b"):
        client.buy(10.0, price, label=label)
    assert client.call("private/cancel_by_label", label="a") == 2
    assert client.call("private/cancel_all_by_instrument", instrument_name="BTC-PERPETUAL") == 1
    client.buy(10.0, price)
    assert client.call("private/cancel_all_by_currency", currency="ETH") == 0
    detailed = client.call("private/cancel_all", detailed=True)
    assert [order["order_state"] for entry in detailed for order in entry["result"]] == ["cancelled"]
    assert client.call("private/cancel_all") == 0


def test_orders_stay_when_the_line_goes_unless_asked_otherwise() -> None:
    first = Client()
    venue, price = first.venue, low(first)
    first.buy(10.0, price, label="stays")
    venue.drop(first.line, venue.now)
    second = Client(venue)
    assert len(second.call("private/get_open_orders")) == 1
    second.call("private/enable_cancel_on_disconnect", scope="connection")
    second.buy(10.0, price, label="goes")
    venue.drop(second.line, venue.now)
    third = Client(venue)
    assert [order["label"] for order in third.call("private/get_open_orders")] == ["stays"]
    (gone,) = third.call("private/get_order_state_by_label", currency="BTC", label="goes")
    assert gone["cancel_reason"] == "cancel_on_disconnect"


def test_cancel_on_disconnect_for_the_account_holds_for_later_lines() -> None:
    first = Client()
    first.call("private/enable_cancel_on_disconnect", scope="account")
    second = Client(first.venue)
    second.buy(10.0, low(second))
    first.venue.drop(second.line, first.venue.now)
    assert first.call("private/get_open_orders") == []


def test_private_news_reach_the_account_only() -> None:
    venue = PaperVenue(1, START, SETTINGS, credentials={"paper": "paper", "other": "other"})
    one, two = Client(venue), Client(venue, login=False)
    two.call("public/auth", **(LOGIN | {"client_id": "other", "client_secret": "other"}))
    for client in (one, two):
        client.call("private/subscribe", channels=["user.changes.any.any.raw"])
    one.buy(10.0, low(one))
    two.wait(0.0)
    assert len(one.pushed) == 1
    assert two.pushed == []
    assert two.call("private/get_open_orders") == []


def test_what_is_not_offered_is_dropped_from_a_subscription(client: Client) -> None:
    wanted = ["book.BTC-PERPETUAL.100ms", "book.NOPE.100ms", "book.BTC-PERPETUAL.10s", "user.portfolio.btc", "x", ""]
    assert client.call("private/subscribe", channels=wanted) == ["book.BTC-PERPETUAL.100ms", "user.portfolio.btc"]
    assert [push.family for push in client.pushed] == ["book", "portfolio"]


def test_windows_and_quotes(client: Client) -> None:
    client.wait(1.0)
    client.call("public/subscribe", channels=["book.BTC-PERPETUAL.none.10.100ms", "quote.BTC-PERPETUAL"])
    client.wait(1.0)
    windows = [push.data for push in client.pushed if push.family == "window"]
    assert len(windows) >= 3
    assert all(len(w.bids) <= 10 and w.bids[0][0] < w.asks[0][0] for w in windows)


def test_expiry_is_told_and_delivered() -> None:
    soon = VenueSettings(listing=(Spec(expiries=1, strikes=1, futures=1, minutes=2.0),), crowd=None)
    client = Client(PaperVenue(1, START, soon))
    venue = client.venue
    option = min((i for i in venue.exchange.instruments if i.strike), key=lambda i: i.expiry)
    client.call("private/subscribe", channels=["instrument.state.option.BTC", "estimated_expiration_price.btc_usd"])
    venue.exchange.marks.tell(venue.now, 120_000.0, {}, venue.exchange.marks.iv[venue.exchange.marks.options])
    client.wait((option.expiry - START) / NS + 1.0)
    assert [push.data.state for push in client.pushed if push.family == "state"] == ["closed", "closed"]
    live = client.call("public/get_instruments", currency="BTC", kind="option")
    assert option.name not in {row["instrument_name"] for row in live}
    gone = client.call("public/get_instruments", currency="BTC", kind="option", expired=True)
    assert [(row["is_active"], row["state"]) for row in gone] == [(False, "closed")] * 2
    assert client.call("public/ticker", instrument_name=option.name)["state"] == "closed"
    assert client.refused("private/buy", instrument_name=option.name, amount=1, price=0.01) == 10012
    (day,) = client.call("public/get_delivery_prices", index_name="btc_usd")["data"]
    assert 100_000.0 < day["delivery_price"] <= 120_000.0
    sound(venue.exchange)


def test_the_same_calls_by_http() -> None:
    venue = PaperVenue(1, START, SETTINGS)
    status, answer = http(venue, "GET", "/api/v2/public/get_order_book?instrument_name=BTC-PERPETUAL&depth=5")
    assert (status, set(answer["result"]) >= {"bids", "asks", "change_id"}) == (200, True)
    basic = "Basic cGFwZXI6cGFwZXI="
    status, answer = http(venue, "GET", "/api/v2/private/get_account_summary?currency=BTC", user=basic)
    assert (status, answer["result"]["balance"]) == (200, 20.0)
    order = msgspec.json.encode({"id": 5, "method": "private/buy", "params": {
        "instrument_name": PERPETUAL, "amount": 10, "price": 98000, "label": "http"}})  # fmt: skip
    status, answer = http(venue, "POST", "/api/v2", order, basic)
    assert (status, answer["id"], answer["result"]["order"]["label"]) == (200, 5, "http")
    assert http(venue, "GET", "/api/v2/private/get_positions")[0] == 401
    assert http(venue, "GET", "/api/v2/public/nope")[0] == 404
    line = Client(venue)
    assert len(line.call("private/get_open_orders")) == 1


def test_every_method_of_the_table_is_served(client: Client) -> None:
    """None may fall through to "method not found"."""
    for method in METHODS:
        if method != "private/logout":
            reply = client.ask(method)
            assert reply.error is None or reply.error.code != -32601, method


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10),
    st.sampled_from([PERPETUAL, "BTC", "any", "option", "limit", "market", 10, 100_000, 0.1, "1", "raw", "a" * 65]),
)  # fmt: skip
names = st.sampled_from(
    ["instrument_name", "amount", "price", "type", "label", "order_id", "currency", "kind", "time_in_force", "depth",
     "post_only", "reduce_only", "valid_until", "contracts", "count", "channels", "scope", "interval", "sorting"]
)  # fmt: skip


calls = st.tuples(
    st.sampled_from(sorted(set(METHODS) - {"private/logout"})), st.dictionaries(names, values, max_size=6)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(calls, min_size=5, max_size=20))
def test_any_params_are_answered(script: list[tuple[str, dict[str, Any]]]) -> None:
    client = Client()
    for method, params in script:
        reply = client.ask(method, **({"instrument_name": PERPETUAL} | params))
        assert (reply.result is None) != (reply.error is None)
    client.wait(0.2)
    sound(client.venue.exchange)
