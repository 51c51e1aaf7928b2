"""What the paper venue lists: the instruments, chosen from the time it is started at.

The names, grids and fees are the venue's own (VENUE.md, "Instruments"). Expiries are 08:00 UTC: the next day, the
Friday of next week, the month's last Friday and the quarter's last Friday, each later than the one before.

Two ways to choose strikes. A plain listing has the same number at even distances for every expiry. A venue's listing
(`ladders`) is dense near the money and thins out: dailies step by about 0.6 % of the index and quarters by 4 %, and by
twice that or more in the wings (a whole-venue snapshot of August 2026, at 62,700: dailies 500 then 1,000, weeklies
1,000 then 2,000, months 1,000 then 2,000, quarters 2,000 then 5,000 and 10,000).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from engine.domain import DAY_NS, HOUR_NS, MINUTE_NS, NS, Instrument, Kind, expiry_code, instrument_of
from engine.paper.instruments.fees import Fees, period_of

FIRST_EXPIRY_NS = 12 * HOUR_NS  # the nearest expiry is at least this far away, so that a day's desk sees none
STRIKES = 11
LOWEST = 0.2  # of the index: no strike is below
FUTURE_TICK = {"BTC": 2.5}  # of dated futures, in the venue's list of August 2026


class Ladder(msgspec.Struct, frozen=True):
    """One expiry's strikes: `near` on each side of the money at the inner step, then `far` more at the outer one.
    Steps are shares of the index, rounded to the venue's round numbers."""

    inner: float
    near: int
    outer: float
    far: int


LADDERS = (
    Ladder(0.006, 5, 0.01, 2),  # the next day
    Ladder(0.01, 5, 0.02, 3),  # next week's Friday
    Ladder(0.02, 5, 0.05, 3),  # the month
    Ladder(0.05, 5, 0.1, 4),  # the quarter
    Ladder(0.05, 4, 0.1, 4),
    Ladder(0.1, 5, 0.2, 3),
)


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one coin is listed. The small listing of tests and simulations is the same code, smaller numbers.

    `ladders`, one an expiry, take the place of `strikes`; `future_at` (places among the expiries) that of `futures`,
    the farthest. `minutes` lists one more expiry so many minutes after the start, with the first one's strikes.
    """

    coin: str = "BTC"
    index: float = 100_000.0  # USD, where the strikes are centred
    expiries: int = 4
    strikes: int = STRIKES
    futures: int = 2
    ladders: tuple[Ladder, ...] = ()
    future_at: tuple[int, ...] = ()
    minutes: float = 0.0


BTC = Spec(expiries=6, ladders=LADDERS, future_at=(2, 3))
ETH = Spec(coin="ETH", index=4_000.0, expiries=6, ladders=LADDERS, future_at=(2, 3))
DEFAULT: tuple[Spec, ...] = (BTC, ETH)
BTC_ONLY: tuple[Spec, ...] = (BTC,)
SMALL: tuple[Spec, ...] = (Spec(expiries=1, strikes=11, futures=0),)


def listing(start_ns: int, spec: Spec | None = None, fees: Fees | None = None) -> tuple[Instrument, ...]:
    """The perpetual, the dated futures (the farthest expiries), then the options by expiry, strike, call before put.

    A plain listing without a fee table has the fees that an instrument's name alone implies. Raises ValueError where
    the short expiry falls on a day that is listed: their names would be the same.
    """
    spec = spec or Spec()
    days = expiries(start_ns, spec.expiries)
    found = [instrument_of(f"{spec.coin}-PERPETUAL")]
    found += [_future(spec, day) for day in _with_future(spec, days)]
    if spec.minutes:
        short = start_ns + round(spec.minutes * MINUTE_NS)
        if expiry_code(short) in map(expiry_code, days):
            raise ValueError(f"an expiry in {spec.minutes:g} minutes is on {expiry_code(short)}, which is listed")
        found += options(spec, short, 0, spec.index)
    for place, day in enumerate(days):
        found += options(spec, day, place, spec.index)
    return tuple(_priced_by(spec, fees, found))


def renewed(
    t: int, spec: Spec, index: float, known: Sequence[Instrument], fees: Fees | None = None
) -> list[Instrument]:
    """What a venue lists in addition at `t`, around the index of then: expiries that have come near, with no options
    yet among `known`, and dated futures for the places that are to have one. What is listed stays until its expiry."""
    days = expiries(t, spec.expiries)
    futures = {i.expiry for i in known if i.kind is Kind.FUTURE}
    chains = {i.expiry for i in known if i.kind is Kind.OPTION}
    found = [_future(spec, day) for day in _with_future(spec, days) if day not in futures]
    for place, day in enumerate(days):
        if day not in chains:
            found += options(spec, day, place, index)
    return _priced_by(spec, fees, found)


def options(spec: Spec, expiry: int, place: int, index: float) -> list[Instrument]:
    """One expiry's options around `index`, by strike, call before put."""
    if spec.ladders:
        chosen = rungs(index, spec.ladders[min(place, len(spec.ladders) - 1)])
    else:
        chosen = strikes(index, place, spec.strikes)
    names = [f"{spec.coin}-{expiry_code(expiry)}-{strike}-{letter}" for strike in chosen for letter in "CP"]
    return [msgspec.structs.replace(instrument_of(name), expiry=expiry) for name in names]


