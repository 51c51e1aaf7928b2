"""What only the operator of the venue can do, and what clients see of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.market.deribit.rest import HttpRequest
from tests.paper.client import PERPETUAL, Client
from tests.paper.desk import TWO, Desk
from tests.paper.small import START


@pytest.fixture
def desk() -> Desk:
    return Desk()


def command(desk: Desk, name: str, **body: Any) -> Any:
    """Its answer; fails if it is refused."""
    status, answered = desk.venue.command(name, msgspec.json.encode(body), desk.venue.now)
    assert status == 200, answered
    return msgspec.json.decode(answered)


def refused(desk: Desk, name: str, body: bytes) -> int:
    status, answered = desk.venue.command(name, body, desk.venue.now)
    assert "error" in msgspec.json.decode(answered)
    return status


def test_one_book_is_halted_and_opened(desk: Desk) -> None:
    desk.call("private/subscribe", channels=["instrument.state.any.BTC", f"ticker.{PERPETUAL}.100ms"])
    order = desk.rest()
    command(desk, "state", state="halted", instrument_name=PERPETUAL)
    assert desk.refused("private/buy", instrument_name=PERPETUAL, amount=10, price=99_000.0) != 0
    assert desk.call("public/ticker", instrument_name=PERPETUAL)["state"] == "halted"
    assert desk.rest(name="ETH-PERPETUAL")["order_state"] == "open"
    assert desk.call("public/status") == {"locked": "false", "locked_indices": []}
    command(desk, "state", state="open", instrument_name=PERPETUAL)
    assert desk.call("private/cancel", order_id=order["order_id"])["order_state"] == "cancelled"
    assert [push.data.state for push in desk.pushed if push.family == "state"] == ["halted", "started"]


def test_a_locked_book_takes_cancels_only(desk: Desk) -> None:
    order = desk.rest()
    command(desk, "state", state="locked", kind="future", currency="BTC")
    assert desk.refused("private/buy", instrument_name=PERPETUAL, amount=10, price=99_000.0) != 0
    assert desk.call("private/cancel", order_id=order["order_id"])["order_state"] == "cancelled"
    assert desk.call("public/ticker", instrument_name=desk.option)["state"] == "open"


def test_a_coin_and_then_the_platform_are_locked(desk: Desk) -> None:
    desk.call("public/subscribe", channels=["platform_state"])
    command(desk, "state", state="locked", currency="ETH")
    assert desk.call("public/status") == {"locked": "partial", "locked_indices": ["eth_usd"]}
    command(desk, "state", state="locked")
    assert desk.call("public/status")["locked"] == "true"
    command(desk, "state", state="open")
    assert desk.call("public/status")["locked"] == "false"
    desk.wait(0.0)
    told = [msgspec.json.decode(msgspec.json.encode(push.data)) for push in desk.pushed]
    assert told[0] == {"price_index": "eth_usd", "locked": True}
    assert [row["locked"] for row in told] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("kind", "field"), [("block", "block_trade_id"), ("block_rfq", "block_rfq_id"), ("combo", "combo_id")]
)
def test_a_print_off_the_book_is_marked_as_what_it_is(desk: Desk, kind: str, field: str) -> None:
    desk.call("private/subscribe", channels=[f"trades.{desk.option}.raw"])
    price = desk.near(desk.option, 5)
    did = command(
        desk, "print", instrument_name=desk.option, direction="sell", price=price, amount=25.0, kind=kind, id="7"
    )
    desk.wait(0.0)
    ((trade,),) = [push.data for push in desk.pushed]
    assert (trade.trade_id, trade.price, trade.amount, trade.direction) == (did["trade_id"], price, 25.0, "sell")
    assert str(getattr(trade, field)) == "7"
    kept = desk.call("public/get_last_trades_by_instrument", instrument_name=desk.option)["trades"]
    assert str(kept[0][field]) == "7"
    assert desk.call("public/get_order_book", instrument_name=desk.option)["bids"] == []


def test_announcements_are_told_and_kept(desk: Desk) -> None:
    desk.call("public/subscribe", channels=["announcements"])
    for title in ("one", "two"):
        command(desk, "announce", title=title, body="b", important=True)
    desk.wait(0.0)
    assert len(desk.pushed) == 2
    rows = desk.call("public/get_announcements", count=1)
    assert [(row["title"], row["important"]) for row in rows] == [("two", True)]
    assert desk.call("public/get_announcements", start_timestamp=0) == []


def test_public_calls_may_be_for_those_who_are_known_only(desk: Desk) -> None:
    stranger = Client(desk.venue, login=False)
    stranger.call("public/subscribe", channels=["platform_state.public_methods_state"])
    command(desk, "public_methods", allowed=False)
    assert stranger.refused("public/ticker", instrument_name=PERPETUAL) == 13009
    assert stranger.call("public/test")["version"]
    assert desk.call("public/ticker", instrument_name=PERPETUAL)["instrument_name"] == PERPETUAL
    command(desk, "public_methods", allowed=True)
    assert stranger.call("public/ticker", instrument_name=PERPETUAL)["instrument_name"] == PERPETUAL
    assert len(stranger.pushed) == 2


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("nothing", b"{}", 404), ("state", b"", 400), ("state", b"\xff", 400), ("state", b'{"state":"odd"}', 400),
        ("state", b'{"state":"halted","instrument_name":"X"}', 400), ("state", b'{"state":"halted","why":1}', 400),
        ("print", b'{"instrument_name":"X","direction":"buy","price":1,"amount":1}', 400),
        ("print", b'{"instrument_name":"BTC-PERPETUAL","direction":"buy","price":1.3,"amount":10}', 400),
        ("print", b'{"instrument_name":"BTC-PERPETUAL","direction":"buy","price":0,"amount":10}', 400),
        ("print", b'{"instrument_name":"BTC-PERPETUAL","direction":"buy","price":1e400,"amount":10}', 400),
        ("print", b'{"instrument_name":"BTC-PERPETUAL","direction":"buy","price":1e300,"amount":1e300}', 400),
        ("print", b'{"instrument_name":"BTC-PERPETUAL","direction":"buy","price":1,"amount":10,"kind":"block_rfq",'
                  b'"id":"x"}', 400),
    ],
)  # fmt: skip
def test_a_wrong_command_changes_nothing(desk: Desk, name: str, body: bytes, status: int) -> None:
    before = desk.venue.dump()
    assert refused(desk, name, body) == status
    assert desk.venue.dump() == before


def test_no_client_reaches_the_operators_door(desk: Desk) -> None:
    assert desk.refused("paper/state", state="halted") == -32601
    basic = "Basic cGFwZXI6cGFwZXI="
    status, _ = desk.venue.http(HttpRequest("POST", "/api/v2/paper/state", b'{"state":"halted"}', basic), START)
    assert status == 404
    assert desk.call("public/ticker", instrument_name=PERPETUAL)["state"] == "open"


def test_a_dump_keeps_what_was_commanded(desk: Desk) -> None:
    command(desk, "announce", title="kept")
    command(desk, "public_methods", allowed=False)
    twin = Desk(TWO)
    twin.venue.load(desk.venue.dump())
    assert twin.venue.dump() == desk.venue.dump()
    assert not twin.venue.operator.open_to_all
