"""How others fit one raw SVI slice: what the surface is measured beside.

Each takes log-moneynesses, IVs, half-spreads and years of one expiry, and gives the curve it would use. None looks at
arbitrage. The packages are those of `requirements-bench.txt`; `fitters` says which are here.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import least_squares, minimize

from engine.research.curves import Curve
from engine.research.intervals import Floats

Fitter = Callable[[Floats, Floats, Floats, float], Curve]

FORWARD = 60_000.0  # for packages that want strikes
LEAST_W = 1e-9


def package(name: str) -> Any | None:
    """The module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def raw(a: float, b: float, rho: float, m: float, sigma: float) -> Curve:
    """a + b (ρ (k − m) + √((k − m)² + σ²))."""
    return Curve(float(a), ((float(b * rho), float(b), float(m), abs(float(sigma))),))


def levels(curve: Curve, k: Floats) -> Floats:
    """Total variance, not below 0."""
    parts = [p * (k - m) + c * np.sqrt((k - m) ** 2 + s * s) for p, c, m, s in curve.hinges]
    return np.asarray(np.maximum(curve.a + np.sum(parts, axis=0), 0.0))


def _start(iv: Floats, years: float) -> tuple[float, float, float, float, float]:
    """a, b, ρ, m, σ of a smile of the usual shape at this level."""
    level = float(np.median(iv)) ** 2 * years
    return level / 2, math.sqrt(level) / 3, -0.1, 0.0, math.sqrt(level)


def least_squares_lm(k: Floats, iv: Floats, half: Floats, years: float) -> Curve:
    """Five parameters by MINPACK's Levenberg–Marquardt from one start: errors of IV in half-spreads."""

    def errors(p: Floats) -> Floats:
        a, b, rho, m, sigma = p
        w = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma * sigma))
        return np.asarray((np.sqrt(np.maximum(w, LEAST_W) / years) - iv) / half)

    def slopes(p: Floats) -> Floats:
        a, b, rho, m, sigma = p
        x = k - m
        root = np.sqrt(x * x + sigma * sigma)
        w = a + b * (rho * x + root)
        by_w = np.where(w > LEAST_W, 0.5 / np.sqrt(np.maximum(w, LEAST_W) * years), 0.0) / half
        by = np.stack([np.ones_like(x), rho * x + root, b * x, -b * (rho + x / root), b * sigma / root])
        return np.asarray((by * by_w).T)

    found = least_squares(errors, _start(iv, years), jac=slopes, method="lm", x_scale="jac").x
    return raw(*(float(value) for value in found))


def quasi_explicit(k: Floats, iv: Floats, half: Floats, years: float) -> Curve:
    """In two steps (De Marco and Martini 2009): Nelder–Mead over m and σ, and a, bρ and b by linear least squares."""
    w, weight = iv * iv * years, 0.5 / (iv * half * years)

    def linear(m: float, sigma: float) -> tuple[Floats, float]:
        x = k - m
        basis = np.stack([np.ones_like(x), x, np.sqrt(x * x + sigma * sigma)]) * weight
        found = np.linalg.solve(basis @ basis.T + 1e-14 * np.eye(3), basis @ (w * weight))
        off = found @ basis - w * weight
        return np.asarray(found, dtype=np.float64), float(off @ off)

    *_, m, sigma = _start(iv, years)
    best = minimize(lambda p: linear(p[0], math.exp(p[1]))[1], [m, math.log(sigma)], method="Nelder-Mead",
                    options={"xatol": 1e-5, "fatol": 1e-10})  # fmt: skip
    (a, d, c), _ = linear(best.x[0], math.exp(best.x[1]))
    c = max(float(c), 1e-9)
    return raw(a, c, max(-1.0, min(1.0, float(d) / c)), best.x[0], math.exp(best.x[1]))


def quantlib(ql: Any) -> Fitter:
    """QuantLib's own optimiser and criteria, from the same start."""

    def fit(k: Floats, iv: Floats, half: Floats, years: float) -> Curve:
        date = ql.Settings.instance().evaluationDate + round(years * 365)
        a, b, rho, m, sigma = _start(iv, years)
        strikes = (FORWARD * np.exp(k)).tolist()
        smile = ql.SviInterpolatedSmileSection(
            date, FORWARD, strikes, False, float(np.interp(0.0, k, iv)), iv.tolist(), a, b, sigma, rho, m,
            False, False, False, False, False, False,
        )  # fmt: skip
        smile.volatility(FORWARD)
        return raw(smile.a(), smile.b(), smile.rho(), smile.m(), smile.sigma())

    return fit


def volsurface(models: Any, core: Any) -> Fitter:
    """volsurface's raw SVI, as it comes."""

    def fit(k: Floats, iv: Floats, half: Floats, years: float) -> Curve:
        model = models.RawSVI()
        model.fit(core.MarketSlice(FORWARD * np.exp(k), iv, years, FORWARD, FORWARD))
        p = model.params
        return raw(p.a, p.b, p.rho, p.m, p.sigma)

    return fit


def quantkit(module: Any) -> Fitter:
    """quantkit-rs's SVI of total variance, as it comes."""

    def fit(k: Floats, iv: Floats, half: Floats, years: float) -> Curve:
        p = module.svi_fit(k, iv * iv * years)
        return raw(p["a"], p["b"], p["rho"], p["m"], p["sigma"])

    return fit


def fitters() -> dict[str, Fitter | None]:
    """Every peer by name; None where its package is not installed."""
    ql, models, core, kit = (package(n) for n in ("QuantLib", "volsurface.models", "volsurface.core", "quantkit"))
    return {
        "scipy least squares (LM)": least_squares_lm,
        "quasi-explicit (scipy)": quasi_explicit,
        "QuantLib": quantlib(ql) if ql else None,
        "volsurface": volsurface(models, core) if models and core else None,
        "quantkit-rs": quantkit(kit) if kit else None,
    }
