"""A fake network: a core on one end, the paper venue in memory on the other, and hands that may cut the wire.

Nothing of ours is mocked: the core, the exchange, the crowd and both sides of the protocol are the real ones. What is
fake is the wire, the clock and the disk: time goes on when a test says so, and a fact is durable at once unless a test
holds it back.

Three lines lead to the venue: the engine's own; `ask`, which looks and acts on the same account from elsewhere; and
`rival`, another trader, who makes fills happen when a test wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from engine import messages as m
from engine.config import STEP_NS, Config, Hedging
from engine.core import Core, Market
from engine.domain import NS, Instrument, Side
from engine.execution import router
from engine.execution.desk import Child, Desk, Parent, Proposal
from engine.execution.evolve import evolve
from engine.forecast.stream import Weights
from engine.market.deribit import wire
from engine.paper.instruments.listing import Spec
from engine.paper.lines import Connection
from engine.paper.venue import PaperVenue, VenueSettings
from engine.shell.store.outbox import Outbox
from tests.still import stand

START = 1_772_436_600 * NS  # a Monday of March 2026, 07:30 UTC
SMALL = Spec(expiries=2, strikes=3, futures=1)
QUIET = VenueSettings(listing=(SMALL,), crowd=None)  # whatever moves in the books of `tests/still.py` is the test
BUSY = VenueSettings(listing=(SMALL,))
UNHEDGED = Config(hedging=Hedging(on=False))  # a test that wants hedges proposed gives a config of its own
CREDENTIALS = {"paper": "paper", "rival": "rival"}

Frames = list[bytes]


class Died(Exception):
    """The engine was killed here, as a test had asked."""


class World:
    """`facts` is the journal, `inputs` the tape. `durable` may be set False to hold orders back."""

    def __init__(
        self, seed: int = 1, config: Config | None = None, weights: Weights | None = None,
        settings: VenueSettings = QUIET, start: int = START,
    ) -> None:  # fmt: skip
        self.seed, self.settings = seed, settings
        self.config = config or UNHEDGED
        self.weights = weights
        self.facts: list[m.Fact] = []
        self.kept = 0  # how many of them are durable
        self.inputs: list[m.Input] = []
        self.sent: list[m.Call] = []  # calls that were written to the socket
        self.lose: Callable[[bytes], bool] = lambda _: False  # frames that never arrive
        self.mix: Callable[[Frames], Frames] = list  # the order in which a request's answer and its news arrive
        self.bend: Callable[[bytes], bytes] = bytes  # what becomes of a request on its way; empty: it is lost
        self.cut_requests = False  # requests are written to a socket that is dead
        self.hold_requests = False  # requests are on their way until `arrive`
        self.durable = True
        self.dies_after = 0  # the engine is killed once so many facts are durable; 0 for never
        self.dies_dumb = False  # and then before anything leaves that stands on them
        self.up = False
        self.alive = True
        self.hangups: list[str] = []  # what the venue closed the line for
        self._way: list[tuple[Connection, bytes]] = []
        self._inbox: Frames = []
        self._open_venue(start)
        self._begin(Desk())

    def _open_venue(self, t: int, epoch: int = 1) -> None:
        self.venue = PaperVenue(self.seed, t, self.settings, epoch=f"world-{epoch}", credentials=CREDENTIALS)
        if self.settings.crowd is None:
            stand(self.venue.exchange, t)
        self.epoch = epoch
        self.line = self._dial("paper")
        self._eye, self._rival = self._dial("paper"), self._dial("rival")

    def _dial(self, who: str) -> Connection:
        """A line on which somebody has logged in; our shell keeps that to itself."""
        line = self.venue.connect()
        login = {"grant_type": "client_credentials", "client_id": who, "client_secret": CREDENTIALS[who]}
        self.venue.receive(line, wire.request("login", "public/auth", login), self.venue.now)
        line.take()
        return line

    def _begin(self, desk: Desk) -> None:
        self.core = Core(Market(self.config, self.weights), desk)
        self.outbox = Outbox(self.facts.extend, self._perform, self._check, self._on_sent, self._on_failed)
        self.outbox.durable(desk.facts)
        self.n, self.alive = 0, True
        session = f"test-{len([f for f in self.facts if isinstance(f, m.Began)])}"
        self.take(m.Started, config=self.config, code="test", model="", seed=1, session=session)

    @property
    def now(self) -> int:
        return self.venue.now

    @property
    def desk(self) -> Desk:
        return self.core.desk

    # ------------------------------------------------------------ the shell's part

    def take(self, kind: Callable[..., m.Input], **fields: Any) -> list[m.Fact]:
        self.n += 1
        item = kind(n=self.n, t=self.now, **fields)
        self.inputs.append(item)
        outcome = self.core.step(item)
        self.outbox.put(outcome.facts, outcome.effects)
        self._sync()
        return outcome.facts

    def _sync(self) -> None:
        """The disk: what has come is durable, unless it is held back or the engine dies of it."""
        if not self.durable:
            return
        dying = bool(self.dies_after) and len(self.facts) >= self.dies_after
        self.kept = self.dies_after if dying else len(self.facts)
        if not (dying and self.dies_dumb):
            self.outbox.durable(self.facts[self.kept - 1].n if self.kept else 0)
        if dying:
            self.dies_after = 0
            self.die()
            raise Died

    def release(self) -> None:
        """The disk has caught up."""
        self.durable = True
        self._sync()
        self.deliver()

    def _perform(self, effect: m.Effect) -> bool:
        if not self.up or not isinstance(effect, m.Call):
            return False
        self.sent.append(effect)
        data = wire.request(effect.id, effect.method, effect.params)
        if self.hold_requests:
            self._way.append((self.line, data))
        elif not self.cut_requests:
            self._reach(self.line, data)
        return True

    def _reach(self, line: Connection, data: bytes) -> None:
        if not (data := self.bend(data)):
            return
        self.venue.receive(line, data, self.now)
        self._inbox += self.mix([frame for _, frame in line.take()])
        if line.server.closing and line is self.line and self.up:
            self.hangups.append(line.server.closing)

    def _check(self, call: m.Call) -> str:
        return self.core.may_send(call, self.now)

    def _on_sent(self, call: m.Call) -> None:
        self.take(m.Sent, call=call.id)

    def _on_failed(self, call: m.Call, reason: str) -> None:
        self.take(m.Failed, call=call.id, reason=reason)

    # ------------------------------------------------------------ the test's hands

    def connect(self) -> None:
        self.up = True
        self.take(m.Link, up=True, authenticated=True)
        self.deliver()

    def disconnect(self, reason: str = "cut", *, noticed: bool = True) -> None:
        """The line is lost; the venue notices, or keeps it for one that still listens."""
        self.up = False
        self._hang_up(noticed)
        self.take(m.Link, up=False, reason=reason)

    def _hang_up(self, noticed: bool) -> None:
        self._inbox.clear()
        old, self.line = self.line, self._dial("paper")
        if noticed:
            self.venue.drop(old, self.now)

    def die(self, *, noticed: bool = True) -> None:
        """The engine is killed: what it had not written is gone, and the venue goes on without it."""
        self.up = self.alive = False
        del self.facts[self.kept :]
        self._hang_up(noticed)

    def rise(self) -> None:
        """A new engine takes up the journal."""
        desk = Desk()
        for fact in self.facts:
            evolve(desk, fact)
        self.cut_requests = self.hold_requests = False
        self.durable, self.lose = True, lambda _: False
        self._begin(desk)
        self.connect()

    def arrive(self) -> None:
        """What was held on its way reaches the venue after all."""
        self.hold_requests, way = False, self._way
        self._way = []
        for line, data in way:
            self._reach(line, data)
        self.deliver()

    def restart_venue(self, *, said: bool = True) -> None:
        """The venue is started anew: every order and position is gone, and it says so by its epoch, or does not."""
        if self.up:
            self.disconnect("the venue went away")
        self._open_venue(self.now + NS, self.epoch + said)

    def deliver(self) -> None:
        """Hand over what the venue has said, until it has nothing more to say."""
        while self._inbox and self.up:
            data = self._inbox.pop(0)
            if not self.lose(data):
                self.take(m.Frame, data=data)

    def say(self, data: bytes) -> list[m.Fact]:
        """A frame as if the venue had said it."""
        return self.take(m.Frame, data=data)

    def run(self, seconds: float) -> None:
        """Let time pass: the market's frames and the clock's steps, in order."""
        end = self.now + round(seconds * NS)
        while self.now < end:
            target = min((self.now // STEP_NS + 1) * STEP_NS, end)
            self.venue.advance(target)
            self._settle()
            if self.alive and target % STEP_NS == 0:
                self.take(m.Tick)
                self.deliver()

    def _settle(self) -> None:
        """What others did reaches us."""
        frames = [frame for _, frame in self.line.take()]
        if self.up:
            self._inbox += frames
        self.deliver()

    def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Let time pass until something holds; fails if it never does."""
        end = self.now + round(seconds * NS)
        while not condition():
            assert self.now < end, "what was waited for did not come"
            self.run(0.1)

    def do(self, verb: m.Verb, *, user: str = "trader", role: m.Role = "admin") -> list[m.Fact]:
        """A person's command; its facts."""
        facts = self.take(m.Command, id=f"c{self.n}", user=user, role=role, verb=verb)
        self.deliver()
        return facts

    def refused(self, verb: m.Verb, *, user: str = "trader", role: m.Role = "admin") -> str:
        """The reason of a command that is refused: one fact, and nothing leaves."""
        sent = len(self.sent)
        facts = self.do(verb, user=user, role=role)
        assert len(facts) == 1, facts
        assert isinstance(facts[0], m.Refused), facts
        assert len(self.sent) == sent
        return facts[0].reason

    def look(self, *names: str) -> None:
        self.take(m.Focus, instruments=names)
        self.deliver()

    # ------------------------------------------------------------ other hands at the venue

    def ask(self, method: str, params: dict[str, Any]) -> bytes:
        """A call on our account by somebody else than the engine; its result."""
        return self._call(self._eye, method, params)

    def trade(self, side: Side, name: str, amount: float, price: float, *, rest: bool = False) -> None:
        """The rival takes up to a price, or rests at it; whatever of his stands in his own way goes first."""
        if not rest:
            self.clear()
        params = {
            "instrument_name": name, "amount": amount, "price": price, "type": "limit", "post_only": rest,
            "time_in_force": "good_til_cancelled" if rest else "immediate_or_cancel",
        }  # fmt: skip
        self._call(self._rival, f"private/{side}", params)

    def clear(self) -> None:
        """The rival takes all its orders away."""
        self._call(self._rival, "private/cancel_all", {})

    def _call(self, line: Connection, method: str, params: dict[str, Any]) -> bytes:
        self.venue.receive(line, wire.request("by hand", method, params), self.now)
        frames = [wire.decode(frame) for _, frame in line.take()]
        reply = next(frame for frame in frames if isinstance(frame, wire.Reply))
        assert reply.result is not None, reply.error
        self._settle()
        return bytes(reply.result)

    # ------------------------------------------------------------ what came of it

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def since(self, n: int) -> list[m.Fact]:
        """What was decided or learned after the first `n` facts; looks at the market apart."""
        return [fact for fact in self.facts[n:] if not isinstance(fact, m.MarketSeen | m.MarkedOut)]

    def instrument(self, name: str) -> Instrument:
        return self.core.market.venue.instruments[name]

    def parent(self, k: int = -1) -> Parent:
        return list(self.desk.parents.values())[k]

    def proposal(self, k: int = -1) -> Proposal:
        return list(self.desk.proposals.values())[k]

    def child(self, k: int = -1) -> Child:
        return list(self.desk.children.values())[k]

    def touch(self, name: str) -> tuple[float, float]:
        """Best bid and ask as the venue has them, in decimals."""
        exchange = self.venue.exchange
        n = exchange.number[name]
        bid, ask = exchange.books[n].bids.best, exchange.books[n].asks.best
        assert bid is not None
        assert ask is not None
        return exchange.instruments[n].price(bid), exchange.instruments[n].price(ask)

    def venue_orders(self) -> list[wire.OrderData]:
        """Open orders of this account, straight from the venue."""
        return msgspec.json.decode(
            self.ask("private/get_open_orders_by_currency", {"currency": "BTC"}), type=list[wire.OrderData]
        )

    def venue_history(self) -> list[wire.OrderData]:
        """Every order that the venue ever accepted of this account."""
        return msgspec.json.decode(
            self.ask("private/get_order_state_by_label", {"currency": "BTC", "label": ""}), type=list[wire.OrderData]
        )

    def venue_trades(self) -> list[wire.UserTradeData]:
        """Every trade of this account that the venue knows of: one that met itself would be twice among them."""
        asked = {"currency": "BTC", "count": 1000, "historical": True}
        found = msgspec.json.decode(self.ask("private/get_user_trades_by_currency", asked), type=router.TradePage)
        return found.trades

    def venue_positions(self) -> dict[str, int]:
        """Positions in lots, straight from the venue."""
        rows = msgspec.json.decode(self.ask("private/get_positions", {"currency": "BTC"}), type=list[wire.PositionData])
        listed = {i.name: i for i in self.venue.exchange.instruments}
        return {row.instrument_name: listed[row.instrument_name].lots(row.size) for row in rows if row.size}

    def positions(self) -> dict[str, int]:
        """Positions in lots as the desk has them."""
        return {name: lots for name, lots in self.desk.positions.items() if lots}


