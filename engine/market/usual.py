"""What is usual: the median of the last ten minutes or so of something counted in ticks, of bounded memory."""

from __future__ import annotations

from typing import Any

HALF_LIFE = 6000  # steps of 100 ms
LARGEST = 1e12
MOST = 200  # ticks; more counts as so many


class Usual:
    """Half ticks → weight; each step weighs a little more than the one before, which is as if the past faded."""

    def __init__(self) -> None:
        self._weights: dict[int, float] = {}
        self._next = 1.0

    def add(self, ticks: float) -> None:
        place = min(round(2.0 * ticks), 2 * MOST)
        self._weights[place] = self._weights.get(place, 0.0) + self._next
        self._next *= 2.0 ** (1.0 / HALF_LIFE)
        if self._next > LARGEST:
            self._weights = {k: w / LARGEST for k, w in self._weights.items()}
            self._next /= LARGEST

    def median(self) -> float | None:
        """The lowest value that half of the weight is at or below; None before the first."""
        half, below = sum(self._weights.values()) / 2.0, 0.0
        for place in sorted(self._weights):
            below += self._weights[place]
            if below >= half:
                return place / 2.0
        return None

    def dump(self) -> Any:
        return {"weights": [list(row) for row in self._weights.items()], "next": self._next}

    @classmethod
    def load(cls, value: Any) -> Usual:
        self = cls()
        self._weights, self._next = dict(value["weights"]), value["next"]
        return self
