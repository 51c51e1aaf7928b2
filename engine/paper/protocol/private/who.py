"""Whose private call it is."""

from __future__ import annotations

import msgspec


class Who(msgspec.Struct, frozen=True):
    """Whose call, when, and by which connection (0 by HTTP)."""

    t: int
    account: int
    session: int = 0
