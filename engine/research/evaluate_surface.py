"""`evaluate surface`: the fitted surface on real chains and on a known one, in the JSON of CONTRACT.md.

The top of the table is of the 572 sweeps of 2023; beside it stand the two snapshots of 2026, the trade-off between
lying inside the quotes and lying near mid, and the synthetic case of NUMBERS.md with a peer in the same run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from engine import black
from engine.domain import NS, YEAR_NS
from engine.research.imports.chains import open_chains_file
from engine.research.imports.surfaces import Surface as Snapshot
from engine.research.surface_scores import Scores, smiles_of
from engine.surface.forward import Pair, forward_of
from engine.surface.surface import Quote, Surface
from engine.surface.svi import Slice, least_g, raw

Say = Callable[[str], None]

CHAINS = "deribit_chains/btc_2023-04-12_to_14.parquet"
SNAPSHOTS = ("deribit_surface/btc_2026-08-01.json.gz", "deribit_surface/btc_2026-05-21_quotes.json")
MISSED = (0.0, 2.0, 4.0, 8.0)
TRADE_EVERY, SAY_EVERY = 8, 60
EXPIRIES, STRIKES, NOISE, DRAWS = 10, 30, 0.003, 12
FORWARD, NOW = 60_000.0, 1_790_000_000 * NS


def evaluate_surface(folder: Path, say: Say, every: int = 1) -> dict[str, Any]:
    """The whole table; `folder` holds the recordings of data/README.md. `every`: only each so many-th sweep. Raises
    imports.found.BadRecording where a recording cannot be read."""
    say("reading the chains")
    sweeps = list(_sweeps(folder / CHAINS, every))
    table = _run(sweeps, 0.0, say).table()
    say("the trade-off")
    trade = [_trade(sweeps[::TRADE_EVERY], missed, say) for missed in MISSED]
    say("the snapshots of 2026, and the synthetic surface")
    return {
        "data": CHAINS, **table, "trade_off": trade,
        "snapshots_2026": {name.rpartition("/")[2]: _snapshot(folder / name) for name in SNAPSHOTS},
        "synthetic": synthetic(),
    }  # fmt: skip


def lines(table: dict[str, Any]) -> Iterator[str]:
    """The table for a person."""
    yield f"{table['snapshots']} sweeps of {table['data']}, {table['expiries']} fits, {table['quotes']} quotes"
    yield f"inside bid and ask: {table['inside_bid_ask']:.2%} of the liquid band, {table['inside_all']:.2%} of all"
    yield f"off mid (RMS): {table['rmse_vol_bp']:.1f} vol bp, in the wings {table['wings_rmse_vol_bp']:.0f}"
    yield f"butterflies {table['butterfly']}, calendars {table['calendar']}"
    yield "a fit {p50:.2f} ms (95 %: {p95:.2f})".format(**table["fit_ms"])
    yield "a surface {p50:.1f} ms (95 %: {p95:.1f})".format(**table["surface_ms"])
    for row in table["trade_off"]:
        yield (
            f"a miss counts {1 + row['missed']:g} times: {row['inside_bid_ask']:.2%} inside, "
            f"{row['rmse_vol_bp']:.1f} vol bp off mid"
        )
    made = table["synthetic"]
    yield f"synthetic: {made['ours']['rmse_vol_bp']:.1f} vol bp in {made['ours']['ms']:.1f} ms"
    yield f"  scipy {made['scipy']['rmse_vol_bp']:.1f} vol bp in {made['scipy']['ms']:.1f} ms"


def _sweeps(path: Path, every: int) -> Iterator[pd.DataFrame]:
    table = open_chains_file(path).table
    for number, (_, rows) in enumerate(table.groupby("sweep", observed=True, sort=True)):
        if number % every == 0:
            yield rows


def _run(sweeps: list[pd.DataFrame], missed: float, say: Say) -> Scores:
    scores = Scores(missed)
    for done, rows in enumerate(sweeps, 1):
        scores.take(smiles_of(rows))
        if done % SAY_EVERY == 0:
            say(f"{done} of {len(sweeps)} sweeps")
    return scores


def _trade(sweeps: list[pd.DataFrame], missed: float, say: Say) -> dict[str, Any]:
    table = _run(sweeps, missed, say).table()
    kept = ("inside_bid_ask", "rmse_vol_bp", "wings_rmse_vol_bp", "inside_all", "butterfly", "calendar")
    return {"missed": missed, **{name: table[name] for name in kept}}


def _snapshot(path: Path) -> dict[str, Any]:
    """One moment of the whole venue: forwards by parity, IVs of bid and ask by ours, and the surface through them."""
    found = Snapshot(path)
    rows = found.table[(found.table["coin"] == "BTC") & (found.table["expiry"] > found.t)].copy()
    futures = {expiry: (quotes.bid + quotes.ask) / 2 for expiry, quotes in found.forwards.items()}
    implied = {expiry: _parity(chain) for expiry, chain in rows.groupby("expiry")}
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


def _parity(chain: pd.DataFrame) -> float | None:
    sides = {call: part.set_index("strike")[["bid", "ask"]] for call, part in chain.groupby("call")}
    if len(sides) < 2:
        return None
    both = sides[True].add_suffix("_call").join(sides[False].add_suffix("_put"), how="inner").dropna()
    return forward_of([Pair(float(str(strike)), *row) for strike, row in zip(both.index, both.to_numpy(), strict=True)])


# ------------------------------------------------------------ a surface that is known


def synthetic(draws: int = DRAWS, seed: int = 7) -> dict[str, Any]:
    """10 expiries × 30 strikes with 30 vol bp of noise: error to the truth and time, ours and a plain scipy fit's."""
    draw = np.random.default_rng(seed)
    ours, peer, off, peer_off, broken, peer_broken = [], [], [], [], 0, 0
    surface = Surface()
    for n in range(draws):
        chains = [_chain(draw, number) for number in range(EXPIRIES)]
        began = time.process_time()
        fits = [surface.refit(expiry, FORWARD, quotes, NOW + n * NS) for expiry, quotes, *_ in chains]
        ours.append((time.process_time() - began) * 1e3)
        began = time.process_time()
        plain = [_plain(k, mid, (expiry - NOW) / YEAR_NS) for expiry, _, k, mid, _ in chains]
        peer.append((time.process_time() - began) * 1e3)
        for fit, other, (expiry, _, k, _, truth) in zip(fits, plain, chains, strict=True):
            off.append(fit.ivs(k) - truth)
            peer_off.append(np.sqrt(np.maximum(other.ws(k), 0.0) / ((expiry - NOW) / YEAR_NS)) - truth)
            broken += fit.slice is None or least_g(fit.slice) < 0.0
            peer_broken += least_g(other) < 0.0
    return {
        "ours": {"rmse_vol_bp": _rms(off), "ms": float(np.median(ours)), "butterfly": int(broken)},
        "scipy": {"rmse_vol_bp": _rms(peer_off), "ms": float(np.median(peer)), "butterfly": int(peer_broken)},
    }


