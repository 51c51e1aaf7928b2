"""The venue's private calls on the exchange: typed parameters in, statements or a refusal out.

Names and types of parameters were checked before (`market/deribit/server.py`); here they meet the listing, the grids
and the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from engine.domain import Instrument, OffGrid, Side
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import private as m
from engine.market.deribit.methods.params import OfInstrument
from engine.paper.exchange import Exchange
from engine.paper.matching import Order
from engine.paper.own import OwnStatements
from engine.paper.public import NO_INSTRUMENT, kinds
from engine.paper.statements import MS, Statements
from engine.paper.terms import Ask, Change, Fill, Placed, Refusal

ONLY_TAKES = ("immediate_or_cancel", "fill_or_kill")
Picks = Callable[[Order], bool]


class Who(msgspec.Struct, frozen=True):
    """Whose call, when, and by which connection (0 by HTTP)."""

    t: int
    account: int
    session: int = 0


class PrivateCalls:
    def __init__(self, exchange: Exchange, say: Statements) -> None:
        self.exchange, self.say, self.own = exchange, say, OwnStatements(say)
        self.table: dict[str, Callable[[Who, Any], Any]] = {
            "private/buy": lambda who, params: self.place(who, Side.BUY, params),
            "private/sell": lambda who, params: self.place(who, Side.SELL, params),
            "private/edit": self.edit,
            "private/cancel": self.cancel,
            "private/cancel_all": lambda who, params: self._cancel(who, params, lambda order: True),
            "private/cancel_all_by_currency": self.cancel_by_currency,
            "private/cancel_all_by_instrument": self.cancel_by_instrument,
            "private/cancel_by_label": self.cancel_by_label,
            "private/get_open_orders": lambda who, params: self._open(who, params, self._of(None, params.kind)),
            "private/get_open_orders_by_currency": self.open_by_currency,
            "private/get_open_orders_by_instrument": self.open_by_instrument,
            "private/get_open_orders_by_label": self.open_by_label,
            "private/get_order_state": self.order_state,
            "private/get_order_state_by_label": self.order_state_by_label,
            "private/get_user_trades_by_currency": self.trades_by_currency,
            "private/get_user_trades_by_instrument": self.trades_by_instrument,
            "private/get_user_trades_by_order": self.trades_by_order,
            "private/get_positions": self.positions,
            "private/get_position": self.position,
            "private/get_account_summary": self.summary,
        }

    def place(self, who: Who, side: Side, params: m.Place) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        instrument = self.exchange.instruments[n]
        lots = _lots(instrument, params.amount, params.contracts)
        price = _units(instrument, params.price) if params.type == "limit" else 0
        refused = _unsupported(params) or _refused(lots, price)
        if refused is not None or isinstance(lots, VenueError) or isinstance(price, VenueError):
            return refused
        takes = params.type == "market" or params.time_in_force in ONLY_TAKES
        ask = Ask(
            instrument=n, side=side, amount=lots, price=price, kind=params.type, label=params.label,
            tif=params.time_in_force, session=who.session, reduce_only=params.reduce_only,
            # true where nothing is said, so for an order that can only take it means nothing
            post_only=params.post_only and not takes, reject_post_only=params.reject_post_only,
            valid_until=(params.valid_until or 0) * MS,
        )  # fmt: skip
        return self._placed(self.exchange.place(who.t, who.account, ask))

    def edit(self, who: Who, params: m.Edit) -> Any:
        order = self._mine(who, params.order_id)
        if order is None:
            return refusal(10004)
        instrument = self.exchange.instruments[order.instrument]
        sized = params.amount is not None or params.contracts is not None
        lots = _lots(instrument, params.amount, params.contracts) if sized else order.amount
        price = _units(instrument, params.price) if params.price is not None else order.price
        if isinstance(lots, VenueError) or isinstance(price, VenueError):
            return _refused(lots, price)
        change = Change(
            price=price, amount=lots, post_only=params.post_only, reject_post_only=params.reject_post_only,
            reduce_only=params.reduce_only or order.reduce_only, valid_until=(params.valid_until or 0) * MS,
        )  # fmt: skip
        return self._placed(self.exchange.edit(who.t, who.account, order.id, change))

    def cancel(self, who: Who, params: m.OfOrder) -> Any:
        order = self._mine(who, params.order_id)
        if order is None:
            return refusal(10004)
        done = self.exchange.cancel(who.t, who.account, order.id)
        return refusal(done.code, done.reason) if isinstance(done, Refusal) else self.own.order(done)

    def cancel_by_currency(self, who: Who, params: m.CancelAllByCurrency) -> Any:
        return self._cancel(who, params, self._of(params.currency, params.kind))

    def cancel_by_instrument(self, who: Who, params: m.CancelAllByInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self._cancel(who, params, lambda order: order.instrument == n)

    def cancel_by_label(self, who: Who, params: m.CancelByLabel) -> Any:
        of_coin = self._of(params.currency, None)
        return self.exchange.cancel_where(who.t, who.account, lambda o: o.label == params.label and of_coin(o))

    def open_by_currency(self, who: Who, params: m.GetOpenOrdersByCurrency) -> Any:
        return self._open(who, params, self._of(params.currency, params.kind))

    def open_by_instrument(self, who: Who, params: m.GetOpenOrdersByInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self._open(who, params, lambda order: order.instrument == n)

    def open_by_label(self, who: Who, params: m.ByLabel) -> Any:
        of_coin, holder = self._of(params.currency, None), self.exchange.accounts[who.account]
        found = [o for o in holder.open.values() if (not params.label or o.label == params.label) and of_coin(o)]
        return [self.own.order(order) for order in found]

    def order_state(self, who: Who, params: m.OfOrder) -> Any:
        order = self._mine(who, params.order_id)
        return refusal(10004) if order is None else self.own.order(order)

    def order_state_by_label(self, who: Who, params: m.ByLabel) -> Any:
        """Finished orders too: what recovery asks."""
        of_coin, holder = self._of(params.currency, None), self.exchange.accounts[who.account]
        orders = holder.labels.get(params.label, []) if params.label else holder.orders
        return [self.own.order(order) for order in orders if of_coin(order)]

    def trades_by_currency(self, who: Who, params: m.GetUserTradesByCurrency) -> Any:
        wanted, coin = kinds(params.kind), params.currency
        fills = (f for f in self._fills(who) if self._listed(f).kind in wanted and self._listed(f).coin == coin)
        return self._page(fills, params)

    def trades_by_instrument(self, who: Who, params: m.GetUserTradesByInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        low, high = params.start_seq or 0, params.end_seq or 2**62
        fills = (f for f in self._fills(who) if f.trade.instrument == n and low <= f.trade.seq <= high)
        return self._page(fills, params)

    def trades_by_order(self, who: Who, params: m.GetUserTradesByOrder) -> Any:
        found = [self.own.fill(fill) for fill in self._fills(who) if self.say.id(fill.order) == params.order_id]
        return found[::-1] if params.sorting == "desc" else found

    def position(self, who: Who, params: OfInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self.own.position(who.account, n)

    def positions(self, who: Who, params: m.GetPositions) -> Any:
        wanted = kinds(params.kind)
        held = self.exchange.accounts[who.account].positions
        return [
            self.own.position(who.account, n)
            for n, position in held.items()
            if position.size
            and self.exchange.instruments[n].kind in wanted
            and params.currency in ("any", self.say.coin)
        ]

    def summary(self, who: Who, params: m.GetAccountSummary) -> Any:
        if params.currency != self.say.coin:
            return refusal(13020)
        said = self.own.account(who.account)
        maps = {
            f"options_{greek}_map": {self.say.index_name: getattr(said, f"options_{greek}")}
            for greek in ("gamma", "theta", "vega")
        }
        whose = self._whose(who) if params.extended else {}
        return msgspec.to_builtins(said) | maps | whose

    def _whose(self, who: Who) -> dict[str, Any]:
        name = self.exchange.accounts[who.account].name
        return {"id": who.account, "username": name, "system_name": name, "email": f"{name}@paper.invalid",
                "type": "main", "security_keys_enabled": False}  # fmt: skip

    # within

    def _placed(self, placed: Placed | Refusal) -> Any:
        if isinstance(placed, Refusal):
            return refusal(placed.code, placed.reason)
        return {"order": self.own.order(placed.order), "trades": [self.own.fill(fill) for fill in placed.fills]}

    def _mine(self, who: Who, order_id: str) -> Order | None:
        number = self.say.number(order_id)
        return None if number is None else self.exchange.order(who.account, number)

    def _of(self, coin: str | None, kind: str | None) -> Picks:
        wanted, listed = kinds(kind), self.exchange.instruments
        return lambda order: coin in (None, listed[order.instrument].coin) and listed[order.instrument].kind in wanted

    def _cancel(self, who: Who, params: Any, picks: Picks) -> Any:
        """How many; with `detailed` the orders themselves, by instrument, as the venue does."""
        if getattr(params, "type", "all") not in ("all", "limit"):
            return 0  # there are no trigger orders here
        chosen = [o.id for o in self.exchange.accounts[who.account].open.values() if picks(o)]
        count = self.exchange.cancel_where(who.t, who.account, picks)
        if not params.detailed:
            return count
        done = [order for order in (self.exchange.order(who.account, one) for one in chosen) if order is not None]
        names = dict.fromkeys(order.instrument for order in done)
        return [
            {
                "instrument_name": self.exchange.instruments[n].name, "type": "limit", "currency": self.say.coin,
                "result": [self.own.order(order) for order in done if order.instrument == n],
            }
            for n in names
        ]  # fmt: skip

    def _open(self, who: Who, params: Any, picks: Picks) -> Any:
        if params.type not in ("all", "limit"):
            return []
        return [self.own.order(order) for order in self.exchange.accounts[who.account].open.values() if picks(order)]

    def _fills(self, who: Who) -> list[Fill]:
        return self.exchange.fills.get(who.account, [])

    def _listed(self, fill: Fill) -> Instrument:
        return self.exchange.instruments[fill.trade.instrument]

    def _page(self, fills: Iterable[Fill], params: m.GetUserTradesByCurrency | m.GetUserTradesByInstrument) -> Any:
        after, before = params.start_timestamp or 0, params.end_timestamp or 2**62
        found = [fill for fill in fills if after <= fill.trade.t // MS <= before]
        if params.sorting != "asc":
            found.reverse()
        return {"trades": [self.own.fill(f) for f in found[: params.count]], "has_more": len(found) > params.count}


def _lots(instrument: Instrument, amount: float | None, contracts: float | None) -> int | VenueError:
    """`amount`, or `contracts` times the contract size."""
    if amount is None and contracts is not None:
        amount = contracts * instrument.contract
    if amount is None:
        return refusal(11029, "amount or contracts is needed", "amount")
    try:
        lots = instrument.lots(amount)
    except OffGrid as error:
        return refusal(10021, str(error), "amount")
    return lots if lots > 0 else refusal(10002, "", "amount")


def _units(instrument: Instrument, price: float | None) -> int | VenueError:
    if price is None:
        return refusal(11029, "a limit order needs a price", "price")
    try:
        units = instrument.units(price)
    except OffGrid as error:
        return refusal(10043, str(error), "price")
    return units if units > 0 else refusal(10005, "", "price")


def _refused(*values: int | VenueError) -> VenueError | None:
    return next((value for value in values if isinstance(value, VenueError)), None)


def _unsupported(params: m.Place) -> VenueError | None:
    """What this venue does not do is refused rather than half done."""
    if params.type not in ("limit", "market"):
        return refusal(11029, f"orders of type {params.type} are not offered here", "type")
    if params.advanced is not None:
        return refusal(11029, "orders in USD or in implied volatility are not offered here", "advanced")
    return None
