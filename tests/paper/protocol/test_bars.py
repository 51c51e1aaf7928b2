"""Bars against a slow reference: all prints kept, put together anew for each question."""

from __future__ import annotations

import datetime as dt
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import DAY_NS, HOUR_NS, MINUTE_NS, NS
from engine.paper.protocol.bars import POINTS, RESOLUTIONS, WEEK_NS, Bar, Bars, after, slot

T0 = 1_772_409_600 * NS  # Monday 2 March 2026, 00:00 UTC
BASES = ((MINUTE_NS, 1440), (HOUR_NS, 744))
Print = tuple[int, float, float]  # seconds since T0, price, volume

prints = st.lists(
    st.tuples(st.integers(0, 6 * 3600), st.integers(1, 9).map(float), st.integers(1, 5).map(float)), min_size=1
).map(sorted)


def slow(rows: list[Print], start: int, end: int, period: int) -> dict[int, Bar]:
    found: dict[int, Bar] = {}
    for second, price, volume in rows:
        t = T0 + second * NS
        at = t // period * period
        if not start <= at <= end:
            continue
        bar = found.setdefault(at, Bar(at, price, price, price, price))
        bar.high, bar.low, bar.close = max(bar.high, price), min(bar.low, price), price
        bar.volume += volume
    return found


def bars_of(rows: list[Print]) -> Bars:
    bars = Bars(*BASES)
    for second, price, volume in rows:
        bars.add(T0 + second * NS, price, volume)
    return bars


@given(prints, st.sampled_from(["1", "3", "15", "60", "180", "1D"]), st.integers(0, 7 * 3600))
def test_bars_of_any_resolution_are_the_prints_put_together(rows: list[Print], resolution: str, until: int) -> None:
    period, end = RESOLUTIONS[resolution], T0 + until * NS
    expected = slow(rows, slot(T0, period), end, period)
    assert {bar.t: bar for bar in bars_of(rows).between(T0, end, period)} == expected


@given(prints, st.sampled_from(["1", "5", "60"]), st.integers(0, 8 * 3600), st.integers(0, 3600))
def test_filled_bars_leave_nothing_out(rows: list[Print], resolution: str, until: int, since: int) -> None:
    period, bars = RESOLUTIONS[resolution], bars_of(rows)
    start, end = T0 + since * NS, T0 + until * NS
    found = bars.filled(start, end, period)
    known = slow(rows, slot(start, period), end, period)
    for before, bar in itertools.pairwise(found):
        assert bar.t == before.t + period
    for bar in found:
        expected = known.pop(bar.t, None)
        assert bar == expected if expected is not None else (bar.volume, bar.open, bar.high) == (0, bar.close, bar.low)
    assert not known
    if found:
        assert found[-1].t == slot(end, period)


def test_weeks_begin_on_monday_and_months_on_their_first_day() -> None:
    assert slot(T0 + 3 * DAY_NS, WEEK_NS) == T0 == slot(T0, WEEK_NS)
    assert slot(T0 - 1, WEEK_NS) == T0 - WEEK_NS
    march = slot(T0, RESOLUTIONS["M"])
    assert dt.datetime.fromtimestamp(march // NS, dt.UTC).isoformat() == "2026-03-01T00:00:00+00:00"
    april = after(march, RESOLUTIONS["M"])
    assert dt.datetime.fromtimestamp(april // NS, dt.UTC).isoformat() == "2026-04-01T00:00:00+00:00"


def test_memory_is_bounded_and_the_longer_base_goes_on() -> None:
    bars = Bars((MINUTE_NS, 10), (HOUR_NS, 3))
    for minute in range(600):
        bars.add(T0 + minute * MINUTE_NS, 1.0 + minute, 1.0)
    assert [len(kept) for kept in bars.dump()] == [10, 3]
    assert [bar.volume for bar in bars.between(T0, T0 + DAY_NS, HOUR_NS)] == [60.0] * 3
    assert bars.sums(T0 + 595 * MINUTE_NS, MINUTE_NS) == (5.0, 0.0)
    assert len(Bars(*BASES).filled(T0 - 10 * POINTS * MINUTE_NS, T0, MINUTE_NS)) == 0
    assert len(bars.filled(T0, T0 + 100 * DAY_NS, MINUTE_NS)) <= POINTS + 1


@pytest.mark.parametrize("resolution", ["1", "60", "M"])
def test_a_dump_goes_on(resolution: str) -> None:
    bars, twin = bars_of([(60 * k, 1.0 + k % 7, 1.0) for k in range(100)]), Bars(*BASES)
    twin.load(msgspec.msgpack.decode(msgspec.msgpack.encode(bars.dump())))
    for each in (bars, twin):
        each.add(T0 + 7000 * NS, 3.0, 1.0)
    assert bars.dump() == twin.dump()
    assert bars.last(T0 + 7000 * NS, RESOLUTIONS[resolution]) == twin.last(T0 + 7000 * NS, RESOLUTIONS[resolution])
