"""What the venue tells, in the desk's own terms: quotes, prints, resting orders, answers.

The wire's types are turned into these where they enter; beyond this room nobody sees a percentage of volatility or a
decimal that is off the grid.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from engine.domain import Instrument, Side
from engine.market.deribit import wire

T = TypeVar("T")

SMALLEST = 1e-9  # USD
NO_VALUE = 9.99  # volatility, a fraction: the venue writes 999 % where there is none


class Quote(msgspec.Struct):
    """The newest ticker of an instrument. Prices and sizes decimal, IVs fractions, `t` the venue's time in ns."""

    t: int
    state: str = "open"
    mark: float | None = None
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    mark_iv: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    forward: float | None = None
    index: float | None = None
    estimated: float | None = None  # delivery price as of now: in the last half hour the index's average so far
    funding: float | None = None
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    lowest: float | None = None  # the venue takes no order below, nor above the next
    highest: float | None = None


class Print(msgspec.Struct, frozen=True):
    """A public trade. `plain` is false for blocks, RFQs and combos, which stay out of flow."""

    t: int
    units: int
    lots: int
    side: Side
    plain: bool
    liquidation: bool
    trade: str


class Resting(msgspec.Struct, frozen=True):
    """An order of this account at the venue, ours or made elsewhere."""

    instrument: str
    side: Side
    units: int
    lots: int
    label: str


class Changes(msgspec.Struct, frozen=True):
    """News: orders and fills of this account."""

    orders: list[wire.OrderData]
    trades: list[wire.UserTradeData]


class Answered(msgspec.Struct, frozen=True):
    """News: the answer to one of our calls."""

    call: str
    method: str
    result: bytes | None
    error: wire.VenueError | None

    def read(self, kind: type[T]) -> T | None:
        """The result as this type; None if there is none, or if it is not what it should be: as good as no answer."""
        if self.result is None:
            return None
        try:
            return msgspec.json.decode(self.result, type=kind)
        except msgspec.DecodeError:
            return None


News = Changes | Answered


class Placed(msgspec.Struct, frozen=True):
    """The answer to buy, sell and edit."""

    order: wire.OrderData
    trades: list[wire.UserTradeData] = []


def quote_of(data: wire.TickerData) -> Quote:
    """A ticker → the newest quote of its instrument."""
    greeks = data.greeks or wire.Greeks()
    return Quote(
        t=data.timestamp * wire.MS,
        state=data.state,
        mark=data.mark_price,
        bid=data.best_bid_price or None,
        ask=data.best_ask_price or None,
        bid_size=data.best_bid_amount or None,
        ask_size=data.best_ask_amount or None,
        mark_iv=_vol(data.mark_iv),
        bid_iv=_vol(data.bid_iv),
        ask_iv=_vol(data.ask_iv),
        forward=_usd(data.underlying_price),
        index=data.index_price,
        estimated=_usd(data.estimated_delivery_price),
        funding=data.current_funding,
        delta=greeks.delta,
        gamma=greeks.gamma,
        vega=greeks.vega,
        lowest=data.min_price,
        highest=data.max_price,
    )


def vol_of(iv: float | None) -> float | None:
    """The venue's IV, a fraction; 0 and 999 % mean "no value"."""
    return iv if iv and 0.0 < iv < NO_VALUE else None


def _vol(per_cent: float | None) -> float | None:
    return vol_of(per_cent / 100) if per_cent else None


def _usd(price: float | None) -> float | None:
    """A price of the coin itself; what is no such price (nothing, 0, less, beyond measure) is none."""
    return price if price and SMALLEST < price < 1.0 / SMALLEST else None


def epoch_of(hello: Any) -> str:
    """A paper venue states its epoch in its version; a real one has none."""
    version = hello.get("version", "") if isinstance(hello, dict) else ""
    return version.partition("epoch=")[2].split(" ")[0] if isinstance(version, str) else ""


def tradable(rows: list[wire.InstrumentData]) -> Iterable[Instrument]:
    for row in rows:
        try:
            yield wire.instrument_of(row)
        except ValueError:
            continue  # spot, combos, linear: not what this desk trades
