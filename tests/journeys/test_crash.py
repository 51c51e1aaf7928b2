"""The engine is killed with orders working, again and again: nothing is sent twice, nothing is forgotten."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from engine import messages as m
from engine.domain import Side, instrument_of
from engine.shell.store.journal import JournalReader
from tests import processes
from tests.journeys.watching import ask_venue, pick, watching

KILLS = int(os.environ.get("TIDEGATE_KILLS", "20"))  # more for the long evidence
SEED = 20261121
SPEED = "4"  # of the venue's and the engine's time: the waits of an order's life pass sooner


async def trade_until_killed(engine: processes.Process, dice: random.Random) -> None:
    """Work parents automatically and rest an order by hand; die when the journal has grown by a drawn number."""
    async with watching(engine.address) as watch:
        assert watch.chain is not None
        assert watch.desk is not None
        name = pick(watch.chain)
        await watch.client.look([name])
        await watch.until(
            lambda w: w.ladder and not w.ladder.stale and w.ladder.bids and w.ladder.asks and w.ladder.mark
        )
        ladder = watch.ladder
        assert ladder is not None
        grid = instrument_of(name)
        limit = grid.price(grid.step(ladder.asks[0][0], 5))
        resting = grid.price(grid.step(ladder.bids[0][0], -3))
        for parent in watch.desk.parents:
            if parent.state == "paused":
                await watch.client.ask(m.Resume(parent=parent.id), user="tester", role="trader")
        submit = m.SubmitParent(instrument=name, side=Side.BUY, quantity=20, limit=limit, minutes=1, algorithm="twap",
                                urgency=10, dial="auto")  # fmt: skip
        assert (await watch.client.ask(submit, user="tester", role="trader")).ok
        order = m.SendOrder(instrument=name, side=Side.BUY, quantity=1, price=resting)
        answer = await watch.client.ask(order, user="tester", role="trader")
        assert answer.ok, answer.text
        goal = watch.desk.facts + dice.randrange(1, 25)
        await watch.until(lambda w: w.desk and w.desk.facts >= goal)
    engine.kill()


async def compare_with_venue(data: Path, engine: processes.Process) -> int:
    """After recovery: orders and positions equal the venue's, and no label was ever sent twice."""
    async with watching(engine.address) as watch:
        await watch.until(lambda w: w.status and w.status.reconciled)
        assert watch.desk is not None
        assert all(parent.state != "working" for parent in watch.desk.parents)
        labels = requested(data)
        calls = [
            ("private/get_open_orders_by_currency", {"currency": "BTC"}),
            ("private/get_positions", {"currency": "BTC"}),
        ]
        calls += [("private/get_order_state_by_label", {"currency": "BTC", "label": label}) for label in labels]
        orders, positions, *by_label = await ask_venue(processes.venue_address(data), calls)
        await watch.until(
            lambda w: {c.id for c in w.desk.children if c.state == "open"} == {o["label"] for o in orders}
        )
        assert {p.instrument: p.size for p in watch.desk.positions} == {
            p["instrument_name"]: p["size"] for p in positions if p["size"]
        }
        known = {child.id: child for child in watch.desk.children}
        for label, found in zip(labels, by_label, strict=True):
            assert len(found) <= 1, f"{label} was sent twice"
            if label in known:
                filled = found[0]["filled_amount"] if found else 0.0
                assert known[label].filled == pytest.approx(filled), label
                assert known[label].state not in ("requested", "sent"), label
        return len(labels)


def requested(data: Path) -> list[str]:
    reader = JournalReader(data / "paper" / "journal.sqlite")
    try:
        return [fact.child for fact in reader.facts() if isinstance(fact, m.OrderRequested)]
    finally:
        reader.close()


@pytest.mark.processes
@pytest.mark.parametrize("cancel_on_disconnect", [True, False])
def test_killed_with_orders_working(data: Path, cancel_on_disconnect: bool) -> None:
    """Half the kills with orders that outlive the engine at the venue, half with the venue cancelling them."""
    (data / "settings.toml").write_text(f"cancel_on_disconnect = {str(cancel_on_disconnect).lower()}\n")
    dice = random.Random(SEED + cancel_on_disconnect)
    sent = 0
    for _ in range(KILLS // 2):
        asyncio.run(trade_until_killed(processes.engine(data, "--speed", SPEED), dice))
        with processes.engine(data, "--speed", SPEED) as again:
            sent = asyncio.run(compare_with_venue(data, again))
            again.kill()
    assert sent >= KILLS // 2
