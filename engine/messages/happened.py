"""What every fact says of itself: its own number, a time and the number of the input that caused it."""

from __future__ import annotations

import msgspec


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
    n: int = 0
    t: int = 0
    cause: int = 0
