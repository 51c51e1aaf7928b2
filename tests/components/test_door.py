"""The door: who comes in, from where, and what a browser is told of the page it gets."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI

from components import page
from components.door import PAGE_PATHS, Pass, User
from components.server import build
from tests.components.asgi import ORIGIN, Refused, Reply, ask, socket, started

TOKEN = "the-printed-token"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return build("ws://127.0.0.1:9/?token=nobody", TOKEN)


def get(app: FastAPI, path: str, cookie: str = "", **headers: str) -> Reply:
    return asyncio.run(ask(app, path, headers | ({"cookie": cookie} if cookie else {})))


@pytest.fixture(scope="module")
def cookie(app: FastAPI) -> str:
    return get(app, f"/?token={TOKEN}").cookies()


def test_whoever_is_not_in_is_told_how_to_come_in_on_every_page(app: FastAPI) -> None:
    assert {path for _, path in page.PAGES} == PAGE_PATHS
    for path in PAGE_PATHS:
        reply = get(app, path)
        assert reply.status == 401
        assert "Open the address that the desk printed" in reply.text


def test_every_page_is_one_document(app: FastAPI, cookie: str) -> None:
    async def walk() -> set[str]:
        async with started(app):
            return {(await ask(app, path, {"cookie": cookie})).text.partition("<footer>")[0] for path in PAGE_PATHS}

    (document,) = asyncio.run(walk())  # the footer carries a number of the moment
    assert 'src="/assets/desk.js"' in document


def test_the_token_is_traded_for_a_cookie_that_scripts_and_other_sites_cannot_use(app: FastAPI) -> None:
    reply = get(app, f"/?token={TOKEN}")
    assert (reply.status, reply.headers["location"]) == (303, "/")
    given = reply.headers["set-cookie"].lower()
    assert "httponly" in given
    assert "samesite=strict" in given
    assert "path=/" in given
    assert TOKEN not in given


@pytest.mark.parametrize(
    "path",
    ["/", "/?token=wrong", "/?token=", "/_dash-layout", "/_dash-dependencies", "/assets/desk.js", "/docs", "/nowhere"],
)
def test_without_a_login_nothing_but_a_sentence_is_given(app: FastAPI, path: str) -> None:
    reply = get(app, path)
    assert reply.status == 401
    assert "react" not in reply.text
    assert "traceback" not in reply.text.lower()


@pytest.mark.parametrize("forged", ["x", "WyJkZXNrIiwiYWRtaW4iXQ.aaaa.bbbb", ""])
def test_a_forged_cookie_opens_nothing(app: FastAPI, cookie: str, forged: str) -> None:
    name = cookie.partition("=")[0]
    assert get(app, "/_dash-layout", f"{name}={forged}").status == 401


def test_a_cookie_of_another_desk_opens_nothing_here(app: FastAPI) -> None:
    other = Pass("another token", User("desk", "admin"))
    mine = Pass(TOKEN, User("desk", "admin"))
    assert other.cookie != mine.cookie
    value = other.trade("another token")
    assert get(app, "/_dash-layout", f"{mine.cookie}={value}").status == 401


def test_with_the_cookie_the_page_comes_and_loads_nothing_from_elsewhere(app: FastAPI, cookie: str) -> None:
    reply = get(app, "/", cookie)
    assert reply.status == 200
    assert 'src="/assets/desk.js"' in reply.text
    for tag in ('src="http', "src='http", 'href="http'):
        assert tag not in reply.text


@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/assets/desk.css"])
def test_every_answer_carries_strict_headers(app: FastAPI, cookie: str, path: str) -> None:
    headers = get(app, path, cookie).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in next(part for part in policy.split(";") if "script-src" in part)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] in ("no-store", "no-cache")


@pytest.mark.parametrize("origin", [None, "http://evil.test", "null", "http://desk.test.evil.test"])
def test_a_post_from_another_site_is_refused_even_with_the_cookie(
    app: FastAPI, cookie: str, origin: str | None
) -> None:
    headers = {"cookie": cookie} | ({"origin": origin} if origin else {})
    reply = asyncio.run(ask(app, "/_dash-update-component", headers, post={}))
    assert reply.status == 403
    assert "another site" in reply.text


@pytest.mark.parametrize(
    ("known", "origin"), [(False, ORIGIN), (True, "http://evil.test"), (True, None), (False, None)]
)
@pytest.mark.parametrize("path", ["/feed", "/_dash-ws-callback"])
def test_a_socket_needs_the_cookie_and_the_same_origin(
    app: FastAPI, cookie: str, path: str, known: bool, origin: str | None
) -> None:
    headers = ({"cookie": cookie} if known else {}) | ({"origin": origin} if origin else {})

    async def open_it() -> None:
        async with socket(app, path, headers):
            pass

    with pytest.raises(Refused):
        asyncio.run(open_it())


def test_health_is_told_to_anybody_and_says_that_the_engine_is_away(app: FastAPI) -> None:
    reply = get(app, "/healthz")
    assert reply.status == 200
    said = reply.text.replace(" ", "")
    assert said == '{"status":"ok","mode":"paper","feed":"down","seq":0,"model":{"id":"","skill":"unknownyet"}}'


def test_a_viewer_is_a_viewer_after_the_cookie_too() -> None:
    door = Pass("t", User("anna", "viewer"))
    value = door.trade("t")
    assert value is not None
    assert door.read(value) == User("anna", "viewer")
    assert door.trade("T") is None
