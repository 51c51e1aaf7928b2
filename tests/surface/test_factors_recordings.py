"""The thirty-day index of the smiles beside the same integral over the quotes themselves, on real chains."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine import black
from engine.domain import YEAR_NS
from engine.research.imports.chains import open_chains_file
from engine.surface.factors import INDEX_YEARS, index
from engine.surface.surface import Quote, Surface

EVERY = 190  # of 572 sweeps: four


@pytest.fixture(scope="module")
def sweeps(shared_data: Path) -> list[pd.DataFrame]:
    table = open_chains_file(shared_data / "deribit_chains" / "btc_2023-04-12_to_14.parquet").table
    groups = [rows for _, rows in table.groupby("sweep", observed=True, sort=True)]
    return groups[::EVERY]


def fitted(sweep: pd.DataFrame) -> Surface:
    surface = Surface()
    for expiry, rows in sweep.groupby("expiry", sort=True):
        quotes = [Quote(*row) for row in rows[["strike", "call", "bid_iv", "ask_iv", "mark_iv", "forward"]].itertuples(
            index=False, name=None)]  # fmt: skip
        surface.refit(int(expiry), float(rows["forward"].median()), quotes, int(rows["t"].max()))
    return surface


def summed(sweep: pd.DataFrame) -> float:
    """The index by the trapezium over the mids of out-of-the-money options, with nothing beyond the quoted strikes."""
    years, paid = [], []
    for expiry, rows in sweep.groupby("expiry", sort=True):
        outside = rows["call"] == (rows["strike"] >= rows["forward"])
        two = rows[outside & rows["bid_iv"].gt(0.0) & rows["ask_iv"].gt(0.0)].sort_values("strike")
        left = float((int(expiry) - two["t"].median()) / YEAR_NS)
        k = np.log(two["strike"] / two["forward"]).to_numpy()
        mid = ((two["bid_iv"] + two["ask_iv"]) / 2.0).to_numpy()
        prices = black.prices(1.0, np.exp(k), left, mid, k >= 0.0)
        years.append(left)
        paid.append(2.0 * float(np.trapezoid(prices * np.exp(-k), k)))
    return 100.0 * math.sqrt(float(np.interp(INDEX_YEARS, years, paid)) / INDEX_YEARS)


def test_the_index_is_what_the_quotes_themselves_add_up_to(sweeps: list[pd.DataFrame]) -> None:
    """The smiles go on where no strike is quoted: some tenths of a point more than the quotes alone."""
    for sweep in sweeps:
        found = index(fitted(sweep), int(sweep["t"].max()))
        assert found is not None
        assert -0.2 < found - summed(sweep) < 1.5
