"""The paper venue whole, without I/O and clock: exchange, crowd, and the connections of its clients.

Time is told: `advance(now)` lets the crowd act and the beats speak up to `now`, in order of time, and every frame a
client would get is put, with its time, in that client's `frames`. The process (`shell/venue.py`) and the simulation
for training (`simulation.py`) are two ways to drive this one object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.domain import NS
from engine.market.deribit.credits import Credits
from engine.market.deribit.errors import refusal
from engine.market.deribit.methods import Params
from engine.market.deribit.methods.private import OfScope
from engine.market.deribit.rest import HttpRequest, answer
from engine.market.deribit.server import Caller, Server
from engine.market.deribit.tokens import Tokens
from engine.paper.clearing.house import ClearingSettings
from engine.paper.crowd.crowd import Crowd
from engine.paper.crowd.nobody import Nobody
from engine.paper.crowd.settings import Settings as CrowdSettings
from engine.paper.instruments.fees import Fees
from engine.paper.instruments.listing import BTC_ONLY, Spec
from engine.paper.lines import Connection, Watchers
from engine.paper.market import Market, addressed, joined
from engine.paper.operator import Operator
from engine.paper.orders.terms import Rules, Trades
from engine.paper.protocol.private.account import AccountCalls
from engine.paper.protocol.private.who import Who
from engine.paper.protocol.publisher import BEAT_NS

VERSION = "1.2.26"


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is listed, one entry a coin; who trades there (None: nobody); what a client starts with of each coin."""

    listing: tuple[Spec, ...] = BTC_ONLY
    crowd: CrowdSettings | None = CrowdSettings()
    rules: Rules = Rules()
    fees: Fees | None = None  # None: the venue's table
    clearing: ClearingSettings = ClearingSettings()
    relists: bool = True  # whether new expiries are listed when old ones are over
    balance: float = 500.0
    credit_limit: int = 50_000
    credit_refill_per_s: int = 10_000


