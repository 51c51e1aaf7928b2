"""The product's two tables, row by row: what each row does, and the four worked examples, for a buyer and a seller."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m
from engine.config import DEFAULT_POLICY, REST_TWO, Action, Condition, Config, Row
from engine.domain import NS, Side
from engine.execution.desk import Desk, Parent
from engine.execution.policy import Advice, advise
from engine.execution.want import Want, moment_of, want
from tests.execution.still import CALL, HEADS, NAME, NOW, Still, forecast, mirrored, slippage

SIDES = (Side.BUY, Side.SELL)
PLAIN = {
    "p_against": 0.1, "p_for": 0.1, "p_stable": 0.5, "edge_over_cost_ticks": -1.0, "slippage_10_ticks": 1.0,
    "impact_ticks": 2.0, "fill": 0.3, "iv_move_against_pct": 0.0, "iv_move_against_ticks": 0.0, "spread_ticks": 3.0,
    "spread_over_median_ticks": 1.0, "iv_band_pct": 3.0, "near_depth_contracts": 4.0, "premium_ticks": 66.0,
    "vol_point_ticks": 2.5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "readings", "action"),
    [
        ("up", {"p_against": 0.76, "edge_over_cost_ticks": 0.1}, Action(times_base=2.0, style="cross")),
        ("up, not worth the spread", {"p_against": 0.76}, Action(times_base=1.0, style="post")),
        ("down", {"p_for": 0.76}, Action(times_base=1.0, style="wait")),
        ("calm", {"iv_band_pct": 0.3, "spread_over_median_ticks": 0.0}, Action(times_rate=1.5, style="weigh")),
        ("quiet", {"p_stable": 0.81, "impact_ticks": 0.5, "near_depth_contracts": 10.0},
         Action(times_base=1.0, style="post")),
        ("stable", {"p_stable": 0.81}, Action(times_base=2.0, style="weigh")),
        ("else", {}, Action(times_base=2.0, style="weigh")),
    ],
)  # fmt: skip
def test_each_opportunistic_row_fires_on_its_condition(row: str, readings: dict[str, float], action: Action) -> None:
    found = advise(DEFAULT_POLICY, PLAIN | readings)
    assert (found.row, found.action) == (row, action)
    assert (found.halt_s, found.max_child, found.passive) == (0.0, None, False)
    short = {name: value - 0.2 if value > PLAIN[name] else value + 0.2 for name, value in readings.items()}
    for name in readings:  # each condition alone decides
        assert advise(DEFAULT_POLICY, PLAIN | readings | {name: short[name]}).row != row


@pytest.mark.parametrize(
    ("readings", "halt", "cap"),
    [
        ({"iv_move_against_pct": 2.0, "iv_move_against_ticks": 2.1}, 30.0, None),
        ({"iv_move_against_pct": 2.0, "iv_move_against_ticks": 2.0}, 0.0, None),
        ({"slippage_10_ticks": 5.1}, 0.0, 2.0),
        ({"slippage_10_ticks": 5.0}, 0.0, None),
        ({"slippage_10_ticks": 5.1, "iv_move_against_pct": 2.0, "iv_move_against_ticks": 2.1}, 30.0, 2.0),
    ],
)
def test_each_protective_row_fires_on_its_condition(readings: dict[str, float], halt: float, cap: float) -> None:
    found = advise(DEFAULT_POLICY, PLAIN | readings)
    assert (found.halt_s, found.max_child) == (halt, cap)
    assert found.row == "else"


def test_the_rows_act_in_their_order() -> None:
    everything = PLAIN | {
        "p_against": 0.9, "p_for": 0.9, "p_stable": 0.9, "edge_over_cost_ticks": 1.0, "iv_band_pct": 0.0,
        "spread_over_median_ticks": -1.0, "impact_ticks": 0.0, "near_depth_contracts": 50.0,
    }  # fmt: skip
    order = []
    rows = DEFAULT_POLICY
    while (acting := advise(rows, everything).row) != "schedule":
        order.append(acting)
        rows = tuple(row for row in rows if row.name != acting)
    assert order == ["up", "up, not worth the spread", "down", "calm", "quiet", "stable", "else"]


@given(st.lists(st.builds(Action, halt_s=st.floats(0, 60), passive=st.booleans(),
                          max_child=st.none() | st.floats(0, 50)), max_size=5))  # fmt: skip
def test_protective_rows_combine_and_the_tightest_of_each_wins(actions: list[Action]) -> None:
    rows = tuple(Row(name=str(k), kind="protective", when=(), action=action) for k, action in enumerate(actions))
    found = advise(rows, {})
    caps = [action.max_child for action in actions if action.max_child is not None]
    assert found.max_child == min(caps, default=None)
    assert found.halt_s == max((action.halt_s for action in actions), default=0.0)
    assert found.passive is any(action.passive for action in actions)


@pytest.mark.parametrize(
    ("condition", "ticks"),
    [
        (Condition("slippage_10_ticks", ">", 5.0), 5.0),
        (Condition("slippage_10_ticks", ">", 2.0, "vol_points"), 5.0),  # a vol point is 2.5 ticks
        (Condition("slippage_10_ticks", ">", 0.08, "premium_share"), 5.28),  # of a premium of 66 ticks
    ],
)
def test_a_threshold_may_be_in_ticks_vol_points_or_a_share_of_the_premium(condition: Condition, ticks: float) -> None:
    row = Row(name="dear", kind="protective", when=(condition,), action=Action(max_child=2.0))
    for by, fires in ((-0.01, False), (0.01, True)):
        assert (advise((row,), PLAIN | {"slippage_10_ticks": ticks + by}).max_child == 2.0) is fires
    known = {"slippage_10_ticks": 99.0}
    assert (advise((row,), known).max_child == 2.0) is (condition.unit == "own")  # what it is worth is not known


# ---------------------------------------------------------------- the four worked examples: 100 calls, base child 5

SPREAD = ((0.0325, 20.0), (0.032, 20.0)), ((0.033, 20.0), (0.0335, 20.0))
SAID: dict[str, m.Forecast] = {
    "up": forecast(up=0.85, down=0.05, stable=0.1, drift_ticks=2.0, fill_bid=0.1),
    "spike": forecast(iv_move=(2.0, 3.0, 4.0)),
    "down": forecast(up=0.05, down=0.85, stable=0.1, drift_ticks=-2.0),
    "quiet": forecast(up=0.05, down=0.05, stable=0.9, impact_buy=0.2, slip_buy=slippage(0.5)),
}


def scene(side: Side, said: m.Forecast, **config: Any) -> tuple[Desk, Still, Parent]:
    """A hundred to do, nothing due yet: whatever is wanted, the row wants it."""
    picture = Still(*SPREAD)
    picture.forecasts[NAME] = said if side is Side.BUY else mirrored(said)
    picture.baselines[NAME] = forecast(source="baseline")
    picture.edge(*HEADS)
    picture.vegas[NAME] = 2.5
    picture.micros[NAME], picture.deltas[NAME] = 327.5, 0.5
    picture.ticker(mark_iv=60.0, mark_price=0.03275, greeks={"delta": 0.5, "gamma": 1e-5, "vega": 50.0, "theta": -1.0})
    order = m.ParentAccepted(
        id="P1", user="ann", instrument=NAME, side=side, quantity=1000, limit=340 if side is Side.BUY else 315,
        start=NOW - 10 * NS, end=NOW + 1790 * NS, algorithm="adaptive", urgency=5, min_child=0, max_child=100,
        dial="semi", auto_limit=30, arrival=327.5,
    )  # fmt: skip
    parent = Parent(order=order, state="working", dial="semi", start=order.start, done_at_start=0, filled=1)
    desk = Desk(config=Config(**config), reconciled=True, parents={"P1": parent}, live={"P1": None})
    return desk, picture, parent


def wanted(desk: Desk, picture: Still, parent: Parent) -> tuple[Advice, Want | str]:
    moment = moment_of(desk, picture, parent, CALL)
    return moment.advice, want(desk, picture, parent, CALL, moment)


@pytest.mark.parametrize(
    ("flaw", "changes"), [("", {}), ("cold", {"warm": False}), ("strange", {"familiar": False}), ("greyed", {})]
)
def test_what_waiting_costs_is_said_only_by_a_forecast_with_an_edge(flaw: str, changes: dict[str, bool]) -> None:
    desk, picture, parent = scene(Side.BUY, msgspec.structs.replace(forecast(), **changes))
    if flaw == "greyed":
        del picture.verdicts["direction"]
    picture.now += 900 * NS
    picture.venue.heard = picture.now
    _, child = wanted(desk, picture, parent)
    assert isinstance(child, Want), child
    assert child.cost_ticks is not None
    assert (child.wait_ticks is None) == bool(flaw)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("said", "row", "contracts", "from_touch", "cross"),
    [
        ("up", "up", 10.0, 0, True),  # 10 at the ask
        ("down", "down", 5.0, -1, False),  # a passive bid behind the touch, and wait
        ("quiet", "quiet", 5.0, 0, False),  # 5 at the bid
    ],
)
def test_the_worked_examples(side: Side, said: str, row: str, contracts: float, from_touch: int, cross: bool) -> None:
    _, child = wanted(*scene(side, SAID[said]))
    assert isinstance(child, Want), child
    bid, ask = 325, 330
    touch = (ask if side is Side.BUY else bid) if cross else (bid if side is Side.BUY else ask)
    assert (child.row, child.quantity, child.cross) == (row, contracts * 10, cross)
    assert child.worst == touch + side.sign * from_touch * 5


@pytest.mark.parametrize("side", SIDES)
def test_a_volatility_spike_pauses(side: Side) -> None:
    advice, _ = wanted(*scene(side, SAID["spike"]))
    assert (advice.halt_s, advice.halt_row) == (30.0, "volatility")


@pytest.mark.parametrize("side", SIDES)
def test_or_a_volatility_spike_lets_two_rest(side: Side) -> None:
    resting = tuple(
        msgspec.structs.replace(row, action=REST_TWO) if row.name == "volatility" else row for row in DEFAULT_POLICY
    )
    for said in (SAID["spike"], msgspec.structs.replace(SAID["up"], iv_move=(2.0, 3.0, 4.0))):
        desk, picture, parent = scene(side, said, policy=resting)
        picture.now += 600 * NS
        picture.venue.heard = picture.now
        advice, child = wanted(desk, picture, parent)
        assert isinstance(child, Want), child
        assert (advice.halt_s, child.quantity, child.cross) == (0.0, 20, False)  # 2 as a passive bid
        assert child.worst == (325 if side is Side.BUY else 330)


@settings(max_examples=40)
@given(
    up=st.floats(0, 1), down=st.floats(0, 1), drift=st.floats(-3, 3), fill=st.floats(0, 1), move=st.floats(-5, 5),
    slip=st.floats(0, 9), seconds=st.integers(0, 1700), urgency=st.integers(0, 10),
)  # fmt: skip
def test_a_seller_does_the_mirror_of_what_a_buyer_does(
    up: float, down: float, drift: float, fill: float, move: float, slip: float, seconds: int, urgency: int
) -> None:
    total = max(up + down, 1.0)
    said = forecast(up=up / total, down=down / total, stable=max(1 - (up + down) / total, 0.0), drift_ticks=drift,
                    fill_bid=fill, iv_move=(move - 0.2, move, move + 0.2), slip_buy=slippage(slip))  # fmt: skip
    found = []
    for side in SIDES:
        desk, picture, parent = scene(side, said)
        parent.order = msgspec.structs.replace(parent.order, urgency=urgency)
        picture.now += seconds * NS
        picture.venue.heard = picture.now
        advice, child = wanted(desk, picture, parent)
        place = None if isinstance(child, str) else side.sign * (2 * child.worst - 655)
        what = child if isinstance(child, str) else (child.row, child.quantity, child.cross, place, child.wait_ticks)
        found.append((advice, what))
    assert found[0] == found[1]
