"""The forward that options themselves imply, for an expiry whose tickers name none.

Put–call parity in coin (zero rate): c − p = 1 − K/F, so F = K / (1 − (c − p)) at each strike with both sides quoted.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

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
