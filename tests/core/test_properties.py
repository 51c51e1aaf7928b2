"""What must hold whatever people, markets, wires, disks and deaths do, in whatever order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from engine import messages as m
from engine.config import Action, Condition, Config, Execution, Limits, Row
from engine.domain import Side
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from tests.link import BUSY, QUIET, World, near_the_money

# Rows that read only what is always there, so that each of them fires now and then.
POLICY = (
    Row(name="wide", kind="protective", when=(Condition("spread_ticks", ">", 3.5),), action=Action(halt_s=2.0)),
    Row(name="dear", kind="protective", when=(Condition("slippage_10_ticks", ">", 1.0),), action=Action(max_child=2.0)),
    Row(name="tight", kind="opportunistic", when=(Condition("spread_ticks", "<", 1.5),),
        action=Action(times_base=2.0, style="cross")),
    Row(name="middling", kind="opportunistic", when=(Condition("spread_ticks", ">", 2.5),),
        action=Action(times_base=1.0, style="wait")),
)  # fmt: skip
CONFIG = Config(
    policy=POLICY,
    limits=Limits(order_contracts=12.0, parent_contracts=60.0, open_orders=6, orders_per_10s=15),
    execution=Execution(order_ttl_s=1.0, ask_after_s=0.5, proposal_s=4.0, passive_ttl_s=5.0, reject_rest_s=2.0),
)
ENTRIES = ("private/buy", "private/sell")
AMOUNTS = st.sampled_from([0.1, 1.0, 2.5, 5.0, 11.0])
PRICES = st.sampled_from([0.032, 0.0325, 0.033, 0.0335, 0.034])
BAD_AMOUNTS = st.sampled_from([0.0, -1.0, 0.05, 40.0, math.nan, math.inf, 1e9])
BAD_PRICES = st.sampled_from([0.0, -0.03, 0.0337, 0.03251, math.nan, 9.0])
SIDES = st.sampled_from(list(Side))
PICK = st.integers(0, 30)


class Watched(World):
    """A world that looks over the core's shoulder at every step and at every call."""

    def take(self, kind: Callable[..., m.Input], **fields: Any) -> list[m.Fact]:
        facts = super().take(kind, **fields)
        for fact in facts:
            if isinstance(fact, m.OrderRequested):
                self._requested(fact)
        return facts

    def _requested(self, fact: m.OrderRequested) -> None:
        assert self.desk.reconciled
        assert not self.desk.killed
        book = self.core.market.venue.books[fact.instrument]
        assert not book.stale
        assert fact.quantity > 0
        if not fact.parent:
            return
        parent, approved = self.desk.parents[fact.parent], self.desk.proposals[fact.proposal]
        assert parent.state in ("working", "done")
        assert fact.t >= parent.halted_until
        assert fact.t < parent.order.end
        assert fact.side.sign * (fact.price - parent.order.limit) <= 0
        assert approved.state == "approved"
        assert fact.side.sign * (fact.price - approved.worst) <= 0
        assert fact.quantity <= approved.quantity

    def _perform(self, effect: m.Effect) -> bool:
        if isinstance(effect, m.Call) and effect.method in ENTRIES:
            child = self.desk.children[effect.child]
            assert self.desk.reconciled
            assert not self.desk.killed
            assert self.kept >= child.request.n, "an order left before its fact was durable"
            assert child.state == "requested"
            assert not self.core.market.venue.books[child.request.instrument].stale
            assert self.now < child.request.valid_until
        return super()._perform(effect)


