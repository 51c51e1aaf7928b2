"""The engine dies anywhere, the wire breaks around any order: nothing is sent twice, nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from engine import messages as m
from engine.domain import NS
from tests.execution.scenes import accounted, back_by_connecting, back_by_rising, place, recovered, session, world_of
from tests.link import Died, World


def test_it_dies_again_while_it_recovers() -> None:
    """The second death comes after each fact of the first recovery."""
    for k in range(1, 12):
        world = world_of(cancelling=False)
        world.dies_after = 45
        with pytest.raises(Died):
            session(world)
        world.dies_after = 45 + k
        try:
            world.rise()
            world.until(lambda: world.desk.reconciled, 20)  # noqa: B023
        except Died:
            world.dies_after = 0
            sent = len(world.sent)
            world.rise()
            recovered(world, 45 + k, sent)
        assert world.desk.reconciled


# ---------------------------------------------------------------- an order in flight


KINDS = {"maker": {"price": 0.033}, "taker": {"price": 0.0335, "post_only": False}}


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
@pytest.mark.parametrize("kind", KINDS)
def test_an_order_whose_answer_was_lost_is_found_by_its_label(
    quick: tuple[World, str], kind: str, back: Callable[[World], None]
) -> None:
    world, name = quick
    world.lose = lambda _: True
    before, sent = len(world.facts), len(world.sent) + 1
    place(world, name, **KINDS[kind])
    assert world.child().state == "sent"
    assert len(world.venue_history()) == 1
    back(world)
    recovered(world, before + 1, sent)
    assert world.child().state == ("open" if kind == "maker" else "filled")


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
@pytest.mark.parametrize("kind", KINDS)
def test_an_order_that_never_arrived_has_lapsed_but_not_before_its_time(
    quick: tuple[World, str], kind: str, back: Callable[[World], None]
) -> None:
    world, name = quick
    world.cut_requests = True
    before, sent = len(world.facts), len(world.sent) + 1
    place(world, name, **KINDS[kind])
    valid_until = world.child().request.valid_until
    back(world)
    recovered(world, before + 1, sent)
    assert (world.child().state, world.child().reason) == ("lapsed", "it never reached the venue")
    (ended,) = world.of(m.OrderEnded)
    assert ended.t > valid_until + 0.5 * NS


@pytest.mark.parametrize("back", [back_by_rising, back_by_connecting])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("late", "found"), [(0.4, True), (1.2, False)], ids=["in time", "too late"])
def test_an_order_that_arrives_after_we_asked_is_not_called_lapsed(
    quick: tuple[World, str], kind: str, back: Callable[[World], None], late: float, found: bool
) -> None:
    """It is still on its way when the new line is up: it comes in time and is found, or the venue turns it away."""
    world, name = quick
    world.hold_requests = True
    place(world, name, **KINDS[kind])
    before, sent = len(world.facts), len(world.sent)
    way, world._way = world._way, []
    back(world)
    world.run(late)
    world._way = way
    world.arrive()
    recovered(world, before, sent)
    assert (world.child().state in ("open", "filled"), world.child().state == "lapsed") == (found, not found)


def test_an_order_that_waited_for_the_disk_when_the_engine_died_is_forgotten_by_all(quick: tuple[World, str]) -> None:
    world, name = quick
    world.durable = False
    place(world, name)
    world.die()
    before, sent = len(world.facts), len(world.sent)
    world.rise()
    recovered(world, before, sent)
    assert world.desk.children == {}
    assert world.venue_history() == []


def test_an_order_of_which_nobody_tells_is_found_by_asking(quick: tuple[World, str]) -> None:
    """It arrives after the list of open orders was given, and the private channel is silent: its label finds it."""
    world, name = quick
    world.hold_requests = True
    place(world, name)
    before, sent = len(world.facts), len(world.sent)
    way, world._way = world._way, []
    back_by_connecting(world)
    world.lose = lambda data: b"user.changes" in data
    world._way = way
    world.arrive()
    recovered(world, before, sent)
    assert (world.child().state, len(world.of(m.Asked))) == ("open", 1)
    world.lose = lambda _: False
    world.run(6)
    assert len(world.of(m.Asked)) == 1


@pytest.mark.parametrize("impatient", [False, True])
def test_the_clocks_need_not_agree(quick: tuple[World, str], impatient: bool) -> None:
    """The venue's clock is 0.4 s behind: an order it still takes must not have been given up, even if somebody who
    wanted it cancelled has made us ask early."""
    world, name = quick
    world.hold_requests = True
    place(world, name)
    way = [(line, data.replace(*self_shift(data, 400))) for line, data in world._way]
    world._way = []
    back_by_rising(world)
    world.run(0.9)  # past `valid_until` by our clock, not yet by the venue's
    if impatient:
        world.do(m.CancelChild(child=world.child().request.child))
        assert len(world.of(m.Asked)) == 1
    assert not world.desk.reconciled
    assert world.child().state not in ("lapsed", "cancelled")
    world._way = way
    world.arrive()
    world.until(lambda: world.desk.reconciled, 10)
    world.run(1)
    assert world.child().state == ("cancelled" if impatient else "open")
    accounted(world)


def self_shift(data: bytes, ms: int) -> tuple[bytes, bytes]:
    until = msgspec.json.decode(data)["params"]["valid_until"]
    return str(until).encode(), str(until + ms).encode()
