"""What a refusal of the venue leads to: every code has its action, and each action does what it says."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from engine import messages as m
from engine.domain import Side
from engine.execution import rejects
from engine.market.deribit.errors import ERRORS, VenueError
from tests.execution.scenes import by_hand
from tests.link import World, submit

FIRST = {"again": 11054, "wait": 10041, "pause": 10009, "ask": 13888}


def refusing(world: World, code: int) -> Callable[[bytes], bytes]:
    """The venue answers orders with this code, and knows nothing of them."""

    def bend(data: bytes) -> bytes:
        request = msgspec.json.decode(data)
        if request["method"] not in ("private/buy", "private/sell"):
            return data
        error = {"code": code, "message": ERRORS.get(code, "news")}
        answer = {"jsonrpc": "2.0", "id": request["id"], "error": error}
        world._inbox.append(msgspec.json.encode(answer))
        return b""

    return bend


def test_every_code_has_its_action() -> None:
    assert set(rejects.ACTIONS) == set(ERRORS)
    assert rejects.action_of(VenueError(code=4711, message="unheard_of")) == "pause"
    assert rejects.said(VenueError(code=4711, message="unheard_of")) == "the venue refused: unheard of (4711)"


@pytest.mark.parametrize("code", [*FIRST.values(), 4711])
def test_a_parent_whose_child_is_refused(quick: tuple[World, str], code: int) -> None:
    world, name = quick
    world.bend = refusing(world, code)
    parent = submit(world, name, dial="auto", minutes=8.0)
    world.until(lambda: world.desk.children)
    action = rejects.action_of(VenueError(code=code, message=""))
    state, child = world.desk.parents[parent], world.child(0)
    if action == "ask":
        assert (state.state, child.state) == ("working", "sent")
        world.until(lambda: child.state == "lapsed", 5)  # past `valid_until`, and the venue knows it not
        assert child.reason == "it never reached the venue"
    elif action == "pause":
        assert (state.state, child.state) == ("paused", "rejected")
        assert state.reason == child.reason
        assert world.desk.proposal_of(parent) is None
    else:
        assert (state.state, child.state) == ("working", "rejected")
        rest = rejects.REST_NS[action] / 1e9
        world.run(rest - 0.2)
        assert len(world.desk.children) == 1  # it rests
        world.bend = bytes
        world.until(lambda: len(world.desk.children) == 2, 10)


@pytest.mark.parametrize("code", [*FIRST.values(), 4711])
def test_an_order_by_hand_that_is_refused(quick: tuple[World, str], code: int) -> None:
    world, name = quick
    world.bend = refusing(world, code)
    world.do(by_hand(name))
    world.run(3)
    child = world.child()
    assert child.state == ("lapsed" if code == FIRST["ask"] else "rejected")
    assert world.desk.live_children == []
    assert not world.of(m.ParentRested)


@pytest.mark.parametrize(("parent_says", "asked", "left"), [(False, None, False), (True, None, True),
                                                            (True, False, False), (False, True, True)])  # fmt: skip
def test_what_becomes_of_working_children_is_asked(
    desk: tuple[World, str], parent_says: bool, asked: bool | None, left: bool
) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto", minutes=8.0, leave=parent_says)
    world.until(lambda: any(child.state == "open" for child in world.desk.live_children))
    world.do(m.Pause(parent=parent, leave=asked))
    world.run(0.3)
    assert bool(world.venue_orders()) is left
    assert world.desk.parents[parent].state == "paused"
    n = len(world.of(m.OrderRequested))
    world.run(5)
    assert len(world.of(m.OrderRequested)) == n  # paused means silent, whatever still rests


def test_a_parent_that_is_cancelled_may_leave_its_children_to_the_trader(desk: tuple[World, str]) -> None:
    world, name = desk
    parent = submit(world, name, dial="auto", minutes=8.0)
    world.until(lambda: any(child.state == "open" for child in world.desk.live_children))
    world.do(m.CancelParent(parent=parent, leave=True))
    world.run(0.3)
    (left,) = world.venue_orders()
    assert world.desk.parents[parent].state == "cancelled"
    assert isinstance(left.price, float)
    world.trade(Side.SELL, name, 10.0, left.price)
    world.run(0.3)
    assert world.positions() == world.venue_positions()
    assert world.desk.parents[parent].filled == world.child(0).filled > 0
