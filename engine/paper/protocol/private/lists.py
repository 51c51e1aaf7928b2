"""Private calls that list orders and trades, working or done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from engine.domain import MINUTE_NS, Instrument
from engine.market.deribit.errors import refusal
from engine.market.deribit.methods import orders as m
from engine.market.deribit.records import TriggerData
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.matching import OPEN, TRIGGERED, UNTRIGGERED, Order
from engine.paper.orders.terms import TRIGGERS, Fill
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.pages import BEYOND, begin, latest, page
from engine.paper.protocol.private.orders import of_type
from engine.paper.protocol.private.who import Who
from engine.paper.protocol.public import NO_INSTRUMENT, kinds

WORKING = (OPEN, UNTRIGGERED)
RECENT_NS = 30 * MINUTE_NS  # how long what ended unfilled is listed without being asked for as old


class ListCalls:
    """`table`: method → call of (who, params)."""

    def __init__(self, exchange: Exchange, own: OwnStatements) -> None:
        self.exchange, self.own, self.say = exchange, own, own.say
        self.table: dict[str, Callable[[Who, Any], Any]] = {
            "private/get_open_orders": self.open,
            "private/get_open_orders_by_currency": self.open_by_currency,
            "private/get_open_orders_by_instrument": self.open_by_instrument,
            "private/get_open_orders_by_label": self.open_by_label,
            "private/get_order_state": self.order_state,
            "private/get_order_state_by_label": self.order_state_by_label,
            "private/get_order_history_by_currency": self.history_by_currency,
            "private/get_order_history_by_instrument": self.history_by_instrument,
            "private/get_trigger_order_history": self.trigger_history,
            "private/get_user_trades_by_currency": self.trades_by_currency,
            "private/get_user_trades_by_currency_and_time": self.trades_by_currency,
            "private/get_user_trades_by_instrument": self.trades_by_instrument,
            "private/get_user_trades_by_instrument_and_time": self.trades_by_instrument,
            "private/get_user_trades_by_order": self.trades_by_order,
        }

    def open(self, who: Who, params: m.GetOpenOrders) -> Any:
        wanted, typed, working = kinds(params.kind), of_type(params.type), self.exchange.working(who.account)
        return [self.own.order(order) for order in working if self._listed(order).kind in wanted and typed(order)]

    def open_by_currency(self, who: Who, params: m.GetOpenOrdersByCurrency) -> Any:
        return self.open(who, params) if params.currency == self.own.coin else []

    def open_by_instrument(self, who: Who, params: m.GetOpenOrdersByInstrument) -> Any:
        n, wanted = self.exchange.number.get(params.instrument_name), of_type(params.type)
        if n is None:
            return NO_INSTRUMENT
        working = self.exchange.working(who.account)
        return [self.own.order(order) for order in working if order.instrument == n and wanted(order)]

    def open_by_label(self, who: Who, params: m.ByLabel) -> Any:
        if params.currency != self.own.coin:
            return []
        working = self.exchange.working(who.account)
        return [self.own.order(order) for order in working if not params.label or order.label == params.label]

    def order_state(self, who: Who, params: m.OfOrder) -> Any:
        number = self.say.number(params.order_id)
        order = None if number is None else self.exchange.order(who.account, number)
        return refusal(10004) if order is None else self.own.order(order)

    def order_state_by_label(self, who: Who, params: m.ByLabel) -> Any:
        """Finished orders too: what recovery asks."""
        if params.currency != self.own.coin:
            return []
        holder = self.exchange.accounts[who.account]
        orders = holder.labels.get(params.label, []) if params.label else holder.orders
        return [self.own.order(order) for order in orders]

    def history_by_currency(self, who: Who, params: m.GetOrderHistoryByCurrency) -> Any:
        here, wanted = params.currency == self.own.coin, kinds(params.kind)
        return self._history(who, params, lambda order: here and self._listed(order).kind in wanted)

    def history_by_instrument(self, who: Who, params: m.GetOrderHistoryByInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self._history(who, params, lambda order: order.instrument == n)

    def trigger_history(self, who: Who, params: m.GetTriggerOrderHistory) -> Any:
        """Every order that waits or has waited for a price, newest first."""
        n = None if params.instrument_name is None else self.exchange.number.get(params.instrument_name, -1)
        orders = [
            order
            for order in reversed(self.exchange.accounts[who.account].orders)
            if order.kind in TRIGGERS and n in (None, order.instrument) and params.currency == self.own.coin
        ]
        told, more = page(orders, begin(params.continuation), params.count)
        entered = {order.trigger_order: order.id for order in self.exchange.accounts[who.account].orders}
        return {"entries": [self._triggered(order, entered.get(order.id, order.id)) for order in told],
                "continuation": more}  # fmt: skip

    def trades_by_currency(self, who: Who, params: m.GetUserTradesByCurrency) -> Any:
        wanted, here = kinds(params.kind), params.currency == self.own.coin
        first, last = self._id(params.start_id, 0), self._id(params.end_id, BEYOND)
        fills = (
            fill
            for fill in self._fills(who)
            if here
            and first <= fill.trade.id <= last
            and self.exchange.instruments[fill.trade.instrument].kind in wanted
        )
        return self._page(fills, params, params.start_id is not None)

    def trades_by_instrument(self, who: Who, params: m.GetUserTradesByInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        low, high = params.start_seq or 0, BEYOND if params.end_seq is None else params.end_seq
        fills = (f for f in self._fills(who) if f.trade.instrument == n and low <= f.trade.seq <= high)
        return self._page(fills, params, False)

    def trades_by_order(self, who: Who, params: m.GetUserTradesByOrder) -> Any:
        found = [self.own.fill(fill) for fill in self._fills(who) if self.say.id(fill.order) == params.order_id]
        return found[::-1] if params.sorting == "desc" else found

    # within

    def _listed(self, order: Order) -> Instrument:
        return self.exchange.instruments[order.instrument]

    def _history(self, who: Who, params: m.OrderHistory, picks: Callable[[Order], bool]) -> Any:
        """Newest first; what ended unfilled, and what ended long ago, only where it is asked for."""
        done = [
            order
            for order in reversed(self.exchange.accounts[who.account].orders)
            if order.state not in WORKING
            and picks(order)
            and (order.filled or params.include_unfilled)
            and (params.include_old or params.historical or order.filled or order.updated >= who.t - RECENT_NS)
        ]
        told, more = page(done, params.offset + begin(params.continuation), params.count)
        said = [self.own.order(order) for order in told]
        return {"orders": said, "continuation": more} if params.with_continuation else said

    def _triggered(self, order: Order, entered: int) -> TriggerData:
        """`entered` is the order that stands for it, itself before it has had its price."""
        said = self.own.order(order)
        kind = "limit" if order.kind.endswith("limit") else "market"
        request = "trigger:order" if order.state in (UNTRIGGERED, TRIGGERED) else "trigger:cancel"
        return TriggerData(
            timestamp=said.creation_timestamp, last_update_timestamp=said.last_update_timestamp,
            trigger=said.trigger or "", trigger_price=said.trigger_price or 0.0, trigger_offset=said.trigger_offset,
            trigger_order_id=said.order_id, order_id=self.say.id(entered), order_state=order.state,
            instrument_name=said.instrument_name, request=request, direction=said.direction,
            price=self.say.price(order.instrument, order.price), amount=said.amount, reduce_only=order.reduce_only,
            post_only=order.post_only, order_type=kind, label=order.label, source="api",
        )  # fmt: skip

    def _fills(self, who: Who) -> list[Fill]:
        return self.exchange.fills.get(who.account, [])

    def _id(self, trade: str | None, otherwise: int) -> int:
        number = self.say.number(trade) if trade is not None else None
        return otherwise if number is None else number

    def _page(self, fills: Iterable[Fill], params: m.UserTrades, upward: bool) -> Any:
        """Newest first where nothing else is said; from a trade on, oldest first."""
        newest_first = params.sorting == "desc" or (params.sorting == "default" and not upward)
        found, more = latest(fills, lambda fill: fill.trade.t, params, newest_first)
        return {"trades": [self.own.fill(fill) for fill in found], "has_more": more}
