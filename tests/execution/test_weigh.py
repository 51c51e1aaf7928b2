"""The last row weighs its lag: it rests inside the spread, ever nearer to the far side, and crosses what the touch
shows, later while crossing is dear."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import messages as m
from engine.config import DEFAULT_POLICY, Action, Config
from engine.domain import NS, Side
from engine.execution.desk import Desk
from engine.execution.pace import Pace, impatient, reach
from engine.execution.policy import advise, readings
from engine.execution.propose import order_now
from engine.execution.risk import Wanted
from engine.execution.want import Sought, moment_of, sought
from tests.execution.desks import desk_of, parent_of, picture_of
from tests.execution.still import CALL, NAME, NOW, Still, forecast
from tests.link import ready, submit

WEIGHS = advise(DEFAULT_POLICY, {})
SIDES = (Side.BUY, Side.SELL)
WIDE = (((0.032, 10.0),), ((0.0345, 4.0), (0.035, 50.0)))  # five ticks: 320 to 345
MIRROR = (((0.0325, 4.0), (0.032, 50.0)), ((0.035, 10.0),))


def paced(lag: float, *, patience: float = 0.1, closing: bool = False) -> Pace:
    return Pace(due=0, since=None, taken=None, lag=lag, closing=closing, late=closing or lag >= patience,
                patience=patience)  # fmt: skip


@pytest.mark.parametrize(
    ("lag", "saving", "fill", "crosses"),
    [
        (0.09, 1.0, None, False),
        (0.11, 1.0, None, True),
        (0.11, 0.0, None, True),
        (0.11, None, None, True),  # what is not known makes nobody patient
        (0.11, -0.1, None, False),
        (0.29, -0.1, None, False),
        (0.31, -0.1, None, True),
        (0.11, 1.0, 0.24, True),
        (0.11, 1.0, 0.25, False),
        (0.31, 1.0, 0.99, True),
    ],
)
def test_it_crosses_when_late_and_later_while_that_is_dear(
    lag: float, saving: float | None, fill: float | None, crosses: bool
) -> None:
    assert impatient(Desk(), WEIGHS, paced(lag), fill, saving) is crosses
    assert impatient(Desk(), WEIGHS, paced(lag, closing=True), fill, saving)
    assert not impatient(Desk(), msgspec.structs.replace(WEIGHS, passive=True), paced(lag, closing=True), fill, saving)


@pytest.mark.parametrize("style", ["post", "wait"])
@pytest.mark.parametrize(
    ("lag", "closing", "crosses"), [(0.11, False, False), (0.29, False, False), (0.31, False, True), (0.0, True, True)]
)
def test_a_row_that_rests_does_not_rest_without_end(
    style: Literal["post", "wait"], lag: float, closing: bool, crosses: bool
) -> None:
    rests = msgspec.structs.replace(WEIGHS, action=Action(times_base=1.0, style=style))
    assert impatient(Desk(), rests, paced(lag, closing=closing), None, 1.0) is crosses


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.4))
def test_the_later_the_nearer_to_the_far_side(one: float, other: float, patience: float) -> None:
    sooner, later = sorted((one, other))
    near, far = (reach(Desk(), paced(lag, patience=patience)) for lag in (sooner, later))
    assert 0.0 <= near <= far <= 1.0
    assert reach(Desk(), paced(3 * patience, patience=patience)) == 1.0


def scene(side: Side, *, done: int = 0, elapsed: float = 0.0, **settings: Any) -> tuple[Desk, Still]:
    """A parent of 100 contracts over 100 seconds, so much of both behind it, in a book five ticks wide."""
    order = msgspec.structs.replace(
        parent_of(), side=side, quantity=1000, limit=500 if side is Side.BUY else 200, start=NOW, end=NOW + 100 * NS,
        algorithm="adaptive", dial="auto",
    )  # fmt: skip
    facts: list[m.Fact] = [order]
    desk = desk_of(*facts, config=Config(**settings))
    desk.parents["P1"].filled = done
    picture = picture_of(*(WIDE if side is Side.BUY else MIRROR))
    picture.baselines[NAME] = forecast(source="baseline")
    picture.now = NOW + round(elapsed * NS)
    picture.ticker(mark_price=0.033, min_price=0.0001, max_price=0.2)
    return desk, picture


def wanted(desk: Desk, picture: Still) -> Wanted:
    parent = desk.parents["P1"]
    found = sought(desk, picture, parent, CALL, moment_of(desk, picture, parent, CALL))
    assert isinstance(found, Sought), found
    return found.order


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("elapsed", "ticks"),
    [(0.0, 1), (12.0, 1), (20.0, 2), (30.0, 4)],  # lags of 0, 9.5, 17.5 and 27.5 %: of four ticks inside
)
def test_it_rests_inside_the_spread_nearer_as_it_lags(side: Side, elapsed: float, ticks: int) -> None:
    desk, picture = scene(side, elapsed=elapsed)
    picture.usual[NAME] = 3.0  # crossing is dear: it waits
    found = wanted(desk, picture)
    near = 320 if side is Side.BUY else 350
    assert (found.post_only, found.price, found.quantity) == (True, near + side.sign * 5 * ticks, 100)


@pytest.mark.parametrize("side", SIDES)
def test_it_crosses_for_what_the_far_touch_shows(side: Side) -> None:
    desk, picture = scene(side, elapsed=20.0)
    picture.usual[NAME] = 5.0
    found = wanted(desk, picture)
    assert (found.post_only, found.price, found.quantity) == (False, 345 if side is Side.BUY else 325, 40)


@pytest.mark.parametrize("side", SIDES)
def test_what_crossing_saves(side: Side) -> None:
    """Half of what the spread is under its median, three tenths of the edge to fair, and the expected move."""
    _, picture = scene(side)
    assert "saving_ticks" not in readings(picture, CALL, side)
    picture.usual[NAME] = 7.0
    assert readings(picture, CALL, side)["saving_ticks"] == pytest.approx(1.0)
    middle = 332.5 if side is Side.BUY else 337.5
    picture.fairs[NAME] = middle + side.sign * 10.0
    assert readings(picture, CALL, side)["saving_ticks"] == pytest.approx(1.6)


def test_a_place_inside_the_spread_is_kept_when_the_dial_lets_it_go() -> None:
    """A child that joins the touch follows a touch that fell; one that is weighed was never at it."""
    world, name = ready(seed=3)
    submit(world, name, quantity=20.0, minutes=2.0, algorithm="adaptive", dial="manual")
    world.until(lambda: world.desk.live_proposals)
    proposal = world.proposal()
    order = order_now(world.desk, world.core.market, proposal, proposal.quantity, proposal.worst)
    bid, ask = (world.instrument(name).units(price) for price in world.touch(name))
    assert bid < order.price == proposal.worst < ask


def test_what_rests_stays_while_it_crosses() -> None:
    world, name = ready(seed=5)
    submit(world, name, quantity=60.0, minutes=1.0, algorithm="adaptive", dial="auto")
    world.until(lambda: any(not child.request.post_only for child in world.desk.children.values()), 60.0)
    taker = next(child for child in world.desk.children.values() if not child.request.post_only)
    resting = [child for child in world.desk.children.values() if child.request.post_only and child.state == "open"]
    assert resting
    assert taker.request.quantity + sum(child.remaining for child in resting) <= world.parent().order.quantity
