"""The venue's published interface as a checker, and one example of each call that is served.

A test module registers its examples with `example`; `answer_faults` makes a call as an example says and tells where
the request, the answer, or what the venue pushed is not as published. Schemas that the published file has wrong or
not at all stand in `SHAPES`, what its schemas have wrong of a field in `ELSEWHERE`, each with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import msgspec

from tests.paper.client import Client

Schema = dict[str, Any]
Example = Callable[[Client], dict[str, Any]]

KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}

# Fields whose published schema is wrong. Recordings are believed, then what the interface's own prose says.
ELSEWHERE: dict[str, str] = {
    "quote_currency": "an option's is its coin today; published, and in the recordings of 2021: USD",
    "settlement_period": "recordings have day, and so have dailies today; published: month, week, perpetual",
    "tick_size_steps": "a list of steps; published: one step",
    "contract_size": "recordings have 1.0 and 10.0; published: an integer",
    "price_change": "null before the first trade",
    "high": "null before the first trade",
    "low": "null before the first trade",
    "last": "null before the first trade",
}

# Whole results that the published file has wrong or empty; by method.
SHAPES: dict[str, Schema] = {}

EXAMPLES: dict[str, list[Example]] = {}


def example(*methods: str) -> Callable[[Example], Example]:
    """Register: the function does what has to be done before, and returns the params."""

    def register(make: Example) -> Example:
        for method in methods:
            EXAMPLES.setdefault(method, []).append(make)
        return make

    return register


class Interface:
    """The published file: methods, their params, their results."""

    def __init__(self, folder: Path) -> None:
        api = json.loads((folder / "deribit_openapi.json").read_text("utf-8"))
        self.paths: dict[str, Any] = {path.removeprefix("/"): what["get"] for path, what in api["paths"].items()}
        self.schemas: dict[str, Schema] = api["components"]["schemas"]
        self.responses: dict[str, Any] = api["components"]["responses"]
        channels = json.loads((folder / "deribit_asyncapi.json").read_text("utf-8"))["channels"]
        self.channels: dict[str, Any] = channels

    def call_faults(self, method: str, params: dict[str, Any]) -> list[str]:
        """Where a call is not one that the published interface allows."""
        known = {p["name"]: p for p in self.paths[method].get("parameters", [])}
        body = self.paths[method].get("requestBody", {}).get("content", {}).get("application/json", {})
        known |= {name: {"schema": s} for name, s in body.get("schema", {}).get("properties", {}).items()}
        found = [f"{method}: {name} is not published" for name in params if name not in known]
        for name, value in params.items():
            if name in known:
                found += faults(self.schemas, known[name]["schema"], value, f"{method}({name})")
        return found

    def result(self, method: str) -> Schema:
        """Of the `result` of a method's answer."""
        if method in SHAPES:
            return SHAPES[method]
        ref = self.paths[method]["responses"]["200"]["$ref"].rsplit("/", 1)[-1]
        schema = self.responses[ref]["content"]["application/json"]["schema"]
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[-1]]
        found: Schema = schema["properties"]["result"]
        return found


def faults(schemas: dict[str, Schema], schema: Schema, value: Any, where: str = "") -> list[str]:
    """Where `value` is not what the schema says: types, words, required fields, all the way down."""
    if "$ref" in schema:
        return faults(schemas, schemas.get(schema["$ref"].rsplit("/", 1)[-1], {}), value, where)
    if where.rsplit(".", 1)[-1] in ELSEWHERE or (value is None and schema.get("nullable")):
        return []
    kind = schema.get("type")
    if kind in KINDS and not KINDS[kind](value):
        return [f"{where}: {value!r} is not {kind}"]
    if "enum" in schema and str(value) not in map(str, schema["enum"]):
        return [f"{where}: {value!r} is not among {schema['enum']}"]
    if isinstance(value, list):
        return [fault for row in value for fault in faults(schemas, schema.get("items", {}), row, where)]
    if not isinstance(value, dict):
        return []
    required = schema.get("required", [])
    found = [f"{where}.{name} is missing" for name in required if name not in value]
    if schema.get("additionalProperties") is False:
        found += [f"{where}.{name} is not published" for name in value if name not in schema["properties"]]
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            found += faults(schemas, inner, value[name], f"{where}.{name}")
    return found


def answer_faults(
    interface: Interface, client: Client, method: str, make: Example, unpublished: AbstractSet[str] = frozenset()
) -> list[str]:
    """Make one call; where request or answer are not as published. An empty list or object as a result is a fault
    too, unless the method is in `EMPTY`: it would show nothing."""
    params = make(client)
    found = [] if method in unpublished else interface.call_faults(method, params)
    reply = client.ask(method, **params)
    if reply.error is not None or reply.result is None:
        return [*found, f"{method}: refused with {reply.error}"]
    result = msgspec.json.decode(reply.result)
    if result in ([], {}) and method not in EMPTY:
        found.append(f"{method}: an empty result shows nothing")
    return found + faults(interface.schemas, interface.result(method), result, method)


# Methods whose honest answer here is empty, with the reason.
EMPTY: dict[str, str] = {}
