"""A whole desk on a market of its own, in memory: the real core, the paper venue, and a wire that takes its time.

Theory of operation. It is the shell of `HOUSE.md`'s simulation: the venue's frames and the clock's steps are merged by
time into the core's inputs, the core's calls go back into the venue, and facts are durable at once. A frame reaches the
desk `LATENCY_NS` after the venue said it and a call reaches the venue `LATENCY_NS` after it was decided; time goes on
in strides of that length, so that no answer is ever late for what it causes.

A `Moment` is the whole of it as bytes: venue, core, and what is on the wire. Any number of runs begin at one, under
other settings or another model, and the market's dice fall alike in all of them: they differ by what the desk does.
Taken up again, the line is a new one, subscribed to what the old one heard, whose openings nobody hears: the desk's
books are whole and go on.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from engine import messages as m
from engine.config import STEP_NS, Config
from engine.core import Core, Market
from engine.domain import MS
from engine.execution.desk import Desk
from engine.forecast.stream import Weights
from engine.market.deribit import wire
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.shell.store.outbox import Outbox

LATENCY_NS = 20 * MS
USER = "trader"


class Moment(msgspec.Struct, frozen=True):
    """Where a simulated desk stood: what it was made of, and its state as bytes."""

    seed: int
    start: int
    settings: VenueSettings
    state: bytes


class Simulated:
    """Drive it by `run` and `do`. `facts` are those since it was made or taken up again."""

    def __init__(
        self, seed: int, start: int, settings: VenueSettings, config: Config | None = None,
        weights: Weights | None = None,
    ) -> None:  # fmt: skip
        self._made = seed, start, settings
        self.simulation = Simulation(seed, start, settings)
        self._begin(Core(Market(config or Config(seed=seed), weights), Desk()))
        self.take(m.Started(n=0, t=start, config=self.core.market.config, code="", model=weights.id if weights else "",
                            seed=seed, session=f"simulated-{seed}"))  # fmt: skip
        self.take(m.Link(n=0, t=start, up=True, authenticated=True))

    def _begin(self, core: Core) -> None:
        self.core = core
        self.facts: list[m.Fact] = []
        self._calls: deque[tuple[int, bytes]] = deque()  # on their way: (when they arrive, what)
        self._frames: deque[tuple[int, bytes]] = deque()
        self._outbox = Outbox(self.facts.extend, self._perform, self._check, self._sent, self._failed)
        self._outbox.durable(core.desk.facts)

    @property
    def t(self) -> int:
        return self.simulation.t

    # ------------------------------------------------------------ what happens

    def run(self, until: int) -> None:
        """Let time go on, in whole steps of the clock."""
        while self.t < until:
            self._stride()
            if self.t % STEP_NS == 0:
                self.take(m.Tick(n=0, t=self.t))

    def do(self, verb: m.Verb) -> list[m.Fact]:
        """A person's command now; the facts it came to."""
        before = len(self.facts)
        self.take(m.Command(n=0, t=self.t, id=f"c{self.core.n + 1}", user=USER, role="admin", verb=verb))
        return self.facts[before:]

    def look(self, *names: str) -> None:
        self.take(m.Focus(n=0, t=self.t, instruments=names))

    def take(self, item: m.Input) -> None:
        """One input: numbered, thought about, written down, acted on."""
        outcome = self.core.step(msgspec.structs.replace(item, n=self.core.n + 1))
        self._outbox.put(outcome.facts, outcome.effects)
        if outcome.facts:
            self._outbox.durable(outcome.facts[-1].n)

    def _stride(self) -> None:
        """As far as nothing that is said now can be answered; then what has arrived by then is heard."""
        end = self.t + LATENCY_NS
        while self._calls and self._calls[0][0] <= end:
            at, data = self._calls.popleft()
            self._hear(self.simulation.advance(at))
            self._hear([(at, frame) for frame in self.simulation.request(data)])
        self._hear(self.simulation.advance(end))
        while self._frames and self._frames[0][0] <= end:
            at, data = self._frames.popleft()
            self.take(m.Frame(n=0, t=at, data=data))

    def _hear(self, frames: list[tuple[int, bytes]]) -> None:
        self._frames.extend((t + LATENCY_NS, data) for t, data in frames)

    # ------------------------------------------------------------ the outbox's part

    def _perform(self, effect: m.Effect) -> bool:
        if not isinstance(effect, m.Call):
            return False
        now = self.core.market.now
        self._calls.append((now + LATENCY_NS, wire.request(effect.id, effect.method, effect.params)))
        return True

    def _check(self, call: m.Call) -> str:
        return self.core.may_send(call, self.core.market.now)

    def _sent(self, call: m.Call) -> None:
        self.take(m.Sent(n=0, t=self.core.market.now, call=call.id))

    def _failed(self, call: m.Call, reason: str) -> None:
        self.take(m.Failed(n=0, t=self.core.market.now, call=call.id, reason=reason))

    # ------------------------------------------------------------ moments

    def moment(self) -> Moment:
        """All of it, now."""
        state = {
            "venue": self.simulation.venue.dump(), "core": self.core.dump(),
            "calls": list(self._calls), "frames": list(self._frames), "channels": self.simulation.channels,
        }  # fmt: skip
        return Moment(*self._made, msgspec.msgpack.encode(state))

    def rewind(self, moment: Moment, weights: Weights | None, change: Any = dict) -> None:
        """Be at this moment of the same market again. `change` is given the core's state and says what it is to be."""
        state = msgspec.msgpack.decode(moment.state)
        self.simulation.rewind(state["venue"])
        self.simulation.subscribe(state["channels"])  # what it opens with is old news
        self._begin(Core.load(change(state["core"]), weights))
        self._calls.extend((t, data) for t, data in state["calls"])
        self._frames.extend((t, data) for t, data in state["frames"])