def near_the_money(world: World) -> str:
    """A call near the money of the second expiry."""
    venue = world.core.market.venue
    expiry = venue.expiries()[1]
    forward = venue.forward(expiry) or 0.0
    calls = [i for i in venue.options_of(expiry) if i.call]
    return min(calls, key=lambda i: abs(i.strike - forward)).name


def ready(seed: int = 1, config: Config | None = None, settings: VenueSettings = QUIET) -> tuple[World, str]:
    """A world that is connected, reconciled, and looks at one option with a live book."""
    world = World(seed, config, settings=settings)
    world.connect()
    world.run(2)
    name = near_the_money(world)
    world.look(name)
    world.run(2)
    return world, name


def packed(facts: Sequence[m.Fact]) -> bytes:
    return b"".join(m.pack(fact) for fact in facts)


def submit(world: World, name: str, **fields: Any) -> str:
    """A parent that the desk accepts; its id."""
    usual: dict[str, Any] = {
        "side": Side.BUY, "quantity": 20.0, "limit": 0.04, "minutes": 2.0, "algorithm": "twap", "dial": "manual",
    }  # fmt: skip
    facts = world.do(m.SubmitParent(instrument=name, **(usual | fields)))
    assert isinstance(facts[0], m.ParentAccepted), facts
    return facts[0].id


def proposed(world: World, name: str, **fields: Any) -> str:
    """A parent with a proposal that waits for an answer; the proposal's id."""
    parent = submit(world, name, **fields)
    world.until(lambda: world.desk.proposal_of(parent))
    proposal = world.desk.proposal_of(parent)
    assert proposal is not None
    return proposal.born.id
