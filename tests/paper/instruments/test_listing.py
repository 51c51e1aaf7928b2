from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import NS, Kind
from engine.paper.instruments.fees import Fees, period_of
from engine.paper.instruments.listing import (
    DEFAULT,
    FIRST_EXPIRY_NS,
    LADDERS,
    SMALL,
    Ladder,
    Spec,
    expiries,
    listing,
    rungs,
    strikes,
)

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


@pytest.mark.parametrize("spec", DEFAULT)
def test_by_default_each_coin_has_what_a_venue_has(spec: Spec) -> None:
    found = listing(at("2026-01-05T10:00"), spec)
    kinds = [i.kind for i in found]
    assert (kinds.count(Kind.PERPETUAL), kinds.count(Kind.FUTURE), kinds.count(Kind.OPTION)) == (1, 2, 204)
    assert {i.coin for i in found} == {spec.coin}
    chains: dict[int, list[float]] = {}
    for i in found:
        if i.call:
            chains.setdefault(i.expiry, []).append(i.strike)
    assert list(chains) == expiries(at("2026-01-05T10:00"), 6)
    for chain in chains.values():
        steps = [b - a for a, b in pairwise(chain)]
        middle = min(range(len(chain)), key=lambda k: abs(chain[k] - spec.index))
        assert min(steps) == steps[middle - 1] == steps[middle] > 0  # densest at the money
        assert max(steps) >= 2 * min(steps)
        assert chain[0] > 0.1 * spec.index


def test_the_coins_have_their_own_grids_and_fees() -> None:
    (btc, eth) = (listing(at("2026-01-05T10:00"), spec) for spec in DEFAULT)
    assert [(i.name, i.tick, i.lot) for i in (*btc[:2], *eth[:2])] == [
        ("BTC-PERPETUAL", 0.5, 10.0), ("BTC-30JAN26", 2.5, 10.0),
        ("ETH-PERPETUAL", 0.05, 1.0), ("ETH-30JAN26", 0.05, 1.0),
    ]  # fmt: skip
    assert (btc[-1].lot, eth[-1].lot) == (0.1, 1.0)
    assert (btc[-1].maker_fee, eth[-1].taker_fee, btc[0].taker_fee) == (0.0003, 0.0003, 0.0005)


def test_the_small_list_and_the_expiry_of_a_test() -> None:
    (small,) = SMALL
    assert len(listing(at("2026-01-05T10:00"), small)) == 1 + 22
    soon = Spec(expiries=1, strikes=3, futures=0, minutes=5.0)
    found = listing(at("2026-01-05T10:00"), soon)
    assert [i.name for i in found[1:3]] == ["BTC-5JAN26-99000-C", "BTC-5JAN26-99000-P"]
    assert {i.expiry for i in found[1:7]} == {at("2026-01-05T10:05")}
    assert len({i.name for i in found}) == len(found) == 13


@given(st.floats(20.0, 300_000.0), st.sampled_from(LADDERS))
def test_any_ladder_rises(index: float, ladder: Ladder) -> None:
    found = rungs(index, ladder)
    assert found == sorted(set(found))
    assert len(found) == 1 + 2 * (ladder.near + ladder.far)
    assert found[0] > 0


@pytest.mark.parametrize(
    ("day", "period"),
    [("2026-01-06", "day"), ("2026-01-16", "week"), ("2026-01-30", "month"), ("2026-03-27", "month"),
     ("2028-02-25", "month"), ("2026-12-25", "month"), ("2027-01-01", "week")],
)  # fmt: skip
def test_periods_are_named_by_the_calendar(day: str, period: str) -> None:
    assert period_of(at(day + "T08:00")) == period


def test_every_instrument_has_fees() -> None:
    for spec in DEFAULT:
        for i in listing(at("2026-01-05T10:00"), spec):
            assert Fees().of(i, period_of(i.expiry)).taker > 0
    with pytest.raises(LookupError):
        Fees(rows=()).of(listing(at("2026-01-05T10:00"))[0], "perpetual")


def test_a_short_expiry_does_not_take_the_name_of_a_day() -> None:
    evening = int(dt.datetime(2026, 1, 5, 19, tzinfo=dt.UTC).timestamp()) * NS
    names = [i.name for i in listing(evening, Spec(minutes=200.0))]
    assert len(set(names)) == len(names)
    with pytest.raises(ValueError, match="which is listed"):
        listing(evening, Spec(minutes=400.0))
