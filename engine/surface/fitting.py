"""From quotes of one expiry to its SVI slice.

Theory of operation. The errors are those that matter: total variance against the mid's, in half-spreads. `descent`
finds the least of their squares; around it the weights are set anew a few times from the errors so far: a quote missed
by many half-spreads counts little, a one-sided quote only counts while the fit is on its wrong side. With `missed`
above 0 a quote narrowly missed counts more than one that is held: more of them are inside, and the fit is farther from
mid (`evaluate surface` shows how these two pull apart).

A fit starts from the last one. Where that leads to within the quotes it is done; else, and at first, a coarse grid of
pairs (m, σ) is solved as one stack of 3 × 3 systems and the cheapest is the start. After each round of robust weights
comes the grid anew: a smile that has bent towards an outlier stays bent.

A slice with a butterfly is fitted once more with g as a penalty where it is negative (`guarded`); what the penalty
leaves is taken away by `svi.tamed`. Deterministic throughout.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.surface import guarded
from engine.surface.descent import MIN_B, MIN_SIGMA, Five, allowed, descend
from engine.surface.svi import SAFE_G, Slice, least_g, tamed

Floats = NDArray[np.float64]

OUTLIER = 4.0  # half-spreads off mid from which on a quote counts less the farther it is
ROBUST, ROBUST_ROUNDS, ROUNDS, GUARDED_ROUNDS = 4.0, 2, 3, 2
LED = 0.8  # a start from the last fit that leads to less than this share of the quotes inside is not trusted alone
SETTLED, CALM = 0.2, 2.0  # half-spreads: changes of errors, and errors, that move no weight to speak of


class Points(msgspec.Struct, frozen=True):
    """Quotes as arrays of one length, fractions a year. `mid` is NaN where only one side is quoted; the missing side
    is −inf or inf. `scale` is the half-spread, above 0. At least one point must have a mid."""

    k: Floats
    mid: Floats
    low: Floats
    high: Floats
    scale: Floats


def fit(points: Points, years: float, last: Slice | None = None, missed: float = 0.0) -> Slice:
    """The slice nearest to the quotes with g ≥ 0 on the whole line. Wants five mids or more to mean anything."""
    target = Target(points, years, missed)
    found: Five | None = None
    if last is not None and last.b > MIN_B:
        found = _rounds((last.a, last.rho * last.b, last.b, last.m, last.sigma), target)
    if found is None or target.held(found) < LED:
        cold = _rounds(_cold(target), target)
        if found is None or target.cost(cold) < target.cost(found):
            found = cold
    piece = slice_of(found)
    if least_g(piece) >= SAFE_G:
        return piece
    return tamed(slice_of(_guarded(found, target, last)))


def _guarded(found: Five, target: Target, last: Slice | None) -> Five:
    """The fit without butterflies; outliers are those of the best fit that has some."""
    two = target.two
    off = np.abs(target.errors(found)[0])
    k, w, weight = target.trusted(off, target.mid)
    q = guarded.start(k[two], w[two], weight[two], last)
    for _ in range(GUARDED_ROUNDS):
        q = guarded.descend(q, *target.seen(*target.errors(q)))
    return q


class Target:
    """What a fit is made to, in total variance, with room for the errors of the last look."""

    def __init__(self, points: Points, years: float, missed: float) -> None:
        self.k, self.years, self.missed = points.k, years, missed
        self.low, self.high = points.low, points.high
        self.two = np.isfinite(points.mid)
        self.mid = points.mid
        self.scale = points.scale
        self.whole = bool(self.two.all())

    def errors(self, q: Five) -> tuple[Floats, Floats]:
        """IV against what the quotes want, in half-spreads; and what they want."""
        a, d, c, m, sigma = q
        x = self.k - m
        w = a + d * x + c * np.sqrt(x * x + sigma * sigma)
        iv = np.sqrt(np.maximum(w, 1e-12) / self.years)
        wanted = (
            self.mid if self.whole else np.where(self.two, self.mid, np.minimum(np.maximum(iv, self.low), self.high))
        )
        return np.asarray((iv - wanted) / self.scale), wanted

    def seen(self, error: Floats, wanted: Floats) -> tuple[Floats, Floats, Floats]:
        """What pulls on a fit that is now so far off: see `trusted`; one-sided quotes only on the wrong side of it."""
        found = self.trusted(np.abs(error), wanted)
        if self.whole:
            return found
        pulls = self.two | (error != 0.0)
        return found[0][pulls], found[1][pulls], found[2][pulls]

    def trusted(self, off: Floats, wanted: Floats) -> tuple[Floats, Floats, Floats]:
        """Log-moneynesses, total variances wanted there, and weights that turn errors of those into half-spreads of
        IV, each trusted as it deserves that is so far off."""
        weight = np.sqrt(_trust(off, self.missed)) * 0.5 / (wanted * self.scale * self.years)
        return self.k, wanted * wanted * self.years, weight

    def held(self, q: Five) -> float:
        """Share of the two-sided quotes that hold the fit."""
        return float(np.mean(np.abs(self.errors(q)[0][self.two]) <= 1.0))

    def cost(self, q: Five) -> float:
        """Squared half-spreads, of which a quote has so many at most."""
        return float(np.sum(np.minimum(np.abs(self.errors(q)[0]), ROBUST) ** 2))


def _rounds(q: Five, target: Target) -> Five:
    """The fit from here."""
    before: Floats | None = None
    for _ in range(ROUNDS):
        error, wanted = target.errors(q)
        if before is not None and _settled(error, before):
            break
        before = error
        q, _ = descend(q, *target.seen(error, wanted))
    return q


def _settled(error: Floats, before: Floats) -> bool:
    """Whether another round would weigh the quotes as the last one did."""
    if ((error != 0.0) != (before != 0.0)).any():
        return False  # another one-sided quote pulls
    calm = max(float(np.abs(error).max()), float(np.abs(before).max())) < CALM
    return calm or float(np.abs(error - before).max()) < SETTLED


def _trust(off: Floats, missed: float) -> Floats:
    """Weight of squared errors, by their size in half-spreads; where the whole smile has moved, in medians of it."""
    usual = OUTLIER * max(1.0, float(np.partition(off, len(off) // 2)[len(off) // 2]))
    pulled = 1.0 + missed * np.maximum(1.0 - 1.0 / np.maximum(off, 1.0), 0.0)
    return np.asarray(pulled / (1.0 + (off / usual) ** 4))


def _cold(target: Target) -> Five:
    """A start from nothing but the quotes."""
    two = target.two
    k, mid, scale = target.k[two], target.mid[two], target.scale[two]
    w, weight = mid * mid * target.years, 0.5 / (mid * scale * target.years)
    q, _ = descend(_grid(k, w, weight), k, w, weight)
    for _ in range(ROBUST_ROUNDS):
        off = np.abs(target.errors(q)[0][two])
        if float(off.max()) <= ROBUST:
            break
        tamer = weight / np.sqrt(1.0 + (off / ROBUST) ** 2)
        q, _ = descend(_grid(k, w, tamer), k, w, tamer)
    return q


def _grid(k: Floats, w: Floats, weight: Floats) -> Five:
    """The best pair of a grid on the scale of the quotes, with its linear three."""
    low, span = float(k.min()), max(float(k.max() - k.min()), 1e-2)
    m, sigma = low + span * np.linspace(0.1, 0.9, 5), np.maximum(span * np.geomspace(0.02, 0.8, 6), MIN_SIGMA)
    params, cost = guarded.lined(np.stack(np.meshgrid(m, sigma), axis=-1).reshape(-1, 2), k, w, weight)
    return guarded.five(params[:, int(np.argmin(cost))])


def slice_of(q: Five) -> Slice:
    a, d, c, m, sigma = q
    a, d, c = allowed(a, d, c, sigma)
    return Slice(a=a, b=c, rho=max(-1.0, min(1.0, d / c)), m=m, sigma=sigma)
