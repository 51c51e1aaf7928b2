"""The last half hour of an expiry: options on an average of the index, part of which is known.

`black.averaged` says such an option as `share` plain ones of another strike plus what is sure. Volatility here is the
one at which these plain ones have their price over all the time left: σ²T is the variance of what is still averaged. So
it goes on from the plain IV of the minutes before, where the share was one. At its own quotes a smile of such
volatilities gives the quotes back; with the forward it moves by what is still to be averaged, and no more.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from engine import black
from engine.black import Floats
from engine.domain import DAY_NS, MINUTE_NS, YEAR_NS
from engine.surface import svi
from engine.surface.svi import MIN_LEVEL, Slice

WINDOW_NS = 30 * MINUTE_NS
AHEAD = (1.0, 0.5, 0.2)  # of the share still to be averaged: a smile must hold until delivery
REACH, POINTS = 12.0, 241  # deviations of the plain options' strikes, to each side
DULL_NS = 10 * MINUTE_NS  # with less to go a tick of price is more volatility than there is: quotes say none


def begun(expiry: int, t: int) -> bool:
    """Whether the delivery price is being made."""
    return 0 < expiry - t < WINDOW_NS


def fair(forward: float, strike: float, left: int, vol: float, call: bool, so_far: float) -> float:
    """Coin price with `left` ns to go, the average of the index so far being `so_far`; both USD."""
    share, expected, rest = _still(forward, strike, left, so_far)
    if rest <= 0.0:
        return max((1.0 if call else -1.0) * (1.0 - strike / expected), 0.0)
    return share * forward * black.price(forward, rest, left / YEAR_NS, vol, call) / expected


def vol(price: float, forward: float, strike: float, left: int, call: bool, so_far: float) -> float | None:
    """Of one coin price; None where `vols` has NaN."""
    share, expected, rest = _still(forward, strike, left, so_far)
    if rest <= 0.0:
        return None
    return black.implied_vol(price * expected / (share * forward), forward, rest, left / YEAR_NS, call)


def least_g(piece: Slice, forward: float, left: int, so_far: float) -> float:
    """The least g of the smile as the plain options have it, whose strike is K′ = (K − (1 − s)·so_far) / s: that is
    what makes prices convex in K. With k = ln(K/F) and k′ = ln(K′/F), dk/dk′ = u = s K′/K and d²k/dk′² = u (1 − u).
    On a grid, now and at shares of later."""
    least = math.inf
    for share in {ahead * min(left / WINDOW_NS, 1.0) for ahead in AHEAD}:
        k = np.linspace(-REACH, REACH, POINTS) * math.sqrt(max(piece.w(0.0), MIN_LEVEL))
        known = (1.0 - share) * so_far / forward
        strike = share * np.exp(k) + known
        u = 1.0 - known / strike
        w, slope, bend = piece.rows(np.log(strike))
        least = min(least, float(np.min(svi.g(k, np.stack([w, slope * u, bend * u * u + slope * u * (1.0 - u)])))))
    return least


def tamed(piece: Slice, forward: float, left: int, so_far: float) -> Slice:
    """As `svi.tamed`, of options on the average as well."""
    return svi.tamed(piece, lambda tried: min(svi.least_g(tried), least_g(tried, forward, left, so_far)))


def _still(forward: float, strike: float, left: int, so_far: float) -> tuple[float, float, float]:
    """As `black.averaged`, of one option: the share still to be averaged, the average expected, and the strike of the
    plain options, 0 or less where they are sure to pay or not to."""
    share = min(max(left, 0) / WINDOW_NS, 1.0)
    seen = so_far * (1.0 - share) if share < 1.0 else 0.0
    return share, seen + share * forward, (strike - seen) / share if share > 0.0 else 0.0


def greeks(forward: ArrayLike, strike: ArrayLike, left: ArrayLike, vol: ArrayLike, call: ArrayLike,
           so_far: ArrayLike = math.nan) -> black.Greeks:  # fmt: skip
    """Coin prices and all greeks with `left` ns to go; before the window the plain ones, in it they run off with what
    is still to be averaged. NaN in the window where `so_far` is.

    In coin: USD over the average expected. Theta has what the share loses as well: with x = K/F of the plain option,
    −F (N(d₁) − N(d₂)) a window, on top of the plain one's."""
    ns = np.asarray(left, dtype=np.float64)
    if not (ns < WINDOW_NS).any():
        return black.greeks(forward, strike, ns / YEAR_NS, vol, call)
    of = black.averaged(forward, strike, ns / YEAR_NS, call, so_far)
    sign = np.where(np.asarray(call, dtype=bool), 1.0, -1.0)
    plain = black.greeks(of.forward, of.strike, ns / YEAR_NS, vol, call)
    rest = np.clip(ns / WINDOW_NS, 0.0, 1.0)
    delta = plain.delta * of.share + np.where(of.sure > 0.0, sign * rest, 0.0)
    coin = (of.share * of.forward * plain.price + of.sure) / of.expected
    between = plain.delta - (plain.delta - plain.price) * of.forward / of.strike  # N(d₁) − N(d₂)
    lost = np.where((ns < WINDOW_NS) & (of.share > 0.0), of.forward * between * DAY_NS / WINDOW_NS, 0.0)
    vega, theta = plain.vega * of.share, plain.theta * of.share - lost
    return black.Greeks(
        coin, delta, delta - coin * rest, plain.gamma * of.share,
        vega, vega / of.expected, theta, theta / of.expected,
    )  # fmt: skip


def vols(prices: ArrayLike, forward: ArrayLike, strike: ArrayLike, left: ArrayLike, call: ArrayLike,
         so_far: ArrayLike) -> Floats:  # fmt: skip
    """Of coin prices; NaN where there is none, and where nothing is left to be averaged that could matter."""
    years = np.asarray(left, dtype=np.float64) / YEAR_NS
    of = black.averaged(forward, strike, years, call, so_far)
    some = of.share > 0.0
    usd = np.asarray(prices, dtype=np.float64) * of.expected - of.sure
    plain = np.where(some, usd / (np.where(some, of.share, 1.0) * of.forward), math.nan)
    return black.implied_vols(plain, of.forward, of.strike, years, call)
