"""The paper venue dies or is held up: a dead one comes back in a new epoch, and the desk knows what was lost."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from engine import messages as m
from engine.domain import Side, instrument_of
from tests import processes
from tests.journeys.watching import Watch, ask_venue, pick, tradable, watching


async def order(watch: Watch, name: str, price: float, *, post_only: bool) -> None:
    verb = m.SendOrder(instrument=name, side=Side.BUY, quantity=1, price=price, post_only=post_only)
    answer = await watch.client.ask(verb, user="tester", role="trader")
    assert answer.ok, answer.text


async def walk(data: Path, address: str) -> None:
    async with watching(address) as watch:
        assert watch.chain is not None
        name = pick(watch.chain)
        grid = instrument_of(name)
        await watch.client.look([name])
        await watch.until(lambda w: tradable(w.ladder))
        assert watch.ladder is not None
        await order(watch, name, grid.price(grid.step(watch.ladder.bids[0][0], -3)), post_only=True)
        await watch.until(lambda w: [child.state for child in w.desk.children] == ["open"])
        processes.kill_venue(data)
        await watch.until(lambda w: not w.status.reconciled)
        await watch.until(lambda w: w.status.reconciled and w.status.feed == "live")
        await watch.until(lambda w: [child.state for child in w.desk.children] == ["cancelled"])
        assert watch.desk is not None
        assert "new epoch" in watch.desk.children[0].reason
        await watch.until(lambda w: tradable(w.ladder))
        await order(watch, name, grid.price(grid.step(watch.ladder.asks[0][0], 2)), post_only=False)
        await watch.until(lambda w: [position.size for position in w.desk.positions] == [1.0])
    rows = (await ask_venue(processes.venue_address(data), [("private/get_positions", {"currency": "BTC"})]))[0]
    assert [row["size"] for row in rows if row["size"]] == [1.0]


@pytest.mark.processes
def test_a_paper_venue_that_dies_comes_back_and_what_it_forgot_is_written_down(tmp_path: Path) -> None:
    with processes.engine(tmp_path / "data") as engine:
        asyncio.run(walk(engine.data, engine.address))
        assert engine.stop() == 0
    assert not (tmp_path / "data" / "paper" / "venue.json").exists()


async def held_up(data: Path, address: str) -> None:
    async with watching(address) as watch:
        os.kill(processes.venue_pid(data), signal.SIGSTOP)
        await watch.until(lambda w: w.status.feed == "stale")
        os.kill(processes.venue_pid(data), signal.SIGCONT)
        await watch.until(lambda w: w.status.feed == "live")
    async with asyncio.timeout(60):
        while True:
            theirs = (await ask_venue(processes.venue_address(data), [("public/get_time", {})]))[0]
            if abs(theirs - time.time() * 1000) < 500:
                return


@pytest.mark.processes
def test_a_paper_venue_that_was_held_up_catches_up_with_the_time(tmp_path: Path) -> None:
    with processes.engine(tmp_path / "data") as engine:
        asyncio.run(held_up(engine.data, engine.address))
        assert engine.stop() == 0
