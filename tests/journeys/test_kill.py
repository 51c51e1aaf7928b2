"""The kill from the command line: beside a running engine, and without one."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from engine import messages as m
from engine.domain import Side, instrument_of
from tests import processes
from tests.journeys.watching import ask_venue, pick, tradable, watching

ORDERS = 5


async def rest_orders(engine: processes.Process) -> None:
    """Orders by hand, a few ticks under the bid, each open at the venue."""
    async with watching(engine.address) as watch:
        assert watch.chain is not None
        name = pick(watch.chain)
        await watch.client.look([name])
        await watch.until(lambda w: tradable(w.ladder))
        assert watch.ladder is not None
        grid, best = instrument_of(name), watch.ladder.bids[0][0]
        for k in range(ORDERS):
            price = grid.price(grid.step(best, -3 - k))
            order = m.SendOrder(instrument=name, side=Side.BUY, quantity=1, price=price)
            answer = await watch.client.ask(order, user="tester", role="trader")
            assert answer.ok, answer.text
        await watch.until(lambda w: sum(child.state == "open" for child in w.desk.children) == ORDERS)


def kill(data: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "engine", "kill", "--data", str(data), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=processes.ROOT, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if found["engine_silent"] else 0)
    return found


def left_open(data: Path) -> list[Any]:
    calls = [("private/get_open_orders_by_currency", {"currency": "BTC"})]
    orders: list[Any] = asyncio.run(ask_venue(processes.venue_address(data), calls))[0]
    return orders


@pytest.mark.processes
def test_kill_beside_an_engine(data: Path) -> None:
    """Nothing is open at the venue, and the engine lets nothing new out until it is armed again."""
    with processes.engine(data) as engine:
        asyncio.run(rest_orders(engine))
        assert len(left_open(data)) == ORDERS
        found = kill(data)
        assert found["open"] == 0
        assert found["engine_told"]
        assert left_open(data) == []
        asyncio.run(stays_killed(engine))


async def stays_killed(engine: processes.Process) -> None:
    async with watching(engine.address) as watch:
        await watch.until(lambda w: "nothing open" in w.status.killed)
        assert watch.chain is not None
        order = m.SendOrder(instrument=pick(watch.chain), side=Side.BUY, quantity=1, price=0.01)
        answer = await watch.client.ask(order, user="tester", role="trader")
        assert not answer.ok
        assert "killed" in answer.text


@pytest.mark.processes
def test_kill_without_an_engine(data: Path) -> None:
    """The engine is dead and its orders rest on: the command finds them by their labels."""
    (data / "settings.toml").write_text("cancel_on_disconnect = false\n")
    engine = processes.engine(data)
    asyncio.run(rest_orders(engine))
    engine.kill()
    assert len(left_open(data)) == ORDERS
    found = kill(data)
    assert found["cancelled"] == ORDERS
    assert found["open"] == 0
    assert not found["engine_told"]
    assert left_open(data) == []


@pytest.mark.processes
def test_kill_beside_an_engine_that_hangs(data: Path) -> None:
    """What was open is cancelled all the same, and the command says that an engine is there that did not hear. When
    it goes on, a parent that works by itself and all, nothing goes out any more."""
    with processes.engine(data) as engine:
        asyncio.run(rest_orders(engine))
        asyncio.run(work_by_itself(engine))
        with held_still(data):
            found = kill(data)
            assert found["cancelled"] >= ORDERS
            assert found["open"] == 0
            assert found["engine_silent"]
            assert not found["engine_told"]
            sent = ever_sent(data)
        asyncio.run(stays_killed(engine))
        assert left_open(data) == []
        assert ever_sent(data) == sent


async def work_by_itself(engine: processes.Process) -> None:
    """A parent whose children go without being asked, as soon as they may."""
    async with watching(engine.address) as watch:
        assert watch.chain is not None
        name = pick(watch.chain)
        await watch.client.look([name])
        await watch.until(lambda w: tradable(w.ladder))
        assert watch.ladder is not None
        limit = instrument_of(name).price(instrument_of(name).step(watch.ladder.asks[0][0], 5))
        parent = m.SubmitParent(instrument=name, side=Side.BUY, quantity=50, limit=limit, minutes=1, algorithm="twap",
                                urgency=10, dial="auto")  # fmt: skip
        answer = await watch.client.ask(parent, user="tester", role="trader")
        assert answer.ok, answer.text
        await watch.until(lambda w: any(child.parent for child in w.desk.children))


@contextmanager
def held_still(data: Path) -> Iterator[None]:
    """The engine, as a debugger holds it."""
    os.kill(pid := engine_pid(data), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def engine_pid(data: Path) -> int:
    return int(json.loads((data / "paper" / "engine.json").read_text())["pid"])


def ever_sent(data: Path) -> set[str]:
    """Labels of every order that the venue has taken."""
    calls = [("private/get_order_state_by_label", {"currency": "BTC", "label": ""})]
    return {order["label"] for order in asyncio.run(ask_venue(processes.venue_address(data), calls))[0]}


@pytest.mark.processes
def test_an_engine_that_starts_after_a_kill_begins_killed(data: Path) -> None:
    (data / "settings.toml").write_text("cancel_on_disconnect = false\n")
    engine = processes.engine(data)
    asyncio.run(rest_orders(engine))
    engine.kill()
    assert kill(data)["cancelled"] == ORDERS
    with processes.engine(data) as again:
        asyncio.run(stays_killed(again))


@pytest.mark.processes
@pytest.mark.parametrize("full", ["limit", "tmpfs"])
def test_kill_with_a_full_disk(data: Path, full: str) -> None:
    """The screen is red and says what cannot be kept; cancels go out, and the venue confirms."""
    with on_small_disk(data) if full == "tmpfs" else nullcontext(), processes.engine(data) as engine:
        asyncio.run(rest_orders(engine))
        if full == "tmpfs":
            fill_up(data)
        else:
            resource.prlimit(engine_pid(data), resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        asyncio.run(kills_without_a_disk(engine))
        assert left_open(data) == []


@contextmanager
def on_small_disk(data: Path) -> Iterator[None]:
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tidegate-test", str(data)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        processes.end_venue(data)
        subprocess.run(["umount", "-l", str(data)], check=True)


def fill_up(data: Path) -> None:
    with suppress(OSError), (data / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1 << 16))


async def kills_without_a_disk(engine: processes.Process) -> None:
    async with watching(engine.address) as watch:
        await watch.until(lambda w: "cannot be written" in w.status.halted)
        answer = await watch.client.ask(m.Kill(), user="tester", role="trader")
        assert answer.ok, answer.text
        await watch.until(lambda w: w.status.kill_ms is not None and "nothing open" in w.status.killed)
        await watch.until(lambda w: not any(child.state in ("open", "sent") for child in w.desk.children))
        assert watch.status is not None
        assert "cannot be written" in watch.status.halted
