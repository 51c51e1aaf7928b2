"""Parents on both sides of one instrument: never a trade with ourselves, and never both stuck for good."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m
from engine.domain import NS, Side
from engine.execution import propose
from engine.execution.evolve import evolve
from tests.execution.desks import desk_of, parent_of, picture_of
from tests.execution.scenes import agree, place
from tests.execution.still import NAME, NOW, forecast
from tests.link import World, submit

BUY, SELL = Side.BUY, Side.SELL


def test_the_one_that_rests_gives_way_to_the_one_that_crosses(desk: tuple[World, str]) -> None:
    world, name = desk
    seller = submit(world, name, side=SELL, limit=0.0335, quantity=20.0, minutes=10.0, dial="auto")
    world.until(lambda: world.desk.children_of(seller))
    resting = world.desk.children_of(seller)[0].request.child
    buyer = submit(world, name, limit=0.0335, quantity=5.0, minutes=0.2, dial="auto")
    world.until(lambda: world.desk.parents[buyer].state == "done", 13)
    assert world.desk.children[resting].reason == f"it gave way to parent {buyer}, which crosses"
    rested = world.of(m.ParentRested)[0]
    assert (rested.parent, rested.until - rested.t) == (seller, 2 * NS)
    world.until(lambda: world.desk.children_of(seller))  # and comes back
    assert world.desk.positions[name] == 50
    agree(world)


def test_an_order_by_hand_stays_and_the_one_that_crosses_waits(desk: tuple[World, str]) -> None:
    world, name = desk
    place(world, name, side=SELL, price=0.0335)
    by_hand = world.child().request.child
    buyer = submit(world, name, limit=0.0335, quantity=5.0, minutes=0.2, dial="auto")
    world.until(lambda: world.desk.parents[buyer].state == "expired", 20)
    assert world.desk.children[by_hand].state == "open"


def test_nothing_gives_way_to_a_proposal_that_a_person_has_yet_to_answer(desk: tuple[World, str]) -> None:
    world, name = desk
    seller = submit(world, name, side=SELL, limit=0.0335, quantity=20.0, minutes=10.0, dial="auto")
    world.until(lambda: world.desk.children_of(seller))
    submit(world, name, limit=0.0335, quantity=5.0, minutes=0.2, dial="manual")
    world.run(11.5)
    assert not world.of(m.ParentRested)


def test_an_order_made_elsewhere_is_not_crossed(desk: tuple[World, str]) -> None:
    world, name = desk
    world.ask("private/sell", {"instrument_name": name, "amount": 1.0, "price": 0.0335, "type": "limit",
                               "post_only": True})  # fmt: skip
    world.run(0.2)
    taking = m.SendOrder(instrument=name, side=BUY, quantity=1.0, price=0.0335, post_only=False)
    assert world.refused(taking) == "it would meet a sell of this account made elsewhere, at 0.0335"


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10), st.integers(0, 10),
    st.lists(st.tuples(st.integers(300, 350), st.integers(1, 4), st.booleans()), min_size=4, max_size=12),
)  # fmt: skip
def test_no_order_is_requested_that_would_meet_one_of_ours(
    urgent: int, other: int, moves: list[tuple[int, int, bool]]
) -> None:
    now = picture_of()
    now.baselines[NAME] = forecast()
    buyer = msgspec.structs.replace(parent_of(), urgency=urgent, limit=500, end=NOW + 60 * NS)
    seller = msgspec.structs.replace(buyer, id="P2", side=SELL, limit=100, urgency=other)
    desk = desk_of(buyer, seller)
    for bid, wide, answered in moves:
        now.now += 5 * NS
        low, high = bid // 5 * 5 / 10_000, (bid // 5 + wide) * 5 / 10_000
        now.book(((low, 5.0),), ((high, 5.0),))
        for child in desk.live_children:
            if child.cancelling and answered:
                ended = m.OrderEnded(child=child.request.child, state="cancelled", reason="")
                evolve(desk, msgspec.structs.replace(ended, n=desk.facts + 1, t=now.now))
        for parent in desk.live_parents:
            for fact in propose.work(desk, now, parent):
                told = msgspec.structs.replace(fact, n=desk.facts + 1, t=now.now)
                if isinstance(told, m.OrderRequested):
                    facing = [c for c in desk.live_children if c.request.side is not told.side]
                    assert all(told.side.sign * (told.price - child.price) < 0 for child in facing)
                evolve(desk, told)
                if isinstance(told, m.OrderRequested):
                    state = m.OrderOpened(child=told.child, order=told.child, price=told.price)
                    evolve(desk, msgspec.structs.replace(state, n=desk.facts + 1, t=now.now))
