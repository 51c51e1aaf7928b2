"""The present state, for channels that say a state and not an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.market.deribit.data import StatisticsData, WindowData
from engine.paper.protocol.bars import RESOLUTIONS
from engine.paper.protocol.channels import Topic
from engine.paper.protocol.history import History
from engine.paper.protocol.statements import Statements

HIGH_VOLATILITY = 100.0  # of the index over the last hour, per cent a year


class Present:
    """`families` says each of its families' state: (topic, time) → data, None where there is none yet."""

    def __init__(self, say: Statements, history: History) -> None:
        self.say, self.history = say, history
        self.families: dict[str, Callable[[Topic, int], Any | None]] = {
            "ticker": lambda topic, t: say.ticker(topic.numbers[0], t),
            "window": lambda topic, t: say.window(topic.numbers[0], t, topic.depth, topic.group),
            "quote": lambda topic, t: say.quote(topic.numbers[0], t),
            "perpetual": lambda topic, t: say.perpetual(t),
            "markprice.options": lambda topic, t: say.mark_prices(t),
            "deribit_price_index": lambda topic, t: say.index(t),
            "deribit_price_ranking": lambda topic, t: say.ranking(t),
            "deribit_price_statistics": self._statistics,
            "deribit_volatility_index": lambda topic, t: say.dvol(t),
            "estimated_expiration_price": lambda topic, t: say.expiration_price(t),
            "chart.trades": self._chart,
        }

    def _statistics(self, topic: Topic, t: int) -> StatisticsData:
        low, high, change = self.history.day(t)
        wild = any(value > HIGH_VOLATILITY for _, value in self.history.realised(t)[-1:])
        return StatisticsData(index_name=self.say.index_name, low24h=round(low, 2), high24h=round(high, 2),
                              change24h=round(change, 2), high_volatility=wild)  # fmt: skip

    def _chart(self, topic: Topic, t: int) -> Any | None:
        (n,) = topic.numbers
        bars = self.history.prints.get(n)
        bar = bars.last(t, RESOLUTIONS[topic.resolution]) if bars is not None else None
        return None if bar is None else self.say.chart(n, bar)


def content(data: Any) -> Any:
    """What of it is news when it changes: not the time, nor a change id that deeper levels move too."""
    if isinstance(data, WindowData):
        return data.bids, data.asks
    return msgspec.structs.replace(data, timestamp=0)
