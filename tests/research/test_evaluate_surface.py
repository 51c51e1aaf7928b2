"""`evaluate surface`: its JSON, its lines, and what it says of real chains."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from engine.domain import NS, YEAR_NS, instrument_of
from engine.research.evaluate_surface import evaluate_surface, lines
from engine.research.plain_fits import PlainFits
from engine.research.surface_scores import Scores, smiles_of
from engine.surface.surface import Surface
from engine.surface.svi import flat
from tests.surface.slices import chain

EVERY = 120  # of 572 sweeps: five


@cache
def table(folder: Path) -> dict[str, Any]:
    return evaluate_surface(folder, lambda text: None, EVERY)


def test_the_table_has_the_shape_that_others_script_against(shared_data: Path) -> None:
    said = msgspec.json.decode(msgspec.json.encode(table(shared_data)))
    wanted = {"data", "snapshots", "expiries", "rmse_vol_bp", "inside_bid_ask", "butterfly", "calendar", "fit_ms"}
    assert wanted <= said.keys()
    assert said["fit_ms"].keys() == {"p50", "p95"}
    assert said["snapshots"] == 5
    assert all(line.isprintable() for line in lines(said))


def test_real_chains_are_fitted_without_arbitrage(shared_data: Path) -> None:
    said = table(shared_data)
    for part in (said, *said["snapshots_2026"].values()):
        assert (part["butterfly"], part["calendar"]) == (0, 0)
        for asked in part["proof"].values():
            assert (asked["refuted"], asked["undecided"]) == (0, 0)
            assert asked["proven"] > 0
    assert said["proof"]["smiles"]["proven"] == said["expiries"]
    assert {(row["butterfly"], row["calendar"]) for row in said["trade_off"]} == {(0, 0)}
    assert said["inside_bid_ask"] > 0.98
    assert said["rmse_vol_bp"] < 32.0
    assert said["mark_iv"]["solved_vs_stated_bp"] < 5.0
    august, may = said["snapshots_2026"].values()
    assert august["expiries"] == 13
    assert may["expiries"] == 12
    assert min(august["inside_bid_ask"], may["inside_bid_ask"]) > 0.95
    assert max(may["solved_vs_stated_bp"].values()) < 20.0


def test_the_peers_are_judged_by_the_same_quotes_and_the_plain_fit_has_arbitrage(shared_data: Path) -> None:
    said = table(shared_data)
    plain, marks = said["peers"]["scipy_lm"], said["peers"]["marks"]
    for peer in (plain, marks):
        assert 0.97 < peer["inside_bid_ask"] < 1.0
        assert 20.0 < peer["rmse_vol_bp"] < 35.0
    assert plain["slices"]["refuted"] > 0
    assert plain["neighbours"]["refuted"] > 0
    assert plain["surface_ms"]["p50"] > 0.0


def test_what_is_off_is_told_by_hour_and_by_how_wide_quotes_are(shared_data: Path) -> None:
    said = table(shared_data)
    off = said["what_is_off"]
    assert sum(hour["ours_vol_bp"] ** 2 * hour["quotes"] for hour in off["by_hour"]) == pytest.approx(
        said["rmse_vol_bp"] ** 2 * sum(hour["quotes"] for hour in off["by_hour"])
    )
    assert [row["up_to"] for row in off["by_width"]] == sorted(row["up_to"] for row in off["by_width"])
    assert 0.0 < off["share_of_10_quotes"] < 1.0


def test_the_known_surface_comes_back_as_well_as_by_the_peers(shared_data: Path) -> None:
    said = table(shared_data)["synthetic"]
    assert said["ours"]["rmse_vol_bp"] < 1.03 * said["peers"]["scipy least squares (LM)"]["rmse_vol_bp"]
    assert said["ours"]["rmse_vol_bp"] < 13.0
    assert said["ours"]["butterfly"] == said["ours"]["calendar"] == 0


@pytest.mark.parametrize("shift", [0.0, 0.004, 0.02])
def test_inside_and_off_are_counted(shift: float) -> None:
    """Quotes a vol point wide around a flat smile, of which every eleventh is `shift` higher."""
    option = instrument_of("BTC-27MAR26-60000-C")
    strikes = [50_000.0 + 1_000.0 * n for n in range(22)]
    rows = pd.DataFrame(
        {
            "expiry": option.expiry, "t": option.expiry - YEAR_NS // 10, "strike": q.strike, "call": q.call,
            "bid_iv": (q.bid_iv or 0) + up, "ask_iv": (q.ask_iv or 0) + up, "mark_iv": q.mark_iv, "mark": math.nan,
            "forward": 60_000.0, "delta": 0.5,
        }
        for n, q in enumerate(chain(flat(0.036), 0.1, 60_000.0, strikes))
        for up in [shift if n // 2 % 11 == 5 else 0.0]
    )  # fmt: skip
    scores = Scores(peers=True)
    scores.take(smiles_of(rows))
    said = scores.table()
    assert said["quotes"] == 22
    assert said["inside_bid_ask"] == pytest.approx(1.0 if shift < 0.005 else 20 / 22)
    assert said["rmse_vol_bp"] == pytest.approx(shift * 1e4 * math.sqrt(2 / 22), rel=0.15, abs=0.5)
    assert said["peers"]["marks"]["rmse_vol_bp"] == pytest.approx(shift * 1e4 * math.sqrt(2 / 22), abs=1e-6)


def test_a_sweep_without_a_quote_has_a_table_too() -> None:
    said = Scores(peers=True).table()
    assert (said["quotes"], said["rmse_vol_bp"], said["peers"]["marks"]["inside_bid_ask"]) == (0, None, None)


def test_where_quotes_are_too_few_the_plain_fit_stays_as_ours_does() -> None:
    surface, plain, strikes = Surface(), PlainFits(), [50_000.0 + 1_000.0 * n for n in range(22)]
    option, k = instrument_of("BTC-27MAR26-60000-C"), np.array([-0.1, 0.0, 0.1])
    now, whole = option.expiry - YEAR_NS // 10, chain(flat(0.036), 0.1, 60_000.0, strikes)
    for seconds, quotes in ((0, whole), (60, whole[:4])):
        fit = surface.refit(option.expiry, 60_000.0, quotes, now + seconds * NS)
        plain.take([(fit, quotes)], now + seconds * NS)
        assert plain.ivs(option.expiry, k) == pytest.approx([0.6] * 3, abs=1e-4)
    assert np.isnan(plain.ivs(option.expiry + 1, k)).all()
