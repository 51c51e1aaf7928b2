"""The whole web process against the engine's own link: views to pages, clicks to the desk, comings and goings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from fastapi import FastAPI

from components.server import build
from engine import messages as m
from engine.shell.serve import Serve
from tests.components.asgi import ORIGIN, Refused, Socket, ask, socket, started
from tests.components.desk import NAME, OTHER, SUBMIT, SUBMITTED, Asked, ladder, note, status

TOKEN, LINK_TOKEN = "the page's", "the-links"
WELCOME = m.Welcome(mode="paper", session="s", code="c")


class World(msgspec.Struct):
    """A desk, the link it stands behind, and the page's server attached to it."""

    desk: Any
    serve: Any
    app: FastAPI
    headers: dict[str, str]


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    desk, serve = Asked(), Serve(WELCOME, token=LINK_TOKEN)
    app = build(await serve.start(desk), TOKEN)
    try:
        async with started(app):
            cookie = (await ask(app, "/?token=" + quote(TOKEN))).cookies()
            yield World(desk, serve, app, {"cookie": cookie, "origin": ORIGIN})
    finally:
        await serve.stop()


def command(lane: int, said: object) -> dict[str, Any]:
    """A click as Dash posts it."""
    return {
        "output": '{"lane":["MATCH"],"type":"answer"}.data',
        "outputs": {"id": {"lane": lane, "type": "answer"}, "property": "data"},
        "inputs": [{"id": {"lane": lane, "type": "command"}, "property": "data", "value": said}],
        "changedPropIds": [f'{{"lane":{lane},"type":"command"}}.data'],
        "state": [],
    }


async def looking(page: Socket, name: str) -> dict[str, Any]:
    await page.say({"look": name})
    return await page.until("ladder")


def test_why_is_asked_of_the_engine_by_those_who_are_in() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await looking(page, NAME)
            said = await ask(w.app, f"/why?instrument={NAME}", headers=w.headers)
            assert msgspec.json.decode(said.body) == {"ok": True, "text": f"because of {NAME}"}
            assert (await ask(w.app, f"/why?instrument={NAME}")).status != 200

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_an_estimate_is_a_look_that_the_engine_answers() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await looking(page, NAME)
            for order, reason in (
                (SUBMIT, f"nothing is known of {NAME}"),
                (SUBMIT | {"quantity": None}, "the quantity is missing"),
                ({"do": "kill"}, "only an order can be estimated"),
            ):
                said = await ask(w.app, "/estimate", w.headers, post=order)
                assert msgspec.json.decode(said.body, type=m.Estimated).reason == reason
            assert w.desk.verbs == []
            assert (await ask(w.app, "/estimate", post=SUBMIT)).status != 200

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_a_page_sees_what_it_looks_at_and_every_note() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            assert (await looking(page, NAME))["instrument"] == NAME
            assert (NAME,) in w.desk.looks
            w.serve.publish([ladder(NAME, 7.0), note(4)])
            assert (await page.until("ladder"))["t_ms"] == 7.0
            await page.say({"recall": 0})
            numbers: list[int] = []
            while len(numbers) < 3:
                numbers += [view["n"] for view in (await page.frame())["views"] if view["type"] == "note"]
            assert numbers[-3:] == [1, 3, 4]

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_the_engine_is_told_what_all_pages_together_look_at() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as one:
            await looking(one, NAME)
            async with socket(w.app, "/feed", w.headers) as two:
                await looking(two, OTHER)
                assert w.desk.looks[-1] == (NAME, OTHER)

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_a_click_reaches_the_desk_under_the_users_name_and_its_answer_comes_back() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await page.until("status")
            post = command(2, {"id": "k-1", "verb": SUBMIT})
            reply = await ask(w.app, "/_dash-update-component", w.headers, post=post)
            said = msgspec.json.decode(reply.body)["response"]
            assert list(said.values()) == [{"data": {"id": "k-1", "ok": True, "text": "done", "block": ""}}]
            assert w.desk.verbs == [SUBMITTED]
            assert w.desk.users == [("desk", "admin")]

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_a_long_command_reaches_the_engine_under_the_users_name() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await page.until("status")
            post = command(2, {"id": "k-2", "work": {"do": "train", "sessions": 2, "minutes": 1}})
            reply = await ask(w.app, "/_dash-update-component", w.headers, post=post)
            assert "begun" in reply.text
            assert w.desk.works == [("desk", "admin", m.Train(sessions=2, minutes=1.0))]

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_a_click_that_cannot_be_meant_never_reaches_the_desk() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await page.until("status")
            post = command(1, {"id": "k-1", "verb": {"do": "dance"}})
            reply = await ask(w.app, "/_dash-update-component", w.headers, post=post)
            assert "'dance' is not a command of this desk" in reply.text
            assert w.desk.verbs == []

    asyncio.run(asyncio.wait_for(walk(), 20))


@pytest.mark.parametrize("word", ["{{{", '{"kill": true}', '{"look": "' + "A" * 101 + '"}'])
def test_a_page_that_says_what_nobody_understands_is_shown_out(word: str) -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await page.until("status")
            await page.say(word)
            with pytest.raises(Refused, match="not a word"):
                await page.until("what never comes")
            assert w.desk.looks == []

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_health_says_what_the_desk_says_and_down_once_it_has_gone() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await page.until("status")
            w.serve.publish([status(42)])
            await page.until("status")
            health = msgspec.json.decode((await ask(w.app, "/healthz")).body)
            model = {"id": "lstm-1", "skill": "edge"}
            assert health == {"status": "ok", "mode": "paper", "feed": "live", "seq": 42, "model": model}
            w.serve.publish([msgspec.structs.replace(status(43), halted="the disk is full")])
            await page.until("status")
            assert msgspec.json.decode((await ask(w.app, "/healthz")).body)["status"] == "halted"
            await w.serve.stop()
            while (await page.frame())["engine"]:
                pass
            assert msgspec.json.decode((await ask(w.app, "/healthz")).body)["feed"] == "down"

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_a_page_finds_the_engine_again_at_the_same_address() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as page:
            await looking(page, NAME)
            port = w.serve.port
            await w.serve.stop()
            while (await page.frame())["engine"]:
                pass
            w.serve = Serve(WELCOME, token=LINK_TOKEN)
            w.desk.views[-2] = ladder(NAME, 99.0)
            await w.serve.start(w.desk, port)
            while (await page.until("ladder"))["t_ms"] != 99.0:
                pass
            assert w.desk.looks[-1] == (NAME,)
            await w.serve.stop()

    asyncio.run(asyncio.wait_for(walk(), 20))


def test_a_word_that_the_feed_does_not_know_closes_that_page_only() -> None:
    async def walk() -> None:
        async with world() as w, socket(w.app, "/feed", w.headers) as good:
            async with socket(w.app, "/feed", w.headers) as bad:
                await bad.say('{"order": "buy"}')
                with pytest.raises(Refused, match="not a word"):
                    await bad.until("nothing that exists")
            assert (await looking(good, NAME))["instrument"] == NAME

    asyncio.run(asyncio.wait_for(walk(), 20))
