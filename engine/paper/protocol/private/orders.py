"""Private calls that place, change and end orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.domain import Instrument, Side
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import orders as m
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.matching import Order
from engine.paper.orders.terms import STOPS, TAKES, TRIGGERS, Change, Placed, Refusal
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.private.params import ask_of, change_of
from engine.paper.protocol.private.who import Who
from engine.paper.protocol.public import NO_INSTRUMENT, kinds

Picks = Callable[[Order], bool]
_TYPES: dict[str, tuple[str, ...]] = {
    "limit": ("limit", "market_limit"),
    "trigger_all": TRIGGERS,
    "stop": STOPS,
    "stop_all": STOPS,
    "take": TAKES,
    "take_all": TAKES,
    "trailing_all": ("trailing_stop",),
}


def of_type(name: str) -> Picks:
    """What a `type` parameter means: all, a family of trigger orders, or one kind."""
    if name == "all":
        return lambda order: True
    wanted = _TYPES.get(name, (name,))
    return lambda order: order.kind in wanted


class OrderCalls:
    """`table`: method → call of (who, params)."""

    def __init__(self, exchange: Exchange, own: OwnStatements) -> None:
        self.exchange, self.own, self.say = exchange, own, own.say
        self.table: dict[str, Callable[[Who, Any], Any]] = {
            "private/buy": lambda who, params: self.place(who, Side.BUY, params),
            "private/sell": lambda who, params: self.place(who, Side.SELL, params),
            "private/edit": self.edit,
            "private/edit_by_label": self.edit_by_label,
            "private/close_position": self.close,
            "private/cancel": self.cancel,
            "private/cancel_all": lambda who, params: self._sweep(who, params.detailed, lambda order: True),
            "private/cancel_all_by_currency": lambda who, params: self.sweep(who, params, params.currency),
            "private/cancel_all_by_currency_pair": self.cancel_pair,
            "private/cancel_all_by_instrument": self.cancel_instrument,
            "private/cancel_all_by_kind_or_type": lambda who, params: self.sweep(who, params, params.currency),
            "private/cancel_by_label": self.cancel_by_label,
        }

    def place(self, who: Who, side: Side, params: m.Place) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        ask = ask_of(self.exchange.instruments[n], n, side, params, who.session)
        return ask if isinstance(ask, VenueError) else self._placed(self.exchange.place(who.t, who.account, ask))

    def edit(self, who: Who, params: m.Edit) -> Any:
        order = self._mine(who, params.order_id)
        if isinstance(order, VenueError):
            return order
        return self._edit(who, order, change_of(self._listed(order), order, params))

    def edit_by_label(self, who: Who, params: m.EditByLabel) -> Any:
        """The one working order of this label."""
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        found = self.exchange.by_label(who.account, params.label, n)
        if not found:
            return refusal(10004)
        if len(found) > 1:
            return refusal(11029, "more than one order has this label", "label")
        return self._edit(who, found[0], change_of(self._listed(found[0]), found[0], params))

    def close(self, who: Who, params: m.Close) -> Any:
        """A reduce-only order of the position's size on its other side."""
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        size = self.exchange.accounts[who.account].size(n)
        if not size:
            return refusal(10010)
        order = m.Place(
            instrument_name=params.instrument_name, amount=self.say.amount(n, abs(size)), type=params.type,
            price=params.price, reduce_only=True, post_only=False,
        )  # fmt: skip
        return self.place(who, Side.SELL if size > 0 else Side.BUY, order)

    def cancel(self, who: Who, params: m.OfOrder) -> Any:
        order = self._mine(who, params.order_id)
        if isinstance(order, VenueError):
            return order
        done = self.exchange.cancel(who.t, who.account, order.id)
        return refusal(done.code, done.reason) if isinstance(done, Refusal) else self.own.order(done)

    def cancel_instrument(self, who: Who, params: m.CancelAllByInstrument) -> Any:
        n, wanted = self.exchange.number.get(params.instrument_name), of_type(params.type)
        if n is None:
            return NO_INSTRUMENT
        return self._sweep(who, params.detailed, lambda order: order.instrument == n and wanted(order))

    def cancel_pair(self, who: Who, params: m.CancelAllByPair) -> Any:
        return self.sweep(who, params, self.own.coin if params.currency_pair == self.say.index_name else [])

    def cancel_by_label(self, who: Who, params: m.CancelByLabel) -> Any:
        here = params.currency in (None, self.own.coin)
        return self._sweep(who, False, lambda order: here and order.label == params.label)

    def sweep(self, who: Who, params: m.CancelAllOf, coins: str | list[str]) -> Any:
        """Cancel by currency, kind and type, each as far as it is said."""
        here = self.own.coin in coins or coins == "any"
        listed, wanted, typed = self.exchange.instruments, kinds(params.kind), of_type(params.type)
        return self._sweep(
            who, params.detailed, lambda o: here and listed[o.instrument].kind in wanted and typed(o)
        )  # fmt: skip

    # within

    def _mine(self, who: Who, order_id: str) -> Order | VenueError:
        number = self.say.number(order_id)
        order = None if number is None else self.exchange.order(who.account, number)
        if number is None or order is not None:
            return order or refusal(10004)
        clients = (account.id for account in self.exchange.accounts if not account.house)
        elses = any(self.exchange.order(account, number) is not None for account in clients)
        return refusal(10029) if elses else refusal(10004)

    def _listed(self, order: Order) -> Instrument:
        return self.exchange.instruments[order.instrument]

    def _edit(self, who: Who, order: Order, change: Change | VenueError) -> Any:
        if isinstance(change, VenueError):
            return change
        return self._placed(self.exchange.edit(who.t, who.account, order.id, change))

    def _placed(self, placed: Placed | Refusal) -> Any:
        if isinstance(placed, Refusal):
            return refusal(placed.code, placed.reason)
        return {"order": self.own.order(placed.order), "trades": [self.own.fill(fill) for fill in placed.fills]}

    def _sweep(self, who: Who, detailed: bool, picks: Picks) -> Any:
        """How many; with `detailed` the orders themselves, by instrument and type, as the venue does."""
        held_back = self.exchange.admit(who.t, who.account, sweep=True)
        if held_back is not None:
            return refusal(held_back.code, held_back.reason)
        chosen = [order.id for order in self.exchange.working(who.account) if picks(order)]
        count = self.exchange.cancel_where(who.t, who.account, picks)
        return self._detailed(who, chosen) if detailed else count

    def _detailed(self, who: Who, chosen: list[int]) -> Any:
        found = (self.exchange.order(who.account, number) for number in chosen)
        groups: dict[tuple[int, str], list[Order]] = {}
        for order in found:
            if order is not None:
                groups.setdefault((order.instrument, order.kind), []).append(order)
        return [
            {
                "instrument_name": self.exchange.instruments[n].name, "type": kind, "currency": self.own.coin,
                "result": [self.own.order(order) for order in orders],
            }
            for (n, kind), orders in groups.items()
        ]  # fmt: skip
