"""What the desk holds, on the screen."""

from __future__ import annotations

import msgspec
import pytest

from engine import view
from engine.domain import Kind
from engine.view.risk import POINTS, SPOT
from tests.link import World, ready


@pytest.fixture
def world() -> World:
    return ready()[0]


def option_of(world: World, call: bool = True) -> str:
    options = (i for i in world.core.market.venue.instruments.values() if i.kind is Kind.OPTION and i.call == call)
    return next(i.name for i in options if i.expiry == world.core.market.venue.expiries()[1])


def test_nothing_held_nothing_said(world: World) -> None:
    shown = view.risk(world.core)
    assert (shown.exposures, shown.ladder, shown.unknown) == ((), (), ())


def test_a_long_option_gains_with_volatility_and_nothing_at_the_middle(world: World) -> None:
    world.core.desk.positions[option_of(world)] = 100
    shown = view.risk(world.core)
    assert (len(shown.ladder), {len(row) for row in shown.ladder}) == (len(POINTS), {len(SPOT)})
    assert shown.ladder[POINTS.index(0.0)][SPOT.index(0.0)] == 0.0
    for column in zip(*shown.ladder, strict=True):
        assert sorted(column, reverse=True) == list(column)
    (row,) = shown.exposures
    assert 0.0 < row.coin_delta < row.delta
    assert row.vega > 0.0 > row.theta


def test_a_perpetual_is_a_line_of_its_own_and_moves_with_spot_alone(world: World) -> None:
    world.core.desk.positions["BTC-PERPETUAL"] = -1000
    shown = view.risk(world.core)
    instrument = world.core.market.venue.instruments["BTC-PERPETUAL"]
    assert [row.code for row in shown.exposures] == ["perpetual"]
    for row in shown.ladder:
        assert row == pytest.approx([-share * instrument.amount(1000) for share in SPOT], abs=0.01)


def test_what_has_no_volatility_is_in_no_sum_and_named(world: World) -> None:
    name = option_of(world)
    world.core.desk.positions[name] = 100
    market = world.core.market
    market.surface("BTC").fits.clear()
    market.venue.quotes[name] = msgspec.structs.replace(market.venue.quotes[name], mark_iv=None)
    shown = view.risk(world.core)
    assert shown.unknown == (name,)
    assert all(value == 0.0 for row in shown.ladder for value in row)


def test_an_expired_position_is_left_out(world: World) -> None:
    world.core.desk.positions["BTC-1JAN21-50000-C"] = 10
    assert view.risk(world.core).exposures == ()
