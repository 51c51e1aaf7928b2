"""The truth of the direction at moments of a simulated session: every forecast's label, in futures that could come.

At a moment the whole venue is run on again and again under other dice, and a copy of the desk's market with it, fed by
the venue's own frames: so what is counted is the very label that forecasts are judged by, the fair micro-price of the
fitted surface included, for every instrument in focus at once. It is told to nobody but the evaluation. What it costs
is futures: two hundred of one second are about ten seconds of one core, and serve some twenty instruments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import messages as m
from engine.config import STEP_NS, WARM_STEPS
from engine.core.market import Market
from engine.forecast.baseline import standing
from engine.forecast.labels import HORIZON_NS, outcome_of, place
from engine.forecast.parameters import Weights, columns
from engine.forecast.skill import Monitor
from engine.forecast.stream import Forecaster
from engine.paper.simulation import Futures, Simulation
from engine.research.closing import Closed, closed, expected_log_loss
from engine.research.dataset import Watcher
from engine.research.judging import Judged, blocks, outcomes
from engine.research.losses import log_losses
from engine.research.oracle import FUTURES, entropy, log_loss, truth
from engine.research.rivals import Rival
from engine.research.targets import Part

CHANNELS = 200  # of one request: the venue takes no longer ones
ABOUT = ("counts", "outcome", "block")


class Moment(NamedTuple):
    """What could come of one instrument's direction within its horizon, seen from time `t`."""

    instrument: str
    t: int
    counts: tuple[int, ...]  # of up, down, stable


class _Place(NamedTuple):
    where: list[float]  # as `labels.place` has it
    tick: int


def moments(desk: Watcher, weights: Weights, n: int = FUTURES) -> list[Moment]:
    """Of everything that the desk's market has a standing for now."""
    names = desk.market.followed()
    now, counts = places(desk.market, names), dict[str, list[int]]()
    simulation, state = Futures(desk.simulation), _state(desk.market)
    for fresh in range(n):
        later = places(ahead(simulation.future(fresh), desk.market, state), names)
        for name, (where, tick) in now.items():
            if name in later and len(later[name].where) == len(where):
                ticks = (later[name].where[0] - where[0]) / tick
                kind = desk.market.venue.instruments[name].kind
                counts.setdefault(name, [0, 0, 0])[outcome_of(ticks, weights.header.threshold(kind))] += 1
    return [Moment(name, desk.market.now, tuple(found)) for name, found in counts.items()]


def places(market: Market, names: Sequence[str]) -> dict[str, _Place]:
    """Where each one's fair micro-price stands, as far as its book has two sides."""
    out: dict[str, _Place] = {}
    for name in names:
        book = market.venue.books.get(name)
        now = standing(book, market.venue.own_lots(name)) if book is not None else None
        if now is not None:
            out[name] = _Place(place(now, market.context(name)), now.tick)
    return out


def ahead(future: Simulation, market: Market, state: bytes) -> Market:
    """The market one horizon later in this future: taken up as it stood, on a line that is new, stepped as live."""
    config = msgspec.structs.replace(market.config, focus_limit=0)  # nothing but the perpetual is forecast there
    twin = Market.load(config, None, msgspec.msgpack.decode(state))
    n = 0

    def observe(kind: type[m.Frame] | type[m.Tick], t: int, **fields: bytes) -> None:
        nonlocal n
        n += 1
        twin.observe(kind(n=n, t=t, **fields))

    channels = sorted(market.venue.talk.asked)
    for start in range(0, len(channels), CHANNELS):
        for data in future.subscribe(channels[start : start + CHANNELS]):
            observe(m.Frame, future.t, data=data)
    for _ in range(HORIZON_NS["direction"] // STEP_NS):
        for t, data in future.advance(future.t + STEP_NS):
            observe(m.Frame, t, data=data)
        observe(m.Tick, future.t)
    return twin


def _state(market: Market) -> bytes:
    """The market as it stands, without model and features: no label needs them."""
    value = market.dump()
    value |= {"forecaster": Forecaster(None).dump(), "monitor": Monitor(None).dump(), "features": {}}
    return msgspec.msgpack.encode(value)


# ------------------------------------------------------------ judged


def judge_moments(
    weights: Weights, parts: Sequence[Part], said: Sequence[NDArray[np.float32]], rivals: Sequence[Rival],
    found: Sequence[Moment],
) -> Judged:  # fmt: skip
    """Of the moments whose label is known: `true_counts` (M, 3), `true_outcome` (M,), `true_block`, `true_lstm` and
    `true_<rival>` (M, 3) what each forecast there; `said` are the model's forecasts of the parts."""
    names = ["lstm", *(rival.name for rival in rivals)]
    rows: dict[str, list[NDArray[Any]]] = {f"true_{key}": [] for key in (*ABOUT, *names)}
    for part, forecasts in zip(parts, said, strict=True):
        mine = [one for one in found if one.instrument == part.stretch.instrument.name]
        steps = np.array([(one.t - part.stretch.t) // STEP_NS - part.begin for one in mine], dtype=np.int64)
        label = outcomes(weights, part)
        fits = (steps >= WARM_STEPS) & (steps < len(label))
        fits[fits] = ~np.isnan(label[steps[fits]])
        steps = steps[fits]
        counts = [one.counts for one, fit in zip(mine, fits, strict=True) if fit]
        rows["true_counts"].append(np.array(counts, dtype=np.int64).reshape(-1, 3))
        rows["true_outcome"].append(label[steps].astype(np.int64))
        rows["true_block"].append(blocks(part, steps))
        rows["true_lstm"].append(forecasts[steps][:, columns("direction")].astype(np.float64))
        for rival in rivals:
            rows[f"true_{rival.name}"].append(rival.says(part, steps))
    return {name: np.concatenate(each) for name, each in rows.items()}


class Gap(NamedTuple):
    """`losses` of the oracle and of all who forecast there, on what came; `closed` the way that each has come."""

    losses: dict[str, float]
    closed: Closed


def gap(judged: Judged) -> Gap | None:
    """None where the oracle was not asked."""
    if not len(judged.get("true_outcome", ())):
        return None
    counts, came = judged["true_counts"], judged["true_outcome"]
    truths = [truth([int(k) for k in row]) for row in counts]
    names = [name.removeprefix("true_") for name in judged if name.startswith("true_")]
    said = {name: judged[f"true_{name}"] for name in names if name not in ABOUT}
    losses = {name: float(log_losses(p, came).mean()) for name, p in said.items()}
    losses["oracle"] = log_loss(truths, [int(k) for k in came])
    each = {name: expected_log_loss(p, counts) for name, p in said.items()}
    each["oracle"] = np.array([entropy(one) for one in truths])
    return Gap(losses, closed(each, judged["true_block"]))
