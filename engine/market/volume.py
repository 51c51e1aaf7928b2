"""What others have traded of each instrument, as it can be asked about: between any two times of the last day.

Blocks, RFQs and combos are not counted, nor are our own fills. Those are told twice, as a print and as a fill, in
either order: whichever comes first is remembered until the other does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from engine.domain import DAY_NS, NS

RECENT = 500  # prints, and fills of ours, that wait for their twin
KEPT_NS = DAY_NS + 60 * NS


class Volume:
    """By instrument: lots, and lots × units, added up to the end of each second with a print in it."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._totals: dict[str, list[int]] = {}
        self._worths: dict[str, list[int]] = {}
        self._recent: dict[str, tuple[str, int, int, int]] = {}  # trade → instrument, second, lots, lots × units
        self._ours: dict[str, None] = {}  # fills of ours whose print has not come

    def add(self, t: int, name: str, lots: int, units: int, trade: str) -> None:
        """A plain print, at our own clock's `t`."""
        if trade in self._ours:
            del self._ours[trade]
            return
        times, totals = self._times.setdefault(name, []), self._totals.setdefault(name, [])
        worths = self._worths.setdefault(name, [])
        second = t // NS
        if times and times[-1] == second:
            totals[-1] += lots
            worths[-1] += lots * units
        else:
            totals.append((totals[-1] if totals else 0) + lots)
            worths.append((worths[-1] if worths else 0) + lots * units)
            times.append(second)
        self._recent[trade] = name, second, lots, lots * units
        _shorten(self._recent)
        if times[0] * NS < t - KEPT_NS:
            gone = bisect_right(times, (t - KEPT_NS) // NS) - 1  # the last before: what came after is counted from it
            del times[:gone], totals[:gone], worths[:gone]

    def own(self, trade: str) -> None:
        """This print is, or will be, a fill of ours."""
        if trade not in self._recent:
            self._ours[trade] = None
            _shorten(self._ours)
            return
        name, second, lots, worth = self._recent.pop(trade)
        times, totals, worths = self._times[name], self._totals[name], self._worths[name]
        for k in range(bisect_right(times, second - 1), len(times)):
            totals[k] -= lots
            worths[k] -= worth

    def between(self, name: str, start: int, end: int) -> int:
        """Lots of others, from `start` to `end` (ns), each to its second."""
        return self._within(self._totals, name, start, end)

    def worth(self, name: str, start: int, end: int) -> int:
        """Σ lots × units of the same."""
        return self._within(self._worths, name, start, end)

    def _within(self, sums: dict[str, list[int]], name: str, start: int, end: int) -> int:
        if name not in self._times:
            return 0
        times, rows = self._times[name], sums[name]
        before, last = (bisect_right(times, t // NS) for t in (start, end))
        return (rows[last - 1] if last else 0) - (rows[before - 1] if before else 0)

    def dump(self) -> Any:
        return {
            "times": {name: list(rows) for name, rows in self._times.items()},
            "totals": {name: list(rows) for name, rows in self._totals.items()},
            "worths": {name: list(rows) for name, rows in self._worths.items()},
            "recent": {trade: list(row) for trade, row in self._recent.items()},
            "ours": list(self._ours),
        }

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Volume:
        self = cls()
        self._times = {name: list(rows) for name, rows in value["times"].items()}
        self._totals = {name: list(rows) for name, rows in value["totals"].items()}
        none = {name: [0] * len(rows) for name, rows in self._times.items()}  # dumps of before had no such sums
        self._worths = {name: list(rows) for name, rows in value.get("worths", none).items()}
        self._recent = {
            trade: (row[0], row[1], row[2], row[3] if len(row) > 3 else 0) for trade, row in value["recent"].items()
        }
        self._ours = dict.fromkeys(value["ours"])
        return self


def _shorten(rows: dict[str, Any]) -> None:
    if len(rows) > RECENT:
        del rows[next(iter(rows))]
