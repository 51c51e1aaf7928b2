"""A limit in implied volatility: a price at the present forward, rounded to the safe side, and never gone beyond."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import black
from engine import messages as m
from engine.config import Config
from engine.domain import NS, Side
from engine.execution import propose
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.execution.limit import bounded, limit_of, price_at
from engine.execution.ticket import advice_of
from tests.execution.desks import desk_of, parent_of, picture_of
from tests.execution.scenes import order
from tests.execution.still import CALL, NAME, NOW, Still, forecast
from tests.link import World, proposed, submit

BUY, SELL = Side.BUY, Side.SELL
FORWARD = 81_000.0
PUT = msgspec.structs.replace(CALL, name="BTC-27MAR26-80000-P", call=False)


def picture(forward: float | None = FORWARD, **fields: Any) -> Still:
    out = picture_of(**fields)
    if forward is not None:
        out.forwards[NAME] = forward
    return out


def parent(**fields: Any) -> m.ParentAccepted:
    return msgspec.structs.replace(parent_of(), **({"limit": 0, "limit_iv": 45.0} | fields))


def cap(iv: float, forward: float = FORWARD, now: int = NOW) -> float:
    """In units, unrounded."""
    return black.price(forward, CALL.strike, CALL.years(now), iv / 100.0, True) / CALL.tick


# ---------------------------------------------------------------- from volatility to price


@settings(max_examples=150)
@given(
    st.sampled_from(list(Side)), st.sampled_from([CALL, PUT]), st.floats(5, 300), st.floats(30_000, 200_000),
    st.floats(0.01, 300),
)  # fmt: skip
def test_the_price_is_on_a_tick_and_on_the_safe_side(
    side: Side, instrument: Any, iv: float, forward: float, days: float
) -> None:
    now = Still(instrument=instrument)
    now.now = instrument.expiry - 1900 * NS - round(days * 86400 * NS)
    now.forwards[instrument.name] = forward
    price = price_at(now, instrument, side, iv)
    exact = black.price(forward, instrument.strike, instrument.years(now.now), iv / 100.0, instrument.call)
    if isinstance(price, str):
        assert exact < instrument.tick
        return
    assert instrument.on_tick(price)
    beyond = side.sign * (price * instrument.tick - exact)
    assert beyond <= 1e-9
    assert -beyond <= instrument.tick_units(max(price, exact / instrument.tick)) * instrument.tick + 1e-9
    found = black.implied_vol(instrument.price(price), forward, instrument.strike, instrument.years(now.now),
                              instrument.call)  # fmt: skip
    if found is not None:
        assert side.sign * (100.0 * found - iv) <= 1e-5 * iv  # the price that is said is no worse a volatility


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("units", [1, 49, 50, 55, 330])
def test_the_volatility_of_a_price_gives_that_price_back(side: Side, units: int) -> None:
    strike = msgspec.structs.replace(CALL, strike=120_000.0 if units < 60 else CALL.strike)
    vol = black.implied_vol(strike.price(units), FORWARD, strike.strike, strike.years(NOW), True)
    assert vol is not None
    assert price_at(picture(), strike, side, 100.0 * vol) == units


def test_both_limits_together_are_the_tighter_and_bound_the_i_would_price() -> None:
    now = picture()
    priced = CALL.floor_tick(cap(45.0))
    assert limit_of(now, parent(), CALL) == priced
    assert limit_of(now, parent(limit=priced - 5), CALL) == priced - 5
    assert limit_of(now, parent(limit=priced + 5), CALL) == priced
    assert limit_of(now, parent(limit=priced + 5, limit_iv=None), CALL) == priced + 5
    terms = bounded(now, parent(would=priced + 10), CALL)
    assert isinstance(terms, m.ParentAccepted)
    assert terms.would == priced
    sold = limit_of(now, parent(side=SELL, limit=priced), CALL)
    assert sold == CALL.ceil_tick(cap(45.0)) >= priced


@pytest.mark.parametrize(
    ("now", "iv", "reason"),
    [
        (picture(None), 45.0, f"the forward of {NAME} is not known: an implied volatility says no price"),
        (picture(20_000.0), 1.0, "an implied volatility of 1 % is worth less than a tick"),
    ],
)
def test_where_it_says_no_price_nothing_goes_out(now: Still, iv: float, reason: str) -> None:
    assert price_at(now, CALL, BUY, iv) == reason
    assert limit_of(now, parent(limit_iv=iv), CALL) is None


def test_in_the_last_half_hour_it_says_no_price() -> None:
    now = picture()
    now.now = CALL.expiry - 1800 * NS + 1
    assert price_at(now, CALL, BUY, 45.0) == "in the last half hour an implied volatility says no price"


# ---------------------------------------------------------------- what a desk does of it


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(Side)), st.floats(20, 80), st.lists(st.floats(74_000, 88_000), min_size=3, max_size=8),
    st.integers(0, 10), st.none() | st.integers(200, 500),
)  # fmt: skip
def test_no_child_is_ever_beyond_the_cap_at_the_forward_of_its_decision(
    side: Side, iv: float, forwards: list[float], urgency: int, would: int | None
) -> None:
    now = picture()
    now.baselines[NAME] = forecast()
    asked = parent(side=side, limit_iv=iv, urgency=urgency, would=would, dial="auto", kappa=0.0)
    desk = desk_of(asked)
    for k, forward in enumerate(forwards):
        now.forwards[NAME] = forward
        now.now += 20 * NS
        now.book(((0.0325, 5.0), (0.032, 20.0)), ((0.0335, 5.0), (0.034, 20.0)))
        exact = cap(iv, forward, now.now)
        for fact in propose.work(desk, now, desk.parents[asked.id]):
            told = msgspec.structs.replace(fact, n=desk.facts + 1, t=now.now)
            evolve(desk, told)
            if isinstance(told, m.OrderRequested):
                assert side.sign * (told.price - exact) <= 1e-6
                opened = m.OrderOpened(n=desk.facts + 1, t=now.now, child=told.child, order=f"o{k}", price=told.price)
                evolve(desk, opened)
        for child in desk.live_children:
            assert child.cancelling or side.sign * (child.price - exact) <= 1e-6


def forward_is(world: World, name: str, forward: float) -> None:
    """The venue states another forward of this option."""
    venue = world.core.market.venue
    quote = venue.quotes[name]
    quote.forward, quote.t = forward, world.now


def rests(world: World, name: str, iv: float, **fields: Any) -> str:
    found = submit(world, name, dial="auto", limit=0.0, limit_iv=iv, quantity=60.0, minutes=10.0, **fields)
    world.until(lambda: world.desk.children_of(found))
    world.run(0.5)
    return found


def iv_of(world: World, name: str, price: float) -> float:
    instrument, forward = world.instrument(name), world.core.market.venue.quotes[name].forward
    assert forward is not None
    vol = black.implied_vol(price, forward, instrument.strike, instrument.years(world.now), instrument.call)
    assert vol is not None
    return 100.0 * vol


def test_what_rests_is_a_plain_limit_and_is_pulled_when_the_forward_takes_it_beyond(desk: tuple[World, str]) -> None:
    world, name = desk
    iv = iv_of(world, name, 0.0326)
    parent = rests(world, name, iv)
    (call,) = [call for call in world.sent if call.child]
    assert (call.params["type"], call.params["price"]) == ("limit", 0.0325)
    assert "advanced" not in call.params
    quote = world.core.market.venue.quotes[name]
    assert quote.forward is not None
    forward_is(world, name, quote.forward * 0.998)
    world.run(0.3)
    assert world.child(0).state == "cancelled"
    assert world.child(0).reason == f"the limit of {iv:.4g} % is 0.0315 now"
    terms = limit_of(world.core.market, world.desk.parents[parent].order, world.instrument(name))
    assert terms is not None
    assert all(child.price <= terms for child in world.desk.children_of(parent))


@pytest.mark.parametrize("verb", [m.Pause, m.CancelParent])
def test_what_a_stopped_parent_left_is_pulled_too(
    desk: tuple[World, str], verb: type[m.Pause | m.CancelParent]
) -> None:
    world, name = desk
    parent = rests(world, name, iv_of(world, name, 0.0326))
    world.do(verb(parent=parent, leave=True))
    assert world.desk.children_of(parent)
    forward = world.core.market.venue.quotes[name].forward
    assert forward is not None
    forward_is(world, name, forward * 0.998)
    world.run(0.3)
    assert not world.desk.children_of(parent)


def test_an_edit_gives_it_another_volatility_or_takes_it_away(desk: tuple[World, str]) -> None:
    world, name = desk
    iv = iv_of(world, name, 0.0326)
    parent = rests(world, name, iv)
    ask = "it asks for a limit: a price, or an implied volatility"
    assert world.refused(m.EditParent(parent=parent, limit_iv=0.0)) == ask
    world.do(m.EditParent(parent=parent, limit_iv=iv - 2.0))
    assert not world.desk.children_of(parent)  # it rested beyond the new one
    world.do(m.EditParent(parent=parent, limit_iv=0.0, limit=0.033))
    edited = world.desk.parents[parent].order
    assert (edited.limit, edited.limit_iv) == (330, None)


def test_what_else_is_edited_does_not_ask_where_the_forward_is(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, limit=0.0, limit_iv=iv_of(world, name, 0.0331), would=0.032, minutes=10.0)
    forward = world.core.market.venue.quotes[name].forward
    assert forward is not None
    forward_is(world, name, forward * 0.98)  # the I-would price is beyond the limit now
    world.do(m.EditParent(parent=parent, quantity=5.0))
    assert world.parent().order.quantity == 50
    assert world.refused(m.EditParent(parent=parent, would=0.0325)) == "the I-would price is beyond the limit"


@pytest.mark.parametrize("iv", [-5.0, 0.0, math.nan, math.inf, 1e306])
def test_a_worst_price_in_a_volatility_that_is_none_is_refused(desk: tuple[World, str], iv: float) -> None:
    world, name = desk
    proposal = proposed(world, name, limit=0.04)
    reason = world.refused(m.Approve(proposal=proposal, revision=1, worst_iv=iv))
    assert reason == f"{iv:.12g} % is no implied volatility"


def test_a_worst_price_may_be_said_in_volatility(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name, limit=0.04)
    world.do(m.Approve(proposal=proposal, revision=1, worst_iv=iv_of(world, name, 0.0321)))
    (approved,) = world.of(m.Approved)
    assert (approved.worst, approved.edited) == (320, True)
    assert world.child().request.price <= 320


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"limit": 0.0}, "it asks for a limit: a price, or an implied volatility"),
        ({"limit": 0.0, "limit_iv": -5.0}, "-5 % is no implied volatility"),
        ({"limit": 0.0, "limit_iv": math.nan}, "nan % is no implied volatility"),
        ({"limit": 0.0, "limit_iv": 2000.0}, "2000 % is no implied volatility"),
        ({"limit": 0.0, "limit_iv": 40.0, "would": 0.08}, "the I-would price is beyond the limit"),
    ],
)
def test_what_cannot_be_a_limit_is_refused(desk: tuple[World, str], fields: dict[str, Any], sentence: str) -> None:
    world, name = desk
    assert world.refused(order(name, **fields)) == sentence


def test_a_future_has_none(desk: tuple[World, str]) -> None:
    world, _ = desk
    future = m.SubmitParent(instrument="BTC-PERPETUAL", side=BUY, quantity=100.0, limit_iv=40.0)
    assert world.refused(future) == "BTC-PERPETUAL has no implied volatility"


def test_a_ticket_is_told_of_it_as_of_a_price() -> None:
    now = picture()
    now.baselines[NAME], now.micros[NAME], now.sigmas[NAME] = forecast(), 330.0, 0.1
    typed = m.SubmitParent(instrument=NAME, side=BUY, quantity=10.0, limit_iv=20.0)
    found = advice_of(Desk(config=Config()), now, typed)
    assert isinstance(found, m.Estimated)
    assert found.ways[0].warning == "the limit does not reach the ask: it only rests"
    assert cap(20.0) < 335 < cap(60.0)
