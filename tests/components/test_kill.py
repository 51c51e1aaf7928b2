"""The page's kill: an engine that takes it, one that hangs, one that refuses, and none at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from components import relay as relays
from components.relay import Relay
from engine import messages as m

PAST = m.Answer(id="", ok=True, text="killed past the engine")


class Engine:
    """As a screen sees one. `says` is its answer to a kill; None: it hangs."""

    def __init__(self, says: m.Answer | None) -> None:
        self.says, self.asked = says, list[m.Verb]()

    def __aiter__(self) -> AsyncIterator[tuple[m.View, ...]]:
        return self

    async def __anext__(self) -> tuple[m.View, ...]:
        await asyncio.Event().wait()
        raise StopAsyncIteration

    async def ask(self, verb: m.Verb, *, user: str, role: m.Role) -> m.Answer:
        self.asked.append(verb)
        if self.says is None:
            await asyncio.Event().wait()
        assert self.says is not None
        return self.says

    async def look(self, _: Any) -> None: ...

    async def recall(self, after: int = 0) -> None: ...


async def press(engine: Engine | None, *, account: bool, can_pass: bool = True) -> tuple[m.Answer, list[bool]]:
    """The page's answer to a press, and what was killed past the engine."""
    passed: list[bool] = []

    async def past(whole: bool) -> m.Answer:
        passed.append(whole)
        return PAST

    @asynccontextmanager
    async def attach(_: str) -> AsyncIterator[Any]:
        if engine is None:
            raise ConnectionError
        yield engine

    relay = Relay("ws://nowhere", attach, "paper", past if can_pass else None)
    running = asyncio.create_task(relay.run())
    if engine is not None:
        while not relay.board.attached:
            await asyncio.sleep(0)
    answer = await relay.ask(m.Kill(account=account), "ann", "trader")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return answer, passed


@pytest.mark.parametrize("account", [False, True])
def test_an_engine_that_answers_is_not_passed_by(account: bool) -> None:
    engine = Engine(m.Answer(id="1", ok=True, text="killed"))
    assert asyncio.run(press(engine, account=account)) == (engine.says, [])
    assert engine.asked == [m.Kill(account=account)]


@pytest.mark.parametrize("account", [False, True])
@pytest.mark.parametrize("says", [None, m.Answer(id="1", ok=False, text="an invariant is broken")])
def test_one_that_hangs_or_is_broken_is_passed_by(
    monkeypatch: pytest.MonkeyPatch, says: m.Answer | None, account: bool
) -> None:
    monkeypatch.setattr(relays, "KILL_S", 0.01)
    engine = Engine(says)
    assert asyncio.run(press(engine, account=account)) == (PAST, [account])
    assert engine.asked == [m.Kill(account=account)]  # it hears of it when it goes on


def test_without_an_engine_the_press_goes_to_the_venue_all_the_same() -> None:
    assert asyncio.run(press(None, account=False)) == (PAST, [False])


def test_a_page_that_cannot_pass_it_by_says_what_to_do() -> None:
    answer, passed = asyncio.run(press(None, account=False, can_pass=False))
    assert not answer.ok
    assert "python -m engine kill" in answer.text
    assert passed == []
