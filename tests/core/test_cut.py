"""The journal cut after every fact of a session that has everything in it: what rises finds all, and doubles nothing.

The world is not played again for each cut: at each fact the process forks, and the engine dies in the child, at that
very moment, while the parent goes on. A child that finds something wrong says so in a pipe.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from engine import messages as m
from engine.config import Action, Condition, Config, Execution, Limits, Row
from engine.domain import Side
from tests.execution.scenes import ENTRIES, accounted
from tests.forecast.weights import random_net, weights_of
from tests.link import Died, World, near_the_money, submit
from tests.overseer import Overseer, against_venue

WHOLE = bool(os.environ.get("TIDEGATE_CUTS"))  # every way to die at every fact: for the long evidence
PERPETUAL = "BTC-PERPETUAL"
POLICY = (
    Row(name="against", kind="opportunistic", when=(Condition("p_against", ">", 0.6),),
        action=Action(times_base=1.0, style="cross")),
    Row(name="else", kind="opportunistic", when=(), action=Action(style="weigh")),
)  # fmt: skip
QUICK = Execution(order_ttl_s=1.0, ask_after_s=0.5, passive_ttl_s=4.0, base_child=2.0)
LIMITS = Limits(order_contracts=12.0, orders_per_10s=200)
WAYS = [(dumb, noticed) for dumb in (False, True) for noticed in (False, True)]


class Dead(World):
    """The world of a child process: the engine dies, and rises."""

    noticed = True

    def die(self, *, noticed: bool = True) -> None:
        super().die(noticed=self.noticed)


class Dying(World):
    """Dies after each fact that becomes durable, in a process of its own: once what stands on that fact had left, and
    once before anything had; the venue notices, or keeps the line for one that still listens."""

    wrong, deaths = "", 0

    def _sync(self) -> None:
        for k in range(self.kept + 1, len(self.facts) + 1) if self.durable else ():
            for dumb, noticed in WAYS if WHOLE else [WAYS[k % 4]]:
                self.deaths += 1
                self.wrong = self.wrong or said(partial(self._end, k, dumb, noticed))
        super()._sync()

    def _end(self, k: int, dumb: bool, noticed: bool) -> None:
        self.__class__ = Dead  # type: ignore[assignment]
        self.dies_after, self.dies_dumb, self.noticed = k, dumb, noticed
        with pytest.raises(Died):
            self._sync()
        assert len(self.facts) == k
        survived(self)


def survived(world: World) -> None:
    """Rises, reconciles, and then holds what the venue holds; what was running waits for the trader, in silence."""
    kept, sent = len(world.facts), len(world.sent)
    world.run(0.7)
    world.rise()
    world.until(lambda: world.desk.reconciled, 20)
    world.run(0.3)
    assert not [call for call in world.sent[sent:] if call.method in ENTRIES]
    assert not [fact for fact in world.facts[kept:] if isinstance(fact, m.OrderRequested | m.AmendRequested)]
    assert not [proposal for proposal in world.desk.live_proposals if proposal.born.parent]  # hedges are the book's
    assert "working" not in {parent.state for parent in world.desk.live_parents}
    accounted(world)
    against_venue(world)


def said(do: Callable[[], Any]) -> str:
    """What a child process that did this found wrong, empty if nothing. What it does here stays there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException:  # whatever it is, it is told
            os.write(writing, traceback.format_exc()[-3000:].encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text


def by_hand(world: World, name: str, **fields: Any) -> None:
    usual: dict[str, Any] = {"instrument": name, "side": Side.BUY, "quantity": 2.0, "price": 0.0325}
    world.do(m.SendOrder(**(usual | fields)))


def session(world: World) -> None:
    """Automatic adaptive parents of both sides on three instruments, one left to the trader, orders by hand, edits and
    presses, fills of others, cancels, a cut line, a refusal of the venue, the kill."""
    world.connect()
    world.run(0.5)
    call = near_the_money(world)
    put = call.replace("-C", "-P")
    world.look(call, put, PERPETUAL)
    world.run(0.5)
    _, ask = world.touch(PERPETUAL)
    buyer = submit(world, call, quantity=10.0, minutes=0.3, dial="auto", algorithm="adaptive", urgency=9)
    submit(world, put, side=Side.SELL, limit=0.01, quantity=6.0, minutes=0.2, dial="auto", algorithm="adaptive")
    submit(world, PERPETUAL, quantity=200.0, limit=ask, minutes=0.2, dial="auto", algorithm="adaptive",
           baseline="almgren_chriss")  # fmt: skip
    seller = submit(world, call, side=Side.SELL, limit=0.033, quantity=10.0, minutes=0.5, leave=True)
    by_hand(world, call, price=0.032)
    by_hand(world, PERPETUAL, side=Side.SELL, quantity=500.0, price=ask + 50)
    world.run(2)
    world.trade(Side.SELL, call, 6.5, 0.0325)  # part of what rests
    world.do(m.EditParent(parent=buyer, quantity=14.0, limit=0.035))
    world.do(m.Press(parent=buyer, quantity=1.0))
    world.run(1.5)
    amend(world)
    world.do(m.CancelChild(child=world.desk.live_children[0].request.child))
    for _ in range(2):
        if proposal := world.desk.proposal_of(seller):
            world.do(m.Approve(proposal=proposal.born.id, revision=proposal.revision))
        world.run(1)
    world.trade(Side.BUY, call, 20.0, 0.034)
    world.bend = lambda data: data.replace(b'"amount":1.0', b'"amount":0.05')  # refused by the venue
    by_hand(world, call, quantity=1.0, price=0.032)
    world.bend = bytes
    world.do(m.Pause(parent=seller))
    world.disconnect()
    world.run(0.5)
    world.connect()
    world.run(2)
    world.do(m.Resume(parent=seller))
    world.do(m.SetView(parent=buyer, up=0.9, seconds=20.0))
    world.run(1.5)
    world.do(m.CancelParent(parent=buyer))
    by_hand(world, put, side=Side.SELL, price=0.06)
    world.do(m.Kill())
    world.run(1)
    world.do(m.Rearm(reason="drill over"))
    by_hand(world, call, quantity=1.0, price=0.034, post_only=False)
    world.run(0.5)


def amend(world: World) -> None:
    """An order by hand is made smaller, then moved; the second amend is on its way while time goes on."""
    world.until(lambda: world.core.market.venue.meter.requests_at(world.now) > 8, 10)
    mine = next(child for child in world.desk.live_children if not child.request.parent and child.state == "open")
    price = world.instrument(mine.request.instrument).price(mine.price)
    world.do(m.EditChild(child=mine.request.child, quantity=1.0))
    world.hold_requests = True
    world.do(m.EditChild(child=mine.request.child, price=price - 0.0005))
    world.run(0.3)
    world.arrive()


def world_of(kind: type[World], *, leaves: bool) -> World:
    config = Config(execution=QUICK, policy=POLICY, cancel_on_disconnect=not leaves, limits=LIMITS)
    return kind(config=config, weights=weights_of(random_net()))


@pytest.mark.parametrize("leaves", [False, True] if WHOLE else [False])
def test_the_engine_may_die_after_every_fact(leaves: bool) -> None:
    """`leaves`: orders outlive the engine, even where the venue notices its death."""
    world = world_of(Dying, leaves=leaves)
    assert isinstance(world, Dying)
    session(world)
    assert not world.wrong, world.wrong
    assert world.deaths >= len(world.facts) > 150
    seen = Overseer().read(world.facts).seen
    assert {m.Filled, m.ParentEdited, m.CancelRequested, m.Approved, m.Lapsed, m.Reconciled, m.KillConfirmed,
            m.Amended, m.ParentEnded} - set(seen) == set()  # fmt: skip
