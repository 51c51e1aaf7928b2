"""The last seconds of what a model saw of one instrument: a state, and the vectors that came after it."""

from __future__ import annotations

import numpy as np

from engine.forecast.parameters import Array

SPAN = 50  # steps: at least so many are there once so many have been, and fewer than twice as many


class Past:
    """`h`, `c` (LAYERS, H) before the first of `rows`, each (F,) as the model saw it."""

    __slots__ = ("_later", "c", "h", "rows")

    def __init__(self) -> None:
        self.h: Array | None = None
        self.c: Array | None = None
        self.rows: list[Array] = []
        self._later: tuple[Array, Array] | None = None  # the state before the row number SPAN

    def add(self, h: Array, c: Array, row: Array) -> None:
        """One step: the state before it, and its vector."""
        if len(self.rows) == 2 * SPAN:
            assert self._later is not None
            (self.h, self.c), self.rows, self._later = self._later, self.rows[SPAN:], None
        if self.h is None:
            self.h, self.c = np.array(h), np.array(c)
        elif len(self.rows) == SPAN:
            self._later = np.array(h), np.array(c)
        self.rows.append(row)
