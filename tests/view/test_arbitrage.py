"""What the quotes offer, as a screen knows it: from the paper venue's own books, and only while it can be done."""

from __future__ import annotations

import pytest

from engine import view
from engine.domain import Kind, Side
from tests.link import World, ready
from tests.view.test_surface import look_everywhere


@pytest.fixture
def world() -> World:
    return ready()[0]


def test_without_a_connection_nothing_can_be_done(world: World) -> None:
    watch = view.Watch()
    assert look_everywhere(world, watch).quotes > 0
    world.disconnect()
    assert watch.view(world.core).quotes == 0
    assert look_everywhere(world, watch).quotes == 0


def test_an_order_of_a_rival_at_the_venue_is_flagged_with_its_legs_and_gone_when_taken(world: World) -> None:
    """A call offered far below dearer strikes; the desk takes it from elsewhere, and the flag goes with it."""
    venue = world.core.market.venue
    option = min((i for i in venue.instruments.values() if i.kind is Kind.OPTION and i.call), key=lambda i: i.strike)
    cheap, watch = 0.01, view.Watch()
    assert look_everywhere(world, watch).rows == ()
    assert world.touch(option.name)[0] > cheap
    world.trade(Side.SELL, option.name, 500.0, cheap)  # whoever bids is paid, and then nobody does
    world.trade(Side.SELL, option.name, 3.0, cheap, rest=True)
    world.until(lambda: venue.quotes[option.name].ask == cheap, 5.0)
    rows = look_everywhere(world, watch).rows
    flagged = [leg for row in rows for leg in row.legs if leg.instrument == option.name]
    assert {(leg.side, leg.price) for leg in flagged} == {(Side.BUY, cheap)}
    sure = [leg for row in rows if not row.needs for leg in row.legs if leg.instrument == option.name]
    assert 0.0 < sum(leg.size for leg in sure) <= 3.0
    assert all(row.profit > 0.0 and row.usd is not None for row in rows)
    wanted = {"instrument_name": option.name, "amount": 3.0, "price": cheap, "type": "limit", "post_only": False}
    world.ask("private/buy", wanted)
    world.until(lambda: venue.quotes[option.name].ask != cheap, 5.0)
    assert option.name not in [leg.instrument for row in look_everywhere(world, watch).rows for leg in row.legs]
