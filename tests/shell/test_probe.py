"""The probe on the paper venue: it passes there, says what is unlike, leaves nothing behind, and arms what it may."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import websockets

from engine.domain import DAY_NS
from engine.shell import passes
from engine.shell.feed import Credentials
from engine.shell.passes import Check, Pass
from engine.shell.probe import CHECKS, probe
from engine.shell.venue import settings_for
from tests.shell.venues import call, login, run, serving

PAPER = Credentials("paper", "paper")
NOW = 1_772_436_600 * 10**9


async def probed(address: str, secret: Credentials = PAPER) -> dict[str, Check]:
    said: list[Check] = []
    found = await probe(address, secret, "BTC", said.append)
    assert found == said
    return {check.name: check for check in found}


def test_the_paper_venue_is_as_the_code_assumes_and_nothing_is_left_behind() -> None:
    async def story() -> None:
        async with serving(settings=settings_for(listing="small")) as address:
            found = await probed(address)
            assert {name: check.detail for name, check in found.items() if not check.ok} == {}
            assert list(found) == [*CHECKS, "clean up"]
            async with websockets.connect(address) as line:
                await login(line)
                assert await call(line, "private/get_open_orders") == []

    run(story)


def test_a_secret_that_is_wrong_ends_it_at_once() -> None:
    async def story() -> None:
        async with serving(settings=settings_for(listing="small")) as address:
            found = await probed(address, Credentials("paper", "wrong"))
            assert list(found) == ["clock", "login", "clean up"]
            assert not found["login"].ok
            assert "13004" in found["login"].detail

    run(story)


class Bent:
    """A venue between us and the paper venue that does one thing otherwise."""

    def __init__(self, address: str, method: str, change: Any) -> None:
        self.address, self.method, self.change = address, method, change

    async def attend(self, socket: Any) -> None:
        async with websockets.connect(self.address) as venue:
            ways = [self._carry(socket, venue, bend=True), self._carry(venue, socket, bend=False)]
            await asyncio.wait([asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
            await venue.close()
            await socket.close()

    async def _carry(self, source: Any, target: Any, *, bend: bool) -> None:
        with suppress(websockets.ConnectionClosed):
            async for data in source:
                if bend and self.method in str(data):
                    request = json.loads(data)
                    await target.send(json.dumps(request | {"params": self.change(request["params"])}))
                else:
                    await target.send(data)


BENT: dict[str, Any] = {
    "valid until": lambda params: {k: v for k, v in params.items() if k != "valid_until"},
    "post-only rejects": lambda params: params | {"reject_post_only": False},
}


@pytest.mark.parametrize("name", list(BENT))
def test_a_venue_that_does_otherwise_does_not_pass(name: str) -> None:
    async def story() -> None:
        async with serving(settings=settings_for(listing="small")) as address:
            bent = Bent(address, "private/buy", BENT[name])
            async with websockets.serve(bent.attend, "127.0.0.1", 0) as server:
                port = next(iter(server.sockets)).getsockname()[1]
                found = await probed(f"ws://127.0.0.1:{port}")
                assert not found[name].ok
                assert found[name].detail.startswith("it was taken, and should have been refused")
                assert found["clean up"].ok

    run(story)


# ---------------------------------------------------------------- what it is good for


def passed(**fields: Any) -> Pass:
    usual: dict[str, Any] = {
        "venue": "live", "account": passes.account_of("someone"), "machine": passes.machine(), "t": NOW, "code": "1",
        "ok": True, "checks": (),
    }  # fmt: skip
    return Pass(**(usual | fields))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"venue": "test"}, "elsewhere"),
        ({"machine": "another"}, "elsewhere"),
        ({"ok": False, "checks": (Check(name="clock", ok=False, detail="late"),)}, "failed (clock)"),
        ({"t": NOW - 30 * DAY_NS}, "30 days ago"),
        ({"t": NOW + DAY_NS}, "days ago"),
    ],
)
def test_only_a_recent_pass_of_this_machine_arms(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    passes.write(tmp_path, passed(**fields))
    said = passes.lacking(tmp_path, "someone", "live", NOW)
    assert (words in said) if words else said == ""
    assert "has not passed" in passes.lacking(tmp_path, "somebody else", "live", NOW)


def test_a_pass_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    path = passes.write(tmp_path, passed())
    assert oct(path.stat().st_mode)[-3:] == "600"
    assert "someone" not in path.read_text()
    for text in ("", "{}", "no json"):
        path.write_text(text)
        assert "cannot be read" in passes.lacking(tmp_path, "someone", "live", NOW)
    path.unlink()
    assert "has not passed" in passes.lacking(tmp_path, "someone", "live", NOW)
