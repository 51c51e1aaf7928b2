"""Black-76 on the expiry's forward, zero rate, prices in coin (USD ÷ forward), ACT/365.

Theory of operation. With x = K/F everything in coin is a function of x, the deviation s = σ√T and the side alone:
price = ±(N(±d₁) − x N(±d₂)), d₁ = −ln(x)/s + s/2, d₂ = d₁ − s. The plural functions take and give numpy arrays (any
shapes that broadcast, float64); the singular ones are the same formulas on floats, for the hot path. Volatilities are
fractions a year (0.469), times are years, `call` is True for a call.

Implied volatility is Jäckel's "Let's be rational" (package lbriv), exact to a few rounding errors of the *time value*:
deep in the money a price knows little of its volatility. A price below intrinsic, at or above its highest possible
value, or whose time value is lost in rounding has none: NaN here (None from the scalar), never 0.

An option is delivered at an average of the last half hour (`averaged`): the variance of that average is what counts.

At expiry, and at zero volatility, a price is its intrinsic value, delta its step (one half at the strike), and gamma,
vega and theta are 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from lbriv import compute_trades_greeks
from lbriv import implied_vol as _implied_deviation
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

DAYS = 365.0
WINDOW = 0.5 / (24.0 * DAYS)  # years: the delivery price is the index's average over the last half hour
_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)  # time value below this is noise of the subtraction
_ROOT_2 = math.sqrt(2.0)
_ROOT_2PI = math.sqrt(2.0 * math.pi)


class Greeks(NamedTuple):
    """Arrays of one shape, per contract of one coin.

    `delta`: change of the USD value with the forward; `coin_delta`: the same of the coin value held, which is
    delta − coin price (the venue's "net transaction delta"); `gamma`: change of `delta` per USD of the forward;
    `vega`, `coin_vega`: USD and coin per vol point (0.01); `theta`, `coin_theta`: USD and coin per day.
    """

    price: Floats
    delta: Floats
    coin_delta: Floats
    gamma: Floats
    vega: Floats
    coin_vega: Floats
    theta: Floats
    coin_theta: Floats


def prices(forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike, call: ArrayLike) -> Floats:
    """Coin prices, as `greeks` has them in half the time. NaN where an input is NaN."""
    f, k, t, v, sign = _arrays(forward, strike, years, vol, call)
    _, _, d1, d2 = _deviates(f, k, v * np.sqrt(np.maximum(t, 0.0)))
    return np.asarray(sign * ndtr(sign * d1) - sign * (k / f) * ndtr(sign * d2))


def greeks(forward: ArrayLike, strike: ArrayLike, years: ArrayLike, vol: ArrayLike, call: ArrayLike) -> Greeks:
    """Coin prices and all greeks at once."""
    f, k, t, v, sign = _arrays(forward, strike, years, vol, call)
    root = np.sqrt(np.maximum(t, 0.0))
    live, s, d1, d2 = _deviates(f, k, v * root)
    density = np.exp(-d1 * d1 / 2.0) / _ROOT_2PI * live
    delta = sign * ndtr(sign * d1)
    price = delta - sign * (k / f) * ndtr(sign * d2)
    coin_vega = density * root / 100.0
    coin_theta = 0.0 - density * np.where(live, v, 0.0) / np.where(live, 2.0 * DAYS * root, 1.0)
    return Greeks(
        price, delta, delta - price, density / (f * s), f * coin_vega, coin_vega, f * coin_theta, coin_theta
    )  # fmt: skip


def implied_vols(price: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, call: ArrayLike) -> Floats:
    """Volatility of coin prices; NaN where there is none (see the top of the file)."""
    f, k, t, p, sign = _arrays(forward, strike, years, price, call)
    inner = np.maximum(sign * (1.0 - k / f), 0.0)
    usable = (t > 0.0) & (p - inner > np.where(inner > 0.0, _ROUNDING * p, 0.0))
    flat_p, flat_x = np.where(usable, p, np.nan).ravel(), np.where(usable, k / f, 1.0).ravel()
    ones, calls = np.ones_like(flat_p), (sign > 0.0).ravel().astype(np.int8)
    deviation, *unused = (np.empty_like(ones) for _ in range(4))
    compute_trades_greeks(flat_p, ones, flat_x, calls, ones, deviation, *unused)
    found = np.where(deviation > 0.0, deviation, np.nan).reshape(f.shape)
    return np.asarray(found / np.sqrt(np.where(usable, t, 1.0)), dtype=np.float64)


def solved(
    price: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, call: ArrayLike
) -> tuple[Floats, Greeks]:
    """Implied volatilities of coin prices, and the greeks at them; NaN in all where a price has none."""
    vol = implied_vols(price, forward, strike, years, call)
    return vol, greeks(forward, strike, years, vol, call)


class Chain(NamedTuple):
    """Of a whole chain: implied volatilities of bid, ask and mark, NaN where there is none, and greeks at the mark."""

    bid: Floats
    ask: Floats
    mark: Floats
    greeks: Greeks


def chain(
    bid: ArrayLike, ask: ArrayLike, mark: ArrayLike,
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, call: ArrayLike,
) -> Chain:  # fmt: skip
    """Bid, ask and mark of a chain at once (coin; NaN or 0 for none; shapes broadcast)."""
    b, a, m, f, k, t, c = np.broadcast_arrays(bid, ask, mark, forward, strike, years, call)
    vols = implied_vols(np.stack([b, a, m]), f, k, t, c)
    return Chain(vols[0], vols[1], vols[2], greeks(f, k, t, vols[2], c))


class Averaged(NamedTuple):
    """An option on an average, said as a plain one: in USD it is `share` plain options on `forward` of `strike`, plus
    `sure`; `expected` is the average that is expected, USD."""

    forward: Floats
    strike: Floats
    share: Floats
    sure: Floats
    expected: Floats


def averaged(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, call: ArrayLike, so_far: ArrayLike = math.nan
) -> Averaged:
    """What an option on the average of the last half hour amounts to, at the present forward.

    Inside the window τ a share e = 1 − T/τ of the average is known (`so_far`, the mean of it): what is left is (1 − e)
    of an option of the strike (K − e·so_far) / (1 − e) on the mean of the rest, whose variance is a third of the
    index's own over T. Where that strike is not above 0 a call is sure to pay, and a put not to. Two moments of a
    lognormal average (Turnbull and Wakeman 1991; Levy 1992); at the variance of half an hour their error is far below a
    tick.
    """
    f, k, t, mean, sign = _arrays(forward, strike, years, so_far, call)
    t = np.maximum(t, 0.0)
    inside = t < WINDOW
    known = np.where(inside, 1.0 - t / WINDOW, 0.0)
    rest = 1.0 - known
    seen = np.where(inside, mean, 0.0) * known
    expected, left = seen + rest * f, k - seen
    paid = (left <= 0.0) | (rest <= 0.0)
    sure = np.where(paid, np.maximum(sign * (expected - k), 0.0), 0.0)
    strike_left = np.where(paid, f, left / np.where(paid, 1.0, rest))
    return Averaged(f, strike_left, np.where(paid, 0.0, rest), sure, expected)


def price(forward: float, strike: float, years: float, vol: float, call: bool) -> float:
    """Coin price of one option."""
    sign, x, s = (1.0 if call else -1.0), strike / forward, _deviation(years, vol)
    if s <= 0.0:
        return max(sign * (1.0 - x), 0.0)
    d1 = s / 2.0 - math.log(x) / s
    return sign * (_normal(sign * d1) - x * _normal(sign * (d1 - s)))


def delta(forward: float, strike: float, years: float, vol: float, call: bool) -> float:
    """Black-Scholes delta of one option: of the USD value to the forward."""
    sign, s, log_x = (1.0 if call else -1.0), _deviation(years, vol), math.log(strike / forward)
    if s <= 0.0:
        return sign * (0.5 if log_x == 0.0 else float(sign * log_x < 0.0))
    return sign * _normal(sign * (s / 2.0 - log_x / s))


def coin_delta(forward: float, strike: float, years: float, vol: float, call: bool) -> float:
    """Delta of the coin value held: Black-Scholes delta − coin price."""
    return delta(forward, strike, years, vol, call) - price(forward, strike, years, vol, call)


def vega(forward: float, strike: float, years: float, vol: float) -> float:
    """Coin per vol point (0.01) of one option; times the forward it is USD."""
    s = _deviation(years, vol)
    if s <= 0.0:
        return 0.0
    d1 = s / 2.0 - math.log(strike / forward) / s
    return math.exp(-d1 * d1 / 2.0) / _ROOT_2PI * math.sqrt(years) / 100.0


def implied_vol(price: float, forward: float, strike: float, years: float, call: bool) -> float | None:
    """Volatility of one coin price, None where there is none."""
    sign, x = (1.0 if call else -1.0), strike / forward
    inner = max(sign * (1.0 - x), 0.0)
    if not (years > 0.0 and price - inner > (_ROUNDING * price if inner > 0.0 else 0.0)):
        return None
    found = float(_implied_deviation(price, 1.0, x, int(sign)))
    return found / math.sqrt(years) if found > 0.0 else None


def _arrays(*values: ArrayLike) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Four float arrays and the sign of the side (+1 call, −1 put), broadcast."""
    *rest, call = values
    f, k, t, v, c = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in rest), np.asarray(call, bool))
    return f, k, t, v, np.where(c, 1.0, -1.0)


def _deviates(f: Floats, k: Floats, deviation: Floats) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Whether there is time value, the deviation (1 without), d1 and d2 (infinite without)."""
    log_x = np.log(k / f)
    live = ~(deviation <= 0.0)  # NaN counts as live, and stays NaN
    s = np.where(live, deviation, 1.0)
    step = np.where(log_x == 0.0, 0.0, np.copysign(np.inf, -log_x))
    d1 = np.where(live, s / 2.0 - log_x / s, step)
    return live, s, d1, np.where(live, d1 - s, step)


def _deviation(years: float, vol: float) -> float:
    return vol * math.sqrt(years) if years > 0.0 else 0.0


def _normal(x: float) -> float:
    """The normal distribution; by erfc, which keeps its digits in the lower tail where erf has none."""
    return 0.5 * math.erfc(-x / _ROOT_2)
