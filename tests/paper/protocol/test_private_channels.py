"""What an account hears of itself: on each channel, at each pace, as published, and nobody else's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.domain import NS
from engine.market.deribit.wire import decode, request
from tests.paper.client import PERPETUAL, Client
from tests.paper.desk import Desk
from tests.paper.published import Interface, faults

SCHEMAS = {"user.orders": "order", "user.trades": "user_trade", "user.changes": "user_change"}
COVERS = (PERPETUAL, "future.BTC", "any.any")
PACES = {"raw": 0.0, "100ms": 0.1, "agg2": 1.0}


@pytest.fixture(autouse=True)
def corrected(interface: Interface) -> None:
    """As in the tests of the calls: these are booleans, and what has changed is called `positions`."""
    for name in ("reduce_only", "post_only"):
        interface.schemas["user_trade"]["properties"][name] = {"type": "boolean"}
    changed = interface.schemas["user_change"]["properties"]
    changed["positions"] = changed.pop("position", changed.get("positions"))


def heard(client: Client) -> dict[str, list[Any]]:
    """What has been pushed since the last time, as it came, by channel."""
    found: dict[str, list[Any]] = {}
    for _, frame in client.line.take():
        params = msgspec.json.decode(frame).get("params")
        if params and "channel" in params:
            found.setdefault(params["channel"], []).append(params["data"])
    return found


def quiet(desk: Desk, method: str, **params: Any) -> None:
    """A call whose pushes stay in the line."""
    desk.venue.receive(desk.line, request(1, method, params), desk.venue.now)


def play(desk: Desk) -> None:
    """One order is placed, one trade made, without the pushes being read."""
    price = desk.near(PERPETUAL, 0)
    desk.other.call("private/sell", instrument_name=PERPETUAL, amount=10.0, price=price)
    quiet(desk, "private/buy", instrument_name=PERPETUAL, amount=20.0, price=price, post_only=False, label="mine")


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("family", SCHEMAS)
def test_a_channel_says_what_is_published(interface: Interface, family: str, cover: str, pace: str) -> None:
    desk, channel = Desk(), f"{family}.{cover}.{pace}"
    assert desk.call("private/subscribe", channels=[channel]) == [channel]
    play(desk)
    at_once = heard(desk)
    desk.venue.advance(desk.venue.now + round(PACES[pace] * NS) + NS // 10)
    said = at_once if pace == "raw" else heard(desk)
    assert (channel in at_once) == (pace == "raw")
    rows = [row for data in said[channel] for row in (data if isinstance(data, list) else [data])]
    assert rows
    assert [fault for row in rows for fault in faults(interface.schemas, {"$ref": SCHEMAS[family]}, row, family)] == []
    assert all(row["instrument_name"] == PERPETUAL for row in rows)
    assert heard(desk.other) == {}


def test_changes_say_orders_fills_and_the_position_together() -> None:
    desk = Desk()
    desk.call("private/subscribe", channels=["user.changes.any.any.raw", "user.orders.any.any.raw"])
    play(desk)
    said = heard(desk)
    (change,) = said["user.changes.any.any.raw"]
    (order,) = said["user.orders.any.any.raw"]
    assert change["orders"] == [order]
    assert (order["order_state"], order["filled_amount"], order["label"]) == ("open", 10.0, "mine")
    assert [(trade["amount"], trade["liquidity"], trade["state"]) for trade in change["trades"]] == [
        (10.0, "T", "open")
    ]
    (position,) = change["positions"]
    assert (position["size"], position["direction"]) == (10.0, "buy")


def test_the_portfolio_by_coin_and_of_all_coins(interface: Interface) -> None:
    desk = Desk()
    channels = ["user.portfolio.BTC", "user.portfolio.btc", "user.portfolio.eth", "user.portfolio.any"]
    quiet(desk, "private/subscribe", channels=channels)
    opened = heard(desk)
    assert {name: [row["currency"] for row in rows] for name, rows in opened.items()} == {
        "user.portfolio.BTC": ["BTC"], "user.portfolio.btc": ["BTC"], "user.portfolio.eth": ["ETH"],
        "user.portfolio.any": ["BTC", "ETH"],
    }  # fmt: skip
    play(desk)
    told = heard(desk)
    assert told["user.portfolio.btc"][-1]["delta_total"] == pytest.approx(0.0001, rel=1e-3)
    assert "user.portfolio.eth" not in told
    row = told["user.portfolio.btc"][-1] | {"currency": "btc"}
    assert faults(interface.schemas, {"$ref": "currency_portfolio"}, row, "portfolio") == []


def test_protection_is_told_of_once_and_only_to_its_owner() -> None:
    desk = Desk()
    desk.call("private/subscribe", channels=["user.mmp_trigger.btc_usd", "user.mmp_trigger.eth_usd"])
    desk.other.call("private/subscribe", channels=["user.mmp_trigger.btc_usd"])
    desk.call("private/set_mmp_config", index_name="btc_usd", interval=5, frozen_time=30, quantity_limit=1.0)
    price = desk.near(desk.option, 0)
    desk.call("private/buy", instrument_name=desk.option, amount=2.0, price=price, mmp=True)
    desk.other.call("private/sell", instrument_name=desk.option, amount=1.0, price=price, post_only=False)
    said = heard(desk)
    assert list(said) == ["user.mmp_trigger.btc_usd"]
    (told,) = said["user.mmp_trigger.btc_usd"]
    assert (told["index_name"], told["frozen_until"]) == ("btc_usd", desk.venue.now // 1_000_000 + 30_000)
    (status,) = desk.call("private/get_mmp_status", index_name="btc_usd")
    assert status["frozen_until"] == told["frozen_until"]
    desk.call("private/reset_mmp", index_name="btc_usd")
    assert desk.call("private/get_mmp_status", index_name="btc_usd") == []


def test_who_logs_in_is_told_and_kept(interface: Interface) -> None:
    desk = Desk()
    desk.call("private/subscribe", channels=["user.access_log"])
    Client(desk.venue)
    (told,) = heard(desk)["user.access_log"]
    assert faults(interface.schemas, {"$ref": "access_log"}, told, "log") == []
    log = desk.call("private/get_access_log", count=5)
    assert (log[0], [row["id"] for row in log]) == (told, [2, 1])
    assert desk.call("private/get_access_log", offset=1) == log[1:]


def test_channels_that_have_nothing_to_say_are_there() -> None:
    desk = Desk()
    channels = ["user.lock", "user.access_log", "user.combo_trades.any.any.raw", f"user.combo_trades.{PERPETUAL}.100ms"]
    assert desk.call("private/subscribe", channels=channels) == channels
    assert desk.call("private/unsubscribe", channels=channels) == channels


def test_two_lines_of_one_account_hear_the_same() -> None:
    desk = Desk()
    second = Client(desk.venue)
    for client in (desk, second):
        client.call("private/subscribe", channels=["user.changes.any.any.raw"])
    play(desk)
    assert heard(desk) == heard(second) != {}


def test_a_stranger_hears_nothing() -> None:
    desk = Desk()
    stranger = Client(desk.venue, login=False)
    assert stranger.call("public/subscribe", channels=["user.portfolio.btc"]) == []
    assert stranger.refused("private/subscribe", channels=["user.portfolio.btc"]) == 10000
    play(desk)
    assert [decode(frame) for _, frame in stranger.line.take()] == []
