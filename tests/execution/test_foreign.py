"""What other hands do on the account: shown as not ours, adopted or cancelled only when a person says so."""

from __future__ import annotations

import msgspec

from engine import messages as m
from engine import view
from engine.domain import Side
from engine.execution.desk import Desk
from engine.execution.foreign import orders
from tests.link import World, submit

BUY, SELL = Side.BUY, Side.SELL


def elsewhere(world: World, name: str, side: Side, amount: float, price: float, *, rest: bool = False) -> None:
    """An order on the venue's own page, with no label of ours."""
    world.ask(f"private/{side}", {
        "instrument_name": name, "amount": amount, "price": price, "type": "limit", "post_only": rest,
        "time_in_force": "good_til_cancelled" if rest else "immediate_or_cancel",
    })  # fmt: skip
    world.run(0.2)


def test_a_fill_made_elsewhere_is_shown_as_not_ours_and_counts_in_positions(desk: tuple[World, str]) -> None:
    world, name = desk
    elsewhere(world, name, BUY, 3.0, 0.0335)
    assert world.positions() == {name: 30} == world.venue_positions()
    (row,) = view.desk(world.core).fills
    assert (row.foreign, row.adopted, row.child) == (True, "", "")


def test_an_adopted_fill_counts_towards_its_parent_once(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, quantity=5.0, minutes=10.0)
    elsewhere(world, name, BUY, 3.0, 0.0335)
    (fill,) = world.desk.fills
    world.do(m.AdoptFill(trade=fill.trade, parent=parent), user="ann")
    held = world.desk.parents[parent]
    assert (held.filled, held.notional, held.state) == (30, 30 * 335, "working")
    assert world.positions() == world.venue_positions() == {name: 30}
    assert world.desk.traded["trader"] == {name: 30}
    row = view.desk(world.core).fills[0]
    assert (row.foreign, row.adopted) == (False, parent)
    assert world.refused(m.AdoptFill(trade=fill.trade, parent=parent)) == f"parent {parent} has it already"
    assert Desk.load(msgspec.msgpack.decode(msgspec.msgpack.encode(world.desk.dump()))) == world.desk


def test_a_parent_that_has_all_of_it_is_done(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, quantity=3.0, minutes=10.0)
    elsewhere(world, name, BUY, 3.0, 0.0335)
    world.do(m.AdoptFill(trade=world.desk.fills[0].trade, parent=parent))
    assert world.desk.parents[parent].state == "done"
    world.run(5)
    assert not world.desk.live_children


def test_what_the_venue_has_forgotten_cannot_be_adopted(desk: tuple[World, str]) -> None:
    world, name = desk
    elsewhere(world, name, BUY, 3.0, 0.0335)
    trade = world.desk.fills[0].trade
    world.restart_venue()
    world.connect()
    world.until(lambda: world.desk.reconciled)
    world.look(name)
    world.run(2)
    parent = submit(world, name, quantity=5.0, minutes=10.0)
    assert "a new epoch" in world.refused(m.AdoptFill(trade=trade, parent=parent))
    assert (world.positions(), world.desk.holders) == ({}, {})


def test_what_does_not_fit_is_refused_in_words(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, quantity=5.0, minutes=10.0, dial="auto", limit=0.0325)
    seller = submit(world, name, side=SELL, quantity=5.0, minutes=10.0, limit=0.05)
    elsewhere(world, name, BUY, 6.0, 0.0335)
    trade = world.desk.fills[0].trade
    assert world.refused(m.AdoptFill(trade="t0", parent=parent)) == "there is no fill t0"
    assert world.refused(m.AdoptFill(trade=trade, parent="P0")) == "no parent P0 is running"
    assert world.refused(m.AdoptFill(trade=trade, parent=parent)) == "it is more than the parent has left"
    assert world.refused(m.AdoptFill(trade=trade, parent=seller)) == (
        f"the parent is to sell {name}: this fill is another"
    )
    elsewhere(world, name, BUY, 2.0, 0.0335)
    world.until(lambda: world.desk.children_of(parent))
    small = world.desk.fills[-1].trade
    assert world.refused(m.AdoptFill(trade=small, parent=parent)) == (
        "it is more than the parent has left beside what it has working: pull that first"
    )
    world.do(m.Pull(instrument=name))
    world.do(m.AdoptFill(trade=small, parent=parent))
    assert world.desk.parents[parent].filled == 20


def test_our_own_fill_is_nobody_elses(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, quantity=5.0, minutes=10.0)
    world.do(m.SendOrder(instrument=name, side=BUY, quantity=2.0, price=0.0335, post_only=False))
    fill = world.desk.fills[0]
    assert world.refused(m.AdoptFill(trade=fill.trade, parent=parent)) == f"it is a fill of our own order {fill.child}"


def test_a_foreign_order_is_shown_left_alone_and_cancelled_only_on_request(desk: tuple[World, str]) -> None:
    world, name = desk
    elsewhere(world, name, SELL, 2.0, 0.05, rest=True)
    world.do(m.SendOrder(instrument=name, side=BUY, quantity=2.0, price=0.032))
    (row,) = view.desk(world.core).foreign
    assert (row.instrument, row.side, row.amount, row.price) == (name, SELL, 2.0, 0.05)
    world.do(m.Pull())
    assert [order.order_id for order in world.venue_orders()] == [row.order]
    assert world.refused(m.CancelForeign(order="x")) == "no order x made elsewhere is open on the account"
    world.do(m.CancelForeign(order=row.order))
    world.run(0.2)
    assert not world.venue_orders()
    assert not orders(world.desk, world.core.market)


def test_foreign_orders_are_known_again_after_a_start(desk: tuple[World, str]) -> None:
    world, name = desk
    elsewhere(world, name, SELL, 2.0, 0.05, rest=True)
    world.die()
    world.rise()
    world.until(lambda: world.desk.reconciled)
    assert [order.units for order in orders(world.desk, world.core.market).values()] == [500]
