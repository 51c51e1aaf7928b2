"""What became of each moment: labels from a stretch, and the frozen numbers that turn them into training targets.

The definitions are those of `forecast/labels.py`, written here over whole arrays. A label is unknown (NaN) where its
horizon runs past the stretch's end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import STEP_NS, WARM_STEPS
from engine.domain import Kind
from engine.forecast.baseline import Band, Rates
from engine.forecast.labels import DOWN, HORIZON_NS, MIN_PRINT, STABLE, UP, to_ten
from engine.forecast.score import QUANTILES
from engine.forecast.stream import IS_OPTION
from engine.research.dataset import AT, SIZES, Floats, Stretch

AHEAD = {head: max(1, ns // STEP_NS) for head, ns in HORIZON_NS.items()}  # steps
EMBARGO = AHEAD["volatility"] + WARM_STEPS  # the longest horizon and the warm-up
MOVING = 0.25  # share of training moments that are to count as moving: fixes the threshold
LEAST_DEVIATION = 1e-6
LEAST_OPTION, LEAST_FUTURE = 0.1, 1.0  # ticks: a threshold is no lower than this
BUY_COLUMNS = slice(AT["buy_0"], AT["buy_0"] + SIZES)
SELL_COLUMNS = slice(AT["sell_0"], AT["sell_0"] + SIZES)


class Labels(msgspec.Struct, frozen=True):
    """Of one stretch, (T,) or (T, k): `move` ticks of the fair micro-price in 1 s; `cost` (T, 10) ticks beyond the
    touch one step later, buys then sells, and `walked` (T, 10) as the book stood; `push` (T, 2) mechanical and
    `impact` (T, 2) realised, scaled to ten contracts, known only after prints; `fill` (T, 2) of bid and ask, 0 or 1;
    `iv` per cent in 60 s; `spread` and `depth` ln-changes in 10 s."""

    move: Floats
    cost: Floats
    walked: Floats
    push: Floats
    impact: Floats
    fill: Floats
    iv: Floats
    spread: Floats
    depth: Floats


def labels_of(stretch: Stretch) -> Labels:
    now = stretch.now
    column = {name: now[:, k] for name, k in AT.items()}
    tick = column["tick"]
    move = (_ahead(column["place"], AHEAD["direction"]) - column["place"]) / tick
    move[_ahead(column["placed"], AHEAD["direction"]) != column["placed"]] = np.nan
    wide = (column["ask"] - column["bid"]) / tick
    later = (_ahead(column["ask"], AHEAD["spread"]) - _ahead(column["bid"], AHEAD["spread"])) / tick
    iv = column["iv"]
    return Labels(
        move=move,
        cost=_costs(now),
        walked=now[:, AT["buy_0"] : AT["sell_0"] + SIZES],
        push=now[:, [AT["push_buy"], AT["push_sell"]]],
        impact=_impacts(stretch),
        fill=_fills(stretch),
        iv=100.0 * (_ahead(iv, AHEAD["volatility"]) / iv - 1.0),
        spread=np.log1p(later) - np.log1p(wide),
        depth=np.log(_ahead(column["depth"], AHEAD["spread"]) / column["depth"]),
    )


def _ahead(values: Floats, steps: int) -> Floats:
    """values[t + steps] at t; NaN past the end."""
    out = np.full_like(values, np.nan)
    if steps < len(values):
        out[:-steps] = values[steps:]
    return out


def _costs(now: Floats) -> Floats:
    later = _ahead(now, AHEAD["slippage"])
    tick = now[:, AT["tick"], None]
    buy = later[:, AT["ask"], None] - now[:, AT["ask"], None] + later[:, BUY_COLUMNS] * later[:, AT["tick"], None]
    sell = now[:, AT["bid"], None] - later[:, AT["bid"], None] + later[:, SELL_COLUMNS] * later[:, AT["tick"], None]
    return np.concatenate([buy, sell], axis=1) / tick


def _fills(stretch: Stretch) -> Floats:
    """(T, 2): would an order at the back of the bid's, the ask's queue have filled in the next 5 s?

    Yes if more than the queue ahead traded at its price, if a print was beyond it, or if the other side came to it.
    """
    now, ahead = stretch.now, AHEAD["fill"]
    steps = len(now)
    out = np.zeros((steps, 2))
    for k, (price, queue, other, sign) in enumerate((("bid", "bid_lots", "ask", -1), ("ask", "ask_lots", "bid", 1))):
        left, through = now[:, AT[queue]].copy(), np.zeros(steps, dtype=bool)
        for step, side, units, lots, _ in stretch.prints:
            if side != sign:
                continue
            window = slice(max(int(step) - ahead, 0), int(step))  # moments before the step that saw it
            at = now[window, AT[price]]
            left[window] -= lots * (units == at)
            through[window] |= (units - at) * sign > 0
        reach = _reach(now[:, AT[other]] * sign, ahead)  # the furthest the other side comes towards the price
        out[:, k] = (left < 0) | through | (reach >= now[:, AT[price]] * sign)
    out[np.isnan(now[:, AT["bid"]])] = np.nan
    out[max(steps - ahead, 0) :] = np.nan
    return out


def _reach(values: Floats, ahead: int) -> Floats:
    """The largest of the next `ahead` values at each moment; −∞ where there are none known."""
    padded = np.concatenate([np.nan_to_num(values[1:], nan=-np.inf), np.full(ahead, -np.inf)])
    out: Floats = np.lib.stride_tricks.sliding_window_view(padded, ahead)[: len(values)].max(axis=1)
    return out


def _impacts(stretch: Stretch) -> Floats:
    """(T, 2): the micro-price's push by the prints of the next step, 5 s later, as of ten contracts."""
    now, ahead = stretch.now, AHEAD["impact"]
    out = np.full((len(now), 2), np.nan)
    sizes: dict[tuple[int, int], float] = {}
    for step, side, _, _, size in stretch.prints:
        sizes[int(step), int(side)] = sizes.get((int(step), int(side)), 0.0) + float(size)
    for (step, side), size in sizes.items():
        before = step - 1
        if size >= MIN_PRINT and before >= 0 and before + ahead < len(now):
            moved = now[before + ahead, AT["micro"]] - now[before, AT["micro"]]
            out[before, 0 if side > 0 else 1] = side * moved / now[before, AT["tick"]] * to_ten(size)
    return out


