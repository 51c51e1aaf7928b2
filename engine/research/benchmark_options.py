"""`iv_chain`: implied volatility with delta, gamma and vega of 1,000 options, from their prices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from engine import black
from engine.research.benchmark_row import Row, Table, Work
from engine.research.intervals import Floats
from engine.research.svi_peers import FORWARD, package
from engine.research.synthetic import known

ROUNDS, STRIKES, REACH = 60, 50, 2.0
WRONG = 1e-6


class Chain(NamedTuple):
    """Calls and puts at every strike. `coin` are prices in coin, `usd` the same in USD, `iv` what they were made of."""

    strike: Floats
    years: Floats
    call: np.ndarray[Any, np.dtype[np.bool_]]
    coin: Floats
    usd: Floats
    iv: Floats


def iv_chain() -> Row:
    draw = np.random.default_rng(11)
    ql, vop, lbriv, kit = (package(name) for name in ("QuantLib", "vanilla_option_pricers", "lbriv", "quantkit"))
    vollib = package("vollib.black.implied_volatility"), package("vollib.black.greeks.analytical")
    peers = {
        "vollib": _vollib(*vollib) if all(vollib) else None,
        "QuantLib": _quantlib(ql) if ql else None,
        "vanilla-option-pricers": _pricers(vop) if vop else None,
        "quantkit-rs": _quantkit(kit) if kit else None,
        "lbriv, bare": _lbriv(lbriv),
    }
    return Row("µs", [chain(draw) for _ in range(ROUNDS)], _ours, peers, _judged)


def chain(draw: np.random.Generator) -> Chain:
    """1,000 options of ten expiries, both sides, as far out as two deviations."""
    parts = []
    for smile in known(draw):
        reach = REACH * math.sqrt(float(np.median(smile.truth)) ** 2 * smile.years)
        k = np.linspace(-reach, reach, STRIKES)
        parts.append((FORWARD * np.exp(k), np.full(STRIKES, smile.years), np.interp(k, smile.k, smile.mid)))
    strike, years, iv = (np.concatenate([np.concatenate([part[n], part[n]]) for part in parts]) for n in range(3))
    call = np.tile(np.repeat([True, False], STRIKES), len(parts))
    coin = black.prices(FORWARD, strike, years, iv, call)
    return Chain(strike, years, call, coin, coin * FORWARD, iv)


def _judged(inputs: Sequence[Chain], made: Sequence[Floats]) -> Table:
    off = np.abs(np.array([np.asarray(vol) for vol in made]) - np.array([given.iv for given in inputs]))
    found = off[np.isfinite(off)]
    return {"largest_error": float(found.max()), "wrong": int((~(off < WRONG)).sum() / len(inputs))}


def _ours(given: Chain) -> Floats:
    vol, _ = black.solved(given.coin, FORWARD, given.strike, given.years, given.call)
    return vol


def _lbriv(module: Any) -> Work:
    """The package ours stands on, without what makes it safe: no prices that have no volatility are looked for."""

    def work(given: Chain) -> Floats:
        out = [np.empty_like(given.coin) for _ in range(4)]
        ones = np.ones_like(given.coin)
        module.compute_trades_greeks(given.coin, ones, given.strike / FORWARD, given.call.astype(np.int8), ones, *out)
        return np.asarray(out[0] / np.sqrt(given.years))

    return work


def _vollib(implied: Any, greeks: Any) -> Work:
    def work(given: Chain) -> Floats:
        vols = []
        rows = zip(given.usd.tolist(), given.strike.tolist(), given.years.tolist(), given.call.tolist(), strict=True)
        for price, strike, years, call in rows:
            side = "c" if call else "p"
            vol = implied.implied_volatility(price, FORWARD, strike, 0.0, years, side)
            for greek in (greeks.delta, greeks.gamma, greeks.vega):
                greek(side, FORWARD, strike, years, 0.0, vol)
            vols.append(vol)
        return np.array(vols)

    return work


def _quantlib(ql: Any) -> Work:
    def work(given: Chain) -> Floats:
        vols = []
        rows = zip(given.usd.tolist(), given.strike.tolist(), given.years.tolist(), given.call.tolist(), strict=True)
        for price, strike, years, call in rows:
            side = ql.Option.Call if call else ql.Option.Put
            deviation = ql.blackFormulaImpliedStdDev(side, strike, FORWARD, price, 1.0, 0.0, 0.6 * years**0.5, 1e-12)
            found = ql.BlackCalculator(ql.PlainVanillaPayoff(side, strike), FORWARD, deviation)
            found.deltaForward(), found.gammaForward(), found.vega(years)
            vols.append(deviation / math.sqrt(years))
        return np.array(vols)

    return work


def _pricers(module: Any) -> Work:
    """In a compiled loop over its scalar functions, which is how it is fastest."""
    from numba import njit

    solve, delta = module.infer_bsm_implied_vol, module.compute_bsm_vanilla_delta
    gamma, vega = module.compute_bsm_vanilla_gamma, module.compute_bsm_vanilla_vega

    @njit  # type: ignore[untyped-decorator, unused-ignore]
    def loop(usd: Any, strike: Any, years: Any, call: Any, out: Any) -> None:
        for n in range(len(usd)):
            side = "C" if call[n] else "P"
            vol = solve(FORWARD, years[n], strike[n], usd[n], 1.0, side)
            out[0, n] = vol
            out[1, n] = delta(years[n], FORWARD, strike[n], vol, side, 1.0)
            out[2, n] = gamma(years[n], FORWARD, strike[n], vol)
            out[3, n] = vega(years[n], FORWARD, strike[n], vol, 1.0)

    def work(given: Chain) -> Floats:
        out = np.empty((4, len(given.usd)))
        loop(given.usd, given.strike, given.years, given.call, out)
        return np.asarray(out[0])

    return work


def _quantkit(module: Any) -> Work:
    """Calls and puts apart, as it takes them."""

    def work(given: Chain) -> Floats:
        out = np.empty_like(given.usd)
        for call in (True, False):
            these = given.call == call
            usd, strike, years = given.usd[these], given.strike[these], given.years[these]
            out[these] = vol = module.implied_vol_batch(usd, FORWARD, strike, 0.0, years, call, errors="nan")
            module.bs_greeks_batch(FORWARD, strike, 0.0, vol, years, call, errors="nan")
        return out

    return work
