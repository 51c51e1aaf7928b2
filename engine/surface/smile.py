"""One expiry's smile as fitted.

A smile is only ever as good as its `Fit.note`: empty, or in words why the quotes did not carry it, and what stands in.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np

from engine.surface import doubt
from engine.surface.fitting import Points
from engine.surface.svi import Floats, Slice

HELD = 0.5  # share of the quotes that must hold a smile for it to be called theirs; real ones never were below 0.7


class Above(msgspec.Struct, frozen=True):
    """A nearer expiry's slice, in total variance of the farther one's."""

    expiry: int
    slice: Slice


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A smile as fitted at `t` (ns) with `forward` and `years` of then; `slice` is None where nothing is known.

    `source`: what carries it: enough two-sided quotes (now or, see `note`, a while ago), the venue's marks, or nothing
    but a level. `rms_bp`: against the mids it was fitted to, vol basis points. `inside`: share of those whose bid and
    ask hold it. `quotes`: how many. `above`: nearer smiles that may lie above this one somewhere (usually none); the
    smile is the highest of them and the slice, see `calendar`. `doubt`: see `doubt.of`; empty where nothing is known.
    """

    expiry: int
    slice: Slice | None
    forward: float
    years: float
    t: int
    source: Literal["quotes", "marks", "flat", "none"] = "none"
    rms_bp: float | None = None
    inside: float | None = None
    quotes: int = 0
    above: tuple[Above, ...] = ()
    doubt: tuple[float, ...] = ()
    lowest_k: float = 0.0  # the quoted range of log-moneyness; outside it is extrapolation
    highest_k: float = 0.0
    note: str = ""

    def iv(self, k: float) -> float | None:
        """IV at log-moneyness `k`, a fraction."""
        piece = self.piece(k)
        return None if piece is None else piece.iv(k, self.years)

    def piece(self, k: float) -> Slice | None:
        """The slice that carries the smile at `k`, in total variance of the time of the fit."""
        if not self.above or self.slice is None:
            return self.slice
        return max(self.pieces(), key=lambda piece: piece.w(k))

    def pieces(self) -> tuple[Slice, ...]:
        """The slices that the smile is the highest of."""
        return () if self.slice is None else (self.slice, *(each.slice for each in self.above))

    def ivs(self, k: Floats) -> Floats:
        """IVs at many log-moneynesses, of any shape; NaN where no smile is known."""
        pieces = self.pieces()
        if not pieces:
            return np.full(np.shape(k), math.nan)
        w = np.max([piece.ws(np.ravel(k)) for piece in pieces], axis=0)
        return np.asarray(np.sqrt(np.maximum(w, 0.0) / self.years)).reshape(np.shape(k))

    def error(self, k: float) -> float | None:
        """Standard error of the IV at `k`, a fraction; None where nothing is known of it. It grows where quotes are
        thin, and outside them."""
        return None if self.slice is None or not self.doubt else doubt.at(self.doubt, self.slice, k, self.years)

    @property
    def atm_iv(self) -> float | None:
        """IV at the forward."""
        return self.iv(0.0)

    @property
    def skew(self) -> float | None:
        """Slope of IV at the forward, per 10 % of log-moneyness: −0.02 is two vol points less at k = 0.1."""
        piece = self.piece(0.0)
        return None if piece is None else 0.1 * self._slope(piece)

    @property
    def curvature(self) -> float | None:
        """Second derivative of IV at the forward, per (10 % of log-moneyness)²."""
        piece = self.piece(0.0)
        if piece is None:
            return None
        deviation = math.sqrt(max(piece.w(0.0), 1e-12) * self.years)
        slope = self._slope(piece)
        return 0.01 * (piece.bend(0.0) / 2.0 - self.years * slope * slope) / deviation

    def _slope(self, piece: Slice) -> float:
        return piece.slope(0.0) / (2.0 * math.sqrt(max(piece.w(0.0), 1e-12) * self.years))


def measured(blank: Fit, piece: Slice, points: Points) -> Fit:
    """The slice and how well it holds the two-sided quotes."""
    two = np.isfinite(points.mid)
    iv = np.sqrt(np.maximum(piece.ws(points.k[two]), 0.0) / blank.years)
    rms = float(np.sqrt(np.mean((iv - points.mid[two]) ** 2)))
    inside = float(np.mean((points.low[two] <= iv) & (iv <= points.high[two])))
    astray = inside < HELD
    return msgspec.structs.replace(
        ranged(blank, points),
        slice=piece,
        source="quotes",
        rms_bp=rms * 1e4,
        inside=inside,
        quotes=int(two.sum()),
        doubt=doubt.of(piece, points, blank.years, rms if astray else 0.0),
        note=f"the quotes are not of one smile: {inside:.0%} hold it" if astray else "",
    )


def ranged(blank: Fit, points: Points) -> Fit:
    """With the range of the two-sided quotes, of which there must be one."""
    k = points.k[np.isfinite(points.mid)]
    return msgspec.structs.replace(blank, lowest_k=float(k.min()), highest_k=float(k.max()))
