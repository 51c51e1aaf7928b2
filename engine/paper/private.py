"""The venue's private calls on one coin's exchange: typed parameters in, statements or a refusal out.

Names and types of parameters were checked before (`market/deribit/server.py`); here they meet the listing, the grids
and the account. The calls stand by subject: orders, lists of orders and trades, money, limits; what concerns an
account in all its coins is `AccountCalls`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.paper.exchange import Exchange
from engine.paper.own import OwnStatements
from engine.paper.private_account import AccountCalls
from engine.paper.private_limits import LimitCalls
from engine.paper.private_lists import ListCalls
from engine.paper.private_money import MoneyCalls
from engine.paper.private_orders import OrderCalls, Who

__all__ = ["AccountCalls", "PrivateCalls", "Who"]


class PrivateCalls:
    def __init__(self, exchange: Exchange, own: OwnStatements) -> None:
        parts = (OrderCalls, ListCalls, MoneyCalls, LimitCalls)
        self.table: dict[str, Callable[[Who, Any], Any]] = {}
        for part in parts:
            self.table |= part(exchange, own).table
