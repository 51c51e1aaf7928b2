"""What an account is told of its money: positions, margins, its log, settlements, and the account in all its coins."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from engine.paper.floor.exchange import Exchange
from tests.paper.client import PERPETUAL
from tests.paper.desk import Desk
from tests.paper.small import START, sound

ETHER = "ETH-PERPETUAL"
ALL_TIME = {"start_timestamp": START // 1_000_000 - 1000, "end_timestamp": START // 1_000_000 + 10**9}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def log(desk: Desk, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.call("private/get_transaction_log", **({"currency": "BTC"} | ALL_TIME | more))[
        "logs"
    ]
    return found


def tell(exchange: Exchange, t: int, index: float) -> None:
    marks = exchange.marks
    marks.tell(t, index, dict.fromkeys(marks.forwards, index), marks.iv[marks.options])


def test_a_position_adds_up(desk: Desk) -> None:
    desk.trade(amount=10_000.0)
    tell(desk.exchange, desk.venue.now, 101_000.0)
    position = desk.call("private/get_position", instrument_name=PERPETUAL)
    assert (position["size"], position["direction"], position["leverage"]) == (10_000.0, "buy", 50)
    assert position["average_price"] == pytest.approx(100_000.0, rel=1e-4)
    assert position["size_currency"] == pytest.approx(10_000.0 / position["mark_price"], abs=1e-8)
    entry = 10_000.0 / position["average_price"]
    assert position["total_profit_loss"] == pytest.approx(entry - position["size_currency"], abs=1e-6)
    assert position["initial_margin"] > position["maintenance_margin"] > 0.0
    none = desk.call("private/get_position", instrument_name=desk.option)
    assert (none["size"], none["direction"], none["average_price"]) == (0.0, "zero", 0.0)


def test_an_options_position_has_greeks_of_its_size(desk: Desk) -> None:
    desk.trade("sell", desk.option, 2.0)
    ticker = desk.call("public/ticker", instrument_name=desk.option)
    (position,) = desk.call("private/get_positions", currency="BTC", kind="option")
    assert (position["size"], position["direction"]) == (-2.0, "sell")
    assert position["delta"] == pytest.approx(-2.0 * (ticker["greeks"]["delta"] - ticker["mark_price"]), abs=1e-4)
    for greek, digits in (("gamma", 1e-6), ("vega", 1e-3), ("theta", 1e-3)):
        assert position[greek] == pytest.approx(-2.0 * ticker["greeks"][greek], abs=digits)
    assert desk.call("private/get_positions", currency="BTC", kind="future") == []


def test_the_summaries_add_up_by_coin(desk: Desk) -> None:
    desk.trade(amount=1000.0)
    desk.trade("sell", desk.option)
    desk.trade(name=ETHER, amount=100.0)
    whole = desk.call("private/get_account_summaries", extended=True)
    assert [row["currency"] for row in whole["summaries"]] == ["BTC", "ETH"]
    for row in whole["summaries"]:
        alone = desk.call("private/get_account_summary", currency=row["currency"])
        assert alone == row
        held = desk.call("private/get_positions", currency=row["currency"])
        assert row["delta_total"] == pytest.approx(sum(position["delta"] for position in held), abs=1e-5)
        assert row["available_funds"] == pytest.approx(row["margin_balance"] - row["initial_margin"], abs=1e-8)
        assert row["equity"] == pytest.approx(row["margin_balance"] + row["options_value"], abs=1e-8)
    index = whole["summaries"][0]["options_vega_map"]
    assert index == {"btc_usd": whole["summaries"][0]["options_vega"]}


def test_a_currency_that_is_not_traded_has_nothing(desk: Desk) -> None:
    summary = desk.call("private/get_account_summary", currency="USDC")
    assert (summary["currency"], summary["equity"], summary["available_funds"]) == ("USDC", 0.0, 0.0)
    assert desk.call("private/get_positions", currency="USDC") == []
    assert desk.call("private/get_transfers", currency="USDC") == {"count": 0, "data": []}


def test_margins_before_and_after_an_order(desk: Desk) -> None:
    price = desk.near(PERPETUAL, -10)
    asked = desk.call("private/get_margins", instrument_name=PERPETUAL, amount=10_000.0, price=price)
    assert asked["min_price"] < price < asked["max_price"]
    before = desk.call("private/get_account_summary", currency="BTC")["initial_margin"]
    order = desk.rest(amount=10_000.0)
    after = desk.call("private/get_account_summary", currency="BTC")["initial_margin"]
    assert after - before == pytest.approx(asked["buy"], rel=1e-6)
    (bound,) = desk.call("private/get_order_margin_by_ids", ids=[order["order_id"], "1", "x"])
    assert (bound["order_id"], bound["initial_margin_currency"]) == (order["order_id"], "BTC")
    assert bound["initial_margin"] == pytest.approx(asked["buy"], rel=1e-6)


def test_a_portfolio_is_supposed(desk: Desk) -> None:
    desk.trade(amount=1000.0)
    real = desk.call("private/get_account_summary", currency="BTC")
    more = {PERPETUAL: 9000.0, desk.option: -1.0}
    supposed = desk.call("private/simulate_portfolio", currency="BTC", simulated_positions=more)
    assert supposed["initial_margin"] > real["initial_margin"]
    alone = desk.call("private/simulate_portfolio", currency="BTC", add_positions=False, simulated_positions=more)
    assert supposed["delta_total"] - alone["delta_total"] == pytest.approx(real["delta_total"], abs=1e-6)
    assert desk.call("private/get_account_summary", currency="BTC") == real
    nope = {"currency": "BTC", "simulated_positions": {"BTC-NOPE": 1.0}}
    assert desk.refused("private/simulate_portfolio", **nope) == 10020


def test_the_log_explains_the_balance(desk: Desk) -> None:
    desk.trade(amount=1000.0)
    desk.trade("sell", desk.option)
    desk.trade("sell", amount=400.0)
    entries = log(desk)
    assert [entry["type"] for entry in entries].count("trade") == 3
    for later, earlier in pairwise(entries):
        assert later["balance"] == pytest.approx(earlier["balance"] + later["change"], abs=2e-9)
    assert entries[0]["change"] == pytest.approx(entries[0]["cashflow"] - entries[0]["commission"], abs=2e-9)
    trades = desk.call("private/get_user_trades_by_currency", currency="BTC")["trades"]
    assert [entry["trade_id"] for entry in entries if entry["type"] == "trade"] == [row["trade_id"] for row in trades]
    assert {entry["user_role"] for entry in entries if entry["type"] == "trade"} == {"taker"}
    assert log(desk, currency="ETH", query="trade") == []


def test_the_log_pages_and_searches(desk: Desk) -> None:
    for _ in range(3):
        desk.trade(amount=10.0)
    desk.trade("sell", desk.option)
    first = desk.call("private/get_transaction_log", currency="BTC", count=2, **ALL_TIME)
    rest = desk.call("private/get_transaction_log", currency="BTC", continuation=first["continuation"], **ALL_TIME)
    assert first["logs"] + rest["logs"] == log(desk)
    assert rest["continuation"] is None
    assert len(log(desk, query="option")) == 1
    assert len(log(desk, query="trade", count=250)) == 4
    assert log(desk, query="maker") == []
    assert log(desk, start_timestamp=ALL_TIME["end_timestamp"]) == []


def test_a_settlement_and_a_delivery_are_told(desk: Desk) -> None:
    desk.trade(amount=1000.0)
    desk.trade(name=desk.option)
    n = desk.exchange.number[desk.option]
    expiry = desk.exchange.instruments[n].expiry
    tell(desk.exchange, desk.venue.now, 104_000.0)
    desk.exchange.settle(expiry, n, 104_000.0)
    told = desk.call("private/get_settlement_history_by_currency", currency="BTC")
    (line,) = told["settlements"]
    assert (line["type"], line["instrument_name"], line["position"]) == ("delivery", desk.option, 1.0)
    assert line["timestamp"] == expiry // 1_000_000
    assert told["continuation"] == "none"
    by_name = {"instrument_name": PERPETUAL, "type": "settlement"}
    assert desk.call("private/get_settlement_history_by_instrument", **by_name)["settlements"] == []
    assert log(desk, query="delivery", end_timestamp=expiry // 1_000_000)[0]["instrument_name"] == desk.option
    desk.wait(0.2)
    sound(desk.exchange)


def test_protection_is_by_coin(desk: Desk) -> None:
    wanted = {"interval": 5, "frozen_time": 0, "quantity_limit": 2.0, "vega_limit": 100.0}
    (told,) = desk.call("private/set_mmp_config", index_name="eth_usd", **wanted)
    assert told == {"index_name": "eth_usd", "mmp_group": "", **wanted}
    assert desk.call("private/get_mmp_config") == [told]
    assert desk.call("private/get_mmp_config", index_name="btc_usd") == []
    assert desk.refused("private/set_mmp_config", index_name="btc_usd", interval=5, frozen_time=1) == 11029
    assert desk.refused("private/set_mmp_config", index_name="eth_usd", mmp_group="g", **wanted) == 11029
    assert desk.refused("private/set_mmp_config", index_name="sol_usdc", **wanted) == 11029
    assert desk.call("private/reset_mmp", index_name="eth_usd") == "ok"
    assert desk.call("private/set_mmp_config", index_name="eth_usd", interval=0, frozen_time=0) == []


def test_there_is_one_subaccount(desk: Desk) -> None:
    desk.trade()
    desk.rest()
    (row,) = desk.call("private/get_subaccounts", with_portfolio=True)
    assert (row["type"], set(row["portfolio"])) == ("main", {"btc", "eth"})
    (details,) = desk.call("private/get_subaccounts_details", currency="BTC", with_open_orders=True)
    assert (details["uid"], len(details["positions"]), len(details["open_orders"])) == (row["id"], 1, 1)
    assert [lock["enabled"] for lock in desk.call("private/get_user_locks")] == [False, False]
