"""Sweeps through chains become the tickers that the venue would have sent: each at its own time, with its own words."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from engine.domain import MS, NS, OffGrid
from engine.market.deribit import wire
from engine.market.told import Quote, quote_of
from engine.research.imports import BadRecording, Frames, open_chains, open_recording
from engine.research.imports.chains import Chains
from tests.research.imports.made import CALL, line, ticker, write
from tests.research.imports.test_chains import GOOD, file_of

CHAIN = Path("deribit_chains/btc_2023-04-12_to_14.parquet")
WORDS = {"instrument", "coin", "underlying", "sweep", "state"}
AT = int(str(GOOD["timestamp"]))


def tickers(recording: Frames) -> list[wire.TickerData]:
    events = [wire.decode(frame) for _, frame in recording]
    return [event.data for event in events if isinstance(event, wire.Push) and isinstance(event.data, wire.TickerData)]


# ------------------------------------------------------------ the real file


@pytest.fixture(scope="module")
def chains(shared_data: Path) -> Chains:
    return open_chains(shared_data / CHAIN)


@pytest.fixture(scope="module")
def recording(shared_data: Path) -> Frames:
    return open_recording(shared_data / CHAIN)


@pytest.fixture(scope="module")
def told(recording: Frames) -> list[wire.TickerData]:
    return tickers(recording)


def test_every_row_is_a_ticker_of_its_own_time(chains: Chains, recording: Frames, told: list[wire.TickerData]) -> None:
    assert (recording.frames, len(told), recording.bad_count) == (391_852, 391_852, 0)
    assert (recording.first_t, recording.last_t) == (chains.first_t, chains.last_t)
    assert all(a.timestamp <= b.timestamp for a, b in pairwise(told))
    assert Counter(data.instrument_name for data in told) == Counter(chains.table["instrument"])


def test_what_the_desk_reads_back_is_what_the_table_says(chains: Chains, told: list[wire.TickerData]) -> None:
    """Every IV, price, size, forward and greek, to the last bit."""
    rows = chains.table.sort_values("t", kind="stable")
    quotes = pd.DataFrame(
        [msgspec.structs.astuple(quote_of(data)) for data in told], columns=Quote.__struct_fields__, index=rows.index
    )
    assert (quotes["t"] == rows["t"]).all()
    names = {name: name for name in ("bid", "ask", "bid_iv", "ask_iv", "mark_iv", "mark", "forward", "index")}
    for ours, theirs in {**names, "delta": "delta", "gamma": "gamma", "vega": "vega"}.items():
        pd.testing.assert_series_equal(quotes[ours].astype("float64"), rows[theirs], check_exact=True)
    for size, price in (("bid_size", "bid"), ("ask_size", "ask")):
        quoted = rows[price].notna()
        assert (quotes[size].astype("float64")[quoted] == rows[size][quoted]).all()


def test_options_come_when_they_were_listed_on_the_grid_of_that_year(chains: Chains, recording: Frames) -> None:
    assert recording.born is not None
    assert len(recording.instruments) == len(recording.born) == 798
    assert {(one.tick, one.tick_steps, one.lot) for one in recording.instruments} == {(0.0005, (), 0.1)}
    later = {name for name, t in recording.born.items() if t > recording.first_t}
    assert len(later) == 168
    first = chains.table.groupby("instrument", observed=True)["t"].min()
    assert all(0 <= first[name] - t < 150 * NS for name, t in recording.born.items())
    assert any("168 of 798 options are listed later" in note for note in recording.notes)


def test_every_price_lies_on_that_grid(recording: Frames, told: list[wire.TickerData]) -> None:
    by_name = {one.name: one for one in recording.instruments}
    off = 0
    for data in told[::50]:
        try:
            for price in (data.best_bid_price, data.best_ask_price):
                by_name[data.instrument_name].units(price or 0.0)
        except OffGrid:
            off += 1
    assert off == 0


# ------------------------------------------------------------ made ones


def test_what_a_row_has_no_value_for_is_not_a_quote(tmp_path: Path) -> None:
    change: dict[str, object] = {"best_bid_price": 0.0, "bid_iv": 0.0, "ask_iv": 999.0, "mark_iv": None}
    (data,) = tickers(open_recording(file_of(tmp_path, change)))
    assert (data.best_bid_price, data.best_bid_amount, data.bid_iv, data.ask_iv, data.mark_iv) == (0, 0, 0, 0, None)
    quote = quote_of(data)
    assert (quote.bid, quote.bid_size, quote.bid_iv, quote.ask_iv) == (None, None, None, None)
    assert quote.estimated is None


def test_rows_are_put_in_order_and_bad_ones_are_left_out_and_said(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [{"timestamp": AT + 5}, {"timestamp": AT}, {"delta": 2.0}, {"timestamp": AT + 2}]
    found = open_recording(file_of(tmp_path, *changes))
    assert [t for t, _ in found] == [AT * MS, (AT + 2) * MS, (AT + 5) * MS]
    assert (found.bad_count, found.bad) == (1, ((3, "its delta is beyond 1", "chain.parquet"),))


def test_files_of_sweeps_go_together_and_frames_do_not_join_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    later = {"timestamp": AT + 300_000, "snap": "20230412_1047"}
    put = {**later, "instrument_name": "BTC-28APR23-30000-P", "delta": -0.5}
    one, two = file_of(tmp_path / "a", {}), file_of(tmp_path / "b", later, put)
    found = open_recording([two, one])
    assert found.born == {"BTC-28APR23-30000-C": AT * MS, "BTC-28APR23-30000-P": (AT + 300_000) * MS}
    assert len(list(found)) == 3
    log = write(tmp_path, line("1770000000", ticker(CALL)))
    with pytest.raises(BadRecording, match=r"chain.parquet' holds sweeps, .*ws.txt' frames as they came"):
        open_recording([one, log])


def test_progress_goes_up_to_the_whole(tmp_path: Path) -> None:
    heard: list[float] = []
    open_recording(file_of(tmp_path, {}, {}), heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
