"""Factors, the index, their history and their outlook."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import NS
from engine.surface.between import Rung
from engine.surface.factors import factors, index, named, swap
from engine.surface.history import History, Outlook
from engine.surface.surface import Surface
from engine.surface.svi import flat, g, raw
from tests.surface.slices import chain

T, DAY, FORWARD = 1_790_000_000 * NS, 86_400 * NS, 60_000.0
STRIKES = [30_000.0 + 2_000.0 * n for n in range(41)]


def surface(levels: dict[int, float]) -> Surface:
    made = Surface()
    for days, level in levels.items():
        years = days / 365
        made.refit(T + days * DAY, FORWARD, chain(flat(level**2 * years), years, FORWARD, STRIKES), T)
    return made


def test_level_and_slope_of_flat_smiles() -> None:
    near, far = factors(surface({10: 0.5, 40: 0.6}), T)
    assert (near.level, far.level) == pytest.approx((0.5, 0.6), abs=1e-4)
    assert near.slope == pytest.approx(0.1 / math.log(4.0), abs=1e-3)
    assert far.slope is None
    assert (near.skew, near.curvature) == pytest.approx((0.0, 0.0), abs=1e-3)
    names = named([near, far], 55.0)
    assert names["index"] == 55.0
    assert len(names) == 1 + 4 + 3
    assert factors(Surface(), T) == []


@given(st.floats(0.1, 2.0), st.floats(0.002, 1.0))
def test_a_flat_smile_swaps_at_its_own_variance(level: float, years: float) -> None:
    assert swap(Rung(years, (flat(level * level * years),))) == pytest.approx(level * level * years, rel=3e-4)


def test_a_swap_of_a_smile_is_the_mean_of_the_log() -> None:
    """σ²T = −2 E ln(S/F), by the density of the smile."""
    piece = raw(a=0.01, b=0.06, rho=-0.4, m=0.0, sigma=0.15)
    k = np.linspace(-4.0, 4.0, 400_001)
    w = piece.ws(k)
    below = -k / np.sqrt(w) - np.sqrt(w) / 2
    density = g(k, piece.rows(k)) * np.exp(-below * below / 2) / np.sqrt(2 * np.pi * w)
    assert float(np.trapezoid(density, k)) == pytest.approx(1.0, abs=1e-4)
    assert swap(Rung(0.1, (piece,))) == pytest.approx(float(-2 * np.trapezoid(k * density, k)), rel=2e-3)


def test_the_index_lies_between_the_expiries_around_thirty_days() -> None:
    between = index(surface({20: 0.5, 40: 0.6}), T)
    assert between == pytest.approx(100 * math.sqrt((0.25 * 20 / 2 + 0.36 * 40 / 2) / 30), rel=1e-3)
    assert index(surface({30: 0.7}), T) == pytest.approx(70.0, rel=1e-3)
    assert index(surface({7: 0.6, 21: 0.7}), T) == pytest.approx(70.0, rel=1e-3)
    assert index(surface({44: 0.7, 90: 0.6}), T) == pytest.approx(70.0, rel=1e-3)
    for far_off in ({7: 0.7}, {7: 0.7, 14: 0.7}, {60: 0.7}, {}):
        assert index(surface(far_off), T) is None


def test_history_is_bounded_and_says_changes_since_any_moment() -> None:
    history = History(capacity=4)
    assert history.changes(T) == {}
    for n in range(6):
        history.add(T + n * NS, {"a": float(n * n)} | ({"b": 1.0} if n == 0 else {}) | ({"c": 2.0} if n > 3 else {}))
    assert history.column("a")[1].tolist() == [4.0, 9.0, 16.0, 25.0]
    assert np.isnan(history.column("b")[1]).all()
    assert history.changes(T + 3 * NS + NS // 2) == {"a": 16.0}
    assert history.changes(T + 9 * NS) == {"a": 0.0, "c": 0.0}
    assert history.changes(T + NS) == {}  # older than what is kept
    again = History.load(msgspec.msgpack.decode(msgspec.msgpack.encode(history.dump())))
    for each in (history, again):
        each.add(T + 7 * NS, {"a": 1.0})
    assert history.dump() == again.dump()


def run(noise: float, walk: float, seed: int = 3) -> Outlook:
    draw, outlook, level = np.random.default_rng(seed), Outlook(), 0.6
    for n in range(2400):  # forty minutes at a second
        level += walk * float(draw.standard_normal())
        outlook.step(T + n * NS, {"level": level + noise * float(draw.standard_normal())})
    return outlook


def test_noise_is_foretold_to_go_and_a_walk_is_not() -> None:
    noisy, walking = run(0.002, 0.0).verdicts()["level"], run(0.0, 0.0005).verdicts()["level"]
    assert noisy.verdict == "edge"
    assert noisy.gain is not None
    assert noisy.gain > 0.0002
    assert walking.verdict in ("no edge", "drift")
    assert run(0.002, 0.0).ahead["level"] == pytest.approx(0.6, abs=0.001)


def test_the_outlook_goes_on_exactly_after_a_reload_and_forgets_what_is_gone() -> None:
    outlook = Outlook()
    for n in range(200):
        outlook.step(T + n * NS, {"a": math.sin(n / 7), "b": float(n % 5)})
    again = Outlook.load(msgspec.msgpack.decode(msgspec.msgpack.encode(outlook.dump())))
    for n in range(200, 300):
        for each in (outlook, again):
            each.step(T + n * NS, {"a": math.sin(n / 7)})
    assert outlook.dump() == again.dump()
    assert outlook.ahead.keys() == {"a"}
    assert outlook.verdicts().keys() == {"a", "b"}  # a gap of a minute forgets nothing
    outlook.step(T + 1200 * NS, {"a": 0.0})
    assert outlook.verdicts().keys() == {"a"}
    assert Outlook().verdicts() == {}


def test_a_longer_horizon_is_judged_at_its_own_pace() -> None:
    draw, minute, slow = np.random.default_rng(5), Outlook(), Outlook(300 * NS)
    for n in range(60):  # five hours, every five minutes
        values = {"level": 0.6 + 0.01 * float(draw.standard_normal())}
        for each in (minute, slow):
            each.step(T + n * 300 * NS, values)
    assert minute.verdicts()["level"].n == 0
    assert slow.verdicts()["level"].verdict == "edge"
    assert Outlook.load(slow.dump()).dump() == slow.dump()
