"""The truth of orders of ours at moments of a simulated session: in how many futures one is filled, how far one pushes.

At a moment the venue is run on again and again under other dice, with orders in it. Fills: of each instrument in focus
a contract is offered at the back of the touch's queue, on a side by lot, and what counts is the label's own question,
whether any of it has traded five seconds on. Pushes: ten contracts are taken, on a side by lot, and the micro-price
five seconds on is compared with the same future without the order. As with probes, options share a future, since what
one order does to another's book in five seconds is little beside its own; the perpetual moves everything and is alone.

No forecast is perfect where dice fall afterwards: the oracle's loss is what is left to who knows every probability. Of
a fill it is that of the share of futures, small-sample bias taken off. Of a push it is the loss of the location that
suits the other futures best (Huber 1964), so that none is judged by a figure it had a part in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import STEP_NS, WARM_STEPS
from engine.domain import Instrument, Kind, Side
from engine.forecast.labels import HORIZON_NS
from engine.forecast.others import lots_of
from engine.forecast.parameters import Weights, columns
from engine.messages import SIZES
from engine.paper.simulation import Futures, Simulation
from engine.research.closing import Closed, closed, expected_log_loss
from engine.research.dataset import AT, Floats, Watcher
from engine.research.entered import entered, micro, order_of
from engine.research.judging import Judged, blocks
from engine.research.losses import hubers
from engine.research.oracle import entropy, truth
from engine.research.targets import Part

PASSIVE, TAKEN = SIZES[0], 10.0  # contracts
TOGETHER = 4  # options that are taken from in one future
_SALT = 11
ROUNDS = 20  # of the location's reweighting


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How much is asked of one session: `times`, of everything in focus whether it fills in so many futures, and of so
    many `takers` on options, and one on the perpetual, what they do in `pairs` of futures."""

    times: int = 1
    fills: int = 200
    pairs: int = 50
    takers: int = 8


class Order(NamedTuple):
    """What could become of an order sent at time `t`. Of a passive one `came` are futures in which any of it was
    filled, and in which not; of a taker (n,) units by which it pushed, NaN where unknown."""

    instrument: str
    side: Side
    t: int
    came: Floats


class Found(NamedTuple):
    fills: list[Order]
    pushes: list[Order]


