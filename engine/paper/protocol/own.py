"""What an account is told of itself, said as the venue says it: orders, fills, positions, money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.domain import MS, NEVER, Instrument, Kind
from engine.market.deribit.account import AccountData, OrderData, PositionData, UserTradeData
from engine.market.deribit.records import ProtectedData
from engine.paper.clearing import margin, standing
from engine.paper.clearing.accounts import PICO
from engine.paper.clearing.settlement import Settled
from engine.paper.orders.matching import CANCELLED, UNTRIGGERED, Order
from engine.paper.orders.terms import TRIGGERS, Fill
from engine.paper.orders.triggers import unit
from engine.paper.protocol.statements import Statements

AT_MARKET = ("market", "stop_market", "take_market", "trailing_stop")
COIN, USD = 9, 2  # decimals


class OwnStatements:
    """Reads an exchange and what its clearing has kept; changes nothing. `say` knows the grids and what is said of
    public trades."""

    def __init__(self, say: Statements) -> None:
        self.exchange, self.coin, self.say = say.exchange, say.coin, say
        self.clearing = say.exchange.clearing

    @property
    def interest(self) -> float:
        """Funding since the venue began, as a share of a position's value."""
        return self.clearing.interest

    def settlements(self, account: int) -> Sequence[Settled]:
        return self.clearing.settlements.of(account)

    def order(self, order: Order) -> OrderData:
        n, i = order.instrument, self.exchange.instruments[order.instrument]
        return OrderData(
            order_id=self.say.id(order.id), order_state=order.state, order_type=order.kind, time_in_force=order.tif,
            creation_timestamp=order.created // MS, last_update_timestamp=order.updated // MS, instrument_name=i.name,
            direction=order.side.value, price=self._price(order), amount=self.say.amount(n, order.amount),
            filled_amount=self.say.amount(n, order.filled), contracts=round(order.amount * i.lot / i.contract, 1),
            average_price=round(order.traded / order.filled * i.tick, 8) if order.filled else 0.0, label=order.label,
            post_only=order.post_only, reject_post_only=order.reject_post_only, reduce_only=order.reduce_only,
            risk_reducing=order.reduce_only, is_liquidation=order.liquidation, mmp=order.mmp, web=order.web,
            api=not order.web, replaced=order.replaced, auto_replaced=order.auto_replaced or None,
            max_show=self.say.amount(n, order.show or order.amount), original_order_type=order.original or None,
            cancel_reason=order.reason or None if order.state == CANCELLED else None,
            mmp_cancelled=True if order.reason == "mmp_trigger" else None,
            **self._advanced(order), **self._iceberg(order), **self._trigger(order, i),
        )  # fmt: skip

    def fill(self, fill: Fill) -> UserTradeData:
        trade, mine = fill.trade, "M" if fill.maker else "T"
        kind = "liquidation" if mine in trade.liquidation else "limit" if fill.kind.endswith("limit") else "market"
        return UserTradeData(
            **self.say.print(trade), direction=fill.side.value, order_id=self.say.id(fill.order), order_type=kind,
            label=fill.label, liquidity=mine, fee=round(fill.fee / PICO, 10), fee_currency=self.coin,
            profit_loss=round(fill.profit / PICO, 10), state=fill.state, matching_id=self.say.id(trade.id),
            post_only=fill.post_only, reduce_only=fill.reduce_only, risk_reducing=fill.reduce_only, mmp=fill.mmp,
            advanced=fill.advanced or None, underlying_price=round(trade.underlying, 2),
        )  # fmt: skip

    def position(self, account: int, n: int) -> PositionData:
        return self.held(standing.held(self.exchange.accounts[account], self.exchange.marks, n, self.interest))

    def held(self, held: standing.Held) -> PositionData:
        i = self.exchange.instruments[held.instrument]
        option, size = i.kind is Kind.OPTION, self.say.amount(held.instrument, held.size)
        more = self._option(held) if option else self._future(held)
        return PositionData(
            instrument_name=i.name, kind="option" if option else "future", size=size,
            direction="buy" if size > 0 else "sell" if size < 0 else "zero",
            average_price=round(held.average_price, COIN if option else 4), mark_price=round(held.mark_price, 6),
            index_price=round(held.index_price, USD), settlement_price=round(held.settlement_price, 6),
            delta=round(held.delta, 6), initial_margin=round(held.initial_margin, COIN),
            maintenance_margin=round(held.maintenance_margin, COIN),
            open_orders_margin=round(held.open_orders_margin, COIN), floating_profit_loss=round(held.floating, COIN),
            realized_profit_loss=round(held.realised, COIN), total_profit_loss=round(held.total, COIN), **more,
        )  # fmt: skip

    def account(self, account: int) -> AccountData:
        return self.summary(standing.summary(self.exchange.accounts[account], self.exchange.marks, self.interest))

    def summary(self, told: standing.Summary) -> AccountData:
        """Coins to nine decimals, as the greeks and sums of theirs."""
        names = set(AccountData.__struct_fields__) & set(told.__struct_fields__)
        sums: dict[str, Any] = {name: round(getattr(told, name), COIN) for name in names}
        index = self.say.index_name
        maps: dict[str, Any] = {
            f"options_{greek}_map": {index: sums[f"options_{greek}"]} for greek in ("gamma", "vega", "theta")
        }
        return AccountData(
            currency=self.coin, **sums, **maps, delta_total_map={index: sums["delta_total"]},
            estimated_liquidation_ratio_map={index: sums["estimated_liquidation_ratio"]},
        )  # fmt: skip

    def fees(self) -> list[dict[str, Any]]:
        """What the coin's instruments cost, by kind."""
        rates = {i.kind: (i.maker_fee, i.taker_fee) for i in reversed(self.exchange.instruments)}
        return [
            {"index_name": self.say.index_name, "kind": kind.value,
             "value": {"default": {"maker": maker, "taker": taker}, "block_trade": taker, "settlement": 0.0}}
            for kind, (maker, taker) in rates.items()
        ]  # fmt: skip

    def protected(self, until: int) -> ProtectedData:
        """Market-maker protection has set in, until then (ns)."""
        return ProtectedData(index_name=self.say.index_name, frozen_until=0 if until >= NEVER else until // MS)

    # within

    def _price(self, order: Order) -> float | str:
        if order.kind in AT_MARKET:
            return "market_price"
        return self.say.price(order.instrument, order.price)

    def _advanced(self, order: Order) -> dict[str, Any]:
        """What the price is held at while it follows the forward: an IV in per cent, or USD."""
        if not order.advanced:
            return {}
        return {"advanced": order.advanced, order.advanced: round(order.anchor, 4)}

    def _iceberg(self, order: Order) -> dict[str, Any]:
        if not order.show:
            return {}
        n, left = order.instrument, order.shown or min(order.show, order.rest)
        return {"display_amount": self.say.amount(n, order.show), "refresh_amount": self.say.amount(n, left)}

    def _trigger(self, order: Order, i: Instrument) -> dict[str, Any]:
        if order.trigger_order:
            return {"trigger_order_id": self.say.id(order.trigger_order), "triggered": True}
        if order.kind not in TRIGGERS:
            return {}
        step = unit(i, order.trigger)
        said: dict[str, Any] = {
            "trigger": f"{order.trigger}_price", "trigger_price": round(order.trigger_price * step, 8),
            "triggered": order.state not in (UNTRIGGERED, CANCELLED),
        }  # fmt: skip
        if order.kind == "trailing_stop":
            said["trigger_offset"] = round(order.trigger_offset * step, 8)
            said["trigger_reference_price"] = round(order.trigger_reference * step, 8)
        return said

    def _option(self, held: standing.Held) -> dict[str, Any]:
        return {
            "gamma": round(held.gamma, 8), "vega": round(held.vega, 6), "theta": round(held.theta, 6),
            "average_price_usd": round(held.average_price_usd, USD),
            "floating_profit_loss_usd": round(held.floating_usd, USD),
        }  # fmt: skip

    def _future(self, held: standing.Held) -> dict[str, Any]:
        return {
            "size_currency": round(held.size_currency, COIN), "leverage": margin.LEVERAGE,
            "estimated_liquidation_price": round(held.liquidation, USD) or None,
            "realized_funding": round(held.realised_funding, 8), "interest_value": held.interest_value,
        }  # fmt: skip
