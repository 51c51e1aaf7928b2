"""What the levels of a book say by themselves, and what flowed between two of its states (pure functions)."""

from __future__ import annotations

from math import copysign, log1p

from engine.domain import Instrument, Kind
from engine.forecast.others import Levels

OFI_LEVELS = 5
BOOK_NAMES = ("imbalance_1", "imbalance_3", "imbalance_5", "imbalance_10", "spread", "bid_depth_1", "ask_depth_1",
              "bid_depth_5", "ask_depth_5", "bid_density", "ask_density", "bid_gap", "ask_gap", "micro_mid",
              "weighted_mid")  # fmt: skip


def bend(x: float) -> float:
    """sign(x)·ln(1 + |x|): linear for small values, logarithmic in the tails."""
    return copysign(log1p(abs(x)), x)


def ofi_levels(before: tuple[Levels, Levels], now: tuple[Levels, Levels]) -> list[float]:
    """Order-flow imbalance of each of the first levels between two books, in lots (Kolm, Turiel and Westray)."""
    return [
        _level_flow(_at(before[0], k), _at(now[0], k), 1) - _level_flow(_at(before[1], k), _at(now[1], k), -1)
        for k in range(OFI_LEVELS)
    ]


def _at(levels: Levels, k: int) -> tuple[int, int] | None:
    return levels[k] if k < len(levels) else None


def _level_flow(before: tuple[int, int] | None, now: tuple[int, int] | None, better: int) -> float:
    """What joined one level: all of it where the price got better, minus all that was there where it got worse."""
    if before is None or now is None:
        return float((now[1] if now else 0) - (before[1] if before else 0))
    if now[0] == before[0]:
        return float(now[1] - before[1])
    return float(now[1]) if (now[0] - before[0]) * better > 0 else float(-before[1])


def _imbalance(levels: tuple[Levels, Levels], depth: int) -> float:
    bid, ask = (sum(lots for _, lots in side[:depth]) for side in levels)
    return (bid - ask) / (bid + ask) if bid + ask else 0.0


def _coins(instrument: Instrument, lots: int, units: float) -> float:
    """Lots → coin, so that depth means the same in an option's book and a future's."""
    amount = lots * instrument.lot
    return amount if instrument.kind is Kind.OPTION else amount / (units * instrument.tick)


def book_part(
    instrument: Instrument, levels: tuple[Levels, Levels], price: float | None, tick: int
) -> tuple[float, ...]:
    depths = [
        log1p(_coins(instrument, sum(lots for _, lots in side[:depth]), side[0][0]) if side else 0.0)
        for depth in (1, 5)
        for side in levels
    ]
    densities = [log1p(_density(instrument, side, tick)) for side in levels]
    gaps = [bend(abs(side[1][0] - side[0][0]) / tick) if len(side) > 1 else 0.0 for side in levels]
    spread, lean, wide = 0.0, 0.0, 0.0
    if price is not None:
        bid, ask = levels[0][0][0], levels[1][0][0]
        mid = (bid + ask) / 2
        spread, lean = bend((ask - bid) / tick), bend((price - mid) / tick)
        wide = bend((_weighted_mid(levels) - mid) / tick)
    return *(_imbalance(levels, depth) for depth in (1, 3, 5, 10)), spread, *depths, *densities, *gaps, lean, wide


def _density(instrument: Instrument, side: Levels, tick: int) -> float:
    """Coins a tick over all the levels read: how thick the side is, gaps and all."""
    if not side:
        return 0.0
    ticks = abs(side[-1][0] - side[0][0]) / tick + 1.0
    return _coins(instrument, sum(lots for _, lots in side), side[0][0]) / ticks


def _weighted_mid(levels: tuple[Levels, Levels]) -> float:
    """Mid of the sides' size-weighted mean prices over the first five levels."""
    means = [sum(u * lots for u, lots in side[:5]) / sum(lots for _, lots in side[:5]) for side in levels]
    return (means[0] + means[1]) / 2
