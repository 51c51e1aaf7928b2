"""Each of the venue's refusals, as a request that earns it: by websocket, and by HTTP in both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.domain import NS
from engine.market.deribit.errors import ERRORS
from engine.market.deribit.frames import FRAME_LIMIT
from engine.market.deribit.rest import HttpRequest
from engine.market.deribit.wire import Reply, decode
from engine.paper.venue import PaperVenue, VenueSettings
from tests.paper.client import BASIC, LOGIN, PERPETUAL, Client, get
from tests.paper.desk import COINS, Desk
from tests.paper.small import START

Ask = tuple[str, dict[str, Any]]


def order(**more: Any) -> Ask:
    return "private/buy", {"instrument_name": PERPETUAL, "amount": 10.0, "price": 99_000.0, "post_only": False} | more


def _edit(desk: Desk, **more: Any) -> Ask:
    return "private/edit", {"order_id": desk.rest()["order_id"], "amount": 10.0, "price": 99_000.0} | more


def _filled(desk: Desk) -> Ask:
    return "private/edit", {"order_id": desk.trade()["order"]["order_id"], "amount": 500.0, "price": 99_000.0}


def _gone(desk: Desk) -> Ask:
    wanted = {"order_id": desk.rest()["order_id"]}
    desk.call("private/cancel", **wanted)
    return "private/cancel", wanted


def _elses(desk: Desk) -> Ask:
    theirs = desk.other.buy(10.0, 98_000.0)["order"]
    return "private/cancel", {"order_id": theirs["order_id"]}


def _offered(desk: Desk, **more: Any) -> Ask:
    desk.other.call("private/sell", instrument_name=PERPETUAL, amount=10.0, price=99_000.0)
    return order(price=99_500.0, **more)


def _own(desk: Desk) -> Ask:
    desk.rest("sell", ticks=2)
    return order(price=100_500.0)


def _too_many(desk: Desk) -> Ask:
    for _ in range(21):  # the matching engine's burst
        desk.ask(*order()[:1], **order()[1])
    return order()


def _in_state(state: str) -> Callable[[Desk], Ask]:
    def make(desk: Desk) -> Ask:
        desk.exchange.set_state(desk.venue.now, None, state)
        return order()

    return make


def _over(desk: Desk) -> Ask:
    n = desk.exchange.number[desk.option]
    desk.exchange.settle(desk.venue.now, n, 100_000.0)
    return order(instrument_name=desk.option, amount=1.0, price=0.01)


def _told_off(desk: Desk) -> Ask:
    """At the operator's command: what a client must bear."""
    assert desk.venue.command("refuse", b'{"method": "private/buy", "code": 10040}', desk.venue.now)[0] == 200
    return order()


def _full(desk: Desk) -> Ask:
    """As many orders as one may have."""
    rules = msgspec.structs.replace(desk.exchange.rules, max_open=1)
    desk.exchange.rules = rules
    desk.rest()
    return order()


def _frozen(desk: Desk) -> Ask:
    desk.call("private/set_mmp_config", index_name="btc_usd", interval=5, frozen_time=30, quantity_limit=1.0)
    price = desk.near(desk.option, 0)
    desk.call("private/buy", instrument_name=desk.option, amount=1.0, price=price, mmp=True)
    desk.other.call("private/sell", instrument_name=desk.option, amount=1.0, price=price, post_only=False)
    return order(instrument_name=desk.option, amount=1.0, price=price, mmp=True)


def always(ask: Ask) -> Callable[[Desk], Ask]:
    return lambda desk: ask


