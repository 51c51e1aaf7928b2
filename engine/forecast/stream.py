"""The model in running use: many instruments, one step at a time, without torch.

Theory of operation. Each instrument carries its own (h, c) of both layers. A step stacks the instruments that have
a row, multiplies, and scatters the new state. Replay must be exact, so an instrument's numbers may not depend on
which others are stepped along: a library's matrix product would group rows as it pleases, so ours are compiled loops
(stepping.py) whose sums have one order.

A forecast is silent (`warm` False) for the first WARM_STEPS steps after a start, a reset or a gap. The model's outputs
are corrections to what the book as it stands says (baseline.py), so a book without two sides has no forecast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.config import WARM_STEPS
from engine.domain import NS, Kind
from engine.forecast.adaptive import Stretches, stretched
from engine.forecast.baseline import LATER, Band, Rates, Standing, baseline, spread_out, standing
from engine.forecast.features import NAMES, Row
from engine.forecast.labels import DIRECTIONS
from engine.forecast.others import OwnLots
from engine.forecast.parameters import LAYERS, Array, BadWeights, Weights, columns
from engine.forecast.past import Past
from engine.market.book import Book
from engine.messages import SIZES, Forecast, Odds

__all__ = ["BadWeights", "Forecaster", "Weights"]

IS_OPTION = NAMES.index("is_option")
CLIP = 8.0  # standardised features beyond this tell no more
STRANGEST = CLIP * CLIP  # as unlike the training as inputs can be
NEVER = 1e-3  # a feature that never varied in training and differs by more than this now is another world
GAP_NS = NS  # a pause longer than this begins anew
NO_BOOK: OwnLots = {}
UNSTRETCHED = Stretches()
Real = TypeVar("Real", np.float32, np.float64)


class Carried:
    """What one instrument carries from step to step."""

    __slots__ = ("c", "h", "past", "steps", "strange", "t")

    def __init__(self, hidden: int) -> None:
        self.h: Array = np.zeros((LAYERS, hidden), np.float32)
        self.c: Array = np.zeros((LAYERS, hidden), np.float32)
        self.steps = 0
        self.t = 0
        self.strange = 0.0
        self.past = Past()  # for whoever asks why; not kept in a dump: it is there again within seconds

    def dump(self) -> list[Any]:
        return [self.h.tobytes(), self.c.tobytes(), self.steps, self.t, self.strange]

    @classmethod
    def load(cls, hidden: int, value: list[Any]) -> Carried:
        made = cls(hidden)
        made.h, made.c = (np.frombuffer(raw, np.float32).reshape(LAYERS, hidden) for raw in value[:2])
        made.steps, made.t, made.strange = value[2:]
        return made


class Forecaster:
    """Forecasts of many instruments; without weights, the baseline's.

    After a step, `baselines` holds what the baseline says of the same books, `standings` the books as they
    stand, and `rows` the vectors taken.
    """

    def __init__(self, weights: Weights | None) -> None:
        self.weights = weights
        self.id = weights.id if weights else "baseline"
        self.baselines: dict[str, Forecast] = {}
        self.standings: dict[str, Standing] = {}
        self.rows: Mapping[str, Row] = {}  # of the last step
        self._carried: dict[str, Carried] = {}

    def step(
        self,
        t: int,
        rows: Mapping[str, Row],
        books: Mapping[str, Book],
        own: Mapping[str, OwnLots],
        stretches: Stretches | None = None,
    ) -> dict[str, Forecast]:
        """Take each instrument's vector at step `t`; a forecast for each whose book has two sides. `stretches` is what
        the monitor has learned of the bands."""
        self.rows, self.standings = rows, {}
        for name in rows:
            now = standing(books[name], own.get(name, NO_BOOK))
            if now is not None:
                self.standings[name] = now
        self.baselines = {name: baseline(t, now, self.rates(now)) for name, now in self.standings.items()}
        if self.weights is None or not rows:
            return dict(self.baselines)
        return self._forecasts(t, self.outputs(t, self._finite(rows)), stretches or UNSTRETCHED)

    def _finite(self, rows: Mapping[str, Row]) -> Mapping[str, Row]:
        """The vectors that are numbers throughout. One that is not, of whatever absurdity the venue has told, has no
        forecast, and its instrument begins anew: state that has once seen a NaN would never be without."""
        broken = [name for name, row in rows.items() if not np.isfinite(row).all()]
        for name in broken:
            self.reset(name)
        return {name: row for name, row in rows.items() if name not in broken} if broken else rows

    def rates(self, now: Standing) -> Rates:
        """The base rates frozen for this kind of instrument."""
        return self.weights.header.base(now.instrument.kind) if self.weights else Rates()

    def outputs(self, t: int, rows: Mapping[str, Row]) -> dict[str, Array]:
        """Step the recurrent state by one vector each; the head's raw outputs, (OUTPUTS,) per instrument."""
        assert self.weights is not None
        if not rows:
            return {}
        carried = [self._of(name, t) for name in rows]
        raw = np.stack(list(rows.values()))  # (B, F)
        x = standardise(raw, self.weights.arrays["mean"], self.weights.arrays["scale"])
        for state, strange in zip(carried, unlike(raw, x, self.weights), strict=True):
            state.strange = smoothed(state.strange, float(strange), state.steps)
        h = np.stack([state.h for state in carried], axis=1)  # (LAYERS, B, H)
        c = np.stack([state.c for state in carried], axis=1)
        h_before, c_before, seen = h.copy(), c.copy(), np.clip(x, -CLIP, CLIP)
        out = step_arrays(self.weights, seen, h, c)  # (B, OUTPUTS)
        for k, state in enumerate(carried):
            state.past.add(h_before[:, k], c_before[:, k], seen[k])
            state.h, state.c, state.t, state.steps = h[:, k].copy(), c[:, k].copy(), t, state.steps + 1
        return dict(zip(rows, out, strict=True))

    def warmth(self, name: str) -> float:
        """0 … 1: how much of the warm-up is over."""
        if self.weights is None:
            return 1.0
        state = self._carried.get(name)
        return min(state.steps / WARM_STEPS, 1.0) if state else 0.0

    def past(self, name: str) -> Past | None:
        """What the forecast of an instrument stands on, as far back as it is remembered; None without a model."""
        state = self._carried.get(name)
        return None if self.weights is None or state is None else state.past

    def reset(self, name: str) -> None:
        """Forget an instrument's state: its book broke, or it is no longer looked at."""
        self._carried.pop(name, None)

    def _of(self, name: str, t: int) -> Carried:
        assert self.weights is not None
        state = self._carried.get(name)
        if state is None or t - state.t > GAP_NS:
            state = self._carried[name] = Carried(self.weights.header.hidden)
        return state

    def _forecasts(self, t: int, outputs: Mapping[str, Array], stretches: Stretches) -> dict[str, Forecast]:
        assert self.weights is not None
        names = [name for name in self.standings if name in outputs]
        if not names:
            return {}
        kinds = [self.standings[name].instrument.kind for name in names]
        said = spoken(np.stack([outputs[name] for name in names]), kinds, self.weights)
        return {
            name: _forecast(t, self.weights, self._carried[name], self.standings[name], values, stretches)
            for name, values in zip(names, said.tolist(), strict=True)
        }

    def dump(self) -> dict[str, Any]:
        return {"id": self.id, "carried": {name: state.dump() for name, state in self._carried.items()}}

    @classmethod
    def load(cls, weights: Weights | None, value: dict[str, Any]) -> Forecaster:
        """Raises BadWeights if the state is another model's."""
        made = cls(weights)
        if made.id != value["id"]:
            raise BadWeights(f"the state is of {value['id']}, the weights are {made.id}")
        if weights is not None:
            made._carried = {n: Carried.load(weights.header.hidden, raw) for n, raw in value["carried"].items()}
        return made


