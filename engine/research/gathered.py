"""Statistics of more than fits in memory: moments by merging, quantiles of a thinned-out sample. Deterministic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.research.track import Floats

MOST = 4_000_000  # values kept of one quantity


class Spread:
    """Mean and deviation of columns, from one pass over batches of rows (Chan, Golub and LeVeque 1979)."""

    def __init__(self) -> None:
        self.n = 0
        self.mean: Floats = np.zeros(0)
        self._squares: Floats = np.zeros(0)

    def add(self, rows: NDArray[np.float32]) -> None:
        """(N, F)."""
        if not len(rows):
            return
        values = rows.astype(np.float64)
        mean, n = values.mean(axis=0), len(rows)
        squares = ((values - mean) ** 2).sum(axis=0)
        if not self.n:
            self.n, self.mean, self._squares = n, mean, squares
            return
        away, total = mean - self.mean, self.n + n
        self._squares = self._squares + squares + away * away * (self.n * n / total)
        self.mean = self.mean + away * (n / total)
        self.n = total

    @property
    def deviation(self) -> Floats:
        out: Floats = np.sqrt(self._squares / max(self.n, 1))
        return out


class Thinned:
    """All rows, or every second, every fourth … of them once they are too many."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._every, self._seen, self._count = 1, 0, 0
        self._parts: list[Any] = []

    def add(self, rows: NDArray[Any]) -> None:
        """(N, …)."""
        kept = rows[-self._seen % self._every :: self._every]
        self._parts.append(kept)
        self._seen, self._count = self._seen + len(rows), self._count + len(kept)
        while self._count > self.most:
            self._every *= 2
            self._parts = [self.values[::2]]
            self._count = len(self._parts[0])

    @property
    def values(self) -> NDArray[Any]:
        return np.concatenate(self._parts) if self._parts else np.zeros(0)


class Sample(Thinned):
    """Values that are known."""

    def add(self, rows: NDArray[Any]) -> None:
        super().add(rows[~np.isnan(rows)])
