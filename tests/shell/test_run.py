"""The running engine when things break: an invariant, a journal; and a command that comes twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from engine import messages as m
from engine.domain import Side
from engine.shell.clock import Clock
from engine.shell.run import Engine
from engine.shell.store.folders import Meta
from engine.shell.store.tape import Tape
from tests.link import World, ready


class Line:
    """The engine on the tests' own venue: what it writes is answered, and kept here."""

    def __init__(self, world: World, folder: Path) -> None:
        self.sent: list[dict[str, object]] = []
        meta = Meta(name=folder.name, mode="paper", started=world.core.market.now, code="test")
        self.tape = Tape.create(folder, meta)
        self.engine = Engine(world.core, self.tape, Clock(world.core.market.now))
        self.engine._n = world.n
        self.engine.plug(self._write, lambda _: None)
        self.engine.outbox.durable(world.core.desk.facts)
        self.engine.keep(lambda facts: self.engine.outbox.durable(facts[-1].n))

    def _write(self, data: bytes) -> bool:
        self.sent.append(msgspec.json.decode(data))
        return True

    def methods(self) -> list[object]:
        return [call["method"] for call in self.sent]


@pytest.fixture
def line(tmp_path: Path) -> tuple[Line, World, str]:
    world, name = ready()
    return Line(world, tmp_path / "session"), world, name


def ask(verb: m.Verb, number: str = "1") -> m.Ask:
    return m.Ask(id=number, user="trader", role="admin", verb=verb)


def resting(world: World, name: str) -> m.SendOrder:
    instrument, book = world.core.market.venue.instruments[name], world.core.market.venue.books[name]
    assert book.best_bid is not None
    return m.SendOrder(
        instrument=name, side=Side.BUY, quantity=1, price=instrument.price(instrument.step(book.best_bid, -3))
    )


def test_a_command_given_twice_is_done_once(line: tuple[Line, World, str]) -> None:
    wire_, world, name = line
    first, again = (wire_.engine.ask(ask(resting(world, name))) for _ in range(2))
    assert first == again
    assert wire_.methods().count("private/buy") == 1
    assert wire_.engine.ask(ask(resting(world, name), "2")).ok


def test_a_broken_invariant_stops_all_but_cancels(line: tuple[Line, World, str]) -> None:
    """A desk that contradicts itself decides nothing more: what works is pulled, and the screen says why."""
    wire_, world, name = line
    engine, desk = wire_.engine, world.core.desk
    assert engine.ask(ask(resting(world, name))).ok
    label = desk.live_children[0].request.child
    assert engine.ask(ask(m.SubmitParent(instrument=name, side=Side.BUY, quantity=5, limit=0.05), "5")).ok
    parent = desk.live_parents[0].order.id
    desk.parents["ghost"] = desk.parents.pop(parent)  # it goes by a name that no fact about it can find
    answer = engine.ask(ask(m.CancelParent(parent="ghost"), "2"))
    assert not answer.ok
    assert "invariant" in answer.text
    assert wire_.sent[-1] == {
        "jsonrpc": "2.0", "id": f"halt-{label}", "method": "private/cancel_by_label", "params": {"label": label}
    }  # fmt: skip
    sent = len(wire_.sent)
    assert not engine.ask(ask(resting(world, name), "3")).ok
    assert len(wire_.sent) == sent, "something new went out"
    engine.ask(ask(m.Kill(account=True), "4"))
    assert wire_.methods()[-1] == "private/cancel_all"
    status = next(one for one in engine.recall(0) if isinstance(one, m.StatusView))
    assert "invariant" in status.halted


def test_a_halted_journal_lets_nothing_new_out(line: tuple[Line, World, str]) -> None:
    wire_, world, name = line
    assert wire_.engine.ask(ask(resting(world, name))).ok
    label = world.core.desk.live_children[0].request.child
    wire_.engine.broken("the journal cannot be written: the disk is full")
    refused = wire_.engine.ask(ask(resting(world, name), "2"))
    assert not refused.ok
    assert "disk is full" in refused.text
    assert "until an admin lets it go on" in refused.text
    assert wire_.engine.ask(ask(m.CancelChild(child=label), "3")).ok
    assert wire_.methods()[-1] in ("private/cancel", "private/cancel_by_label")


def test_a_halted_engine_goes_on_when_its_cause_is_gone(line: tuple[Line, World, str]) -> None:
    """The disk is tried again with all that it missed; parents then wait for the trader, and nothing has leaked."""
    wire_, world, name = line
    engine, kept, full = wire_.engine, list[m.Fact](), [False]

    def keep(facts: Sequence[m.Fact]) -> None:
        kept.extend(facts)
        mend()

    def mend() -> None:
        if full[0]:
            engine.broken("the journal cannot be written: the disk is full")
        else:
            engine.durable(kept[-1].n)

    engine.keep(keep, mend)
    parent = m.SubmitParent(instrument=name, side=Side.BUY, quantity=5, limit=0.05)
    assert engine.ask(ask(parent, "0")).ok
    assert not engine.ask(ask(m.Unhalt(reason="too soon"), "1")).ok  # not halted yet
    full[0] = True
    engine.ask(ask(resting(world, name), "2"))  # it waits for the disk, which breaks now
    assert "private/buy" not in wire_.methods()
    assert world.core.desk.children
    assert not world.core.desk.live_children
    engine.ask(ask(m.Unhalt(reason="try"), "3"))
    assert "disk is full" in world.core.market.halted  # the cause is not gone
    assert not engine.ask(m.Ask(id="4", user="trader", role="trader", verb=m.Unhalt(reason="x"))).ok
    full[0] = False
    assert engine.ask(ask(m.Unhalt(reason="space was made"), "5")).ok
    assert world.core.market.halted == ""
    assert [p.state for p in world.core.desk.live_parents] == ["paused"]
    numbers = [fact.n for fact in kept]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))  # the journal has no hole
    assert engine.ask(ask(resting(world, name), "6")).ok
    assert wire_.methods().count("private/buy") == 1
