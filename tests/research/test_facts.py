"""Facts of markets made by hand, where the answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine import black
from engine.domain import NS, YEAR_NS, instrument_of
from engine.paper.instruments.listing import Spec
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.research import recorded
from engine.research.facts import (
    TABLE,
    Fact,
    averaged,
    depth_usd,
    facts,
    impact,
    listed,
    ofi_r2,
    rates,
    response_bp,
    return_tails,
    sign_autocorrelation,
    spread_bp,
    spread_ticks,
    touch_gap_s,
    touch_usd,
    trade_gap_s,
    two_sided,
    volatility,
    volatility_signature,
)
from engine.research.facts_options import (
    option_facts,
    paper_quotes,
    recorded_quotes,
    static_arbitrage,
    unchanged_options,
)
from engine.research.metaorders import AFTER_S, SIZES_USD, WORKED_S, metaorder_impact, shape
from engine.research.track import STEP_NS, Track, Tracker

PERPETUAL = instrument_of("BTC-PERPETUAL")
START = 1_772_000_000 * NS
MIDDLE = 200_000  # units: 100,000 USD


def walk(steps: int, seed: int = 0, fade: float = 0.0) -> Track:
    """A tick book whose mid moves every 100 ms; `fade` of each move is taken back at the next."""
    moves = np.random.default_rng(seed).normal(0.0, 20.0, steps)
    moves[1:] -= fade * moves[:-1]
    tracker = Tracker(PERPETUAL)
    for k, mid in enumerate(MIDDLE + np.cumsum(moves).round()):
        tracker.book(k * STEP_NS, [(mid - 1, 100.0), (mid - 2, 50.0)], [(mid + 1, 300.0)])
    return tracker.track()


def traded(times: list[float], signs: list[float], lots: float = 10.0) -> Track:
    tracker = Tracker(PERPETUAL)
    for k in range(round(10 * max(times)) + 2):
        tracker.book(k * STEP_NS, [(MIDDLE - 1, 100.0)], [(MIDDLE + 1, 100.0)])
    for t, sign in zip(times, signs, strict=True):
        tracker.trade(round(t * NS), MIDDLE, lots, sign)
    return tracker.track()


def test_the_book_as_it_stands() -> None:
    track = walk(100)
    assert spread_ticks(track)["mean"] == 2.0
    assert spread_bp(track)["q50"] == pytest.approx(2 / MIDDLE * 1e4, rel=1e-2)
    assert touch_usd(track)["mean"] == (100 + 300) / 2 * 10
    assert depth_usd(track)["2"] == 50 / 2 * 10
    assert two_sided(track) == 1.0


def test_time_counts_not_events() -> None:
    """A spread that was wide for nine seconds in ten is wide, however few events said so."""
    tracker = Tracker(PERPETUAL)
    for k in range(100):
        tracker.book(k * STEP_NS // 10, [(MIDDLE, 1.0)], [(MIDDLE + 1, 1.0)])
    tracker.book(NS, [(MIDDLE, 1.0)], [(MIDDLE + 11, 1.0)])
    assert spread_ticks(tracker.track(end=10 * NS))["mean"] == pytest.approx(10.0, abs=0.2)


def test_one_side_missing_is_not_two_sided() -> None:
    tracker = Tracker(PERPETUAL)
    tracker.book(0, [(MIDDLE, 1.0)], [])
    tracker.book(5 * NS, [(MIDDLE, 1.0)], [(MIDDLE + 2, 1.0)])
    assert two_sided(tracker.track(end=10 * NS)) == pytest.approx(0.5, abs=0.01)


def test_gaps_between_trades() -> None:
    even = trade_gap_s(traded([k * 0.5 for k in range(40)], [1.0] * 40))
    assert even["mean"] == pytest.approx(0.5)
    assert even["cv"] == pytest.approx(0.0, abs=1e-9)
    bursts = trade_gap_s(traded([k // 10 * 10 + 0.01 * (k % 10) for k in range(100)], [1.0, -1.0] * 50))
    assert bursts["cv"] > 2.0


def test_only_changes_of_the_touch_count_there() -> None:
    tracker = Tracker(PERPETUAL)
    for k in range(60):
        tracker.book(k * NS, [(MIDDLE, 1.0 + k // 2), (MIDDLE - 1, 5.0 + k)], [(MIDDLE + 1, 1.0)])
    track = tracker.track()
    assert touch_gap_s(track)["mean"] == 2.0
    assert rates(track)["book"] == pytest.approx(60 / 59)
    assert rates(track)["touch"] == pytest.approx(29 / 59)


def test_signs_that_remember() -> None:
    times = [float(k) for k in range(400)]
    rng = np.random.default_rng(3)
    alone = sign_autocorrelation(traded(times, rng.choice([-1.0, 1.0], 400).tolist()))
    assert abs(alone["1"]) < 0.15
    turns = sign_autocorrelation(traded(times, [1.0, -1.0] * 200))
    assert turns["1"] == pytest.approx(-1.0)
    assert turns["2"] == pytest.approx(1.0)
    runs = sign_autocorrelation(traded(times, np.repeat(rng.choice([-1.0, 1.0], 20), 20).tolist()))
    assert runs["1"] > runs["5"] > runs["10"] > 0.3
    assert runs["decay"] > 0.0


def test_volatility_and_its_signature() -> None:
    track = walk(20_000)
    a_second = 10 * (20.0 / MIDDLE) ** 2
    assert volatility(track) == pytest.approx(math.sqrt(a_second * YEAR_NS / NS), rel=0.2)
    flat = volatility_signature(track)
    assert flat["10"] == 1.0
    assert flat["0.1"] == pytest.approx(1.0, rel=0.3)
    assert volatility_signature(walk(20_000, fade=0.5))["0.1"] > 2.0, "bouncing"


def test_tails() -> None:
    assert abs(return_tails(walk(20_000))["kurtosis"]) < 0.3


def test_flow_that_moves_the_price_is_seen() -> None:
    """Here every move is a level eaten: the imbalance tells most of it. Where queues and price are apart, nothing."""
    assert ofi_r2(walk(3000))["1"] > 0.5
    rng = np.random.default_rng(5)
    tracker = Tracker(PERPETUAL)
    for k in range(3000):
        up = int(rng.integers(0, 2))
        tracker.book(k * STEP_NS, [(MIDDLE + up, float(rng.integers(1, 900)))], [(MIDDLE + 2 + up, 5.0)])
    assert ofi_r2(tracker.track())["1"] < 0.5


def test_impact_grows_as_the_root_that_was_put_in() -> None:
    rng = np.random.default_rng(6)
    tracker, mid = Tracker(PERPETUAL), float(10 * MIDDLE)
    for k in range(2000):
        lots, sign = float(rng.lognormal(3.0, 1.5)), float(rng.choice([-1.0, 1.0]))
        tracker.trade(k * 5 * NS + NS, round(mid), lots, sign)
        mid += sign * 40.0 * math.sqrt(lots)
        tracker.book(k * 5 * NS + 2 * NS, [(round(mid) - 1, 1.0)], [(round(mid) + 1, 1.0)])
    found = tracker.track()
    assert impact(found)["exponent"] == pytest.approx(0.5, abs=0.08)


def test_the_response_follows_the_order() -> None:
    tracker = Tracker(PERPETUAL)
    for k in range(100):
        base = MIDDLE + 20 * k
        tracker.book(k * 10 * NS, [(base - 1, 1.0)], [(base + 1, 1.0)])
        tracker.trade(k * 10 * NS + 1000, base + 1, 1.0, 1.0)
    found = response_bp(tracker.track())
    assert found["5"] == 0.0
    assert found["10"] == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("fact", TABLE.values(), ids=TABLE.keys())
@pytest.mark.parametrize("size", [0, 1, 5])
def test_too_little_is_unknown_and_no_error(fact: Callable[[Track], Fact], size: int) -> None:
    tracker = Tracker(PERPETUAL)
    for k in range(size):
        tracker.book(k * NS, [(MIDDLE, 1.0)], [(MIDDLE + 1, 2.0)])
    found = fact(tracker.track())
    assert isinstance(found, dict | float)


def test_averages_leave_out_what_is_not_known() -> None:
    nan = float("nan")
    found = averaged([{"a": 1.0, "b": {"x": nan, "y": 2.0}}, {"a": 3.0, "b": {"x": 5.0, "y": nan}}])
    assert found == {"a": 2.0, "b": {"x": 5.0, "y": 2.0}}
    assert listed({"a": nan, "b": {"x": 1.23456789}}) == {"a": None, "b": {"x": 1.235}}


# ------------------------------------------------------------ options


def chain(off: float = 0.0, tick: float = 0.0005) -> pd.DataFrame:
    """One expiry's calls and puts about a flat 50 %, quoted a tick wide; the middle call is `off` coin too dear."""
    expiry, forward = START + 20 * 24 * 3600 * NS, 100_000.0
    rows = []
    for strike in (80_000.0, 90_000.0, 100_000.0, 110_000.0, 120_000.0):
        for call in (True, False):
            years = (expiry - START) / YEAR_NS
            g = black.greeks(
                np.array([forward]), np.array([strike]), np.array([years]), np.array([0.5]), np.array([call])
            )
            price = float(g.price[0]) + (off if call and strike == 100_000.0 else 0.0)
            bid, ask = math.floor(price / tick) * tick, math.ceil(price / tick + 1e-9) * tick
            rows.append((START, f"{strike}{call}", expiry, strike, call, bid, 5.0, ask, 7.0, 0.49, 0.51, 0.5,
                         float(g.delta[0]), forward, tick, 0))  # fmt: skip
    columns = ["t", "instrument", "expiry", "strike", "call", "bid", "bid_size", "ask", "ask_size", "bid_iv", "ask_iv",
               "mark_iv", "delta", "forward", "tick", "sweep"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def test_a_sound_chain_has_no_arbitrage_and_a_bent_one_has() -> None:
    assert static_arbitrage(chain()) == {"mids": 0.0, "quotes": 0.0, "fits": 0.0, "checked": 14.0}
    bent = static_arbitrage(chain(off=0.03))
    assert bent["mids"] >= 1.0
    assert bent["quotes"] >= 1.0


def test_figures_by_bucket() -> None:
    many = pd.concat([chain().assign(sweep=k) for k in range(25)], ignore_index=True)
    found = option_facts(many)
    sizes, spread = found["option_size"], found["option_spread_ticks"]
    assert isinstance(sizes, dict)
    assert isinstance(spread, dict)
    assert sizes["all"] == 6.0
    assert spread["45d/35-65"] == pytest.approx(1.0)
    few = option_facts(chain())["option_spread_ticks"]
    assert isinstance(few, dict)
    assert list(few) == ["all"], "a bucket of few rows says nothing"


def test_quotes_of_the_paper_chain() -> None:
    simulation = Simulation(3, START, VenueSettings(listing=(Spec(expiries=2, strikes=5, futures=0),)))
    simulation.advance(START + 10 * NS)
    quotes = paper_quotes(simulation, "BTC", 0)
    assert len(quotes) == 20
    both = quotes[quotes["bid"].notna() & quotes["ask"].notna()]
    assert len(both) > 10
    assert (both["bid"] < both["ask"]).all()
    assert (both["bid_iv"].fillna(0.0) <= both["ask_iv"].fillna(9.0)).all()
    assert static_arbitrage(quotes)["quotes"] == 0.0


def test_options_that_stand_still() -> None:
    still, moving = Tracker(PERPETUAL), Tracker(PERPETUAL)
    for k in range(50):
        still.book(k * STEP_NS, [(100, 1.0)], [(102, 1.0)])
        moving.book(k * STEP_NS, [(100 + k, 1.0)], [(102 + k, 1.0)])
    found = unchanged_options([still.track(), moving.track()])
    assert (found["least"], found["mean"], found["most"]) == (0.0, 0.5, 1.0)
    assert math.isnan(unchanged_options([])["mean"])


def test_the_shape_of_a_path() -> None:
    """Paths that rise as a root of time and size, and fall to half."""
    rise = np.sqrt(np.arange(WORKED_S + 1) / WORKED_S)
    fall = np.linspace(1.0, 0.5, AFTER_S + 1)[1:]
    found = shape([np.r_[rise, fall] * math.sqrt(usd) for usd in SIZES_USD])
    assert found["exponent"] == pytest.approx(0.5)
    assert found["build"] == pytest.approx(0.5, abs=0.01)
    assert found["after_20s"] == pytest.approx(0.75, abs=0.03)
    assert found["after_40s"] == pytest.approx(0.5, abs=0.03)


def test_a_metaorder_leaves_the_market_it_is_asked_of_alone() -> None:
    one, two = (Simulation(5, START, VenueSettings(listing=(Spec(expiries=1, strikes=1, futures=0),))) for _ in "12")
    found = metaorder_impact(one, 1, between_s=5.0)
    two.advance(START + 5 * NS)
    assert found["pairs"] == 1.0
    assert one.venue.markets["BTC"].dump() == two.venue.markets["BTC"].dump()


# ------------------------------------------------------------ recordings


def test_facts_of_the_recorded_perpetual(shared_data: Path) -> None:
    """What these ten minutes say, to a tenth: the importers and the facts together."""
    found = averaged([facts(track) for track in recorded.perpetual(shared_data)])
    expected = {"spread_ticks": ("mean", 1.13), "trade_gap_s": ("cv", 2.05), "sign_autocorrelation": ("1", 0.60),
                "ofi_r2": ("1", 0.61), "trade_usd": ("q50", 1200.0)}  # fmt: skip
    for name, (key, value) in expected.items():
        table = found[name]
        assert isinstance(table, dict)
        assert table[key] == pytest.approx(value, rel=0.1), name
    assert found["unchanged_share"] == pytest.approx(0.0, abs=0.01)


def test_facts_of_the_recorded_options(shared_data: Path) -> None:
    still = unchanged_options(recorded.options(shared_data))
    assert 0.89 < still["mean"] < 0.98
    found = option_facts(recorded_quotes(shared_data, every=190))
    two, spread = found["option_two_sided"], found["option_spread_vol_points"]
    assert isinstance(two, dict)
    assert isinstance(spread, dict)
    assert two["all"] == pytest.approx(0.65, abs=0.03)
    assert spread["45d/15-35"] == pytest.approx(1.2, abs=0.3)
