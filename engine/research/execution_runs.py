"""One parent order on one simulated market, by several algorithms from the very same moment: what each came to.

A run is told by its seed and regime. The market is one that nothing was trained on (the regime's settings drawn anew by
the seed, `held_out`). It is warmed up once: prices move, the model's state fills, volumes are known. Then a parent is
drawn: an option near the money with a book of two sides, a side, two to five times what a touch of it has shown, three
to five minutes. From that moment each algorithm works it, on its own, with the dial at automatic.

**The skill monitor.** A head has a say only once it has shown an edge, which takes longer than a run lasts; a real desk
has been watching for hours. So, for each regime and model, a desk watches another market of the same kind first, for a
quarter of an hour, and what its monitor tallied is each run's as if it had happened just before. A head that showed no
edge there has no say in the runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np

from engine.config import Config, Limits
from engine.core.market import Market
from engine.domain import NS, Instrument, Kind, Side
from engine.forecast.parameters import Weights
from engine.forecast.skill import Monitor
from engine.paper.crowd.settings import held_out
from engine.paper.instruments.listing import LADDERS, Spec
from engine.paper.venue import VenueSettings
from engine.research.dataset import SHIFT_NS, START_NS
from engine.research.execution_orders import BLINDED, Ordered, Outcome, Skipped, Task, Worked
from engine.research.simulated import Moment, Simulated

LISTING = (Spec(expiries=3, ladders=LADDERS[:3], future_at=(2,)),)
"""The venue's own ladders of the three nearest expiries. A plain listing of one would be quicker, but all that is
traded in a coin would be traded in its few options: a market that no model of the venue's has seen."""
FIRST_S = 3.0  # until the options are quoted and one is drawn
AFTER_S = 10.0  # that a parent is given to end after its time
WATCHED = 6  # options in focus of a desk that watches
DELTAS = (0.15, 0.65)  # of an option that is drawn, without sign
WIDEST = 12.0  # ticks between its touches
TOUCHES = (2.0, 5.0)  # times what a touch has shown, a parent's size
SIZES = (15.0, 100.0)  # contracts, the least and the most of it
MINUTES = (3.0, 5.0)
DRAW = 7  # salt


class Prepared(NamedTuple):
    """A market at the moment at which a parent is sent; `cpu_s` is what it took to get there."""

    task: Task
    at: Moment
    order: Ordered
    cpu_s: float


# ------------------------------------------------------------ markets


def market_of(seed: int, regime: str) -> VenueSettings:
    return VenueSettings(listing=LISTING, crowd=held_out(seed, regime))


def begun(seed: int, regime: str, config: Config, weights: Weights | None) -> Simulated:
    """A desk whose options are quoted."""
    desk = Simulated(seed, START_NS + seed % 100 * SHIFT_NS, market_of(seed, regime), config, weights)
    desk.run(desk.t + round(FIRST_S * NS))
    return desk


def near(market: Market) -> list[Instrument]:
    """Options near the money whose book has two sides not too far apart, in order."""
    return [one for name, one in sorted(market.venue.instruments.items()) if _near(market, one)]


def _near(market: Market, instrument: Instrument) -> bool:
    quote = market.venue.quotes.get(instrument.name)
    if instrument.kind is not Kind.OPTION or quote is None or not quote.bid or not quote.ask or quote.delta is None:
        return False
    ticks = (quote.ask - quote.bid) / instrument.tick / instrument.tick_units(quote.ask / instrument.tick)
    return DELTAS[0] <= abs(quote.delta) <= DELTAS[1] and ticks <= WIDEST


def watched(task: Task, weights: Weights) -> dict[str, Any]:
    """What a desk's monitor has tallied after the task's minutes: `Monitor.dump`."""
    desk = begun(task.seed, task.regime, Config(seed=task.seed), weights)
    found = near(desk.core.market)
    drawn = np.random.default_rng([task.seed, DRAW]).permutation(len(found))[:WATCHED]
    desk.look(*(found[k].name for k in sorted(drawn)))
    desk.run(desk.t + round(task.minutes * 60 * NS))
    dumped: dict[str, Any] = desk.core.market.monitor.dump()
    return dumped


