"""What is left of the venue's patience, counted here and, of the paper venue, the same there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import NS
from engine.market.deribit.credits import Credits
from engine.market.meter import COST, Meter

T0 = 1_770_000_000 * NS


@given(st.lists(st.integers(0, NS // 5), max_size=300))
def test_it_counts_as_the_venue_does(pauses: list[int]) -> None:
    """As long as the meter says that there is enough, the venue takes the call."""
    meter, credit, now = Meter(t=T0), Credits(T0), T0
    for pause in pauses:
        now += pause
        if meter.credits_at(now) >= COST:
            meter.spend(now, "public/test")
            assert credit.spend(now)


def test_orders_are_counted_twice_over() -> None:
    meter = Meter(t=T0)
    for _ in range(20):
        meter.spend(T0, "private/buy")
    assert (meter.requests_at(T0), meter.share(T0)) == (0.0, 0.8)
    meter.spend(T0, "private/cancel_by_label")
    assert meter.requests_at(T0) == 0.0
    assert meter.requests_at(T0 + NS) == 5.0
    assert meter.requests_at(T0 + 100 * NS) == 20.0


def test_time_that_goes_back_gives_nothing() -> None:
    meter = Meter(t=T0)
    meter.spend(T0, "private/buy")
    meter.spend(T0 - NS, "private/buy")
    assert meter.requests_at(T0) == 18.0


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        ({"non_matching_engine": {"rate": 20, "burst": 100}}, (10_000.0, 50_000.0, 5.0, 20.0)),
        ({"matching_engine": {"rate": 30, "burst": 100}}, (10_000.0, 50_000.0, 30.0, 100.0)),
        ({"matching_engine": {"trading": {"total": {"rate": 2, "burst": 4}}}}, (10_000.0, 50_000.0, 2.0, 4.0)),
        ({"non_matching_engine": {"rate": 2, "burst": 10}}, (1_000.0, 5_000.0, 5.0, 20.0)),
        ({"matching_engine": {"rate": 0, "burst": "many"}}, (10_000.0, 50_000.0, 5.0, 20.0)),
        (None, (10_000.0, 50_000.0, 5.0, 20.0)),
        ([], (10_000.0, 50_000.0, 5.0, 20.0)),
    ],
)
def test_the_account_s_own_limits_are_taken(said: Any, rules: tuple[float, ...]) -> None:
    meter = Meter()
    meter.learn(said)
    assert (meter.refill, meter.limit, meter.rate, meter.burst) == rules
    assert meter.credits <= meter.limit
    assert meter.requests <= meter.burst
