"""What the blotter and a card say beside the figures: terms to edit, the pace, the block in the way, what helps."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine import view
from engine.config import Config, Limits
from engine.domain import MS, Side
from tests.link import World, proposed, ready, submit


@pytest.fixture
def desk() -> tuple[World, str]:
    return ready()


def parent_of(world: World) -> m.ParentRow:
    (row,) = view.desk(world.core).parents
    return row


def test_an_edit_begins_from_the_terms_as_they_are(desk: tuple[World, str]) -> None:
    world, name = desk
    fields = {
        "quantity": 20.0, "minutes": 10.0, "min_child": 1.0, "max_child": 6.0, "would": 0.031, "participation": 0.2,
        "random_size": 0.1, "leave": True, "baseline": "vwap", "urgency": 7,
    }  # fmt: skip
    parent = submit(world, name, **fields)
    row = parent_of(world)
    assert row.terms is not None
    said = msgspec.structs.asdict(row.terms)
    assert {key: said[key] for key in fields} == pytest.approx(fields)
    assert (row.version, said["limit"], row.digits, row.lot) == (1, row.limit, 4, 0.1)
    world.do(m.EditParent(parent=parent, quantity=30.0, minutes=5.0))
    edited = parent_of(world)
    assert edited.terms is not None
    assert (edited.version, edited.terms.quantity, edited.terms.max_child) == (2, 30.0, 6.0)


def test_how_a_parent_goes_is_told_from_its_fills(desk: tuple[World, str]) -> None:
    world, name = desk
    submit(world, name, dial="auto", quantity=20.0, minutes=10.0)
    world.run(15)
    assert (parent_of(world).participation, parent_of(world).eta_ms) == (None, None)  # nothing has traded
    world.trade(Side.SELL, name, 7.4, 0.0325)  # two of them are ours
    row, now = parent_of(world), world.core.market.now
    assert row.participation is not None
    assert 0.0 < row.participation < 1.0
    assert row.eta_ms is not None
    assert row.eta_ms == pytest.approx((now + 9 * (now - row.start_ms * MS)) / MS)  # a tenth is done


def test_the_traders_own_view_is_shown_while_it_lasts(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name)
    world.do(m.SetView(parent=parent, up=0.6, down=0.1, seconds=5.0))
    own = parent_of(world).view
    assert own is not None
    assert (own.up, own.down) == (0.6, 0.1)
    world.run(6)
    assert parent_of(world).view is None


def test_a_parent_that_a_block_keeps_from_proposing_says_which() -> None:
    world, name = ready(config=Config(limits=Limits(order_value=0.01)))
    submit(world, name)
    world.run(20)
    assert view.desk(world.core).proposals == ()
    assert "over the limit of 0.01 an order" in parent_of(world).reason


def test_a_parent_says_that_it_rests_after_a_rejection(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(m.Reject(proposal=proposed(world, name), reason="too dear"))
    assert parent_of(world).reason == "it rests 10 s after a rejection"


def test_a_card_says_which_block_would_refuse_it_now() -> None:
    """A lift that a parent's own trader could use is named; it is gone once there is room again."""
    world, name = ready(config=Config(limits=Limits(open_orders=1)))
    proposed(world, name)
    assert [(row.blocked, row.block) for row in view.desk(world.core).proposals] == [("", "")]
    world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=0.1, price=0.03))
    (row,) = view.desk(world.core).proposals
    assert row.blocked == "1 orders are working already"
    assert row.block == "open orders"


def test_a_lift_is_shown_from_its_first_step_until_it_is_used_or_over(desk: tuple[World, str]) -> None:
    world, name = desk
    world.do(m.AskLift(block="size", instrument=name, reason="a client's block"), user="ann")
    (asked,) = view.desk(world.core).lifts
    assert (asked.block, asked.instrument, asked.by, asked.state) == ("size", name, "ann", "asked")
    world.do(m.GrantLift(lift=asked.id), user="ann")
    (granted,) = view.desk(world.core).lifts
    assert granted.state == "granted"
    world.run(world.core.desk.config.limits.lift_s + 1)
    assert view.desk(world.core).lifts == ()


def test_a_refusal_names_the_block_that_a_person_can_lift(desk: tuple[World, str]) -> None:
    world, name = desk
    large = m.SendOrder(instrument=name, side=Side.BUY, quantity=60.0, price=0.0325)
    (refused,) = world.do(large)
    assert isinstance(refused, m.Refused)
    assert refused.block == "size"
    (off,) = world.do(msgspec.structs.replace(large, quantity=1.0, price=0.03251))
    assert isinstance(off, m.Refused)
    assert off.block == ""  # the venue's grid is nobody's to lift


def test_a_tripped_instrument_is_shown_until_it_is_armed_again() -> None:
    world, name = ready(config=Config(limits=Limits(repeats=2, repeat_s=60.0)))
    for _ in range(3):
        world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=0.1, price=0.0335, post_only=False))
        world.run(2)
    (row,) = view.desk(world.core).tripped
    assert (row.instrument, row.side) == (name, "buy")
    assert row.reason
    world.do(m.RearmRepeats(instrument=name, reason="a real order"))
    assert view.desk(world.core).tripped == ()


def test_the_hedge_dial_of_a_parent_is_told_before_it_has_filled_anything(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, hedge="off")
    world.do(m.SetHedgeDial(parent=parent, dial="semi"))
    terms = parent_of(world).terms
    assert terms is not None
    assert terms.hedge == "semi"
