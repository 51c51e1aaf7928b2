"""The paper venue whole, without I/O and clock: exchange, crowd, and the connections of its clients.

Time is told: `advance(now)` lets the crowd act and the beats speak up to `now`, in order of time, and every frame a
client would get is put, with its time, in that client's `frames`. The process (`shell/venue.py`) and the simulation
for training (`simulation.py`) are two ways to drive this one object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from engine.domain import NS, Kind
from engine.market.deribit.errors import refusal
from engine.market.deribit.methods import Params
from engine.market.deribit.methods.private import OfScope
from engine.market.deribit.rest import HttpRequest, answer
from engine.market.deribit.server import Caller, Credits, Server, notification
from engine.market.deribit.tokens import Tokens
from engine.paper.crowd import Crowd
from engine.paper.crowd import Settings as CrowdSettings
from engine.paper.exchange import Exchange
from engine.paper.listing import Spec, listing
from engine.paper.private import PrivateCalls, Who
from engine.paper.public import PublicCalls
from engine.paper.publisher import BEAT_NS, Publication, Publisher
from engine.paper.statements import Statements
from engine.paper.terms import Trade, Trades

VERSION = "1.2.26"


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is listed, who trades there, and how much a client starts with, in coin."""

    listing: Spec = Spec()
    crowd: CrowdSettings = CrowdSettings()
    balance: float = 500.0
    credit_limit: int = 50_000
    credit_refill_per_s: int = 10_000


class Connection:
    """One client's line: its side of the protocol, and what is waiting to be sent to it."""

    def __init__(self, number: int, server: Server) -> None:
        self.number, self.server = number, server
        self.frames: list[tuple[int, bytes]] = []  # (venue time, bytes), oldest first
        self.watches: dict[str, None] = {}

    def take(self) -> list[tuple[int, bytes]]:
        frames, self.frames = self.frames, []
        return frames


