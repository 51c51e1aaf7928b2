"""How volume is spread over the UTC day: given as data, or learnt from prints."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec

from engine.domain import DAY_NS, HOUR_NS

BUCKETS = 24
PRIOR_HOURS = 1.0  # of trading at the mean rate, added to each bucket: a single hour seen proves little


class Profile(msgspec.Struct, frozen=True, dict=True):
    """Rates of volume in equal parts of the UTC day, in any one unit: only their ratios count."""

    rates: tuple[float, ...]

    def between(self, start: int, end: int) -> float:
        """Volume expected from `start` to `end` (ns UTC), in rate × parts."""
        return self._until(end) - self._until(start)

    def _until(self, t: int) -> float:
        """Since midnight of the epoch."""
        days, rest = divmod(t, DAY_NS)
        part, inside = divmod(rest * len(self.rates), DAY_NS)
        return days * self._sums[-1] + self._sums[part] + self.rates[part] * (inside / DAY_NS)

    @cached_property
    def _sums(self) -> list[float]:
        out = [0.0]
        for rate in self.rates:
            out.append(out[-1] + rate)
        return out


def learn(prints: Iterable[tuple[int, float]], watched: Iterable[tuple[int, int]], buckets: int = BUCKETS) -> Profile:
    """From prints (ns, size) and the stretches of time (ns, ns) in which they were watched, of one session or many.

    Each part's rate is its volume over the time watched in it, drawn to the mean rate as `PRIOR_HOURS` more at that
    rate would: a part never watched has the mean. Blocks, RFQs, combos and own fills are to be left out by the caller.
    """
    part = DAY_NS // buckets
    volume, time = [0.0] * buckets, [0.0] * buckets
    for t, size in prints:
        volume[t % DAY_NS // part % buckets] += size
    for start, end in watched:
        for k in range(start // part, -(-end // part)):
            time[k % buckets] += (min(end, (k + 1) * part) - max(start, k * part)) / HOUR_NS
    if not sum(volume) or not sum(time):
        return Profile((1.0,) * buckets)
    mean = sum(volume) / sum(time)
    rates = ((v + PRIOR_HOURS * mean) / (hours + PRIOR_HOURS) for v, hours in zip(volume, time, strict=True))
    return Profile(tuple(round(rate / mean, 4) for rate in rates))


FLAT = Profile((1.0,) * BUCKETS)
