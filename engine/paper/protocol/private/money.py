"""Private calls about positions, margins, and where the money went."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from engine.domain import MS, Kind, Side
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import private as m
from engine.market.deribit.methods.params import OfInstrument
from engine.market.deribit.records import LogEntryData, SettlementData
from engine.paper.clearing import margin, standing
from engine.paper.clearing.accounts import PICO, Account, Entry, Position
from engine.paper.clearing.settlement import Settled
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.matching import OPEN, Order
from engine.paper.protocol.own import COIN, OwnStatements
from engine.paper.protocol.pages import begin, page
from engine.paper.protocol.private.params import first, lots, units, whole
from engine.paper.protocol.private.who import Who
from engine.paper.protocol.public import NO_INSTRUMENT, kinds


class MoneyCalls:
    """`table`: method → call of (who, params)."""

    def __init__(self, exchange: Exchange, own: OwnStatements) -> None:
        self.exchange, self.own, self.say = exchange, own, own.say
        self.table: dict[str, Callable[[Who, Any], Any]] = {
            "private/get_positions": self.positions,
            "private/get_position": self.position,
            "private/get_margins": self.margins,
            "private/get_order_margin_by_ids": self.order_margins,
            "private/simulate_portfolio": self.simulate,
            "private/get_transaction_log": self.log,
            "private/get_settlement_history_by_currency": self.settlements_by_currency,
            "private/get_settlement_history_by_instrument": self.settlements_by_instrument,
        }

    def position(self, who: Who, params: OfInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self.own.position(who.account, n)

    def positions(self, who: Who, params: m.GetPositions) -> Any:
        if params.currency not in ("any", self.own.coin):
            return []
        wanted, held = kinds(params.kind), self.exchange.accounts[who.account].positions
        numbers = [n for n, p in held.items() if p.size and self.exchange.instruments[n].kind in wanted]
        return [self.own.position(who.account, n) for n in numbers]

    def margins(self, who: Who, params: m.GetMargins) -> Any:
        """What an order alone would bind, on either side."""
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        instrument, marks = self.exchange.instruments[n], self.exchange.marks
        amount, price = lots(instrument, params.amount, None), units(instrument, params.price)
        refused = first(amount, price)
        if refused is not None:
            return refused
        nobody = Account(0, "", False, 0, 0)
        bound = {
            side: margin.initial(nobody, marks, [Order(0, 0, n, side, whole(price), whole(amount), who.t, who.t)])
            for side in Side
        }
        low, high = marks.band(n)
        return {"buy": round(bound[Side.BUY], COIN), "sell": round(bound[Side.SELL], COIN),
                "min_price": self.say.price(n, low), "max_price": self.say.price(n, high)}  # fmt: skip

    def order_margins(self, who: Who, params: m.OfOrders) -> Any:
        """What each working order adds to what the positions bind; ids of other coins are theirs to answer."""
        found = (self._mine(who, one) for one in params.ids)
        return [
            {"order_id": self.say.id(order.id), "initial_margin": round(self._adds(who, order), COIN),
             "initial_margin_currency": self.own.coin}
            for order in found
            if order is not None
        ]  # fmt: skip

    def simulate(self, who: Who, params: m.SimulatePortfolio) -> Any:
        """The summary as it would be with these positions, bought at the marks."""
        if params.currency != self.own.coin:
            return refusal(13020)
        holder = self.exchange.accounts[who.account]
        kept = holder.positions if params.add_positions else {}
        positions = {n: msgspec.structs.replace(position) for n, position in kept.items()}
        for name, size in params.simulated_positions.items():
            refused = self._suppose(positions, name, size)
            if refused is not None:
                return refused
        supposed = msgspec.structs.replace(
            holder, positions=positions, open=holder.open if params.add_positions else {}
        )
        return self.own.summary(standing.summary(supposed, self.exchange.marks, self.own.interest))

    def log(self, who: Who, params: m.GetTransactionLog) -> Any:
        """Newest first, from the end of the time that is asked for."""
        entries = reversed(self.exchange.accounts[who.account].log) if params.currency == self.own.coin else ()
        last = params.continuation
        found = [
            entry
            for entry in entries
            if params.start_timestamp <= entry.t // MS <= params.end_timestamp
            and (last is None or entry.id <= last)
            and (not params.query or self._fits(entry, params.query.split()))
        ]
        page = found[: params.count]
        return {
            "logs": [self._line(who, entry) for entry in page],
            "continuation": found[params.count].id if len(found) > params.count else None,
        }

    def settlements_by_currency(self, who: Who, params: m.SettlementsByCurrency) -> Any:
        lines = self.own.settlements(who.account) if params.currency == self.own.coin else ()
        return self._settlements(lines, params)

    def settlements_by_instrument(self, who: Who, params: m.SettlementsByInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        lines = self.own.settlements(who.account)
        return self._settlements([line for line in lines if line.instrument == n], params)

    # within

    def _mine(self, who: Who, order_id: str) -> Order | None:
        number = self.say.number(order_id)
        return None if number is None else self.exchange.order(who.account, number)

    def _adds(self, who: Who, order: Order) -> float:
        if order.state != OPEN:
            return 0.0
        holder, marks = self.exchange.accounts[who.account], self.exchange.marks
        return max(0.0, margin.initial(holder, marks, [order]) - margin.initial(holder, marks, []))

    def _suppose(self, positions: dict[int, Position], name: str, size: float) -> VenueError | None:
        """Add `size` of this instrument, at its mark."""
        n = self.exchange.number.get(name)
        if n is None:
            return NO_INSTRUMENT
        instrument, mark = self.exchange.instruments[n], float(self.exchange.marks.price[n])
        count = lots(instrument, abs(size), None, "simulated_positions") if size else 0
        if isinstance(count, VenueError):
            return count
        signed = count if size > 0 else -count
        worth = signed * instrument.lot * (mark if instrument.kind is Kind.OPTION else 1.0 / mark)
        position = positions.setdefault(n, Position())
        position.size += signed
        position.cost += round(worth * PICO)
        position.entry += round(worth * PICO)
        return None

    def _fits(self, entry: Entry, words: list[str]) -> bool:
        """A query's words: a type of entry, a side, a kind of instrument, maker or taker."""
        kind = self.exchange.instruments[entry.instrument].kind if entry.instrument >= 0 else None
        said = {entry.type, entry.side, "option" if kind is Kind.OPTION else "future" if kind is not None else ""}
        said |= {"maker" if entry.maker else "taker"} if entry.type == "trade" else set()
        return any(word in said for word in words)

    def _line(self, who: Who, entry: Entry) -> LogEntryData:
        traded = entry.type in ("trade", "liquidation")
        role = ("maker" if entry.maker else "taker") if traded else None
        return LogEntryData(
            id=entry.id, type=entry.type, currency=self.own.coin, timestamp=entry.t // MS, user_id=who.account,
            username=self.exchange.accounts[who.account].name, user_seq=entry.id, commission=_coin(entry.fee),
            cashflow=_coin(entry.cashflow), balance=_coin(entry.cash), change=_coin(entry.change),
            equity=_coin(entry.cash), index_price=round(entry.index, 2), trade_id=self._id(entry.trade),
            order_id=self._id(entry.order), user_role=role, fee_role=role,
            profit_as_cashflow=False if traded else None, **self._of_instrument(entry),
        )  # fmt: skip

    def _of_instrument(self, entry: Entry) -> dict[str, Any]:
        if entry.instrument < 0:
            return {}
        n, i = entry.instrument, self.exchange.instruments[entry.instrument]
        option = i.kind is Kind.OPTION
        return {
            "instrument_name": i.name, "position": self.say.amount(n, entry.position), "side": entry.side or None,
            "amount": self.say.amount(n, entry.lots), "contracts": round(entry.lots * i.lot / i.contract, 1),
            "price": round(entry.price, 6), "price_currency": self.own.coin if option else "USD",
            "mark_price": round(entry.mark, 6), "session_rpl": _coin(entry.session_rpl),
            "session_upl": _coin(entry.session_upl), "interest_pl": None if option else _coin(entry.funding),
            "total_interest_pl": None if option else _coin(entry.funding),
        }  # fmt: skip

    def _id(self, number: int) -> str | None:
        return self.say.id(number) if number else None

    def _settlements(self, lines: Iterable[Settled], params: m.Settlements) -> Any:
        """Newest first."""
        latest = params.search_start_timestamp
        found = [
            line
            for line in reversed(list(lines))
            if params.type in (None, line.type) and (latest is None or line.t // MS <= latest)
        ]
        told, more = page(found, begin(params.continuation), params.count)
        return {"settlements": [self._settlement(line) for line in told], "continuation": more}

    def _settlement(self, line: Settled) -> SettlementData:
        n = line.instrument
        return SettlementData(
            type=line.type, timestamp=line.t // MS, instrument_name=self.exchange.instruments[n].name,
            position=self.say.amount(n, line.position), index_price=round(line.index, 2),
            mark_price=round(line.mark, 6), session_profit_loss=_coin(line.session_profit_loss),
            profit_loss=_coin(line.profit_loss), funding=_coin(line.funding),
        )  # fmt: skip


def _coin(pico: int) -> float:
    return round(pico / PICO, 9)