def standardise(rows: Array, mean: Array, scale: Array) -> Array:
    """(B, F) features → standardised by their own kind's (2, F), unclipped; 0 where nothing varied in training."""
    kind = rows[:, IS_OPTION].astype(np.intp)  # (B,)
    out: Array = (rows - mean[kind]) * scale[kind]
    return out


def unlike(rows: Array, x: Array, weights: Weights) -> Array:
    """(B, F) raw and standardised → (B,) how unlike the training: the mean square of what the model sees, about 1
    there; STRANGEST when a feature differs that never varied there, as when an input is missing that never was."""
    kind = rows[:, IS_OPTION].astype(np.intp)
    fixed = (weights.arrays["scale"][kind] == 0) & (np.abs(rows - weights.arrays["mean"][kind]) > NEVER)
    seen = np.clip(x, -CLIP, CLIP)
    out: Array = np.where(fixed.any(axis=1), STRANGEST, (seen * seen).mean(axis=1))
    return out


def smoothed(strange: float, now: float, steps: int) -> float:
    """What `unlike` says, over about five seconds; `steps` are those before this one."""
    return strange + (now - strange) / min(steps + 1, WARM_STEPS)


def step_arrays(weights: Weights, x: Array, h: Array, c: Array) -> Array:
    """One LSTM step of both layers, in place in `h` and `c` (LAYERS, B, H), contiguous; x is (B, F). Returns
    (B, OUTPUTS)."""
    return weights.packed.step(x, h, c)


