"""The two grids: prices in ticks that jump at a bound, sizes in lots; and the names things go by."""

from __future__ import annotations

import datetime as dt
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import (
    MAX_UNITS,
    NS,
    YEAR_NS,
    Instrument,
    Kind,
    OffGrid,
    Side,
    expiry_code,
    expiry_of,
    instrument_of,
)

CALL = instrument_of("BTC-27MAR26-80000-C")  # 0.0001 up to 0.005, 0.0005 above; lots of 0.1
PERPETUAL = instrument_of("BTC-PERPETUAL")  # 0.5; lots of 10 USD
COARSE = msgspec.structs.replace(instrument_of("BTC-27MAR26"), tick=2.5)  # some dated futures step by 2.5
ETHER = instrument_of("ETH-27MAR26-3000-P")
EVERY = (CALL, PERPETUAL, COARSE, ETHER, instrument_of("ETH-PERPETUAL"))

SOME_UNITS = st.integers(1, 5000)


def test_sides_are_each_others_mirror() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
    assert (Side.BUY.other, Side.SELL.other) == (Side.SELL, Side.BUY)
    assert f"{Side.SELL}" == "sell"


# ---------------------------------------------------------------- counting


@given(st.sampled_from(EVERY), st.integers(0, 2_000_000))
def test_every_unit_and_lot_comes_back_from_its_decimal(instrument: Instrument, count: int) -> None:
    assert instrument.units(instrument.price(count)) == count
    assert instrument.lots(instrument.amount(count)) == count


@given(st.sampled_from(EVERY), st.integers(-1_000_000, 1_000_000))
def test_a_decimal_is_the_one_that_the_venue_writes(instrument: Instrument, count: int) -> None:
    exact = round(count * instrument.tick, 10)
    assert instrument.price(count) == exact
    assert instrument.price(-count) == -exact


def test_a_tick_that_is_no_power_of_ten_keeps_its_digits() -> None:
    assert [COARSE.price(units) for units in (1, 2, 3, 40001)] == [2.5, 5.0, 7.5, 100002.5]
    assert msgspec.structs.replace(PERPETUAL, tick=0.25).price(3) == 0.75


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        (0.00512, "price 0.00512 is not a multiple of 0.0001"),
        (0.03005, "price 0.03005 is not a multiple of 0.0001"),
        (math.nan, "price nan is not a number"),
        (math.inf, "price inf is not a number"),
        (-math.inf, "price -inf is not a number"),
        (1e300, "price 1e+300 is beyond what can be counted"),
    ],
)
def test_a_price_between_two_units_is_refused_in_words(price: float, sentence: str) -> None:
    with pytest.raises(OffGrid) as refused:
        CALL.units(price)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (0.15, "amount 0.15 is not a multiple of 0.1"),
        (0.003, "amount 0.003 is not a multiple of 0.1"),
        (math.nan, "amount nan is not a number"),
    ],
)
def test_an_amount_between_two_lots_is_refused_in_words(amount: float, sentence: str) -> None:
    with pytest.raises(OffGrid) as refused:
        CALL.lots(amount)
    assert str(refused.value) == sentence


def test_what_a_float_makes_of_a_decimal_is_still_on_the_grid() -> None:
    assert CALL.units(0.1 + 0.2) == 3000
    assert CALL.lots(0.1 * 3) == 3
    assert CALL.units(0.0324999999999) == 325
    assert PERPETUAL.units(123456.5) == 246913


def test_counting_stops_where_floats_do() -> None:
    assert CALL.lots(0.1 * 2.0**40) == 2**40
    with pytest.raises(OffGrid, match="beyond"):
        CALL.lots(float(MAX_UNITS))


# ---------------------------------------------------------------- ticks


@pytest.mark.parametrize(
    ("units", "tick"), [(1, 1), (49, 1), (50, 1), (50.4, 5), (51, 5), (55, 5), (1000, 5), (49.999, 1)]
)
def test_the_tick_jumps_above_the_bound_and_not_at_it(units: float, tick: int) -> None:
    assert CALL.tick_units(units) == tick


def test_an_instrument_without_steps_has_one_tick_everywhere() -> None:
    assert [PERPETUAL.tick_units(units) for units in (1, 50, 10**6)] == [1, 1, 1]


def test_more_than_one_step() -> None:
    steep = msgspec.structs.replace(CALL, tick_steps=((0.005, 0.0005), (0.1, 0.001)))
    assert [steep.tick_units(units) for units in (50, 51, 1000, 1001)] == [1, 5, 5, 10]
    assert steep.step(995, 2) == 1010
    assert steep.step(1010, -2) == 995


@pytest.mark.parametrize(("units", "on"), [(1, True), (49, True), (50, True), (52, False), (55, True), (0, True)])
def test_what_is_on_the_tick(units: int, on: bool) -> None:
    assert CALL.on_tick(units) is on