# ------------------------------------------------------------ a parent


def prepared(task: Task, weights: Weights | None, tallied: Mapping[str, Any] | None) -> Prepared | Skipped:
    """The market warmed up, and the parent drawn on it."""
    config, began = Config(seed=task.seed), time.process_time()
    desk = begun(task.seed, task.regime, config, weights)
    dice = np.random.default_rng([task.seed, DRAW])
    place, side, size, length = dice.random(4).tolist()
    found = near(desk.core.market)
    if not found:
        return Skipped(task.seed, task.regime, "no option near the money has a book of two sides")
    instrument = found[int(place * len(found))]
    desk.look(instrument.name)
    shown = _shown(desk, instrument, task.warm_s)
    times = TOUCHES[0] * (TOUCHES[1] / TOUCHES[0]) ** size
    quantity = float(round(min(max(times * shown, SIZES[0]), SIZES[1])))
    minutes = task.minutes or round(MINUTES[0] + (MINUTES[1] - MINUTES[0]) * length, 2)
    ordered = Ordered(instrument.name, Side.BUY if side < 0.5 else Side.SELL, quantity, minutes)
    if tallied is not None and weights is not None:
        desk.core.market.monitor = taken_over(tallied, weights, desk)
    return Prepared(task, desk.moment(), ordered, time.process_time() - began)


def _shown(desk: Simulated, instrument: Instrument, seconds: float) -> float:
    """Let so many seconds pass: contracts that a touch has shown in the mean of them."""
    end, shown = desk.t + round(seconds * NS), [0.0]
    while desk.t < end:
        desk.run(desk.t + NS)
        book = desk.core.market.venue.books.get(instrument.name)
        levels = [book.levels(side, 1) for side in Side] if book is not None else []
        shown += [lots * instrument.lot / instrument.contract for level in levels for _, lots in level]
    return sum(shown) / max(len(shown) - 1, 1)


def taken_over(tallied: Mapping[str, Any], weights: Weights, desk: Simulated) -> Monitor:
    """This desk's monitor with the tallies of another's as if they were of the minutes before now."""
    value: dict[str, Any] = desk.core.market.monitor.dump()
    tallies = {}
    for head, dumped in tallied["tallies"].items():
        block_ns = Monitor(weights)._tallies[head].block_ns
        tallies[head] = [desk.t // block_ns, *dumped[1:]]
    return Monitor.load(weights, value | {"tallies": tallies, "stretches": tallied["stretches"]})


def runs(
    ready: Prepared, algorithms: Sequence[str], weights: Weights, config: Config | None = None,
    blind: Sequence[str] = BLINDED,
) -> Iterator[Outcome | Skipped]:  # fmt: skip
    """Each algorithm from the same moment. `config` brings the policy and the settings of execution; the `blind` are
    given no model, which only takes time where it is not read. The way to the moment is among what they cost."""
    desk = Simulated(ready.at.seed, ready.at.start, ready.at.settings)
    for algorithm in algorithms:
        began = time.process_time()
        reads = None if algorithm in blind else weights
        desk.rewind(ready.at, reads, partial(_changed, config=_config(ready.task, config), weights=reads))
        worked = Worked(desk, ready.order)
        refused = worked.send(algorithm)
        if refused:
            yield Skipped(ready.task.seed, ready.task.regime, refused)
            continue
        worked.until(desk.t + round((ready.order.minutes * 60 + AFTER_S) * NS))
        cpu_s = time.process_time() - began + ready.cpu_s / len(algorithms)
        yield worked.outcome(ready.task, algorithm, cpu_s)


def _config(task: Task, config: Config | None) -> Config:
    """No limit of the desk's is in the way of a parent that is taken at once."""
    limits = Limits(order_contracts=2.0 * SIZES[1])
    return msgspec.structs.replace(config or Config(), seed=task.seed, limits=limits)


def _changed(state: dict[str, Any], config: Config, weights: Weights | None) -> dict[str, Any]:
    state["desk"]["config"] = msgspec.to_builtins(config)
    if weights is None:
        state["market"]["forecaster"]["id"] = "baseline"
    return state
