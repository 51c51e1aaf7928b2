"""Chains as a table: the house's types, no stand-ins for "no value", and each bad row counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine import black
from engine.domain import YEAR_NS
from engine.research.imports import BadRecording, open_chains
from engine.research.imports.chains import Chains


@pytest.fixture(scope="module")
def chains(shared_data: Path) -> Chains:
    return open_chains(shared_data / "deribit_chains" / "btc_2023-04-12_to_14.parquet")


def test_every_row_of_the_real_file_is_sound(chains: Chains) -> None:
    table = chains.table
    assert (len(table), chains.sweeps, chains.bad_count) == (391_852, 572, 0)
    assert table["instrument"].nunique() == 798
    assert table["expiry"].nunique() == 12
    assert set(table["coin"]) == {"BTC"}
    assert {name: table[name].dtype.kind for name in ("t", "expiry", "strike", "call", "bid")} == {
        "t": "i", "expiry": "i", "strike": "f", "call": "b", "bid": "f",
    }  # fmt: skip
    assert (chains.first_t, chains.last_t) == (int(table["t"].min()), int(table["t"].max()))
    assert (table["t"] < table["expiry"]).all()


def test_no_value_is_nan_and_ivs_are_fractions(chains: Chains) -> None:
    missing = chains.table.isna().sum()
    assert missing[["bid", "ask", "bid_iv", "ask_iv", "mark_iv", "forward", "delta"]].to_dict() == {
        "bid": 118_783, "ask": 74_507, "bid_iv": 186_686, "ask_iv": 86_674, "mark_iv": 0, "forward": 0, "delta": 0,
    }  # fmt: skip
    assert chains.table[["bid_iv", "ask_iv", "mark_iv"]].max().max() < 10
    assert chains.table["mark_iv"].min() == pytest.approx(0.3315)


def test_the_gaps_are_said(chains: Chains) -> None:
    assert chains.notes == (
        "66.1% of the rows have a bid and an ask",
        "a gap of 60 min between sweeps, from 2023-04-13 07:55 UTC",
        "a gap of 10 min between sweeps, from 2023-04-14 07:55 UTC",
        "a gap of 35 min between sweeps, from 2023-04-14 08:50 UTC",
        "a gap of 20 min between sweeps, from 2023-04-14 09:34 UTC",
    )


def test_black_76_on_the_mark_iv_gives_the_mark_back(chains: Chains) -> None:
    rows = chains.table
    years = (rows["expiry"] - rows["t"]) / YEAR_NS
    value = black.prices(rows["forward"], rows["strike"], years, rows["mark_iv"], rows["call"])
    assert np.median(np.abs(value - rows["mark"])) < 2.6e-5


# ------------------------------------------------------------ damaged ones

GOOD = {
    "instrument_name": "BTC-28APR23-30000-C", "timestamp": 1_681_296_001_357, "underlying_price": 30_000.0,
    "underlying_index": "BTC-28APR23", "index_price": 29_990.0, "mark_price": 0.05, "mark_iv": 60.0, "bid_iv": 58.0,
    "ask_iv": 62.0, "best_bid_price": 0.049, "best_bid_amount": 3.0, "best_ask_price": 0.051, "best_ask_amount": 4.0,
    "delta": 0.5, "gamma": 1e-5, "vega": 20.0, "theta": -10.0, "rho": 5.0, "open_interest": 10.0,
    "snap": "20230412_1042",
}  # fmt: skip


def file_of(folder: Path, *changes: dict[str, object]) -> Path:
    path = folder / "chain.parquet"
    pd.DataFrame([{**GOOD, **change} for change in changes]).to_parquet(path)
    return path


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "another coin": ({"instrument_name": "XRP-28APR23-1-C"}, "its instrument is not an inverse BTC or ETH option"),
    "a future": ({"instrument_name": "BTC-28APR23"}, "its instrument is not an inverse BTC or ETH option"),
    "no name": ({"instrument_name": None}, "its instrument is not an inverse BTC or ETH option"),
    "no time": ({"timestamp": 0}, "it has no time"),
    "expired": ({"timestamp": 1_690_000_000_000}, "its time is after its expiry"),
    "no forward": ({"underlying_price": np.nan}, "its forward is not a price"),
    "negative forward": ({"underlying_price": -1.0}, "its forward is not a price"),
    "negative size": ({"best_bid_amount": -1.0}, "a price or an amount is negative or infinite"),
    "infinite price": ({"best_ask_price": np.inf}, "a price or an amount is negative or infinite"),
    "crossed": ({"best_bid_price": 0.06}, "its bid is not below its ask"),
    "delta": ({"delta": 1.5}, "its delta is beyond 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_row_is_counted_and_listed(name: str, tmp_path: Path) -> None:
    change, why = WRONG[name]
    found = open_chains(file_of(tmp_path, {}, change, {}))
    assert len(found.table) == 2
    assert found.bad == ((2, why, "chain.parquet"),)
    assert found.bad_count == 1


def test_of_very_many_bad_rows_a_thousand_are_listed(tmp_path: Path) -> None:
    wrong: list[dict[str, object]] = [{"delta": 2.0}] * 1500
    found = open_chains(file_of(tmp_path, {}, *wrong))
    assert (len(found.bad), found.bad_count) == (1000, 1500)


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no column": (lambda at: _written(at, pd.DataFrame({"a": [1]})), "is a table, but not a chain: it has no ask_iv"),
    "no row": (lambda at: _written(at, pd.DataFrame([GOOD])[:0]), "holds no row of an option chain"),
    "no sound row": (lambda at: file_of(at, {"delta": 2.0}), "holds no row of an option chain"),
    "cut": (lambda at: _cut(file_of(at, {})), "cannot be read as a chain: "),
    "only a beginning": (lambda at: _bytes(at, b"PAR1"), "cannot be read as a chain: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_chain_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    make, sentence = REFUSED[name]
    with pytest.raises(BadRecording, match=sentence):
        open_chains(make(tmp_path))


def test_words_where_numbers_should_be_are_no_values(tmp_path: Path) -> None:
    found = open_chains(file_of(tmp_path, {"mark_iv": "much"}, {"mark_iv": "61"}))
    assert found.table["mark_iv"].isna().tolist() == [True, False]


def test_progress_goes_up_to_the_whole(tmp_path: Path) -> None:
    heard: list[float] = []
    open_chains(file_of(tmp_path, {}, {}), heard.append)
    assert heard == [1.0]


def _written(folder: Path, table: pd.DataFrame) -> Path:
    table.to_parquet(folder / "x.parquet")
    return folder / "x.parquet"


def _bytes(folder: Path, content: bytes) -> Path:
    (folder / "x.parquet").write_bytes(content)
    return folder / "x.parquet"


def _cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-30])
    return path
