"""The watch on the model: an oracle has an edge, a liar drifts, the baseline itself has none, labels come late."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from engine.domain import Side
from engine.forecast.baseline import Rates, Standing, baseline, standing
from engine.forecast.features import Context
from engine.forecast.labels import HORIZON_NS, STABLE, UP, outcome_of
from engine.forecast.skill import HEADS, Monitor
from engine.market.told import Print
from engine.messages import Forecast
from tests.forecast.market import OPTION, START, STEP, book_of
from tests.forecast.weights import random_net, weights_of

WEIGHTS = weights_of(random_net(), threshold_ticks=0.25, rates=Rates(up=0.3, down=0.3))
STEPS = 6000
NAME = OPTION.name

Say = Callable[[int, Forecast], Forecast]


def path(steps: int = STEPS) -> list[int]:
    """Mid of the book by step: moves by a tick or rests, each second, at random."""
    moves = np.random.default_rng(8).integers(-1, 2, size=steps // 10 + 20)
    return [400 + 5 * int(level) for level in np.repeat(np.cumsum(moves), 10)]


MIDS = path()
STANDINGS: dict[int, Standing] = {}


def at(k: int) -> Standing:
    if MIDS[k] not in STANDINGS:
        found = standing(
            book_of(OPTION, {MIDS[k] - 5: 100, MIDS[k] - 10: 100}, {MIDS[k] + 5: 100, MIDS[k] + 10: 100}), {}
        )
        assert found is not None
        STANDINGS[MIDS[k]] = found
    return STANDINGS[MIDS[k]]


def truth(k: int) -> int:
    return outcome_of((MIDS[k + 10] - MIDS[k]) / 5, 0.25)


def sure(outcome: int, p: float) -> dict[str, float]:
    values = dict.fromkeys(("up", "down", "stable"), (1 - p) / 2)
    values[("up", "down", "stable")[outcome]] = p
    return values


def as_model(said: Forecast, **values: object) -> Forecast:
    return msgspec.structs.replace(said, source=WEIGHTS.id, **values)


def oracle(k: int, base: Forecast) -> Forecast:
    return as_model(base, **sure(truth(k), 0.9))


def liar(k: int, base: Forecast) -> Forecast:
    return as_model(base, **sure((truth(k) + 1) % 3, 0.9))


def echo(k: int, base: Forecast) -> Forecast:
    return as_model(base)


def step(monitor: Monitor, k: int, say: Say, prints: list[tuple[str, Print]] | None = None) -> None:
    t = START + k * STEP
    base = baseline(t, at(k), WEIGHTS.header.rates)
    context = Context(mark_iv=0.5, fair_iv=0.5)
    monitor.step(t, {NAME: say(k, base)}, {NAME: base}, {NAME: at(k)}, {NAME: context}, prints or [])


@pytest.mark.parametrize(("say", "verdict"), [(oracle, "edge"), (liar, "drift"), (echo, "no edge")])
def test_verdict_on_direction(say: Say, verdict: str) -> None:
    monitor = Monitor(WEIGHTS)
    for k in range(STEPS):
        step(monitor, k, say)
    skill = monitor.verdicts()["direction"]
    assert skill.verdict == verdict
    assert skill.gain is not None
    assert skill.lo is not None
    assert skill.hi is not None
    assert skill.lo <= skill.gain <= skill.hi
    assert skill.n > 200


def test_nothing_is_said_before_there_are_labels() -> None:
    """Labels of 60 s come after 60 s, and a band needs a dozen blocks."""
    monitor = Monitor(WEIGHTS)
    for k in range(300):
        step(monitor, k, oracle)
    assert {skill.verdict for skill in monitor.verdicts().values()} == {"unknown yet"}
    assert len(monitor.dump()["pending"]["volatility"]) == 30
    assert len(monitor.dump()["pending"]["direction"]) == 1


def test_a_forecast_is_not_judged_before_its_label_is_known() -> None:
    """Two monitors see the same until 0.9 s after a forecast, then different futures: only then they differ."""
    one, two = Monitor(WEIGHTS), Monitor(WEIGHTS)
    for k in range(10):
        step(one, k, oracle)
        step(two, k, oracle)
    assert one.dump() == two.dump()
    assert one.dump()["tallies"]["direction"][2] == 0
    step(one, 10, oracle)
    assert one.dump()["tallies"]["direction"][2] == 1


def test_a_book_missing_when_the_label_falls_due_leaves_it_unknown() -> None:
    monitor = Monitor(WEIGHTS)
    step(monitor, 0, oracle)
    monitor.step(START + 10 * STEP, {}, {}, {}, {})
    assert not monitor.dump()["pending"]["direction"]
    assert monitor.dump()["tallies"]["direction"][2] == 0


def test_the_baseline_has_no_edge_over_itself() -> None:
    monitor = Monitor(None)
    for k in range(20):
        step(monitor, k, echo)
    assert {monitor.verdicts()[head].verdict for head in HEADS} == {"no edge"}


def test_inputs_unlike_the_training_are_drift_everywhere_until_they_are_like_it_again() -> None:
    monitor = Monitor(WEIGHTS)
    for k in range(1500):
        step(monitor, k, lambda k, base: msgspec.structs.replace(oracle(k, base), familiar=False))
    assert {skill.verdict for skill in monitor.verdicts().values()} == {"drift"}
    for k in range(1500, STEPS):
        step(monitor, k, oracle)
    assert monitor.verdicts()["direction"].verdict == "edge"


@pytest.mark.parametrize(
    ("prints", "filled"),
    [
        ([(395, 100, Side.SELL)], False),  # just the queue ahead
        ([(395, 101, Side.SELL)], True),
        ([(395, 60, Side.SELL), (395, 60, Side.SELL)], True),
        ([(390, 1, Side.SELL)], True),  # traded through
        ([(395, 500, Side.BUY)], False),
    ],
)
def test_a_passive_order_fills_when_its_queue_has_traded(prints: list[tuple[int, int, Side]], filled: bool) -> None:
    monitor = Monitor(WEIGHTS)
    still = standing(book_of(OPTION, {395: 100}, {405: 100}), {})
    assert still is not None
    base = baseline(START, still, WEIGHTS.header.rates)
    said = as_model(base, fill_bid=0.5, fill_ask=0.5)
    rows = [(NAME, Print(START + STEP, units, lots, side, True, False, "1")) for units, lots, side in prints]
    context = {NAME: Context()}
    for k in range(51):
        monitor.step(START + k * STEP, {NAME: said} if k == 0 else {}, {NAME: base}, {NAME: still}, context,
                     rows if k == 1 else [])  # fmt: skip
    yes, no = monitor.dump()["fills"][NAME][0][1]
    rate = WEIGHTS.header.rates.fill_bid
    assert (yes / (yes + no) > rate) == filled


def test_a_loaded_monitor_goes_on_exactly() -> None:
    rng = np.random.default_rng(2)
    first = Monitor(WEIGHTS)
    second: Monitor | None = None
    for k in range(1200):
        prints = (
            [(NAME, Print(0, MIDS[k] + 5, int(rng.integers(10, 90)), Side.BUY, True, False, "1"))] if k % 7 == 0 else []
        )
        if k == 617:
            second = Monitor.load(WEIGHTS, msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
        for monitor in filter(None, (first, second)):
            step(monitor, k, oracle, prints)
    assert second is not None
    assert msgspec.msgpack.encode(first.dump()) == msgspec.msgpack.encode(second.dump())
    assert first.verdicts() == second.verdicts()


def test_outcomes_and_horizons() -> None:
    assert outcome_of(0.3, 0.25) == UP
    assert outcome_of(-0.25, 0.25) == STABLE
    assert set(HORIZON_NS) == set(HEADS)
