"""Client codec and venue's side joined in memory: what is asked in bytes is answered in bytes."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS
from engine.market.deribit import wire
from engine.market.deribit.credits import Credits
from engine.market.deribit.frames import FRAME_LIMIT
from engine.market.deribit.methods import METHODS
from engine.market.deribit.server import Server
from engine.market.deribit.tokens import Tokens
from tests.market.spec import Spec
from tests.market.venue import NAME, T0, Exchange, server, tokens

BOOK = f"book.{NAME}.100ms"
RAW = f"book.{NAME}.raw"


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
    token = link.login()["access_token"]
    assert link.result("private/enable_cancel_on_disconnect") == "ok"
    assert link.ask("private/logout") == []
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


# ------------------------------------------------------------ heartbeat


def beats(link: Link) -> list[wire.Event]:
    assert link.venue.next_beat is not None
    link.now = link.venue.next_beat
    return [wire.decode(frame) for frame in link.venue.beat(link.now)]


def test_a_silent_client_is_tested_and_one_that_answers_stays() -> None:
    link = Link()
    assert link.venue.next_beat is None
    assert link.result("public/set_heartbeat", interval=10) == "ok"
    assert link.venue.next_beat == T0 + 10 * NS
    assert link.venue.beat(T0 + 9 * NS) == []
    for _ in range(3):
        assert beats(link) == [wire.Heartbeat(False), wire.Heartbeat(True)]
        link.ask("public/test")
    assert link.venue.closing == ""


def test_a_client_that_talks_is_not_tested() -> None:
    link = Link()
    link.ask("public/set_heartbeat", interval=10)
    link.now += 5 * NS
    link.ask("public/get_time")
    assert beats(link) == [wire.Heartbeat(False)]
    assert beats(link) == [wire.Heartbeat(False), wire.Heartbeat(True)]


def test_a_test_request_must_be_answered_by_test() -> None:
    link = Link()
    link.ask("public/set_heartbeat", interval=10)
    assert wire.Heartbeat(True) in beats(link)
    link.ask("public/get_time")
    assert beats(link) == []
    assert link.venue.closing == "a test_request was not answered"
    assert link.ask("public/test") == []


def test_a_disabled_heartbeat_is_silent() -> None:
    link = Link()
    link.ask("public/set_heartbeat", interval=10)
    assert link.result("public/disable_heartbeat") == "ok"
    assert link.venue.next_beat is None
    assert link.venue.beat(T0 + 1000 * NS) == []


# ------------------------------------------------------------ credits


def test_credits_run_out_and_end_the_line() -> None:
    link = Link()
    answers = [link.ask("public/test")[0] for _ in range(101)]
    codes = [answer.error.code if isinstance(answer, wire.Reply) and answer.error else 0 for answer in answers]
    assert codes == [0] * 100 + [10028]
    assert isinstance(answers[-1], wire.Reply)
    assert answers[-1].id == 101
    assert link.venue.closing == "too many requests"
    assert link.ask("public/test") == []


def test_credits_come_back_with_time_up_to_the_limit() -> None:
    pool = Credits(T0)
    assert all(pool.spend(T0) for _ in range(100))
    assert not pool.spend(T0)
    assert pool.spend(T0 + NS // 20)  # 500 at 10,000 a second
    assert not pool.spend(T0 + NS // 20)
    assert sum(pool.spend(T0 + 3600 * NS) for _ in range(200)) == 100
    assert not pool.spend(T0), "time that goes back gives nothing"


# ------------------------------------------------------------ cancel on disconnect


def test_orders_are_cancelled_on_disconnect_where_that_is_asked() -> None:
    link = Link()
    link.login()
    assert link.result("private/get_cancel_on_disconnect") == {"scope": "connection", "enabled": False}
    link.ask("private/enable_cancel_on_disconnect", scope="connection")
    assert link.result("private/get_cancel_on_disconnect") == {"scope": "connection", "enabled": True}
    link.venue.lost(T0 + 7)
    assert [(gone.account, gone.connection, gone.now) for gone in link.exchange.gone] == [("paper", 1, T0 + 7)]
    link.venue.lost(T0 + 8)
    assert len(link.exchange.gone) == 1, "once"


@pytest.mark.parametrize("after", ["disable", "never"])
def test_and_are_not_where_it_is_not(after: str) -> None:
    link = Link()
    link.login()
    if after == "disable":
        link.ask("private/enable_cancel_on_disconnect")
        link.ask("private/disable_cancel_on_disconnect")
    link.venue.lost(T0)
    assert link.exchange.gone == []


def test_a_line_that_is_nobodys_cancels_for_the_account_of_the_token() -> None:
    exchange, shared = Exchange(), tokens()
    token = Link(server(exchange, shared)).login()["access_token"]
    link = Link(server(exchange, shared))
    link.ask("private/enable_cancel_on_disconnect", access_token=token)
    link.venue.lost(T0)
    assert [gone.account for gone in exchange.gone] == ["paper"]


def test_the_accounts_scope_is_what_later_lines_begin_with() -> None:
    exchange, shared = Exchange(), tokens()
    first = Link(server(exchange, shared))
    first.login()
    first.ask("private/enable_cancel_on_disconnect", scope="account")
    later = Link(server(exchange, shared))
    later.login()
    assert later.result("private/get_cancel_on_disconnect", scope="account") == {"scope": "account", "enabled": True}
    later.venue.lost(T0)
    assert len(exchange.gone) == 1


# ------------------------------------------------------------ noise


NAMES = [
    "instrument_name", "amount", "channels", "currency", "interval", "label", "order_id", "grant_type", "client_id",
    "client_secret", "refresh_token", "access_token", "count",
]  # fmt: skip
WHOLE = [
    wire.request(1, "public/auth", {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "x"}),
    wire.request("a", "private/buy", {"instrument_name": NAME, "amount": 0.1, "price": 0.05, "post_only": True}),
    wire.request(2, "public/subscribe", {"channels": [BOOK, RAW]}),
    wire.request(3, "public/set_heartbeat", {"interval": 30}),
    wire.request(4, "private/get_user_trades_by_currency", {"currency": "BTC", "count": 10, "sorting": "desc"}),
]


def _calls() -> st.SearchStrategy[bytes]:
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    )
    names = st.sampled_from(NAMES)
    return st.builds(
        lambda id_, method, params: json.dumps({"id": id_, "method": method, "params": params}).encode(),
        values,
        st.sampled_from([*METHODS, "public/x", ""]),
        st.dictionaries(names, values | st.lists(st.text(max_size=30), max_size=3), max_size=4) | values,
    )


def test_damaged_calls_are_answered() -> None:
    """20,000 real calls with bytes cut, put in or overwritten, on lines with a login."""
    dice = random.Random(20_000)
    link = Link()
    for n in range(20_000):
        if n % 50 == 0 or link.venue.closing:
            link = Link()
            link.login()
        frame = bytearray(dice.choice(WHOLE))
        for _ in range(dice.randint(1, 3)):
            at, size = dice.randrange(len(frame) + 1), dice.choice([0, 0, 1, 1, 4, 60])
            frame[at : at + size] = dice.randbytes(dice.choice([0, 1, 1, 3]))
        answers = link.venue.receive(bytes(frame), link.now)
        assert answers or link.venue.closing == "logged out"
        assert not any(isinstance(wire.decode(answer), wire.Garbage) for answer in answers)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=200), _calls()), min_size=1, max_size=4), st.booleans())
def test_every_frame_of_noise_is_answered_and_nothing_raises(frames: list[bytes], logged_in: bool) -> None:
    link = Link()
    if logged_in:
        link.login()
    for frame in frames:
        closed = bool(link.venue.closing)
        answers = link.venue.receive(frame, link.now)
        if not closed and link.venue.closing != "logged out":
            assert answers
        for answer in answers:
            assert not isinstance(wire.decode(answer), wire.Garbage)


def test_tokens_that_ended_are_forgotten() -> None:
    count = itertools.count()
    shared = Tokens({"paper": "s"}, lambda: f"t{next(count)}", lifetime_s=1)
    link = Link(server(given=shared))
    for _ in range(200):
        link.now += 5 * NS
        link.result("public/auth", grant_type="client_credentials", client_id="paper", client_secret="s")
    assert len(shared._access) == 1
    assert len(shared._refresh) <= 21