def orders(desk: Watcher, asked: Asked) -> Found:
    """Of everything that the desk's market follows now. Draws from dice of its own: the session stays as it is."""
    dice = np.random.default_rng([desk.seed, desk.market.now // STEP_NS, _SALT])
    listed = {one.name: one for one in desk.simulation.instruments}
    names = [listed[name] for name in desk.market.followed()]
    sides = [Side.BUY if draw < 0.5 else Side.SELL for draw in dice.random(len(names))]
    drawn = list(zip(names, sides, strict=True))
    options = [drawn[k] for k in dice.permutation(len(drawn)) if drawn[k][0].kind is Kind.OPTION][: asked.takers]
    groups = [options[k : k + TOGETHER] for k in range(0, len(options), TOGETHER)]
    groups += [[pair] for pair in drawn if pair[0].kind is not Kind.OPTION]
    futures = Futures(desk.simulation)
    return Found(_fills(futures, drawn, asked.fills), _pushes(futures, groups, asked.pairs))


Drawn = Sequence[tuple[Instrument, Side]]


def _fills(futures: Futures, drawn: Drawn, n: int) -> list[Order]:
    counts, t = np.zeros((len(drawn), 2)), futures.future().t
    for fresh in range(n):
        future = futures.future(fresh)
        sent = [_offered(future, instrument, side) for instrument, side in drawn]
        future.advance(t + HORIZON_NS["fill"])
        for k, order in enumerate(sent):
            if order is not None:
                counts[k, 0 if order_of(future, drawn[k][0].name, order).filled > 0 else 1] += 1
    found = zip(drawn, counts, strict=True)
    return [Order(instrument.name, side, t, came) for (instrument, side), came in found if came.sum()]


def _offered(future: Simulation, instrument: Instrument, side: Side) -> str | None:
    price, touch = micro(future, instrument.name), _touch(future, instrument.name, side)
    if price is None or touch is None:
        return None
    return entered(future, instrument.name, side, lots_of(instrument, PASSIVE, price), touch)


def _touch(future: Simulation, name: str, side: Side) -> int | None:
    exchange, n = future.exchange(name)
    return exchange.books[n].half(side).best


def _pushes(futures: Futures, groups: Sequence[Drawn], n: int) -> list[Order]:
    flat = [pair for group in groups for pair in group]
    moves, t = np.full((len(flat), n), np.nan), futures.future().t
    for fresh in range(n):
        without = _ends(futures.future(fresh), [], [name.name for name, _ in flat])
        ends = [
            end for group in groups for end in _ends(futures.future(fresh), group, [name.name for name, _ in group])
        ]
        for k, (end, other) in enumerate(zip(ends, without, strict=True)):
            moves[k, fresh] = flat[k][1].sign * (end - other)
    found = zip(flat, moves, strict=True)
    return [Order(instrument.name, side, t, came) for (instrument, side), came in found if (~np.isnan(came)).sum() > 1]


def _ends(future: Simulation, taken: Drawn, names: Sequence[str]) -> list[float]:
    """Micro-prices, units, once these orders have had their time; NaN where a side is empty or one was refused."""
    refused = {instrument.name for instrument, side in taken if not _taken(future, instrument, side)}
    future.advance(future.t + HORIZON_NS["impact"])
    ends = {name: micro(future, name) for name in names if name not in refused}
    return [np.nan if (end := ends.get(name)) is None else end for name in names]


def _taken(future: Simulation, instrument: Instrument, side: Side) -> bool:
    price = micro(future, instrument.name)
    if price is None:
        return False
    return entered(future, instrument.name, side, lots_of(instrument, TAKEN, price), None) is not None


# ------------------------------------------------------------ judged


def judge_orders(
    weights: Weights, parts: Sequence[Part], said: Sequence[NDArray[np.float32]], found: Sequence[Found], asked: Asked
) -> Judged:
    """Of M passive orders: `filled_counts` (M, 2) futures in which it was filled, and was not, `filled_lstm` and
    `filled_base` (M, 2) what was said of that. Of K takers: `pushed_came` (K, pairs) by how much more than usual they
    pushed, relative as the model says it, `pushed_lstm` (K,). Each with its `_block`. `said` are the model's forecasts
    of the parts."""
    at = {part.stretch.instrument.name: (part, forecasts) for part, forecasts in zip(parts, said, strict=True)}
    fills = [_fill(weights, *at[one.instrument], one) for each in found for one in each.fills if one.instrument in at]
    pushes = [_push(weights, *at[one.instrument], one) for each in found for one in each.pushes if one.instrument in at]
    fill_rows, push_rows = [row for row in fills if row], [row for row in pushes if row]
    empty = np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
    none = np.zeros((0, asked.pairs)), np.zeros(0), np.zeros(0)
    out = dict(zip(FILLED, _columns(fill_rows, empty), strict=True))
    return out | dict(zip(PUSHED, _columns(push_rows, none), strict=True))


FILLED = ("filled_counts", "filled_lstm", "filled_base", "filled_block")
PUSHED = ("pushed_came", "pushed_lstm", "pushed_block")
Row = tuple[Floats | float, ...]


def _columns(rows: Sequence[Row], empty: tuple[Floats, ...]) -> list[Floats]:
    return [np.array([row[k] for row in rows]) if rows else none for k, none in enumerate(empty)]


def _fill(weights: Weights, part: Part, said: NDArray[np.float32], order: Order) -> Row:
    """Nothing before the model is warm."""
    step, k = _step(part, order), 0 if order.side is Side.BUY else 1
    if not WARM_STEPS <= step < len(said):
        return ()
    rates = weights.header.base(part.stretch.instrument.kind)
    p, base = float(said[step, columns("fill")][k]), (rates.fill_bid, rates.fill_ask)[k]
    return order.came, np.array([p, 1.0 - p]), np.array([base, 1.0 - base]), _block(part, step)


def _push(weights: Weights, part: Part, said: NDArray[np.float32], order: Order) -> Row:
    step, k = _step(part, order), 0 if order.side is Side.BUY else 1
    if not WARM_STEPS <= step < len(said):
        return ()
    push = float(part.labels.push[part.begin + step, k])
    tick = float(part.stretch.now[part.begin + step, AT["tick"]])
    if np.isnan(push) or np.isnan(tick):
        return ()
    usual = weights.header.base(part.stretch.instrument.kind).impact * push
    came = (order.came / tick - usual) / (1.0 + push)
    return came, float(said[step, columns("impact")][k]), _block(part, step)


def _step(part: Part, order: Order) -> int:
    return (order.t - part.stretch.t) // STEP_NS - part.begin


def _block(part: Part, step: int) -> float:
    return float(blocks(part, np.array([step]))[0])


# ------------------------------------------------------------ tables


class Truths(NamedTuple):
    """Of one head, the tables of the oracle beside the model and the base rate; None where nobody asked."""

    measure: str
    closed: Closed
    brier: dict[str, float] | None = None


def filled(judged: Judged) -> Truths | None:
    """Expected log-loss, and Brier score, nats and squares."""
    counts = judged.get("filled_counts", np.zeros((0, 2)))
    if not len(counts):
        return None
    said = {name: judged[f"filled_{name}"] for name in ("lstm", "base")}
    losses = {name: expected_log_loss(p, counts) for name, p in said.items()}
    losses["oracle"] = np.array([entropy(truth([int(k) for k in row])) for row in counts])
    n, share = counts.sum(axis=1), counts[:, 0] / counts.sum(axis=1)
    brier = {name: float((p[:, 0] ** 2 - 2 * p[:, 0] * share + share).mean()) for name, p in said.items()}
    brier["oracle"] = float((share * (1.0 - share) * n / np.maximum(n - 1.0, 1.0)).mean())
    return Truths("log_loss", closed(losses, judged["filled_block"]), brier)


def pushed(judged: Judged) -> Truths | None:
    """Expected Huber loss of the relative error."""
    came = judged.get("pushed_came", np.zeros((0, 0)))
    if not len(came):
        return None
    said = {"lstm": judged["pushed_lstm"][:, None], "base": np.zeros((len(came), 1)), "oracle": _others(came)}
    losses = {name: np.nanmean(hubers(came - forecast), axis=1) for name, forecast in said.items()}
    return Truths("huber", closed(losses, judged["pushed_block"]))


def _others(came: Floats) -> Floats:
    """(K, n): at each future, Huber's location of all the others of its moment."""
    n = came.shape[1]
    left = np.where(np.eye(n, dtype=bool)[None], np.nan, came[:, None, :])  # (K, n left out, n)
    at = np.nanmedian(left, axis=2) if n > 1 else np.zeros(came.shape)
    for _ in range(ROUNDS):
        weigh = 1.0 / np.maximum(np.abs(left - at[..., None]), 1.0)  # NaN stays NaN
        at = np.nansum(weigh * left, axis=2) / np.maximum(np.nansum(weigh, axis=2), 1e-12)
    return at
