"""Client codec and venue's side joined in memory: what is asked in bytes is answered in bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.domain import NS
from engine.market.deribit import wire
from engine.market.deribit.frames import FRAME_LIMIT
from engine.market.deribit.methods import METHODS
from tests.market.spec import Spec
from tests.market.venue import NAME, T0, Exchange, Link, server, tokens

BOOK = f"book.{NAME}.100ms"
RAW = f"book.{NAME}.raw"


# ------------------------------------------------------------ frames


def test_an_answer_carries_the_id_the_times_and_the_net() -> None:
    frame = Link().venue.receive(b'{"jsonrpc":"2.0","id":"abc","method":"public/get_time","params":{}}', T0)[0]
    micro = T0 // 1000
    assert json.loads(frame) == {
        "jsonrpc": "2.0", "id": "abc", "result": T0 // 1_000_000, "usIn": micro, "usOut": micro, "usDiff": 0,
        "testnet": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "code", "id_"),
    [
        (b"", 11050, None),
        (b"{", 11050, None),
        (b"\xff", 11050, None),
        (b"[]", 11050, None),
        (b"[" * 9000, 11050, None),
        (b'{"id":7}', 11050, 7),
        (b'{"id":"x","method":5}', 11050, "x"),
        (b'{"id":1.5,"method":"public/test"}', 11050, None),
        (b'{"id":1,"method":"public/nothing"}', -32601, 1),
        (b'{"id":1,"method":"private/buy","params":[1]}', -32602, 1),
        (b'{"id":1,"method":"public/ticker"}', -32602, 1),
        (b'{"id":1,"method":"public/test","params":{"expected_result":"exception"}}', 11029, 1),
        (b'{"id":1,"method":"public/test","params":{"x":"' + b"y" * FRAME_LIMIT + b'"}}', -32600, None),
    ],
)
def test_what_cannot_be_served_is_refused(frame: bytes, code: int, id_: Any) -> None:
    link = Link()
    raw = link.venue.receive(frame, T0)
    assert len(raw) == 1
    answer = json.loads(raw[0])
    assert (answer["error"]["code"], answer["error"]["message"]) == (code, wire.ERRORS[code])
    assert answer.get("id") == id_
    assert ("id" in answer) is (id_ is not None)
    assert link.venue.closing == ""


def test_text_that_is_none_is_refused() -> None:
    call = rb'{"id":1,"method":"public/auth","params":{"grant_type":"client_credentials","client_secret":"\ud800"}}'
    (answer,) = Link().say(call)
    assert isinstance(answer, wire.Reply)
    assert answer.error is not None


@pytest.mark.parametrize("params", ["{}", "null", '{"unknown":[1]}'])
def test_params_may_be_absent_null_or_more_than_known(params: str) -> None:
    (answer,) = Link().say(f'{{"id":1,"method":"public/test","params":{params}}}'.encode())
    assert isinstance(answer, wire.Reply)
    assert msgspec.json.decode(answer.result or b"") == {"version": "paper epoch-7"}


@pytest.mark.parametrize(
    ("method", "params", "param"),
    [
        ("public/ticker", {}, "instrument_name"),
        ("public/ticker", {"instrument_name": 5}, "instrument_name"),
        ("public/get_order_book", {"instrument_name": NAME, "depth": 7}, "depth"),
        ("public/set_heartbeat", {"interval": 9}, "interval"),
        ("public/get_book_summary_by_currency", {"currency": "DOGE"}, "currency"),
        ("private/buy", {"instrument_name": NAME, "label": "x" * 65}, "label"),
        ("private/buy", {"instrument_name": NAME, "time_in_force": "now"}, "time_in_force"),
        ("private/buy", {"instrument_name": NAME, "amount": "much"}, "amount"),
        ("private/get_user_trades_by_currency", {"currency": "BTC", "count": 1001}, "count"),
    ],
)
def test_a_wrong_param_is_named(method: str, params: dict[str, Any], param: str) -> None:
    link = Link()
    link.login()
    error = link.refused(method, **params)
    assert (error.code, error.data["param"]) == (-32602, param)
    assert not link.exchange.handled


def test_calls_reach_the_exchange_with_who_when_and_typed_params() -> None:
    link = Link()
    link.login()
    link.now += 5
    link.result("private/sell", instrument_name=NAME, amount="0.5", price=0.05, label="c1", post_only=False)
    caller, method, params = link.exchange.handled[0]
    assert (caller.account, caller.connection, caller.now, method) == ("paper", 1, T0 + 5, "private/sell")
    assert isinstance(params, METHODS["private/sell"])
    said = msgspec.structs.asdict(params)
    assert (said["amount"], said["price"], said["label"], said["post_only"]) == (0.5, 0.05, "c1", False)


def test_a_refusal_of_the_exchange_is_the_answer() -> None:
    link = Link()
    link.login()
    assert link.refused("private/cancel", order_id="5") == wire.refusal(10004)


def test_every_method_is_answered() -> None:
    params = {"instrument_name": NAME, "currency": "BTC", "order_id": "1", "label": "a", "index_name": "btc_usd",
              "channels": [BOOK], "interval": 30, "client_name": "a", "client_version": "b",
              "grant_type": "client_credentials", "client_id": "paper", "client_secret": "open sesame"}  # fmt: skip
    for method in METHODS:
        if method == "private/logout":
            continue
        link = Link()
        link.login()
        assert isinstance(link.ask(method, **params)[0], wire.Reply), method


# ------------------------------------------------------------ who


def test_private_calls_need_a_login() -> None:
    link = Link()
    assert link.refused("private/buy", instrument_name=NAME, amount=1).code == 10000
    link.login()
    assert link.result("private/buy", instrument_name=NAME, amount=1)["account"] == "paper"


def test_a_wrong_secret_is_refused() -> None:
    link = Link()
    for account, secret in [("paper", "wrong"), ("paper", ""), ("nobody", ""), ("nobody", "open sesame")]:
        error = link.refused("public/auth", grant_type="client_credentials", client_id=account, client_secret=secret)
        assert error.code == 13004
    assert link.venue.account == ""


def test_a_token_is_as_published(shared_spec: Path) -> None:
    spec = Spec(shared_spec)
    schema = spec.schemas["PublicAuthResponse"]["properties"]["result"]
    assert spec.problems(schema, Link().login(), "token") == []


def test_a_token_ends_and_a_refreshed_one_goes_on() -> None:
    link = Link()
    token = link.login()
    link.now += token["expires_in"] * NS
    error = link.refused("private/get_positions")
    assert (error.code, error.data["reason"]) == (13009, "invalid_token")
    fresh = link.result("public/auth", grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert fresh["access_token"] != token["access_token"]
    assert link.result("private/get_positions")["account"] == "paper"
    again = link.refused("public/auth", grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert again.code == 13009


def test_a_token_serves_on_another_connection_too() -> None:
    shared = tokens()
    token = Link(server(given=shared)).login()["access_token"]
    other = Link(server(given=shared))
    assert other.result("private/get_positions", access_token=token)["account"] == "paper"
    assert other.refused("private/get_positions", access_token="made up").code == 13009
    assert other.refused("private/get_positions").code == 10000


def test_a_signature_serves_in_place_of_the_secret() -> None:
    signature = hmac.new(b"open sesame", b"1770000000000\nabc\n", hashlib.sha256).hexdigest()
    said = {"grant_type": "client_signature", "client_id": "paper", "timestamp": 1_770_000_000_000, "nonce": "abc"}
    assert Link().result("public/auth", **said, signature=signature)["token_type"] == "bearer"
    assert Link().refused("public/auth", **said, signature=signature[:-1] + "x").code == 13004
    assert Link().refused("public/auth", **(said | {"client_id": "nobody"}), signature=signature).code == 13004


def test_logout_closes_without_cancelling_and_ends_the_tokens() -> None:
    shared, exchange = tokens(), Exchange()
    link = Link(server(exchange, shared))
    other = Link(server(exchange, shared))
    other.login()
    token = link.login()["access_token"]
    assert link.result("private/enable_cancel_on_disconnect") == "ok"
    assert link.ask("private/logout") == []
    assert other.result("private/get_cancel_on_disconnect"), "another line of the account goes on"
    assert link.venue.closing == "logged out"
    link.venue.lost(link.now)
    assert exchange.gone == []
    assert shared.grant(token, link.now) is None


# ------------------------------------------------------------ channels


def test_unknown_channels_are_dropped_without_a_word_and_each_counts_once() -> None:
    link = Link()
    answer, first = link.ask("public/subscribe", channels=["book.NOTHING.100ms", BOOK, BOOK])
    assert isinstance(answer, wire.Reply)
    assert msgspec.json.decode(answer.result or b"") == [BOOK]
    assert isinstance(first, wire.Push)
    assert (first.channel, first.data.type) == (BOOK, "snapshot")


def test_subscribing_again_sends_no_second_snapshot_unless_unsubscribed() -> None:
    link = Link()
    assert len(link.ask("public/subscribe", channels=[BOOK])) == 2
    assert link.result("public/subscribe", channels=[BOOK]) == [BOOK]
    assert link.result("public/unsubscribe", channels=[BOOK, "other"]) == [BOOK]
    assert len(link.ask("public/subscribe", channels=[BOOK])) == 2
    assert link.result("public/unsubscribe_all") == "ok"
    assert len(link.ask("public/subscribe", channels=[BOOK])) == 2


def test_raw_channels_need_a_login() -> None:
    link = Link()
    assert link.refused("public/subscribe", channels=[BOOK, RAW]).code == 13778
    assert not link.venue.channels, "none of them was taken"
    link.login()
    assert len(link.ask("public/subscribe", channels=[RAW])) == 2


def test_user_channels_are_private() -> None:
    link = Link()
    user = f"user.changes.{NAME}.raw"
    assert link.result("public/subscribe", channels=["user.portfolio.btc"]) == []
    assert link.refused("private/subscribe", channels=[user]).code == 10000
    link.login()
    assert link.result("private/subscribe", channels=[user, "user.portfolio.btc"]) == [user, "user.portfolio.btc"]


def test_another_account_on_the_line_loses_the_first_ones_channels() -> None:
    link = Link()
    link.login()
    link.ask("private/subscribe", channels=["user.portfolio.btc", BOOK])
    link.login("other", "something else")
    assert (link.venue.account, list(link.venue.channels)) == ("other", [BOOK])
