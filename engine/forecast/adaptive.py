"""Bands kept honest while running: each head's is stretched about its middle until it holds what comes as often as it
says (adaptive conformal inference, Gibbs and Candès 2021; tracking the scale: Angelopoulos, Candès and Tibshirani
2023).

After each outcome ln(stretch) goes up by RATE × (1 − MISS) if it fell outside, down by RATE × MISS if inside; so over
any long run of outcomes, however the market drifts, the share outside comes to MISS. Labels come late: so does this.

An outcome on the very edge of its band says nothing about its width and teaches nothing. Where nearly all outcomes are
the same number, as the cost of an option's book that stands still is, the right band is that number alone; it holds
98 % and could not hold less. Were those counted as inside, they would squeeze the bands of the moments that do move;
as it is they only keep these from being stretched to more than they were trained to be.

No library is used: MAPIE's, crepes' and PUNCC's intervals come of a fitted estimator of theirs and of arrays of
residuals, with scikit-learn and pandas beneath; here it is one number for each head and kind, moved by one label at a
time, that must replay to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from engine.domain import Kind
from engine.forecast.baseline import Band

MISS = 0.2  # bands are of 80 %
RATE = 0.02
WIDEST = 3.0  # |ln(stretch)|: beyond a factor of twenty the band says that nothing is known
EDGE = 1e-6  # ticks or per cent: so near to an edge is on it
LEAST = 0.05  # ticks or per cent by which a band without width grows as it is stretched to twice


class Stretches:
    """ln(stretch) of each head's bands, by kind of instrument; 0 to begin with."""

    def __init__(self) -> None:
        self._logs: dict[str, float] = {}

    def saw(self, head: str, kind: Kind, band: Band, y: float) -> None:
        """An outcome beside the band that was said of it."""
        if min(abs(y - band[0]), abs(y - band[2])) <= EDGE:
            return
        key, out = _key(head, kind), not band[0] <= y <= band[2]
        moved = self._logs.get(key, 0.0) + RATE * (out - MISS)
        self._logs[key] = min(max(moved, -WIDEST), WIDEST)

    def of(self, head: str, kind: Kind) -> float:
        return exp(self._logs.get(_key(head, kind), 0.0))

    def dump(self) -> dict[str, float]:
        return dict(self._logs)

    @classmethod
    def load(cls, value: Mapping[str, float]) -> Stretches:
        made = cls()
        made._logs = dict(value)
        return made


def stretched(band: Band, by: float) -> Band:
    """About the middle, which stays; a band without width can only grow."""
    lo, mid, hi = band
    more = LEAST * max(by - 1.0, 0.0)
    return mid - by * (mid - lo) - more, mid, mid + by * (hi - mid) + more


def _key(head: str, kind: Kind) -> str:
    return f"{head} {kind}"
