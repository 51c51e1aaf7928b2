"""A resting child gives its place in the queue up only for something that is worth more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine import messages as m
from engine.config import Config, Execution
from engine.domain import NS, Side
from engine.execution.desk import Desk
from engine.execution.tend import pulled
from tests.execution.desks import desk_of, filled, parent_of, picture_of, request
from tests.execution.still import CALL, NOW, Still

REST = 2 * NS  # since it opened
SETTINGS = Execution(min_rest_s=1.0, follow_share=0.2, chase_ticks=3.0, passive_ttl_s=20.0)


def scene(*more: m.Fact, side: Side = Side.BUY, price: int = 320, limit: int = 0) -> Desk:
    """A parent with ten contracts at rest."""
    limit = limit or (400 if side is Side.BUY else 200)
    parent = msgspec.structs.replace(parent_of(), side=side, limit=limit)
    resting = request(9, parent="P1", side=side, quantity=100, price=price)
    opened = m.OrderOpened(child="s-9", order="v-9", price=price)
    return desk_of(parent, resting, opened, *more, config=Config(execution=SETTINGS))


def why(desk: Desk, picture: Still, *, rested: int = REST, crossing: str = "", follow: bool = True) -> str:
    picture.now = NOW + rested
    return pulled(desk, picture, desk.parents["P1"], desk.children["s-9"], CALL, crossing, follow)


@pytest.mark.parametrize(
    ("ahead", "moved"),
    [((), False), (((0.0325, 1.9),), False), (((0.0325, 2.0),), True), (((0.033, 1.0), (0.0325, 1.0)), True)],
)
def test_a_flicker_is_not_followed_the_market_is(ahead: Any, moved: bool) -> None:
    """Two contracts are a fifth of the ten that rest. The seller's case is its mirror."""
    buying = picture_of((*ahead, (0.032, 10.0)), ((0.035, 5.0),))
    assert why(scene(), buying) == ("the market moved away" if moved else "")
    mirrored = tuple((round(0.067 - price, 4), size) for price, size in ahead)
    selling = picture_of(((0.03, 5.0),), (*mirrored, (0.035, 10.0)))
    assert why(scene(side=Side.SELL, price=350), selling) == ("the market moved away" if moved else "")


def test_it_rests_for_a_least_time_and_thinks_again_after_a_long_one() -> None:
    picture = picture_of(((0.0325, 50.0), (0.032, 10.0)), ((0.035, 5.0),))
    assert why(scene(), picture, rested=NS - 1, crossing="crossing instead") == ""
    assert why(scene(), picture, rested=NS, crossing="crossing instead") == "crossing instead"
    assert why(scene(), picture, rested=NS) == "the market moved away"
    assert why(scene(), picture, rested=NS, follow=False) == ""
    assert why(scene(), picture, rested=20 * NS + 1, follow=False) == "rested long enough; thinking again"


def test_what_the_limit_does_not_reach_is_not_followed() -> None:
    picture = picture_of(((0.033, 50.0), (0.032, 10.0)), ((0.035, 5.0),))
    assert why(scene(limit=320), picture) == ""


def test_one_that_is_being_cancelled_is_not_cancelled_at_once_again() -> None:
    picture = picture_of(((0.0325, 50.0), (0.032, 10.0)), ((0.035, 5.0),))
    asked = m.CancelRequested(child="s-9", call="cancel-1", by="policy", reason="x", t=NOW + NS)
    assert why(scene(asked), picture, rested=2 * NS) == ""
    assert why(scene(asked), picture, rested=3 * NS) == "the market moved away"


def test_the_market_is_followed_only_so_far_without_a_fill() -> None:
    """The chase began at 0.032; it ends three ticks above, until something is filled."""
    for touch, followed in ((0.0335, True), (0.034, False)):
        picture = picture_of(((touch, 50.0), (0.032, 10.0)), ((0.0365, 5.0),))
        assert (why(scene(), picture) != "") is followed
        assert (why(scene(), picture, rested=30 * NS) != "") is followed  # it stays, and the market may come back
        assert why(scene(), picture, crossing="crossing instead") == "crossing instead"
        part = filled(1, quantity=10, child="s-9", price=320)
        assert why(scene(part), picture) == "the market moved away"
