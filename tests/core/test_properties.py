"""What must hold whatever people, markets, wires, disks and deaths do, in whatever order."""

from __future__ import annotations

from collections import Counter
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
from engine.execution.lifecycle import LIVE_CHILD, LIVE_PARENT
from tests.core.hands import DOES, Hands, never
from tests.forecast.weights import random_net, weights_of
from tests.link import BUSY, QUIET, Frames, near_the_money
from tests.overseer import ENTRIES, Watched, against_venue

# Rows that fire now and then, so that many roads through the policy are taken; the last two need a model.
POLICY = (
    Row(name="wide", kind="protective", when=(Condition("spread_ticks", ">", 3.5),), action=Action(halt_s=2.0)),
    Row(name="dear", kind="protective", when=(Condition("slippage_10_ticks", ">", 1.0),), action=Action(max_child=2.0)),
    Row(name="tight", kind="opportunistic", when=(Condition("spread_ticks", "<", 1.5),),
        action=Action(times_base=2.0, style="cross")),
    Row(name="middling", kind="opportunistic", when=(Condition("spread_ticks", ">", 2.5),),
        action=Action(times_base=1.0, style="wait")),
    Row(name="against", kind="opportunistic", when=(Condition("p_against", ">", 0.4),),
        action=Action(times_base=2.0, style="cross")),
    Row(name="for", kind="opportunistic", when=(Condition("p_for", ">", 0.4),), action=Action(style="post")),
)  # fmt: skip
CONFIG = Config(
    policy=POLICY,
    limits=Limits(order_contracts=12.0, parent_contracts=60.0, open_orders=6, orders_per_10s=15, repeats=12),
    execution=Execution(order_ttl_s=1.0, ask_after_s=0.5, proposal_s=4.0, passive_ttl_s=5.0, reject_rest_s=2.0),
)
WEIGHTS = weights_of(random_net())
BENT: tuple[dict[str, Any] | None, ...] = (  # what becomes of an order on its way; None: it is lost
    {"amount": 1e9}, {"instrument_name": "nonsense"}, {"valid_until": 1}, {"price": 0.0337}, None,
)  # fmt: skip
PERPETUAL = "BTC-PERPETUAL"
MISHAPS = (
    "cut", "half-open", "dead", "lossy", "disk", "disk", "die", "die unseen", "kill", "epoch", "bent", "bent",
    "jumbled", "doubled",
)  # fmt: skip


def each_twice(frames: Frames) -> Frames:
    return [frame for frame in frames for _ in range(2)]


def news_first(frames: Frames) -> Frames:
    return frames[1:] + frames[:1]


def backwards(frames: Frames) -> Frames:
    return frames[::-1]


