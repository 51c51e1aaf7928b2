"""What the paper venue lists: the instruments, chosen from the time it is started at.

The names, grids and fees are the venue's own (VENUE.md, "Instruments"). Expiries are 08:00 UTC: the next day, the
Friday of next week, the month's last Friday and the quarter's last Friday, each later than the one before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from engine.domain import NS, Instrument, expiry_code, instrument_of

HOUR_NS = 3600 * NS
FIRST_EXPIRY_NS = 12 * HOUR_NS  # the nearest expiry is at least this far away, so that a day's desk sees none
STRIKES = 11


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """How much is listed. The small listing of tests and simulations is the same code with smaller numbers."""

    coin: str = "BTC"
    index: float = 100_000.0  # USD, where the strikes are centred
    expiries: int = 4
    strikes: int = STRIKES
    futures: int = 2


def listing(start_ns: int, spec: Spec | None = None) -> tuple[Instrument, ...]:
    """The perpetual, the dated futures (the farthest expiries), then the options by expiry, strike, call before put."""
    spec = spec or Spec()
    days = expiries(start_ns, spec.expiries)
    names = [f"{spec.coin}-PERPETUAL"]
    names += [f"{spec.coin}-{expiry_code(day)}" for day in days[len(days) - spec.futures :]]
    for place, day in enumerate(days):
        for strike in strikes(spec.index, place, spec.strikes):
            names += [f"{spec.coin}-{expiry_code(day)}-{strike}-{letter}" for letter in "CP"]
    return tuple(instrument_of(name) for name in names)


def expiries(start_ns: int, count: int = 4) -> list[int]:
    """Increasing expiries, nanoseconds UTC: next day, Friday of next week, month end, quarter end, later quarters."""
    first = _next_day(start_ns)
    chosen = [first, _friday_on_or_after(first + 7 * 24 * HOUR_NS)]
    month = _last_fridays(chosen[-1], months=range(1, 13))
    quarter = _last_fridays(month[0], months=(3, 6, 9, 12))
    return [*chosen, month[0], *quarter][:count]


def strikes(index: float, place: int, count: int) -> list[int]:
    """Strikes around `index`, wider apart the farther the expiry (place 0 is the nearest)."""
    share = (0.01, 0.02, 0.03, 0.05)[min(place, 3)]
    step = _round_step(index * share)
    middle = round(index / step)
    return [step * (middle + offset) for offset in range(-(count // 2), count - count // 2)]


def _round_step(wanted: float) -> int:
    steps: Sequence[int] = (100, 250, 500, 1000, 2000, 2500, 5000, 10000)
    return min(steps, key=lambda step: abs(step - wanted))


def _next_day(start_ns: int) -> int:
    day = _at_eight(dt.datetime.fromtimestamp(start_ns // NS, dt.UTC).date())
    while day < start_ns + FIRST_EXPIRY_NS:
        day += 24 * HOUR_NS
    return day


def _friday_on_or_after(t: int) -> int:
    date = dt.datetime.fromtimestamp(t // NS, dt.UTC).date()
    return _at_eight(date + dt.timedelta(days=(4 - date.weekday()) % 7))


def _last_fridays(after: int, months: Sequence[int]) -> list[int]:
    """The last Fridays of the given months, later than `after`, over the next two years."""
    year = dt.datetime.fromtimestamp(after // NS, dt.UTC).year
    found = [_last_friday(y, m) for y in (year, year + 1, year + 2) for m in months]
    return [friday for friday in found if friday > after]


def _last_friday(year: int, month: int) -> int:
    last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
    return _at_eight(last - dt.timedelta(days=(last.weekday() - 4) % 7))


def _at_eight(date: dt.date) -> int:
    return int(dt.datetime(date.year, date.month, date.day, 8, tzinfo=dt.UTC).timestamp()) * NS
