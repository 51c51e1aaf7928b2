"""The nouns of the desk: instruments, sides, ticks and lots.

Inside Tidegate a price is an integer count of the instrument's smallest tick and a size is an integer
count of its smallest lot; decimals exist only at the wire and on the screen. The reason is that books,
fills and limits are compared for equality all day, and a float that is almost equal is a wrong trade.

A *unit* is one smallest tick. A *tick*, said to a person, is the venue's tick at that price: it can be
several units (Deribit's BTC options step by 0.0001 below 0.005 and by 0.0005 above).
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from enum import StrEnum
from functools import lru_cache

import msgspec

NS = 1_000_000_000
MS = 1_000_000  # of the venue's times, in ns
MINUTE_NS, HOUR_NS, DAY_NS, YEAR_NS = 60 * NS, 3600 * NS, 24 * 3600 * NS, 365 * 24 * 3600 * NS
NEVER = 2**62  # later than any time, in ns
OPTION_FEE_CAP = 0.125  # of the premium; VENUE.md, "Fees"
MAX_UNITS = 2**53  # above this a float no longer counts every integer


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Kind(StrEnum):
    OPTION = "option"
    FUTURE = "future"
    PERPETUAL = "perpetual"


class OffGrid(ValueError):
    """A decimal that is not a whole number of ticks or lots. Its text is fit for a person."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """What is traded, and the two grids it is traded on.

    `tick` and `lot` are the smallest price and size steps in decimals; `tick_steps` lists (above price,
    tick) for the coarser steps. `expiry` is nanoseconds UTC, 0 for a perpetual. `strike` is USD, 0 unless
    an option. `contract` is coin per contract for options and USD per contract for futures.
    """

    name: str
    kind: Kind
    coin: str
    tick: float
    lot: float
    contract: float = 1.0
    tick_steps: tuple[tuple[float, float], ...] = ()
    expiry: int = 0
    strike: float = 0.0
    call: bool = False
    maker_fee: float = 0.0003
    taker_fee: float = 0.0003

    def units(self, price: float) -> int:
        """Decimal price → units. Raises OffGrid if it lies between two units."""
        return _count(price, self.tick, "price")

    def price(self, units: float) -> float:
        """Units → decimal price, rounded to the grid's own number of digits."""
        return round(units * self.tick, _digits(self.tick))

    def lots(self, amount: float) -> int:
        """Decimal amount → lots. Raises OffGrid if it lies between two lots."""
        return _count(amount, self.lot, "amount")

    def amount(self, lots: float) -> float:
        return round(lots * self.lot, _digits(self.lot))

    def contracts(self, count: float) -> int:
        """A size set in contracts → the nearest whole lots, at least one: for settings, which need not be exact."""
        return max(round(count * self.contract / self.lot), 1)

    def tick_units(self, units: float) -> int:
        """The venue's tick at this price, in units: what a person calls one tick."""
        if not self.tick_steps:
            return 1
        bounds = [above / self.tick for above, _ in self.tick_steps]
        index = bisect_right(bounds, units - 1e-9)  # "above": the bound itself still has the finer tick
        return 1 if index == 0 else max(1, round(self.tick_steps[index - 1][1] / self.tick))

    def on_tick(self, units: int) -> bool:
        return units % self.tick_units(units) == 0

    def floor_tick(self, units: float) -> int:
        """The highest allowed price at or below."""
        step = self.tick_units(units)
        return math.floor(units / step + 1e-9) * step

    def ceil_tick(self, units: float) -> int:
        """The lowest allowed price at or above."""
        step = self.tick_units(units)
        return math.ceil(units / step - 1e-9) * step

    def step(self, units: int, ticks: int) -> int:
        """Move a price by whole ticks, each as large as the grid has it on the way. Never below one unit."""
        for _ in range(abs(ticks)):
            if ticks > 0:
                units = self.floor_tick(units) + self.tick_units(units + 1)
            else:
                units = self.ceil_tick(units) - self.tick_units(units)
        return max(units, 1)

    def years(self, now: int) -> float:
        """Time to expiry, ACT/365; 0 for a perpetual or after expiry."""
        return max(self.expiry - now, 0) / YEAR_NS if self.expiry else 0.0


