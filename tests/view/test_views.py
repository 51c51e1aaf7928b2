"""What a screen may know: the truth of the desk, in decimals, and never a number that is none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine import view
from engine.config import Config, Execution
from engine.core import Core
from engine.domain import MS, NS, Side
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from tests.execution.scenes import session
from tests.forecast.weights import random_net, weights_of
from tests.link import BUSY, World, near_the_money, proposed, ready, submit


@pytest.fixture
def desk() -> tuple[World, str]:
    return ready()


def every(core: Core) -> list[m.View]:
    """Every view there is of a core."""
    names = [*core.market.venue.instruments, "BTC-1JAN30-5-C"]
    per_instrument = [found for name in names for found in (view.ladder(core, name), view.gauges(core, name)) if found]
    return [view.status(core), view.desk(core), view.chain(core), view.surface(core), *per_instrument]


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from numbers(inner)


def sound(core: Core) -> None:
    """Views encode, come back the same, hold only finite numbers, and leave the core as it was."""
    before = core.digest()
    for shown in every(core):
        data = m.json_bytes(shown)
        assert msgspec.json.decode(data, type=m.View) == shown
        assert all(math.isfinite(number) for number in numbers(msgspec.to_builtins(shown))), shown
    assert core.digest() == before


# ---------------------------------------------------------------- at any moment


def test_before_anything_is_known() -> None:
    world = World()
    sound(world.core)
    status = view.status(world.core)
    assert (status.feed, status.reconciled, status.instruments) == ("down", False, 0)
    assert view.ladder(world.core, "BTC-PERPETUAL") is None
    assert view.gauges(world.core, "BTC-PERPETUAL") is None


@pytest.mark.parametrize("modelled", [False, True])
def test_at_every_moment_of_a_busy_session(modelled: bool) -> None:
    weights = weights_of(random_net()) if modelled else None
    config = Config(execution=Execution(order_ttl_s=1.0, ask_after_s=0.5))
    world = World(1, config, weights, settings=BUSY)
    run, looks = world.run, [0]

    def looked_at(seconds: float) -> None:
        run(seconds / 2)
        sound(world.core)
        run(seconds / 2)
        looks[0] += 1

    world.run = looked_at  # type: ignore[method-assign]
    session(world)
    sound(world.core)
    assert looks[0] > 10


def test_after_the_options_have_expired(desk: tuple[World, str]) -> None:
    world, _ = desk
    first = min(i.expiry for i in world.core.market.venue.instruments.values() if i.expiry)
    for t in (first - 1, first, first + NS):
        world.core.step(m.Tick(n=world.n, t=t))
        sound(world.core)
        codes = [smile.code for smile in view.surface(world.core).smiles]
        assert codes == (["3MAR26", "13MAR26"] if t < first else ["13MAR26"])
        assert (view.status(world.core).next_expiry_ms == first / MS) is (t < first)


# ---------------------------------------------------------------- the ladder


def test_the_ladder_is_the_book(desk: tuple[World, str]) -> None:
    world, name = desk
    shown, book = view.ladder(world.core, name), world.core.market.venue.books[name]
    assert shown is not None
    instrument = world.instrument(name)
    for side, levels in ((Side.BUY, shown.bids), (Side.SELL, shown.asks)):
        assert [(units, instrument.lots(amount)) for units, amount in levels] == book.levels(side, 40)
    assert (shown.bids[0], shown.asks[0]) == ((325, 5.4), (335, 14.7))
    assert (shown.unit, shown.digits, shown.lot, shown.steps) == (0.0001, 4, 0.1, ((50, 5),))
    assert (shown.stale, shown.state, shown.contract_label, shown.t_ms) == ("", "open", "BTC", book.t / MS)
    quote = world.core.market.venue.quotes[name]
    assert quote.mark is not None
    assert shown.mark == pytest.approx(quote.mark * 10_000)
    assert shown.micro is not None
    assert 325 < shown.micro < 335
    assert (shown.mark_iv, shown.bid_iv, shown.ask_iv) == pytest.approx((45.97, 45.56, 47.0))


def test_own_orders_stand_in_the_ladder_until_they_end(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=5.0, price=0.033))
    world.trade(Side.SELL, name, 2.0, 0.033)
    shown = view.ladder(world.core, name)
    assert shown is not None
    child = world.child().request.child
    assert shown.own == (m.OwnOrder(child=child, side=Side.BUY, units=330, remaining=3.0, state="open"),)
    assert shown.bids[0] == (330, 3.0)
    assert shown.micro is not None
    assert 325 < shown.micro < 335  # our bid is not in it
    world.do(m.CancelChild(child=child))
    shown = view.ladder(world.core, name)
    assert shown is not None
    assert shown.own == ()
    assert shown.bids[0] == (325, 5.4)


def test_an_order_on_its_way_is_shown_as_such(desk: tuple[World, str]) -> None:
    world, name = desk
    world.durable = False
    world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=5.0, price=0.033))
    shown = view.ladder(world.core, name)
    assert shown is not None
    assert [(own.units, own.state) for own in shown.own] == [(330, "requested")]


def test_a_print_is_shown_newest_last(desk: tuple[World, str]) -> None:
    world, name = desk
    world.trade(Side.SELL, name, 1.0, 0.0325)
    world.trade(Side.BUY, name, 2.0, 0.0335)
    shown = view.ladder(world.core, name)
    assert shown is not None
    assert [row[1:] for row in shown.trades] == [(325, 1.0, "sell"), (335, 2.0, "buy")]


def test_a_book_that_cannot_be_trusted_says_so_everywhere(desk: tuple[World, str]) -> None:
    world, name = desk
    world.disconnect("a spade")
    shown, gauge, status = view.ladder(world.core, name), view.gauges(world.core, name), view.status(world.core)
    assert shown is not None
    assert gauge is not None
    assert shown.stale == gauge.note == f"the book of {name} is stale: the connection was lost"
    assert (shown.bids, shown.asks, shown.micro, gauge.forecast) == ((), (), None, None)
    assert (status.feed, status.reconciled) == ("down", False)
    world.connect()
    world.run(0.3)
    world.lose = lambda _: True
    world.run(6)
    assert view.status(world.core).feed == "stale"


# ---------------------------------------------------------------- gauges


def test_gauges_without_a_model_say_that_they_are_the_baseline(desk: tuple[World, str]) -> None:
    world, name = desk
    gauge = view.gauges(world.core, name)
    assert gauge is not None
    assert gauge.forecast is not None
    assert (gauge.note, gauge.forecast.source, gauge.warm) == ("no model in use: baseline only", "baseline", 1.0)
    directions = {"direction", "direction_10", "direction_60"}
    assert set(gauge.skill) == {*directions, "slippage", "volatility", "fill", "impact", "spread"}
    assert {skill.verdict for skill in gauge.skill.values()} == {"no edge"}
    assert gauge.thresholds["p_against"] == 0.75
    assert gauge.fragility is not None
    assert 0.0 <= gauge.fragility <= 1.0


def test_firing_rates_are_shares_of_the_moments_looked_at(desk: tuple[World, str]) -> None:
    world, name = desk
    world.run(5)
    gauge = view.gauges(world.core, name)
    assert gauge is not None
    assert set(gauge.firing) == {row.name for row in world.config.policy}
    assert all(0.0 <= share <= 1.0 for share in gauge.firing.values())


# ---------------------------------------------------------------- the desk


def test_parents_children_fills_and_positions_in_decimals(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto", quantity=20.0, minutes=10.0)
    world.run(15)
    world.trade(Side.SELL, name, 7.4, 0.0325)
    shown = view.desk(world.core)
    (parent,), (child,), (fill,), (position,) = shown.parents, shown.children, shown.fills, shown.positions
    assert (parent.amount, parent.filled, parent.working, parent.limit) == (20.0, 2.0, 3.0, 0.04)
    assert (parent.state, parent.user, parent.reason) == ("working", "trader", "")
    assert parent.average == pytest.approx(0.0325)
    assert parent.scheduled == pytest.approx(0.5, abs=0.01)
    assert parent.arrival == pytest.approx(0.03277, abs=1e-5)
    assert parent.shortfall_ticks == pytest.approx((325 - 327.687) / 5, abs=0.01)
    assert (child.amount, child.filled, child.price, child.state) == (5.0, 2.0, 0.0325, "open")
    assert (child.by, child.post_only) == ("auto", True)
    assert child.average == pytest.approx(0.0325)
    assert (fill.child, fill.amount, fill.price, fill.maker) == (child.id, 2.0, 0.0325, True)
    quote = world.core.market.venue.quotes[name]
    assert quote.delta is not None
    assert quote.mark is not None
    assert (position.instrument, position.size) == (name, 2.0)
    assert position.delta == pytest.approx(2.0 * (quote.delta - quote.mark))
    status = view.status(world.core)
    assert status.delta_coin == position.delta
    assert status.vega == position.vega


def test_proposals_are_shown_while_they_live(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = proposed(world, name)
    (row,) = view.desk(world.core).proposals
    assert (row.id, row.revision, row.amount, row.worst, row.cross) == (proposal, 1, 5.0, 0.0325, False)
    assert (row.row, row.reason) == ("schedule", "On the schedule, no edge: rest 5 at 0.0325.")
    assert row.until_ms - row.born_ms == 20_000
    world.do(m.Reject(proposal=proposal))
    assert view.desk(world.core).proposals == ()


def test_a_probability_is_said_beside_an_order_only_where_it_is_worth_something(desk: tuple[World, str]) -> None:
    world, name = desk
    proposal = world.core.desk.proposals[proposed(world, name)]
    forecast = proposal.forecast
    assert forecast is not None

    def said(verdict: m.Verdict, **changes: bool) -> float | None:
        proposal.forecast = msgspec.structs.replace(forecast, **changes)
        world.core.market.verdicts = {"direction": m.Skill(verdict=verdict)}
        return view.desk(world.core).proposals[0].up

    assert said("edge") == forecast.up
    assert [said("no edge"), said("edge", warm=False), said("edge", familiar=False)] == [None] * 3


def test_newest_first(desk: tuple[World, str]) -> None:
    world, name = desk
    for price in (0.031, 0.0315, 0.032):
        world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0, price=price))
    assert [child.price for child in view.desk(world.core).children] == [0.032, 0.0315, 0.031]
    first, second = submit(world, name), submit(world, name)
    assert [parent.id for parent in view.desk(world.core).parents] == [second, first]


def test_a_parent_says_why_it_waits_and_no_longer_than_it_does(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name)
    world.disconnect()
    assert view.desk(world.core).parents[0].reason == "the venue's connection is down"
    world.connect()
    world.run(1)
    assert view.desk(world.core).parents[0].reason == ""
    world.do(m.Pause(parent=parent), user="ann")
    assert view.desk(world.core).parents[0].reason == "paused by ann"
    world.do(m.Resume(parent=parent))
    assert view.desk(world.core).parents[0].reason == ""
    halt = m.ParentHalted(n=world.desk.facts + 1, t=world.now, parent=parent, row="wide", until=world.now + NS)
    evolve(world.desk, halt)
    assert view.desk(world.core).parents[0].reason == "halted by the row 'wide'"
    world.run(1.1)
    assert view.desk(world.core).parents[0].reason == ""


def test_a_position_in_what_is_listed_no_more_is_not_left_out(desk: tuple[World, str]) -> None:
    world, _ = desk
    world.desk.positions["BTC-27FEB26-90000-C"] = 15
    (row,) = view.desk(world.core).positions
    assert (row.instrument, row.size, row.delta, row.mark) == ("BTC-27FEB26-90000-C", 1.5, None, None)
    sound(world.core)


def test_kill_is_told_as_it_stands(desk: tuple[World, str]) -> None:
    world, _ = desk
    assert view.status(world.core).killed == ""
    world.cut_requests = True
    world.do(m.Kill(), user="ann")
    assert view.status(world.core).killed == "killed by ann: asking the venue until nothing is open"
    world.cut_requests = False
    world.run(1)
    assert view.status(world.core).killed.startswith("killed by ann: nothing open after ")


# ---------------------------------------------------------------- chain and surface


def test_the_chain_is_whole_and_in_order(desk: tuple[World, str]) -> None:
    world, _ = desk
    rows = view.chain(world.core).instruments
    assert {row[0] for row in rows} == set(world.core.market.venue.instruments)
    assert [row[1] for row in rows] == ["perpetual", "future", *["option"] * 12]
    options = [row[2:] for row in rows if row[1] == "option"]
    assert options == sorted(options)


def test_the_surface_has_a_smile_for_every_expiry(desk: tuple[World, str]) -> None:
    world, _ = desk
    shown = view.surface(world.core)
    assert [smile.code for smile in shown.smiles] == ["3MAR26", "13MAR26"]
    assert {point.strike for smile in shown.smiles for point in smile.points} == set(shown.strikes)
    near = shown.smiles[1]
    assert near.atm_iv == pytest.approx(46.0, abs=1.0)
    for point in near.points:
        assert point.call == (point.strike >= near.forward)
        assert point.mid_iv is not None
        assert point.fit_iv == pytest.approx(point.mid_iv, abs=2.5)


# ---------------------------------------------------------------- notes


def test_notes_come_numbered_and_every_fact_has_its_words() -> None:
    world = World(config=Config(execution=Execution(order_ttl_s=1.0, ask_after_s=0.5)))
    session(world)
    notes = [note for fact in world.facts if (note := view.say(world.core, fact))]
    ns = [note.n for note in notes]
    assert ns == sorted(set(ns))
    assert all(note.text and note.who for note in notes)
    silent = {type(fact) for fact in world.facts} - {type(world.facts[n - 1]) for n in ns}
    assert silent <= {m.OrderSent, m.OrderOpened, m.Asked, m.Checked, m.KillAsked, m.Refreshed, m.CancelRequested,
                      m.Proposed, m.Lapsed, m.MarketSeen, m.MarkedOut}  # fmt: skip
    for note in notes:
        assert math.isfinite(note.t_ms)
        assert msgspec.json.decode(m.json_bytes(note), type=m.View) == note


def test_notes_can_be_said_by_a_desk_that_has_not_met_the_venue_yet() -> None:
    """A journal is put into words before the new engine has heard a single instrument."""
    world = World(config=Config(execution=Execution(order_ttl_s=1.0, ask_after_s=0.5)))
    session(world)
    before = [view.say(world.core, fact) for fact in world.facts]
    folded = Desk()
    for fact in world.facts:
        evolve(folded, fact)
    fresh = World()
    fresh.core.desk = folded
    assert [view.say(fresh.core, fact) for fact in world.facts] == before
    sound(fresh.core)


@pytest.mark.parametrize(
    ("fact", "level", "words"),
    [
        (m.Refused(command="c", user="ann", reason="no"), "warn", "refused: no"),
        (m.OrderEnded(child="s-1", state="rejected", reason="so"), "warn", "order s-1 rejected: so"),
        (m.OrderEnded(child="s-1", state="cancelled", reason=""), "info", "order s-1 cancelled"),
        (m.ParentEnded(parent="P1", outcome="done", by="fills"), "good", "parent P1 is done"),
        (m.Killed(by="ann", account=True), "bad", "KILL: new orders are blocked, every order of the account cancelled"),
        (m.KillConfirmed(took=12_000_000, delta=0.5), "bad", "nothing is open, 12 ms after the press; delta +0.50"),
        (m.Reconciled(differences=("one", "two")), "warn", "reconciled with the venue: one; two"),
        (m.ParentHalted(parent="P1", row="wide", until=30 * NS), "warn", "parent P1 halted by the row 'wide' for 30 s"),
        (m.Filled(trade="1", child="", instrument="BTC-PERPETUAL", side=Side.BUY, quantity=200_000, price=200_001,
                  fee=0.0, maker=True, at=0), "good", "filled 2000000 BTC-PERPETUAL at 100000.5"),
    ],
)  # fmt: skip
def test_the_words_of_a_fact(fact: m.Fact, level: str, words: str) -> None:
    note = view.say(World().core, fact)
    assert note is not None
    assert (note.level, note.text) == (level, words)


def test_what_a_screen_looks_at_changes_no_decision(desk: tuple[World, str]) -> None:
    """Two worlds, one of them looked at all the time: the same facts."""
    watched, name = desk
    alone, _ = ready()
    for world in (watched, alone):
        submit(world, name, dial="auto")
        for _ in range(20):
            world.run(1)
            if world is watched:
                every(world.core)
    assert [m.pack(fact) for fact in watched.facts] == [m.pack(fact) for fact in alone.facts]
    assert near_the_money(alone) == name
