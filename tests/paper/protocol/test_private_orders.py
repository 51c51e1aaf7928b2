"""Orders as a client asks for them and hears of them: every sort, changed, ended and looked for again."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain import DAY_NS, NS
from tests.paper.client import LOGIN, PERPETUAL, get
from tests.paper.desk import TWO, Desk

ETHER = "ETH-PERPETUAL"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def place(desk: Desk, side: str = "buy", **more: Any) -> dict[str, Any]:
    wanted = {"instrument_name": PERPETUAL, "amount": 10.0, "post_only": False} | more
    order: dict[str, Any] = desk.call(f"private/{side}", **wanted)["order"]
    return order


def tell(desk: Desk, index: float) -> None:
    """Move the BTC index, and with it every mark."""
    marks = desk.exchange.marks
    marks.tell(desk.venue.now, index, dict.fromkeys(marks.forwards, index), marks.iv[marks.options])
    desk.wait(1.1)


def test_a_stop_waits_and_then_enters(desk: Desk) -> None:
    waiting = place(desk, type="stop_limit", price=101_000.0, trigger_price=100_500.0, trigger="index_price")
    assert (waiting["order_state"], waiting["order_type"], waiting["price"]) == ("untriggered", "stop_limit", 101_000.0)
    assert (waiting["trigger"], waiting["trigger_price"], waiting["triggered"]) == ("index_price", 100_500.0, False)
    assert desk.call("private/get_open_orders_by_instrument", instrument_name=PERPETUAL, type="stop_all") == [waiting]
    assert desk.call("private/get_open_orders_by_instrument", instrument_name=PERPETUAL, type="limit") == []
    tell(desk, 100_600.0)
    (entered,) = desk.call("private/get_open_orders")
    assert (entered["order_type"], entered["trigger_order_id"]) == ("limit", waiting["order_id"])
    (told,) = desk.call("private/get_trigger_order_history", currency="BTC")["entries"]
    assert (told["trigger_order_id"], told["order_id"]) == (waiting["order_id"], entered["order_id"])
    assert desk.call("private/get_order_state", order_id=waiting["order_id"])["order_state"] == "triggered"


def test_a_trailing_stop_says_where_it_stands(desk: Desk) -> None:
    order = place(desk, "sell", type="trailing_stop", trigger_offset=500.0, trigger="mark_price")
    assert (order["price"], order["trigger_offset"]) == ("market_price", 500.0)
    assert order["trigger_reference_price"] - order["trigger_price"] == pytest.approx(500.0)
    tell(desk, 101_000.0)
    (moved,) = desk.call("private/get_open_orders")
    assert moved["trigger_price"] > order["trigger_price"]
    assert desk.call("private/cancel_all_by_currency", currency="BTC", type="trailing_stop") == 1


def test_an_iceberg_shows_a_part(desk: Desk) -> None:
    order = place(desk, amount=20_000.0, display_amount=1_000.0, price=99_000.0)
    assert (order["amount"], order["display_amount"], order["refresh_amount"]) == (20_000.0, 1_000.0, 1_000.0)
    book = desk.call("public/get_order_book", instrument_name=PERPETUAL)
    assert book["bids"] == [[99_000.0, 1_000.0]]
    desk.other.call("private/sell", instrument_name=PERPETUAL, amount=400.0, price=99_000.0, post_only=False)
    left = desk.call("private/get_order_state", order_id=order["order_id"])
    assert (left["filled_amount"], left["refresh_amount"]) == (400.0, 600.0)


def test_an_order_at_an_iv_follows_the_forward(desk: Desk) -> None:
    order = place(desk, instrument_name=desk.option, amount=1.0, price=40.0, advanced="implv")
    assert (order["advanced"], order["implv"]) == ("implv", 40.0)
    assert 0.0 < order["price"] < desk.mark(desk.option)
    tell(desk, 101_000.0)
    (moved,) = desk.call("private/get_open_orders")
    assert (moved["order_id"], moved["implv"], moved["auto_replaced"]) == (order["order_id"], 40.0, True)
    assert moved["price"] != order["price"]
    changed = desk.call("private/edit", order_id=order["order_id"], amount=1.0, price=45.0, post_only=False)["order"]
    assert (changed["implv"], changed["replaced"]) == (45.0, True)


@pytest.mark.parametrize("sort", ["stop_market", "take_market", "stop_limit"])
def test_a_trigger_order_that_only_takes_is_edited_without_a_word_on_post_only(desk: Desk, sort: str) -> None:
    side = "sell" if sort == "take_market" else "buy"
    more = {"price": 102_000.0, "time_in_force": "immediate_or_cancel"} if sort == "stop_limit" else {}
    order = place(desk, side, type=sort, trigger="mark_price", trigger_price=102_000.0, **more)
    edited = desk.call("private/edit", order_id=order["order_id"], trigger_price=103_000.0)["order"]
    assert (edited["trigger_price"], edited["post_only"]) == (103_000.0, False)


def test_an_order_is_edited_by_its_label(desk: Desk) -> None:
    order = desk.rest(label="one")
    wanted = {"instrument_name": PERPETUAL, "label": "one", "amount": 30.0, "price": 98_000.0}
    edited = desk.call("private/edit_by_label", **wanted)["order"]
    assert (edited["order_id"], edited["amount"], edited["price"]) == (order["order_id"], 30.0, 98_000.0)
    desk.rest(label="one")
    assert desk.refused("private/edit_by_label", **wanted) == 11029


def test_what_is_not_said_in_an_edit_stays(desk: Desk) -> None:
    order = place(desk, price=99_000.0, mmp=False, display_amount=None, amount=50.0)
    moved = desk.call("private/edit", order_id=order["order_id"], price=98_000.0)["order"]
    assert (moved["amount"], moved["price"], moved["reduce_only"]) == (50.0, 98_000.0, False)
    smaller = desk.call("private/edit", order_id=order["order_id"], contracts=2)["order"]
    assert (smaller["amount"], smaller["contracts"], smaller["price"]) == (20.0, 2.0, 98_000.0)


@pytest.mark.parametrize(("kind", "price"), [("market", None), ("limit", 99_000.0)])
def test_a_position_is_closed(desk: Desk, kind: str, price: float | None) -> None:
    desk.trade(amount=100.0)
    desk.other.buy(100.0, 99_000.0)
    done = desk.call("private/close_position", instrument_name=PERPETUAL, type=kind, price=price)
    assert (done["order"]["order_state"], done["order"]["reduce_only"]) == ("filled", True)
    assert desk.call("private/get_positions", currency="BTC") == []


def test_an_order_of_the_day_ends_at_eight(desk: Desk) -> None:
    order = place(desk, price=99_000.0, time_in_force="good_til_day")
    assert order["time_in_force"] == "good_til_day"
    eight = (desk.venue.now // DAY_NS + 1) * DAY_NS + 8 * 3600 * NS
    desk.exchange.reprice(eight - NS)
    assert desk.call("private/get_open_orders") == [order]
    desk.exchange.reprice(eight)
    assert desk.call("private/get_open_orders") == []


def test_self_trades_are_prevented_as_the_account_chose(desk: Desk) -> None:
    desk.rest("sell", ticks=2)
    assert desk.refused("private/buy", instrument_name=PERPETUAL, amount=10, price=100_500.0, post_only=False) == 10003
    desk.call("private/set_self_trading_config", mode="cancel_maker", extended_to_subaccounts=False)
    assert desk.call("private/get_account_summaries")["self_trading_reject_mode"] == "cancel_maker"
    order = place(desk, price=100_500.0)
    assert [row["order_id"] for row in desk.call("private/get_open_orders")] == [order["order_id"]]


@pytest.mark.parametrize(
    ("method", "params", "count"),
    [
        ("cancel_all", {}, 3),
        ("cancel_all_by_currency", {"currency": "ETH"}, 1),
        ("cancel_all_by_currency", {"currency": "BTC", "type": "limit"}, 1),
        ("cancel_all_by_currency_pair", {"currency_pair": "eth_usd"}, 1),
        ("cancel_all_by_instrument", {"instrument_name": PERPETUAL, "type": "stop"}, 1),
        ("cancel_all_by_kind_or_type", {"currency": "any", "kind": "option"}, 0),
        ("cancel_all_by_kind_or_type", {"currency": ["BTC", "ETH"], "kind": "future"}, 3),
        ("cancel_all_by_kind_or_type", {"currency": "any", "type": "trigger_all"}, 1),
        ("cancel_by_label", {"label": "x"}, 2),
        ("cancel_by_label", {"label": "x", "currency": "ETH"}, 1),
    ],
)
def test_cancelling_in_every_way(desk: Desk, method: str, params: dict[str, Any], count: int) -> None:
    """Of two limit orders, one a coin, and a stop."""
    for name in (PERPETUAL, ETHER):
        desk.rest(name=name, label="x")
    place(desk, "sell", type="stop_market", trigger_price=99_000.0, trigger="mark_price", price=None)
    assert desk.call(f"private/{method}", **params) == count
    assert len(desk.call("private/get_open_orders")) == 3 - count


def test_cancelled_orders_in_detail(desk: Desk) -> None:
    desk.rest()
    desk.rest(name=ETHER)
    told = desk.call("private/cancel_all", detailed=True)
    assert [(row["instrument_name"], row["type"], row["currency"], len(row["result"])) for row in told] == [
        (PERPETUAL, "limit", "BTC", 1), (ETHER, "limit", "ETH", 1)]  # fmt: skip


def test_histories_page_and_filter(desk: Desk) -> None:
    for _ in range(3):
        desk.trade(amount=10.0)
    gone = desk.rest()
    desk.call("private/cancel", order_id=gone["order_id"])
    history = "private/get_order_history_by_currency"
    assert [row["order_state"] for row in desk.call(history, currency="BTC")] == ["filled"] * 3
    everything = desk.call(history, currency="BTC", include_unfilled=True)
    assert everything[0]["order_id"] == gone["order_id"]
    assert desk.call(history, currency="BTC", count=2, offset=1) == everything[2:4]
    first = desk.call(history, currency="BTC", count=2, with_continuation=True)
    rest = desk.call(history, currency="BTC", with_continuation=True, continuation=first["continuation"])
    assert (first["orders"] + rest["orders"], rest["continuation"]) == (everything[1:], "none")
    desk.wait(31 * 60.0)
    desk.call("public/auth", **LOGIN)  # tokens last a quarter of an hour
    assert desk.call(history, currency="BTC", include_unfilled=True) == everything[1:]
    assert desk.call(history, currency="BTC", include_unfilled=True, include_old=True) == everything
    assert desk.call(history, currency="ETH") == []


def test_trades_page_and_filter(desk: Desk) -> None:
    made = [desk.trade(amount=10.0)["trades"][0] for _ in range(3)]
    desk.trade(name=ETHER)
    mine = "private/get_user_trades_by_currency"
    assert desk.call(mine, currency="BTC")["trades"] == made[::-1]
    page = desk.call(mine, currency="BTC", count=2, sorting="asc")
    assert (page["trades"], page["has_more"]) == (made[:2], True)
    assert desk.call(mine, currency="BTC", start_id=made[1]["trade_id"])["trades"] == made[1:]
    assert desk.call(mine, currency="BTC", kind="option")["trades"] == []
    by_seq = {"instrument_name": PERPETUAL, "start_seq": 2, "end_seq": 2}
    assert desk.call("private/get_user_trades_by_instrument", **by_seq)["trades"] == [made[1]]
    late = {"currency": "BTC", "start_timestamp": desk.venue.now // 1_000_000 + 1}
    assert desk.call("private/get_user_trades_by_currency_and_time", **late)["trades"] == []
    (ether,) = desk.call(mine, currency="ETH")["trades"]
    assert (ether["trade_id"][:4], ether["fee_currency"]) == ("ETH-", "ETH")


def test_lists_come_as_json_texts_by_get(desk: Desk) -> None:
    ids = [desk.rest()["order_id"], desk.rest(name=ETHER)["order_id"]]
    told = get(desk.venue, "private/get_order_margin_by_ids", {"ids": ids})[1]["result"]
    assert [row["order_id"] for row in told] == ids
    many = {"currency": ["BTC"], "kind": "future"}
    assert get(desk.venue, "private/cancel_all_by_kind_or_type", many)[1]["result"] == 1
    assert get(desk.venue, "private/get_order_margin_by_ids", {"ids": "[1"})[1]["error"]["code"] == -32602


def test_orders_by_http_are_nobodys_line(desk: Desk) -> None:
    """What came by HTTP stays when a line with cancel-on-disconnect goes."""
    desk.call("private/enable_cancel_on_disconnect", scope="connection")
    order = {"instrument_name": PERPETUAL, "amount": 10.0, "price": 99_000.0, "label": "http"}
    assert get(desk.venue, "private/buy", order)[0] == 200
    desk.rest(label="line")
    desk.venue.drop(desk.line, desk.venue.now + NS)
    left = [order.label for order in desk.exchange.working(desk.venue.accounts["paper"])]
    assert (left, TWO.crowd) == (["http"], None)
