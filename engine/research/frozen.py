"""Numbers frozen on the training data, and what they make of labels: thresholds, base rates, scaling, targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.domain import Kind
from engine.forecast.baseline import Band, Rates
from engine.forecast.labels import DIRECTIONS
from engine.forecast.score import QUANTILES
from engine.forecast.stream import IS_OPTION
from engine.research.dataset import Floats, Stretch
from engine.research.gathered import Sample, Spread
from engine.research.targets import Labels, Part, classes

MOVING = 0.25  # share of training moments that are to count as moving: fixes the threshold
LEAST_DEVIATION = 1e-6
LEAST_OPTION, LEAST_FUTURE = 0.1, 1.0  # ticks: a threshold is no lower than this


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers measured on the training parts alone, for options and futures, and never again."""

    mean: NDArray[np.float32]  # (2, F), of futures and of options
    scale: NDArray[np.float32]  # (2, F) 1 ÷ deviation, 0 for what never varies
    option_threshold: float
    future_threshold: float
    later_thresholds: dict[str, tuple[float, float]]  # of the longer horizons: options, futures
    option_rates: Rates
    future_rates: Rates
    iv_scale: float

    def threshold(self, kind: Kind, head: str = "direction") -> float:
        both = self.later_thresholds.get(head, (self.option_threshold, self.future_threshold))
        return both[0] if kind is Kind.OPTION else both[1]

    def rates(self, kind: Kind) -> Rates:
        return self.option_rates if kind is Kind.OPTION else self.future_rates


def freeze(parts: Iterable[Part]) -> Frozen:
    """One pass over the parts, a few numbers of each kept."""
    seen = {True: _Seen(), False: _Seen()}
    for part in parts:
        seen[part.stretch.option].add(part)
    options, futures = seen[True], seen[False]
    scaled = [_scaling(futures if futures.x.n else options), _scaling(options if options.x.n else futures)]
    thresholds = {
        head: (_threshold(options, head, LEAST_OPTION), _threshold(futures, head, LEAST_FUTURE)) for head in DIRECTIONS
    }
    moves = options.iv.values
    return Frozen(
        mean=np.stack([mean for mean, _ in scaled]),
        scale=np.stack([scale for _, scale in scaled]),
        option_threshold=thresholds["direction"][0],
        future_threshold=thresholds["direction"][1],
        later_thresholds={head: thresholds[head] for head in DIRECTIONS[1:]},
        option_rates=_rates(options, {head: each[0] for head, each in thresholds.items()}),
        future_rates=_rates(futures, {head: each[1] for head, each in thresholds.items()}),
        iv_scale=max(float(moves.std()), 0.01) if len(moves) else 1.0,
    )


class _Seen:
    """What is gathered of one kind of instrument."""

    def __init__(self) -> None:
        self.x = Spread()
        self.moves = {head: Sample() for head in DIRECTIONS}
        self.fills = Sample(), Sample()
        self.errors, self.iv = Sample(), Sample()
        self.pushes, self.squares = 0.0, 0.0  # Σ impact × push, Σ push²

    def add(self, part: Part) -> None:
        labels, span = part.labels, part.span
        self.x.add(part.stretch.x[span])
        for head, moves in self.moves.items():
            moves.add(labels.moved(head)[span])
        for k, fills in enumerate(self.fills):
            fills.add(labels.fill[span, k])
        self.errors.add(((labels.cost - labels.walked) / (1.0 + labels.walked))[span].ravel())
        self.iv.add(labels.iv[span])
        impact, push = labels.impact[span], labels.push[span]
        known = ~np.isnan(impact) & ~np.isnan(push)
        self.pushes += float((impact[known] * push[known]).sum())
        self.squares += float((push[known] ** 2).sum())


def _scaling(seen: _Seen) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and 1 ÷ deviation of every feature (F,)."""
    mean, deviation = seen.x.mean.copy(), seen.x.deviation
    scale = np.where(deviation > LEAST_DEVIATION, 1.0 / np.maximum(deviation, LEAST_DEVIATION), 0.0)
    mean[IS_OPTION], scale[IS_OPTION] = 0.5, 2.0  # the kind itself: −1 or 1, though it never varies within a kind
    return mean.astype(np.float32), scale.astype(np.float32)


def _threshold(seen: _Seen, head: str, least: float) -> float:
    """Ticks such that the stated share of training moments move more, on a grid of 0.05, no lower than `least`."""
    moves = np.abs(seen.moves[head].values)
    if not len(moves):
        return least
    return max(least, round(float(np.quantile(moves, 1.0 - MOVING)) / 0.05) * 0.05)


def _rates(seen: _Seen, thresholds: Mapping[str, float]) -> Rates:
    if not len(seen.moves["direction"].values):
        return Rates()
    bid, ask = (each.values for each in seen.fills)
    return Rates(
        **_odds(seen, thresholds),
        fill_bid=float(bid.mean()) if len(bid) else Rates().fill_bid,
        fill_ask=float(ask.mean()) if len(ask) else Rates().fill_ask,
        impact=float(np.clip(seen.pushes / seen.squares, 0.0, 2.0)) if seen.squares else Rates().impact,
        slip=_band(seen.errors.values),
        iv=_band(seen.iv.values),
    )


def _odds(seen: _Seen, thresholds: Mapping[str, float]) -> dict[str, float]:
    """How often each horizon's move was up, was down, as `Rates` names them."""
    out: dict[str, float] = {}
    for head, threshold in thresholds.items():
        moves, suffix = seen.moves[head].values, head.removeprefix("direction")
        if len(moves):
            out[f"up{suffix}"] = float((moves > threshold).mean())
            out[f"down{suffix}"] = float((moves < -threshold).mean())
    return out


def _band(values: Floats) -> Band:
    if not len(values):
        return (0.0, 0.0, 0.0)
    lo, mid, hi = (float(q) for q in np.quantile(values, QUANTILES))
    return lo, mid, hi


def targets(stretch: Stretch, labels: Labels, frozen: Frozen) -> NDArray[np.float32]:
    """(T, TARGETS), by head as `parameters.target_columns` has it: corrections to the baseline, in units near one.
    NaN where unknown."""
    kind = stretch.instrument.kind
    threshold, rates = frozen.threshold(kind), frozen.rates(kind)
    impact = (labels.impact - rates.impact * labels.push) / (1.0 + labels.push)
    return np.concatenate(
        [
            *(classes(labels.moved(head), frozen.threshold(kind, head))[:, None] for head in DIRECTIONS),
            np.clip(labels.move / threshold, -10, 10)[:, None],
            np.clip((labels.cost - labels.walked) / (1.0 + labels.walked), -3, 3),
            np.clip(impact, -5, 5),
            labels.fill,
            np.clip(labels.iv / frozen.iv_scale, -5, 5)[:, None],
            labels.spread[:, None],
            labels.depth[:, None],
        ],
        axis=1,
    ).astype(np.float32)
