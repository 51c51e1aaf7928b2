"""One moment of a whole venue: every option's bid and ask, and the futures they hang on.

Two files of this kind are known: the venue's summaries with its instrument list ("as_of", "futures", "options",
"instruments"), and quotes with implied volatilities ("inputs" of spot, forwards and options).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pandas as pd

from engine.domain import NS, Instrument, Kind, expiry_code, instrument_of
from engine.research.imports.found import Bad, BadLine, BadRecording, Progress, silent
from engine.research.imports.lines import whole

LARGEST = 1 << 26  # bytes


class Two(NamedTuple):
    """A bid and an ask, NaN where there is none."""

    bid: float
    ask: float


class Surface:
    """A snapshot. `t` ns UTC; `spot` the perpetual's or the spot's quotes in USD; `forwards` a future's, by its expiry
    (ns); `table` one row an option: `instrument`, `coin`, `expiry`, `strike`, `call`, `bid` and `ask` in coin, `bid_iv`
    and `ask_iv` as fractions, `open_interest`, `tick`; NaN where the file says nothing. Raises BadRecording."""

    def __init__(self, path: Path, progress: Progress = silent) -> None:
        self.path = path
        found, self._bad = _document(path), Bad(path.name)
        self.spot = Two(math.nan, math.nan)
        self.forwards: dict[int, Two] = {}
        self.instruments: tuple[Instrument, ...] = ()
        self._rows: list[dict[str, Any]] = []
        self.format, read = _SHAPES[isinstance(found, _Summaries)]
        try:
            read(self, found)
        except (ValueError, OverflowError) as error:
            raise BadRecording(f"'{path}' cannot be read as a surface: {error}") from None
        if not self._rows:
            raise BadRecording(f"'{path}' holds no option")
        self.table = pd.DataFrame(self._rows)
        self.bad: tuple[BadLine, ...] = tuple(self._bad.listed)
        self.bad_count = self._bad.count
        one_sided = int((self.table["bid"].isna() | self.table["ask"].isna()).sum())
        self.notes = (f"{one_sided} of {len(self.table)} options have no bid or no ask",)
        progress(1.0)

    def _summaries(self, found: _Summaries) -> None:
        self.t = _ns(found.as_of)
        listed = self._listed(found.instruments)
        for number, future in enumerate(found.futures, 1):
            self._future(number, future, listed)
        for number, option in enumerate(found.options, len(found.futures) + 1):
            known = listed.get(option.instrument_name) or _known(option.instrument_name)
            quotes = _two(option.bid_price, option.ask_price)
            if known is None or known.kind is not Kind.OPTION or quotes is None:
                self._bad.add(number, f"'{option.instrument_name[:40]}' is no inverse option, or its quotes are none")
            else:
                self._take(known, quotes, Two(math.nan, math.nan), option.open_interest)
        self.instruments = tuple(listed.values())

    def _listed(self, instruments: list[_Listed]) -> dict[str, Instrument]:
        """The inverse ones, each with the tick that the list gives it."""
        known = {each.instrument_name: _known(each.instrument_name) for each in instruments}
        ticks = {each.instrument_name: each.tick_size for each in instruments if 0 < each.tick_size < 1e6}
        return {
            name: one if one.tick == ticks[name] else msgspec.structs.replace(one, tick=ticks[name], tick_steps=())
            for name, one in known.items()
            if one is not None and name in ticks
        }

    def _future(self, number: int, future: _Summary, listed: Mapping[str, Instrument]) -> None:
        known = listed.get(future.instrument_name) or _known(future.instrument_name)
        quotes = _two(future.bid_price, future.ask_price)
        if known is None or quotes is None:
            self._bad.add(number, f"'{future.instrument_name[:40]}' is no inverse future, or its quotes are none")
        elif known.kind is Kind.PERPETUAL:
            self.spot = quotes
        else:
            self.forwards[known.expiry] = quotes

    def _quotes(self, found: _Quotes) -> None:
        self.t = _ns(found.quote_curve.ref_date)
        coin = found.asset.upper()
        for number, quote in enumerate(found.inputs, 1):
            quotes = _two(quote.bid, quote.ask)
            if quotes is None:
                self._bad.add(number, "its bid is not below its ask, or one is no price")
            elif quote.security_type == "spot":
                self.spot = quotes
            elif quote.maturity is None:
                self._bad.add(number, "it has no maturity")
            elif quote.security_type == "forward":
                self.forwards[_ns(quote.maturity)] = quotes
            else:
                self._option(number, coin, quote, quotes)

    def _option(self, number: int, coin: str, quote: _Quote, quotes: Two) -> None:
        right = "C" if quote.option_type == "call" else "P" if quote.option_type == "put" else "?"
        name = f"{coin}-{expiry_code(_ns(quote.maturity or ''))}-{quote.strike:.12g}-{right}"
        known = _known(name)
        if known is None or not quote.inverse:
            self._bad.add(number, f"'{name}' is not an inverse option")
            return
        ivs = _two(quote.iv_bid, quote.iv_ask)
        self._take(known, quotes, ivs or Two(math.nan, math.nan), quote.open_interest)

    def _take(self, option: Instrument, quotes: Two, ivs: Two, open_interest: float | None) -> None:
        self._rows.append({
            "instrument": option.name, "coin": option.coin, "expiry": option.expiry, "strike": option.strike,
            "call": option.call, "bid": quotes.bid, "ask": quotes.ask, "bid_iv": ivs.bid, "ask_iv": ivs.ask,
            "open_interest": math.nan if open_interest is None else open_interest, "tick": option.tick,
        })  # fmt: skip


class _Summary(msgspec.Struct):
    instrument_name: str
    bid_price: float | None = None
    ask_price: float | None = None
    open_interest: float | None = None


class _Listed(msgspec.Struct):
    instrument_name: str
    tick_size: float


class _Summaries(msgspec.Struct):
    as_of: str
    futures: list[_Summary]
    options: list[_Summary]
    instruments: list[_Listed]


class _Quote(msgspec.Struct):
    security_type: str
    bid: float | None = None
    ask: float | None = None
    open_interest: float | None = None
    maturity: str | None = None
    strike: float = 0.0
    option_type: str | None = None
    iv_bid: float | None = None
    iv_ask: float | None = None
    inverse: bool = True


class _Curve(msgspec.Struct):
    ref_date: str


class _Quotes(msgspec.Struct):
    asset: str
    quote_curve: _Curve
    inputs: list[_Quote]


_Reader = Callable[[Surface, Any], None]
_SHAPES: dict[bool, tuple[str, _Reader]] = {
    True: ("Deribit summaries", Surface._summaries),
    False: ("option quotes", Surface._quotes),
}


def _document(path: Path) -> _Summaries | _Quotes:
    try:
        text = whole(path, LARGEST)
        shape: Any = _Summaries if b'"as_of"' in text[:64] else _Quotes
        found: _Summaries | _Quotes = msgspec.json.decode(text, type=shape, strict=False)
        return found
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecording(f"'{path}' cannot be read as a surface: {error}") from None
    except ValueError as error:
        raise BadRecording(f"'{path}' {error}") from None


def _known(name: str) -> Instrument | None:
    try:
        return instrument_of(name)
    except ValueError:
        return None


def _two(bid: float | None, ask: float | None) -> Two | None:
    """Quotes, a missing or zero one as NaN; None where they cannot be quotes."""
    if any(price is not None and not (math.isfinite(price) and price >= 0) for price in (bid, ask)):
        return None
    if bid and ask and bid >= ask:
        return None
    return Two(bid or math.nan, ask or math.nan)


def _ns(text: str) -> int:
    when = dt.datetime.fromisoformat(text)
    since = (when if when.tzinfo else when.replace(tzinfo=dt.UTC)) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since.days * 86400 + since.seconds) * NS + since.microseconds * 1000
