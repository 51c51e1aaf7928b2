"""What a desk kept before it knew of limits by instrument, lifts and schedules as a family is still read.

`tapes/older.jsonl` are inputs and facts of such a desk: a parent of which a child was filled, an order by hand, a cut
and a kill. Frames and ticks are left out: the venue's words have not changed. None of the fields that came since is in
it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine import messages as m
from engine.config import Config, Execution, Limits
from engine.execution import lifecycle
from engine.execution.desk import Desk
from engine.execution.evolve import evolve

LINES = (Path(__file__).parents[1] / "tapes" / "older.jsonl").read_bytes().splitlines()
MESSAGES = [msgspec.json.decode(line, type=m.Fact if line.startswith(b'{"fact"') else m.Input) for line in LINES]
FACTS = [message for message in MESSAGES if isinstance(message, m.Fact)]
CALL, CHILD, BY_HAND = "BTC-13MAR26-100000-C", "older-11", "older-15"


@pytest.fixture
def desk() -> Desk:
    out = Desk()
    for fact in FACTS:
        evolve(out, fact)
    return out


def test_nothing_of_it_is_lost_between_journal_and_memory() -> None:
    assert [fact.n for fact in FACTS] == list(range(1, len(FACTS) + 1))
    for line, message in zip(LINES, MESSAGES, strict=True):
        assert _within(msgspec.json.decode(line), msgspec.to_builtins(message))


def _within(then: object, now: object) -> bool:
    """Whether all that was said then is said now; fields may have come since."""
    if isinstance(then, dict) and isinstance(now, dict):
        return all(name in now and _within(value, now[name]) for name, value in then.items())
    if isinstance(then, list) and isinstance(now, list | tuple):
        return len(then) == len(now) and all(map(_within, then, now))
    return then == now


def test_the_desk_that_wrote_it_is_there_again(desk: Desk) -> None:
    parent = desk.parents["P8"]
    assert (parent.state, parent.reason, parent.filled, parent.order.quantity) == ("paused", "killed", 50, 200)
    assert (desk.children[CHILD].state, desk.children[BY_HAND].state) == ("filled", "cancelled")
    assert desk.proposals["R9"].state == "approved"
    assert desk.positions == {CALL: 50}
    assert desk.killed
    assert (desk.killed.by, desk.killed.took) == ("trader", 1)
    assert desk.reconciled
    assert not [key for key in desk.live if key != "P8"]


def test_what_is_counted_since_is_counted_of_it_too(desk: Desk) -> None:
    assert desk.traded == {"trader": {CALL: 50}}
    assert (desk.day.orders, desk.day.traded[CALL].net, desk.day.traded[CALL].fees) == (2, 50, 0.0015)
    assert len(desk.executions[f"buy {CALL}"]) == 1


def test_what_it_did_not_know_of_is_as_it_was_then(desk: Desk) -> None:
    order, config = desk.parents["P8"].order, desk.config
    assert (order.leave, order.baseline, order.would, order.random_time, order.policy) == (False, "twap", None, 0, None)
    assert config.limits == Limits()
    assert config.execution == Execution()
    assert [row.name for row in config.policy] == ["volatility", "slippage", "up", "up, not worth the spread", "down"]


def test_the_desk_goes_on_from_it(desk: Desk) -> None:
    n, t = desk.facts, FACTS[-1].t
    more: list[m.Fact] = [
        m.Began(session="newer", config=Config(), code="", model=""),
        m.Rearmed(by="ann", reason="a new day"),
        m.ParentResumed(parent="P8", by="ann", rebased=t),
        m.ParentEdited(parent="P8", by="ann", version=2, order=desk.parents["P8"].order),
        m.ParentEnded(parent="P8", outcome="cancelled", by="ann"),
    ]
    for k, fact in enumerate(more, n + 1):
        evolve(desk, msgspec.structs.replace(fact, n=k, t=t))
    assert desk.parents["P8"].state not in lifecycle.LIVE_PARENT
    assert not desk.live
    assert Desk.load(desk.dump()) == desk
