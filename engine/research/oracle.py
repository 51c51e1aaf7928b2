"""The truth of the paper market, for evaluation only: what could come next, counted.

The whole venue, hidden intentions and all, is loaded again and again at one moment and run on under fresh dice; the
share of futures in which something happened is its true probability there. It knows what no trader sees, so it bounds
every forecast from above. It lives above the venue: nothing that speaks to a client can reach it.

Small samples. A share of n futures is smoothed by half a count for each outcome (Jeffreys' prior; Krichevsky and
Trofimov 1981), so that none is impossible. Even so an estimate with k outcomes costs about (k − 1)/(2n) nats of
log-loss more than the true probabilities would; `log_loss` takes that off, and `entropy` adds it back to the plug-in
entropy, which errs the other way (Miller 1955).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from engine.domain import NS, Side
from engine.forecast.labels import outcome_of
from engine.paper.orders.matching import FILLED
from engine.paper.simulation import Futures, Simulation
from engine.research.entered import entered, micro, order_of

FUTURES = 200
PRIOR = 0.5  # counts added to each outcome


class Truth(NamedTuple):
    """How often each outcome came in `n` futures: `p` smoothed (sums to 1), `counts` as they were."""

    p: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.counts)


class Push(NamedTuple):
    """Mean move of the micro-price, units, in an order's direction against the same future without it, and its
    standard error."""

    mean: float
    error: float
    n: int


def truth(counts: Sequence[int]) -> Truth:
    total = sum(counts) + PRIOR * len(counts)
    return Truth(tuple((count + PRIOR) / total for count in counts), tuple(counts))


def direction(
    simulation: Simulation, name: str, threshold: float, seconds: Sequence[float] = (1.0,), n: int = FUTURES
) -> list[Truth | None]:
    """Up, down, stable by each horizon, against the micro-price now; `threshold` units. The same futures serve all
    horizons. None where the book is empty now, or in every future then."""
    now = micro(simulation, name)
    counts = [[0, 0, 0] for _ in seconds]
    if now is None:
        return [None for _ in seconds]
    begin, order = simulation.t, sorted(range(len(seconds)), key=lambda k: seconds[k])
    for future in _each(simulation, n):
        for k in order:
            future.advance(begin + round(seconds[k] * NS))
            then = micro(future, name)
            if then is not None:
                counts[k][outcome_of(then - now, threshold)] += 1
    return [truth(count) if sum(count) else None for count in counts]


def fill(
    simulation: Simulation, name: str, side: Side, lots: int, seconds: float = 5.0, n: int = FUTURES
) -> Truth | None:
    """Whether a passive order of the client's, sent now to the end of the queue at the touch, is filled to the end in
    time: (filled, not). None where there is no touch to join or the venue refuses the order."""
    exchange, number = simulation.exchange(name)
    price = exchange.books[number].half(side).best
    if price is None:
        return None
    counts, end = [0, 0], simulation.t + round(seconds * NS)
    for future in _each(simulation, n):
        order = entered(future, name, side, lots, price)
        if order is None:
            return None
        future.advance(end)
        counts[0 if order_of(future, name, order).state == FILLED else 1] += 1
    return truth(counts)


def impact(
    simulation: Simulation, name: str, side: Side, lots: int, seconds: float = 5.0, n: int = FUTURES
) -> Push | None:
    """What a market order of the client's, sent now, does to the micro-price: each future twice, with it and without.
    None where the venue refuses it or the book is empty."""
    futures, end, moves = Futures(simulation), simulation.t + round(seconds * NS), []
    for fresh in range(n):
        ends: list[float | None] = []
        for with_it in (False, True):
            future = futures.future(fresh)
            if with_it and entered(future, name, side, lots, None) is None:
                return None
            future.advance(end)
            ends.append(micro(future, name))
        if ends[0] is not None and ends[1] is not None:
            moves.append(side.sign * (ends[1] - ends[0]))
    if len(moves) < 2:
        return None
    return Push(float(np.mean(moves)), float(np.std(moves, ddof=1) / np.sqrt(len(moves))), len(moves))


def log_loss(truths: Sequence[Truth], came: Sequence[int]) -> float:
    """Mean log-loss, nats, of the smoothed probabilities against what came, less what the small samples cost."""
    losses = [-np.log(each.p[y]) - _bias(each) for each, y in zip(truths, came, strict=True)]
    return float(np.mean(losses))


def entropy(each: Truth) -> float:
    """Nats: what the best possible forecast loses here on average, small-sample bias taken off."""
    p = np.array([count / each.n for count in each.counts if count])
    return float(-(p * np.log(p)).sum() + (len(p) - 1) / (2 * each.n))


def _bias(each: Truth) -> float:
    return (len(each.counts) - 1) / (2 * each.n)


# ------------------------------------------------------------ within


def _each(simulation: Simulation, n: int) -> Iterator[Simulation]:
    futures = Futures(simulation)
    return (futures.future(fresh) for fresh in range(n))
