"""What everyone may know of the exchange, said as the venue says it: decimals, milliseconds, IVs in per cent.

Here, and for an account's own in `own.py`, units, lots and pico become the protocol's fields.
"""

from __future__ import annotations

from typing import Any

from engine.domain import NS, Instrument, Kind
from engine.market.deribit.data import (
    BookData,
    DvolData,
    Greeks,
    IndexData,
    InstrumentData,
    MarkPrice,
    PerpetualData,
    StateData,
    Stats,
    TickerData,
    TickStep,
    TradeData,
    WindowData,
)
from engine.paper.exchange import Exchange
from engine.paper.matching import Half
from engine.paper.terms import BookChange, Trade

MS = 1_000_000
YEAR_3000_MS = 32_503_708_800_000
IDS = {"BTC": 100_000, "ETH": 200_000}  # where a coin's instrument ids begin
FUNDING_PERIOD = 8.0  # hours


class Statements:
    """Reads an exchange; changes nothing."""

    def __init__(self, exchange: Exchange, coin: str = "BTC") -> None:
        self.exchange, self.coin = exchange, coin
        self.index_name = f"{coin.lower()}_usd"
        self._prefix = "" if coin == "BTC" else f"{coin}-"
        self._grid = [(i.tick, _digits(i.tick), i.lot, _digits(i.lot)) for i in exchange.instruments]

    def price(self, n: int, units: float) -> float:
        tick, digits, _, _ = self._grid[n]
        return round(units * tick, digits)

    def amount(self, n: int, lots: int) -> float:
        _, _, lot, digits = self._grid[n]
        return round(lots * lot, digits)

    def id(self, number: int) -> str:
        """Of an order or a trade: BTC's are plain digits, other coins' are prefixed."""
        return f"{self._prefix}{number}"

    def number(self, text: str) -> int | None:
        """What `id` wrote; None for anything else."""
        digits = text.removeprefix(self._prefix) if text.startswith(self._prefix) else ""
        return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None

    def instrument_id(self, n: int) -> int:
        return IDS.get(self.coin, 300_000) + n

    # public

    def instrument(self, n: int, started_ms: int = 0) -> InstrumentData:
        i = self.exchange.instruments[n]
        option, closed = i.kind is Kind.OPTION, self.exchange.stats[n].closed
        return InstrumentData(
            instrument_name=i.name, kind="option" if option else "future", base_currency=i.coin,
            quote_currency=i.coin if option else "USD", counter_currency="USD", settlement_currency=i.coin,
            tick_size=i.tick, tick_size_steps=[TickStep(above_price=a, tick_size=s) for a, s in i.tick_steps],
            min_trade_amount=i.lot, contract_size=i.contract, instrument_id=self.instrument_id(n), price_index=self.index_name,
            expiration_timestamp=i.expiry // MS if i.expiry else YEAR_3000_MS, creation_timestamp=started_ms,
            settlement_period=_period(i), is_active=not closed, state="closed" if closed else "open",
            strike=i.strike if option else None, instrument_type="reversed",
            option_type=("call" if i.call else "put") if option else None,
            future_type=None if option else "reversed", max_leverage=None if option else 50,
            maker_commission=i.maker_fee, taker_commission=i.taker_fee, block_trade_commission=i.taker_fee,
            block_trade_min_trade_amount=25.0 if option else 200_000.0, block_trade_tick_size=i.tick,
            max_liquidation_commission=None if option else 0.0075,
        )  # fmt: skip

    def snapshot(self, n: int, t: int) -> BookData:
        book = self.exchange.books[n]
        return BookData(
            type="snapshot", timestamp=t // MS, instrument_name=self.exchange.instruments[n].name,
            change_id=book.change_id, bids=self._new(n, book.bids), asks=self._new(n, book.asks),
        )  # fmt: skip

    def change(self, change: BookChange) -> BookData:
        n = change.instrument
        bids = [(action, self.price(n, units), self.amount(n, lots)) for action, units, lots in change.bids]
        asks = [(action, self.price(n, units), self.amount(n, lots)) for action, units, lots in change.asks]
        return BookData(
            type="change", timestamp=change.t // MS, instrument_name=self.exchange.instruments[n].name,
            change_id=change.change_id, prev_change_id=change.prev_change_id, bids=bids, asks=asks,
        )  # fmt: skip

    def window(self, n: int, t: int, depth: int) -> WindowData:
        book = self.exchange.books[n]
        return WindowData(timestamp=t // MS, instrument_name=self.exchange.instruments[n].name,
                          change_id=book.change_id, bids=self.levels(n, book.bids, depth),
                          asks=self.levels(n, book.asks, depth))  # fmt: skip

    def levels(self, n: int, half: Half, depth: int) -> list[tuple[float, float]]:
        sign = half.sign
        return [(self.price(n, r * sign), self.amount(n, half.levels[r * sign].total)) for r in half.ranks[:depth]]

    def ticker(self, n: int, t: int) -> TickerData:
        ex, i = self.exchange, self.exchange.instruments[n]
        book, stats, marks = ex.books[n], ex.stats[n], ex.marks
        bid, ask = book.bids.best, book.asks.best
        low, high = marks.band(n)
        last = self.price(n, stats.last) if stats.last else None
        mark = float(marks.price[n])
        common: dict[str, Any] = {
            "instrument_name": i.name, "timestamp": t // MS, "state": "closed" if stats.closed else "open",
            "best_bid_price": self.price(n, bid) if bid else 0.0,
            "best_bid_amount": self.amount(n, book.bids.total(bid)) if bid else 0.0,
            "best_ask_price": self.price(n, ask) if ask else 0.0,
            "best_ask_amount": self.amount(n, book.asks.total(ask)) if ask else 0.0,
            "mark_price": round(mark, 6 if i.kind is Kind.OPTION else 2), "last_price": last,
            "index_price": round(marks.index, 2), "estimated_delivery_price": round(marks.index, 2),
            "settlement_price": self.price(n, round(mark / i.tick)),
            "open_interest": self.amount(n, stats.open_interest),
            "min_price": self.price(n, low), "max_price": self.price(n, high), "stats": self._stats(n),
        }  # fmt: skip
        extra = self._option_ticker(n) if i.kind is Kind.OPTION else self._future_ticker(n)
        return TickerData(**common, **extra)

    def mark_prices(self, t: int) -> list[MarkPrice]:
        ex = self.exchange
        numbers = ex.marks.options.tolist()
        prices, ivs = ex.marks.price[ex.marks.options].tolist(), ex.marks.iv[ex.marks.options].tolist()
        return [
            MarkPrice(instrument_name=ex.instruments[n].name, mark_price=round(p, 6), iv=round(v, 4), timestamp=t // MS)
            for n, p, v in zip(numbers, prices, ivs, strict=True)
            if not ex.stats[n].closed
        ]

    def index(self, t: int) -> IndexData:
        return IndexData(index_name=self.index_name, price=round(self.exchange.marks.index, 2), timestamp=t // MS)

    def dvol(self, t: int) -> DvolData:
        return DvolData(index_name=self.index_name, volatility=round(self.exchange.marks.dvol, 4), timestamp=t // MS)

    def perpetual(self, t: int) -> PerpetualData:
        return PerpetualData(
            interest=self.funding(), timestamp=t // MS, index_price=round(self.exchange.marks.index, 2)
        )

    def funding(self) -> float:
        """The venue's rule: the premium beyond ±0.025 %, over eight hours."""
        premium = self.exchange.marks.perpetual
        return round(max(0.00025, premium) + min(-0.00025, premium), 8)

    def state(self, n: int, t: int, state: str) -> StateData:
        return StateData(instrument_name=self.exchange.instruments[n].name, state=state, timestamp=t // MS)

    def trade(self, trade: Trade) -> TradeData:
        return TradeData(**self.print(trade), direction=trade.side.value)

    def print(self, trade: Trade) -> dict[str, Any]:
        """What everyone's and an account's own trade have in common."""
        n, i = trade.instrument, self.exchange.instruments[trade.instrument]
        fields: dict[str, Any] = {
            "trade_seq": trade.seq, "trade_id": self.id(trade.id), "timestamp": trade.t // MS,
            "instrument_name": i.name, "price": self.price(n, trade.price), "amount": self.amount(n, trade.lots),
            "contracts": round(trade.lots * i.lot / i.contract, 1), "tick_direction": trade.tick_direction,
            "mark_price": round(trade.mark, 6), "index_price": round(trade.index, 2),
        }  # fmt: skip
        if i.kind is Kind.OPTION:
            fields["iv"] = round(100.0 * self.exchange.marks.implied(n, trade.price * i.tick), 2)
        return fields

    # within

    def _new(self, n: int, half: Half) -> list[tuple[str, float, float]]:
        return [("new", price, amount) for price, amount in self.levels(n, half, len(half.ranks))]

    def _stats(self, n: int) -> Stats:
        stats = self.exchange.stats[n]
        if not stats.last:
            return Stats(volume=0.0)
        change = round(100 * (stats.last / stats.first - 1), 4)
        return Stats(volume=self.amount(n, stats.volume), high=self.price(n, stats.high),
                     low=self.price(n, stats.low), price_change=change)  # fmt: skip

    def _option_ticker(self, n: int) -> dict[str, Any]:
        ex, i = self.exchange, self.exchange.instruments[n]
        book = ex.books[n]
        delta, gamma, vega, theta, rho = (float(g) for g in ex.marks.greeks[:, n])
        return {
            "mark_iv": round(100.0 * float(ex.marks.iv[n]), 2),
            "bid_iv": round(100.0 * ex.marks.implied(n, (book.bids.best or 0) * i.tick), 2),
            "ask_iv": round(100.0 * ex.marks.implied(n, (book.asks.best or 0) * i.tick), 2),
            "underlying_price": round(ex.marks.forwards[i.expiry], 4), "interest_rate": 0.0,
            "underlying_index": self._underlying(i),
            "greeks": Greeks(delta=round(delta, 5), gamma=round(gamma, 8), vega=round(vega, 5),
                             theta=round(theta, 5), rho=round(rho, 5)),
        }  # fmt: skip

    def _underlying(self, i: Instrument) -> str:
        """The future of the same expiry, or a synthetic one where none is listed."""
        name = "-".join(i.name.split("-")[:2])
        return name if name in self.exchange.number else f"SYN.{name}"

    def _future_ticker(self, n: int) -> dict[str, Any]:
        if self.exchange.instruments[n].kind is Kind.FUTURE:
            return {}
        return {"current_funding": self.funding(), "funding_8h": self.funding(), "interest_value": 0.0}


def _digits(step: float) -> int:
    text = f"{step:.10f}".rstrip("0")
    return len(text.split(".")[1])


def _period(i: Instrument) -> str:
    if not i.expiry:
        return "perpetual"
    days = i.expiry // (24 * 3600 * NS)
    return "week" if days % 7 == 1 else "day"  # the epoch was a Thursday
