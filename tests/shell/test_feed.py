"""The feed against a real websocket server on this machine, which answers through the venue's own `Server`.

Nothing sleeps: what the feed reports is a queue, and the test waits for the report.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from engine.market.deribit import wire
from engine.market.deribit.tokens import Tokens
from engine.shell.feed import Backoff, BadSecret, Credentials, Feed, credentials_from
from tests.market.venue import NAME, T0, Exchange, server, tokens

GOOD = Credentials("paper", "open sesame")
WAIT_S = 20.0
QUIET = logging.getLogger("the venue's side")  # whose log is not what is looked at
QUIET.setLevel(logging.CRITICAL)


class Venue:
    """Each connection gets a `Server`; the test may hang up, stay silent, or see what came in."""

    def __init__(self, given: Tokens | None = None) -> None:
        self.tokens = given or tokens()
        self.lines: list[ServerConnection] = []
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.silent = False
        self.twist: Callable[[bytes], bytes] = lambda frame: frame

    async def handle(self, line: ServerConnection) -> None:
        self.lines.append(line)
        side = server(Exchange(), self.tokens)
        try:
            while not side.closing:
                data = await line.recv(decode=False)
                self.heard.put_nowait(data)
                for frame in [] if self.silent else side.receive(data, T0):
                    await line.send(self.twist(frame).decode())
        except ConnectionClosed:
            side.lost(T0)

    async def next_heard(self) -> bytes:
        return await asyncio.wait_for(self.heard.get(), WAIT_S)


class Desk:
    """What the feed reports, in order."""

    def __init__(self) -> None:
        self.links: asyncio.Queue[tuple[bool, bool, str]] = asyncio.Queue()
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.all_frames: list[bytes] = []

    def on_link(self, up: bool, authenticated: bool, reason: str) -> None:
        self.links.put_nowait((up, authenticated, reason))

    def on_frame(self, data: bytes) -> None:
        self.all_frames.append(data)
        self.frames.put_nowait(data)

    async def link(self) -> tuple[bool, bool, str]:
        return await asyncio.wait_for(self.links.get(), WAIT_S)

    async def frame(self) -> bytes:
        return await asyncio.wait_for(self.frames.get(), WAIT_S)


@asynccontextmanager
async def joined(venue: Venue, credentials: Credentials | None = GOOD, **more: Any) -> AsyncIterator[tuple[Feed, Desk]]:
    """A feed running against the venue; what it raises comes out."""
    async with serve(venue.handle, "127.0.0.1", 0, logger=QUIET) as listening:
        port = listening.sockets[0].getsockname()[1]
        desk = Desk()
        feed = Feed(f"ws://127.0.0.1:{port}/ws/api/v2", lambda: credentials, desk.on_link, desk.on_frame,
                    backoff=Backoff(random.Random(1), first=0.001), **more)  # fmt: skip
        running = asyncio.create_task(feed.run())
        try:
            yield feed, desk
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_authenticates_itself_and_hands_on_all_but_that(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        venue = Venue()
        async with joined(venue) as (feed, desk):
            assert await desk.link() == (True, True, "")
            assert b"client_credentials" in await venue.next_heard()
            assert feed.send(wire.request(1, "private/subscribe", {"channels": [f"book.{NAME}.raw"]}))
            answer, push = wire.decode(await desk.frame()), wire.decode(await desk.frame())
            assert isinstance(answer, wire.Reply)
            assert answer.id == 1
            assert isinstance(push, wire.Push)
            assert push.data.type == "snapshot"
            assert not [frame for frame in desk.all_frames if b"token" in frame]

    with caplog.at_level(logging.DEBUG):
        run(test())
    assert "sesame" not in caplog.text
    assert "token-" not in caplog.text


def test_an_answer_with_a_token_is_kept_even_under_a_foreign_id() -> None:
    async def test() -> None:
        venue = Venue()
        async with joined(venue) as (feed, desk):
            assert await desk.link() == (True, True, "")
            venue.twist = lambda frame: frame.replace(b'"id":"auth-', b'"id":"x')
            feed.send(wire.request("mine", "public/auth", {"grant_type": "client_credentials", "client_id": "paper",
                                                            "client_secret": "open sesame"}))  # fmt: skip
            feed.send(wire.request("after", "public/test", {}))
            after = wire.decode(await desk.frame())
            assert isinstance(after, wire.Reply)
            assert after.id == "after"

    run(test())


def test_without_credentials_it_only_looks() -> None:
    async def test() -> None:
        async with joined(Venue(), None) as (feed, desk):
            assert await desk.link() == (True, False, "")
            assert feed.send(wire.request(1, "private/get_positions", {}))
            answer = wire.decode(await desk.frame())
            assert isinstance(answer, wire.Reply)
            assert answer.error is not None
            assert answer.error.code == 10000

    run(test())


def test_a_wrong_secret_leaves_it_looking_and_says_why() -> None:
    async def test() -> None:
        async with joined(Venue(), Credentials("paper", "wrong")) as (feed, desk):
            up, authenticated, reason = await desk.link()
            assert (up, authenticated) == (True, False)
            assert "invalid_credentials (13004)" in reason
            assert feed.send(wire.request(1, "public/test", {}))
            assert b"version" in await desk.frame()

    run(test())


def test_comes_back_after_the_venue_hangs_up() -> None:
    async def test() -> None:
        venue = Venue()
        async with joined(venue) as (feed, desk):
            for expected in range(1, 4):
                assert await desk.link() == (True, True, "")
                assert len(venue.lines) == expected
                await venue.lines[-1].close(1001, "maintenance")
                assert await desk.link() == (False, False, "the venue closed the line: maintenance")
                assert not feed.send(b"{}")

    run(test())


def test_hangup_leaves_at_once_and_a_new_line_is_made() -> None:
    async def test() -> None:
        async with joined(Venue()) as (feed, desk):
            assert (await desk.link())[0]
            feed.hangup("the book cannot be believed")
            assert not feed.send(b"{}")
            assert await desk.link() == (False, False, "the book cannot be believed")
            assert await desk.link() == (True, True, "")

    run(test())


def test_a_refusal_that_may_pass_is_tried_again() -> None:
    async def test() -> None:
        venue = Venue()
        busy = b'{"jsonrpc":"2.0","id":"auth-1","error":{"code":10040,"message":"retry"}}'
        venue.twist = lambda frame: busy if b"auth-1" in frame else frame
        async with joined(venue) as (_, desk):
            assert await desk.link() == (False, False, "authentication was refused: retry (10040)")
            assert await desk.link() == (True, True, "")

    run(test())


def test_an_unreadable_answer_to_the_authentication_is_not_believed() -> None:
    async def test() -> None:
        venue = Venue()
        venue.twist = lambda frame: b'{"id":"auth-1","result":{"scope":1}}' if b"auth-1" in frame else frame
        async with joined(venue) as (_, desk):
            assert await desk.link() == (False, False, "the venue's answer to the authentication cannot be read")

    run(test())


def test_tokens_are_refreshed_before_they_end() -> None:
    async def test() -> None:
        venue = Venue(tokens(lifetime_s=1))
        async with joined(venue, speed=100.0) as (_, desk):  # the venue's second is 10 ms here
            assert await desk.link() == (True, True, "")
            assert b"client_credentials" in await venue.next_heard()
            first, second = await venue.next_heard(), await venue.next_heard()
            assert b'"refresh_token":"token-2"' in first
            assert b'"refresh_token":"token-4"' in second
            assert not desk.all_frames
            assert desk.links.empty()

    run(test())


def test_a_venue_that_does_not_answer_the_authentication_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        venue = Venue()
        venue.silent = True
        async with joined(venue) as (_, desk):
            assert await desk.link() == (False, False, "the venue did not answer the authentication")

    monkeypatch.setattr("engine.shell.feed.ANSWER_S", 0.01)
    run(test())


def test_a_clogged_line_takes_nothing_more() -> None:
    async def test() -> None:
        venue = Venue()
        async with joined(venue) as (feed, desk):
            assert (await desk.link())[0]
            venue.lines[0].transport.pause_reading()
            large = wire.request(1, "public/test", {"x": "y" * 30_000})
            sent = 0
            while feed.send(large):
                sent += 1
                assert sent < 10_000
            assert sent > 0
            assert not feed.send(b"{}")
            venue.lines[0].transport.resume_reading()

    run(test())


def test_what_a_callback_raises_comes_out() -> None:
    class Broken(Exception):
        pass

    def broken(up: bool, authenticated: bool, reason: str) -> None:
        raise Broken

    async def test() -> None:
        async with serve(Venue().handle, "127.0.0.1", 0, logger=QUIET) as listening:
            port = listening.sockets[0].getsockname()[1]
            feed = Feed(f"ws://127.0.0.1:{port}", lambda: GOOD, broken, lambda data: None)
            with pytest.raises(Broken):
                await asyncio.wait_for(feed.run(), WAIT_S)

    run(test())


def test_a_venue_that_is_not_there_is_said_once_and_tried_again() -> None:
    async def test() -> None:
        async with serve(Venue().handle, "127.0.0.1", 0, logger=QUIET) as listening:
            port = listening.sockets[0].getsockname()[1]
        desk = Desk()
        pauses = Backoff(random.Random(1), first=0.0005)
        url = f"ws://127.0.0.1:{port}"
        feed = Feed(url, lambda: GOOD, desk.on_link, desk.on_frame, backoff=pauses)
        running = asyncio.create_task(feed.run())
        up, _, reason = await desk.link()
        assert not up
        assert reason.startswith(f"{url} cannot be reached: ")
        async with serve(Venue().handle, "127.0.0.1", port, logger=QUIET):
            assert await desk.link() == (True, True, "")  # and not the same reason a second time
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    run(test())


def test_pauses_double_up_to_a_cap_with_jitter() -> None:
    pauses = Backoff(random.Random(7), first=0.25, cap=30.0)
    tries = [pauses.next() for _ in range(40)]
    for attempt, pause in enumerate(tries):
        full = min(30.0, 0.25 * 2**attempt)
        assert full / 2 <= pause <= full
    assert len(set(tries)) == len(tries)
    pauses.reset()
    assert pauses.next() <= 0.25


@pytest.mark.parametrize(
    ("environ", "venue", "expected"),
    [
        ({}, "paper", Credentials("paper", "paper")),
        ({"TIDEGATE_CLIENT_ID": "a", "TIDEGATE_CLIENT_SECRET": "b"}, "paper", Credentials("a", "b")),
        ({"TIDEGATE_CLIENT_ID": "a", "TIDEGATE_CLIENT_SECRET": "b"}, "live", Credentials("a", "b")),
    ],
)
def test_credentials_come_from_the_environment(environ: dict[str, str], venue: str, expected: Credentials) -> None:
    assert credentials_from(environ, venue) == expected


def test_credentials_come_from_files_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    environ = {"TIDEGATE_CLIENT_ID": "a", "TIDEGATE_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    assert credentials_from(environ, "test") == Credentials("a", "from a file")
    environ["TIDEGATE_CLIENT_SECRET_FILE"] = str(tmp_path / "none")
    with pytest.raises(BadSecret, match="TIDEGATE_CLIENT_SECRET_FILE names cannot be read: No such file"):
        credentials_from(environ, "test")


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "TIDEGATE_CLIENT_ID and TIDEGATE_CLIENT_SECRET must be set to trade on the live venue"),
        ({"TIDEGATE_CLIENT_ID": "a"}, "TIDEGATE_CLIENT_SECRET must be set to trade on the live venue"),
    ],
)
def test_a_missing_secret_is_named(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(BadSecret, match=missing):
        credentials_from(environ, "live")


def test_credentials_do_not_print_their_secret() -> None:
    assert "sesame" not in f"{GOOD!r} {GOOD}"
