"""All private calls on one coin's exchange, by method.

Names and types of parameters were checked before (`market/deribit/server.py`); here they meet the listing, the grids
and the account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.paper.floor.exchange import Exchange
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.private.limits import LimitCalls
from engine.paper.protocol.private.lists import ListCalls
from engine.paper.protocol.private.money import MoneyCalls
from engine.paper.protocol.private.orders import OrderCalls
from engine.paper.protocol.private.who import Who


class PrivateCalls:
    """`table`: method → call of (who, params)."""

    def __init__(self, exchange: Exchange, own: OwnStatements) -> None:
        parts = (OrderCalls, ListCalls, MoneyCalls, LimitCalls)
        self.table: dict[str, Callable[[Who, Any], Any]] = {}
        for part in parts:
            self.table |= part(exchange, own).table
