"""The stepped model equals the torch model on the sequence, whoever is stepped along with it."""

from __future__ import annotations

from math import e, log

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.config import WARM_STEPS
from engine.forecast.baseline import Rates
from engine.forecast.features import NAMES
from engine.forecast.parameters import PROBABLE, BadWeights, Calibration, Weights, columns
from engine.forecast.stepping import multiply, tanh
from engine.forecast.stream import CLIP, IS_OPTION, Forecaster
from engine.market.book import Book
from engine.messages import SIZES, Forecast
from tests.forecast.market import OPTION, START, STEP, book_of
from tests.forecast.weights import random_net, weights_of

NET = random_net(hidden=64)
WEIGHTS = weights_of(NET)
BOOK = book_of(OPTION, {400: 50, 395: 80}, {410: 20, 415: 300})


def vectors(seed: int, steps: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(steps, len(NAMES))).astype(np.float32)
    x[:, IS_OPTION] = 1.0
    return x


def stepped(forecaster: Forecaster, rows: dict[str, np.ndarray], start: int = 0) -> list[dict[str, Forecast]]:
    """Step all instruments along their sequences (T, F); None-free, one book for all."""
    steps = len(next(iter(rows.values())))
    books: dict[str, Book] = dict.fromkeys(rows, BOOK)
    return [
        forecaster.step(START + (start + k) * STEP, {name: x[k] for name, x in rows.items()}, books, {})
        for k in range(steps)
    ]


def test_stepped_outputs_equal_torch_on_the_sequence() -> None:
    x = vectors(1, 300)
    with torch.no_grad():
        want = NET(torch.from_numpy(np.clip(x, -CLIP, CLIP))[None])[0][0].numpy()  # (1, T, F) → (T, OUTPUTS)
    forecaster = Forecaster(WEIGHTS)
    got = np.stack([forecaster.outputs(START + k * STEP, {"a": x[k]})["a"] for k in range(len(x))])
    np.testing.assert_allclose(got, want, atol=1e-5, rtol=0)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True), st.integers(0, 11))
def test_a_forecast_does_not_depend_on_who_is_stepped_along(seeds: list[int], place: int) -> None:
    """To the last bit: else a replay with other instruments in focus would decide otherwise."""
    rows = {str(seed): vectors(seed, 5) for seed in seeds}
    name = list(rows)[place % len(rows)]
    together, alone = Forecaster(WEIGHTS), Forecaster(WEIGHTS)
    assert [step[name] for step in stepped(together, rows)] == [
        step[name] for step in stepped(alone, {name: rows[name]})
    ]


