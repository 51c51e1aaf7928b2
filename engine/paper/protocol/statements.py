"""What everyone may know of the exchange, said as the venue says it: decimals, milliseconds, IVs in per cent.

Here, and for an account's own in `own.py`, units, lots and pico become the protocol's fields.
"""

from __future__ import annotations

from typing import Any

from engine import black
from engine.domain import MINUTE_NS, MS, NS, Instrument, Kind
from engine.market.deribit.data import (
    BookData,
    ChartData,
    DvolData,
    ExpirationPriceData,
    Greeks,
    IndexData,
    InstrumentData,
    MarkPrice,
    PerpetualData,
    QuoteData,
    RankingData,
    StateData,
    Stats,
    TickerData,
    TickStep,
    TradeData,
    WindowData,
)
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.fees import period_of
from engine.paper.orders.matching import Half
from engine.paper.orders.terms import BookChange, Trade
from engine.paper.protocol.bars import Bar

YEAR_3000_MS = 32_503_708_800_000
IDS = {"BTC": 100_000, "ETH": 200_000}  # where a coin's instrument ids begin
AVERAGED_NS = 30 * MINUTE_NS  # before an expiry: the index that its delivery price is the average of
LIFE = {"open": "started", "settlement": "settled", "delivered": "closed", "archivized": "terminated"}


