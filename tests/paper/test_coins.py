"""Two coins at one venue: each call and channel reaches the coin it names, or both."""

from __future__ import annotations

import pytest

from engine.domain import NS
from engine.market.deribit.wire import Push, decode, request
from engine.paper.instruments.listing import Spec
from engine.paper.venue import PaperVenue, VenueSettings
from tests.paper.client import Client
from tests.paper.small import START, sound

TWO = VenueSettings(
    listing=(Spec(expiries=1, strikes=1, futures=1), Spec(coin="ETH", index=2500.0, expiries=1, strikes=1, futures=1)),
    crowd=None,
)


@pytest.fixture
def client() -> Client:
    return Client(PaperVenue(1, START, TWO))


def ether(client: Client, label: str = "e") -> str:
    """An ETH order's id."""
    order = client.buy(10.0, 2450.0, "ETH-PERPETUAL", label=label)["order"]
    assert order["order_state"] == "open"
    return str(order["order_id"])


def test_each_instrument_is_its_coins(client: Client) -> None:
    for coin in ("BTC", "ETH"):
        rows = client.call("public/get_instruments", currency=coin)
        assert {row["base_currency"] for row in rows} == {coin}
        assert (
            client.call("public/get_instrument", instrument_name=f"{coin}-PERPETUAL")["price_index"]
            == f"{coin.lower()}_usd"
        )
    both = client.call("public/get_instruments", currency="any")
    assert {row["base_currency"] for row in both} == {"BTC", "ETH"}
    assert len({row["instrument_id"] for row in both}) == len(both)
    assert [row["currency"] for row in client.call("public/get_currencies")] == ["BTC", "ETH"]
    assert client.call("public/get_index_price_names") == ["btc_usd", "eth_usd"]
    assert client.call("public/get_index_price", index_name="eth_usd")["index_price"] == 2500.0
    assert client.refused("public/get_instrument", instrument_name="XRP-PERPETUAL") == 10020


def test_expirations_are_of_both_or_by_coin(client: Client) -> None:
    both = client.call("public/get_expirations", currency="any", kind="any")
    assert both["future"] == list(dict.fromkeys(both["future"]))
    assert both["future"][-1] == "PERPETUAL"
    grouped = client.call("public/get_expirations", currency="grouped", kind="option")
    assert grouped == {"btc": {"option": both["option"]}, "eth": {"option": both["option"]}}
    assert client.call("public/get_expirations", currency="ETH", kind="option") == {"eth": grouped["eth"]}
    assert client.call("public/get_expirations", currency="any", kind="any", currency_pair="btc_usd") == both
    assert client.call("public/get_expirations", currency="USDC", kind="any") == {}


def test_an_order_is_found_by_its_id_alone(client: Client) -> None:
    eth = ether(client)
    btc = client.buy(10.0, 98_000.0, label="b")["order"]["order_id"]
    assert eth.startswith("ETH-")
    assert btc.isdecimal()
    assert client.call("private/get_order_state", order_id=eth)["instrument_name"] == "ETH-PERPETUAL"
    assert {order["order_id"] for order in client.call("private/get_open_orders")} == {eth, btc}
    assert [o["order_id"] for o in client.call("private/get_open_orders_by_currency", currency="ETH")] == [eth]
    for wrong in ("17", "ETH-17", "ETH-", "XRP-5", "ETH-1x"):
        assert client.refused("private/cancel", order_id=wrong) == 10004
    assert client.call("private/cancel", order_id=eth)["order_state"] == "cancelled"
    assert client.call("private/cancel_all") == 1


def test_counts_are_over_all_coins(client: Client) -> None:
    ether(client, "same")
    client.buy(10.0, 98_000.0, label="same")
    assert client.call("private/cancel_by_label", label="same") == 2
    ether(client)
    assert client.call("private/cancel_all_by_currency", currency="BTC") == 0
    assert client.call("private/cancel_all") == 1
    for market in client.venue.markets.values():
        sound(market.exchange)


def test_a_channel_of_any_coin_hears_every_coin(client: Client) -> None:
    wanted = ["user.orders.any.any.raw", "user.portfolio.any", "deribit_price_index.eth_usd"]
    assert client.call("private/subscribe", channels=wanted) == wanted
    assert [push.family for push in client.pushed] == ["portfolio", "portfolio", "index"]
    client.pushed.clear()
    ether(client)
    client.buy(10.0, 98_000.0)
    heard = [push.data.instrument_name for push in client.pushed if push.family == "orders"]
    assert heard == ["ETH-PERPETUAL", "BTC-PERPETUAL"]
    client.call("private/unsubscribe_all")
    assert not any(market.publisher.watched for market in client.venue.markets.values())


def test_a_venue_where_nobody_trades_tells_its_marks_each_second(client: Client) -> None:
    client.call("public/subscribe", channels=["deribit_price_index.eth_usd"])
    client.wait(3.0)
    assert [push.data.price for push in client.pushed if push.family == "index"] == [2500.0] * len(client.pushed)
    assert len(client.pushed) >= 3
    assert client.call("public/ticker", instrument_name="ETH-PERPETUAL")["best_bid_price"] == 0.0


def test_a_dump_of_two_coins_goes_on(client: Client) -> None:
    ether(client)
    twin = PaperVenue(1, START, TWO)
    twin.load(client.venue.dump())
    assert twin.dump() == client.venue.dump()
    for venue in (twin, client.venue):
        venue.advance(START + 5 * NS)
    assert twin.dump() == client.venue.dump()
    line = twin.connect()
    twin.receive(line, request(1, "public/get_instruments", {"currency": "ETH"}), twin.now)
    (reply,) = [decode(frame) for _, frame in line.take()]
    assert not isinstance(reply, Push)
