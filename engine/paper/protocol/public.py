"""One coin's public calls about the present: what is listed, prices, books. What was before is told by `past.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.domain import MS, NEVER, Kind
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import Params
from engine.market.deribit.methods import public as m
from engine.market.deribit.methods.params import OfInstrument
from engine.paper.floor.exchange import Exchange
from engine.paper.protocol.channels import KINDS
from engine.paper.protocol.statements import Statements

NO_INSTRUMENT = refusal(10020)
LONG_NAMES = {"BTC": "Bitcoin", "ETH": "Ethereum"}
COIN_TYPES = {"BTC": "BITCOIN", "ETH": "ETHER"}


def kinds(name: str | None) -> tuple[Kind, ...]:
    """The kinds of instruments a `kind` parameter means; none for those not listed here."""
    return KINDS.get(name or "any", ())


class PublicCalls:
    """`table`: method → call of (time ns, params)."""

    def __init__(self, exchange: Exchange, say: Statements, started: int) -> None:
        self.exchange, self.say, self.started = exchange, say, started
        self.table: dict[str, Callable[[int, Any], Any]] = {
            "public/get_currencies": self.currencies,
            "public/get_instruments": self.instruments,
            "public/get_instrument": self._of(lambda t, n: self.say.instrument(n, self.started // MS)),
            "public/get_contract_size": self._of(lambda t, n: {"contract_size": _plain(self._listed(n).contract)}),
            "public/get_expirations": self.expirations,
            "public/get_combos": lambda t, params: [],  # none are listed
            "public/get_combo_ids": lambda t, params: [],
            "public/get_index": self.index,
            "public/get_index_price": self.index_price,
            "public/get_index_price_names": self.index_names,
            "public/get_supported_index_names": lambda t, params: [{"name": self.say.index_name}],
            "public/ticker": self._of(lambda t, n: self.say.ticker(n, t)),
            "public/get_order_book": self.order_book,
            "public/get_order_book_by_instrument_id": self.order_book_by_id,
            "public/get_book_summary_by_currency": self.summaries,
            "public/get_book_summary_by_instrument": self._of(lambda t, n: [self._summary(n, t)]),
        }

    def currencies(self, t: int, params: Params) -> Any:
        coin = self.say.coin
        return [{"currency": coin, "currency_long": LONG_NAMES.get(coin, coin), "coin_type": COIN_TYPES.get(coin, coin),
                 "decimals": 8, "fee_precision": 4, "min_confirmations": 1, "min_withdrawal_fee": 0.0001,
                 "withdrawal_fee": 0.0001, "withdrawal_priorities": [], "network_currency": coin,
                 "network_fee": 0.0001, "in_cross_collateral_pool": False}]  # fmt: skip

    def instruments(self, t: int, params: m.GetInstruments) -> Any:
        if params.currency not in (self.say.coin, "any"):
            return []
        wanted = kinds(params.kind)
        return [
            self.say.instrument(n, self.started // MS)
            for n, i in enumerate(self.exchange.instruments)
            if i.kind in wanted and self.exchange.stats[n].closed == params.expired
        ]

    def expirations(self, t: int, params: m.GetExpirations) -> Any:
        """By kind for "any" currency; else by currency, then kind."""
        if params.currency not in (self.say.coin, "any", "grouped"):
            return {}
        if params.currency_pair not in (None, self.say.index_name):
            return {}
        wanted = ("future", "option") if params.kind == "any" else (params.kind,)
        by_kind = {kind: self._codes(KINDS[kind]) for kind in wanted}
        return by_kind if params.currency == "any" else {self.say.coin.lower(): by_kind}

    def index(self, t: int, params: m.OfCurrency) -> Any:
        if params.currency != self.say.coin:
            return refusal(13020)
        price = round(self.exchange.marks.index, 2)
        return {self.say.coin: price, "edp": self.say.expiration_price(t).price}

    def index_price(self, t: int, params: m.GetIndexPrice) -> Any:
        if params.index_name != self.say.index_name:
            return refusal(13020)
        estimated = self.say.expiration_price(t).price
        return {"index_price": round(self.exchange.marks.index, 2), "estimated_delivery_price": estimated}

    def index_names(self, t: int, params: m.GetIndexPriceNames) -> Any:
        name = self.say.index_name
        whole = {"name": name, "future_combo_creation_enabled": False, "option_combo_creation_enabled": False}
        return [whole] if params.extended else [name]

    def order_book(self, t: int, params: m.GetOrderBook) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        return NO_INSTRUMENT if n is None else self._book(n, t, params.depth)

    def order_book_by_id(self, t: int, params: m.GetOrderBookById) -> Any:
        n = params.instrument_id - self.say.instrument_id(0)
        return self._book(n, t, params.depth) if 0 <= n < len(self.exchange.instruments) else NO_INSTRUMENT

    def summaries(self, t: int, params: m.GetBookSummary) -> Any:
        if params.currency != self.say.coin:
            return []
        wanted, stats = kinds(params.kind), self.exchange.stats
        listed = enumerate(self.exchange.instruments)
        return [self._summary(n, t) for n, i in listed if i.kind in wanted and not stats[n].closed]

    # within

    def _of(self, answer: Callable[[int, int], Any]) -> Callable[[int, OfInstrument], Any | VenueError]:
        """A call about one instrument: (time, its number) → the answer."""

        def call(t: int, params: OfInstrument) -> Any:
            n = self.exchange.number.get(params.instrument_name)
            return NO_INSTRUMENT if n is None else answer(t, n)

        return call

    def _listed(self, n: int) -> Any:
        return self.exchange.instruments[n]

    def _codes(self, wanted: tuple[Kind, ...]) -> list[str]:
        """The parts of names that say when, each once, the perpetual's last."""
        live = [i for n, i in enumerate(self.exchange.instruments) if not self.exchange.stats[n].closed]
        chosen = sorted((i for i in live if i.kind in wanted), key=lambda i: i.expiry or NEVER)
        return list(dict.fromkeys(i.name.split("-")[1] for i in chosen))

    def _book(self, n: int, t: int, depth: int) -> dict[str, Any]:
        book, ticker = self.exchange.books[n], self.say.ticker(n, t)
        fields = {f: value for f in ticker.__struct_fields__ if (value := getattr(ticker, f)) is not None}
        sides = {"bids": self.say.levels(n, book.bids, depth), "asks": self.say.levels(n, book.asks, depth)}
        return fields | {"last_price": ticker.last_price} | sides | {"change_id": book.change_id}

    def _summary(self, n: int, t: int) -> dict[str, Any]:
        i, ticker = self.exchange.instruments[n], self.say.ticker(n, t)
        bid, ask, stats = ticker.best_bid_price or None, ticker.best_ask_price or None, ticker.stats
        option = i.kind is Kind.OPTION
        summary: dict[str, Any] = {
            "instrument_name": i.name, "base_currency": i.coin, "quote_currency": i.coin if option else "USD",
            "bid_price": bid, "ask_price": ask, "mid_price": (bid + ask) / 2 if bid and ask else None,
            "mark_price": ticker.mark_price, "last": ticker.last_price, "open_interest": ticker.open_interest,
            "volume": stats.volume, "volume_usd": stats.volume_usd or 0.0, "high": stats.high, "low": stats.low,
            "price_change": stats.price_change, "creation_timestamp": t // MS,
            "estimated_delivery_price": ticker.estimated_delivery_price,
        }  # fmt: skip
        more: tuple[str, ...] = ("mark_iv", "underlying_price", "underlying_index", "interest_rate") if option else ()
        if i.kind is Kind.PERPETUAL:
            more = ("current_funding", "funding_8h")
        notional = {} if option else {"volume_notional": stats.volume_usd or 0.0}
        return summary | notional | {name: getattr(ticker, name) for name in more}


def _plain(size: float) -> float | int:
    """A whole number as one, as the venue writes contract sizes here."""
    return int(size) if size == int(size) else size
