"""The kill from the command line: beside a running engine, and without one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
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
    """What was open is cancelled all the same, and the command says that an engine is there that did not hear."""
    with processes.engine(data) as engine:
        asyncio.run(rest_orders(engine))
        pid = int(json.loads((data / "paper" / "engine.json").read_text())["pid"])
        os.kill(pid, signal.SIGSTOP)
        try:
            found = kill(data)
            assert (found["cancelled"], found["open"]) == (ORDERS, 0)
            assert found["engine_silent"]
            assert not found["engine_told"]
        finally:
            os.kill(pid, signal.SIGCONT)