class Session(RuleBasedStateMachine):
    world: Watched
    name: str

    @initialize(busy=st.booleans(), seed=st.integers(1, 3))
    def begin(self, busy: bool, seed: int) -> None:
        self.world = Watched(seed, CONFIG, settings=BUSY if busy else QUIET)
        self.world.connect()
        self.world.run(0.5)
        self.name = near_the_money(self.world)
        self.world.look(self.name)
        self.world.run(0.5)
        self.seen = 0
        self.ended: Counter[str] = Counter()

    # ------------------------------------------------------------ people

    @rule(side=SIDES, quantity=st.sampled_from([2.0, 11.0, 60.0]), limit=PRICES,
          minutes=st.sampled_from([0.1, 0.4, 5.0]), dial=st.sampled_from(["manual", "semi", "auto", "auto"]),
          algorithm=st.sampled_from(["twap", "adaptive"]), urgency=st.sampled_from([0, 5, 10]))  # fmt: skip
    def submit(self, **fields: Any) -> None:
        self.command(m.SubmitParent(instrument=self.name, **fields))
        self.world.run(1)

    @rule(side=SIDES, quantity=AMOUNTS, price=PRICES, post_only=st.booleans())
    def send(self, **fields: Any) -> None:
        self.command(m.SendOrder(instrument=self.name, **fields))

    @rule(ago=st.sampled_from([0, 0, 0, 1, 9]), quantity=st.none() | AMOUNTS, worst=st.none() | PRICES,
          reject=st.sampled_from([False, False, False, True]))  # fmt: skip
    def answer(self, ago: int, quantity: float | None, worst: float | None, reject: bool) -> None:
        proposals = list(self.world.desk.proposals.values())
        proposal = next((p for p in proposals if p.state == "live"), proposals[-1] if proposals else None)
        if proposal is None:
            self.world.run(1)
        elif reject:
            self.command(m.Reject(proposal=proposal.born.id))
        else:
            self.command(m.Approve(proposal=proposal.born.id, revision=max(proposal.revision - ago, 0),
                                   quantity=quantity, worst=worst))  # fmt: skip

    @rule(k=PICK, what=st.sampled_from(["pause", "resume", "resume", "cancel", "manual", "auto", "pull", "pull"]))
    def steer(self, k: int, what: str) -> None:
        parent, child = self.some(self.world.desk.parents, k), self.some(self.world.desk.children, k)
        verbs: dict[str, m.Verb] = {
            "pause": m.Pause(parent=parent), "resume": m.Resume(parent=parent), "cancel": m.CancelParent(parent=parent),
            "manual": m.SetDial(parent=parent, dial="manual"), "auto": m.SetDial(parent=parent, dial="auto"),
            "pull": m.CancelChild(child=child),
        }  # fmt: skip
        self.command(verbs[what])

    @rule(amount=BAD_AMOUNTS, price=BAD_PRICES, good=AMOUNTS, k=st.integers(0, 5))
    def ask_for_nonsense(self, amount: float, price: float, good: float, k: int) -> None:
        asked: list[m.Verb] = [
            m.SubmitParent(instrument=self.name, side=Side.BUY, quantity=amount, limit=0.033, minutes=0.0),
            m.SubmitParent(instrument=self.name, side=Side.BUY, quantity=good, limit=0.033, max_child=math.nan),
            m.SendOrder(instrument=self.name, side=Side.SELL, quantity=amount, price=0.034),
            m.SendOrder(instrument=self.name, side=Side.BUY, quantity=good, price=price, post_only=False),
            m.Approve(proposal="R1", revision=1, quantity=amount, worst=price),
            m.SubmitParent(instrument="nonsense", side=Side.SELL, quantity=good, limit=0.03),
        ]  # fmt: skip
        facts = self.world.do(asked[k])
        assert [type(fact) for fact in facts] == [m.Refused]

    def command(self, verb: m.Verb) -> None:
        facts = self.world.do(verb)
        refused = [fact for fact in facts if isinstance(fact, m.Refused)]
        assert facts
        assert not refused or len(facts) == 1

    @staticmethod
    def some(known: dict[str, Any], k: int) -> str:
        return list(known)[-1 - k % len(known)] if known else "nobody"

    # ------------------------------------------------------------ market, wire, disk, death

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0]))
    def wait(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(side=SIDES, amount=st.sampled_from([0.5, 3.0, 12.0]), price=st.sampled_from([0.032, 0.033, 0.034]),
          rest=st.booleans())  # fmt: skip
    def trade(self, side: Side, amount: float, price: float, rest: bool) -> None:
        self.world.clear()
        self.world.trade(side, self.name, amount, price, rest=rest)
        self.world.run(0.2)

    @rule(
        what=st.sampled_from(
            ["cut", "half-open", "dead", "lossy", "disk", "disk", "die", "die unseen", "kill", "epoch"]
        )
    )
    def mishap(self, what: str) -> None:
        """Something breaks, or what is broken is mended."""
        world = self.world
        if not world.up or world.cut_requests or not world.durable:
            self.mend()
        elif what in ("cut", "half-open"):
            world.disconnect(noticed=what == "cut")
        elif what == "dead":  # nothing written arrives, nothing is heard, and nobody has noticed
            world.cut_requests, world.lose = True, lambda _: True
        elif what == "lossy":
            world.lose = lambda data: b"book." in data
            world.run(0.3)
            world.lose = lambda _: False
        elif what == "disk":
            world.durable = False
        elif what in ("die", "die unseen"):
            self.die(noticed=what == "die")
        elif what == "kill":
            self.command(m.Kill(account=True))
            world.run(0.3)
            self.command(m.Rearm(reason="drill over"))
        else:
            world.restart_venue()
            self.mend()

    def mend(self) -> None:
        world = self.world
        if world.cut_requests and world.up:
            world.disconnect()
        world.cut_requests, world.lose = False, lambda _: False
        if not world.durable:
            world.release()
        if not world.up:
            world.connect()
        world.run(1)

    def die(self, *, noticed: bool) -> None:
        self.world.die(noticed=noticed)
        self.world.run(0.5)
        self.seen = min(self.seen, len(self.world.facts))
        self.ended = Counter(_ends(self.world.facts[: self.seen]))
        self.world.rise()
        self.world.look(self.name)
        self.world.run(1)

    # ------------------------------------------------------------ what must hold

    @invariant()
    def parents_are_the_sum_of_their_children(self) -> None:
        for parent in self.world.desk.parents.values():
            mine = [c for c in self.world.desk.children.values() if c.request.parent == parent.order.id]
            assert parent.filled == sum(child.filled for child in mine)
            assert parent.filled + sum(c.remaining for c in mine if c.state in _LIVE) <= parent.order.quantity

    @invariant()
    def what_is_live_is_what_has_not_ended(self) -> None:
        desk = self.world.desk
        states = {"working", "paused", "live", *_LIVE}
        known: dict[str, Any] = {**desk.parents, **desk.proposals, **desk.children}
        assert sorted(desk.live) == sorted(k for k, each in known.items() if each.state in states)

    @invariant()
    def what_is_new_is_lawful(self) -> None:
        new, self.seen = self.world.facts[self.seen :], len(self.world.facts)
        self.ended.update(_ends(new))
        assert all(count == 1 for count in self.ended.values())
        for fact in new:
            if isinstance(fact, m.Filled) and fact.child:
                child = self.world.desk.children[fact.child].request
                assert fact.side.sign * (fact.price - child.price) <= 0

    @invariant()
    def no_label_is_twice_at_the_venue(self) -> None:
        labels = Counter(order.label for order in self.world.venue_history() if order.label)
        assert set(labels.values()) <= {1}

    @invariant()
    def the_venue_never_hung_up_on_us(self) -> None:
        assert not self.world.hangups

    def teardown(self) -> None:
        """Let everything settle: desk and venue then hold the very same, and the journal folds to the desk."""
        if not hasattr(self, "world"):
            return
        world = self.world
        if world.up:
            world.disconnect()
        self.mend()
        world.until(lambda: world.desk.reconciled, 20)
        world.do(m.Kill())
        world.until(lambda: world.desk.killed and world.desk.killed.took, 20)
        world.run(3)
        assert world.positions() == world.venue_positions()
        assert world.desk.live_children == []
        assert [order for order in world.venue_orders() if order.label] == []
        folded = Desk()
        for fact in world.facts:
            evolve(folded, fact)
        assert folded == world.desk
        assert msgspec.msgpack.encode(folded.dump()) == msgspec.msgpack.encode(world.desk.dump())


_LIVE = ("requested", "sent", "open")


def _ends(facts: list[m.Fact]) -> list[str]:
    """Proposals that these facts end."""
    return [fact.proposal for fact in facts if isinstance(fact, m.Approved | m.Rejected | m.Lapsed)]


def test_whatever_happens() -> None:
    run_state_machine_as_test(Session, settings=settings(max_examples=40, stateful_step_count=30))
