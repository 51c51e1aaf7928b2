"""The door of the desk's page: who may come in, from where, and what the browser may load.

The printed address carries a token once; it is traded for a signed cookie that scripts cannot read and other sites
cannot send. Whatever changes something (a POST, a websocket) must also come from a page of this very address. The
middleware is outermost, so that nothing the screen is built of can forget to ask.
"""

from __future__ import annotations

import hashlib
import hmac
from contextvars import ContextVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.messages import Role

DAY_S = 24 * 3600
OPEN_PATHS = frozenset({"/healthz"})
PAGE_PATHS = frozenset({"/", "/model", "/costs"})  # a visitor who is not in is told in a page how to come in
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class User(msgspec.Struct, frozen=True):
    name: str
    role: Role


visitor: ContextVar[User | None] = ContextVar("visitor", default=None)


class Pass:
    """Makes and reads the cookie. Its key comes from the token, so a restarted page keeps its logins."""

    def __init__(self, token: str, user: User) -> None:
        digest = hashlib.sha256(b"tidegate cookie " + token.encode())
        self._token = token
        self._user = user
        self._signer = URLSafeTimedSerializer(digest.hexdigest(), salt="desk")
        self.cookie = f"tidegate-{digest.hexdigest()[-8:]}"  # two desks on one host keep apart

    def trade(self, token: str) -> str | None:
        """The printed token → a cookie's value; None if it is not this desk's."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        return self._signer.dumps([self._user.name, self._user.role])

    def read(self, value: str) -> User | None:
        try:
            name, role = self._signer.loads(value, max_age=DAY_S)
            return msgspec.convert({"name": name, "role": role}, User)
        except (BadSignature, ValueError, msgspec.ValidationError):
            return None


class Door:
    """ASGI middleware around everything. `policy` is the Content-Security-Policy of every answer."""

    def __init__(self, app: ASGIApp, *, keys: Pass, policy: str) -> None:
        self._app = app
        self._keys = keys
        self._headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        user = self._keys.read(HTTPConnection(scope).cookies.get(self._keys.cookie, ""))
        if scope["type"] == "websocket":
            await self._socket(user, scope, receive, send)
        else:
            await self._request(user, scope, receive, self._hardened(send, scope["path"]))

    async def _socket(self, user: User | None, scope: Scope, receive: Receive, send: Send) -> None:
        if user is None or not same_origin(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 4403, "reason": "log in on this address first"})
            return
        await self._enter(user, scope, receive, send)

    async def _request(self, user: User | None, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._login(scope) or self._refusal(user, scope)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif user is not None:
            await self._enter(user, scope, receive, send)

    async def _enter(self, user: User, scope: Scope, receive: Receive, send: Send) -> None:
        before = visitor.set(user)
        try:
            await self._app(scope, receive, send)
        finally:
            visitor.reset(before)

    def _login(self, scope: Scope) -> Response | None:
        """`/?token=…`: the cookie and a redirect to the bare address, or a refusal; None for anything else."""
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if scope["path"] != "/" or not token:
            return None
        value = self._keys.trade(token[0])
        if value is None:
            return closed("That token is not this desk's. It prints a new one each time it starts.")
        response = RedirectResponse("/", status_code=303)
        secure = scope["scheme"] == "https"
        response.set_cookie(self._keys.cookie, value, max_age=DAY_S, httponly=True, samesite="strict", secure=secure)
        return response

    @staticmethod
    def _refusal(user: User | None, scope: Scope) -> Response | None:
        if user is None:
            if scope["path"] in PAGE_PATHS:
                return closed("Open the address that the desk printed when it started; it carries your token.")
            return PlainTextResponse("log in first: open the address that the desk printed", status_code=401)
        if scope["method"] not in SAFE_METHODS and not same_origin(Headers(scope=scope)):
            return PlainTextResponse("refused: the request comes from another site", status_code=403)
        return None

    def _hardened(self, send: Send, path: str) -> Send:
        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if not path.startswith("/_dash-component-suites"):
                    headers["cache-control"] = "no-cache" if path.startswith("/assets") else "no-store"
            await send(message)

        return hardened


def same_origin(headers: Headers) -> bool:
    """True if the browser says that the asking page has the address asked."""
    origin = headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == headers.get("host", "")


def closed(text: str) -> Response:
    """The page of a shut door: one sentence, nothing loaded. `text` is ours, never the visitor's."""
    style = (
        "body{background:#090c10;color:#dde5ee;font:14px/1.5 system-ui,sans-serif;display:grid;place-content:center;"
        "min-height:90vh;text-align:center}h1{font-size:18px;letter-spacing:.03em}a{color:#7fd4ff}"
    )
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Tidegate</title><style>{style}</style>"
        f"<h1>Tidegate</h1><p>{text}</p><p><a href='/'>I have logged in already</a></p></html>"
    )
    return HTMLResponse(page, status_code=401)
