"""Facts of option quotes: the same functions for recorded chains and for the paper venue's.

A `Quotes` table has one row an option and time, columns as the importers name them: `t` ns, `instrument`, `expiry` ns,
`strike`, `call`, `bid`, `ask` in coin and `bid_size`, `ask_size` in contracts, `bid_iv`, `ask_iv`, `mark_iv` fractions,
`delta`, `forward` USD, `sweep`; NaN where there is none. Figures are medians by bucket of |delta| (per cent) and of
days to expiry, `2d/15-35` say; a bucket of few rows says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from engine.domain import DAY_NS
from engine.paper.simulation import Simulation
from engine.research.facts import Fact
from engine.research.imports import open_chains
from engine.research.predictability import unchanged
from engine.research.recorded import CHAINS
from engine.research.sampling import NAN
from engine.research.track import Floats, Track
from engine.surface import arbitrage
from engine.surface.surface import Quote, Surface

DELTAS = (0.0, 0.05, 0.15, 0.35, 0.65, 0.95, 1.01)
DAYS = (0, 2, 10, 45, 10_000)
LEAST = 20  # rows of a bucket
EVERY = 24  # of the recorded sweeps: one in two hours


# ------------------------------------------------------------ where they come from


def recorded_quotes(data: Path, every: int = EVERY) -> pd.DataFrame:
    """Sweeps of the recorded chain, `every` apart; the tick is the venue's of that year. Raises BadRecording."""
    table = open_chains(data / CHAINS).table
    sweeps = sorted(table["sweep"].unique())[::every]
    return table[table["sweep"].isin(sweeps)].assign(tick=0.0005)