class Statements:
    """Reads an exchange; changes nothing."""

    def __init__(self, exchange: Exchange, coin: str = "BTC") -> None:
        self.exchange, self.coin = exchange, coin
        self.index_name = f"{coin.lower()}_usd"
        self._prefix = "" if coin == "BTC" else f"{coin}-"
        self.listed()

    def listed(self) -> None:
        """The exchange lists other instruments than before."""
        self._grid = [(i.tick, _digits(i.tick), i.lot, _digits(i.lot)) for i in self.exchange.instruments]

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
        option = i.kind is Kind.OPTION
        return InstrumentData(
            instrument_name=i.name, kind="option" if option else "future", base_currency=i.coin,
            quote_currency=i.coin if option else "USD", counter_currency="USD", settlement_currency=i.coin,
            tick_size=i.tick, tick_size_steps=[TickStep(above_price=a, tick_size=s) for a, s in i.tick_steps],
            min_trade_amount=i.lot, contract_size=i.contract, instrument_id=self.instrument_id(n),
            price_index=self.index_name, creation_timestamp=started_ms,
            expiration_timestamp=i.expiry // MS if i.expiry else YEAR_3000_MS,
            settlement_period=period_of(i.expiry), state=self.book_state(n),
            rfq=False, is_active=not self.exchange.stats[n].closed,
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

    def window(self, n: int, t: int, depth: int, group: int = 0) -> WindowData:
        book = self.exchange.books[n]
        bids, asks = (
            self.grouped(n, half, depth, group) if group else self.levels(n, half, depth)
            for half in (book.bids, book.asks)
        )
        return WindowData(timestamp=t // MS, instrument_name=self.exchange.instruments[n].name,
                          change_id=book.change_id, bids=bids, asks=asks)  # fmt: skip

    def levels(self, n: int, half: Half, depth: int) -> list[tuple[float, float]]:
        sign = half.sign
        return [(self.price(n, r * sign), self.amount(n, half.levels[r * sign].total)) for r in half.ranks[:depth]]

    def grouped(self, n: int, half: Half, depth: int, group: int) -> list[tuple[float, float]]:
        """Levels put together to multiples of the group, away from the middle. The group is USD for a future of BTC,
        hundredths of that for other coins', as the venue has it, and smallest ticks for an option."""
        i = self.exchange.instruments[n]
        dollars = group if i.coin == "BTC" else group / 100
        step = group if i.kind is Kind.OPTION else max(1, round(dollars / i.tick))
        sums: dict[int, int] = {}
        for rank in half.ranks:
            key = -(-rank // step)  # ranks grow away from the middle
            if key not in sums and len(sums) == depth:
                break
            sums[key] = sums.get(key, 0) + half.levels[rank * half.sign].total
        return [(self.price(n, key * step * half.sign), self.amount(n, lots)) for key, lots in sums.items()]

    def quote(self, n: int, t: int) -> QuoteData:
        return QuoteData(timestamp=t // MS, instrument_name=self.exchange.instruments[n].name, **self._best(n))

    def book_state(self, n: int) -> str:
        """As tickers say it: a book that is over is closed, others are in their state."""
        stats = self.exchange.stats[n]
        return "closed" if stats.closed else stats.state

    def ticker(self, n: int, t: int) -> TickerData:
        ex, i = self.exchange, self.exchange.instruments[n]
        stats, marks = ex.stats[n], ex.marks
        low, high = marks.band(n)
        last = self.price(n, stats.last) if stats.last else None
        mark = float(marks.price[n])
        common: dict[str, Any] = {
            "instrument_name": i.name, "timestamp": t // MS, "state": self.book_state(n), **self._best(n),
            "mark_price": round(mark, 6 if i.kind is Kind.OPTION else 2), "last_price": last,
            "index_price": round(marks.index, 2), "estimated_delivery_price": round(marks.estimated(n), 2),
            "settlement_price": round(float(marks.settled[n]), 6 if i.kind is Kind.OPTION else 2),
            "open_interest": self.amount(n, stats.open_interest),
            "min_price": self.price(n, low), "max_price": self.price(n, high), "stats": self._stats(n, t),
        }  # fmt: skip
        if stats.closed:  # its price of delivery is known, and no longer the index's
            price = round(ex.clearing.settlements.price(i.expiry), 2)
            common |= {"delivery_price": price, "estimated_delivery_price": price}
        extra = self._option_ticker(n) if i.kind is Kind.OPTION else self._future_ticker(n)
        return TickerData(**common, **extra)

    def mark_prices(self, t: int) -> list[MarkPrice]:
        """The surface as it was told: what is listed anew is not in it before."""
        ex = self.exchange
        numbers = ex.marks.options.tolist()
        prices, ivs = ex.marks.price[ex.marks.options].tolist(), ex.marks.iv[ex.marks.options].tolist()
        return [
            MarkPrice(instrument_name=ex.instruments[n].name, mark_price=round(p, 6), iv=round(v, 4), timestamp=t // MS)
            for n, p, v in zip(numbers, prices, ivs, strict=True)
            if v and not ex.stats[n].closed
        ]

    def index(self, t: int) -> IndexData:
        return IndexData(index_name=self.index_name, price=round(self.exchange.marks.index, 2), timestamp=t // MS)

    def dvol(self, t: int) -> DvolData:
        value = round(self.exchange.marks.dvol, 4)
        return DvolData(index_name=self.index_name, volatility=value, timestamp=t // MS, estimated_delivery=value)

    def perpetual(self, t: int) -> PerpetualData:
        return PerpetualData(
            interest=self.funding(), timestamp=t // MS, index_price=round(self.exchange.marks.index, 2)
        )

    def funding(self) -> float:
        """The rate in force, for eight hours."""
        funding = self.exchange.clearing.funding
        return round(funding.rate, 8) if funding is not None else 0.0

    def state(self, n: int, t: int, state: str) -> StateData:
        """Of a book's new state: the word of its life where it has one."""
        name = self.exchange.instruments[n].name
        return StateData(instrument_name=name, state=LIFE.get(state, state), timestamp=t // MS)

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
            price = trade.price * i.tick
            iv = black.implied_vol(price, trade.underlying, i.strike, i.years(trade.t), i.call)
            fields["iv"] = round(100.0 * (iv or 0.0), 2)
        if trade.liquidation:
            fields["liquidation"] = trade.liquidation
        if trade.block_trade_id:
            fields |= {"block_trade_id": trade.block_trade_id, "block_trade_leg_count": 1}
        if trade.block_rfq_id:
            fields["block_rfq_id"] = trade.block_rfq_id
        if trade.combo_id:
            fields["combo_id"] = trade.combo_id
        return fields

    def ranking(self, t: int) -> list[RankingData]:
        """What the index is made of: here one source, the simulated world's price."""
        price = round(self.exchange.marks.index, 2)
        return [RankingData(identifier="paper", enabled=True, price=price, original_price=price, timestamp=t // MS,
                            weight=100.0)]  # fmt: skip

    def expiration_price(self, t: int) -> ExpirationPriceData:
        """Of the next expiry: the average so far in its last half hour, the index before."""
        marks = self.exchange.marks
        coming = min((i.expiry for i in self.exchange.instruments if i.expiry > t), default=t)
        near = coming - t < AVERAGED_NS
        n = next((n for n, i in enumerate(self.exchange.instruments) if i.expiry == coming), 0)
        price = marks.estimated(n) if near else marks.index
        return ExpirationPriceData(seconds=(coming - t) // NS, price=round(price, 2), is_estimated=near)

    def chart(self, n: int, bar: Bar) -> ChartData:
        _, digits, _, _ = self._grid[n]
        return ChartData(tick=bar.t // MS, open=round(bar.open, digits), high=round(bar.high, digits),
                         low=round(bar.low, digits), close=round(bar.close, digits), volume=round(bar.volume, 8),
                         cost=round(bar.cost, 8))  # fmt: skip

    # within

    def _best(self, n: int) -> dict[str, float]:
        book = self.exchange.books[n]
        bid, ask = book.bids.best, book.asks.best
        return {
            "best_bid_price": self.price(n, bid) if bid else 0.0,
            "best_bid_amount": self.amount(n, book.bids.total(bid)) if bid else 0.0,
            "best_ask_price": self.price(n, ask) if ask else 0.0,
            "best_ask_amount": self.amount(n, book.asks.total(ask)) if ask else 0.0,
        }

    def _new(self, n: int, half: Half) -> list[tuple[str, float, float]]:
        return [("new", price, amount) for price, amount in self.levels(n, half, len(half.ranks))]

    def _stats(self, n: int, t: int) -> Stats:
        day = self.exchange.days[n].over(t)
        coin, usd = round(day.coin, 8), round(day.usd, 2)
        if not day.high:
            return Stats(volume=coin, volume_usd=usd)
        return Stats(volume=coin, volume_usd=usd, high=self.price(n, day.high), low=self.price(n, day.low),
                     price_change=round(day.change, 4))  # fmt: skip

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
        funding = self.exchange.clearing.funding
        if self.exchange.instruments[n].kind is Kind.FUTURE or funding is None:
            return {}
        return {"current_funding": round(funding.rate, 8), "funding_8h": round(funding.interest_8h, 8),
                "interest_value": self.exchange.clearing.interest}  # fmt: skip


def _digits(step: float) -> int:
    text = f"{step:.10f}".rstrip("0")
    return len(text.split(".")[1])
