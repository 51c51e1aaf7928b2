"""One coin's public calls about what was: prints, bars, marks, volatility, funding, settlements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from typing import Any

from engine.domain import DAY_NS, HOUR_NS, MINUTE_NS, MS, NS, Kind
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import public as m
from engine.paper.clearing.accounts import PICO
from engine.paper.clearing.funding import Funding
from engine.paper.clearing.settlement import Settled
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.terms import Trade
from engine.paper.protocol.bars import RESOLUTIONS
from engine.paper.protocol.history import History
from engine.paper.protocol.pages import BEYOND, begin, latest, page
from engine.paper.protocol.public import NO_INSTRUMENT, kinds
from engine.paper.protocol.statements import Statements

LENGTHS = {"8h": 8 * HOUR_NS, "24h": DAY_NS, "1m": 31 * DAY_NS}
SPANS = {"": DAY_NS, "_7d": 7 * DAY_NS, "_30d": 30 * DAY_NS}
VOLATILITY_STEPS = {"1": NS, "60": MINUTE_NS, "3600": HOUR_NS, "43200": 12 * HOUR_NS, "1D": DAY_NS}
POINTS = 1000  # of the volatility index in one answer


class PastCalls:
    """`table`: method → call of (time ns, params)."""

    def __init__(self, exchange: Exchange, say: Statements, history: History) -> None:
        self.exchange, self.say, self.history, self.clearing = exchange, say, history, exchange.clearing
        self.table: dict[str, Callable[[int, Any], Any]] = {
            "public/get_last_trades_by_instrument": self.trades,
            "public/get_last_trades_by_instrument_and_time": self.trades,
            "public/get_last_trades_by_currency": self.trades_of_all,
            "public/get_last_trades_by_currency_and_time": self.trades_of_all,
            "public/get_trade_volumes": self.volumes,
            "public/get_tradingview_chart_data": self.chart,
            "public/get_mark_price_history": self.marks,
            "public/get_historical_volatility": self.volatility,
            "public/get_volatility_index_data": self.volatility_index,
            "public/get_funding_rate_history": self.funding_hours,
            "public/get_funding_rate_value": self.funding_value,
            "public/get_funding_chart_data": self.funding_chart,
            "public/get_delivery_prices": self.deliveries,
            "public/get_last_settlements_by_currency": self.settlements,
            "public/get_last_settlements_by_instrument": self.settlements_of_one,
        }

    # prints

    def trades(self, t: int, params: m.GetLastTrades | m.GetLastTradesAndTime) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        low, high = getattr(params, "start_seq", None) or 0, getattr(params, "end_seq", None) or BEYOND
        return self._page((trade for trade in self.history.recent[n] if low <= trade.seq <= high), params)

    def trades_of_all(self, t: int, params: m.GetLastTradesByCurrency | m.GetLastTradesByCurrencyAndTime) -> Any:
        first, last = (getattr(params, name, None) for name in ("start_id", "end_id"))
        low = 0 if first is None else self.say.number(first)
        high = BEYOND if last is None else self.say.number(last)
        if low is None or high is None:
            return refusal(11029, "no such trade", "start_id")
        wanted = kinds(params.kind) if params.currency == self.say.coin else ()
        listed = enumerate(self.exchange.instruments)
        kept = [self.history.recent[n] for n, i in listed if i.kind in wanted]
        return self._page(
            (trade for trade in merge(*kept, key=lambda trade: trade.id) if low <= trade.id <= high), params
        )

    def _page(self, trades: Iterable[Trade], params: Any) -> dict[str, Any]:
        """The newest, newest first, unless "asc" asks for the oldest on."""
        found, more = latest(trades, lambda trade: trade.t, params, params.sorting != "asc")
        return {"trades": [self.say.trade(trade) for trade in found], "has_more": more}

    def volumes(self, t: int, params: m.GetTradeVolumes) -> Any:
        """Traded in coin: by calls, puts and futures, over a day, and with `extended` over a week and a month."""
        sums: dict[str, float] = {}
        for after, span in SPANS.items() if params.extended else (("", DAY_NS),):
            for kind in ("calls", "puts", "futures", "spot"):
                sums[f"{kind}_volume{after}"] = 0.0
            for n, bars in self.history.prints.items():
                i = self.exchange.instruments[n]
                kind = "futures" if i.kind is not Kind.OPTION else "calls" if i.call else "puts"
                sums[f"{kind}_volume{after}"] += bars.sums(t - span, MINUTE_NS if span == DAY_NS else HOUR_NS)[0]
        return [{"currency": self.say.coin} | {name: round(value, 8) for name, value in sums.items()}]

    # prices over time

    def chart(self, t: int, params: m.GetChart) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        bars = self.history.prints.get(n)
        end, period = min(t, params.end_timestamp * MS), RESOLUTIONS[params.resolution]
        found = [] if bars is None else bars.filled(params.start_timestamp * MS, end, period)
        rows = [self.say.chart(n, bar) for bar in found]
        columns = {
            name: [getattr(row, name) for row in rows] for name in ("open", "high", "low", "close", "volume", "cost")
        }
        return {"status": "ok" if rows else "no_data", "ticks": [row.tick for row in rows]} | columns

    def marks(self, t: int, params: m.Between) -> Any:
        """An option's mark prices of the last minutes; nothing for others, as at the venue."""
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        if self.exchange.instruments[n].kind is not Kind.OPTION:
            return []
        after, before = params.start_timestamp * MS, params.end_timestamp * MS
        return [
            [at // MS, round(float(prices[n]), 6)]
            for at, prices in self.history.marks
            if after <= at <= before and n < len(prices)
        ]

    def volatility(self, t: int, params: m.OfCurrency) -> Any:
        if params.currency != self.say.coin:
            return []
        return [[at // MS, round(value, 6)] for at, value in self.history.realised(t)]

    def volatility_index(self, t: int, params: m.GetVolatilityIndex) -> Any:
        """Rows of time, open, high, low, close; what does not fit is to be asked for up to `continuation`."""
        if params.currency != self.say.coin:
            return {"data": [], "continuation": None}
        bars = self.history.dvol.between(params.start_timestamp * MS, params.end_timestamp * MS,
                                         VOLATILITY_STEPS[params.resolution])  # fmt: skip
        rows = [[bar.t // MS, *(round(v, 4) for v in (bar.open, bar.high, bar.low, bar.close))] for bar in bars]
        more = rows[-POINTS - 1][0] if len(rows) > POINTS else None
        return {"data": rows[-POINTS:], "continuation": more}

    # funding

    def funding_hours(self, t: int, params: m.Between) -> Any:
        funding = self._funding(params.instrument_name)
        if isinstance(funding, VenueError):
            return funding
        after, before = params.start_timestamp * MS, params.end_timestamp * MS
        return [
            {"timestamp": hour.t // MS, "index_price": round(hour.index, 2),
             "prev_index_price": round(hour.prev_index, 2), "interest_1h": hour.interest_1h,
             "interest_8h": hour.interest_8h}
            for hour in funding.hours if after <= hour.t <= before
        ]  # fmt: skip

    def funding_value(self, t: int, params: m.Between) -> Any:
        funding = self._funding(params.instrument_name)
        if isinstance(funding, VenueError):
            return funding
        return funding.value(params.start_timestamp * MS, params.end_timestamp * MS)

    def funding_chart(self, t: int, params: m.GetFundingChart) -> Any:
        funding = self._funding(params.instrument_name)
        if isinstance(funding, VenueError):
            return funding
        span = LENGTHS[params.length]
        points = funding.minutes if span <= DAY_NS else funding.hours
        data = [{"timestamp": point.t // MS, "index_price": round(point.index, 2), "interest_8h": point.interest_8h}
                for point in points if point.t >= t - span]  # fmt: skip
        return {"current_interest": funding.rate, "interest_8h": funding.interest_8h, "data": data}

    def _funding(self, name: str) -> Funding | VenueError:
        n = self.exchange.number.get(name)
        if n is None:
            return NO_INSTRUMENT
        funding = self.clearing.funding
        if funding is None or funding.n != n:
            return refusal(11029, "only perpetuals have funding", "instrument_name")
        return funding

    # deliveries and settlements

    def deliveries(self, t: int, params: m.GetDeliveryPrices) -> Any:
        """One a day, the newest first."""
        if params.index_name != self.say.index_name:
            return {"data": [], "records_total": 0}
        days = {_date(at): round(price, 2) for at, price in self.clearing.settlements.delivered}
        rows = [{"date": day, "delivery_price": price} for day, price in sorted(days.items(), reverse=True)]
        return {"data": rows[params.offset : params.offset + params.count], "records_total": len(rows)}

    def settlements(self, t: int, params: m.GetSettlements) -> Any:
        lines = self.clearing.settlements.public if params.currency == self.say.coin else ()
        return self._settlements(reversed(list(lines)), params)

    def settlements_of_one(self, t: int, params: m.GetSettlementsOfInstrument) -> Any:
        n = self.exchange.number.get(params.instrument_name)
        if n is None:
            return NO_INSTRUMENT
        lines = [line for line in self.clearing.settlements.public if line.instrument == n]
        return self._settlements(reversed(lines), params)

    def _settlements(self, lines: Iterator[Settled], params: Any) -> Any:
        """The newest first; `continuation` is how many were told before, "none" at the end."""
        before = BEYOND if params.search_start_timestamp is None else params.search_start_timestamp * MS
        found = [line for line in lines if params.type in (None, line.type) and line.t <= before]
        told, more = page(found, begin(params.continuation), params.count)
        return {"settlements": [self._line(line) for line in told], "continuation": more}

    def _line(self, line: Settled) -> dict[str, Any]:
        n = line.instrument
        return {
            "type": line.type, "timestamp": line.t // MS, "instrument_name": self.exchange.instruments[n].name,
            "position": self.say.amount(n, line.position), "mark_price": round(line.mark, 6),
            "index_price": round(line.index, 2), "funding": line.funding / PICO, "funded": line.bankruptcy / PICO,
            "profit_loss": line.profit_loss / PICO, "session_profit_loss": line.session_profit_loss / PICO,
            "session_bankruptcy": line.bankruptcy / PICO, "session_tax": 0.0, "session_tax_rate": 0.0,
            "socialized": 0.0,
        }  # fmt: skip


def _date(t: int) -> str:
    return dt.datetime.fromtimestamp(t // NS, dt.UTC).date().isoformat()
