"""The market as the desk sees it: what is followed, what is forgotten, and what is ours taken out of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from engine import messages as m
from engine.config import Config
from engine.core import Core, Market
from engine.domain import NS, Kind, Side
from engine.execution.desk import Desk
from engine.forecast.names import NAMES
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from tests.execution.still import forecast
from tests.link import BUSY, QUIET, World, near_the_money, ready, submit


@pytest.fixture
def desk() -> tuple[World, str]:
    return ready()


def market(world: World) -> Market:
    return world.core.market


# ---------------------------------------------------------------- what is followed


def test_the_perpetual_is_always_followed_and_the_focus_up_to_its_limit() -> None:
    world, name = ready(config=Config(focus_limit=2))
    names = [i.name for i in market(world).venue.instruments.values() if i.kind is Kind.OPTION][:4]
    world.look(*names)
    assert market(world).followed() == (*names[:2], "BTC-PERPETUAL")
    world.run(0.5)
    assert set(market(world).forecasts) == {*names[:2], "BTC-PERPETUAL"}
    world.look("BTC-PERPETUAL")
    assert market(world).followed() == ("BTC-PERPETUAL",)
    world.run(0.1)
    assert set(market(world).forecasts) == set(market(world).features) == {"BTC-PERPETUAL"}
    assert name not in market(world).features


def test_a_broken_book_is_forgotten_with_all_that_stood_on_it(desk: tuple[World, str]) -> None:
    world, name = desk
    assert name in market(world).forecasts
    gap = {"type": "change", "timestamp": world.now // 1_000_000, "instrument_name": name, "change_id": 9,
           "prev_change_id": 8, "bids": [], "asks": []}  # fmt: skip
    frame = {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": f"book.{name}.raw", "data": gap}}
    world.say(msgspec.json.encode(frame))
    for kept in (market(world).forecasts, market(world).features, market(world).baselines):
        assert name not in kept
    world.run(0.3)  # the fresh snapshot has come
    assert name in market(world).forecasts


def test_what_cannot_be_trusted_is_not_forecast(desk: tuple[World, str]) -> None:
    world, name = desk
    world.lose = lambda _: True
    world.run(5.2)
    assert market(world).forecasts == {}
    world.lose = lambda _: False
    world.run(1.5)
    assert "BTC-PERPETUAL" in market(world).forecasts
    assert name in market(world).forecasts


# ---------------------------------------------------------------- what is ours


def test_a_ten_lot_bid_of_ours_changes_no_feature_and_no_forecast() -> None:
    """The same venue twice, once with our orders resting in the book: the very same vectors."""
    worlds = [ready()[0] for _ in range(2)]
    name = near_the_money(worlds[0])
    worlds[0].do(m.SendOrder(instrument=name, side=Side.BUY, quantity=10.0, price=0.0325))
    worlds[0].do(m.SendOrder(instrument=name, side=Side.SELL, quantity=20.0, price=0.034))
    for _ in range(20):
        for world in worlds:
            world.run(0.1)
        with_ours, without = (market(world).forecaster.rows[name] for world in worlds)
        assert np.array_equal(with_ours, without)
        assert market(worlds[0]).forecasts[name] == market(worlds[1]).forecasts[name]
        assert market(worlds[0]).micro(name) == market(worlds[1]).micro(name)


def test_our_own_prints_are_no_flow() -> None:
    worlds = [ready()[0] for _ in range(2)]
    name = near_the_money(worlds[0])
    for world in worlds:
        world.trade(Side.BUY, name, 1.0, 0.0335)
    worlds[0].do(m.SendOrder(instrument=name, side=Side.BUY, quantity=5.0, price=0.0335, post_only=False))
    for world in worlds:
        world.run(0.1)
    assert worlds[0].positions() == {name: 50}
    ours, theirs = (market(world).features[name].flow() for world in worlds)
    assert ours == pytest.approx(theirs, rel=0.01)  # a share of the depth, which our taking thinned
    assert ours[0] > 0.0
    assert sum(row.lots for row in market(worlds[0]).venue.prints[name]) == 60


@pytest.mark.parametrize("mix", [list, lambda frames: frames[::-1], lambda frames: [*frames[1:], *frames[:1]]])
@pytest.mark.parametrize("price", [0.0335, 0.034])
def test_what_we_take_neither_flows_nor_moves(mix: Callable[[list[bytes]], list[bytes]], price: float) -> None:
    """We take a part of the touch, or more than that; the venue's words of it come in any order. Until somebody reacts,
    no feature of flow, of trades or of changes is another than without us."""
    worlds = [ready()[0] for _ in range(2)]
    name = near_the_money(worlds[0])
    for world in worlds:
        world.trade(Side.SELL, name, 1.0, 0.0330)
        world.run(1)
    worlds[0].mix = mix
    worlds[0].do(m.SendOrder(instrument=name, side=Side.BUY, quantity=5.0, price=price, post_only=False))
    for world in worlds:
        world.run(0.1)
    assert worlds[0].positions() == {name: 50}
    ours, theirs = (market(world).forecaster.rows[name] for world in worlds)
    at = [NAMES.index(each) for each in NAMES if each.split("_")[0] in ("ofi", "touch", "flow", "jitter", "unrest")]
    at += [NAMES.index(each) for each in ("trade_rate", "trade_age", "micro_2", "place_2", "spread_2", "book_age")]
    np.testing.assert_allclose(ours[at], theirs[at], rtol=0.01, atol=1e-4)
    assert market(worlds[0]).prints == []


# ---------------------------------------------------------------- what a decision may read


def test_deltas_are_coin_deltas(desk: tuple[World, str]) -> None:
    world, name = desk
    quote, perpetual = market(world).venue.quotes[name], market(world).venue.quotes["BTC-PERPETUAL"]
    assert quote.delta is not None
    assert quote.mark is not None
    assert perpetual.mark is not None
    assert market(world).delta(name) == quote.delta - quote.mark
    assert market(world).delta("BTC-PERPETUAL") == 1 / perpetual.mark
    assert market(world).delta("nonsense") is None


def test_vega_is_ticks_a_vol_point(desk: tuple[World, str]) -> None:
    """69 USD a vol point on a forward of 100,190 is 6.9 units; a tick at 0.0328 is five of them."""
    world, name = desk
    quote = market(world).venue.quotes[name]
    assert quote.vega is not None
    assert quote.forward is not None
    assert market(world).vega_ticks(name) == pytest.approx(quote.vega / quote.forward / 0.0005)
    assert market(world).vega_ticks("BTC-PERPETUAL") is None


def test_the_fair_price_is_near_the_mark_and_in_units() -> None:
    world, name = ready(settings=VenueSettings(listing=(Spec(expiries=2),), crowd=QUIET.crowd))
    fair, quote = market(world).fair(name), market(world).venue.quotes[name]
    assert fair is not None
    assert quote.mark is not None
    assert fair == pytest.approx(quote.mark * 10_000, abs=10)
    assert market(world).fair("BTC-PERPETUAL") is None
    assert market(world).fair("nonsense") is None


def test_nothing_is_known_of_what_has_not_been_told() -> None:
    bare = Market(Config(), None)
    for read in (bare.micro, bare.fair, bare.vega_ticks, bare.delta):
        assert read("BTC-PERPETUAL") is None


def test_contexts_are_finite_or_none(desk: tuple[World, str]) -> None:
    world, _ = ready(settings=BUSY)
    for _ in range(10):
        world.run(1)
        for name in market(world).venue.instruments:
            known = msgspec.to_builtins(market(world).context(name))
            chain = known.pop("chain") or {"rates": ()}
            values = [*known.values(), *chain.pop("rates"), *chain.pop("moves", ()), *chain.values()]
            assert all(value is None or math.isfinite(value) for value in values)


# ---------------------------------------------------------------- forecasts


def test_recorded_forecasts_take_the_place_of_ours(desk: tuple[World, str]) -> None:
    """Where a tape has noted what was said, that is what decisions read; elsewhere our own."""
    world, name = desk
    said = forecast(t=world.now, source="lstm-recorded", up=0.9, down=0.05, stable=0.05)
    core = Core(Market(world.config, None, {world.inputs[-1].n: {name: said}}), Desk())
    for item in world.inputs:
        core.step(item)
    assert core.market.forecasts[name] == said
    assert core.market.forecasts["BTC-PERPETUAL"] == market(world).forecasts["BTC-PERPETUAL"]


def test_what_decisions_may_have_read_is_noted(desk: tuple[World, str]) -> None:
    world, name = desk
    step: Any = world.core.step
    noted: list[m.Forecasts | None] = []

    def watched(item: m.Input) -> Any:
        outcome = step(item)
        noted.append(outcome.noted)
        return outcome

    world.core.step = watched  # type: ignore[method-assign]
    world.run(0.5)
    assert not any(noted)
    submit(world, name)
    noted.clear()
    world.run(0.5)
    found = [each for each in noted if each is not None]
    assert [set(each.values) for each in found] == [{name}] * 5
    assert found[-1] == m.Forecasts(world.n, {name: market(world).forecasts[name]})


def test_how_often_rows_fire_is_counted_on_options_and_both_sides(desk: tuple[World, str]) -> None:
    world, _ = desk
    before = market(world).looks
    world.run(10)
    assert market(world).looks == before + 10 * 2  # one option, each second
    assert all(0 <= count <= market(world).looks for count in market(world).fired.values())


# ---------------------------------------------------------------- a disk that is lost


def test_a_halted_engine_lets_nothing_new_out_but_cancels(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto")
    world.until(lambda: world.desk.live_children)
    world.take(m.Halted, reason="the journal cannot be written: disk full")
    sent = len(world.sent)
    assert world.refused(m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0, price=0.032)) == (
        "the journal cannot be written: disk full"
    )
    assert world.refused(m.Resume(parent=parent)) == "the journal cannot be written: disk full"
    world.run(40)
    assert not [call for call in world.sent[sent:] if call.method in ("private/buy", "private/sell")]
    world.do(m.Kill())
    world.run(1)
    assert world.venue_orders() == []
    assert world.core.market.halted
    assert Core.load(world.core.dump(), None).market.halted == world.core.market.halted


def test_a_core_counts_its_inputs_and_names_its_facts_causes(desk: tuple[World, str]) -> None:
    world, name = desk
    n, facts = world.n, len(world.facts)
    (fact,) = world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0, price=0.032))
    assert (fact.n, fact.cause, fact.t) == (facts + 1, n + 1, world.now)
    assert [fact.n for fact in world.facts] == list(range(1, len(world.facts) + 1))
    assert world.core.n == world.n
    assert world.now % (NS // 10) == 0
