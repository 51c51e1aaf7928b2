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
    assert [(row.known, row.unknown) for row in shown.exposures] == [(0, 1)]
    assert shown.ladder == ()  # rather than one of zeros
    world.core.desk.positions["BTC-PERPETUAL"] = 50
    shown = view.risk(world.core)
    assert [(row.code, row.known, row.unknown) for row in shown.exposures][::2] == [("perpetual", 1, 0), ("all", 1, 1)]
    assert shown.unknown == (name,)
    assert shown.ladder != ()


def test_several_expiries_are_added_up(world: World) -> None:
    venue = world.core.market.venue
    for expiry in venue.expiries():
        world.core.desk.positions[next(iter(venue.options_of(expiry))).name] = 30
    world.core.desk.positions["BTC-PERPETUAL"] = -1000
    *rows, total = view.risk(world.core).exposures
    assert [row.code for row in rows] == ["perpetual", "3MAR26", "13MAR26"]
    assert (total.code, total.known, total.unknown) == ("all", 3, 0)
    for name in ("value", "usd", "delta", "coin_delta", "gamma", "vega", "theta"):
        assert getattr(total, name) == pytest.approx(sum(getattr(row, name) for row in rows))


def test_the_ladder_is_there_in_coin_for_a_book_of_one_coin(world: World) -> None:
    world.core.desk.positions["BTC-PERPETUAL"] = -1000
    shown = view.risk(world.core)
    mark = world.core.market.venue.quotes["BTC-PERPETUAL"].mark or 0.0
    size = -world.core.market.venue.instruments["BTC-PERPETUAL"].amount(1000)
    for row in shown.coins:
        assert row == pytest.approx([size / mark * (1 - 1 / (1 + share)) for share in SPOT], abs=1e-6)


def test_an_expired_position_is_left_out(world: World) -> None:
    world.core.desk.positions["BTC-1JAN21-50000-C"] = 10
    assert view.risk(world.core).exposures == ()
