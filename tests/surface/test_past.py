"""Smiles as they were: which moments are kept, how many, and that a dump goes on."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import DAY_NS, NS
from engine.surface.past import EVERY_NS, KEPT, Past
from engine.surface.surface import Surface
from tests.surface.test_surface import CHAIN, EXPIRY, FORWARD, NOW

STEP_NS = NS // 10


@pytest.fixture(scope="module")
def fitted() -> dict[str, Surface]:
    surface = Surface()
    surface.refit(EXPIRY, FORWARD, CHAIN, NOW)
    return {"BTC": surface}


def test_the_first_moment_is_a_quarter_of_a_minute_after_the_start(fitted: dict[str, Surface]) -> None:
    past = Past()
    for n in range(400):
        past.keep(NOW + n * STEP_NS, fitted)
    assert [moment.t - NOW for moment in past.recent] == [15 * NS, 30 * NS]
    assert past.first == past.recent[0]
    shape = past.recent[0].shapes[0]
    assert (shape.coin, shape.expiry, shape.forward) == ("BTC", EXPIRY, FORWARD)
    assert shape.slices == fitted["BTC"].fits[EXPIRY].pieces()


def test_memory_is_bounded_and_the_first_stays(fitted: dict[str, Surface]) -> None:
    past = Past()
    for n in range(KEPT * 3):
        past.keep(NOW + n * EVERY_NS, fitted)
    assert len(past.recent) == KEPT
    assert past.first is not None
    assert past.first.t == NOW + EVERY_NS
    assert past.recent[0].t > past.first.t


def test_expiries_that_come_one_by_one_are_all_in_the_first_moment(fitted: dict[str, Surface]) -> None:
    """As in a sweep; one that is listed later belongs to the session's start no more."""
    past, fit = Past(), fitted["BTC"].fits[EXPIRY]
    for n in range(40):
        surface, come = Surface(), min(n // 3, 4) + (n > 30)
        surface.fits = {EXPIRY + each * DAY_NS: fit for each in range(1, 1 + come)}
        past.keep(NOW + n * EVERY_NS, {"BTC": surface})
    assert past.first is not None
    assert (len(past.first.shapes), past.first.t) == (4, NOW + 12 * EVERY_NS)


def test_the_moment_asked_for_is_the_newest_that_old(fitted: dict[str, Surface]) -> None:
    past = Past()
    for n in range(10):
        past.keep(NOW + n * EVERY_NS, fitted)
    found = past.at(NOW + 4 * EVERY_NS + NS)
    assert found is not None
    assert found.t == NOW + 4 * EVERY_NS
    assert past.at(NOW) is None


def test_nothing_is_kept_of_no_smiles_and_of_expired_ones(fitted: dict[str, Surface]) -> None:
    past = Past()
    for n in range(5):
        past.keep(NOW + n * EVERY_NS, {"BTC": Surface()})
        past.keep(EXPIRY + n * EVERY_NS, fitted)
    assert past.recent == []


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 40 * NS), max_size=30), st.integers(0, 30))
def test_a_dump_goes_on(fitted: dict[str, Surface], gaps: list[int], cut: int) -> None:
    past, t = Past(), NOW
    for n, gap in enumerate(gaps):
        if n == cut:
            past = Past.load(msgspec.msgpack.decode(msgspec.msgpack.encode(past.dump())))
        t += gap
        past.keep(t, fitted)
    whole, t = Past(), NOW
    for gap in gaps:
        t += gap
        whole.keep(t, fitted)
    assert past.dump() == whole.dump()
    assert all(second.t - first.t >= EVERY_NS for first, second in zip(whole.recent, whole.recent[1:], strict=False))
