"""Whole option chains over time, as one table of the house's own types.

The file is the ticker of every option, asked for again and again ("sweeps"), one row each (parquet). A sweep takes
minutes, so a row's time is its own. The venue's stand-ins for "no value" (a price or an IV of 0, an ask IV of 999)
become NaN, per cents become fractions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.domain import MS, NS, instrument_of
from engine.research.imports.found import Bad, BadLine, BadRecording, Progress, silent
from engine.research.imports.tardis_csv import CHAIN, rows, table_of

NO_ASK_IV = 999.0
GAP_NS = 7 * 60 * NS  # sweeps come every five minutes

# ours → the venue's
_NUMBERS = {
    "bid": "best_bid_price", "bid_size": "best_bid_amount", "ask": "best_ask_price", "ask_size": "best_ask_amount",
    "bid_iv": "bid_iv", "ask_iv": "ask_iv", "mark_iv": "mark_iv", "mark": "mark_price", "forward": "underlying_price",
    "index": "index_price", "delta": "delta", "gamma": "gamma", "vega": "vega", "theta": "theta", "rho": "rho",
    "open_interest": "open_interest",
}  # fmt: skip
_OPTIONAL = {"last": "last_price", "volume": "stats_volume"}
_WORDS = {"underlying": "underlying_index", "sweep": "snap", "state": "state"}
_BATCH = 1 << 16
_UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, EOFError)


class Chains:
    """Chains over time.

    `table` has one row an option and time, in the file's order: `t` ns UTC, `instrument`, `coin`, `expiry` ns,
    `strike`, `call`; `bid`, `ask` and `mark` in coin, sizes in contracts, `bid_iv`, `ask_iv`, `mark_iv` as fractions,
    `forward` and `index` in USD, greeks as the venue gives them, `open_interest`, `last`, `volume` (of 24 h),
    `underlying`, `sweep`, `state`. What the venue had no value for is NaN. Raises BadRecording.
    """

    def __init__(self, path: Path, format: str, raw: pd.DataFrame, bad: Bad | None = None) -> None:  # noqa: A002
        """From the venue's columns; `raw`'s index numbers the rows."""
        self.path, self.format = path, format
        found = bad or Bad(path.name)
        self.table = _typed(raw, found)
        if self.table.empty:
            raise BadRecording(f"'{path}' holds no row of an option chain")
        self.bad: tuple[BadLine, ...] = tuple(found.listed)
        self.bad_count = found.count
        self.first_t, self.last_t = int(self.table["t"].min()), int(self.table["t"].max())
        self.sweeps = int(self.table["sweep"].nunique())
        self.notes = tuple(_notes(self.table))


def open_chains_file(path: Path, progress: Progress = silent) -> Chains:
    """A chain file (parquet). Raises BadRecording."""
    try:
        return Chains(path, "Deribit chain", _read(path, progress))
    except BadRecording:
        raise
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadRecording(f"'{path}' cannot be read as a chain: {reason}") from None


def open_chain_rows(path: Path, progress: Progress = silent) -> Chains:
    """The rows of a Tardis CSV of option chains, whose time is the venue's. Raises BadRecording."""
    table, bad = table_of(path), Bad(path.name)
    if table.kind is not CHAIN:
        raise BadRecording(f"'{path}' holds {table.kind.name}, not option chains")
    if table.exchange != "deribit":
        raise BadRecording(f"'{path}' is of {table.exchange or 'no exchange'}; chains are read of Deribit only")
    numbers, found = [], []
    for row in rows(path, table, bad, progress):
        numbers.append(row.number)
        found.append((row.symbol, row.stamp // MS, row.name, *row.values))
    names = ["instrument_name", "timestamp", "underlying_index", *(_TARDIS.get(name, name) for name in CHAIN.numbers)]
    raw = pd.DataFrame(found, columns=names, index=pd.Index(numbers, dtype="int64"))
    return Chains(path, "Tardis CSV", raw.assign(index_price=np.nan), bad)


_TARDIS = {
    "bid_price": "best_bid_price", "bid_amount": "best_bid_amount",
    "ask_price": "best_ask_price", "ask_amount": "best_ask_amount",
}  # fmt: skip


def _read(path: Path, progress: Progress) -> pd.DataFrame:
    wanted = {"instrument_name", "timestamp", *_NUMBERS.values()}
    with pq.ParquetFile(path) as file:
        there = set(file.schema_arrow.names)
        if missing := sorted(wanted - there):
            raise BadRecording(f"'{path}' is a table, but not a chain: it has no {', '.join(missing)}")
        columns = sorted((wanted | {*_OPTIONAL.values(), *_WORDS.values()}) & there)
        total, pieces, done = max(file.metadata.num_rows, 1), [], 0
        for batch in file.iter_batches(_BATCH, columns=columns):
            pieces.append(batch.to_pandas())
            done += batch.num_rows
            progress(done / total)
    if not pieces:
        raise BadRecording(f"'{path}' holds no row of an option chain")
    table = pd.concat(pieces, ignore_index=True)
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def _typed(raw: pd.DataFrame, bad: Bad) -> pd.DataFrame:
    """The house's columns of the sound rows; the others are counted as bad."""
    out = pd.DataFrame(index=raw.index)
    t = pd.to_numeric(raw["timestamp"], errors="coerce").astype("float64")
    out["t"] = t.where(t.between(1e12, 4.2e12))  # ms of 2001 … 2103
    out["instrument"] = raw["instrument_name"].astype("string").fillna("")
    out = out.join(_names(out["instrument"]))
    for ours, theirs in {**_NUMBERS, **_OPTIONAL}.items():
        out[ours] = pd.to_numeric(raw[theirs], errors="coerce").astype("float64") if theirs in raw else np.nan
    for ours, theirs in _WORDS.items():
        out[ours] = (raw[theirs] if theirs in raw else pd.Series("", raw.index)).astype("string").fillna("")
    out = _sound(out, bad)
    out["t"] = out["t"].astype("int64") * MS
    out["expiry"] = out["expiry"].astype("int64")
    out["call"] = out["call"].astype(bool)
    for word in ("instrument", "coin", *_WORDS):
        out[word] = out[word].astype("category")
    return _missing(out)


def _names(names: pd.Series) -> pd.DataFrame:
    """What each name says; an expiry of 0 where it is no option of ours."""
    parts = {}
    for name in names.unique():
        try:
            option = instrument_of(name)
        except ValueError:
            continue
        if option.strike:
            parts[name] = (option.coin, option.expiry, option.strike, option.call)
    nothing = ("", 0, np.nan, False)
    rows = [parts.get(name, nothing) for name in names]
    return pd.DataFrame(rows, index=names.index, columns=["coin", "expiry", "strike", "call"])


def _sound(rows: pd.DataFrame, bad: Bad) -> pd.DataFrame:
    sizes = rows[["bid", "bid_size", "ask", "ask_size", "open_interest"]]
    judged = (
        (rows["expiry"] == 0, "its instrument is not an inverse BTC or ETH option"),
        (rows["t"].isna(), "it has no time"),
        (rows["t"] * MS >= rows["expiry"], "its time is after its expiry"),
        (~np.isfinite(rows["forward"]) | (rows["forward"] <= 0), "its forward is not a price"),
        ((sizes < 0).any(axis=1) | np.isinf(sizes).any(axis=1), "a price or an amount is negative or infinite"),
        (rows["ask"].gt(0) & (rows["bid"] >= rows["ask"]), "its bid is not below its ask"),
        (rows["delta"].abs() > 1, "its delta is beyond 1"),
    )
    why = pd.Series("", rows.index, dtype=object)
    for wrong, reason in judged:
        why[wrong.fillna(False).to_numpy() & (why == "").to_numpy()] = reason
    for number, reason in why[why != ""].items():
        bad.add(int(number), reason)
    return rows[(why == "").to_numpy()].copy()


def _missing(rows: pd.DataFrame) -> pd.DataFrame:
    for price in ("bid", "ask", "bid_iv", "ask_iv", "mark_iv"):
        rows[price] = rows[price].where(rows[price] > 0)
    rows["ask_iv"] = rows["ask_iv"].where(rows["ask_iv"] < NO_ASK_IV)
    for iv in ("bid_iv", "ask_iv", "mark_iv"):
        rows[iv] /= 100
    return rows


def _notes(table: pd.DataFrame) -> Iterator[str]:
    two_sided = (table["bid"].notna() & table["ask"].notna()).mean()
    yield f"{two_sided:.1%} of the rows have a bid and an ask"
    twice = int(table.duplicated(["instrument", "t"]).sum())
    if twice:
        yield f"{twice} rows say again what the same option said at the same time"
    if table["sweep"].nunique() > 1:
        begins = table.groupby("sweep", observed=True)["t"].min().sort_values()
        gaps = begins.diff()[lambda step: step > GAP_NS]
        for sweep, step in gaps.items():
            before = pd.Timestamp(int(begins[sweep] - step), tz="UTC")
            yield f"a gap of {step / 60e9:.0f} min between sweeps, from {before:%Y-%m-%d %H:%M} UTC"
