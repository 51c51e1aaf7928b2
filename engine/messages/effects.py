"""Effects: what a shell performs because of facts. `after` names the fact that must be durable before it leaves;
0 means at once."""

from __future__ import annotations

from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="call"):
    """A request to the venue. `child` names the order it would create; it is looked at once more on release."""

    id: str
    method: str
    params: dict[str, Any]
    after: int = 0
    child: str = ""


class Hangup(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="hangup"):
    """Close the connection and make a new one: the venue says things that cannot be."""

    reason: str


class FetchModel(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="model"):
    """Make a model the champion, an empty id the one before, and come back with a `ModelSwap`."""

    model: str
    by: str


class Mend(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", tag="mend"):
    """Try to keep facts and inputs again; come back with `Mended`, or with `Halted`."""


Effect = Call | Hangup | FetchModel | Mend
