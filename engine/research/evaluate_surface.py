"""`evaluate surface`: the fitted surface on real chains and on a known one, in the JSON of CONTRACT.md.

The top of the table is of the 572 sweeps of 2023, with a plain fit and the venue's own marks judged by the same quotes;
beside it stand the trade-off between lying inside the quotes and lying near mid, the two snapshots of 2026, and the
synthetic case of NUMBERS.md (see `bench`).
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine import black
from engine.domain import NS, YEAR_NS
from engine.research.benchmark_row import measured
from engine.research.benchmark_surface import surface_fit
from engine.research.imports.chains import open_chains_file
from engine.research.imports.stills import parity
from engine.research.imports.surfaces import Surface as Snapshot
from engine.research.picture_surface import POINTS, Drawn
from engine.research.surface_scores import Scores, smiles_of
from engine.surface.surface import Surface

Say = Callable[[str], None]

CHAINS = "deribit_chains/btc_2023-04-12_to_14.parquet"
SNAPSHOTS = ("deribit_surface/btc_2026-08-01.json.gz", "deribit_surface/btc_2026-05-21_quotes.json")
MISSED = (0.0, 2.0, 4.0, 8.0)
TRADE_EVERY, SAY_EVERY = 8, 60
DRAWN = 300  # the sweep of the picture


def evaluate_surface(folder: Path, say: Say, every: int = 1) -> dict[str, Any]:
    """The whole table; `folder` holds the recordings of data/README.md. `every`: only each so many-th sweep. Raises
    imports.found.BadRecording where a recording cannot be read."""
    say("reading the chains")
    sweeps = list(_sweeps(folder / CHAINS, every))
    scores = _run(sweeps, say, peers=True)
    say("the proof check")
    table = scores.table()
    say("the trade-off")
    trade = [_trade(sweeps[::TRADE_EVERY], missed, say) for missed in MISSED]
    say("the snapshots of 2026, and the synthetic surface")
    return {
        "data": CHAINS, **table, "trade_off": trade,
        "snapshots_2026": {name.rpartition("/")[2]: _snapshot(folder / name) for name in SNAPSHOTS},
        "synthetic": measured(surface_fit(), "synthetic", say),
    }  # fmt: skip


def lines(table: dict[str, Any]) -> Iterator[str]:
    """The table for a person."""
    yield f"{table['snapshots']} sweeps of {table['data']}, {table['expiries']} fits, {table['quotes']} quotes"
    yield from _beside(table)
    yield f"arbitrage, decided on the whole line: {_told(table['proof'])}"
    yield f"  of the plain fit: {_told({name: table['peers']['scipy_lm'][name] for name in ('slices', 'neighbours')})}"
    yield "a fit {p50:.2f} ms (95 %: {p95:.2f})".format(**table["fit_ms"])
    yield "a surface {p50:.1f} ms (95 %: {p95:.1f})".format(**table["surface_ms"])
    for row in table["what_is_off"]["by_width"]:
        yield (
            f"quotes up to {row['up_to']:g} vol points wide ({row['share']:.1%}): ours {row['ours_vol_bp']:.1f}, "
            f"plain {row['scipy_lm_vol_bp']:.1f}, marks {row['marks_vol_bp']:.1f} vol bp off mid"
        )
    for row in table["trade_off"]:
        yield (
            f"a miss counts {1 + row['missed']:g} times: {row['inside_bid_ask']:.2%} inside, "
            f"{row['rmse_vol_bp']:.1f} vol bp off mid"
        )
    made = table["synthetic"]
    for name, each in {"ours": made["ours"], **made["peers"]}.items():
        yield f"synthetic, {name}: {each['rmse_vol_bp']:.1f} vol bp in {each['p50']:.1f} ms"


def _beside(table: dict[str, Any]) -> Iterator[str]:
    for name, each in (("ours", table), ("plain", table["peers"]["scipy_lm"]), ("marks", table["peers"]["marks"])):
        yield (
            f"{name:6} {each['inside_bid_ask']:.2%} of the liquid band inside, {each['inside_all']:.2%} of all; "
            f"{each['rmse_vol_bp']:.1f} vol bp off mid (RMS), in the wings {each['wings_rmse_vol_bp']:.0f}"
        )


def _told(proof: dict[str, dict[str, int]]) -> str:
    return "; ".join(f"{name} " + ", ".join(f"{n} {answer}" for answer, n in each.items() if n or answer == "proven")
                     for name, each in proof.items())  # fmt: skip


def drawn_sweep(folder: Path, number: int = DRAWN) -> tuple[list[Drawn], int]:
    """One sweep of the real chains as the picture shows it, fitted from nothing, and its time (ns)."""
    rows = next(itertools.islice(_sweeps(folder / CHAINS, 1), number, None))
    surface, out = Surface(), []
    smiles = smiles_of(rows)
    for smile in smiles:
        surface.refit(smile.expiry, smile.forward, smile.quotes, smile.t)
    for smile in smiles:
        fit, quoted = surface.fits[smile.expiry], smile.rows.sort_values("strike")
        if fit.source != "quotes" or quoted.empty:
            continue
        k = np.log(quoted["strike"] / quoted["forward"]).to_numpy()
        line = np.linspace(float(k.min()), float(k.max()), POINTS)
        expires = dt.datetime.fromtimestamp(smile.expiry / NS, dt.UTC)
        title = f"{expires:%d %b %Y}, {fit.years * 365:.3g} days"
        bid, ask = quoted["bid_iv"].to_numpy(), quoted["ask_iv"].to_numpy()
        out.append(Drawn(title, k, bid, ask, fit.ivs(k), line, fit.ivs(line)))
    return out, max(smile.t for smile in smiles)


def _sweeps(path: Path, every: int) -> Iterator[pd.DataFrame]:
    table = open_chains_file(path).table
    for number, (_, rows) in enumerate(table.groupby("sweep", observed=True, sort=True)):
        if number % every == 0:
            yield rows


def _run(sweeps: list[pd.DataFrame], say: Say, missed: float = 0.0, peers: bool = False) -> Scores:
    scores = Scores(missed, peers)
    for done, rows in enumerate(sweeps, 1):
        scores.take(smiles_of(rows))
        if done % SAY_EVERY == 0:
            say(f"{done} of {len(sweeps)} sweeps")
    return scores


def _trade(sweeps: list[pd.DataFrame], missed: float, say: Say) -> dict[str, Any]:
    """With quotes narrowly missed counting more; the plain fit of the same sweeps beside it."""
    table = _run(sweeps, say, missed, peers=True).table(gaps=False)
    kept = ("inside_bid_ask", "rmse_vol_bp", "wings_rmse_vol_bp", "inside_all")
    found = {name: table[name] for name in (*kept, "butterfly", "calendar")}
    return {"missed": missed, **found, "scipy_lm": {name: table["peers"]["scipy_lm"][name] for name in kept}}


def _snapshot(path: Path) -> dict[str, Any]:
    """One moment of the whole venue: forwards by parity, IVs of bid and ask by ours, and the surface through them."""
    found = Snapshot(path)
    rows = found.table[(found.table["coin"] == "BTC") & (found.table["expiry"] > found.t)].copy()
    futures = {expiry: (quotes.bid + quotes.ask) / 2 for expiry, quotes in found.forwards.items()}
    implied = {expiry: parity(chain) for expiry, chain in rows.groupby("expiry")}
    known = {expiry: implied[expiry] or futures.get(expiry) for expiry in implied}
    forwards = {expiry: forward for expiry, forward in known.items() if forward}
    rows = rows[rows["expiry"].isin(forwards)].assign(forward=lambda part: part["expiry"].map(forwards), t=found.t)
    years = (rows["expiry"] - found.t) / YEAR_NS
    stated = {name: rows[name].copy() for name in ("bid_iv", "ask_iv")}
    for name, price in (("bid_iv", "bid"), ("ask_iv", "ask")):
        rows[name] = black.implied_vols(rows[price], rows["forward"], rows["strike"], years, rows["call"])
    middle = (rows["bid_iv"] + rows["ask_iv"]) / 2
    rows["delta"] = black.greeks(rows["forward"], rows["strike"], years, middle, rows["call"]).delta
    rows["mark"] = rows["mark_iv"] = math.nan
    scores = Scores()
    scores.take(smiles_of(rows))
    off = {name: (rows[name] - stated[name]).abs().median() for name in stated}
    return {
        **scores.table(),
        "solved_vs_stated_bp": {name: None if math.isnan(v) else float(v) * 1e4 for name, v in off.items()},
    }
