"""Smiles that do not cross: total variance at equal forward-moneyness k may not fall with time.

Theory of operation. Fits are drawn apart softly: where a fresh one crosses a neighbour it is fitted once more, the
neighbours' smiles standing in as one-sided quotes (`between_walls`). What is left is taken away by construction: an
expiry's smile is the highest of its own slice and those of all nearer ones. At one k the call price rises with total
variance, so that is the highest of convex functions of the strike: it has no butterfly, and cannot fall with time.

Most slices lie below the later ones everywhere, and are proven to (`may_rise_above`), so that a fair price takes one
evaluation. Every slice is convex in k: on an interval the nearer one lies below its chord and the farther one above its
tangents (`proofs`). What these bounds cannot exclude is kept in `Fit.above`. As time passes a nearer smile's variance
runs off faster: what does not cross now does not later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from engine.domain import YEAR_NS
from engine.surface import proofs
from engine.surface.fitting import Points
from engine.surface.smile import Fit
from engine.surface.svi import Floats, Slice

WALL_POINTS = 15
WIDER = 0.5  # walls stand so much of the quoted range beyond it
CROSSED = 1e-3  # a share of total variance; less is rounding of the fits
HARDER = 0.5  # a wall counts like a quote of this many typical half-spreads


def left(fit: Fit, t: int) -> float:
    """Share of the total variance at the fit that is still to come at `t`."""
    return (fit.expiry - t) / YEAR_NS / fit.years


def seen_from(near: Fit, far: Fit, t: int) -> Slice | None:
    """The nearer fit's slice in total variance of the farther one's fit; None once it is over."""
    if near.slice is None or near.expiry <= t or far.expiry <= t:
        return None
    return near.slice.scaled(left(near, t) / left(far, t))


def may_rise_above(near: Sequence[Slice], far: Sequence[Slice]) -> list[bool]:
    """For each pair whether the nearer slice may lie above the farther one somewhere; False is proven."""
    if not near:
        return []
    n, f = (np.array([msgspec.structs.astuple(piece) for piece in pieces]) for pieces in (near, far))
    found: list[bool] = proofs.rising(n, f).tolist()
    return found


def between_walls(points: Points, fit: Fit, near: Fit | None, far: Fit | None) -> Points | None:
    """The points, and the neighbours' smiles as one-sided quotes where the fit crosses them; None where it does not.

    A neighbour stands where it was quoted itself: its guesses bend nobody."""
    if fit.slice is None or (near is None and far is None):
        return None
    wide = WIDER * (fit.highest_k - fit.lowest_k)
    k = np.linspace(fit.lowest_k - wide, fit.highest_k + wide, WALL_POINTS)
    w = fit.slice.ws(k)
    low = _wall(near, seen_from(near, fit, fit.t) if near else None, k, -math.inf)
    high = _wall(far, seen_from(far, fit, fit.t) if far else None, k, math.inf)
    stood = (low < high) & (high > 0.0)
    if not (((w < low * (1.0 - CROSSED)) | (w > high * (1.0 + CROSSED))) & stood).any():
        return None
    stood &= np.isfinite(low) | np.isfinite(high)
    low, high = low[stood], high[stood]
    bid = np.where(low > 0.0, np.sqrt(np.maximum(low, 0.0) / fit.years), -math.inf)
    scale = HARDER * float(np.median(points.scale[np.isfinite(points.mid)]))
    none = np.full(len(low), math.nan)
    walls = (k[stood], none, bid, np.sqrt(high / fit.years), np.full(len(low), scale))
    quotes = (points.k, points.mid, points.low, points.high, points.scale)
    order = np.argsort(np.concatenate([points.k, walls[0]]), kind="stable")
    return Points(*(np.concatenate([a, b])[order] for a, b in zip(quotes, walls, strict=True)))


def _wall(neighbour: Fit | None, piece: Slice | None, k: Floats, otherwise: float) -> Floats:
    if neighbour is None or piece is None:
        return np.full(len(k), otherwise)
    quoted = (neighbour.lowest_k <= k) & (k <= neighbour.highest_k)
    return np.where(quoted, piece.ws(k), otherwise)