@pytest.mark.parametrize(
    ("units", "floor", "ceil"),
    [(7, 7, 7), (7.3, 7, 8), (49.5, 49, 50), (50, 50, 50), (50.4, 50, 55), (52, 50, 55), (55, 55, 55), (57.5, 55, 60)],
)
def test_the_allowed_prices_around_one(units: float, floor: int, ceil: int) -> None:
    assert (CALL.floor_tick(units), CALL.ceil_tick(units)) == (floor, ceil)


@given(st.floats(1.0, 3000.0))
def test_floor_and_ceil_enclose_and_are_allowed(units: float) -> None:
    low, high = CALL.floor_tick(units), CALL.ceil_tick(units)
    assert low <= units + 1e-6
    assert high >= units - 1e-6
    assert CALL.on_tick(low)
    assert CALL.on_tick(high)
    assert high - low <= CALL.tick_units(units)


@pytest.mark.parametrize(
    ("units", "ticks", "moved"),
    [
        (48, 1, 49), (49, 1, 50), (50, 1, 55), (49, 3, 60), (55, -1, 50), (50, -1, 49), (60, -3, 49),
        (52, 1, 55), (52, -1, 50), (2, -1, 1), (1, -1, 1), (3, -9, 1), (325, 0, 325),
    ],
)  # fmt: skip
def test_a_price_moves_by_the_ticks_on_its_way(units: int, ticks: int, moved: int) -> None:
    assert CALL.step(units, ticks) == moved


@given(SOME_UNITS.map(CALL.floor_tick).filter(bool), st.integers(0, 40))
def test_a_way_up_is_the_same_way_down(units: int, ticks: int) -> None:
    up = CALL.step(units, ticks)
    assert CALL.on_tick(up)
    assert CALL.step(up, -ticks) == units


@given(SOME_UNITS, st.integers(1, 30))
def test_a_step_is_a_step(units: int, ticks: int) -> None:
    assert CALL.step(units, ticks) > units
    assert CALL.step(units, -ticks) < units or CALL.step(units, -ticks) == 1


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("text", ["27MAR26", "3MAR26", "31DEC27", "1JAN30"])
def test_an_expiry_is_eight_in_the_morning_utc(text: str) -> None:
    expiry = expiry_of(text)
    when = dt.datetime.fromtimestamp(expiry / NS, dt.UTC)
    assert (when.hour, when.minute) == (8, 0)
    assert expiry_code(expiry) == text


@given(st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)))
def test_every_day_has_a_code(day: dt.date) -> None:
    expiry = int(dt.datetime(day.year, day.month, day.day, 8, tzinfo=dt.UTC).timestamp()) * NS
    assert expiry_of(expiry_code(expiry)) == expiry


@pytest.mark.parametrize(
    "text", ["", "MAR26", "27mar26", "27XXX26", "127MAR26", "31FEB26", "0MAR26", "27MAR2x", "+7MAR26"]
)
def test_what_is_no_expiry_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"expiry|day"):
        expiry_of(text)


def test_an_instrument_is_known_by_its_name() -> None:
    assert Instrument(
        name="BTC-27MAR26-80000-C", kind=Kind.OPTION, coin="BTC", tick=0.0001, lot=0.1, tick_steps=((0.005, 0.0005),),
        expiry=expiry_of("27MAR26"), strike=80000.0, call=True,
    ) == CALL  # fmt: skip
    assert (ETHER.call, ETHER.strike, ETHER.lot) == (False, 3000.0, 1.0)
    assert (PERPETUAL.kind, PERPETUAL.expiry, PERPETUAL.contract) == (Kind.PERPETUAL, 0, 10.0)
    assert (COARSE.kind, COARSE.expiry) == (Kind.FUTURE, expiry_of("27MAR26"))


@pytest.mark.parametrize(
    "name",
    [
        "", "BTC", "SOL-27MAR26-100-C", "BTC_USDC-27MAR26-100-C", "BTC-27MAR26-80000", "BTC-27MAR26-80000-X",
        "BTC-27MAR26-abc-C", "BTC-27MAR26-nan-C", "BTC-27MAR26-inf-P", "BTC-27MAR26--5-P", "BTC-99MAR26-80000-C",
    ],
)  # fmt: skip
def test_a_name_of_nothing_we_know_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        instrument_of(name)


def test_time_left_is_counted_in_years_of_365_days() -> None:
    assert CALL.years(CALL.expiry - YEAR_NS // 2) == 0.5
    assert CALL.years(CALL.expiry) == 0.0
    assert CALL.years(CALL.expiry + NS) == 0.0
    assert PERPETUAL.years(NS) == 0.0