class PaperVenue:
    """Credentials map an account's name to its secret. `mint` makes tokens: unguessable, or counted."""

    def __init__(self, seed: int, start_ns: int, settings: VenueSettings | None = None, *, epoch: str = "",
                 credentials: dict[str, str] | None = None, mint: Callable[[], str] | None = None) -> None:  # fmt: skip
        self.settings, self.now = settings or VenueSettings(), start_ns
        self.epoch = epoch or f"{start_ns // NS:x}-{seed}"
        asked = self.settings
        self.markets = {
            spec.coin: Market(spec, start_ns, asked.rules, asked.fees, asked.clearing) for spec in asked.listing
        }
        self.whole = AccountCalls({coin: market.own for coin, market in self.markets.items()}, start_ns)
        self.exchange = next(iter(self.markets.values())).exchange  # of the first coin
        credentials = credentials or {"paper": "paper"}
        self.tokens = Tokens(credentials, mint or _Counter())
        self.accounts = {name: self._open(name) for name in credentials}
        self.tokens.subjects = {number: name for name, number in self.accounts.items()}
        self.crowd = self._crowd(seed, start_ns)
        self.connections: dict[int, Connection] = {}
        self._watchers = Watchers([market.publisher for market in self.markets.values()], self.accounts)
        self._by_account: dict[str, bool] = {}  # accounts whose new connections begin with cancel-on-disconnect
        self._numbers = 0
        self._http = {account: self._credits() for account in ("", *credentials)}
        self._next_beat = (start_ns // BEAT_NS + 1) * BEAT_NS
        self.operator = Operator(self.markets)

    # the market protocol's `Exchange`

    @property
    def version(self) -> str:
        return f"{VERSION} paper epoch={self.epoch}"

    def handle(self, caller: Caller, method: str, params: Params) -> Any:
        if isinstance(params, OfScope):
            return self._set_cancels(caller, method, params)
        if method.startswith("public/"):
            return self._public(caller, method, params)
        refused = self.operator.refused(method)
        if refused is not None:
            return refused
        who = Who(caller.now, self.accounts[caller.account], caller.connection)
        whole = self.whole.table.get(method)
        if whole is not None:
            return whole(who, params)
        own = [market.private.get(method) for market in addressed(self.markets, params)]
        return joined([call(who, params) if call else refusal(-32601) for call in own])

    def has(self, channel: str) -> bool:
        return any(market.publisher.topic(channel) is not None for market in self.markets.values())

    def opening(self, caller: Caller, channel: str) -> list[Any]:
        said: list[Any] = []
        for market in self.markets.values():
            subject = market.publisher.topic(channel)
            if subject is not None:
                self._watchers.send(caller.now, market.publisher.flush(channel, caller.now))
                said += market.publisher.first(subject, self.accounts.get(caller.account, 0), caller.now)
        return said

    def cancels_on_disconnect(self, account: str) -> bool:
        return self._by_account.get(account, False)

    def disconnected(self, caller: Caller) -> None:
        account, session = self.accounts[caller.account], caller.connection
        for market in self.markets.values():
            market.exchange.cancel_where(caller.now, account, lambda o: o.session == session, "cancel_on_disconnect")

    # whoever drives it

    def connect(self, number: int = 0) -> Connection:
        """A new line; `number` that of one that is gone and whose place it takes."""
        if not number:
            self._numbers += 1
            number = self._numbers
        server = Server(self, self.tokens, self._credits(), connection=number)
        connection = self.connections[number] = Connection(number, server)
        return connection

    def receive(self, connection: Connection, data: bytes, now: int) -> None:
        """One frame of a client; the answer and what it caused are then in everybody's `frames`."""
        self.advance(now)
        connection.frames.extend((self.now, frame) for frame in connection.server.receive(data, self.now))
        self._settle()
        self._watchers.follow(connection)

    def http(self, request: HttpRequest, now: int) -> tuple[int, bytes]:
        """One call by HTTP → (status, JSON)."""
        self.advance(now)
        reply = answer(lambda account: Server(self, self.tokens, self._http[account], connection=0), self.tokens,
                       request, self.now)  # fmt: skip
        self._settle()
        return reply

    def drop(self, connection: Connection, now: int) -> None:
        """The line is gone."""
        self.advance(now)
        connection.server.lost(self.now)
        self._settle()
        self._watchers.follow(connection)
        self.connections.pop(connection.number, None)

    def advance(self, now: int) -> None:
        """Everything that happens up to and including `now`; earlier times do nothing."""
        while True:
            due = min(self.crowd.next, self._next_beat)
            if due > now:
                break
            self.now = max(self.now, due)
            if due == self._next_beat:
                self._beat()
            else:
                self.crowd.turn()  # commits its own
                self._announce()
        self.now = max(self.now, now)

    def dump(self) -> dict[str, Any]:
        """Markets, crowd and time; connections are not kept, their clients come again."""
        return {"now": self.now, "beat": self._next_beat, "epoch": self.epoch, "operator": self.operator.dump(),
                "cancels": self._by_account, "numbers": self._numbers, "crowd": self.crowd.dump(),
                "markets": {coin: market.dump() for coin, market in self.markets.items()}}  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        """Into a venue made with the same seed, start and settings; it goes on exactly as the dumped one would."""
        self.now, self._next_beat = value["now"], value["beat"]
        self.operator.load(value["operator"])
        self.epoch, self._by_account, self._numbers = value["epoch"], dict(value["cancels"]), value["numbers"]
        for coin, kept in value["markets"].items():
            self.markets[coin].load(kept)
        self.crowd.load(value["crowd"])

    def command(self, name: str, body: bytes, now: int) -> tuple[int, bytes]:
        """The operator's door: a command and its JSON → (HTTP status, JSON). Whoever opens it knows who may."""
        self.advance(now)
        status, answered, said = self.operator.command(name, body, self.now)
        self._settle()
        self._watchers.send(self.now, said)
        return status, msgspec.json.encode(answered)

    # within

    def _public(self, caller: Caller, method: str, params: Params) -> Any:
        if not (caller.account or self.operator.open_to_all):
            return refusal(13009, "public calls are for authenticated clients at present")
        own = self.operator.table.get(method)
        if own is not None:
            return own(caller.now, params)
        calls = [market.public.get(method) for market in addressed(self.markets, params)]
        return joined([call(caller.now, params) if call else refusal(-32601) for call in calls])

    def _open(self, name: str) -> int:
        """An account of the same number at every coin's exchange."""
        (number,) = {market.exchange.open_account(name, self.settings.balance) for market in self.markets.values()}
        return number

    def _crowd(self, seed: int, start_ns: int) -> Crowd | Nobody:
        exchanges = {coin: market.exchange for coin, market in self.markets.items()}
        if self.settings.crowd is None:
            return Nobody(exchanges, start_ns)
        return Crowd(exchanges, seed, start_ns, self.settings.crowd)

    def _credits(self) -> Credits:
        return Credits(self.now, self.settings.credit_limit, self.settings.credit_refill_per_s)

    def _set_cancels(self, caller: Caller, method: str, params: OfScope) -> Any:
        if params.scope == "account":
            self._by_account[caller.account] = "enable" in method
        return "ok"

    def _settle(self) -> None:
        """The last event is over: what it did is announced."""
        for market in self.markets.values():
            market.exchange.commit(self.now)
        self._announce()
        arrivals, self.tokens.arrivals = self.tokens.arrivals, []
        for t, name in arrivals:
            number = self.accounts[name]
            self._watchers.send(t, [("user.access_log", number, self.whole.came(number, t))])

    def _announce(self) -> None:
        """Tell what was announced to those who watch."""
        for market in self.markets.values():
            for said in market.exchange.drain():
                if isinstance(said, Trades):
                    market.history.printed(said)
                self._watchers.send(said.t, market.publisher.announce(said))

    def _beat(self) -> None:
        t, self._next_beat = self._next_beat, self._next_beat + BEAT_NS
        if t % NS == 0:
            for market in self.markets.values():
                if market.second(t, self.settings.relists):
                    self.crowd.listed(market.coin)
            self._settle()
        for market in self.markets.values():
            if market.history.marked():
                market.publisher.marked()
            self._watchers.send(t, market.publisher.beat(t))
        for connection in self.connections.values():
            connection.frames.extend((t, frame) for frame in connection.server.beat(t))


class _Counter:
    """Tokens for a simulation: they need be unguessable by nobody."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> str:
        self.n += 1
        return f"token-{self.n}"
