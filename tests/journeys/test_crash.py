"""The engine is killed with orders working, again and again: nothing is sent twice, nothing is forgotten."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from engine import messages as m
from engine.domain import Side, instrument_of
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.shell.store.journal import JournalReader
from tests import processes
from tests.journeys.watching import Watch, ask_venue, pick, tradable, watching

KILLS = int(os.environ.get("TIDEGATE_KILLS", "20"))  # more for the long evidence
SEED = 20261121
ALGORITHMS: tuple[m.Algorithm, ...] = ("adaptive", "adaptive", "twap", "pov")
SPEED = "4"  # of the venue's and the engine's time: the waits of an order's life pass sooner


async def trade_until_killed(engine: processes.Process, dice: random.Random) -> None:
    """Automatic adaptive parents on two instruments and both sides, orders by hand, edits, amends and cancels, all at
    once; die when the journal has grown by a drawn number, with whatever was on its way."""
    async with watching(engine.address) as watch:
        assert watch.chain is not None
        assert watch.desk is not None
        names = [name := pick(watch.chain), name.removesuffix("-C") + "-P"]
        await watch.client.look(names)
        touches = {name: await touch(watch, name) for name in names}
        for parent in watch.desk.parents:
            if parent.state == "paused":
                await watch.client.ask(m.Resume(parent=parent.id), user="tester", role="trader")
        goal = watch.desk.facts + dice.randrange(10, 60)
        busy = asyncio.create_task(keep_asking(watch, touches, dice))
        await watch.until(lambda w: w.desk and w.desk.facts >= goal)
        engine.kill()
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)


async def touch(watch: Watch, name: str) -> tuple[int, int]:
    """Best bid and ask, in units."""
    await watch.until(lambda w: tradable(w.ladders.get(name)))
    ladder = watch.ladders[name]
    return ladder.bids[0][0], ladder.asks[0][0]


async def keep_asking(watch: Watch, touches: dict[str, tuple[int, int]], dice: random.Random) -> None:
    """Whatever a trader may ask, one thing after the other; refused now and then."""
    while watch.desk is not None:
        verb = drawn(watch.desk, touches, dice)
        await watch.client.ask(verb, user="tester", role="trader")


def drawn(desk: m.DeskView, touches: dict[str, tuple[int, int]], dice: random.Random) -> m.Verb:
    name = dice.choice(list(touches))
    grid, (bid, ask), side = instrument_of(name), touches[name], dice.choice(list(Side))
    near, far = (bid, ask) if side is Side.BUY else (ask, bid)
    open_ = [child for child in desk.children if child.state == "open"]
    running = [parent for parent in desk.parents if parent.state == "working"]
    resting = grid.price(grid.step(near, -3 * side.sign))
    roll = dice.random()
    if roll < 0.25 or not open_:
        return m.SendOrder(instrument=name, side=side, quantity=1, price=resting)
    if roll < 0.5 and len(running) < 6:
        return m.SubmitParent(instrument=name, side=side, quantity=20, limit=grid.price(grid.step(far, 5 * side.sign)),
                              minutes=1, algorithm=dice.choice(ALGORITHMS), urgency=10, dial="auto")  # fmt: skip
    if roll < 0.6 and running:
        return m.EditParent(parent=dice.choice(running).id, quantity=25, minutes=2, pull=dice.random() < 0.5)
    child = dice.choice(open_)
    if roll < 0.8:
        amended = instrument_of(child.instrument)
        lower = amended.step(amended.units(child.price), -1 if child.side == "buy" else 1)
        return m.EditChild(child=child.id, price=amended.price(lower))
    return m.CancelChild(child=child.id)


async def compare_with_venue(data: Path, engine: processes.Process) -> int:
    """After recovery: orders and positions equal the venue's, no label was ever sent twice, and the venue has none of
    ours that the journal lacks."""
    async with watching(engine.address) as watch:
        await watch.until(lambda w: w.status and w.status.reconciled)
        assert watch.desk is not None
        assert all(parent.state != "working" for parent in watch.desk.parents)
        orders, positions, every = await ask_venue(
            processes.venue_address(data),
            [
                ("private/get_open_orders_by_currency", {"currency": "BTC"}),
                ("private/get_positions", {"currency": "BTC"}),
                ("private/get_order_state_by_label", {"currency": "BTC", "label": ""}),
            ],
        )
        await watch.until(
            lambda w: {c.id for c in w.desk.children if c.state == "open"} == {o["label"] for o in orders}
        )
        assert {p.instrument: p.size for p in watch.desk.positions} == {
            p["instrument_name"]: p["size"] for p in positions if p["size"]
        }
        labels = requested(data)
        found = {order["label"]: order for order in every}
        assert len(found) == len(every), "a label was sent twice"
        assert set(found) <= set(labels), "the venue has an order that the journal lacks"
        for child in watch.desk.children:
            filled = found[child.id]["filled_amount"] if child.id in found else 0.0
            assert child.filled == pytest.approx(filled), child.id
            assert child.state not in ("requested", "sent", "amending"), child.id
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
    assert sent >= KILLS
    told = in_the_journal(data)
    print(json.dumps(told))
    # what was on its way when it died differs from run to run; that nothing ever was would make a test of nothing
    assert told["adaptive"] > 0
    assert told["orders in flight"] + told["cancels in flight"] + told["amends"] > 0


def in_the_journal(data: Path) -> dict[str, int]:
    """What the lives of this journal had in them, and in how many of them something was on its way when they ended."""
    reader, desk, told = JournalReader(data / "paper" / "journal.sqlite"), Desk(), Counter[str]()
    for fact in reader.facts():
        if isinstance(fact, m.Began):
            live = desk.live_children
            told["lives"] += 1
            told["orders in flight"] += any(child.state in ("requested", "sent") for child in live)
            told["amends in flight"] += any(child.state == "amending" for child in live)
            told["cancels in flight"] += any(child.cancelling for child in live)
            told["working"] += len(live)
        evolve(desk, fact)
        told["adaptive"] += isinstance(fact, m.ParentAccepted) and fact.algorithm == "adaptive"
        told["orders"] += isinstance(fact, m.OrderRequested)
        told["amends"] += isinstance(fact, m.AmendRequested)
        told["fills"] += isinstance(fact, m.Filled)
    reader.close()
    return dict(told)
