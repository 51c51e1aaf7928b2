"""What an account is told of itself, said as the venue says it: orders, fills, positions, money."""

from __future__ import annotations

from engine.domain import Kind
from engine.market.deribit.account import AccountData, OrderData, PositionData, UserTradeData
from engine.paper import margin
from engine.paper.accounts import PICO
from engine.paper.matching import CANCELLED, Order
from engine.paper.statements import MS, Statements
from engine.paper.terms import Fill


class OwnStatements:
    """Reads an exchange; changes nothing. `say` knows the grids and what is said of public trades."""

    def __init__(self, say: Statements) -> None:
        self.exchange, self.coin, self.say = say.exchange, say.coin, say

    def order(self, order: Order) -> OrderData:
        n, i = order.instrument, self.exchange.instruments[order.instrument]
        market = order.kind == "market"
        average = order.traded / order.filled * i.tick if order.filled else 0.0
        return OrderData(
            order_id=self.say.id(order.id), order_state=order.state, order_type=order.kind, time_in_force=order.tif,
            creation_timestamp=order.created // MS, last_update_timestamp=order.updated // MS, instrument_name=i.name,
            direction=order.side.value, price="market_price" if market else self.say.price(n, order.price),
            amount=self.say.amount(n, order.amount), filled_amount=self.say.amount(n, order.filled),
            contracts=round(order.amount * i.lot / i.contract, 1), average_price=round(average, 8), label=order.label,
            post_only=order.post_only, reject_post_only=order.reject_post_only, reduce_only=order.reduce_only,
            replaced=order.replaced, max_show=self.say.amount(n, order.amount),
            cancel_reason=order.reason or None if order.state == CANCELLED else None,
        )  # fmt: skip

    def fill(self, fill: Fill) -> UserTradeData:
        trade = fill.trade
        return UserTradeData(
            **self.say.print(trade), direction=fill.side.value, order_id=self.say.id(fill.order), order_type=fill.kind,
            label=fill.label, liquidity="M" if fill.maker else "T", fee=round(fill.fee / PICO, 10),
            fee_currency=self.coin, profit_loss=round(fill.profit / PICO, 10), state=fill.state,
            matching_id=self.say.id(trade.id), post_only=fill.post_only, reduce_only=fill.reduce_only,
            underlying_price=round(trade.underlying, 2),
        )  # fmt: skip

    def position(self, account: int, n: int) -> PositionData:
        ex, i = self.exchange, self.exchange.instruments[n]
        position = ex.accounts[account].position(n)
        mark, size = float(ex.marks.price[n]), position.size * i.lot
        option = i.kind is Kind.OPTION
        average = self._average(n, position.size, position.cost)
        floating = (size * mark - position.cost / PICO) if option else (position.cost / PICO - size / mark)
        delta, gamma, vega, theta = (float(g) for g in ex.marks.greeks[:4, n])
        # the venue's delta of an option position is the net one: Black's minus the mark price
        coins = size * (delta - mark) if option else size / mark
        return PositionData(
            instrument_name=i.name, kind="option" if option else "future", size=self.say.amount(n, position.size),
            direction="buy" if size > 0 else "sell" if size < 0 else "zero", average_price=average,
            average_price_usd=round(average * ex.marks.index, 2) if option else None, mark_price=round(mark, 6),
            index_price=round(ex.marks.index, 2), delta=round(coins, 6), settlement_price=round(mark, 6),
            gamma=round(size * gamma, 8) if option else None, vega=round(size * vega, 6) if option else None,
            theta=round(size * theta, 6) if option else None, floating_profit_loss=round(floating, 9),
            realized_profit_loss=round(position.realised / PICO, 9),
            total_profit_loss=round(floating + position.realised / PICO, 9),
            size_currency=None if option else round(size / mark, 9), leverage=None if option else 50,
        )  # fmt: skip

    def account(self, account: int) -> AccountData:
        ex, holder = self.exchange, self.exchange.accounts[account]
        futures, options = margin.floating(holder, ex.marks)
        balance, bound = holder.cash / PICO, margin.initial(holder, ex.marks, holder.open.values())
        held = {n: p for n, p in holder.positions.items() if p.size}
        rows = [(n, self.position(account, n)) for n in held]
        chain = [p for _, p in rows if p.kind == "option"]
        realised = sum(p.realised for p in holder.positions.values()) / PICO
        total = round(sum(p.delta for _, p in rows), 6)
        return AccountData(
            currency=self.coin, equity=round(balance + futures + options, 9), balance=round(balance, 9),
            margin_balance=round(balance + futures, 9), available_funds=round(balance + futures - bound, 9),
            available_withdrawal_funds=round(max(0.0, balance + min(futures, 0.0) - bound), 9),
            initial_margin=round(bound, 9), maintenance_margin=round(bound * 0.75, 9),
            projected_initial_margin=round(bound, 9), projected_maintenance_margin=round(bound * 0.75, 9),
            delta_total=total, projected_delta_total=total, options_delta=round(sum(p.delta for p in chain), 6),
            options_gamma=round(sum(p.gamma or 0.0 for p in chain), 8),
            options_vega=round(sum(p.vega or 0.0 for p in chain), 6),
            options_theta=round(sum(p.theta or 0.0 for p in chain), 6), options_value=round(options, 9),
            futures_pl=round(futures, 9), session_rpl=round(realised, 9), session_upl=round(futures, 9),
            futures_session_upl=round(futures, 9), total_pl=round(futures + realised, 9),
            options_pl=round(sum(p.floating_profit_loss for p in chain), 9),
        )  # fmt: skip

    # within

    def _average(self, n: int, size: int, cost: int) -> float:
        """Average entry price: coin for options; for inverse futures USD, the size over its coin value."""
        if not size or not cost:
            return 0.0
        i = self.exchange.instruments[n]
        return round(cost / PICO / (size * i.lot), 9) if i.kind is Kind.OPTION else round(size * i.lot * PICO / cost, 4)
