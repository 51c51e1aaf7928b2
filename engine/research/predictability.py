"""How far one number at a time tells the next second's direction: the anchor that keeps the paper market honest.

The question is put in one way to every track. On a grid of 100 ms: does the micro-price rise, fall or stay within one
second, counted from now? "Stay" is a move of no more than a threshold, fixed on the training half by the rule that the
model's own labels are made by: so that a quarter of its moments move, and never less than a tick. (With the recorded
perpetual, three moves in four are a trembling of the queues within a tick; a rule that calls those moves asks about
something else.) Other shares are asked for with `moving`, then without the least tick, to see that the answer does not
hang on the rule.

Six inputs are tried, each in a logistic regression of its own: the imbalance of the touch and of five levels,
order-flow imbalance over 1 s and 5 s, the last second's return, the last second's signed volume. The one that fits the
training half best is judged on the later half, which begins after a gap of the longest window and the horizon; its
gain is the base rate's log-loss less its own, nats a moment. The interval is a bootstrap over blocks of ten seconds,
since neighbours share their luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from engine.domain import NS
from engine.forecast.labels import DOWN, STABLE, UP
from engine.research.frozen import LEAST_FUTURE, MOVING
from engine.research.track import STEP_NS, Floats, Track

SECOND = NS // STEP_NS  # steps
WARM = 5 * SECOND  # the longest window
EMBARGO = WARM + SECOND
SHARES = (2 / 3, 1 / 2, 1 / 3, MOVING)  # of moving moments, that are looked at
BLOCK = 10 * SECOND
RESAMPLES = 1000
BENT = 4.0  # deviations beyond which an input says no more
FLOOR = 1e-4  # of a probability: a class that training never saw
INPUTS = ("imbalance", "imbalance_5", "ofi_1s", "ofi_5s", "return_1s", "flow_1s")


class Moments(msgspec.Struct, frozen=True, eq=False):
    """A track on the grid: `x` (n, inputs), `move` (n,) units of the micro-price in the next second."""

    x: Floats
    move: Floats

    def __len__(self) -> int:
        return len(self.move)

    def cut(self, begin: int, end: int) -> Moments:
        return Moments(self.x[begin:end], self.move[begin:end])


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """`gain` nats a moment, `low`–`high` its 95 % interval; `best` the input, `each` every input's gain on the same
    later half (not to choose by); `threshold` units; `moves` the share of the later half that moves by more."""

    gain: float
    low: float
    high: float
    best: str
    each: dict[str, float]
    base: float
    threshold: float
    moves: float
    moments: int

    def row(self) -> dict[str, Any]:
        out: dict[str, Any] = msgspec.to_builtins(self)
        return out


def moments(track: Track) -> Moments:
    """Where both sides are quoted now and a second later; windows reach back over what was."""
    grid = track.grid()
    if len(grid) <= WARM + SECOND:
        return Moments(np.zeros((0, len(INPUTS))), np.zeros(0))
    row = track.at(grid)
    micro = track.micro[row]
    flow = np.r_[0.0, np.cumsum(track.sign * track.size)][np.searchsorted(track.trade_t, grid, side="right")]
    push = np.cumsum(track.ofi)[row]
    touch, near = (_imbalance(b[row], a[row]) for b, a in ((track.bid_size, track.ask_size),
                                                          (track.bid_depth, track.ask_depth)))  # fmt: skip
    columns = [touch, near, _since(push, SECOND), _since(push, WARM), _since(micro, SECOND), _since(flow, SECOND)]
    x, move = np.column_stack(columns)[WARM:-SECOND], (micro[SECOND:] - micro[:-SECOND])[WARM:]
    known = np.isfinite(x).all(axis=1) & np.isfinite(move)
    return Moments(x[known], move[known])


def _imbalance(bid: Floats, ask: Floats) -> Floats:
    total = bid + ask
    return np.asarray(np.divide(bid - ask, total, out=np.zeros_like(bid), where=total > 0.0))


def _since(values: Floats, steps: int) -> Floats:
    out = np.full_like(values, np.nan)
    out[steps:] = values[steps:] - values[:-steps]
    return out


def gain(track: Track, moving: float | None = None) -> Gain:
    """Trained on the first half, judged on the second. Raises ValueError where there is too little."""
    first, later = halves(moments(track))
    return judged([first], [later], moving)


def gain_across(train: Sequence[Track], test: Sequence[Track], moving: float | None = None) -> Gain:
    """Trained on whole tracks, judged on others, later ones."""
    return judged([moments(track) for track in train], [moments(track) for track in test], moving)


def halves(all_: Moments) -> tuple[Moments, Moments]:
    """The earlier and the later, with the embargo between them."""
    middle = len(all_) // 2
    return all_.cut(0, middle - EMBARGO // 2), all_.cut(middle + EMBARGO // 2, len(all_))


def judged(train: Sequence[Moments], test: Sequence[Moments], moving: float | None = None) -> Gain:
    """The whole judgement; see the top. `moving` is another share than the rule's. Raises ValueError where either part
    is too short."""
    first, later = _joined(train), _joined(test)
    if min(len(first), len(later)) < 2 * BLOCK:
        raise ValueError(f"{len(first)} and {len(later)} moments are too few to train and to judge on")
    threshold = float(np.quantile(np.abs(first.move), 1.0 - (moving or MOVING)))
    threshold = threshold if moving else max(threshold, LEAST_FUTURE)
    y, came = outcomes(first.move, threshold), outcomes(later.move, threshold)
    base = _losses(np.tile(_rates(y), (len(came), 1)), came)
    ours: dict[str, Floats] = {}
    fits: dict[str, float] = {}
    for k, name in enumerate(INPUTS):
        told = _Regression(first.x[:, k], y)
        fits[name] = float(_losses(told(first.x[:, k]), y).mean())
        ours[name] = base - _losses(told(later.x[:, k]), came)
    best = min(fits, key=lambda name: fits[name])
    low, high = interval(ours[best])
    return Gain(gain=float(ours[best].mean()), low=low, high=high, best=best,
                each={name: float(each.mean()) for name, each in ours.items()}, base=float(base.mean()),
                threshold=threshold, moves=float((came != STABLE).mean()), moments=len(came))  # fmt: skip


def _joined(parts: Sequence[Moments]) -> Moments:
    return Moments(np.concatenate([part.x for part in parts]), np.concatenate([part.move for part in parts]))


def outcomes(move: Floats, threshold: float) -> NDArray[np.int64]:
    """The class of each move: up, down or stable."""
    return np.where(move > threshold, UP, np.where(move < -threshold, DOWN, STABLE)).astype(np.int64)


def _rates(y: NDArray[np.int64]) -> Floats:
    counts = np.bincount(y, minlength=3).astype(np.float64)
    return np.asarray(counts / counts.sum())


def _losses(p: Floats, y: NDArray[np.int64]) -> Floats:
    return np.asarray(-np.log(np.maximum(p[np.arange(len(y)), y], FLOOR)))


class _Regression:
    """Probabilities (n, 3) of the classes from one input."""

    def __init__(self, x: Floats, y: NDArray[np.int64]) -> None:
        self.mean, self.scale = float(x.mean()), float(x.std()) or 1.0
        self.found = np.unique(y)
        self.model = LogisticRegression(C=1e6, max_iter=200).fit(self._bent(x), y) if len(self.found) > 1 else None

    def __call__(self, x: Floats) -> Floats:
        out = np.zeros((len(x), 3))
        out[:, self.found] = 1.0 if self.model is None else self.model.predict_proba(self._bent(x))
        return out

    def _bent(self, x: Floats) -> Floats:
        return np.asarray(np.clip((x - self.mean) / self.scale, -BENT, BENT)[:, None])


def interval(values: Floats, block: int = BLOCK, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95 % of the mean of values in order, by resampling blocks of neighbours."""
    count = len(values) // block
    means = values[: count * block].reshape(count, block).mean(axis=1)
    drawn = np.random.default_rng(0).integers(0, count, (resamples, count))
    low, high = np.quantile(means[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def unchanged(track: Track, step_ns: int = STEP_NS) -> float:
    """Share of one-second windows, begun at every step, in which the micro-price ends exactly where it was; NaN where
    both sides are never quoted a second apart."""
    micro = track.micro[track.at(track.grid(step_ns))]
    ahead = NS // step_ns
    move = micro[ahead:] - micro[:-ahead]
    known = np.isfinite(move)
    return float((move[known] == 0.0).mean()) if known.any() else float("nan")
