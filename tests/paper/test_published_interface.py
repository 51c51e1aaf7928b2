"""What the venue says has the fields, types and words of the published interface."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.paper.test_venue import PERPETUAL, Client, low

KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
# where the published file and recordings of the venue disagree, the recordings are believed
ELSEWHERE = {
    "quote_currency",  # an option's is the coin
    "settlement_period",  # "day" exists
    "tick_size_steps",  # a list
    "contract_size",  # a float
    "post_only", "reduce_only",  # of a trade: booleans, not strings
    "price_change", "high", "low", "last",  # null before the first trade
}  # fmt: skip


@pytest.fixture(scope="session")
def schemas(shared_spec: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_spec / "deribit_openapi.json").read_text())["components"]["schemas"]
    return found


def faults(schemas: dict[str, Any], schema: dict[str, Any], value: Any, where: str = "") -> list[str]:
    """Where `value` is not what the schema says."""
    if "$ref" in schema:
        return faults(schemas, schemas.get(schema["$ref"].rsplit("/", 1)[-1], {}), value, where)
    if where.rsplit(".", 1)[-1] in ELSEWHERE or (value is None and schema.get("nullable")):
        return []
    kind = schema.get("type")
    if kind in KINDS and not KINDS[kind](value):
        return [f"{where}: {value!r} is not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is not among {schema['enum']}"]
    if isinstance(value, list):
        return [fault for n, row in enumerate(value) for fault in faults(schemas, schema.get("items", {}), row, where)]
    if not isinstance(value, dict):
        return []
    found = [f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value]
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            found += faults(schemas, inner, value[name], f"{where}.{name}")
    return found


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """One of everything, by the name of its schema."""
    client = Client()
    client.wait(2.0)
    taken = client.buy(10.0, type="market")
    return {
        "order": [taken["order"], client.buy(10.0, low(client), label="a")["order"]],
        "user_trade": taken["trades"],
        "position": client.call("private/get_positions", currency="BTC"),
        "instrument": client.call("public/get_instruments", currency="BTC"),
        "public_trade": client.call("public/get_last_trades_by_instrument", instrument_name=PERPETUAL)["trades"],
        "book_summary": client.call("public/get_book_summary_by_currency", currency="BTC"),
        "account": client.call("private/get_account_summary", currency="BTC", extended=True),
    }


@pytest.mark.parametrize("name", ["order", "user_trade", "position", "instrument", "public_trade", "book_summary"])
def test_what_is_said_is_as_published(schemas: dict[str, Any], said: dict[str, Any], name: str) -> None:
    assert said[name]
    assert [fault for row in said[name] for fault in faults(schemas, schemas[name], row, name)] == []


def test_an_account_is_as_published(schemas: dict[str, Any], said: dict[str, Any]) -> None:
    frame = {"jsonrpc": "2.0", "id": 1, "result": said["account"]}
    assert faults(schemas, schemas["PrivateAccountResponse"], frame) == []
