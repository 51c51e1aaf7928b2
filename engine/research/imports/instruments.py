"""Which instruments a recording holds: as the venue listed them, else from their names and the decimals they show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from engine import domain
from engine.domain import Instrument, Kind, OffGrid
from engine.market.deribit.wire import (
    BookData,
    Event,
    InstrumentData,
    Push,
    Reply,
    TickerData,
    TradeData,
    instrument_of,
)
from engine.research.imports.grid import divisor

ABSURD = 1e12  # no price or amount is so large: it says nothing of a grid
_instruments = msgspec.json.Decoder(list[InstrumentData])


class Seen:
    """What frames say about their instruments: names in order, the decimals of prices and amounts, answers; and which
    of them have a book."""

    def __init__(self) -> None:
        self.prices: dict[str, set[float]] = {}
        self.amounts: dict[str, set[float]] = {}
        self.listed: dict[str, InstrumentData] = {}
        self.books: set[str] = set()

    def take(self, event: Event) -> None:
        match event:
            case Push(data=BookData() as data):
                levels = [*data.bids, *data.asks]
                self._add(data.instrument_name, [l[1] for l in levels], [l[2] for l in levels])
                self.books.add(data.instrument_name)
            case Push(data=TickerData() as data):
                best = [(data.best_bid_price, data.best_bid_amount), (data.best_ask_price, data.best_ask_amount)]
                self._add(data.instrument_name, [p for p, _ in best if p], [a for _, a in best if a])
            case Push(data=[TradeData(), *_] as trades):
                for trade in trades:
                    self._add(trade.instrument_name, [trade.price], [trade.amount])
            case Reply(result=msgspec.Raw() as result):
                self._list(bytes(result))

    def merge(self, other: Seen) -> None:
        for name in other.prices:
            self._add(name, other.prices[name], other.amounts[name])
        self.listed |= other.listed
        self.books |= other.books

    def _add(self, name: str, prices: Iterable[float], amounts: Iterable[float]) -> None:
        self.prices.setdefault(name, set()).update(price for price in prices if 0 < price < ABSURD)
        self.amounts.setdefault(name, set()).update(amount for amount in amounts if 0 < amount < ABSURD)

    def _list(self, result: bytes) -> None:
        if b'"instrument_name"' not in result[:4096] or b'"tick_size"' not in result[:4096]:
            return
        try:
            self.listed |= {data.instrument_name: data for data in _instruments.decode(result)}
        except msgspec.DecodeError:
            return  # another answer that happens to name these


def instruments_seen(seen: Seen, listed: Mapping[str, InstrumentData]) -> tuple[tuple[Instrument, ...], list[str]]:
    """Those that occur, in the order they do, and notes on what had to be inferred. `listed` is what lay beside."""
    notes: list[str] = []
    known = {**listed, **seen.listed}
    found: dict[str, Instrument] = {}
    unlisted: list[Instrument] = []
    for name in seen.prices:
        try:
            if name in known:
                found[name] = instrument_of(known[name])
            else:
                unlisted.append(domain.instrument_of(name))
        except ValueError as error:
            notes.append(f"left out: {error}")
    found |= {instrument.name: instrument for instrument in _inferred(unlisted, seen, notes)}
    return tuple(found[name] for name in seen.prices if name in found), notes


def _inferred(instruments: list[Instrument], seen: Seen, notes: list[str]) -> list[Instrument]:
    """Today's grid, or another where the decimals say so; one grid for all of a coin and kind."""
    out: list[Instrument] = []
    for coin, kind in dict.fromkeys((i.coin, i.kind) for i in instruments):
        group = [i for i in instruments if (i.coin, i.kind) == (coin, kind)]
        out += _regrid(group, seen, notes, f"{coin} {kind}s")
    return out


def _regrid(group: list[Instrument], seen: Seen, notes: list[str], who: str) -> list[Instrument]:
    first = group[0]
    prices = {(i.name, price) for i in group for price in seen.prices[i.name]}
    amounts = {amount for i in group for amount in seen.amounts[i.name]}
    tick, steps, lot = first.tick, first.tick_steps, first.lot
    if _off(first.units, (price for _, price in prices)):
        tick, steps = divisor([first.tick, *(price for _, price in prices)]), ()
    elif first.kind is Kind.OPTION and _coarse(prices, steps):
        tick, steps = steps[0][1], ()
    if _off(first.lots, amounts):
        lot = divisor([first.lot, *amounts])
    grid = f"tick {tick:g}{''.join(f', {step:g} above {above:g}' for above, step in steps)}, lot {lot:g}"
    how = "as published today" if (tick, lot, steps) == (first.tick, first.lot, first.tick_steps) else "as observed"
    notes.append(f"no instrument list: the {len(group)} {who} are known by their names; {grid}, {how}")
    return [msgspec.structs.replace(i, tick=tick, tick_steps=steps, lot=lot) for i in group]


def _coarse(prices: set[tuple[str, float]], steps: tuple[tuple[float, float], ...]) -> bool:
    """Whether the coarse tick holds throughout: at least five levels where the fine one was possible, none on it."""
    above, step = steps[0]
    low = [price for _, price in prices if price <= above]
    return len(low) >= 5 and all(abs(price / step - round(price / step)) < 1e-6 for price in low)


def _off(count: Callable[[float], int], decimals: Iterable[float]) -> bool:
    try:
        for decimal in decimals:
            count(decimal)
    except OffGrid:
        return True
    return False
