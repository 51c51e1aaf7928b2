"""Who may call: a venue's credentials, and the tokens it has given out. Shared by all its connections.

No clock and no randomness of its own: times are given, and `mint` makes the tokens' text (the shell's is
unguessable, a simulation's counts). Times are whatever clock the venue runs on, so a venue that runs faster than
the wall gives its tokens a longer life.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping

import msgspec

from engine.domain import NS
from engine.market.deribit.account import Token
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods.public import Auth

SCOPE = "mainaccount connection account:read_write trade:read_write wallet:read"


class _Grant(msgspec.Struct, frozen=True):
    account: str
    until: int


class Tokens:
    """`credentials` maps a client id, which is also the account's name, to its secret."""

    def __init__(self, credentials: Mapping[str, str], mint: Callable[[], str], lifetime_s: int = 900) -> None:
        self._credentials = dict(credentials)
        self._mint = mint
        self._lifetime = lifetime_s
        self._access: dict[str, _Grant] = {}
        self._refresh: dict[str, _Grant] = {}

    def auth(self, params: Auth, now: int) -> Token | VenueError:
        """The three grants: credentials, a signature of them, a refresh token. Refused: 13004, 13009."""
        if params.grant_type == "refresh_token":
            grant = self._refresh.pop(params.refresh_token, None)
            if grant is None or grant.until <= now:
                return refusal(13009, "invalid_refresh_token")
            return self._give(grant.account, params, now)
        if params.grant_type == "client_signature":
            text = f"{params.timestamp}\n{params.nonce}\n{params.data}"
            known = self._signed(params.client_id, text, params.signature)
        else:
            known = self._knows(params.client_id, params.client_secret)
        return self._give(params.client_id, params, now) if known else refusal(13004)

    def account(self, token: str, now: int) -> str | None:
        """Whose access token this is, None if nobody's or no longer."""
        grant = self._access.get(token)
        return grant.account if grant is not None and grant.until > now else None

    def revoke(self, account: str) -> None:
        """Every token of the account."""
        for grants in (self._access, self._refresh):
            for token in [token for token, grant in grants.items() if grant.account == account]:
                del grants[token]

    def bearer(self, header: str, signed: str, now: int) -> str | None:
        """Whose HTTP `Authorization` header this is: Bearer, Basic, or Deribit's signature over `signed`."""
        kind, _, rest = header.partition(" ")
        match kind.lower():
            case "bearer":
                return self.account(rest.strip(), now)
            case "basic":
                name, _, secret = _unbase64(rest).partition(":")
                return name if self._knows(name, secret) else None
            case "deri-hmac-sha256":
                given = dict(part.partition("=")[::2] for part in rest.replace(" ", "").split(","))
                name, text = given.get("id", ""), f"{given.get('ts', '')}\n{given.get('nonce', '')}\n{signed}"
                return name if self._signed(name, text, given.get("sig", "")) else None
            case _:
                return None

    def _give(self, account: str, params: Auth, now: int) -> Token:
        for grants in (self._access, self._refresh):
            for token in [token for token, grant in grants.items() if grant.until <= now]:
                del grants[token]
        access, refresh = self._mint(), self._mint()
        self._access[access] = _Grant(account, now + self._lifetime * NS)
        self._refresh[refresh] = _Grant(account, now + 100 * self._lifetime * NS)
        return Token(access_token=access, refresh_token=refresh, expires_in=self._lifetime, scope=SCOPE,
                     state=params.state)  # fmt: skip

    def _knows(self, name: str, secret: str) -> bool:
        return hmac.compare_digest(self._credentials.get(name, "").encode(), secret.encode()) and bool(secret)

    def _signed(self, name: str, text: str, signature: str) -> bool:
        secret = self._credentials.get(name, "")
        right = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(right.encode(), signature.encode()) and bool(secret)


def _unbase64(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
