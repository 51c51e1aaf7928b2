"""The market of another venue's perpetual, told in frames of ours: so that a recording of it goes through the desk's
own market, and its features are made by the code that makes them live.

What is made up: the name, `BTC-PERPETUAL`, since that is the market which the desk reads a coin's flow from; the chain
of change ids; and for a linear contract the size, which is coin there. It is counted in USD at the recording's first
price, as an inverse contract's is. Only the levels that the desk looks at are told.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.domain import MS, Instrument, Kind
from engine.forecast.baseline import DEPTH
from engine.market.deribit.data import BookData, Level, TradeData
from engine.market.deribit.frames import notification
from engine.research.imports import EventRecording, Level2, Printed
from engine.research.imports.events import Levels
from engine.research.recorded import INVERSE_USD
from engine.research.track import tops


def told_as(log: EventRecording) -> Instrument:
    """What the recorded market is to the desk. Raises ValueError for one that never quotes two sides."""
    coin = log.symbol.partition("USD")[0]
    usd = INVERSE_USD if log.inverse else _first_price(log)
    return Instrument(
        name=f"{coin}-PERPETUAL", kind=Kind.PERPETUAL, coin=coin, tick=log.tick, lot=round(log.lot * usd, 6),
        contract=INVERSE_USD if log.inverse else 1.0,
    )  # fmt: skip


def _first_price(log: EventRecording) -> float:
    for _, bids, asks in tops(log, 1):
        if bids and asks:
            return bids[0][0]
    raise ValueError(f"the recording of {log.symbol} never shows both sides of its book")


def frames(log: EventRecording, instrument: Instrument) -> Iterator[tuple[int, bytes]]:
    """`(t ns, frame)`, from the first whole book on, in order of time."""
    teller = _Teller(instrument, log.lot)
    for event, bids, asks in tops(log, DEPTH):
        if isinstance(event, Printed):
            yield event.t, teller.printed(event)
        elif isinstance(event, Level2) and event.snapshot:
            known = bool(event.bids or event.asks)
            yield event.t, teller.whole(event.t, bids, asks) if known else teller.lost(event.t)
        elif (changed := teller.changed(event.t, bids, asks)) is not None:
            yield event.t, changed


class _Teller:
    """What our frames have said so far."""

    def __init__(self, instrument: Instrument, lot: float) -> None:
        self.instrument, self.lot = instrument, lot
        self.id = self.trades = 0
        self.known = False
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    def whole(self, t: int, bids: Levels, asks: Levels) -> bytes:
        self.known, self.bids, self.asks = True, {}, {}
        return self._book(t, "snapshot", self._levels(self.bids, bids), self._levels(self.asks, asks))

    def changed(self, t: int, bids: Levels, asks: Levels) -> bytes | None:
        levels = (self._levels(self.bids, bids), self._levels(self.asks, asks)) if self.known else ([], [])
        return self._book(t, "change", *levels) if levels[0] or levels[1] else None

    def lost(self, t: int) -> bytes:
        """A change that follows on nothing: whoever hears it drops the book, until the next whole one."""
        self.known = False
        self.id += 1
        return self._book(t, "change", [], [])

    def printed(self, event: Printed) -> bytes:
        self.trades += 1
        data = TradeData(
            trade_seq=self.trades, trade_id=f"{self.instrument.name}-{self.trades}", timestamp=event.t // MS,
            instrument_name=self.instrument.name, price=event.price, amount=self._amount(event.size),
            direction="buy" if event.sign > 0 else "sell",
        )  # fmt: skip
        return notification(f"trades.{self.instrument.name}.raw", [data])

    def _levels(self, before: dict[float, float], now: Levels) -> list[Level]:
        """What makes `before` the levels of now, and makes it so."""
        prices = {price for price, _ in now}
        out: list[Level] = [("delete", price, 0.0) for price in before if price not in prices]
        for _, price, _ in out:
            del before[price]
        for price, size in now:
            if before.get(price) != size:
                out.append(("change" if price in before else "new", price, self._amount(size)))
                before[price] = size
        return out

    def _book(self, t: int, kind: str, bids: list[Level], asks: list[Level]) -> bytes:
        self.id += 1
        snapshot = kind == "snapshot"
        data = BookData(
            type="snapshot" if snapshot else "change", timestamp=t // MS, instrument_name=self.instrument.name,
            change_id=self.id, prev_change_id=None if snapshot else self.id - 1, bids=bids, asks=asks,
        )  # fmt: skip
        return notification(f"book.{self.instrument.name}.raw", data)

    def _amount(self, size: float) -> float:
        return self.instrument.amount(round(size / self.lot))
