"""The table of calls against the published interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.market.deribit.methods import METHODS
from tests.market.spec import Spec

# published as required, but only by some of the grants, or in practice not at all
LENIENT = {
    ("public/auth", "client_id"),
    ("public/auth", "client_secret"),
    ("public/auth", "refresh_token"),
    ("public/auth", "timestamp"),
    ("public/auth", "signature"),
    ("public/get_instruments", "currency"),
    ("public/get_last_trades_by_instrument_and_time", "end_timestamp"),
    ("public/get_last_trades_by_currency_and_time", "end_timestamp"),
    ("private/get_user_trades_by_instrument_and_time", "end_timestamp"),
    ("private/get_user_trades_by_currency_and_time", "end_timestamp"),
}
UNSERVED = {"otoco_config"}  # orders that are linked

# a call of each kind that the desk or a client makes
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("public/hello", {"client_name": "tidegate", "client_version": "1"}),
    ("public/set_heartbeat", {"interval": 10}),
    ("public/test", {}),
    ("public/get_instruments", {"currency": "BTC", "expired": False}),
    ("public/subscribe", {"channels": ["book.BTC-PERPETUAL.100ms"]}),
    ("private/subscribe", {"channels": ["user.changes.any.any.raw"]}),
    ("private/buy", {"instrument_name": "BTC-PERPETUAL", "amount": 10.0, "type": "limit", "price": 50000.5,
                     "label": "c1", "time_in_force": "immediate_or_cancel", "post_only": False,
                     "valid_until": 1_770_000_000_000}),
    ("private/sell", {"instrument_name": "BTC-PERPETUAL", "amount": 10.0, "type": "market"}),
    ("private/edit", {"order_id": "1", "amount": 5.0, "price": 50000.0, "post_only": True}),
    ("private/cancel", {"order_id": "1"}),
    ("private/cancel_all", {}),
    ("private/cancel_by_label", {"label": "c1", "currency": "BTC"}),
    ("private/get_order_state_by_label", {"currency": "BTC", "label": "c1"}),
    ("private/get_open_orders_by_currency", {"currency": "BTC"}),
    ("private/get_user_trades_by_currency", {"currency": "BTC", "count": 1000, "sorting": "desc"}),
    ("private/get_positions", {"currency": "BTC"}),
    ("private/get_account_summary", {"currency": "BTC", "extended": True}),
    ("private/enable_cancel_on_disconnect", {"scope": "connection"}),
]  # fmt: skip


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"public/get_index"}))  # older than what is published
def test_params_are_the_published_ones(shared_spec: Path, method: str) -> None:
    ours = {field.name: field for field in msgspec.structs.fields(METHODS[method])}
    for name, schema in Spec(shared_spec).params(method).items():
        if name in UNSERVED and name not in ours:
            continue
        assert name in ours, f"{method} lacks {name}"
        if schema["required"] and (method, name) not in LENIENT:
            assert ours[name].required, f"{method} does not insist on {name}"
        else:
            assert not ours[name].required, f"{method} insists on {name}"
        for choice in schema.get("enum", []):
            if name != "index_name":
                wanted = str(choice) if schema.get("type") == "string" else choice  # some are numbers in quotes
                assert msgspec.convert(wanted, ours[name].type) == wanted


@pytest.mark.parametrize(("method", "params"), CALLS, ids=[method for method, _ in CALLS])
def test_calls_are_as_published_and_are_understood(shared_spec: Path, method: str, params: dict[str, Any]) -> None:
    assert Spec(shared_spec).call_problems(method, params) == []
    read = msgspec.convert(params, METHODS[method])
    assert {name: value for name, value in msgspec.structs.asdict(read).items() if name in params} == params


def test_the_checker_finds_what_is_wrong(shared_spec: Path) -> None:
    spec = Spec(shared_spec)
    assert spec.call_problems("private/nonsense", {}) == ["private/nonsense is not published"]
    assert spec.call_problems("private/cancel", {}) == ["order_id is missing"]
    assert spec.call_problems("private/cancel", {"order_id": 3}) == ["order_id: 3 is no string"]
    assert spec.call_problems("private/sell", {"instrument_name": "X", "time_in_force": "now", "a": 1}) == [
        "a is not published",
        "time_in_force: 'now' is none of ['good_til_cancelled', 'good_til_day', 'fill_or_kill', 'immediate_or_cancel']",
    ]


def test_post_only_is_true_where_nothing_is_said() -> None:
    read = msgspec.convert({"instrument_name": "X"}, METHODS["private/buy"])
    assert msgspec.structs.asdict(read)["post_only"] is True
