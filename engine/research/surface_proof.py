"""The proof check (`proven`) on the surface's own smiles: at every expiry, between neighbours, and after the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from engine.research.curves import Curve, Smile
from engine.research.proven import blends, butterflies, crossings, lifts
from engine.research.search import Verdict
from engine.surface import between
from engine.surface.between import Rung
from engine.surface.smile import Fit
from engine.surface.svi import Slice

ANSWERS = ("proven", "refuted", "undecided")


def curve_of(piece: Slice) -> Curve:
    """A slice as the sum of hinges that its formula is."""
    left, right = (-piece.b1, piece.b1, piece.m1, piece.sigma1), (piece.b2, piece.b2, piece.m2, piece.sigma2)
    return Curve(piece.a, (left, right))


def smile_of(fit: Fit | Rung) -> Smile:
    """All that a smile is the highest of; its own slice is the first."""
    return [curve_of(piece) for piece in (fit.pieces() if isinstance(fit, Fit) else fit.slices)]


class Proofs:
    """Gathers surfaces; then says of how many smiles what is asked is proven, refuted, or neither.

    `smiles`: g ≥ 0 on the whole line, of each slice. `neighbours`: nowhere does total variance fall to the next expiry.
    `between`: g ≥ 0 for total variance linear in time, where that is how the surface fills the gap; where it blends
    prices instead (`priced`) they are convex whatever the smiles. `after`: g ≥ 0 at every height, where the last smile
    is lifted; one that is `still` stays as it is.
    """

    def __init__(self) -> None:
        self._slices: list[Curve] = []
        self._near: list[Smile] = []
        self._far: list[Smile] = []
        self._linear: list[bool] = []
        self._last: list[Curve] = []
        self._still = 0

    def take(self, fits: Sequence[Fit], rungs: Sequence[Rung]) -> None:
        """One moment: the fits, and the surface they make then."""
        self._slices += [curve_of(fit.slice) for fit in fits if fit.slice is not None]
        for near, far in pairwise(rungs):
            self._near.append(smile_of(near))
            self._far.append(smile_of(far))
            self._linear.append(between.smooth(near, far))
        for piece in rungs[-1].slices if rungs else ():
            if between.liftable(piece):
                self._last.append(curve_of(piece))
            else:
                self._still += 1

    def table(self, gaps: bool = True) -> dict[str, Any]:
        """`gaps`: whether to look between the expiries and after the last as well, which takes longer."""
        found = {"smiles": counted(butterflies(self._slices)), "neighbours": counted(crossings(self._near, self._far))}
        return {**found, **self._gaps()} if gaps else found

    def _gaps(self) -> dict[str, Any]:
        chosen = [n for n, linear in enumerate(self._linear) if linear]
        filled = blends([self._near[n] for n in chosen], [self._far[n] for n in chosen])
        return {
            "between": {**counted(filled), "priced": len(self._linear) - len(chosen)},
            "after": {**counted(lifts(self._last)), "still": self._still},
        }


def counted(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many are proven, refuted and undecided."""
    found: Counter[str] = Counter(verdict.answer for verdict in verdicts)
    return {answer: found[answer] for answer in ANSWERS}