# ------------------------------------------------------------ what is frozen on the training part


class Part(msgspec.Struct, frozen=True):
    """A run of steps of a stretch, with its labels: what one fold may see."""

    stretch: Stretch
    labels: Labels
    begin: int
    end: int

    @property
    def span(self) -> slice:
        return slice(self.begin, self.end)


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers measured on the training parts alone, for options and futures, and never again."""

    mean: NDArray[np.float32]  # (2, F), of futures and of options
    scale: NDArray[np.float32]  # (2, F) 1 ÷ deviation, 0 for what never varies
    option_threshold: float
    future_threshold: float
    option_rates: Rates
    future_rates: Rates
    iv_scale: float

    def threshold(self, kind: Kind) -> float:
        return self.option_threshold if kind is Kind.OPTION else self.future_threshold

    def rates(self, kind: Kind) -> Rates:
        return self.option_rates if kind is Kind.OPTION else self.future_rates


def freeze(parts: Sequence[Part]) -> Frozen:
    futures = [part for part in parts if not part.stretch.option]
    options = [part for part in parts if part.stretch.option]
    scaled = [_scaling(futures or parts), _scaling(options or parts)]
    thresholds = _threshold(options, LEAST_OPTION), _threshold(futures, LEAST_FUTURE)
    moves = _gather(options, "iv")
    return Frozen(
        mean=np.stack([mean for mean, _ in scaled]),
        scale=np.stack([scale for _, scale in scaled]),
        option_threshold=thresholds[0],
        future_threshold=thresholds[1],
        option_rates=_rates(options, thresholds[0]),
        future_rates=_rates(futures, thresholds[1]),
        iv_scale=max(float(moves.std()), 0.01) if len(moves) else 1.0,
    )


def _scaling(parts: Sequence[Part]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and 1 ÷ deviation of every feature (F,), a part at a time: all sessions together may not fit twice."""
    steps = sum(part.end - part.begin for part in parts)
    mean = sum(part.stretch.x[part.span].sum(axis=0, dtype=np.float64) for part in parts) / steps
    squares = sum(((part.stretch.x[part.span] - mean) ** 2).sum(axis=0) for part in parts) / steps
    deviation = np.sqrt(squares)
    scale = np.where(deviation > LEAST_DEVIATION, 1.0 / np.maximum(deviation, LEAST_DEVIATION), 0.0)
    mean[IS_OPTION], scale[IS_OPTION] = 0.5, 2.0  # the kind itself: −1 or 1, though it never varies within a kind
    return mean.astype(np.float32), scale.astype(np.float32)