def _chain(draw: np.random.Generator, number: int) -> tuple[int, list[Quote], np.ndarray, np.ndarray, np.ndarray]:
    """Expiry, quotes, log-moneynesses, mids and true IVs of a smile of the usual shape."""
    years = (7 / 365, 14 / 365, 21 / 365, 30 / 365, 60 / 365, 91 / 365, 0.4, 0.6, 0.8, 1.0)[number]
    total = 0.3 * years
    b, sigma = 0.315 * math.sqrt(total), 0.6 * total / (0.315 * math.sqrt(total))
    truth = raw(a=0.4 * total, b=b, rho=-0.3, m=0.0, sigma=sigma)
    k = np.linspace(-1.5, 1.5, STRIKES) * math.sqrt(total)
    iv = np.sqrt(truth.ws(k) / years)
    mid = iv + draw.normal(0.0, NOISE, STRIKES)
    rows = zip(k.tolist(), mid.tolist(), strict=True)
    quotes = [Quote(FORWARD * math.exp(x), x >= 0.0, v - 0.005, v + 0.005, v) for x, v in rows]
    return NOW + round(years * YEAR_NS), quotes, k, mid, iv


def _plain(k: np.ndarray, mid: np.ndarray, years: float) -> Slice:
    """Least squares of five parameters by MINPACK's Levenberg–Marquardt, from one start."""
    level = float(np.median(mid)) ** 2 * years

    def errors(p: np.ndarray) -> np.ndarray:
        w = p[0] + p[1] * (p[2] * (k - p[3]) + np.sqrt((k - p[3]) ** 2 + p[4] ** 2))
        return np.asarray(np.sqrt(np.maximum(w, 1e-9) / years) - mid)

    start = [level / 2, math.sqrt(level) / 3, -0.1, 0.0, math.sqrt(level)]
    a, b, rho, m, sigma = (float(each) for each in least_squares(errors, start, method="lm").x)
    return raw(a=a, b=b, rho=rho, m=m, sigma=abs(sigma))


def _rms(off: list[np.ndarray]) -> float:
    return float(np.sqrt(np.mean(np.concatenate(off) ** 2))) * 1e4
