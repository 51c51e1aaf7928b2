"""One moment of a whole venue made into the tickers of that moment, so that a session shows it.

The file has prices; a ticker also says what an option's price comes to. The forward of an expiry is taken from its
future, else from put–call parity; implied volatilities that the file lacks are solved with it. Marks and greeks are not
known and are left away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from engine import black
from engine.domain import MS, YEAR_NS, expiry_code
from engine.market.deribit.data import InstrumentData, TickerData
from engine.research.imports.found import Bad, Progress, silent
from engine.research.imports.frames import Timed
from engine.research.imports.surfaces import Surface, Two
from engine.research.imports.sweeps import COLUMNS, tickers, timed
from engine.surface.forward import Pair, forward_of


class Still:
    """A reader (see frames) of a surface snapshot."""

    format = "surface snapshot"

    def __init__(self, found: Surface) -> None:
        self.notes: list[str] = []
        self.listed: dict[str, InstrumentData] = {}
        self._found = found

    def read(self, bad: Bad, heard: Progress = silent) -> Iterator[Timed]:
        found = self._found
        bad.take(found.bad, found.bad_count)
        coin = str(found.table["coin"].iloc[0])
        for expiry, quotes in sorted(found.forwards.items()):
            if expiry > found.t:
                yield timed(0, _future(f"{coin}-{expiry_code(expiry)}", found.t, quotes))
        rows = _priced(found)
        yield from tickers(rows)
        heard(1.0)
        self.notes += [*found.notes, *_notes(found, rows)]


def born(found: Surface) -> dict[str, int]:
    """All at that moment."""
    return dict.fromkeys(found.table["instrument"], found.t // MS * MS)


def _future(name: str, t: int, quotes: Two) -> TickerData:
    bid, ask = (0.0 if math.isnan(price) else price for price in quotes)
    return TickerData(instrument_name=name, timestamp=t // MS, best_bid_price=bid, best_ask_price=ask)


def _priced(found: Surface) -> pd.DataFrame:
    """The options that are not over and have a forward, with the columns of a chain."""
    rows = found.table[found.table["expiry"] > found.t].copy()
    rows["forward"] = rows["expiry"].map(_forwards(found, rows)).astype("float64")
    rows = rows[rows["forward"].notna()]
    years = (rows["expiry"] - found.t) / YEAR_NS
    for iv, price in (("bid_iv", "bid"), ("ask_iv", "ask")):
        solved = black.implied_vols(rows[price], rows["forward"], rows["strike"], years, rows["call"])
        rows[iv] = rows[iv].fillna(pd.Series(solved, rows.index))
    rows = rows.assign(t=found.t, index=sum(found.spot) / 2, state="open", underlying="")
    return rows.reindex(columns=[*COLUMNS])


def _forwards(found: Surface, rows: pd.DataFrame) -> dict[int, float]:
    out = {}
    for expiry, chain in rows.groupby("expiry"):
        future = sum(found.forwards.get(int(str(expiry)), (math.nan,))) / 2
        forward = parity(chain) if math.isnan(future) else future
        if forward is not None:
            out[int(str(expiry))] = forward
    return out


def parity(chain: pd.DataFrame) -> float | None:
    """The forward of one expiry's options; None where no strike says it."""
    quotes, call = chain.set_index("strike")[["bid", "ask"]], chain["call"].to_numpy(dtype=bool)
    both = quotes[call].join(quotes[~call].add_suffix("_put"), how="inner")
    return forward_of([Pair(float(str(strike)), *row) for strike, row in zip(both.index, both.to_numpy(), strict=True)])


def _notes(found: Surface, rows: pd.DataFrame) -> Iterator[str]:
    if len(rows) < len(found.table):
        yield f"{len(found.table) - len(rows)} options are over or have no forward, and are left out"
    if found.table["bid_iv"].isna().all():
        yield "it has no implied volatilities: they are solved from its prices"
