"""Sweeps through option chains made into the frames that the venue would have sent, so that a session can replay them.

A row is what the venue said of one option at its own time: it becomes a ticker of that time. A sweep goes through the
chain again and again, so the listing is known from it too: an option is listed from the sweep in which it occurs first.
What the rows do not say (depth, trades, futures) is left away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from engine.domain import MS
from engine.market.deribit.data import Greeks, InstrumentData, TickerData
from engine.market.deribit.frames import notification
from engine.market.deribit.wire import Push
from engine.research.imports.chains import Chains
from engine.research.imports.found import Bad, Progress, silent
from engine.research.imports.frames import Timed

SAID_EVERY = 4096  # rows between two words on the progress
DIGITS = 10  # of a per cent: what the venue writes has two to four, so a fraction gives it back exactly

COLUMNS = (
    "instrument", "t", "state", "bid", "bid_size", "ask", "ask_size", "mark", "last", "index", "open_interest",
    "mark_iv", "bid_iv", "ask_iv", "forward", "underlying", "delta", "gamma", "vega", "theta", "rho",
)  # fmt: skip


class Swept:
    """A reader (see frames) of chains."""

    format = "chain file"

    def __init__(self, chains: Chains) -> None:
        self.notes: list[str] = []
        self.listed: dict[str, InstrumentData] = {}
        self._chains = chains

    def read(self, bad: Bad, heard: Progress = silent) -> Iterator[Timed]:
        bad.take(self._chains.bad, self._chains.bad_count)
        yield from tickers(self._chains.table.sort_values("t", kind="stable"), heard)
        heard(1.0)
        self.notes += [*self._chains.notes, *_later(born(self._chains.table))]


def tickers(table: pd.DataFrame, heard: Progress = silent) -> Iterator[Timed]:
    """One of each row of a chain's table (`COLUMNS`), in its order; the index numbers them."""
    columns = [table[name].tolist() for name in COLUMNS]
    for done, (number, *row) in enumerate(zip(table.index.tolist(), *columns, strict=True)):
        yield timed(number, _ticker(*row))
        if done % SAID_EVERY == 0:
            heard(done / len(table))


def born(table: pd.DataFrame) -> dict[str, int]:
    """The beginning of the first sweep that has it, by option."""
    begins = table.groupby("sweep", observed=True)["t"].min()
    since = table["sweep"].map(begins).astype("int64")
    return {str(name): int(t) for name, t in since.groupby(table["instrument"], observed=True).min().items()}


def _later(since: dict[str, int]) -> Iterator[str]:
    later = sum(t > min(since.values()) for t in since.values())
    if later:
        yield f"{later} of {len(since)} options are listed later: from the first sweep that has them"


def timed(number: int, data: TickerData) -> Timed:
    """The frame of a ticker, at the ticker's own time."""
    channel = f"ticker.{data.instrument_name}.100ms"
    return Timed(number, data.timestamp * MS, notification(channel, data), Push(channel, data))


def _ticker(
    name: str, t: int, state: str, bid: float, bid_size: float, ask: float, ask_size: float, mark: float, last: float,
    index: float, interest: float, mark_iv: float, bid_iv: float, ask_iv: float, forward: float, underlying: str,
    *greeks: float,
) -> TickerData:  # fmt: skip
    delta, gamma, vega, theta, rho = (_value(each) for each in greeks)
    return TickerData(
        instrument_name=name, timestamp=t // MS, state=state or "open",
        best_bid_price=_value(bid) or 0.0, best_bid_amount=(_value(bid_size) or 0.0) if bid > 0 else 0.0,
        best_ask_price=_value(ask) or 0.0, best_ask_amount=(_value(ask_size) or 0.0) if ask > 0 else 0.0,
        mark_price=_value(mark), last_price=_value(last), index_price=_value(index), open_interest=_value(interest),
        mark_iv=_per_cent(mark_iv), bid_iv=_per_cent(bid_iv) or 0.0, ask_iv=_per_cent(ask_iv) or 0.0,
        underlying_price=_value(forward), underlying_index=underlying or None,
        greeks=Greeks(delta=delta, gamma=gamma, vega=vega, theta=theta, rho=rho),
    )  # fmt: skip


def _per_cent(fraction: float) -> float | None:
    return None if math.isnan(fraction) else round(100.0 * fraction, DIGITS)


def _value(number: float) -> float | None:
    return None if math.isnan(number) else number