class Session(RuleBasedStateMachine):
    world: Watched
    names: tuple[str, ...]
    bends = 0

    @initialize(busy=st.booleans(), seed=st.integers(1, 3), model=st.booleans(), leaves=st.booleans())
    def begin(self, busy: bool, seed: int, model: bool, leaves: bool) -> None:
        config = msgspec.structs.replace(CONFIG, cancel_on_disconnect=not leaves)
        self.world = Watched(seed, config, WEIGHTS if model else None, settings=BUSY if busy else QUIET)
        self.world.connect()
        self.world.run(0.5)
        self.names = near_the_money(self.world), PERPETUAL
        self.world.look(*self.names)
        self.world.run(0.5)

    # ------------------------------------------------------------ people

    @rule(what=st.lists(st.tuples(st.sampled_from(list(DOES)), st.integers(0, 7), st.integers(0, 59)), min_size=1,
                        max_size=5))  # fmt: skip
    def act(self, what: list[tuple[str, int, int]]) -> None:
        for does, k, j in what:
            self.command(DOES[does](Hands(self.world, self.names, k, j)))

    @rule(k=st.integers(0, 1), j=st.integers(0, 59))
    def begin_something(self, k: int, j: int) -> None:
        self.command(Hands(self.world, self.names, k, j).submit())
        self.world.run(1)

    @rule(k=st.integers(0, 7), j=st.integers(0, 59))
    def ask_for_nonsense(self, k: int, j: int) -> None:
        facts = self.world.do(never(Hands(self.world, self.names, k, j)))
        assert [type(fact) for fact in facts] == [m.Refused]

    def command(self, verb: m.Verb) -> None:
        facts = self.world.do(verb)
        refused = [fact for fact in facts if isinstance(fact, m.Refused)]
        assert facts, f"not answered: {verb}"
        assert not refused or len(facts) == 1

    # ------------------------------------------------------------ market, wire, disk, death

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0]))
    def wait(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(side=st.sampled_from(list(Side)), amount=st.sampled_from([0.5, 3.0, 12.0]),
          price=st.sampled_from([0.032, 0.033, 0.034]), rest=st.booleans())  # fmt: skip
    def trade(self, side: Side, amount: float, price: float, rest: bool) -> None:
        self.world.clear()
        self.world.trade(side, self.names[0], amount, price, rest=rest)
        self.world.run(0.2)

    @rule(what=st.sampled_from(MISHAPS))
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
        elif what == "bent":
            self.bend()
        elif what in ("jumbled", "doubled"):
            world.jumble, world.mix = (backwards, news_first) if what == "jumbled" else (each_twice, each_twice)
            world.run(0.6)
            world.jumble = world.mix = list
        elif what in ("die", "die unseen"):
            self.die(noticed=what == "die")
        elif what == "kill":
            self.command(m.Kill(account=True))
            world.run(0.3)
            self.command(m.Rearm(reason="drill over"))
        else:
            world.restart_venue()
            self.mend()

    def bend(self) -> None:
        """The venue refuses the next order, or never hears of it."""
        world, self.bends = self.world, self.bends + 1
        change = BENT[self.bends % len(BENT)]

        def bent(data: bytes) -> bytes:
            call = msgspec.json.decode(data)
            if call["method"] not in ENTRIES:
                return data
            world.bend = bytes
            if change is None:
                return b""
            call["params"] |= change
            return msgspec.json.encode(call)

        world.bend = bent

    def mend(self) -> None:
        world = self.world
        if world.cut_requests and world.up:
            world.disconnect()
        world.cut_requests, world.lose, world.bend = False, lambda _: False, bytes
        if not world.durable:
            world.release()
        if not world.up:
            world.connect()
        world.run(1)

    def die(self, *, noticed: bool) -> None:
        self.world.die(noticed=noticed)
        self.world.run(0.5)
        self.world.rise()
        self.world.look(*self.names)
        self.world.run(1)

    # ------------------------------------------------------------ what must hold

    @invariant()
    def parents_are_the_sum_of_their_children(self) -> None:
        for parent in self.world.desk.parents.values():
            mine = [c for c in self.world.desk.children.values() if c.request.parent == parent.order.id]
            assert parent.filled == sum(child.filled for child in mine)
            assert parent.filled + sum(c.remaining for c in mine if c.state in LIVE_CHILD) <= parent.order.quantity

    @invariant()
    def what_is_live_is_what_has_not_ended(self) -> None:
        desk = self.world.desk
        states = {"live", *LIVE_PARENT, *LIVE_CHILD}
        known: dict[str, Any] = {**desk.parents, **desk.proposals, **desk.children}
        assert sorted(desk.live) == sorted(k for k, each in known.items() if each.state in states)

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
        SEEN.update(world.overseer.seen)
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
        against_venue(world)
        folded = Desk()
        for fact in world.facts:
            evolve(folded, fact)
        assert folded == world.desk
        assert msgspec.msgpack.encode(folded.dump()) == msgspec.msgpack.encode(world.desk.dump())


SEEN: Counter[type] = Counter()  # facts of all examples together
HAPPENED = {
    m.Refused, m.ParentAccepted, m.ParentEdited, m.ParentPaused, m.ParentResumed, m.ParentEnded, m.Proposed,
    m.Refreshed, m.Approved, m.Lapsed, m.OrderRequested, m.OrderSent, m.Filled, m.OrderOpened, m.OrderEnded,
    m.CancelRequested, m.Asked, m.Killed, m.KillConfirmed, m.Rearmed, m.EpochBegan, m.Reconciled,
    m.LiftAsked, m.DialSet, m.ViewSet,
}  # fmt: skip


def test_whatever_happens() -> None:
    SEEN.clear()
    run_state_machine_as_test(Session, settings=settings(max_examples=40, stateful_step_count=30))
    assert {kind.__name__ for kind in HAPPENED - set(SEEN)} == set()
