"""A client of the paper venue, by a line and by HTTP, as its tests call it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import msgspec

from engine.domain import NS
from engine.market.deribit.rest import HttpRequest
from engine.market.deribit.wire import Push, Reply, decode, request
from engine.paper.instruments.listing import Spec
from engine.paper.lines import Connection
from engine.paper.venue import PaperVenue, VenueSettings
from tests.paper.small import START

SETTINGS = VenueSettings(listing=(Spec(expiries=1, strikes=1, futures=1),), balance=20.0)
LOGIN = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "paper"}
PERPETUAL = "BTC-PERPETUAL"
BASIC = "Basic cGFwZXI6cGFwZXI="  # paper:paper


class Client:
    """One connection, its time, and what it was told."""

    def __init__(self, venue: PaperVenue | None = None, login: bool = True) -> None:
        self.venue = venue or PaperVenue(1, START, SETTINGS)
        self.line: Connection = self.venue.connect()
        self.pushed: list[Push] = []
        if login:
            self.call("public/auth", **LOGIN)

    def ask(self, method: str, **params: Any) -> Reply:
        self.venue.receive(self.line, request(1, method, params), self.venue.now)
        said = [decode(frame) for _, frame in self.line.take()]
        self.pushed += [each for each in said if isinstance(each, Push)]
        (reply,) = [each for each in said if isinstance(each, Reply)]
        return reply

    def call(self, method: str, **params: Any) -> Any:
        reply = self.ask(method, **params)
        assert reply.error is None, reply.error
        assert reply.result is not None
        return msgspec.json.decode(reply.result)

    def refused(self, method: str, **params: Any) -> int:
        reply = self.ask(method, **params)
        assert reply.error is not None, reply.result
        return reply.error.code

    def buy(self, amount: float = 10.0, price: float | None = None, name: str = PERPETUAL, **more: Any) -> Any:
        return self.call("private/buy", instrument_name=name, amount=amount, price=price, **more)

    def wait(self, seconds: float) -> None:
        self.venue.advance(self.venue.now + round(seconds * NS))
        said = [decode(frame) for _, frame in self.line.take()]
        self.pushed += [each for each in said if isinstance(each, Push)]


def http(venue: PaperVenue, method: str, target: str, body: bytes = b"", user: str = "") -> tuple[int, Any]:
    status, answer = venue.http(HttpRequest(method, target, body, user), venue.now)
    return status, msgspec.json.decode(answer)


def get(venue: PaperVenue, method: str, params: dict[str, Any], who: str = BASIC) -> tuple[int, dict[str, Any]]:
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items() if v is not None}
    return http(venue, "GET", f"/api/v2/{method}?{urlencode(texts)}", user=who)
