"""The venue's side of one connection, without I/O: bytes and the time in, bytes out.

`Server` reads a frame, checks it, answers what concerns the connection itself (auth, subscriptions, heartbeat,
credits) and hands the rest to an `Exchange`. What the exchange publishes is for whoever drives it to send: each as one
`notification` to all whose `channels` have it, those of `user.…` to the connections of their `account` only.
The shell around it moves bytes, calls `beat` when `next_beat` is reached, hangs up when `closing` says why, and
calls `lost` when the line is gone.

Life of a frame: no credits → 10028 and the line is closed; too long → -32600; not JSON-RPC → 11050, without id if
that cannot be read; unknown method → -32601; params of another type → -32602, naming the one; private without a
token → 10000, with a bad one 13009; then the method.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from engine.domain import MS, NS
from engine.market.deribit.account import CancelOnDisconnect
from engine.market.deribit.credits import Credits
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.frames import beat, notification, read, read_params, reply
from engine.market.deribit.methods import METHODS, Params
from engine.market.deribit.methods.params import Channels
from engine.market.deribit.methods.private import Logout, OfScope
from engine.market.deribit.methods.public import Auth, SetHeartbeat, Test
from engine.market.deribit.scopes import needed, needed_by_channel
from engine.market.deribit.tokens import Grant, Tokens

TOKENS_KEPT = 200  # more than live at once, unless somebody logs in all the time
_SILENCE = object()  # the outcome of a call that is not answered


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and when: `account` is "" for nobody, `connection` a number the shell gave, `now` the venue's ns."""

    account: str
    connection: int
    now: int


class Exchange(Protocol):
    """What stands behind a venue's connections."""

    @property
    def version(self) -> str:
        """Said by `public/hello` and `public/test`; a paper venue states its epoch in it."""

    def handle(self, caller: Caller, method: str, params: Params) -> Any:
        """A call of `METHODS` that the connection does not answer itself. What is returned is the result, a value
        that msgspec encodes (most are types of `wire`), or a `VenueError`."""

    def has(self, channel: str) -> bool:
        """Whether there is such a channel. Others are dropped from a subscription without a word."""

    def opening(self, caller: Caller, channel: str) -> Iterable[Any]:
        """What a new subscriber of the channel hears first: a book's snapshot, the present ticker; often nothing."""

    def cancels_on_disconnect(self, account: str) -> bool:
        """Whether a new connection of this account begins with cancel-on-disconnect."""

    def disconnected(self, caller: Caller) -> None:
        """The line is gone and cancel-on-disconnect was on: cancel the orders that came in by this connection."""


