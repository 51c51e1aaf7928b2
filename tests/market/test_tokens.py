"""Tokens: what they are for, how long they are good, how often."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from typing import Any

import pytest

from engine.domain import MS, NS
from engine.market.deribit.account import Token
from engine.market.deribit.errors import VenueError
from engine.market.deribit.methods.private import PRIVATE
from engine.market.deribit.methods.public import Auth, ExchangeToken, ForkToken
from engine.market.deribit.scopes import LARGEST, granted, needed, needed_by_channel
from engine.market.deribit.tokens import Tokens
from tests.market.venue import T0, Link, server, tokens

LOGIN: dict[str, Any] = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "open sesame"}


def good(outcome: Token | VenueError) -> Token:
    assert isinstance(outcome, Token), outcome
    return outcome


def code(outcome: Token | VenueError) -> int:
    assert isinstance(outcome, VenueError), outcome
    return outcome.code


def signed(at: int = T0 // MS, nonce: str = "abc") -> Auth:
    signature = hmac.new(b"open sesame", f"{at}\n{nonce}\n".encode(), hashlib.sha256).hexdigest()
    return Auth(grant_type="client_signature", client_id="paper", timestamp=at, nonce=nonce, signature=signature)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", "mainaccount connection account:read_write trade:read_write wallet:read"),
        ("connection", "mainaccount connection account:read_write trade:read_write wallet:read"),
        ("session:desk", "mainaccount session:desk account:read_write trade:read_write wallet:read"),
        ("trade:read", "mainaccount connection trade:read"),
        ("wallet:read_write", "mainaccount connection wallet:read"),
        ("trade:none account:read", "mainaccount connection trade:none account:read"),
        ("trade:everything gold:read", "mainaccount connection"),
    ],
)
def test_a_scope_is_what_was_asked_as_far_as_it_may_be(asked: str, given: str) -> None:
    assert str(granted(asked)) == given


@pytest.mark.parametrize(
    ("scope", "calls"),
    [
        ("trade:read", {"get_positions": 0, "buy": 13021, "get_account_summary": 13021}),
        ("trade:read_write", {"buy": 0, "cancel_all": 0, "get_deposits": 13021}),
        ("account:read", {"get_account_summary": 0, "get_positions": 13021, "enable_cancel_on_disconnect": 13021}),
        ("wallet:read_write", {"get_deposits": 0, "buy": 13021}),
        ("trade:none", {"get_positions": 13021, "unsubscribe_all": 0}),
    ],
)
def test_a_token_is_for_what_it_was_given_for(scope: str, calls: dict[str, int]) -> None:
    link = Link(server())
    link.result("public/auth", **LOGIN, scope=scope)
    for method, refused in calls.items():
        given: dict[str, Any] = {"instrument_name": "X", "amount": 1, "currency": "BTC"}
        params = {name: given[name] for name in PRIVATE[f"private/{method}"].__struct_fields__ if name in given}
        if refused:
            assert link.refused(f"private/{method}", **params).code == refused, method
        else:
            link.result(f"private/{method}", **params)


def test_a_subscription_needs_what_its_channels_tell() -> None:
    link = Link(server())
    link.result("public/auth", **LOGIN, scope="trade:read")
    assert link.refused("private/subscribe", channels=["user.portfolio.btc"]).code == 13021
    link.result("private/subscribe", channels=["user.orders.any.any.raw"])
    assert needed_by_channel("book.BTC-PERPETUAL.raw") is None


def test_every_private_call_needs_something_that_can_be_given() -> None:
    free = {method for method in PRIVATE if needed(method) is None}
    assert free == {"private/logout", "private/subscribe", "private/unsubscribe", "private/unsubscribe_all"}
    assert all(granted("").allows(*need) for method in PRIVATE if (need := needed(method)) is not None)
    assert set(LARGEST) == {need[0] for method in PRIVATE if (need := needed(method)) is not None}


def test_a_signature_is_good_for_a_minute_on_any_line() -> None:
    shared = tokens()
    assert good(shared.auth(signed(), T0)).expires_in == 900
    assert good(shared.auth(signed(), T0)).access_token, "two lines of one client, opened in the same millisecond"
    for seconds, accepted in ((-61, False), (-59, True), (59, True), (61, False)):
        outcome = shared.auth(signed(T0 // MS + 1000 * seconds, f"n{seconds}"), T0)
        assert isinstance(outcome, Token) == accepted, seconds


def test_a_session_is_forked_and_a_connection_is_not() -> None:
    shared = tokens()
    session = good(shared.auth(Auth(**LOGIN, scope="session:one trade:read"), T0))
    fork = good(shared.fork(ForkToken(refresh_token=session.refresh_token, session_name="two"), T0))
    assert fork.scope == "mainaccount session:two trade:read"
    grant = shared.grant(fork.access_token, T0)
    assert grant is not None
    assert grant.account == "paper"
    bound = good(shared.auth(Auth(**LOGIN), T0))
    assert code(shared.fork(ForkToken(refresh_token=bound.refresh_token, session_name="two"), T0)) == 13009


def test_a_token_is_exchanged_for_ones_own_only() -> None:
    shared = tokens()
    shared.subjects = {7: "paper", 8: "other"}
    token = good(shared.auth(Auth(**LOGIN), T0)).refresh_token
    assert good(shared.exchange(ExchangeToken(refresh_token=token, subject_id=7, scope="trade:read"), T0)).scope == (
        "mainaccount connection trade:read"
    )
    lesser = good(shared.auth(Auth(**LOGIN, scope="trade:read"), T0)).refresh_token
    more = ExchangeToken(refresh_token=lesser, subject_id=7, scope="trade:read_write account:read")
    assert good(shared.exchange(more, T0)).scope == "mainaccount connection trade:read account:none", "no more than had"
    assert code(shared.exchange(ExchangeToken(refresh_token=token, subject_id=8), T0)) == 13021
    assert code(shared.exchange(ExchangeToken(refresh_token="made up", subject_id=7), T0)) == 13009


def test_a_token_lives_as_long_as_was_asked() -> None:
    shared: Tokens = tokens()
    token = good(shared.auth(Auth(**LOGIN, scope="expires:5"), T0))
    assert token.expires_in == 5
    assert shared.grant(token.access_token, T0 + 4 * NS) is not None
    assert shared.grant(token.access_token, T0 + 5 * NS) is None
    assert good(shared.auth(Auth(grant_type="refresh_token", refresh_token=token.refresh_token), T0 + 6 * NS))


def test_tokens_that_ended_are_forgotten() -> None:
    count = itertools.count()
    shared = Tokens({"paper": "s"}, lambda: f"t{next(count)}", lifetime_s=1)
    link = Link(server(given=shared))
    for _ in range(200):
        link.now += 5 * NS
        link.result("public/auth", grant_type="client_credentials", client_id="paper", client_secret="s")
    assert len(shared._access) == 1
    assert len(shared._refresh) <= 21
