"""Black-76 in ninety digits, the normal distribution by its power series. Coin prices, zero rate."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import NamedTuple

DIGITS = 90
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211707")
HUNDRED, YEAR = Decimal(100), Decimal(365)


class Exact(NamedTuple):
    """Price in coin and greeks as in `engine.black.Greeks`: delta and gamma of USD, coin vega a point, theta a day."""

    price: Decimal
    delta: Decimal
    gamma: Decimal
    coin_vega: Decimal
    coin_theta: Decimal


def exactly(forward: float, strike: float, years: float, vol: float, call: bool) -> Exact:
    """The arguments are taken as the floats that they are."""
    with localcontext(Context(prec=DIGITS)):
        f, k, v, root = Decimal(forward), Decimal(strike), Decimal(vol), Decimal(years).sqrt()
        s = v * root
        d1 = (f / k).ln() / s + s / 2
        density = (-d1 * d1 / 2).exp() / (2 * PI).sqrt()
        delta = distribution(d1) if call else -distribution(-d1)
        other = distribution(d1 - s) if call else -distribution(s - d1)
        return Exact(delta - k / f * other, delta, density / (f * s), density * root / HUNDRED,
                     -density * v / (2 * YEAR * root))  # fmt: skip


def distribution(x: Decimal) -> Decimal:
    """N(x), for |x| below about 12 with twenty digits of its own size and more."""
    with localcontext(Context(prec=DIGITS)):
        term = total = x
        n = 0
        while abs(term) > Decimal("1e-80") and n < 4000:
            n += 1
            term = -term * x * x / (2 * n) * (2 * n - 1) / (2 * n + 1)
            total += term
        return Decimal("0.5") + total / (2 * PI).sqrt()


def off_by(vol: float, price: float, forward: float, strike: float, years: float, call: bool) -> float:
    """How far a volatility lies from the one of this price: one Newton step from it, in all digits."""
    with localcontext(Context(prec=DIGITS)):
        there = exactly(forward, strike, years, vol, call)
        return float((there.price - Decimal(price)) / (there.coin_vega * HUNDRED))
