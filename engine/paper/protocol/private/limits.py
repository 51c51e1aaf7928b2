"""Private calls about how one coin's trading is protected: market-maker protection, self-trade prevention, locks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.domain import NS
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import private as m
from engine.market.deribit.methods.params import Params
from engine.market.deribit.records import ProtectionData
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.protection import Limits
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.private.who import Who

EVERY = (None, "all")


class LimitCalls:
    """`table`: method → call of (who, params)."""

    def __init__(self, exchange: Exchange, own: OwnStatements) -> None:
        self.exchange, self.own, self.index = exchange, own, own.say.index_name
        self.table: dict[str, Callable[[Who, Any], Any]] = {
            "private/get_mmp_config": self.config,
            "private/get_mmp_status": self.status,
            "private/set_mmp_config": self.configure,
            "private/reset_mmp": self.reset,
            "private/set_self_trading_config": self.self_trading,
            "private/get_user_locks": self.locks,
        }

    def config(self, who: Who, params: m.OfProtection) -> Any:
        protection = self.exchange.protection(who.account)
        if protection is None or params.index_name not in (*EVERY, self.index) or params.mmp_group:
            return []
        limits = protection.limits
        return [
            ProtectionData(
                index_name=self.index, interval=limits.interval_ns // NS, frozen_time=limits.frozen_ns // NS,
                quantity_limit=limits.quantity or None, delta_limit=limits.delta or None,
                vega_limit=limits.vega or None,
            )
        ]  # fmt: skip

    def status(self, who: Who, params: m.OfProtection) -> Any:
        """Only where it is frozen."""
        protection = self.exchange.protection(who.account)
        asked = params.index_name in (*EVERY, self.index) and not params.mmp_group
        if protection is None or not asked or not protection.frozen(who.t):
            return []
        return [self.own.protected(protection.until)]

    def configure(self, who: Who, params: m.SetProtection) -> Any:
        refused = self._unknown(params) or self._unlimited(params)
        if refused is not None:
            return refused
        limits = Limits(
            interval_ns=params.interval * NS, frozen_ns=params.frozen_time * NS, quantity=params.quantity_limit or 0.0,
            delta=params.delta_limit or 0.0, vega=params.vega_limit or 0.0,
        )  # fmt: skip
        self.exchange.set_protection(who.account, limits)
        return self.config(who, m.OfProtection())

    def reset(self, who: Who, params: m.ResetProtection) -> Any:
        refused = self._unknown(params)
        if refused is not None:
            return refused
        return "ok" if self.exchange.reset_protection(who.account) else refusal(13020)

    def self_trading(self, who: Who, params: m.SetSelfTrading) -> Any:
        self.exchange.set_self_trading(who.account, params.mode)
        return "ok"

    def locks(self, who: Who, params: Params) -> Any:
        return [{"currency": self.own.coin, "enabled": False, "message": ""}]

    # within

    def _unknown(self, params: m.SetProtection | m.ResetProtection) -> VenueError | None:
        if params.index_name not in (*EVERY, self.index):
            return refusal(11029, "there is no such index here", "index_name")
        if params.mmp_group or params.block_rfq:
            return refusal(11029, "groups and block RFQs are not protected here", "mmp_group")
        return None

    def _unlimited(self, params: m.SetProtection) -> VenueError | None:
        if params.trade_count_limit is not None or params.max_quote_quantity is not None:
            return refusal(11029, "trades and quotes are not counted here", "trade_count_limit")
        if params.interval and not (params.quantity_limit or params.delta_limit or params.vega_limit):
            return refusal(11029, "a limit is needed", "quantity_limit")
        return None
