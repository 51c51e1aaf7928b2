"""The venue's published interface as a checker: is this call, is this value, what it says it should be?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class Spec:
    def __init__(self, folder: Path) -> None:
        self._api = json.loads((folder / "deribit_openapi.json").read_text("utf-8"))
        self.schemas: dict[str, Any] = self._api["components"]["schemas"]

    def params(self, method: str) -> dict[str, dict[str, Any]]:
        """The params of a method: name → schema, with "required" in it."""
        given = self._api["paths"][f"/{method}"]["get"].get("parameters", [])
        return {p["name"]: {**self.resolve(p["schema"]), "required": p.get("required", False)} for p in given}

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.schemas.get(schema["$ref"].split("/")[-1], {})
        return schema

    def call_problems(self, method: str, params: dict[str, Any]) -> list[str]:
        """What is wrong with a call; empty if nothing is."""
        if f"/{method}" not in self._api["paths"]:
            return [f"{method} is not published"]
        known = self.params(method)
        lacking = [f"{name} is missing" for name, schema in known.items() if schema["required"] and name not in params]
        unknown = [f"{name} is not published" for name in params if name not in known]
        wrong = [p for name, v in params.items() if name in known for p in self.problems(known[name], v, name)]
        return lacking + unknown + wrong

    def problems(self, schema: dict[str, Any], value: Any, at: str) -> list[str]:
        """Where a value differs from its schema: types, enumerations, required fields, all the way down."""
        schema = self.resolve(schema)
        kind = schema.get("type", "")
        if kind in _TYPES and not _is(value, kind):
            return [f"{at}: {value!r} is no {kind}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{at}: {value!r} is none of {schema['enum']}"]
        if isinstance(value, list) and "items" in schema:
            return [p for n, item in enumerate(value) for p in self.problems(schema["items"], item, f"{at}[{n}]")]
        if isinstance(value, dict):
            required = schema.get("required", [])
            fields = schema.get("properties", {})
            out = [f"{at}.{name} is missing" for name in (required if isinstance(required, list) else [])
                   if name not in value]  # fmt: skip
            return out + [p for n, v in value.items() if n in fields for p in self.problems(fields[n], v, f"{at}.{n}")]
        return []


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])
