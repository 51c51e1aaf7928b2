from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import NS, Kind
from engine.paper.listing import FIRST_EXPIRY_NS, Spec, expiries, listing, strikes

DAY = 24 * 3600 * NS


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * NS


@pytest.mark.parametrize(
    ("start", "days"),
    [
        ("2026-01-05T10:00", ["2026-01-06", "2026-01-16", "2026-01-30", "2026-03-27"]),  # a Monday
        ("2026-01-05T21:00", ["2026-01-07", "2026-01-16", "2026-01-30", "2026-03-27"]),  # too late for the next day
        ("2026-03-26T10:00", ["2026-03-27", "2026-04-03", "2026-04-24", "2026-06-26"]),  # the quarter ends tomorrow
        ("2026-12-28T10:00", ["2026-12-29", "2027-01-08", "2027-01-29", "2027-03-26"]),  # over the new year
    ],
)
def test_expiries(start: str, days: list[str]) -> None:
    assert expiries(at(start)) == [at(day + "T08:00") for day in days]


@given(st.integers(at("2020-01-01T00:00") // NS, at("2040-01-01T00:00") // NS))
def test_any_start_gives_increasing_expiries_at_eight(start: int) -> None:
    found = expiries(start * NS)
    assert found == sorted(set(found))
    assert len(found) == 4
    assert found[0] - start * NS >= FIRST_EXPIRY_NS
    assert all(t % DAY == 8 * 3600 * NS for t in found)


def test_the_listing_is_what_the_desk_expects() -> None:
    found = listing(at("2026-01-05T10:00"))
    kinds = [i.kind for i in found]
    assert (kinds.count(Kind.PERPETUAL), kinds.count(Kind.FUTURE), kinds.count(Kind.OPTION)) == (1, 2, 88)
    assert [i.name for i in found[:5]] == [
        "BTC-PERPETUAL", "BTC-30JAN26", "BTC-27MAR26", "BTC-6JAN26-95000-C", "BTC-6JAN26-95000-P",
    ]  # fmt: skip
    option = found[-1]
    assert (option.tick, option.tick_steps, option.lot) == (0.0001, ((0.005, 0.0005),), 0.1)
    assert (found[0].tick, found[0].lot) == (0.5, 10.0)
    assert len({i.name for i in found}) == len(found)


def test_a_small_listing_is_the_same_with_smaller_numbers() -> None:
    found = listing(at("2026-01-05T10:00"), Spec(expiries=1, strikes=1, futures=0))
    assert [i.name for i in found] == ["BTC-PERPETUAL", "BTC-6JAN26-100000-C", "BTC-6JAN26-100000-P"]


@pytest.mark.parametrize(("index", "place", "first", "step"), [(100_000, 0, 95_000, 1000), (63_300, 3, 45_000, 2500)])
def test_strikes_lie_around_the_index(index: float, place: int, first: int, step: int) -> None:
    found = strikes(index, place, 11)
    assert len(found) == 11
    assert found[1] - found[0] == step
    assert found[0] <= first + 5 * step <= found[-1]
    assert min(abs(strike - index) for strike in found) <= step / 2
