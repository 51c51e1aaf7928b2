"""Self-exciting arrivals of several kinds: a Hawkes process with exponential kernels, simulated exactly.

The rate of kind i is  λᵢ(t) = a·μᵢ + Σₘ Σ_{s<t} Gᵐᵢⱼ βₘ e^{−βₘ(t−s)},  j the kind of the event at s: an event of j has
on average Σₘ Gᵐᵢⱼ children of kind i. Between events no rate grows, so that the rate now bounds the rate until the next
candidate, which is kept with probability λ(t')/bound (Ogata 1981). Sums of exponentials need only their value at the
last candidate. `a` follows the world's activity; it is held from one candidate to the next, whoever trades.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.domain import NS


class Hawkes:
    """`rates` are mean events a second by kind at a = 1; `decays` 1/s, one a scale; `children[scale][of][by]`.

    Raises ValueError when the branching is not below one or a base rate would be negative."""

    def __init__(
        self, rates: Sequence[float], decays: Sequence[float], children: Sequence[Sequence[Sequence[float]]]
    ) -> None:
        total = np.array(children).sum(axis=0)
        base = (np.eye(len(rates)) - total) @ np.array(rates)
        self.branching = float(np.abs(np.linalg.eigvals(total)).max())
        if self.branching >= 1.0 or base.min() < 0.0:
            raise ValueError(f"branching {self.branching:.2f}, base rates {base.round(3).tolist()}")
        self.base: list[float] = base.tolist()
        self.decays = tuple(decays)
        self._kick = [[[row[by] * decay for row in scale] for by in range(len(rates))]
                      for scale, decay in zip(children, decays, strict=True)]  # fmt: skip
        self.excited = [[0.0] * len(rates) for _ in decays]  # at `t`
        self.t, self.a, self.bound = 0, 1.0, 0.0

    def wait(self, t: int, draw: float, a: float) -> int:
        """The time of the next candidate after `t`, the last one's or the start."""
        self.t, self.a = t, a
        self.bound = a * sum(self.base) + sum(map(sum, self.excited))
        return t + 1 + int(-math.log(1.0 - draw) / self.bound * NS)

    def event(self, t: int, draw: float) -> int | None:
        """Which kind happens at the candidate's time `t`, and what it excites; None when the candidate falls."""
        seconds = (t - self.t) / NS
        for decay, row in zip(self.decays, self.excited, strict=True):
            keep = math.exp(-decay * seconds)
            row[:] = [keep * value for value in row]
        self.t = t
        left = draw * self.bound
        for kind, base in enumerate(self.base):
            left -= self.a * base + sum(row[kind] for row in self.excited)
            if left < 0.0:
                self._excite(kind)
                return kind
        return None

    def _excite(self, kind: int) -> None:
        for kick, row in zip(self._kick, self.excited, strict=True):
            for of, more in enumerate(kick[kind]):
                row[of] += more

    def dump(self) -> list[Any]:
        return [self.t, self.a, self.bound, [list(row) for row in self.excited]]

    def load(self, value: Sequence[Any]) -> None:
        self.t, self.a, self.bound = value[:3]
        self.excited = [list(row) for row in value[3]]
