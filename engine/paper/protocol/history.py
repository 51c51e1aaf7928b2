"""What one coin's market remembers for those who ask later: prints, bars, marks. Bounded, whatever happens.

It is told of public trades as they are announced and of the marks each time they are told anew. Orders and money are
the exchange's to remember, funding and settlements too.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import msgspec
import numpy as np

from engine.domain import DAY_NS, HOUR_NS, MINUTE_NS, NS, Kind
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.marks import Floats
from engine.paper.orders.terms import Trade, Trades
from engine.paper.protocol.bars import Bars

RECENT = 1000  # public trades kept by instrument
MARKS = 300  # tellings of the marks, one a second
YEAR_MINUTES = 365 * 24 * 60
PRINTS = ((MINUTE_NS, 1440), (HOUR_NS, 744))
VALUES = ((NS, 3600), (MINUTE_NS, 1440), (HOUR_NS, 744))


class History:
    """Of one coin's exchange; `listed` when it lists more."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.recent: list[deque[Trade]] = [deque(maxlen=RECENT) for _ in exchange.instruments]
        self.prints: dict[int, Bars] = {}  # instrument → bars, from its first print on
        self.index, self.dvol = Bars(*VALUES), Bars(*VALUES)
        self.volatility: deque[tuple[int, float]] = deque(maxlen=15 * 24)  # hour's end, realised, per cent a year
        self.marks: deque[tuple[int, Floats]] = deque(maxlen=MARKS)
        self._told = 0
        self._minute = (0, 0.0)  # the present one, and the index as it last was
        self._moved = (0, 0.0)  # minutes of this hour, and their squared log-returns

    def listed(self) -> None:
        """The exchange lists more instruments than before."""
        self.recent += [deque(maxlen=RECENT) for _ in self.exchange.instruments[len(self.recent) :]]

    def printed(self, said: Trades) -> None:
        self.recent[said.instrument].extend(said.trades)
        bars = self.prints.get(said.instrument)
        if bars is None:
            bars = self.prints[said.instrument] = Bars(*PRINTS)
        tick = self.exchange.instruments[said.instrument].tick
        for trade in said.trades:
            off_book = trade.block_trade_id or trade.block_rfq_id or trade.combo_id
            (bars.off_book if off_book else bars.add)(trade.t, trade.price * tick, *self.turnover(trade))

    def turnover(self, trade: Trade) -> tuple[float, float]:
        """Of a trade: in the coin (an option's contracts), and in what its price is quoted in."""
        i = self.exchange.instruments[trade.instrument]
        price, amount = trade.price * i.tick, trade.lots * i.lot
        return (amount, amount * price) if i.kind is Kind.OPTION else (amount / price, amount)

    def marked(self) -> bool:
        """Look at the marks; whether they were told anew since the last time."""
        marks = self.exchange.marks
        if marks.t == self._told:
            return False
        self._told = marks.t
        self.index.add(marks.t, marks.index)
        self.dvol.add(marks.t, marks.dvol)
        self.marks.append((marks.t, marks.price.copy()))
        self._follow(marks.t, marks.index)
        return True

    def realised(self, t: int) -> list[tuple[int, float]]:
        """(time, per cent a year) at the end of each hour, and of the present one so far."""
        minutes, squares = self._moved
        now = [(t // MINUTE_NS * MINUTE_NS, _annual(minutes, squares))] if minutes else []
        return [*self.volatility, *now]

    def day(self, t: int) -> tuple[float, float, float]:
        """The index's low and high, and its change, USD, over 24 hours or since the venue began."""
        bars = self.index.between(t - DAY_NS, t, MINUTE_NS)
        now = self.exchange.marks.index
        if not bars:
            return now, now, 0.0
        return min(bar.low for bar in bars), max(bar.high for bar in bars), now - bars[0].open

    def dump(self) -> dict[str, Any]:
        """Prints and marks as bytes: an evaluation makes thousands of clones."""
        return {
            "recent": msgspec.msgpack.encode([list(trades) for trades in self.recent]),
            "prints": [[n, bars.dump()] for n, bars in self.prints.items()],
            "index": self.index.dump(), "dvol": self.dvol.dump(), "volatility": list(map(list, self.volatility)),
            "marks": [[t, prices.tobytes()] for t, prices in self.marks], "told": self._told,
            "minute": list(self._minute), "moved": list(self._moved),
        }  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        """Into the history of the same listing."""
        kept = msgspec.msgpack.decode(value["recent"], type=list[list[Trade]])
        for trades, old in zip(self.recent, kept, strict=True):
            trades.clear()
            trades.extend(old)
        self.prints = {}
        for n, rows in value["prints"]:
            self.prints[n] = Bars(*PRINTS)
            self.prints[n].load(rows)
        self.index.load(value["index"])
        self.dvol.load(value["dvol"])
        self.volatility = deque(((t, v) for t, v in value["volatility"]), maxlen=self.volatility.maxlen)
        self.marks = deque(((t, np.frombuffer(prices)) for t, prices in value["marks"]), maxlen=MARKS)
        self._told = value["told"]
        (minute, last), (minutes, squares) = value["minute"], value["moved"]
        self._minute, self._moved = (minute, last), (minutes, squares)

    def _follow(self, t: int, index: float) -> None:
        """Realised volatility by the hour, from the index at the end of each minute."""
        minute, last = t // MINUTE_NS, self._minute[1]
        if minute == self._minute[0] or not last:
            self._minute = (minute, last or index)
            return
        count, squares = self._moved
        count, squares = count + 1, squares + math.log(index / last) ** 2
        self._minute, self._moved = (minute, index), (count, squares)
        if minute % 60 == 0:
            self.volatility.append((minute * MINUTE_NS, _annual(count, squares)))
            self._moved = (0, 0.0)


def _annual(minutes: int, squares: float) -> float:
    return 100.0 * math.sqrt(squares / minutes * YEAR_MINUTES)