@pytest.mark.parametrize("cut", [0, 1, 49, 50, 73])
def test_a_loaded_forecaster_goes_on_exactly(cut: int) -> None:
    rows = {"a": vectors(1, 100), "b": vectors(2, 100)}
    first = Forecaster(WEIGHTS)
    stepped(first, {name: x[:cut] for name, x in rows.items()})
    second = Forecaster.load(WEIGHTS, msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
    rest = {name: x[cut:] for name, x in rows.items()}
    assert stepped(first, rest, cut) == stepped(second, rest, cut)
    assert msgspec.msgpack.encode(first.dump()) == msgspec.msgpack.encode(second.dump())


def test_state_of_another_model_is_refused() -> None:
    with pytest.raises(BadWeights, match="the weights are"):
        Forecaster.load(weights_of(random_net(2)), Forecaster(WEIGHTS).dump())


def test_silent_until_warm_and_again_after_a_reset_or_a_gap() -> None:
    rows = {"a": vectors(1, WARM_STEPS)}
    forecaster = Forecaster(WEIGHTS)
    said = stepped(forecaster, rows)
    assert [step["a"].warm for step in said] == [False] * (WARM_STEPS - 1) + [True]
    assert forecaster.warmth("a") == 1.0
    forecaster.reset("a")
    assert not stepped(forecaster, {"a": vectors(2, 1)}, WARM_STEPS)[0]["a"].warm
    stepped(forecaster, {"a": vectors(2, WARM_STEPS)}, WARM_STEPS + 1)
    assert forecaster.warmth("a") == 1.0
    late = stepped(forecaster, {"a": vectors(3, 1)}, 3 * WARM_STEPS + 11)
    assert not late[0]["a"].warm


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_an_input_that_is_no_number_silences_its_instrument_alone_until_it_is_warm_again(broken: float) -> None:
    rows = {"a": vectors(1, 3 * WARM_STEPS), "b": vectors(2, 3 * WARM_STEPS)}
    whole = stepped(Forecaster(WEIGHTS), rows)
    rows["a"][WARM_STEPS, 3] = broken
    forecaster = Forecaster(WEIGHTS)
    found = stepped(forecaster, rows)
    assert [step["b"] for step in found] == [step["b"] for step in whole]
    assert [step["a"] for step in found[:WARM_STEPS]] == [step["a"] for step in whole[:WARM_STEPS]]
    assert "a" not in found[WARM_STEPS]
    assert [step["a"].warm for step in found[WARM_STEPS + 1 :]] == [False] * (WARM_STEPS - 1) + [True] * WARM_STEPS
    assert np.isfinite(found[-1]["a"].up)
    rows = {"a": np.full((1, len(NAMES)), broken, np.float32)}
    assert stepped(forecaster, rows, 3 * WARM_STEPS) == [{}], "though nobody else is stepped"
    assert "a" in forecaster.baselines


def test_a_forecast_is_a_set_of_distributions() -> None:
    for step in stepped(Forecaster(WEIGHTS), {"a": vectors(5, 80)}):
        said = step["a"]
        assert said.up + said.down + said.stable == pytest.approx(1.0)
        assert min(said.up, said.down, said.stable, said.fill_bid, said.fill_ask) >= 0.0
        assert max(said.fill_bid, said.fill_ask) <= 1.0
        assert len(said.slip_buy) == len(said.slip_sell) == len(SIZES)
        for lo, mid, hi in (*said.slip_buy, *said.slip_sell, said.iv_move):
            assert lo <= mid <= hi
        assert said.depth > 0
        assert said.spread_ticks >= 0


def calibrated(**changes: float) -> Weights:
    each = Calibration(**changes)
    return weights_of(NET, calibration=dict.fromkeys(PROBABLE, (each, each)))


def test_temperature_softens_and_keeps_the_order() -> None:
    rows = {"a": vectors(1, 60)}
    sharp = stepped(Forecaster(calibrated(temperature=0.5)), rows)[-1]["a"]
    soft = stepped(Forecaster(calibrated(temperature=5.0)), rows)[-1]["a"]
    assert abs(log(soft.up / soft.down)) < abs(log(sharp.up / sharp.down))
    assert (soft.up > soft.down) == (sharp.up > sharp.down)
    assert (soft.fill_bid > 0.5) == (sharp.fill_bid > 0.5)


def test_a_bias_moves_stable_and_fills_and_nothing_else() -> None:
    rows = {"a": vectors(1, 60)}
    plain, leaning = (stepped(Forecaster(calibrated(bias=bias)), rows)[-1]["a"] for bias in (0.0, 1.0))
    for seconds in (1, 10, 60):
        one, other = plain.odds(seconds), leaning.odds(seconds)
        assert one is not None
        assert other is not None
        assert other.stable / other.up == pytest.approx(e * one.stable / one.up, rel=1e-3)
        assert other.up / other.down == pytest.approx(one.up / one.down, rel=1e-3)
    for one_side, other_side in ((plain.fill_bid, leaning.fill_bid), (plain.fill_ask, leaning.fill_ask)):
        assert other_side / (1 - other_side) == pytest.approx(e * one_side / (1 - one_side), rel=1e-3)
    assert plain.iv_move == leaning.iv_move
    assert plain.slip_buy == leaning.slip_buy


def test_a_push_is_never_said_to_go_the_other_way() -> None:
    net = random_net()
    net.head.bias.data[columns("impact")] = -100.0
    said = stepped(Forecaster(weights_of(net)), {"a": vectors(1, 60)})
    assert {(step["a"].impact_buy, step["a"].impact_sell) for step in said} == {(0.0, 0.0)}


def test_without_weights_the_baseline_speaks() -> None:
    forecaster = Forecaster(None)
    said = forecaster.step(START, {"a": vectors(1, 1)[0]}, {"a": BOOK}, {})
    assert said["a"].source == "baseline"
    assert said == forecaster.baselines
    assert Forecaster.load(None, forecaster.dump()).id == "baseline"


def test_a_book_without_two_sides_has_no_forecast_but_carries_on() -> None:
    forecaster = Forecaster(WEIGHTS)
    x = vectors(1, 2)
    one_sided = book_of(OPTION, {400: 10}, {})
    assert forecaster.step(START, {"a": x[0]}, {"a": one_sided}, {}) == {}
    assert "a" in forecaster.step(START + STEP, {"a": x[1]}, {"a": BOOK}, {})
    assert forecaster.warmth("a") == 2 / WARM_STEPS


@given(hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(-50, 50, width=32)))
def test_the_compiled_tanh_is_tanh(x: np.ndarray) -> None:
    got = x.copy()
    tanh(got)
    np.testing.assert_allclose(got, np.tanh(x.astype(np.float64)), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 40), st.integers(0, 99))
