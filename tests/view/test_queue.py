"""What a screen is told of our orders' places in the queue, and of what the venue still takes."""

from __future__ import annotations

import pytest

from engine import messages as m
from engine import view
from tests.execution.scenes import send
from tests.link import ready


def test_an_order_that_rests_says_how_many_stand_before_it() -> None:
    world, name = ready()
    child = send(world, name, quantity=2.0, price=0.0325)
    world.run(0.3)
    (row,) = view.desk(world.core).children
    assert (row.state, row.amount, row.ahead) == ("open", 2.0, 5.4)
    world.do(m.EditChild(child=child, quantity=1.0))
    world.run(0.3)
    (row,) = view.desk(world.core).children
    assert (row.amount, row.ahead) == (1.0, 5.4)  # the place is kept
    world.do(m.EditChild(child=child, price=0.033))
    world.run(0.3)
    (row,) = view.desk(world.core).children
    assert (row.price, row.ahead) == (0.033, 0.0)
    world.do(m.CancelChild(child=child))
    world.run(0.3)
    assert view.desk(world.core).children[0].ahead is None


def test_what_the_venue_still_takes_is_shown() -> None:
    world, name = ready()
    before = view.status(world.core)
    assert (before.orders_left, before.orders_burst, before.orders_today) == (20.0, 20.0, 0)
    assert before.orders_per_contract is None
    child = send(world, name, quantity=2.0, price=0.032)
    world.do(m.EditChild(child=child, price=0.0325))
    send(world, name, quantity=2.0, price=0.034, post_only=False)
    after = view.status(world.core)
    assert after.orders_left == pytest.approx(17.0)
    assert after.orders_today == 3
    assert after.orders_per_contract == pytest.approx(1.5)
    assert after.credits is not None
    assert before.credits is not None
    assert after.credits < before.credits
