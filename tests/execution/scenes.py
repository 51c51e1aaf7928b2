"""Scenes that the tests of execution share: what people ask, what the venue holds, what must agree."""

from __future__ import annotations

from collections import Counter
from typing import Any

from engine import messages as m
from engine.config import Config, Execution
from engine.domain import Side
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from tests.link import World, near_the_money, submit

QUICK = Execution(order_ttl_s=1.0, ask_after_s=0.5)  # the same waits, shorter
ENTRIES = ("private/buy", "private/sell")


def order(name: str, **fields: Any) -> m.SubmitParent:
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 20.0, "limit": 0.04}
    return m.SubmitParent(**(usual | fields))


def by_hand(name: str, **fields: Any) -> m.SendOrder:
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 2.0, "price": 0.032}
    return m.SendOrder(**(usual | fields))


def kinds(facts: list[m.Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


def send(world: World, name: str, **fields: Any) -> str:
    """An order by hand; its child's id."""
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 5.0, "price": 0.033}
    (fact,) = world.do(m.SendOrder(**(usual | fields)))
    assert isinstance(fact, m.OrderRequested), fact
    return fact.child


def told(world: World, n: int = 0) -> list[str]:
    return [type(fact).__name__ for fact in world.since(n)]


class Held:
    """Frames of this kind do not arrive: they are kept."""

    def __init__(self, *marks: bytes) -> None:
        self.marks, self.frames = marks, list[bytes]()

    def __call__(self, data: bytes) -> bool:
        if hit := all(mark in data for mark in self.marks):
            self.frames.append(data)
        return hit


FILL = (b"user.changes", b'"trade_id"')


def agree(world: World) -> None:
    """Desk and venue hold the same, and the journal folds to the very desk."""
    assert world.positions() == world.venue_positions()
    working = {child.request.child: child.remaining for child in world.desk.live_children}
    lots = world.instrument(world.child().request.instrument).lots
    assert {o.label: lots(o.amount) - lots(o.filled_amount) for o in world.venue_orders()} == working
    folded = Desk()
    for fact in world.facts:
        evolve(folded, fact)
    assert folded == world.desk


def place(world: World, name: str, **fields: Any) -> None:
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 2.0, "price": 0.0325}
    world.do(m.SendOrder(**(usual | fields)))


def session(world: World) -> None:
    """A trading session with a bit of everything: about a hundred facts in twenty seconds."""
    world.connect()
    world.run(0.5)
    name = near_the_money(world)
    world.look(name)
    world.run(0.3)
    buyer = submit(world, name, quantity=10.0, minutes=0.25, dial="auto")
    seller = submit(world, name, side=Side.SELL, limit=0.033, quantity=10.0, minutes=0.5, max_child=3.0)
    place(world, name)
    world.run(2)
    world.trade(Side.SELL, name, 6.5, 0.0325)  # part of ours by hand
    place(world, name, price=0.032)
    world.do(m.CancelChild(child=world.child().request.child))
    place(world, name, quantity=16.0, price=0.034, post_only=False)
    world.run(3)
    if proposal := world.desk.proposal_of(seller):
        world.do(m.Approve(proposal=proposal.born.id, revision=proposal.revision))
    world.run(5)
    world.trade(Side.BUY, name, 20.0, 0.034)
    world.run(0.7)
    world.do(m.Pause(parent=seller))
    world.run(1)
    world.do(m.Resume(parent=seller))
    world.ask("private/buy", {"instrument_name": "BTC-PERPETUAL", "amount": 10.0, "type": "market"})
    world.disconnect()
    world.run(0.5)
    world.connect()
    world.run(4)
    if proposal := world.desk.proposal_of(seller):
        world.do(m.Reject(proposal=proposal.born.id))
    world.run(3)
    world.do(m.SetDial(parent=buyer, dial="manual"))
    place(world, name, side=Side.SELL, price=0.035)
    place(world, name, quantity=0.0)  # refused
    world.do(m.Kill())
    world.run(1)
    world.do(m.Rearm(reason="drill over"))
    place(world, name, quantity=1.0, price=0.034, post_only=False)
    world.run(1)


def world_of(*, cancelling: bool = True) -> World:
    return World(config=Config(execution=QUICK, cancel_on_disconnect=cancelling))


def recovered(world: World, before: int, sent: int) -> None:
    """After a rise, or a link that came back: reconciled, and everything accounted for."""
    world.until(lambda: world.desk.reconciled, 20)
    since = world.facts[before:]
    opened = next(k for k, fact in enumerate(since) if isinstance(fact, m.Reconciled))
    assert not [fact for fact in since[:opened] if isinstance(fact, m.OrderRequested)]
    assert not [call for call in world.sent[sent:] if call.method in ENTRIES]
    accounted(world)


def accounted(world: World) -> None:
    """Desk and venue agree on every order and position; no label is twice at the venue, and none is unknown here."""
    history = {order.label: order for order in world.venue_history() if order.label}
    counts = Counter(order.label for order in world.venue_history() if order.label)
    assert set(counts.values()) <= {1}
    assert set(counts) <= set(world.desk.children)
    for label, child in world.desk.children.items():
        if child.state in ("requested", "lapsed", "rejected"):
            assert label not in history
            continue
        lot, order = world.instrument(child.request.instrument).lot, history[label]
        assert (child.filled, child.state) == (round(order.filled_amount / lot), order.order_state)
    assert world.positions() == world.venue_positions()
    for parent in world.desk.parents.values():
        mine = [c for c in world.desk.children.values() if c.request.parent == parent.order.id]
        assert parent.filled == sum(child.filled for child in mine) <= parent.order.quantity
    folded = Desk()
    for fact in world.facts:
        evolve(folded, fact)
    assert folded == world.desk
    assert not world.hangups


def back_by_rising(world: World) -> None:
    world.die(noticed=False)
    world.run(0.3)
    world.rise()


def back_by_connecting(world: World) -> None:
    world.disconnect(noticed=False)
    world.run(0.3)
    world.cut_requests = world.hold_requests = False
    world.lose = lambda _: False
    world.connect()
