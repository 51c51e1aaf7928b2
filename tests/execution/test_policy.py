"""The policy's rows, for a buyer and for his mirror, the seller."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import messages as m
from engine.config import DEFAULT_POLICY, Action, Condition, Reading, Row
from engine.domain import Instrument, Side, instrument_of
from engine.execution.policy import FILL_SAID, Advice, advise, readings
from tests.execution.still import CALL, NAME, Still, forecast, mirrored, slippage, verdicts

SIDES = (Side.BUY, Side.SELL)
UNITS = {"premium_ticks", "vol_point_ticks"}  # that a condition may be written in


def picture_for(side: Side, said: m.Forecast | None, *heads: str) -> Still:
    """A still market in which the model says this to a buyer, or its mirror to a seller."""
    picture = Still()
    if said is not None:
        picture.forecasts[NAME] = said if side is Side.BUY else mirrored(said)
    picture.baselines[NAME] = forecast(source="baseline")
    picture.edge(*heads)
    return picture


def advice(picture: Still, side: Side) -> Advice:
    return advise(DEFAULT_POLICY, readings(picture, CALL, side))


# ---------------------------------------------------------------- protective rows


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("move", "vega", "halts"),
    [
        (2.0, 2.5, True),  # 2 % of 45 vol is 0.9 points, 2.25 ticks
        (2.0, 2.2, False),  # 1.98 ticks: not more than two
        (1.9, 9.0, False),
        (5.0, 0.1, False),
        (-5.0, 9.0, False),  # for the order
    ],
)
def test_volatility_against_the_order_halts_it(side: Side, move: float, vega: float, halts: bool) -> None:
    picture = picture_for(side, forecast(iv_move=(move - 1, move, move + 1)), "volatility")
    picture.vegas[NAME] = vega
    picture.ticker(mark_iv=45.0)
    found = advice(picture, side)
    assert (found.halt_s, found.halt_row) == ((30.0, "volatility") if halts else (0.0, ""))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("ten", "cap"), [(5.0, None), (5.1, 2.0)])
def test_dear_size_caps_the_child(side: Side, ten: float, cap: float | None) -> None:
    picture = picture_for(side, forecast(slip_buy=slippage(ten)), "slippage")
    found = advice(picture, side)
    assert (found.max_child, found.halt_s) == (cap, 0.0)
    assert ("slippage" in found.fired) is (cap is not None)
    assert found.row == "else"


def test_protective_rows_combine_and_the_tightest_wins() -> None:
    always = (Condition("spread_ticks", ">", -1.0),)
    rows = tuple(
        Row(name=f"{cap} {halt}", kind="protective", when=always, action=Action(max_child=cap, halt_s=halt))
        for cap, halt in ((3.0, 5.0), (1.0, 0.0), (None, 9.0), (2.0, 1.0))
    )
    found = advise(rows, {"spread_ticks": 2.0})
    assert (found.max_child, found.halt_s, found.halt_row) == (1.0, 9.0, "None 9.0")
    assert len(found.fired) == 4


# ---------------------------------------------------------------- opportunistic rows

RUNNING = forecast(up=0.8, down=0.05, stable=0.15, drift_ticks=1.5, fill_bid=1.0, slip_buy=slippage(2.0))


@pytest.mark.parametrize("side", SIDES)
def test_up_crosses_with_twice_the_base(side: Side) -> None:
    """5 s ÷ P(fill) is more than the 3 s that a forecast carries: 4.5 ticks against a half spread of 1."""
    found = advice(picture_for(side, RUNNING, "direction"), side)
    assert found.row == "up"
    assert (found.action.style, found.action.times_base) == ("cross", 2.0)


@pytest.mark.parametrize("side", SIDES)
def test_up_that_does_not_pay_the_spread_rests(side: Side) -> None:
    found = advice(picture_for(side, msgspec.structs.replace(RUNNING, drift_ticks=0.3), "direction"), side)
    assert found.row == "up, not worth the spread"
    assert (found.action.style, found.action.times_base) == ("post", 1.0)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("fair_ticks", "row"), [(-0.1, "up, not worth the spread"), (0.1, "up")])
def test_the_edge_to_the_fair_price_counts(side: Side, fair_ticks: float, row: str) -> None:
    """1/3 tick a second for 3 s just pays the half spread; the fair price decides."""
    picture = picture_for(side, msgspec.structs.replace(RUNNING, drift_ticks=1 / 3), "direction")
    picture.fairs[NAME] = 330 + side.sign * fair_ticks * 5
    assert advice(picture, side).row == row


@pytest.mark.parametrize("side", SIDES)
def test_down_waits_below_the_market(side: Side) -> None:
    found = advice(picture_for(side, forecast(up=0.05, down=0.8, stable=0.15), "direction"), side)
    assert (found.row, found.action.style) == ("down", "wait")


@pytest.mark.parametrize("side", SIDES)
def test_the_bound_itself_fires_nothing(side: Side) -> None:
    for said in (forecast(up=0.75, stable=0.15), forecast(down=0.75, stable=0.15)):
        assert advice(picture_for(side, said, "direction"), side).row == "else"


def test_the_first_row_that_fires_acts() -> None:
    rows = (
        Row(name="never", kind="opportunistic", when=(Condition("p_for", ">", 0.9),), action=Action(style="wait")),
        Row(name="first", kind="opportunistic", when=(Condition("p_for", ">", 0.5),), action=Action(style="post")),
        Row(name="second", kind="opportunistic", when=(), action=Action(style="cross")),
    )
    found = advise(rows, {"p_for": 0.6})
    assert (found.row, found.fired) == ("first", ("first",))  # a row that always fires is no news


def test_a_protective_cap_stands_beside_the_row_that_acts() -> None:
    picture = picture_for(Side.BUY, msgspec.structs.replace(RUNNING, slip_buy=slippage(8.0)), "direction", "slippage")
    found = advice(picture, Side.BUY)
    assert (found.row, found.max_child) == ("up", 2.0)


# ---------------------------------------------------------------- what is missing or worthless

EVERYTHING = msgspec.structs.replace(RUNNING, iv_move=(4.0, 5.0, 6.0), slip_buy=slippage(9.0), slip_sell=slippage(9.0))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("verdict", ["no edge", "unknown yet", "drift"])
def test_without_skill_there_is_only_the_schedule(side: Side, verdict: str) -> None:
    picture = picture_for(side, EVERYTHING)
    picture.verdicts = dict(verdicts(direction=verdict, volatility=verdict, slippage=verdict))
    picture.vegas[NAME] = 9.0
    picture.ticker(mark_iv=45.0)
    found = advice(picture, side)
    rest = Action(times_base=2.0, style="weigh")
    assert found == Advice(fired=("else",), halt_s=0.0, halt_row="", max_child=None, row="else", action=rest)
    assert FILL_SAID not in readings(picture, CALL, side)


@pytest.mark.parametrize("side", SIDES)
def test_without_skill_the_book_walked_as_it_stands_still_protects(side: Side) -> None:
    picture = picture_for(side, forecast(slip_buy=slippage(0.0)))
    dear = forecast(source="baseline", slip_buy=slippage(6.0))
    picture.baselines[NAME] = dear if side is Side.BUY else mirrored(dear)
    assert advice(picture, side).max_child == 2.0
    picture.edge("slippage")
    assert advice(picture, side).max_child is None


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("flaw", ["cold", "unfamiliar", "absent"])
def test_a_forecast_that_cannot_be_used_fires_nothing(side: Side, flaw: str) -> None:
    said = {
        "cold": msgspec.structs.replace(EVERYTHING, warm=False),
        "unfamiliar": msgspec.structs.replace(EVERYTHING, familiar=False),
        "absent": None,
    }[flaw]
    picture = picture_for(side, said, "direction", "volatility", "slippage")
    picture.vegas[NAME] = 9.0
    picture.ticker(mark_iv=45.0)
    assert advice(picture, side).fired == ("else",)
    assert set(readings(picture, CALL, side)) - UNITS == {
        "spread_ticks", "near_depth_contracts", "slippage_10_ticks", "impact_ticks", "fill",
    }  # fmt: skip


@pytest.mark.parametrize("missing", ["vega", "ticker", "mark iv"])
def test_a_move_whose_worth_in_ticks_is_unknown_halts_nothing(missing: str) -> None:
    picture = picture_for(Side.BUY, EVERYTHING, "volatility")
    if missing != "vega":
        picture.vegas[NAME] = 9.0
    if missing != "ticker":
        picture.ticker(mark_iv=None if missing == "mark iv" else 45.0)
    known = readings(picture, CALL, Side.BUY)
    assert "iv_move_against_pct" in known
    assert "iv_move_against_ticks" not in known
    assert advice(picture, Side.BUY).halt_s == 0.0


@pytest.mark.parametrize(("bids", "asks"), [((), ((0.0335, 5.0),)), (((0.0325, 5.0),), ()), ((), ())])
def test_a_book_without_two_sides_is_read_for_nothing(
    bids: tuple[tuple[float, float], ...], asks: tuple[tuple[float, float], ...]
) -> None:
    picture = picture_for(Side.BUY, EVERYTHING, "direction", "volatility", "slippage")
    picture.book(bids, asks)
    assert readings(picture, CALL, Side.BUY) == {}


def test_an_instrument_without_a_book_is_read_for_nothing() -> None:
    assert readings(Still(), instrument_of("BTC-27MAR26-90000-C"), Side.BUY) == {}


@given(st.dictionaries(st.sampled_from(get_args(Reading)), st.floats(-100, 100)), st.data())
def test_a_missing_reading_can_only_take_rows_away(values: dict[str, float], data: st.DataObject) -> None:
    dropped = data.draw(st.sets(st.sampled_from(get_args(Reading))))
    fewer = {name: value for name, value in values.items() if name not in dropped}
    fired, still = advise(DEFAULT_POLICY, values).fired, advise(DEFAULT_POLICY, fewer).fired
    assert set(still) <= {*fired, "else"}
    for row in DEFAULT_POLICY:
        if {condition.reading for condition in row.when} - fewer.keys():
            assert row.name not in still


# ---------------------------------------------------------------- readings


@pytest.mark.parametrize("side", SIDES)
def test_every_reading_is_one_that_settings_may_name(side: Side) -> None:
    picture = picture_for(side, EVERYTHING, "direction", "volatility", "slippage", "fill", "impact")
    picture.vegas[NAME] = 9.0
    picture.usual[NAME] = 2.0
    picture.ticker(mark_iv=45.0)
    assert set(readings(picture, CALL, side)) == set(get_args(Reading)) | UNITS | {FILL_SAID}


@given(st.floats(0, 1), st.floats(-3, 3), st.floats(0, 1), st.floats(-5, 5), st.floats(0, 9), st.floats(-20, 20))
def test_a_seller_reads_the_mirror_of_what_a_buyer_reads(
    up: float, drift: float, fill: float, move: float, slip: float, fair: float
) -> None:
    said = forecast(up=up, down=1 - up, stable=0.0, drift_ticks=drift, fill_bid=fill, iv_move=(move, move, move),
                    slip_buy=slippage(slip), impact_buy=slip / 2)  # fmt: skip
    read = {}
    for side in SIDES:
        picture = picture_for(side, said, "direction", "volatility", "slippage", "fill", "impact")
        picture.vegas[NAME] = 3.0
        picture.fairs[NAME] = 330 + side.sign * fair
        picture.ticker(mark_iv=45.0)
        read[side] = readings(picture, CALL, side)
    assert read[Side.SELL] == pytest.approx(read[Side.BUY])


def test_our_own_orders_are_no_spread() -> None:
    picture = picture_for(Side.BUY, None)
    assert readings(picture, CALL, Side.BUY)["spread_ticks"] == 2.0
    picture.push("user.changes.any.BTC.raw", {
        "instrument_name": NAME, "trades": [], "positions": [],
        "orders": [{
            "order_id": "1", "order_state": "open", "order_type": "limit", "time_in_force": "good_til_cancelled",
            "creation_timestamp": 1, "last_update_timestamp": 1, "instrument_name": NAME, "direction": "buy",
            "price": 0.0325, "amount": 5.0, "filled_amount": 0.0, "label": "x",
        }],
    })  # fmt: skip
    assert readings(picture, CALL, Side.BUY)["spread_ticks"] == 3.0


@pytest.mark.parametrize(
    ("instrument", "maker", "taker", "ticks"),
    [
        (CALL, 0.0003, 0.0003, 0.0),
        (CALL, 0.0, 0.001, 2.0),  # 10 units, a tick is 5 of them
        (instrument_of("BTC-PERPETUAL"), 0.0, 0.0005, 100.001),  # of 100,001 USD, in ticks of half a dollar
    ],
)
def test_the_extra_fee_of_taking_is_counted(instrument: Instrument, maker: float, taker: float, ticks: float) -> None:
    instrument = msgspec.structs.replace(instrument, maker_fee=maker, taker_fee=taker)
    levels = ((0.0325, 5.0),), ((0.0335, 5.0),)
    if instrument.name != NAME:
        levels = ((99_999.0, 500.0),), ((100_001.0, 500.0),)
    picture = Still(*levels, instrument=instrument)
    picture.forecasts[instrument.name] = picture.baselines[instrument.name] = forecast(drift_ticks=0.0)
    picture.edge("direction")
    known = readings(picture, instrument, Side.BUY)
    assert known["edge_over_cost_ticks"] == pytest.approx(-known["spread_ticks"] / 2 - ticks)


def test_a_fee_is_at_most_its_share_of_a_cheap_premium() -> None:
    cheap = msgspec.structs.replace(CALL, maker_fee=0.0, taker_fee=0.0003)
    picture = Still(((0.0006, 5.0),), ((0.0008, 5.0),), instrument=cheap)
    picture.forecasts[NAME] = picture.baselines[NAME] = forecast(drift_ticks=0.0)
    picture.edge("direction")
    assert readings(picture, cheap, Side.BUY)["edge_over_cost_ticks"] == pytest.approx(-1.0 - 1.0)
