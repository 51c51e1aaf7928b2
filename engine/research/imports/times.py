"""Times as recordings write them → ns UTC."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from engine.domain import NS

ISO = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z"
_ISO = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
_UNIT = {13: 1_000_000, 16: 1_000, 19: 1}  # digits of a time of 2001 … 2286 → ns in its unit
LATEST = 4_102_444_800 * NS  # the year 2100
_EPOCH = dt.datetime(1970, 1, 1)


@lru_cache(maxsize=4096)  # rows of one message have the same
def of_count(digits: bytes) -> int | None:
    """A count since 1970 in ms, µs or ns, told by its number of digits; None if it is none of these."""
    unit = _UNIT.get(len(digits))
    return int(digits) * unit if unit and digits.isdigit() and digits[:1] != b"0" else None


def of_iso(text: bytes) -> int | None:
    """`2021-07-22T22:42:03.8043180Z`; None if it is no time."""
    match = _ISO.fullmatch(text)
    seconds = _seconds(match[1]) if match else None
    if match is None or seconds is None:
        return None
    return seconds * NS + int((match[2] or b"").ljust(9, b"0"))


@lru_cache(maxsize=1024)
def _seconds(text: bytes) -> int | None:
    try:
        since = dt.datetime.fromisoformat(text.decode()) - _EPOCH
    except ValueError:
        return None
    return since.days * 86400 + since.seconds if since.days >= 0 else None