class PaperVenue:
    """Credentials map an account's name to its secret. `mint` makes tokens: unguessable, or counted."""

    def __init__(self, seed: int, start_ns: int, settings: VenueSettings | None = None, *, epoch: str = "",
                 credentials: dict[str, str] | None = None, mint: Callable[[], str] | None = None) -> None:  # fmt: skip
        self.settings, self.now = settings or VenueSettings(), start_ns
        self.epoch = epoch or f"{start_ns // NS:x}-{seed}"
        spec = self.settings.listing
        # numbers go on from an earlier epoch's: no order of today is mistaken for one of yesterday
        self.exchange = Exchange(listing(start_ns, spec), spec.index, first_id=start_ns // NS * 1000)
        self.say = Statements(self.exchange, spec.coin)
        self.publisher = Publisher(self.exchange, self.say)
        self.public, self.private = (
            PublicCalls(self.exchange, self.say, start_ns),
            PrivateCalls(self.exchange, self.say),
        )
        credentials = credentials or {"paper": "paper"}
        self.tokens = Tokens(credentials, mint or _Counter())
        self.accounts = {name: self.exchange.open_account(name, self.settings.balance) for name in credentials}
        self.crowd = Crowd(self.exchange, seed, start_ns, self.settings.crowd)
        self.connections: dict[int, Connection] = {}
        self._watchers: dict[str, list[Connection]] = {}
        self._by_account: dict[str, bool] = {}  # accounts whose new connections begin with cancel-on-disconnect
        self._numbers = 0
        self._http = self._credits()
        self._next_beat = (start_ns // BEAT_NS + 1) * BEAT_NS
        self._expiries = sorted({i.expiry for i in self.exchange.instruments if i.expiry})

    # the market protocol's `Exchange`

    @property
    def version(self) -> str:
        return f"{VERSION} paper epoch={self.epoch}"

    def handle(self, caller: Caller, method: str, params: Params) -> Any:
        public = self.public.table.get(method)
        if public is not None:
            return public(caller.now, params)
        if isinstance(params, OfScope):
            return self._set_cancels(caller, method, params)
        private = self.private.table.get(method)
        if private is None:
            return refusal(-32601)
        return private(Who(caller.now, self.accounts[caller.account], caller.connection), params)

    def has(self, channel: str) -> bool:
        return self.publisher.topic(channel) is not None

    def opening(self, caller: Caller, channel: str) -> Any | None:
        subject = self.publisher.topic(channel)
        if subject is None:
            return None
        self._send(caller.now, self.publisher.flush(channel, caller.now))
        return next(self.publisher.first(subject, self.accounts.get(caller.account, 0), caller.now), None)

    def cancels_on_disconnect(self, account: str) -> bool:
        return self._by_account.get(account, False)

    def disconnected(self, caller: Caller) -> None:
        account, session = self.accounts[caller.account], caller.connection
        self.exchange.cancel_where(caller.now, account, lambda o: o.session == session, "cancel_on_disconnect")

    # whoever drives it

    def connect(self) -> Connection:
        self._numbers += 1
        server = Server(self, self.tokens, self._credits(), connection=self._numbers)
        connection = self.connections[self._numbers] = Connection(self._numbers, server)
        return connection

    def receive(self, connection: Connection, data: bytes, now: int) -> None:
        """One frame of a client; the answer and what it caused are then in everybody's `frames`."""
        self.advance(now)
        connection.frames.extend((self.now, frame) for frame in connection.server.receive(data, self.now))
        self._settle()
        self._follow(connection)

    def http(self, request: HttpRequest, now: int) -> tuple[int, bytes]:
        """One call by HTTP → (status, JSON)."""
        self.advance(now)
        reply = answer(Server(self, self.tokens, self._http, connection=0), self.tokens, request, self.now)
        self._settle()
        return reply

    def drop(self, connection: Connection, now: int) -> None:
        """The line is gone."""
        self.advance(now)
        connection.server.lost(self.now)
        self._settle()
        self._follow(connection)
        self.connections.pop(connection.number, None)

    def advance(self, now: int) -> None:
        """Everything that happens up to and including `now`; earlier times do nothing."""
        while True:
            due = min(self.crowd.next, self._next_beat, self._expiries[0] if self._expiries else now + 1)
            if due > now:
                break
            self.now = max(self.now, due)
            if self._expiries and due == self._expiries[0]:
                self._expire(self._expiries.pop(0))
            elif due == self._next_beat:
                self._beat()
            else:
                self.crowd.turn()
            self._settle()
        self.now = max(self.now, now)

    def dump(self) -> dict[str, Any]:
        """Exchange, crowd and time; connections are not kept, their clients come again."""
        recent = [msgspec.to_builtins(list(trades)) for trades in self.public.recent]
        return {"now": self.now, "beat": self._next_beat, "expiries": self._expiries, "epoch": self.epoch,
                "cancels": self._by_account, "numbers": self._numbers, "recent": recent,
                "exchange": self.exchange.dump(), "crowd": self.crowd.dump()}  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        """Into a venue made with the same seed, start and settings; it goes on exactly as the dumped one would."""
        self.now, self._next_beat, self._expiries = value["now"], value["beat"], list(value["expiries"])
        self.epoch, self._by_account, self._numbers = value["epoch"], dict(value["cancels"]), value["numbers"]
        for trades, kept in zip(self.public.recent, value["recent"], strict=True):
            trades.clear()
            trades.extend(msgspec.convert(kept, list[Trade]))
        self.exchange.load(value["exchange"])
        self.crowd.load(value["crowd"])

    # within

    def _credits(self) -> Credits:
        return Credits(self.now, self.settings.credit_limit, self.settings.credit_refill_per_s)

    def _set_cancels(self, caller: Caller, method: str, params: OfScope) -> Any:
        if params.scope == "account":
            self._by_account[caller.account] = "enable" in method
        return "ok"

    def _settle(self) -> None:
        """Announce what the last event did, to those who watch."""
        self.exchange.commit(self.now)
        for said in self.exchange.drain():
            if isinstance(said, Trades):
                self.public.recent[said.instrument].extend(said.trades)
            self._send(said.t, self.publisher.announce(said))

    def _send(self, t: int, publications: Iterable[Publication]) -> None:
        """Each publication is encoded once, for all who watch its channel; private ones for their account only."""
        for channel, account, data in publications:
            watchers = self._watchers.get(channel)
            if not watchers:
                continue
            frame = notification(channel, data)
            for connection in watchers:
                if not account or self.accounts.get(connection.server.account) == account:
                    connection.frames.append((t, frame))

    def _follow(self, connection: Connection) -> None:
        """Bring the watchers up to what the connection is now subscribed to."""
        wanted = connection.server.channels
        if wanted.keys() == connection.watches.keys():
            return
        for channel in [c for c in connection.watches if c not in wanted]:
            self.publisher.unwatch(channel)
            self._watchers[channel].remove(connection)
        for channel in [c for c in wanted if c not in connection.watches]:
            subject = self.publisher.topic(channel)
            if subject is not None:
                self.publisher.watch(subject)
                self._watchers.setdefault(channel, []).append(connection)
        connection.watches = dict(wanted)

    def _beat(self) -> None:
        t, self._next_beat = self._next_beat, self._next_beat + BEAT_NS
        self._send(t, self.publisher.beat(t))
        for connection in self.connections.values():
            connection.frames.extend((t, frame) for frame in connection.server.beat(t))

    def _expire(self, expiry: int) -> None:
        """Deliver what expires now, as the venue does: at the index's average of the last half hour."""
        price = self.exchange.marks.delivery()
        for n, instrument in enumerate(self.exchange.instruments):
            if instrument.expiry == expiry and instrument.kind is not Kind.PERPETUAL:
                self.exchange.settle(self.now, n, price)


class _Counter:
    """Tokens for a simulation: they need be unguessable by nobody."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> str:
        self.n += 1
        return f"token-{self.n}"