def _gather(parts: Iterable[Part], name: str) -> Floats:
    """All known values of one label over the parts, flat."""
    found = [getattr(part.labels, name)[part.span].ravel() for part in parts]
    values: Floats = np.concatenate([np.zeros(0), *found])
    return values[~np.isnan(values)]


def _threshold(parts: Sequence[Part], least: float) -> float:
    """Ticks such that the stated share of training moments move more, on a grid of 0.05, no lower than `least`."""
    moves = np.abs(_gather(parts, "move"))
    if not len(moves):
        return least
    return max(least, round(float(np.quantile(moves, 1.0 - MOVING)) / 0.05) * 0.05)


def _rates(parts: Sequence[Part], threshold: float) -> Rates:
    moves = _gather(parts, "move")
    if not len(moves):
        return Rates()
    fills = np.concatenate([part.labels.fill[part.span] for part in parts])
    fills = fills[~np.isnan(fills[:, 0])]
    push = np.concatenate([part.labels.push[part.span].ravel() for part in parts])
    impact = np.concatenate([part.labels.impact[part.span].ravel() for part in parts])
    known = ~np.isnan(impact) & ~np.isnan(push)
    squares = float((push[known] ** 2).sum())
    errors = [
        ((part.labels.cost - part.labels.walked) / (1.0 + part.labels.walked))[part.span].ravel() for part in parts
    ]
    return Rates(
        up=float((moves > threshold).mean()),
        down=float((moves < -threshold).mean()),
        fill_bid=float(fills[:, 0].mean()) if len(fills) else Rates().fill_bid,
        fill_ask=float(fills[:, 1].mean()) if len(fills) else Rates().fill_ask,
        impact=float(np.clip((impact[known] * push[known]).sum() / squares, 0.0, 2.0)) if squares else Rates().impact,
        slip=_band(np.concatenate(errors)),
        iv=_band(_gather(parts, "iv")),
    )


def _band(values: Floats) -> Band:
    values = values[~np.isnan(values)]
    if not len(values):
        return (0.0, 0.0, 0.0)
    lo, mid, hi = (float(q) for q in np.quantile(values, QUANTILES))
    return lo, mid, hi


def classes(moves: Floats, threshold: float) -> Floats:
    """0 up, 1 down, 2 stable; NaN where unknown."""
    out = np.where(moves > threshold, UP, np.where(moves < -threshold, DOWN, STABLE)).astype(np.float64)
    out[np.isnan(moves)] = np.nan
    return out


def targets(stretch: Stretch, labels: Labels, frozen: Frozen) -> NDArray[np.float32]:
    """(T, TARGETS), by head as `parameters.target_columns` has it: corrections to the baseline, in units near one.
    NaN where unknown."""
    kind = stretch.instrument.kind
    threshold, rates = frozen.threshold(kind), frozen.rates(kind)
    impact = (labels.impact - rates.impact * labels.push) / (1.0 + labels.push)
    return np.concatenate(
        [
            classes(labels.move, threshold)[:, None],
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
