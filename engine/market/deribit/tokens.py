"""Who may call: a venue's credentials, and the tokens it has given out. Shared by all its connections.

No clock and no randomness of its own: times are given, and `mint` makes the tokens' text (the shell's is
unguessable, a simulation's counts). Times are whatever clock the venue runs on, so a venue that runs faster than
the wall gives its tokens a shorter life in the wall's time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

import msgspec

from engine.domain import MS, NS
from engine.market.deribit.account import Token
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods.public import Auth, ExchangeToken, ForkToken
from engine.market.deribit.scopes import Scope, granted

LIVES_LONGER = 100  # a refresh token than an access token


class Grant(msgspec.Struct, frozen=True):
    """`until` ns; 0 for what has no end of its own."""

    account: str
    until: int
    scope: Scope


class Tokens:
    """`credentials` maps a client id, which is also the account's name, to its secret. A signature is good with a
    timestamp within `window_s` of the venue's time, and again: clients that open several lines in one millisecond sign
    them alike. `subjects` are the accounts' numbers."""

    def __init__(
        self, credentials: Mapping[str, str], mint: Callable[[], str], lifetime_s: int = 900, window_s: float = 60.0
    ) -> None:
        self.subjects: dict[int, str] = {}
        self.arrivals: list[tuple[int, str]] = []  # (ns, account) of who has logged in, for whoever takes them away
        self._credentials = dict(credentials)
        self._mint = mint
        self._lifetime, self._window = lifetime_s, round(window_s * NS)
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._ends: list[tuple[int, str]] = []  # when each token is over, a heap

    def auth(self, params: Auth, now: int) -> Token | VenueError:
        """The three grants: credentials, a signature of them, a refresh token. Refused: 13004, 13009."""
        if params.grant_type == "refresh_token":
            grant = self._taken(params.refresh_token, now)
            if grant is None:
                return refusal(13009, "invalid_refresh_token")
            return self._give(grant.account, grant.scope, params.state, now)
        if params.grant_type == "client_signature":
            text = f"{params.timestamp}\n{params.nonce}\n{params.data}"
            known = self._signed(params.client_id, text, params.signature, params.timestamp, now)
        else:
            known = self._knows(params.client_id, params.client_secret)
        if not known:
            return refusal(13004)
        self.arrivals.append((now, params.client_id))
        return self._give(params.client_id, granted(params.scope), params.state, now)

    def fork(self, params: ForkToken, now: int) -> Token | VenueError:
        """Tokens of a new session, for one whose own are a session's."""
        grant = self._refresh.get(params.refresh_token)
        if grant is None or grant.until <= now or not grant.scope.session:
            return refusal(13009, "invalid_refresh_token")
        scope = msgspec.structs.replace(grant.scope, session=params.session_name)
        return self._give(grant.account, scope, None, now)

    def exchange(self, params: ExchangeToken, now: int) -> Token | VenueError:
        """Tokens of another subject: only of oneself, since accounts here have no others under them."""
        grant = self._refresh.get(params.refresh_token)
        if grant is None or grant.until <= now:
            return refusal(13009, "invalid_refresh_token")
        if self.subjects.get(params.subject_id) != grant.account:
            return refusal(13021)
        return self._give(
            grant.account, granted(params.scope, grant.scope.access) if params.scope else grant.scope, None, now
        )

    def grant(self, token: str, now: int) -> Grant | None:
        """What an access token stands for, None if nothing or no longer."""
        grant = self._access.get(token)
        return grant if grant is not None and grant.until > now else None

    def revoke(self, texts: Iterable[str]) -> None:
        """These access and refresh tokens are good no longer."""
        for text in texts:
            self._access.pop(text, None)
            self._refresh.pop(text, None)

    def bearer(self, header: str, signed: str, now: int) -> Grant | None:
        """Whose HTTP `Authorization` header this is: Bearer, Basic, or Deribit's signature over `signed`."""
        kind, _, rest = header.partition(" ")
        match kind.lower():
            case "bearer":
                return self.grant(rest.strip(), now)
            case "basic":
                name, _, secret = _unbase64(rest).partition(":")
                return self._whole(name) if self._knows(name, secret) else None
            case "deri-hmac-sha256":
                given = dict(part.partition("=")[::2] for part in rest.replace(" ", "").split(","))
                name, at = given.get("id", ""), given.get("ts", "")
                text = f"{at}\n{given.get('nonce', '')}\n{signed}"
                when = int(at) if at.isascii() and at.isdecimal() and len(at) < 20 else 0
                return self._whole(name) if self._signed(name, text, given.get("sig", ""), when, now) else None
            case _:
                return None

    # within

    def _whole(self, account: str) -> Grant:
        return Grant(account, 0, granted(""))

    def _taken(self, token: str, now: int) -> Grant | None:
        """A refresh token is good once."""
        grant = self._refresh.pop(token, None)
        return grant if grant is not None and grant.until > now else None

    def _give(self, account: str, scope: Scope, state: str | None, now: int) -> Token:
        while self._ends and self._ends[0][0] <= now:
            self.revoke(heappop(self._ends)[1:])
        access, refresh = self._mint(), self._mint()
        life = scope.life or self._lifetime
        self._access[access] = Grant(account, now + life * NS, scope)
        self._refresh[refresh] = Grant(account, now + max(life, LIVES_LONGER * self._lifetime) * NS, scope)
        heappush(self._ends, (self._access[access].until, access))
        heappush(self._ends, (self._refresh[refresh].until, refresh))
        return Token(access_token=access, refresh_token=refresh, expires_in=life, scope=str(scope), state=state)

    def _knows(self, name: str, secret: str) -> bool:
        return hmac.compare_digest(self._credentials.get(name, "").encode(), secret.encode()) and bool(secret)

    def _signed(self, name: str, text: str, signature: str, at_ms: int, now: int) -> bool:
        secret = self._credentials.get(name, "")
        right = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not (hmac.compare_digest(right.encode(), signature.encode()) and secret):
            return False
        return abs(at_ms * MS - now) <= self._window


def _unbase64(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