def test_the_compiled_product_is_the_product_row_by_row(rows: int, fours: int, width: int, seed: int) -> None:
    """And each row's is the same to the bit alone."""
    rng = np.random.default_rng(seed)
    x, w = (rng.normal(size=shape).astype(np.float32) for shape in ((rows, 4 * fours), (4 * fours, width)))
    together, alone = np.zeros((rows, width), np.float32), np.zeros((1, width), np.float32)
    multiply(x, w, together)
    multiply(np.ascontiguousarray(x[-1:]), w, alone)
    np.testing.assert_allclose(together, x.astype(np.float64) @ w.astype(np.float64), atol=1e-4)
    np.testing.assert_array_equal(together[-1:], alone)


def test_inputs_unlike_the_trainings_are_said() -> None:
    usual = stepped(Forecaster(WEIGHTS), {"a": vectors(1, 100)})
    far = 20 * vectors(1, 100)
    far[:, IS_OPTION] = 1.0
    strange = stepped(Forecaster(WEIGHTS), {"a": far})
    assert all(step["a"].familiar for step in usual)
    assert not strange[-1]["a"].familiar


def test_an_input_missing_that_never_was_is_unfamiliar_at_once() -> None:
    """A feature that never varied in training has no scale; any other value of it is another world."""
    ones = WEIGHTS.arrays["scale"].copy()
    ones[:, NAMES.index("no_under")] = 0.0
    weights = Weights(WEIGHTS.header, {**WEIGHTS.arrays, "scale": ones})
    rows = vectors(1, 100)
    rows[:, NAMES.index("no_under")] = 0.0
    assert stepped(Forecaster(weights), {"a": rows})[-1]["a"].familiar
    rows[:, NAMES.index("no_under")] = 1.0
    assert not stepped(Forecaster(weights), {"a": rows})[-1]["a"].familiar


def test_a_head_without_trust_says_what_the_baseline_says() -> None:
    none = dict.fromkeys(WEIGHTS.header.trust, 0.0)
    forecaster = Forecaster(weights_of(NET, trust=none, rates=Rates(up=0.2, down=0.1, fill_bid=0.3)))
    said = stepped(forecaster, {"a": vectors(1, 60)})[-1]["a"]
    base = forecaster.baselines["a"]
    assert said.up == pytest.approx(base.up)
    assert said.fill_bid == pytest.approx(base.fill_bid)
    assert said.slip_buy[3] == pytest.approx(base.slip_buy[3])
    assert said.impact_sell == pytest.approx(base.impact_sell)
    assert said.spread_ticks == pytest.approx(base.spread_ticks)


def test_quantile_heads_hold_steps_up() -> None:
    raw = Forecaster(WEIGHTS).outputs(START, {"a": vectors(9, 1)[0]})["a"]
    bands = raw[columns("slip")].reshape(-1, 3)
    assert (np.diff(bands, axis=1) >= 0).all()
