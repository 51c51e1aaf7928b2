"""Private calls about an account as a whole, in all its coins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from engine.domain import MS
from engine.market.deribit.account import AccountData
from engine.market.deribit.errors import refusal
from engine.market.deribit.methods import private as m
from engine.market.deribit.methods.params import Params
from engine.market.deribit.records import OwnerData
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.private.who import Who

PORTFOLIO = (
    "balance", "equity", "margin_balance", "initial_margin", "maintenance_margin", "available_funds",
    "available_withdrawal_funds", "spot_reserve", "additional_reserve",
)  # fmt: skip
VISITS = 1000  # kept of an account
QUERIES = {"rate": 20, "burst": 100}  # calls that do not concern orders: what the credits allow


class AccountCalls:
    """`coins` are what speaks of each coin's exchange; the accounts have the same numbers in all of them."""

    def __init__(self, coins: Mapping[str, OwnStatements], started_ns: int) -> None:
        self.coins, self.started = coins, started_ns
        self.visits: dict[int, list[dict[str, Any]]] = {}  # by account, oldest first
        self.table: dict[str, Callable[[Who, Any], Any]] = {
            "private/get_account_summary": self.summary,
            "private/get_account_summaries": self.summaries,
            "private/get_subaccounts": self.subaccounts,
            "private/get_subaccounts_details": self.details,
            "private/get_access_log": self.access_log,
            "private/get_deposits": self.nothing,
            "private/get_withdrawals": self.nothing,
            "private/get_transfers": self.nothing,
            "private/get_new_announcements": lambda who, params: [],
        }

    def summary(self, who: Who, params: m.GetAccountSummary) -> Any:
        if params.subaccount_id not in (None, who.account):
            return refusal(13021)
        said = msgspec.to_builtins(self._summary(who, params.currency))
        return said | (msgspec.to_builtins(self._owner(who)) if params.extended else {})

    def summaries(self, who: Who, params: m.GetAccountSummaries) -> Any:
        if params.subaccount_id not in (None, who.account):
            return refusal(13021)
        owner: dict[str, Any] = msgspec.to_builtins(self._owner(who))
        return owner | {"summaries": [self._summary(who, coin) for coin in self.coins]}

    def subaccounts(self, who: Who, params: m.GetSubaccounts) -> Any:
        """There is but the one."""
        owner = self._owner(who)
        row: dict[str, Any] = {
            "id": owner.id, "username": owner.username, "system_name": owner.system_name, "email": owner.email,
            "type": owner.type, "login_enabled": True, "is_password": True, "receive_notifications": False,
            "security_keys_enabled": False, "tfa_enabled": False, "security_keys_assignments": [],
            "margin_model": "segregated_sm",
        }  # fmt: skip
        if params.with_portfolio:
            row["portfolio"] = {coin.lower(): self._portfolio(who, coin) for coin in (*self.coins, *self._unlisted())}
        return [row]

    def details(self, who: Who, params: m.GetSubaccountsDetails) -> Any:
        own = self.coins.get(params.currency)
        holder = own.exchange.accounts[who.account] if own else None
        if own is None or holder is None:
            return [{"uid": who.account, "positions": []}]
        held = [own.position(who.account, n) for n, position in holder.positions.items() if position.size]
        row: dict[str, Any] = {"uid": who.account, "positions": held}
        if params.with_open_orders:
            row["open_orders"] = [own.order(order) for order in own.exchange.working(who.account)]
        return [row]

    def came(self, account: int, t: int) -> dict[str, Any]:
        """Somebody has logged in; from where is not known here."""
        kept = self.visits.setdefault(account, [])
        number = kept[-1]["id"] + 1 if kept else 1
        kept.append({"id": number, "timestamp": t // MS, "ip": "127.0.0.1", "country": "", "city": "",
                     "log": "success", "data": {}})  # fmt: skip
        del kept[:-VISITS]
        return kept[-1]

    def access_log(self, who: Who, params: m.GetAccessLog) -> Any:
        """Newest first."""
        kept = self.visits.get(who.account, [])[::-1]
        return kept[params.offset : params.offset + params.count]

    def nothing(self, who: Who, params: Params) -> Any:
        return {"count": 0, "data": []}

    # within

    def _owner(self, who: Who) -> OwnerData:
        exchange = next(iter(self.coins.values())).exchange
        name = exchange.accounts[who.account].name
        return OwnerData(
            id=who.account, username=name, system_name=name, email=f"{name}@paper.invalid",
            creation_timestamp=self.started // MS, mmp_enabled=True,
            self_trading_reject_mode=exchange.self_trading(who.account),
        )  # fmt: skip

    def _summary(self, who: Who, coin: str) -> AccountData:
        """Nothing, of a currency that is not traded here."""
        own = self.coins.get(coin)
        if own is None:
            return AccountData(currency=coin, equity=0.0, balance=0.0)
        return msgspec.structs.replace(
            own.account(who.account), has_non_block_chain_equity=False, limits=self._limits(own), fees=own.fees()
        )

    def _portfolio(self, who: Who, coin: str) -> dict[str, Any]:
        said = self._summary(who, coin)
        return {"currency": coin.lower()} | {name: getattr(said, name) for name in PORTFOLIO}

    def _unlisted(self) -> list[str]:
        return [coin for coin in ("BTC", "ETH") if coin not in self.coins]

    def _limits(self, own: OwnStatements) -> dict[str, Any]:
        rules = own.exchange.rules
        orders = {"rate": int(rules.order_rate), "burst": int(rules.order_burst)}
        sweeps = {"rate": int(rules.sweep_rate), "burst": int(rules.sweep_burst)}
        matching = {"trading": {"total": orders}, "spot": orders, "cancel_all": sweeps}
        return {"limits_per_currency": False, "non_matching_engine": QUERIES, "matching_engine": matching}
