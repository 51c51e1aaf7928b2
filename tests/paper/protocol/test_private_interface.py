"""Every private call and user channel: requests as published are accepted, answers and pushes have all they must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from engine.domain import MS
from engine.market.deribit.methods.private import PRIVATE
from tests.paper import published
from tests.paper.client import PERPETUAL
from tests.paper.desk import MIDDLE, Desk
from tests.paper.published import Example, Interface, answer_faults, example
from tests.paper.small import START

ALL_TIME = {"start_timestamp": START // MS - 1000, "end_timestamp": START // MS + 10**9}
Made = Callable[[Desk], dict[str, Any]]
SILENT = {"private/logout"}  # is not answered

published.ELSEWHERE |= {
    "continuation": "of the transaction log: null at its end, as its schema's name says",
    "self_trading_extended_to_subaccounts": "answers have a boolean, and clients want one; published: a string",
    "order_type": "take_limit and take_market are among the params; published of an order: stops only",
}
_TRADES = {"type": "array", "items": {"$ref": "#/components/schemas/user_trade"}}
_SETTLEMENTS = {"type": "array", "items": {"$ref": "#/components/schemas/settlement"}}
_SETTLED = {
    "type": "object", "required": ["settlements", "continuation"],
    "properties": {"settlements": _SETTLEMENTS, "continuation": {"type": "string"}},
}  # fmt: skip
published.SHAPES |= {
    "private/get_user_trades_by_order": _TRADES,  # published: nothing
    "private/get_settlement_history_by_currency": _SETTLED,  # published: a list of strings with fields
    "private/get_settlement_history_by_instrument": _SETTLED,
}
published.EMPTY |= {
    "private/get_new_announcements": "there are none",
}


@pytest.fixture(autouse=True)
def corrected(interface: Interface) -> None:
    """A trade's two flags are published as strings, an order's as booleans; recordings have booleans in both."""
    for name in ("reduce_only", "post_only"):
        interface.schemas["user_trade"]["properties"][name] = {"type": "boolean"}


def private(*methods: str) -> Callable[[Made], Made]:
    """Register an example that is made at a `Desk`."""

    def register(make: Made) -> Made:
        example(*(f"private/{method}" for method in methods))(cast(Example, make))
        return make

    return register


@private("buy", "sell")
def _order(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "amount": 10.0, "price": MIDDLE, "label": "a"}


@private("buy")
def _taker(desk: Desk) -> dict[str, Any]:
    desk.other.call("private/sell", instrument_name=desk.option, amount=2.0, price=desk.near(desk.option, 0))
    return {"instrument_name": desk.option, "amount": 1.0, "type": "market", "reduce_only": False}


@private("buy")
def _stop(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "amount": 10.0, "type": "stop_limit", "price": 101_000.0,
            "trigger_price": 100_900.0, "trigger": "mark_price"}  # fmt: skip


@private("sell")
def _trailing(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "amount": 10.0, "type": "trailing_stop", "trigger_offset": 500.0,
            "trigger": "index_price", "time_in_force": "good_til_cancelled"}  # fmt: skip


@private("sell")
def _take(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "amount": 10.0, "type": "take_market", "trigger_price": 100_900.0,
            "trigger": "last_price"}  # fmt: skip


@private("buy")
def _iceberg(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "amount": 20_000.0, "display_amount": 1_000.0, "price": 99_000.0}


@private("sell")
def _at_an_iv(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": desk.option, "amount": 1.0, "price": 80.0, "advanced": "implv", "post_only": False,
            "time_in_force": "good_til_day", "mmp": False}  # fmt: skip


@private("edit")
def _edit(desk: Desk) -> dict[str, Any]:
    return {"order_id": desk.rest()["order_id"], "amount": 20.0, "price": 99_000.0}


@private("edit")
def _edit_trigger(desk: Desk) -> dict[str, Any]:
    order = desk.call("private/buy", **_stop(desk))["order"]
    return {"order_id": order["order_id"], "amount": 20.0, "price": 101_500.0, "trigger_price": 101_000.0}


@private("edit_by_label")
def _edit_by_label(desk: Desk) -> dict[str, Any]:
    desk.rest(label="one")
    return {"instrument_name": PERPETUAL, "label": "one", "amount": 20.0, "price": 99_000.0}


@private("cancel", "get_order_state")
def _by_id(desk: Desk) -> dict[str, Any]:
    return {"order_id": desk.rest()["order_id"]}


@private("cancel_all")
def _many(desk: Desk) -> dict[str, Any]:
    desk.rest()
    return {}


@private("cancel_all_by_currency")
def _many_of_a_coin(desk: Desk) -> dict[str, Any]:
    desk.rest(name="ETH-PERPETUAL")
    return {"currency": "ETH", "kind": "future", "type": "limit"}


@private("cancel_all_by_kind_or_type")
def _many_of_a_kind(desk: Desk) -> dict[str, Any]:
    desk.rest()
    return {"currency": "any", "kind": "any", "type": "all"}


@private("cancel_all_by_currency_pair")
def _many_of_a_pair(desk: Desk) -> dict[str, Any]:
    desk.rest()
    return {"currency_pair": "btc_usd"}


@private("cancel_all_by_instrument", "get_open_orders_by_instrument")
def _many_of_an_instrument(desk: Desk) -> dict[str, Any]:
    desk.rest()
    return {"instrument_name": PERPETUAL, "type": "all"}


@private("cancel_by_label", "get_open_orders_by_label", "get_order_state_by_label")
def _by_label(desk: Desk) -> dict[str, Any]:
    desk.rest(label="one")
    return {"currency": "BTC", "label": "one"}


@private("close_position")
def _close(desk: Desk) -> dict[str, Any]:
    desk.trade()
    desk.other.buy(100.0, desk.near(PERPETUAL, -2))
    return {"instrument_name": PERPETUAL, "type": "market"}


@private("get_open_orders")
def _working_all(desk: Desk) -> dict[str, Any]:
    _working(desk)
    return {"kind": "future", "type": "all"}


@private("get_open_orders_by_currency")
def _working(desk: Desk) -> dict[str, Any]:
    desk.rest()
    desk.call("private/buy", **_stop(desk))
    desk.call("private/sell", **_at_an_iv(desk))
    return {"currency": "BTC"}


@private("get_order_history_by_currency", "get_user_trades_by_currency")
def _done(desk: Desk) -> dict[str, Any]:
    desk.trade()
    desk.trade("sell", desk.option)
    return {"currency": "BTC", "kind": "any", "count": 5}


@private("get_order_history_by_instrument", "get_user_trades_by_instrument")
def _done_there(desk: Desk) -> dict[str, Any]:
    desk.trade()
    return {"instrument_name": PERPETUAL, "count": 5}


@private("get_user_trades_by_currency_and_time")
def _done_then(desk: Desk) -> dict[str, Any]:
    desk.trade()
    return {"currency": "BTC", "sorting": "asc", **ALL_TIME}


@private("get_user_trades_by_instrument_and_time")
def _done_there_then(desk: Desk) -> dict[str, Any]:
    desk.trade(name="ETH-PERPETUAL")
    return {"instrument_name": "ETH-PERPETUAL", **ALL_TIME}


@private("get_user_trades_by_order")
def _done_by(desk: Desk) -> dict[str, Any]:
    return {"order_id": desk.trade()["order"]["order_id"]}


@private("get_trigger_order_history")
def _waited(desk: Desk) -> dict[str, Any]:
    desk.call("private/sell", **_trailing(desk))
    order = desk.call("private/buy", **_stop(desk))["order"]
    desk.call("private/cancel", order_id=order["order_id"])
    return {"currency": "BTC", "count": 10}


@private("get_order_margin_by_ids")
def _bound(desk: Desk) -> dict[str, Any]:
    return {"ids": [desk.rest()["order_id"], desk.rest(name="ETH-PERPETUAL")["order_id"]]}


@private("get_margins")
def _asked(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": desk.option, "amount": 1.0, "price": desk.near(desk.option, 0)}


@private("get_positions")
def _held(desk: Desk) -> dict[str, Any]:
    desk.trade()
    desk.trade("sell", desk.option)
    desk.trade(name="ETH-PERPETUAL")
    return {"currency": "any"}


@private("get_position")
def _held_there(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": desk.option}


@private("get_account_summary")
def _worth(desk: Desk) -> dict[str, Any]:
    _held(desk)
    return {"currency": "BTC", "extended": True}


@private("get_account_summaries")
def _worth_all(desk: Desk) -> dict[str, Any]:
    _held(desk)
    return {"extended": True}


@private("get_transaction_log")
def _booked(desk: Desk) -> dict[str, Any]:
    desk.trade()
    return {"currency": "BTC", "count": 10, **ALL_TIME}


@private("get_settlement_history_by_currency")
def _settled(desk: Desk) -> dict[str, Any]:
    return {"currency": "BTC", "count": 10}


@private("get_settlement_history_by_instrument")
def _settled_there(desk: Desk) -> dict[str, Any]:
    return {"instrument_name": PERPETUAL, "type": "settlement"}


@private("set_mmp_config")
def _protect(desk: Desk) -> dict[str, Any]:
    return {"index_name": "btc_usd", "interval": 5, "frozen_time": 30, "quantity_limit": 3.0, "delta_limit": 2.0}


@private("get_mmp_config")
def _protected(desk: Desk) -> dict[str, Any]:
    desk.call("private/set_mmp_config", **_protect(desk))
    return {"index_name": "btc_usd"}


@private("reset_mmp", "get_mmp_status")
def _frozen(desk: Desk) -> dict[str, Any]:
    desk.call("private/set_mmp_config", **_protect(desk))
    price = desk.near(desk.option, 0)
    desk.call("private/buy", instrument_name=desk.option, amount=3.0, price=price, mmp=True)
    desk.other.call("private/sell", instrument_name=desk.option, amount=3.0, price=price, post_only=False)
    return {"index_name": "btc_usd"}


@private("simulate_portfolio")
def _supposed(desk: Desk) -> dict[str, Any]:
    return {"currency": "BTC", "add_positions": True}


@private("set_self_trading_config")
def _self(desk: Desk) -> dict[str, Any]:
    return {"mode": "cancel_maker", "extended_to_subaccounts": False}


@private("get_deposits", "get_withdrawals", "get_transfers")
def _moved(desk: Desk) -> dict[str, Any]:
    return {"currency": "BTC", "count": 10, "offset": 0}


@private("get_subaccounts")
def _subaccounts(desk: Desk) -> dict[str, Any]:
    return {"with_portfolio": True}


@private("get_subaccounts_details")
def _subaccount(desk: Desk) -> dict[str, Any]:
    _working(desk)
    desk.trade()
    return {"currency": "BTC", "with_open_orders": True}


@private("get_access_log")
def _log(desk: Desk) -> dict[str, Any]:
    return {"offset": 0, "count": 10}


@private("get_user_locks", "get_new_announcements", "unsubscribe_all")
def _bare(desk: Desk) -> dict[str, Any]:
    return {}


@private("enable_cancel_on_disconnect", "disable_cancel_on_disconnect", "get_cancel_on_disconnect")
def _scope(desk: Desk) -> dict[str, Any]:
    return {"scope": "account"}


@private("subscribe")
def _subscribe(desk: Desk) -> dict[str, Any]:
    return {"channels": ["user.orders.any.any.raw"]}


@private("unsubscribe")
def _unsubscribe(desk: Desk) -> dict[str, Any]:
    desk.call("private/subscribe", **_subscribe(desk))
    return _subscribe(desk)


def test_every_private_call_has_an_example() -> None:
    assert set(PRIVATE) - SILENT - published.EXAMPLES.keys() == set()


@pytest.mark.parametrize("method", sorted(set(PRIVATE) - SILENT))
def test_a_call_is_as_published(interface: Interface, method: str) -> None:
    found = [fault for make in published.EXAMPLES[method] for fault in answer_faults(interface, Desk(), method, make)]
    assert found == []
