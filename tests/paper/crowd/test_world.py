"""The efficient price: a martingale with volatility that clusters, coins that move together, states that come back."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from engine.domain import NS, YEAR_NS
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.settings import Settings
from engine.paper.crowd.smile import Smile
from engine.paper.crowd.world import STEP_NS, Regime, Weather, World
from tests.paper.crowd.underlying import START

STILL = Weather(fast=0.0, slow=0.0, burst=0.0, regimes=(Regime(level=1.0, stay_s=1e9, draw=1.0),),
                jumps_per_hour=0.0, drift=0.0)  # fmt: skip


def world(seed: int = 1, weather: Weather | None = None, coin: str = "BTC", price: float = 100_000.0) -> World:
    weather = weather or Weather()
    smile = Smile(Settings().smile, weather.vol, Stream(seed, f"{coin}/smile"))
    return World(Stream(seed, f"{coin}/world"), Stream(seed, "common"), START, weather, price, smile)


def path(moved: World, seconds: int) -> np.ndarray:
    """Log-price once a second."""
    out = []
    for _ in range(seconds):
        for _ in range(NS // STEP_NS):
            moved.step()
        out.append(moved.log_price)
    return np.array(out)


def annual(returns: np.ndarray) -> float:
    return float(np.sqrt(np.mean(returns**2) * YEAR_NS / NS))


def test_a_still_weather_has_its_volatility_and_no_memory() -> None:
    returns = np.diff(path(world(weather=STILL), 2000))
    assert annual(returns) == pytest.approx(0.45, rel=0.06)
    assert abs(np.corrcoef(returns[:-1], returns[1:])[0, 1]) < 0.08
    assert abs(returns.mean()) < 4 * returns.std() / math.sqrt(len(returns))


def test_the_usual_weather_is_about_as_restless_and_has_tails() -> None:
    returns = np.concatenate([np.diff(path(world(seed), 1000)) for seed in range(1, 5)])
    assert 0.2 < annual(returns) < 1.0
    assert np.mean(returns**4) / np.mean(returns**2) ** 2 > 4.0
    size = np.abs(returns)
    assert np.corrcoef(size[:-1], size[1:])[0, 1] > 0.05


def test_coins_move_together_as_far_as_they_are_told_to() -> None:
    weather = msgspec.structs.replace(STILL, common=0.8)
    one, two = (np.diff(path(world(3, weather, coin), 1500)) for coin in ("BTC", "ETH"))
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(0.64, abs=0.08)  # each shares 0.8 of its shocks with the common


def test_a_jump_leaves_a_restless_market_that_calms_down() -> None:
    moved = world(weather=msgspec.structs.replace(STILL, jumps_per_hour=3600.0 * 40))
    usual = moved.second_deviation()
    path(moved, 1)
    moved.weather = STILL
    shaken = moved.second_deviation()
    path(moved, 400)
    assert shaken > 1.5 * usual
    assert moved.second_deviation() == pytest.approx(usual, rel=0.02)


def test_regimes_come_and_go_as_often_as_they_stay() -> None:
    regimes = (Regime(level=1.0, stay_s=2.0, draw=0.5), Regime(level=2.0, stay_s=6.0, draw=0.5))
    moved = world(weather=msgspec.structs.replace(STILL, regimes=regimes))
    seen = []
    for _ in range(2000):
        path(moved, 1)
        seen.append(moved.regime)
    assert np.mean(seen) == pytest.approx(0.75, abs=0.08)


def test_those_who_see_late_see_what_was() -> None:
    moved = world()
    prices = [moved.price]
    for _ in range(100):
        moved.step()
        prices.append(moved.price)
    assert moved.seen(0) == prices[-1]
    assert moved.seen(4 * STEP_NS) == prices[-5]
    assert moved.seen(10**12) == prices[0], "as far back as is kept"


def test_a_future_costs_its_carry_and_little_else() -> None:
    moved = world()
    month = START + 30 * 24 * 3600 * NS
    path(moved, 60)
    assert moved.over(month) == pytest.approx(0.06 * 30 / 365, abs=0.002)
    assert abs(moved.over(0)) < 0.001
    assert abs(moved.over(START + 61 * NS)) < 1e-6, "at its expiry it is the index"


def test_a_loaded_world_goes_on_exactly() -> None:
    one, two = world(5), world(5)
    path(one, 7)
    two.load(one.dump())
    for name in ("_dice", "_common"):
        getattr(two, name).load(getattr(one, name).dump())
    two.smile.dice.load(one.smile.dice.dump())  # type: ignore[attr-defined]
    assert path(one, 5).tolist() == path(two, 5).tolist()
    assert one.dump() == two.dump()
