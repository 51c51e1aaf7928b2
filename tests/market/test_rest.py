"""The calls by HTTP, without a socket."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import MS
from engine.market.deribit.credits import Credits
from engine.market.deribit.frames import FRAME_LIMIT
from engine.market.deribit.rest import HttpRequest, answer
from tests.market.venue import NAME, T0, Exchange, server, tokens

BASIC = "Basic " + base64.b64encode(b"paper:open sesame").decode()


def fetch(
    method: str, target: str, body: bytes = b"", authorization: str = "", exchange: Exchange | None = None
) -> tuple[int, dict[str, Any]]:
    shared = tokens()
    request = HttpRequest(method, target, body, authorization)
    status, text = answer(lambda _: server(exchange, shared), shared, request, T0)
    return status, msgspec.json.decode(text, type=dict[str, Any])


def test_a_get_with_a_query() -> None:
    status, said = fetch("GET", "/api/v2/public/get_instruments?currency=BTC&kind=option&expired=false")
    assert (status, said["result"]["method"]) == (200, "public/get_instruments")
    params = said["result"]["params"]
    assert (params["currency"], params["kind"], params["expired"]) == ("BTC", "option", False)
    assert "id" not in said


@pytest.mark.parametrize("target", ["/api/v2", "/api/v2/", "/api/v2/public/get_time"])
def test_a_post_names_its_method_in_the_body(target: str) -> None:
    body = b'{"jsonrpc":"2.0","id":3,"method":"public/get_time"}'
    assert fetch("POST", target, body)[1] | {"usIn": 0, "usOut": 0} == {
        "jsonrpc": "2.0", "id": 3, "result": T0 // 1_000_000, "usIn": 0, "usOut": 0, "usDiff": 0, "testnet": True,
    }  # fmt: skip


def test_a_post_may_name_it_in_the_path() -> None:
    status, said = fetch("POST", "/api/v2/public/ticker", b'{"params":{"instrument_name":"X"}}')
    assert (status, said["result"]["params"]["instrument_name"]) == (200, "X")


def test_a_token_of_one_request_serves_the_next() -> None:
    shared = tokens()
    venue = server(Exchange(), shared)
    query = "grant_type=client_credentials&client_id=paper&client_secret=open+sesame"
    _, text = answer(lambda _: venue, shared, HttpRequest("GET", f"/api/v2/public/auth?{query}"), T0)
    token = msgspec.json.decode(text)["result"]["access_token"]
    for request in (
        HttpRequest("GET", "/api/v2/private/get_positions", authorization=f"Bearer {token}"),
        HttpRequest("GET", f"/api/v2/private/get_positions?access_token={token}"),
    ):
        status, text = answer(lambda _: server(Exchange(), shared), shared, request, T0)
        assert (status, msgspec.json.decode(text)["result"]["account"]) == (200, "paper")


def test_name_and_secret_serve() -> None:
    status, said = fetch("GET", f"/api/v2/private/buy?instrument_name={NAME}&amount=0.1&post_only=false", b"", BASIC)
    assert (status, said["result"]["account"], said["result"]["params"]["amount"]) == (200, "paper", 0.1)
    assert said["result"]["params"]["post_only"] is False


def test_a_signature_over_the_request_serves() -> None:
    target = f"/api/v2/private/buy?instrument_name={NAME}&amount=1"
    signature = hmac.new(b"open sesame", f"{T0 // MS}\nabc\nGET\n{target}\n\n".encode(), hashlib.sha256).hexdigest()
    header = f"deri-hmac-sha256 id=paper,ts={T0 // MS},sig={signature},nonce=abc"
    assert fetch("GET", target, authorization=header)[0] == 200
    assert fetch("GET", target + "0", authorization=header)[0] == 401


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (HttpRequest("GET", "/api/v2/public/nothing"), 404, -32601),
        (HttpRequest("GET", "/"), 404, -32601),
        (HttpRequest("PUT", "/api/v2/public/test"), 400, 11050),
        (HttpRequest("GET", "/api/v2/public/ticker"), 400, -32602),
        (HttpRequest("GET", "/api/v2/private/get_positions"), 401, 10000),
        (HttpRequest("GET", "/api/v2/private/get_positions", authorization="Bearer x"), 401, 13009),
        (HttpRequest("GET", "/api/v2/private/get_positions", authorization="Basic !!"), 401, 13009),
        (HttpRequest("GET", "/api/v2/private/get_positions", authorization="Other x"), 401, 13009),
        (HttpRequest("GET", "/api/v2/public/subscribe?channels=x"), 400, 10030),
        (HttpRequest("GET", "/api/v2/public/set_heartbeat?interval=10"), 400, 10030),
        (HttpRequest("GET", "/api/v2/private/logout", authorization=BASIC), 400, 10030),
        (HttpRequest("POST", "/api/v2", b"{"), 400, 11050),
        (HttpRequest("POST", "/api/v2", b" " * (FRAME_LIMIT + 1)), 400, -32600),
        (HttpRequest("POST", "/api/v2", b'{"method":"private/cancel","params":{"order_id":"1"}}', BASIC), 400, 10004),
    ],
    ids=str,
)
def test_refusals(request_: HttpRequest, status: int, code: int) -> None:
    got, said = fetch(request_.method, request_.target, request_.body, request_.authorization)
    assert (got, said["error"]["code"]) == (status, code)


def test_http_costs_credits_too() -> None:
    shared, pool = tokens(), Credits(T0, limit=500)
    venue = server(Exchange(), shared, pool)
    request = HttpRequest("GET", "/api/v2/public/test")
    assert answer(lambda _: venue, shared, request, T0)[0] == 200
    assert answer(lambda _: venue, shared, request, T0)[0] == 429


def test_nobody_uses_up_anothers_credits() -> None:
    shared, pools = tokens(), {account: Credits(T0, limit=500) for account in ("", "paper")}
    for header, statuses in (("", (200, 429)), ("Bearer made up", (429, 429)), (BASIC, (200, 429))):
        request = HttpRequest("GET", "/api/v2/public/test", authorization=header)
        for status in statuses:
            got = answer(lambda account: server(Exchange(), shared, pools[account]), shared, request, T0)
            assert got[0] == status


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "DELETE", ""]), st.text(max_size=60), st.binary(max_size=80), st.text(max_size=40)
)
def test_noise_is_answered(method: str, target: str, body: bytes, authorization: str) -> None:
    status, said = fetch(method, f"/api/v2/{target}", body, authorization)
    assert (status == 200) is ("result" in said)