def paper_quotes(simulation: Simulation, coin: str, sweep: int) -> pd.DataFrame:
    """Every open option of the coin as the venue's ticker says it now."""
    market = simulation.venue.markets[coin]
    rows = []
    for n, i in enumerate(market.exchange.instruments):
        if not i.strike or i.expiry <= simulation.t:
            continue
        said = market.say.ticker(n, simulation.t)
        mid = ((said.best_bid_price or 0.0) + (said.best_ask_price or 0.0)) / 2.0
        rows.append((
            simulation.t, i.name, i.expiry, i.strike, i.call, said.best_bid_price or NAN, said.best_bid_amount or NAN,
            said.best_ask_price or NAN, said.best_ask_amount or NAN, (said.bid_iv or NAN) / 100,
            (said.ask_iv or NAN) / 100, (said.mark_iv or NAN) / 100, said.greeks.delta if said.greeks else NAN,
            said.underlying_price or NAN, i.tick_units(mid / i.tick) * i.tick, sweep,
        ))  # fmt: skip
    columns = ["t", "instrument", "expiry", "strike", "call", "bid", "bid_size", "ask", "ask_size", "bid_iv", "ask_iv",
               "mark_iv", "delta", "forward", "tick", "sweep"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


# ------------------------------------------------------------ what they say


def option_facts(quotes: pd.DataFrame) -> dict[str, Fact]:
    """By name; see the top."""
    q = _bucketed(quotes)
    both = q[q["bid"].notna() & q["ask"].notna()]
    wide = both["ask"] - both["bid"]
    sizes = pd.concat([both.assign(size=both["bid_size"]), both.assign(size=both["ask_size"])])
    return {
        "option_two_sided": _by_bucket(q, (q["bid"].notna() & q["ask"].notna()).astype(float), "mean"),
        "option_spread_ticks": _by_bucket(both, wide / both["tick"]),
        "option_spread_vol_points": _by_bucket(both, 100.0 * (both["ask_iv"] - both["bid_iv"])),
        "option_spread_share_of_premium": _by_bucket(both, wide / ((both["ask"] + both["bid"]) / 2.0)),
        "option_spread_bp_of_underlying": _by_bucket(both, wide * 1e4),
        "option_size": _by_bucket(sizes, sizes["size"]),
        "option_size_mean": _by_bucket(sizes, sizes["size"], "mean"),
        "static_arbitrage": static_arbitrage(quotes),
    }


def _bucketed(quotes: pd.DataFrame) -> pd.DataFrame:
    days = (quotes["expiry"] - quotes["t"]) / DAY_NS
    names = [f"{100 * low:g}-{min(100 * high, 100):g}" for low, high in pairwise(DELTAS)]
    ages = [*(f"{day}d" for day in DAYS[1:-1]), "far"]
    delta = pd.cut(quotes["delta"].abs(), DELTAS, labels=names, right=False).astype("string")
    age = pd.cut(days, DAYS, labels=ages).astype("string")
    return quotes.assign(bucket=(age + "/" + delta).fillna(""))


def _by_bucket(rows: pd.DataFrame, values: pd.Series, how: str = "median") -> dict[str, float]:
    groups = values.groupby(rows["bucket"])
    found = groups.agg(how)[groups.count() >= LEAST]
    order = [f"{age}/{100 * low:g}-{min(100 * high, 100):g}"
             for age in (*(f"{day}d" for day in DAYS[1:-1]), "far") for low, high in pairwise(DELTAS)]  # fmt: skip
    return {"all": float(values.agg(how))} | {name: float(found[name]) for name in order if name in found.index}


def unchanged_options(tracks: Sequence[Track]) -> dict[str, float]:
    """Share of one-second windows in which an option's micro-price ends exactly where it began: over all options that
    have one, the mean and the least and most of them."""
    shares = [share for share in map(unchanged, tracks) if np.isfinite(share)]
    if not shares:
        return {"mean": NAN, "least": NAN, "median": NAN, "most": NAN}
    return {"mean": float(np.mean(shares)), "least": min(shares), "median": float(np.median(shares)),
            "most": max(shares)}  # fmt: skip


# ------------------------------------------------------------ static arbitrage


def static_arbitrage(quotes: pd.DataFrame) -> dict[str, float]:
    """Counts. `mids`: mid prices of one expiry and right that do not fall (puts: rise) with the strike, or are not
    convex in it, by more than the half tick that rounding may do to each. `quotes`: the same as trades at bid and ask,
    which would be money for nothing. `fits`: butterflies and calendar crossings of the smiles fitted to the sweep's
    quotes. `checked`: how many pairs and triples were looked at."""
    mids = executable = checked = 0
    for _, rows in quotes.groupby(["sweep", "expiry", "call"], observed=True):
        both = rows[rows["bid"].notna() & rows["ask"].notna()].sort_values("strike")
        found = _slice(both, bool(rows["call"].iloc[0]))
        mids, executable, checked = mids + found[0], executable + found[1], checked + found[2]
    fits = sum(len(arbitrage.flags(surface)) for surface in surfaces(quotes))
    return {"mids": float(mids), "quotes": float(executable), "fits": float(fits), "checked": float(checked)}


def _slice(rows: pd.DataFrame, call: bool) -> tuple[int, int, int]:
    """One expiry's calls or puts, by strike, both sides quoted: (violations of mids, of quotes, checks)."""
    k, bid, ask, tick = (rows[name].to_numpy(np.float64) for name in ("strike", "bid", "ask", "tick"))
    if len(k) < 2:
        return 0, 0, 0
    mid, slack = (bid + ask) / 2.0, tick / 2.0
    rise = np.diff(mid) * (1.0 if call else -1.0)
    paid = (bid[1:] - ask[:-1]) if call else (bid[:-1] - ask[1:])
    off = int((rise > slack[1:] + slack[:-1] + 1e-12).sum())
    money = int((paid > 1e-12).sum())
    if len(k) > 2:
        left = (k[2:] - k[1:-1]) / (k[2:] - k[:-2])  # weight of the lower wing
        give = left * slack[:-2] + (1 - left) * slack[2:] + slack[1:-1]
        off += int((left * mid[:-2] + (1 - left) * mid[2:] - mid[1:-1] < -give - 1e-12).sum())
        money += int((left * ask[:-2] + (1 - left) * ask[2:] - bid[1:-1] < -1e-12).sum())
    return off, money, 2 * len(k) - 3


def surfaces(quotes: pd.DataFrame) -> Iterator[Surface]:
    """Each sweep's own, fitted to its quotes."""
    for _, sweep in quotes.groupby("sweep", observed=True):
        surface = Surface()
        for expiry, rows in sweep.groupby("expiry"):
            near = [Quote(*row) for row in _quotes(rows)]
            surface.refit(int(expiry), float(rows["forward"].median()), near, int(rows["t"].median()))
        yield surface


def _quotes(rows: pd.DataFrame) -> Iterable[tuple[float, bool, float, float, float, float]]:
    ivs = rows[["bid_iv", "ask_iv", "mark_iv"]].fillna({"bid_iv": 0.0, "ask_iv": 9.99, "mark_iv": 0.0})
    table: Floats = np.column_stack([rows["strike"], rows["call"].astype(float), ivs, rows["forward"]])
    return ((row[0], bool(row[1]), row[2], row[3], row[4], row[5]) for row in table.tolist())