TABLE: list[tuple[int, Callable[[Desk], Ask]]] = [
    (10002, always(order(amount=0.0))),
    (10003, _own),
    (10004, always(("private/cancel", {"order_id": "17"}))),
    (10004, always(("private/edit_by_label", {"instrument_name": PERPETUAL, "label": "x", "amount": 10.0}))),
    (10005, always(("private/sell", order(price=50_000.0)[1]))),
    (10007, always(order(price=200_000.0))),
    (10009, always(order(amount=2_000_000_000.0))),
    (10010, always(("private/close_position", {"instrument_name": PERPETUAL, "type": "market"}))),
    (10012, _over),
    (10019, _in_state("locked")),
    (10020, always(order(instrument_name="BTC-NOPE"))),
    (10021, always(order(amount=15.0))),
    (10021, always(order(amount="nan"))),
    (10028, _too_many),
    (10029, _elses),
    (10036, always(order(amount=100.0, display_amount=10.0))),
    (10040, _told_off),
    (10041, _in_state("settlement")),
    (10043, always(order(price=99_000.3))),
    (10047, _full),
    (11008, _filled),
    (11029, always(order(price=None))),
    (11029, always(order(contracts=5.0))),  # 50 USD, which is not the amount
    (11029, always(order(type="stop_limit"))),
    (11029, always(order(linked_order_type="one_cancels_other"))),
    (11030, always(order(reduce_only=True))),
    (11038, always(order(advanced="implv", price=60.0))),
    (11044, _gone),
    (11051, _in_state("halted")),
    (11054, lambda desk: _offered(desk, post_only=True, reject_post_only=True)),
    (11055, always(order(time_in_force="fill_or_kill", post_only=True, reject_post_only=True))),
    (13004, always(("public/auth", LOGIN | {"client_secret": "wrong"}))),
    (13020, always(("private/reset_mmp", {"index_name": "btc_usd"}))),
    (13021, always(("private/get_account_summary", {"currency": "BTC", "subaccount_id": 99}))),
    (13030, _frozen),
    (13888, always(order(valid_until=START // 1_000_000 - 1))),
    (-32601, always(("private/nope", {}))),
    (-32602, always(order(label="x" * 65))),
    (-32602, always(("private/get_positions", {"currency": "DOGE"}))),
    (-32602, lambda desk: _edit(desk, valid_until="soon")),
]
ROWS = [pytest.param(code, make, id=f"{code}-{k}") for k, (code, make) in enumerate(TABLE)]


def post(venue: PaperVenue, body: bytes, who: str = BASIC) -> tuple[int, dict[str, Any]]:
    status, answer = venue.http(HttpRequest("POST", "/api/v2", body, who), venue.now)
    return status, msgspec.json.decode(answer)


@pytest.mark.parametrize(("code", "make"), ROWS)
def test_a_refusal_by_websocket(code: int, make: Callable[[Desk], Ask]) -> None:
    desk = Desk()
    method, params = make(desk)
    reply = desk.ask(method, **params)
    assert reply.error is not None, reply.result
    assert (reply.error.code, reply.error.message) == (code, ERRORS[code])


@pytest.mark.parametrize(("code", "make"), ROWS)
def test_a_refusal_by_http(code: int, make: Callable[[Desk], Ask]) -> None:
    for by_get in (True, False):
        desk = Desk()
        method, params = make(desk)
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        status, answer = get(desk.venue, method, params) if by_get else post(desk.venue, body)
        assert (answer["error"]["code"], answer["error"]["message"]) == (code, ERRORS[code])
        assert status >= 400
        assert by_get or answer["id"] == 7


def test_refusals_of_those_who_are_not_known() -> None:
    stranger = Client(Desk().venue, login=False)
    assert stranger.refused("private/get_positions") == 10000
    assert stranger.refused("private/get_positions", access_token="x") == 13009
    assert stranger.refused("public/subscribe", channels=["book.BTC-PERPETUAL.raw"]) == 13778
    venue = stranger.venue
    assert get(venue, "private/get_positions", {}, "")[1]["error"]["code"] == 10000
    assert get(venue, "private/get_positions", {}, "Bearer x")[1]["error"]["code"] == 13009
    assert get(venue, "private/get_positions", {}, "Basic eDp5")[1]["error"]["code"] == 13009
    assert get(venue, "public/subscribe", {"channels": "a"}, "")[1]["error"]["code"] == 10030


@pytest.mark.parametrize(
    ("frame", "code"), [(b"{", 11050), (b"\xff", 11050), (b'{"id":4}', 11050), (b" " * (FRAME_LIMIT + 1), -32600)]
)
def test_a_frame_that_is_no_request(frame: bytes, code: int) -> None:
    desk = Desk()
    desk.venue.receive(desk.line, frame, desk.venue.now)
    ((_, said),) = desk.line.take()
    reply = decode(said)
    assert isinstance(reply, Reply)
    assert reply.error is not None
    assert (reply.error.code, reply.id) == (code, 4 if b"id" in frame else None)
    assert post(desk.venue, frame)[1]["error"]["code"] == (-32601 if b"id" in frame else code)


def test_without_credits_the_session_ends() -> None:
    settings = VenueSettings(listing=COINS, crowd=None, credit_limit=2_000, credit_refill_per_s=500)
    client = Client(PaperVenue(1, START, settings))
    for _ in range(3):
        client.call("public/test")
    assert client.refused("public/test") == 10028
    assert client.line.server.closing
    client.venue.receive(client.line, b"{}", client.venue.now + NS)
    assert client.line.take() == []


def test_every_refusal_the_venue_is_known_for_can_be_earned() -> None:
    elsewhere = {10000, 13009, 13778, 11050, -32600}  # in the tests around
    known = {10000, 10002, 10003, 10004, 10005, 10007, 10009, 10010, 10012, 10020, 10021, 10028, 10029, 10040, 10041,
             10043, 10047, 11008, 11029, 11044, 11050, 11054, 11055, 13004, 13009, 13020, 13021, 13030, 13778, 13888,
             -32600, -32601, -32602}  # fmt: skip
    assert known - {code for code, _ in TABLE} - elsewhere == set()
