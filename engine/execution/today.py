"""The desk's day, from midnight UTC: what was traded, what it came to at the present marks, how many orders it took."""

from __future__ import annotations

import msgspec

from engine.domain import DAY_NS, Instrument, Kind, Side, instrument_of
from engine.execution.picture import Picture


class Traded(msgspec.Struct):
    """One instrument's fills of the day: enough to value them at any mark, whatever their number."""

    net: int = 0  # lots, signed
    lots: int = 0  # both sides together
    notional: int = 0  # Σ signed lots × units
    inverse: float = 0.0  # Σ signed lots ÷ units, of which an inverse future's profit is made
    fees: float = 0.0


class Day(msgspec.Struct):
    """`orders` are those sent; an immediate one that was cancelled counts twice, as the venue counts."""

    start: int = 0
    traded: dict[str, Traded] = {}
    orders: int = 0

    def turn(self, t: int) -> bool:
        """Begin anew where `t` is of a later day; False for one of an earlier day, which no longer counts."""
        midnight = t - t % DAY_NS
        if midnight > self.start:
            self.start, self.traded, self.orders = midnight, {}, 0
        return midnight == self.start

    def fill(self, name: str, side: Side, lots: int, units: int, fee: float) -> None:
        row = self.traded.setdefault(name, Traded())
        row.net += side.sign * lots
        row.lots += lots
        row.notional += side.sign * lots * units
        row.inverse += side.sign * lots / units if units else 0.0
        row.fees += fee


def contracts(day: Day, picture: Picture) -> float:
    """Filled since midnight, both sides together."""
    return sum(
        known(picture, name).amount(row.lots) / known(picture, name).contract for name, row in day.traded.items()
    )


def orders(day: Day, picture: Picture) -> int:
    """Sent since midnight, amends too."""
    return day.orders if day.start == picture.now - picture.now % DAY_NS else 0


def ratio(day: Day, picture: Picture) -> float | None:
    """Orders for each contract filled since midnight; None before the first fill."""
    filled = contracts(day, picture) if orders(day, picture) else 0.0
    return orders(day, picture) / filled if filled else None


def profit(day: Day, picture: Picture) -> float | None:
    """Coin earned since midnight by the fills made since then, at the present marks, fees off; None while a mark is
    missing. The venue's own session figures leave options out, and what an older position was worth at midnight is not
    known here. What has expired and is not quoted any more is taken at its worst: bought for nothing, sold for none."""
    if day.start != picture.now - picture.now % DAY_NS:
        return 0.0
    total = 0.0
    for name, row in day.traded.items():
        instrument, quote = known(picture, name), picture.venue.quotes.get(name)
        mark = quote.mark if quote else None
        if not mark and instrument.expiry and picture.now >= instrument.expiry:
            total += min(-row.notional * instrument.lot * instrument.tick, 0.0) - row.fees
        elif not mark:
            return None
        else:
            total += _value(instrument, row, mark) - row.fees
    return total


def _value(instrument: Instrument, row: Traded, mark: float) -> float:
    if instrument.kind is Kind.OPTION:
        return instrument.lot * (row.net * mark - row.notional * instrument.tick)
    return instrument.lot * (row.inverse / instrument.tick - row.net / mark)


def known(picture: Picture, name: str) -> Instrument:
    """An instrument of the journal may have expired since: its grid is then read from its name."""
    return picture.venue.instruments.get(name) or instrument_of(name)
