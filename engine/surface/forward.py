"""The forward of an expiry: what its future says, what its options imply, and how far these are apart.

Put–call parity in coin (zero rate): c − p = 1 − K/F, so F = K / (1 − (c − p)) at each strike with both sides quoted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

MARKED, DRIFT = 1e-4, 0.9e-4  # of a forward that is only said: its smoothing, and 50 % a year over √s of age
NARROWEST = 1e-4  # coin: nobody's quotes are taken as more exact than one tick


class Pair(msgspec.Struct, frozen=True):
    """A call and a put of one strike, best quotes in coin; None or 0 where a side is empty."""

    strike: float
    call_bid: float | None
    call_ask: float | None
    put_bid: float | None
    put_ask: float | None


def forward_of(pairs: Sequence[Pair]) -> float | None:
    """The median of what each fully quoted strike implies, weighted by 1/width; None if no strike is.

    The width is that of the band of forwards between buying and selling the synthetic at the quotes. A median, because
    one stale quote may not move it; crossed quotes are left out.
    """
    implied: list[tuple[float, float]] = []
    for pair in pairs:
        if pair.call_bid and pair.call_ask and pair.put_bid and pair.put_ask:
            difference = (pair.call_bid + pair.call_ask - pair.put_bid - pair.put_ask) / 2.0
            width = max(pair.call_ask - pair.call_bid + pair.put_ask - pair.put_bid, NARROWEST)
            sound = pair.call_bid <= pair.call_ask and pair.put_bid <= pair.put_ask and difference < 1.0
            if sound:
                forward = pair.strike / (1.0 - difference)
                implied.append((forward, pair.strike / (width * forward * forward)))  # dF = F²/K · d(c − p)
    return _median(sorted(implied))


def _median(weighted: Sequence[tuple[float, float]]) -> float | None:
    """The first of sorted (value, weight) that has half of the weight at or below it."""
    left = sum(weight for _, weight in weighted) / 2.0
    for value, weight in weighted:
        left -= weight
        if left <= 0.0:
            return value
    return None


class Source(msgspec.Struct, frozen=True):
    """One opinion of a forward, USD, and by how much it may be off (half its band of quotes)."""

    name: str
    forward: float
    half: float


class Forward(msgspec.Struct, frozen=True):
    """The forward agreed on, how far each source is from it (`off_bp`, in the order of `sources`), and the widest
    disagreement between two of them, all in basis points."""

    value: float
    sources: tuple[Source, ...]
    off_bp: tuple[float, ...]
    apart_bp: float


def of_future(bid: float | None, ask: float | None) -> Source | None:
    """A future's or the perpetual's opinion; None unless both sides are quoted, uncrossed."""
    if not bid or not ask or not 0.0 < bid <= ask:
        return None
    return Source("future", (bid + ask) / 2.0, (ask - bid) / 2.0)


def of_parity(pairs: Sequence[Pair]) -> Source | None:
    """What the options imply; the half band is that of the narrowest synthetic, for a median of several is no worse."""
    value = forward_of(pairs)
    widths = [
        pair.call_ask - pair.call_bid + pair.put_ask - pair.put_bid
        for pair in pairs
        if pair.call_bid and pair.call_ask and pair.put_bid and pair.put_ask
    ]
    if value is None:
        return None
    return Source("parity", value, max(min(width for width in widths if width >= 0.0), NARROWEST) * value / 2.0)


def of_ticker(forward: float | None, age_s: float) -> Source | None:
    """What the venue itself says on an option's ticker. It has no band: the older, the farther it may be off."""
    if not forward or not forward > 0.0:
        return None
    return Source("ticker", forward, forward * max(MARKED, DRIFT * math.sqrt(max(age_s, 0.0))))


def agreed(sources: Sequence[Source | None]) -> Forward | None:
    """The mean weighted by 1/half²: a band half as wide counts four times. None without a source."""
    known = tuple(source for source in sources if source is not None and source.forward > 0.0)
    if not known:
        return None
    weights = [1.0 / max(source.half, NARROWEST * source.forward * 0.05) ** 2 for source in known]
    value = sum(weight * source.forward for weight, source in zip(weights, known, strict=True)) / sum(weights)
    off = tuple((source.forward / value - 1.0) * 1e4 for source in known)
    return Forward(value, known, off, max(off) - min(off))


def between_expiries(forwards: Mapping[int, float], t: int) -> float | None:
    """The forward of any time `t` (ns): linear in ln F between expiries, the nearest one's outside."""
    times = sorted(time for time, forward in forwards.items() if forward > 0.0)
    if not times:
        return None
    logs = [math.log(forwards[time]) for time in times]
    return math.exp(float(np.interp(t - times[0], [time - times[0] for time in times], logs)))
