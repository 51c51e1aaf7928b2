"""A ticket's question: answered from the market as it stands, and nothing of it is kept."""

from __future__ import annotations

import pytest

from engine import messages as m
from engine import view
from engine.domain import Side
from engine.execution.algorithms import ALGORITHMS
from tests.link import World, ready


@pytest.fixture(scope="module")
def desk() -> tuple[World, str]:
    return ready()


def asked(name: str, **fields: float) -> m.AskEstimate:
    order = m.SubmitParent(**({"instrument": name, "side": Side.BUY, "quantity": 50.0, "limit": 0.05} | fields))  # type: ignore[arg-type]
    return m.AskEstimate(id="q1", order=order)


def test_every_way_is_answered_with_book_or_rfq_beside_it(desk: tuple[World, str]) -> None:
    world, name = desk
    before = world.core.digest()
    said = view.estimate(world.core, asked(name))
    assert (said.id, said.reason) == ("q1", "")
    assert [way.name for way in said.ways] == [*ALGORITHMS, "at once"]
    assert all(way.cost.usd is not None for way in said.ways)
    assert said.book_or_rfq is not None
    assert said.book_or_rfq.best in ("at once", "block", *ALGORITHMS)
    assert world.core.digest() == before  # a look: nothing is decided, and nothing remembered
    assert m.unpack_down(m.pack(said)) == said


def test_what_would_be_refused_is_said_under_the_same_id(desk: tuple[World, str]) -> None:
    world, name = desk
    said = view.estimate(world.core, asked(name, quantity=0.0))
    assert (said.id, said.ways, said.reason) == ("q1", (), "a quantity of 0 is nothing")
    assert view.estimate(world.core, asked(name, limit=0.0, limit_iv=40.0)).ways
    assert m.unpack_up(m.pack(asked(name))) == asked(name)