def sigmoid(x: Array) -> Array:
    out: Array = 0.5 * (np.tanh(0.5 * x) + 1.0)
    return out


def spoken(out: Array, kinds: Sequence[Kind], weights: Weights) -> Array:
    """Head outputs (B, OUTPUTS) of instruments of these kinds → what is said: probabilities, calibrated, and per cent
    in the same columns, drawn towards the baseline as far as the held-out sessions taught."""
    which = np.array([kind is Kind.OPTION for kind in kinds], dtype=np.intp)
    slope, shift, base, trust = weights.spoken[which].swapaxes(0, 1)  # (B, OUTPUTS) each
    said: Array = out * slope + shift
    for head in DIRECTIONS:
        said[:, columns(head)] = softmax(said[:, columns(head)])
    said[:, columns("fill")] = sigmoid(said[:, columns("fill")])
    mixed: Array = base + trust * (said - base)
    for head in ("slip", "iv"):  # where quantiles all but meet, rounding alone could cross them
        bands = mixed[:, columns(head)].reshape(len(mixed), -1, 3)
        mixed[:, columns(head)] = np.maximum.accumulate(bands, axis=-1).reshape(len(mixed), -1)
    return mixed


def softmax(logits: NDArray[Real]) -> NDArray[Real]:
    """Of each row, (N, K)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: NDArray[Real] = powers / powers.sum(axis=1, keepdims=True)
    return out


_DIRECTION, _DRIFT, _SLIP, _IMPACT = (columns(name).start for name in ("direction", "drift", "slip", "impact"))
_FILL, _IV, _SPREAD, _DEPTH = (columns(name).start for name in ("fill", "iv", "spread", "depth"))
_LATER = [(seconds, columns(f"direction_{seconds}").start) for seconds in LATER]


def _forecast(
    t: int, weights: Weights, state: Carried, now: Standing, said: list[float], stretches: Stretches
) -> Forecast:
    up, down = said[_DIRECTION], said[_DIRECTION + 1]
    kind, impact = now.instrument.kind, weights.header.base(now.instrument.kind).impact
    half, slip = 3 * len(SIZES), stretches.of("slippage", kind)
    return Forecast(
        t=t,
        source=weights.id,
        warm=state.steps >= WARM_STEPS,
        familiar=state.strange <= weights.header.limit(kind),
        up=up,
        down=down,
        stable=max(1.0 - up - down, 0.0),
        drift_ticks=said[_DRIFT] * weights.header.threshold(kind),
        slip_buy=_bands(said[_SLIP : _SLIP + half], now.buy, slip),
        slip_sell=_bands(said[_SLIP + half : _SLIP + 2 * half], now.sell, slip),
        impact_buy=max(impact * now.push_buy + (1.0 + now.push_buy) * said[_IMPACT], 0.0),
        impact_sell=max(impact * now.push_sell + (1.0 + now.push_sell) * said[_IMPACT + 1], 0.0),
        fill_bid=said[_FILL],
        fill_ask=said[_FILL + 1],
        iv_move=stretched((said[_IV], said[_IV + 1], said[_IV + 2]), stretches.of("volatility", kind)),
        spread_ticks=max(grown(now.spread, said[_SPREAD]), 0.0),
        depth=now.depth * float(np.exp(np.clip(said[_DEPTH], -3.0, 3.0))),
        later=tuple(_odds(seconds, *said[at : at + 2]) for seconds, at in _LATER),
    )


def _odds(seconds: int, up: float, down: float) -> Odds:
    return Odds(seconds=seconds, up=up, down=down, stable=max(1.0 - up - down, 0.0))


def grown(spread: float, change: float) -> float:
    """A spread in ticks moved by a change of ln(1 + spread)."""
    return float((1.0 + spread) * np.exp(np.clip(change, -3.0, 3.0)) - 1.0)


def _bands(errors: list[float], walked: tuple[float, ...], by: float) -> tuple[Band, ...]:
    """Relative errors of the walked cost, three per size → bands in ticks, stretched."""
    return tuple(
        stretched(spread_out(w, (errors[3 * k], errors[3 * k + 1], errors[3 * k + 2])), by)
        for k, w in enumerate(walked)
    )
