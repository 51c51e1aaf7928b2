"""Greeks for hedging: the venue's own, and in the last half hour what is still to be averaged of them."""

from __future__ import annotations

import pytest

from engine.core import Market
from engine.domain import MINUTE_NS, Instrument, expiry_code, instrument_of
from engine.execution.picture import Greeks
from engine.market.told import Quote
from engine.surface import delivery
from tests.link import World


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.connect()
    world.run(1)
    return world


def market(world: World, minutes: int) -> tuple[Market, Instrument]:
    """The market so many minutes before its first expiry, and a call of that."""
    market = world.core.market
    expiry = market.venue.expiries()[0]
    call = next(i for i in market.venue.options_of(expiry) if i.call)
    market.now = market.smiles.now = expiry - minutes * MINUTE_NS
    quote = market.venue.quotes[call.name]
    quote.t, quote.estimated, quote.forward = market.now, 100_000.0, 100_400.0
    return market, call


def test_before_the_window_they_are_the_venues(world: World) -> None:
    here, call = market(world, 31)
    quote, greeks = here.venue.quotes[call.name], here.greeks(call.name)
    assert greeks is not None
    assert (greeks.delta, greeks.gamma, greeks.vega) == (quote.delta, quote.gamma, quote.vega)
    assert greeks.coin_delta == here.delta(call.name)
    each = here.delta(here.venue.perpetual)
    assert each is not None
    assert here.greeks(here.venue.perpetual) == Greeks(each, each, 0.0, 0.0)


@pytest.mark.parametrize("minutes", [29, 15, 5, 1])
def test_in_the_window_they_run_off_with_what_is_still_to_be_averaged(world: World, minutes: int) -> None:
    here, call = market(world, minutes)
    greeks = here.greeks(call.name)
    vol = here.surface("BTC").iv(call.expiry, call.strike, 100_400.0) or here.venue.quotes[call.name].mark_iv
    assert greeks is not None
    assert vol is not None
    said = delivery.greeks(100_400.0, call.strike, minutes * MINUTE_NS, vol, True, 100_000.0)
    assert greeks == Greeks(float(said.delta), float(said.coin_delta), float(said.gamma), float(said.vega))
    assert abs(greeks.delta) <= minutes / 30.0 + 1e-9


def test_without_the_average_so_far_they_are_not_known(world: World) -> None:
    here, call = market(world, 15)
    here.venue.quotes[call.name].estimated = None
    assert here.greeks(call.name) is None


def test_a_future_that_is_being_delivered_moves_by_what_is_left(world: World) -> None:
    here, call = market(world, 15)
    name = f"BTC-{expiry_code(call.expiry)}"
    here.venue.instruments[name] = instrument_of(name)
    here.venue.quotes[name] = Quote(t=here.now, mark=100_200.0, estimated=100_000.0)
    each = 0.5 / (0.5 * 100_400.0 + 0.5 * 100_000.0)
    greeks = here.greeks(name)
    assert greeks is not None
    assert (greeks.delta, greeks.coin_delta) == pytest.approx((each, each))
    assert (greeks.gamma, greeks.vega) == (0.0, 0.0)


def test_what_is_not_quoted_or_has_no_mark_is_not_known(world: World) -> None:
    here, call = market(world, 60)
    here.venue.quotes[call.name].mark = None
    assert here.greeks(call.name) is None
    assert here.greeks("BTC-1JAN30-1-C") is None
    assert here.ofi("BTC-1JAN30-1-C") is None
    assert here.ofi(here.venue.perpetual) == pytest.approx(0.0, abs=5.0)