def _count(value: float, step: float, what: str) -> int:
    if not math.isfinite(value):
        raise OffGrid(f"{what} {value} is not a number")
    count = value / step
    if abs(count) > MAX_UNITS:
        raise OffGrid(f"{what} {value:.12g} is beyond what can be counted")
    nearest = round(count)
    if abs(count - nearest) > 1e-6 * max(1.0, abs(count)) or abs(count - nearest) > 0.01:
        raise OffGrid(f"{what} {value:.12g} is not a multiple of {step:.12g}")
    return nearest


@lru_cache(maxsize=64)
def _digits(step: float) -> int:
    """Decimal digits that show every multiple of `step` exactly: 4 for 0.0005, 1 for 2.5, 0 for 10."""
    return len(f"{step:.10f}".rstrip("0").partition(".")[2])


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def expiry_of(text: str) -> int:
    """`27MAR26` → nanoseconds UTC of 08:00 that day. Raises ValueError."""
    figures = text[:-5] + text[-2:]
    if len(text) not in (6, 7) or text[-5:-2] not in _MONTHS or not (figures.isascii() and figures.isdigit()):
        raise ValueError(f"'{text}' is not an expiry like 27MAR26")
    day, month, year = int(text[:-5]), _MONTHS.index(text[-5:-2]) + 1, 2000 + int(text[-2:])
    return int(dt.datetime(year, month, day, 8, tzinfo=dt.UTC).timestamp()) * NS


def expiry_code(expiry: int) -> str:
    """Nanoseconds UTC → `27MAR26`, as the venue writes it (no leading zero)."""
    when = dt.datetime.fromtimestamp(expiry // NS, dt.UTC)
    return f"{when.day}{_MONTHS[when.month - 1]}{when.year % 100:02d}"


def instrument_of(name: str) -> Instrument:
    """An inverse BTC or ETH instrument from its name alone, for recordings without an instrument list.

    Ticks and lots are the venue's of today's published grid, at its finest; raises ValueError for a name
    that is not of the form `BTC-27MAR26-80000-C`, `BTC-27MAR26` or `BTC-PERPETUAL`.
    """
    parts = name.split("-")
    coin = parts[0]
    if coin not in ("BTC", "ETH") or len(parts) not in (2, 4):
        raise ValueError(f"'{name}' is not an inverse BTC or ETH instrument")
    if len(parts) == 4:
        if parts[3] not in ("C", "P"):
            raise ValueError(f"'{name}' is neither a call nor a put")
        strike = float(parts[2])
        if not 0.0 < strike < math.inf:
            raise ValueError(f"'{name}' has no strike")
        return Instrument(
            name=name, kind=Kind.OPTION, coin=coin, tick=0.0001, lot=0.1 if coin == "BTC" else 1.0,
            tick_steps=((0.005, 0.0005),), expiry=expiry_of(parts[1]), strike=strike, call=parts[3] == "C",
        )  # fmt: skip
    tick = 0.5 if coin == "BTC" else 0.05
    lot, contract = (10.0, 10.0) if coin == "BTC" else (1.0, 1.0)
    if parts[1] == "PERPETUAL":
        return Instrument(name=name, kind=Kind.PERPETUAL, coin=coin, tick=tick, lot=lot, contract=contract,
                          maker_fee=0.0, taker_fee=0.0005)  # fmt: skip
    return Instrument(name=name, kind=Kind.FUTURE, coin=coin, tick=tick, lot=lot, contract=contract,
                      expiry=expiry_of(parts[1]), maker_fee=0.0, taker_fee=0.0005)  # fmt: skip
