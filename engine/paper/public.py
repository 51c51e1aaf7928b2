"""The venue's public calls on the exchange: typed parameters in, statements or a refusal out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from engine.domain import Kind
from engine.market.deribit.data import TradeData
from engine.market.deribit.errors import refusal
from engine.market.deribit.methods import public as m
from engine.market.deribit.methods.params import OfInstrument, Params
from engine.paper.exchange import Exchange
from engine.paper.statements import MS, Statements
from engine.paper.terms import Trade, Trades

RECENT = 1000  # public trades kept by instrument
NO_INSTRUMENT = refusal(10020)
_KINDS = {"option": (Kind.OPTION,), "future": (Kind.FUTURE, Kind.PERPETUAL)}


def kinds(name: str | None) -> tuple[Kind, ...]:
    """The kinds of instruments a `kind` parameter means; none for those not listed here."""
    return tuple(Kind) if name in (None, "any") else _KINDS.get(name, ())


class PublicCalls:
    """`printed` is told the public trades by whoever drains the exchange."""

    def __init__(self, exchange: Exchange, say: Statements, started: int) -> None:
        self.exchange, self.say, self.started = exchange, say, started
        self.recent: list[deque[Trade]] = [deque(maxlen=RECENT) for _ in exchange.instruments]
        self.table: dict[str, Callable[[int, Any], Any]] = {
            "public/get_currencies": self.currencies,
            "public/get_instruments": self.instruments,
            "public/get_instrument": self.instrument,
            "public/get_order_book": self.order_book,
            "public/ticker": self.ticker,
            "public/get_index_price": self.index_price,
            "public/get_index_price_names": self.index_price_names,
            "public/get_book_summary_by_currency": self.summaries,
            "public/get_last_trades_by_instrument": self.last_trades,
            "public/get_contract_size": self.contract_size,
        }

    def printed(self, said: Trades) -> None:
        self.recent[said.instrument].extend(said.trades)

    def dump(self) -> Any:
        """The trades as bytes: a clone is made of a venue in the middle of an evaluation, thousands of times."""
        return msgspec.msgpack.encode([list(trades) for trades in self.recent])

    def load(self, value: Any) -> None:
        for trades, kept in zip(self.recent, msgspec.msgpack.decode(value, type=list[list[Trade]]), strict=True):
            trades.clear()
            trades.extend(kept)

    def currencies(self, t: int, params: Params) -> Any:
        coin = self.say.coin
        return [{"currency": coin, "currency_long": {"BTC": "Bitcoin", "ETH": "Ethereum"}.get(coin, coin),
                 "coin_type": coin, "decimals": 8, "fee_precision": 4, "min_confirmations": 1,
                 "min_withdrawal_fee": 0.0001, "withdrawal_fee": 0.0001, "withdrawal_priorities": [],
                 "in_cross_collateral_pool": False}]  # fmt: skip

    def instruments(self, t: int, params: m.GetInstruments) -> Any:
        if params.currency not in (self.say.coin, "any"):
            return []
        wanted = kinds(params.kind)
        return [
            self.say.instrument(n, self.started // MS)
            for n, i in enumerate(self.exchange.instruments)
            if i.kind in wanted and self.exchange.stats[n].closed == params.expired
        ]

    def instrument(self, t: int, params: OfInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self.say.instrument(n, self.started // MS)

    def order_book(self, t: int, params: m.GetOrderBook) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        book, ticker = self.exchange.books[n], self.say.ticker(n, t)
        fields = {f: getattr(ticker, f) for f in ticker.__struct_fields__ if getattr(ticker, f) is not None}
        sides = {
            "bids": self.say.levels(n, book.bids, params.depth),
            "asks": self.say.levels(n, book.asks, params.depth),
        }
        return fields | sides | {"change_id": book.change_id}

    def ticker(self, t: int, params: OfInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self.say.ticker(n, t)

    def index_price(self, t: int, params: m.GetIndexPrice) -> Any:
        if params.index_name != self.say.index_name:
            return refusal(13020)
        price = round(self.exchange.marks.index, 2)
        return {"index_price": price, "estimated_delivery_price": price}

    def index_price_names(self, t: int, params: m.GetIndexPriceNames) -> Any:
        return [{"name": self.say.index_name}] if params.extended else [self.say.index_name]

    def contract_size(self, t: int, params: OfInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else {"contract_size": self.exchange.instruments[n].contract}

    def summaries(self, t: int, params: m.GetBookSummary) -> Any:
        if params.currency != self.say.coin:
            return []
        wanted = kinds(params.kind)
        return [self._summary(n, t) for n, i in enumerate(self.exchange.instruments) if i.kind in wanted]

    def last_trades(self, t: int, params: m.GetLastTrades) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        found = [trade for trade in self.recent[n] if _asked_for(trade, params)]
        if params.sorting != "asc":
            found.reverse()
        rows: list[TradeData] = [self.say.trade(trade) for trade in found[: params.count]]
        return {"trades": rows, "has_more": len(found) > params.count}

    def _summary(self, n: int, t: int) -> dict[str, Any]:
        i, ticker = self.exchange.instruments[n], self.say.ticker(n, t)
        bid, ask = ticker.best_bid_price or None, ticker.best_ask_price or None
        summary: dict[str, Any] = {
            "instrument_name": i.name, "base_currency": i.coin, "quote_currency": i.coin if i.strike else "USD",
            "bid_price": bid, "ask_price": ask, "mid_price": (bid + ask) / 2 if bid and ask else None,
            "mark_price": ticker.mark_price, "last": ticker.last_price, "open_interest": ticker.open_interest,
            "volume": ticker.stats.volume if ticker.stats else 0.0, "volume_usd": 0.0,
            "high": ticker.stats.high if ticker.stats else None, "low": ticker.stats.low if ticker.stats else None,
            "price_change": ticker.stats.price_change if ticker.stats else None, "creation_timestamp": t // MS,
        }  # fmt: skip
        if i.strike:
            summary |= {"mark_iv": ticker.mark_iv, "underlying_price": ticker.underlying_price,
                        "underlying_index": ticker.underlying_index, "interest_rate": 0.0}  # fmt: skip
        return summary


def _asked_for(trade: Trade, params: m.GetLastTrades) -> bool:
    t = trade.t // MS
    return (
        (params.start_seq is None or trade.seq >= params.start_seq)
        and (params.end_seq is None or trade.seq <= params.end_seq)
        and (params.start_timestamp is None or t >= params.start_timestamp)
        and (params.end_timestamp is None or t <= params.end_timestamp)
    )
