"""The list of published methods: each is served, and then held against its schema, or answers that there is none."""

from __future__ import annotations

from engine.market.deribit.methods import METHODS
from engine.market.deribit.rest import HttpRequest
from tests.paper.desk import Desk
from tests.paper.published import Interface, faults

UNPUBLISHED = {"public/get_index"}  # older than the published file; clients still call it


def test_every_served_method_is_published(interface: Interface) -> None:
    assert set(METHODS) - set(interface.paths) == UNPUBLISHED


def test_a_published_method_that_is_not_served_says_so(interface: Interface) -> None:
    """Of all 174, by websocket and by HTTP, whatever its params."""
    desk = Desk()
    assert len(interface.paths) == 174
    for method in sorted(set(interface.paths) - set(METHODS)):
        assert desk.refused(method, currency="BTC", instrument_name="BTC-PERPETUAL") == -32601, method
        status, body = desk.venue.http(HttpRequest("GET", f"/api/v2/{method}"), desk.venue.now)
        assert (status, b'"code":-32601' in body) == (404, True), method


def test_the_checker_finds_what_is_wrong() -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "string", "enum": ["x"]}}},
    }
    assert faults({}, schema, {"a": 1, "b": ["x"]}) == []
    assert faults({}, schema, {"a": 1.0, "b": ["y", 2]}) == [
        ".a: 1.0 is not integer",
        ".b: 'y' is not among ['x']",
        ".b: 2 is not string",
    ]
    assert faults({}, schema, {}) == [".a is missing"]