class Server:
    """One connection. `account` is who it belongs to ("" before auth), `closing` why it must be closed ("": stays)."""

    def __init__(self, exchange: Exchange, tokens: Tokens, allowance: Credits, *, connection: int) -> None:
        self.account = ""
        self.closing = ""
        self.channels: dict[str, None] = {}  # in the order of subscription
        self.subscribed = 0  # how often `channels` has changed
        self.next_beat: int | None = None  # ns: when `beat` is due
        self._exchange = exchange
        self._tokens = tokens
        self._allowance = allowance
        self._connection = connection
        self._token = ""
        self._given: deque[str] = deque(maxlen=TOKENS_KEPT)  # tokens that were given on this line
        self._beat_every = 0
        self._heard = 0  # when the client last said anything
        self._test_due = False  # a test_request has been sent and not been answered
        self._cancels: dict[str, None] = {}  # accounts whose orders of this line are cancelled when it is gone
        self._opened: list[str] = []
        self._own: Mapping[str, Callable[[Caller, Any], Any]] = {
            "public/auth": self._auth,
            "public/exchange_token": lambda caller, params: tokens.exchange(params, caller.now),
            "public/fork_token": lambda caller, params: tokens.fork(params, caller.now),
            "public/hello": lambda caller, params: {"version": exchange.version},
            "public/test": self._test,
            "public/get_time": lambda caller, params: caller.now // MS,
            "public/set_heartbeat": self._set_heartbeat,
            "public/disable_heartbeat": self._disable_heartbeat,
            "public/subscribe": self._subscribe_public,
            "public/unsubscribe": self._unsubscribe,
            "public/unsubscribe_all": self._unsubscribe_all,
            "private/subscribe": self._subscribe,
            "private/unsubscribe": self._unsubscribe,
            "private/unsubscribe_all": self._unsubscribe_all,
            "private/enable_cancel_on_disconnect": lambda caller, params: self._set_cancels(caller, params, True),
            "private/disable_cancel_on_disconnect": lambda caller, params: self._set_cancels(caller, params, False),
            "private/get_cancel_on_disconnect": self._get_cancels,
            "private/logout": self._logout,
        }

    def receive(self, data: bytes, now: int) -> list[bytes]:
        """One frame from the client at `now` (ns) → the frames that answer it. Never raises for what a client says."""
        if self.closing:
            return []
        self._heard = now
        frames = self._answer(data, now)
        caller = self._caller(now)
        opened, self._opened = self._opened, []
        for channel in opened:
            frames += [notification(channel, data) for data in self._exchange.opening(caller, channel)]
        return frames

    def call(self, method: str, given: Any, now: int, grant: Grant | None = None) -> Any:
        """One call, its params as JSON or as a mapping of texts → its result or a VenueError. `grant` overrides
        whose call it is; without it the connection's own or the params' token decides."""
        kind = METHODS.get(method)
        if kind is None:
            return refusal(-32601)
        params = read_params(kind, given)
        if isinstance(params, VenueError):
            return params
        if grant is None:
            grant = self._tokens.grant(params.access_token or self._token, now)
        refused = self._refuse(method, params, grant) if method.startswith("private/") else None
        if refused is not None:
            return refused
        caller = Caller(grant.account if grant is not None else "", self._connection, now)
        own = self._own.get(method)
        return own(caller, params) if own is not None else self._exchange.handle(caller, method, params)

    def afford(self, now: int) -> bool:
        """Take the cost of one call from the credits; the line of one who has none left is closed."""
        if self._allowance.spend(now):
            return True
        self.closing = "too many requests"
        return False

    def beat(self, now: int) -> list[bytes]:
        """What is to be said at `next_beat`; closes the line of a client that has not answered a test_request."""
        if self.next_beat is None or now < self.next_beat or self.closing:
            return []
        if self._test_due:
            self.closing = "a test_request was not answered"
            return []
        silent = now - self._heard >= self._beat_every
        self.next_beat = now + self._beat_every
        self._test_due = silent
        return [beat(kind) for kind in (("heartbeat", "test_request") if silent else ("heartbeat",))]

    def lost(self, now: int) -> None:
        """The line is gone, whoever closed it."""
        for account in self._cancels:
            self._exchange.disconnected(Caller(account, self._connection, now))
        self._cancels = {}
        self.closing = self.closing or "the line is gone"
        self.channels.clear()
        self.subscribed += 1

    # ------------------------------------------------------------------ within

    def _answer(self, data: bytes, now: int) -> list[bytes]:
        ask = read(data)
        if not self.afford(now):
            return [reply(ask.id, refusal(10028), now)]
        if ask.refused is not None:
            return [reply(ask.id, ask.refused, now)]
        outcome = self.call(ask.method, ask.params, now)
        return [] if outcome is _SILENCE else [reply(ask.id, outcome, now)]

    def _caller(self, now: int) -> Caller:
        return Caller(self.account, self._connection, now)

    def _refuse(self, method: str, params: Params, grant: Grant | None) -> VenueError | None:
        """Why this private call may not be made: no token, a bad one, or one for something else."""
        if grant is None:
            known = bool(self._token or params.access_token)
            return refusal(13009, "invalid_token") if known else refusal(10000)
        channels = params.channels if method == "private/subscribe" and isinstance(params, Channels) else []
        for need in (needed(method), *(needed_by_channel(channel) for channel in channels)):
            if need is not None and not grant.scope.allows(*need):
                return refusal(13021, f"the token is not for {need[0]}:{need[1]}")
        return None

    def _auth(self, caller: Caller, params: Auth) -> Any:
        token = self._tokens.auth(params, caller.now)
        if isinstance(token, VenueError):
            return token
        grant = self._tokens.grant(token.access_token, caller.now)
        account = grant.account if grant is not None else ""
        if account != self.account:
            if self._exchange.cancels_on_disconnect(account):
                self._cancels[account] = None
            self._drop_user_channels()
        self._token, self.account = token.access_token, account
        self._given.extend((token.access_token, token.refresh_token))
        return token

    def _drop_user_channels(self) -> None:
        self.channels = {channel: None for channel in self.channels if not _is_private(channel)}
        self.subscribed += 1

    def _logout(self, caller: Caller, params: Logout) -> object:
        """The line is closed without an answer, and without cancel-on-disconnect; its own tokens end, other lines'
        of the account stay."""
        if params.invalidate_token:
            self._tokens.revoke([*self._given, params.access_token or ""])
        self._cancels = {}
        self.closing = "logged out"
        return _SILENCE

    def _test(self, caller: Caller, params: Test) -> Any:
        self._test_due = False
        return (
            refusal(11029, "an exception, as asked") if params.expected_result else {"version": self._exchange.version}
        )

    def _set_heartbeat(self, caller: Caller, params: SetHeartbeat) -> str:
        self._beat_every = int(params.interval * NS)
        self.next_beat = caller.now + self._beat_every
        self._test_due = False
        return "ok"

    def _disable_heartbeat(self, caller: Caller, params: Params) -> str:
        self.next_beat, self._test_due = None, False
        return "ok"

    def _subscribe_public(self, caller: Caller, params: Channels) -> Any:
        return self._add(caller, [name for name in params.channels if not _is_private(name)])

    def _subscribe(self, caller: Caller, params: Channels) -> Any:
        self.account = self.account or caller.account  # a call with a token of its own makes the line that account's
        return self._add(caller, params.channels)

    def _add(self, caller: Caller, names: list[str]) -> list[str] | VenueError:
        """The channels that exist, each once; new ones are opened after the answer."""
        if not caller.account and any(name.endswith(".raw") for name in names):
            return refusal(13778)
        known = [name for name in dict.fromkeys(names) if self._exchange.has(name)]
        self._opened = [name for name in known if name not in self.channels]
        self.channels |= dict.fromkeys(known)
        self.subscribed += 1
        return known

    def _unsubscribe(self, caller: Caller, params: Channels) -> list[str]:
        known = [name for name in dict.fromkeys(params.channels) if name in self.channels]
        for name in known:
            del self.channels[name]
        self.subscribed += 1
        return known

    def _unsubscribe_all(self, caller: Caller, params: Params) -> str:
        self.channels.clear()
        self.subscribed += 1
        return "ok"

    def _set_cancels(self, caller: Caller, params: OfScope, enabled: bool) -> Any:
        """For this connection here; what later ones begin with is the exchange's to keep."""
        if enabled:
            self._cancels[caller.account] = None
        else:
            self._cancels.pop(caller.account, None)
        if params.scope == "account":
            verb = "enable" if enabled else "disable"
            return self._exchange.handle(caller, f"private/{verb}_cancel_on_disconnect", params)
        return "ok"

    def _get_cancels(self, caller: Caller, params: OfScope) -> CancelOnDisconnect:
        of_account, account = params.scope == "account", caller.account
        enabled = self._exchange.cancels_on_disconnect(account) if of_account else account in self._cancels
        return CancelOnDisconnect(scope=params.scope, enabled=enabled)


def _is_private(channel: str) -> bool:
    return channel.startswith("user.")
