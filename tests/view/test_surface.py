"""The surface and its arbitrage as a screen knows them."""

from __future__ import annotations

import math

import msgspec
import pytest

from engine import messages as m
from engine import view
from engine.domain import MS, NS, YEAR_NS, Kind
from engine.surface.svi import Slice
from engine.view.arbitrage import OLD_NS
from tests.link import World, ready
from tests.surface.slices import chain
from tests.surface.slices import smile as smile_of


@pytest.fixture
def world() -> World:
    return ready()[0]


def test_a_smile_says_its_numbers_its_doubt_and_the_fit_at_its_quotes(world: World) -> None:
    market = world.core.market
    expiry = market.venue.expiries()[1]
    forward = market.venue.forward(expiry) or 0.0
    strikes = [forward * (0.7 + 0.05 * n) for n in range(13)]
    years = (expiry - market.now) / YEAR_NS
    market.surface("BTC").refit(
        expiry, forward, chain(smile_of(0.6, -0.2, 2.0, 0.0, years), years, forward, strikes), market.now
    )
    smile = view.surface(world.core).smiles[1]
    assert smile.source == "quotes"
    assert len(smile.curve_error) == len(smile.curve_iv) == len(smile.curve_strikes)
    assert min(smile.curve_error) > 0.0
    assert smile.curvature is not None
    shape = smile.shape
    assert shape is not None
    for point in smile.points:
        k = math.log(point.strike / smile.forward)
        w = max(Slice(*seven).w(k) for seven in shape.slices)
        assert point.fit_iv == pytest.approx(100 * math.sqrt(w / shape.years), abs=1e-3)


def test_a_quote_says_how_old_it_is_and_whether_it_can_be_traded(world: World) -> None:
    market = world.core.market
    halted = next(name for name in market.venue.quotes if name.endswith("-C"))
    market.venue.quotes[halted].state = "halted"
    points = {p.instrument: p for smile in view.surface(world.core).smiles for p in smile.points}
    told = {name: point for name, point in points.items() if name in market.venue.quotes}
    assert told
    for name, point in told.items():
        quote = market.venue.quotes[name]
        assert point.t_ms == quote.t / MS
        assert point.state == quote.state


def test_earlier_moments_are_there_once_the_session_is_that_old(world: World) -> None:
    assert view.surface(world.core).past == ()
    world.run(90)
    shown = view.surface(world.core)
    assert [earlier.minutes for earlier in shown.past] == [1, 0]
    minute, start = shown.past
    assert shown.t_ms - minute.t_ms >= 60_000
    assert start.t_ms <= minute.t_ms
    assert [shape.code for shape in minute.shapes] == [smile.code for smile in shown.smiles]


def look_everywhere(world: World, watch: view.Watch) -> m.ArbitrageView:
    for _ in view.surface(world.core).smiles:
        watch.look(world.core)
    return watch.view(world.core)


def test_no_arbitrage_is_only_said_of_what_was_looked_at(world: World) -> None:
    watch = view.Watch()
    assert watch.view(world.core).looked == 0
    shown = look_everywhere(world, watch)
    assert (shown.looked, shown.expiries, shown.rows) == (2, 2, ())
    assert shown.quotes >= 12


def test_a_bid_above_intrinsic_worth_is_found_with_its_legs(world: World) -> None:
    """The lowest call offered for nearly nothing: bought, and a dearer one sold, it pays whatever is delivered."""
    venue = world.core.market.venue
    option = min((i for i in venue.instruments.values() if i.kind is Kind.OPTION and i.call), key=lambda i: i.strike)
    quote = venue.quotes[option.name]
    venue.quotes[option.name] = msgspec.structs.replace(quote, bid=None, ask=option.tick, ask_size=3.0)
    watch = view.Watch()
    rows = look_everywhere(world, watch).rows
    assert rows
    best = rows[0]
    assert best.profit > 0.0
    assert best.usd == pytest.approx(best.profit * (quote.forward or 0.0), rel=0.02)
    bought = next(leg for leg in best.legs if leg.instrument == option.name)
    assert (bought.side, bought.price) == ("buy", option.tick)
    assert bought.size <= 3.0


def test_halted_and_silent_quotes_are_no_offers(world: World) -> None:
    venue = world.core.market.venue
    before = look_everywhere(world, view.Watch()).quotes
    name, other = [i.name for i in venue.instruments.values() if i.kind is Kind.OPTION][:2]
    venue.quotes[name] = msgspec.structs.replace(venue.quotes[name], state="halted")
    venue.quotes[other] = msgspec.structs.replace(venue.quotes[other], t=world.core.market.now - OLD_NS - NS)
    assert look_everywhere(world, view.Watch()).quotes == before - 2
