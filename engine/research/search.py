"""Is a number nowhere below 0 over a range? Adaptive bisection on enclosures of it; many questions at once.

Each question is a row of points on a line; every piece between two of them, times [0, 1] where it has a second
dimension (`deep`), is a box. A box whose enclosure is not below 0 is done; one whose middle is surely below 0 refutes;
any other is halved along the dimension in which the number changes more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.research.intervals import Floats, Interval

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

BOXES, HALVINGS, AT_ONCE = 300_000, 60, 1 << 16  # of one question; of one box; looked at in one go


class Verdict(NamedTuple):
    """`at`: where it is below 0, if it was found to be."""

    answer: Literal["proven", "refuted", "undecided"]
    at: float | None = None


class Seen(NamedTuple):
    """Of each box: a lower bound, an upper bound at its middle, and whether to halve it across, in [0, 1]."""

    low: Floats
    middle: Floats
    across: Bools


class _Boxes(NamedTuple):
    which: Ints
    k: tuple[Floats, Floats]
    share: tuple[Floats, Floats]
    halved: Ints

    def those(self, chosen: Bools | slice) -> _Boxes:
        return _Boxes(self.which[chosen], (self.k[0][chosen], self.k[1][chosen]),
                      (self.share[0][chosen], self.share[1][chosen]), self.halved[chosen])  # fmt: skip


Look = Callable[[Ints, Interval, Interval], Seen]


def search(look: Look, starts: Sequence[Floats], sure: Bools, deep: bool = False) -> list[Verdict]:
    """A verdict on each question. `look(which, k, share)` sees boxes of the questions that `which` numbers; `sure`:
    whether outside of the points there is nothing left to doubt."""
    at, doubted = np.full(len(starts), np.nan), ~sure
    seen = np.zeros(len(starts), dtype=np.intp)
    waiting = [_first(starts, deep)]
    with np.errstate(all="ignore"):
        while waiting:
            boxes = waiting.pop()
            if len(boxes.which) > AT_ONCE:
                waiting.append(boxes.those(slice(AT_ONCE, None)))
                boxes = boxes.those(slice(0, AT_ONCE))
            seen += np.bincount(boxes.which, minlength=len(starts))
            spent = (seen[boxes.which] > BOXES) | (boxes.halved > HALVINGS)
            doubted[boxes.which[spent]] = True
            boxes = boxes.those(~spent & np.isnan(at[boxes.which]))
            found = look(boxes.which, Interval(*boxes.k), Interval(*boxes.share))
            below = found.middle < 0.0
            at[boxes.which[below]] = Interval(*boxes.k).middle()[below]
            left = ~(found.low >= 0.0) & ~below
            if left.any():
                waiting.append(_halves(boxes.those(left), found.across[left]))
    return [_verdict(float(k), bool(doubt)) for k, doubt in zip(at, doubted, strict=True)]


def _verdict(at: float, doubted: bool) -> Verdict:
    if not np.isnan(at):
        return Verdict("refuted", at)
    return Verdict("undecided" if doubted else "proven")


def _first(starts: Sequence[Floats], deep: bool) -> _Boxes:
    which = np.repeat(np.arange(len(starts)), [len(points) - 1 for points in starts])
    k = np.concatenate([points[:-1] for points in starts]), np.concatenate([points[1:] for points in starts])
    return _Boxes(which, k, (np.zeros(len(which)), np.full(len(which), float(deep))), np.zeros(len(which), np.intp))


def _halves(boxes: _Boxes, across: Bools) -> _Boxes:
    k, share = Interval(*boxes.k), Interval(*boxes.share)
    half_k, half_share = k.middle(), share.middle()
    ends = (np.where(across, k.high, half_k), np.where(across, k.low, half_k))
    shares = (np.where(across, half_share, share.high), np.where(across, half_share, share.low))
    return _Boxes(
        np.concatenate([boxes.which, boxes.which]),
        (np.concatenate([k.low, ends[1]]), np.concatenate([ends[0], k.high])),
        (np.concatenate([share.low, shares[1]]), np.concatenate([shares[0], share.high])),
        np.concatenate([boxes.halved, boxes.halved]) + 1,
    )