def priced(instrument: Instrument, fees: Fees) -> Instrument:
    """With the maker's and taker's rates of the fee table."""
    rates = fees.of(instrument, period_of(instrument.expiry))
    return msgspec.structs.replace(instrument, maker_fee=rates.maker, taker_fee=rates.taker)


def _priced_by(spec: Spec, fees: Fees | None, found: list[Instrument]) -> list[Instrument]:
    """By the table, the venue's own for a venue's listing; as their names imply in a plain one without a table."""
    return [priced(i, fees or Fees()) for i in found] if fees or spec.ladders else found


def _with_future(spec: Spec, days: list[int]) -> list[int]:
    """The expiries that have a dated future."""
    return [days[at] for at in spec.future_at] if spec.future_at else days[len(days) - spec.futures :]


def _future(spec: Spec, expiry: int) -> Instrument:
    future = instrument_of(f"{spec.coin}-{expiry_code(expiry)}")
    tick = FUTURE_TICK.get(spec.coin, future.tick) if spec.ladders else future.tick
    return msgspec.structs.replace(future, tick=tick)


def expiries(start_ns: int, count: int = 4) -> list[int]:
    """Increasing expiries, nanoseconds UTC: next day, Friday of next week, month end, quarter end, later quarters."""
    first = _next_day(start_ns)
    chosen = [first, _friday_on_or_after(first + 7 * DAY_NS)]
    month = _last_fridays(chosen[-1], months=range(1, 13))
    quarter = _last_fridays(month[0], months=(3, 6, 9, 12))
    return [*chosen, month[0], *quarter][:count]


def strikes(index: float, place: int, count: int) -> list[int]:
    """Strikes around `index`, wider apart the farther the expiry (place 0 is the nearest)."""
    share = (0.01, 0.02, 0.03, 0.05)[min(place, 3)]
    step = _round_step(index * share)
    middle = round(index / step)
    return [step * (middle + offset) for offset in range(-(count // 2), count - count // 2)]


def rungs(index: float, ladder: Ladder) -> list[int]:
    """The strikes of a venue's ladder around `index`: what would lie too low is added on top."""
    inner, outer = _round_step(index * ladder.inner), _round_step(index * ladder.outer)
    middle = inner * round(index / inner)
    low, high = [middle], [middle]
    for place in range(ladder.near + ladder.far):
        step = inner if place < ladder.near else outer
        high.append((high[-1] // step + 1) * step)
        lower = -(-low[-1] // step) * step - step
        if lower >= LOWEST * index:
            low.append(lower)
        else:
            high.append((high[-1] // step + 1) * step)
    return [*reversed(low[1:]), *high]


def _round_step(wanted: float) -> int:
    steps: Sequence[int] = (5, 10, 20, 25, 50, 100, 250, 500, 1000, 2000, 2500, 5000, 10_000, 20_000)
    return min(steps, key=lambda step: abs(step - wanted))


def _next_day(start_ns: int) -> int:
    day = _at_eight(dt.datetime.fromtimestamp(start_ns // NS, dt.UTC).date())
    while day < start_ns + FIRST_EXPIRY_NS:
        day += DAY_NS
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
