"""A small venue for tests: enough of an exchange behind a real `Server` for every answer to have a shape."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from engine.domain import NS
from engine.market.deribit import wire
from engine.market.deribit.credits import Credits
from engine.market.deribit.methods import Params
from engine.market.deribit.server import Caller, Server
from engine.market.deribit.tokens import Tokens

NAME = "BTC-27MAR26-80000-C"
T0 = 1_770_000_000 * NS


class Exchange:
    """Echoes what it is asked; knows one instrument's channels. What it was told is kept for the test to read."""

    version = "paper epoch-7"

    def __init__(self) -> None:
        self.handled: list[tuple[Caller, str, Params]] = []
        self.gone: list[Caller] = []
        self.defaults: dict[str, bool] = {}

    def handle(self, caller: Caller, method: str, params: Params) -> Any:
        self.handled.append((caller, method, params))
        if method == "private/cancel":
            return wire.refusal(10004)
        if method.endswith("able_cancel_on_disconnect"):
            self.defaults[caller.account] = "enable" in method
            return "ok"
        return {"method": method, "account": caller.account, "params": msgspec.to_builtins(params)}

    def has(self, channel: str) -> bool:
        return NAME in channel or channel == "user.portfolio.btc"

    def opening(self, caller: Caller, channel: str) -> list[Any]:
        return [snapshot()] if wire.family_of(channel) == "book" else []

    def cancels_on_disconnect(self, account: str) -> bool:
        return self.defaults.get(account, False)

    def disconnected(self, caller: Caller) -> None:
        self.gone.append(caller)


def snapshot(change_id: int = 100) -> wire.BookData:
    return wire.BookData(type="snapshot", timestamp=T0 // wire.MS, instrument_name=NAME, change_id=change_id,
                         bids=[("new", 0.05, 2.0)], asks=[("new", 0.0515, 1.5)])  # fmt: skip


def tokens(lifetime_s: int = 900) -> Tokens:
    """Two accounts; tokens that count."""
    count = itertools.count(1)
    return Tokens({"paper": "open sesame", "other": "something else"}, lambda: f"token-{next(count)}", lifetime_s)


def server(exchange: Exchange | None = None, given: Tokens | None = None, credit: Credits | None = None) -> Server:
    return Server(exchange or Exchange(), given or tokens(), credit or Credits(T0), connection=1)


class Link:
    """A client and a venue on one wire, and the venue's time."""

    def __init__(self, venue: Server | None = None, exchange: Exchange | None = None) -> None:
        self.exchange = exchange or Exchange()
        self.venue = venue or server(self.exchange)
        self.now = T0
        self.ids = itertools.count(1)

    def ask(self, method: str, **params: Any) -> list[wire.Event]:
        return self.say(wire.request(next(self.ids), method, params))

    def say(self, frame: bytes) -> list[wire.Event]:
        return [wire.decode(answer) for answer in self.venue.receive(frame, self.now)]

    def result(self, method: str, **params: Any) -> Any:
        """The result of a call that succeeds with one answer."""
        answer = self.reply(method, **params)
        assert answer.error is None, answer.error
        return msgspec.json.decode(answer.result or b"")

    def refused(self, method: str, **params: Any) -> wire.VenueError:
        answer = self.reply(method, **params)
        assert answer.error is not None
        return answer.error

    def reply(self, method: str, **params: Any) -> wire.Reply:
        answers = self.ask(method, **params)
        assert len(answers) == 1
        assert isinstance(answers[0], wire.Reply)
        return answers[0]

    def login(self, account: str = "paper", secret: str = "open sesame") -> dict[str, Any]:
        token: dict[str, Any] = self.result(
            "public/auth", grant_type="client_credentials", client_id=account, client_secret=secret
        )
        return token
