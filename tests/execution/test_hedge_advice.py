"""Advice on gamma and vega: the cheapest of what is shown, delta neutral, and honest where it does not reach."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.execution.hedge_advice import Aim, Offer, advise

PERPETUAL = Offer(name="P", delta=1.25e-5, gamma=0.0, vega=0.0, buys=1e12, sells=1e12, cost=6e-9)
NEAR = Offer(name="near", delta=0.5, gamma=1e-4, vega=40.0, buys=20.0, sells=20.0, cost=0.001)
DEAR = Offer(name="dear", delta=0.5, gamma=1e-4, vega=40.0, buys=50.0, sells=50.0, cost=0.002)
FAR = Offer(name="far", delta=0.4, gamma=2e-5, vega=120.0, buys=30.0, sells=30.0, cost=0.0015)


def aim(**fields: float | None) -> Aim:
    usual: dict[str, float | None] = {
        "delta": 2.0, "target": 0.0, "gamma": 3e-3, "vega": 0.0, "gamma_within": 1e-3, "vega_within": None,
    }  # fmt: skip
    return Aim(**(usual | fields))  # type: ignore[arg-type]


def test_the_cheapest_is_sold_first_and_the_perpetual_takes_what_is_left_of_the_delta() -> None:
    best = advise(aim(), [DEAR, NEAR], PERPETUAL)
    assert best.reached
    assert best.sizes == pytest.approx({"near": -20.0, "P": 8.0 / 1.25e-5})
    assert best.gamma == pytest.approx(1e-3)
    assert best.cost == pytest.approx(20 * 0.001 + 640_000 * 6e-9)


def test_what_is_shown_bounds_it_and_the_dearer_is_next() -> None:
    best = advise(aim(gamma_within=5e-4), [DEAR, NEAR], PERPETUAL)
    assert best.sizes == pytest.approx({"near": -20.0, "dear": -5.0, "P": 10.5 / 1.25e-5})


def test_gamma_and_vega_at_once() -> None:
    best = advise(aim(vega=-600.0, vega_within=100.0), [NEAR, DEAR, FAR], PERPETUAL)
    assert best.reached
    assert abs(best.gamma) <= 1e-3 + 1e-12
    assert abs(best.vega) <= 100.0 + 1e-6


def test_where_nothing_shown_reaches_it_says_so_and_comes_as_near_as_it_can() -> None:
    best = advise(aim(gamma=1e-2), [NEAR, DEAR], PERPETUAL)
    assert not best.reached
    assert best.sizes == pytest.approx({"near": -20.0, "dear": -50.0, "P": 33.0 / 1.25e-5})
    assert best.gamma == pytest.approx(3e-3)


def test_without_bounds_and_without_options_only_the_delta_is_traded() -> None:
    assert advise(aim(gamma_within=None), [NEAR], PERPETUAL).sizes == pytest.approx({"P": -2.0 / 1.25e-5})
    assert advise(aim(gamma=0.0), [], PERPETUAL).sizes == pytest.approx({"P": -2.0 / 1.25e-5})


def test_a_hedge_that_is_too_small_leaves_nothing_to_advise() -> None:
    small = msgspec.structs.replace(PERPETUAL, buys=10.0, sells=10.0)
    best = advise(aim(gamma_within=None), [], small)
    assert (best.sizes, best.reached) == ({}, False)


@given(
    gamma=st.floats(-5e-3, 5e-3), vega=st.floats(-3000, 3000), delta=st.floats(-20, 20),
    within=st.tuples(st.floats(0, 2e-3), st.floats(0, 500)),
)  # fmt: skip
def test_sizes_stay_inside_what_is_shown_and_the_delta_comes_out(
    gamma: float, vega: float, delta: float, within: tuple[float, float]
) -> None:
    wanted = aim(gamma=gamma, vega=vega, delta=delta, gamma_within=within[0], vega_within=within[1])
    offers = {one.name: one for one in (NEAR, DEAR, FAR, PERPETUAL)}
    best = advise(wanted, [NEAR, DEAR, FAR], PERPETUAL)
    for name, size in best.sizes.items():
        assert -offers[name].sells - 1e-6 <= size <= offers[name].buys + 1e-6
    after = delta + sum(size * offers[name].delta for name, size in best.sizes.items())
    assert after == pytest.approx(0.0, abs=1e-4)
    if best.reached:
        assert abs(best.gamma) <= within[0] + 1e-7
        assert abs(best.vega) <= within[1] + 1e-2
