"""What orders of our own would do: probes sent at random moments into clones of a simulated session.

Who looks only at what others did confounds size with state: large orders come where they find depth, passive ones are
filled where the price is about to fall. A probe's instrument, side and size are drawn by lot. At a moment the venue is
cloned as it stands, with the very dice it will throw; in the clone probes are sent, and five seconds on it is compared
with the session itself, which had none. What differs is the probe's doing.

Probes on several options share a clone: what one option's taker does to another's book in five seconds is little beside
its own. The perpetual moves everything, so it is probed alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from engine.config import WARM_STEPS
from engine.domain import Instrument, Kind, Side
from engine.forecast.baseline import contracts
from engine.forecast.labels import HORIZON_NS
from engine.forecast.others import lots_of
from engine.messages import SIZES
from engine.paper.simulation import Futures, Simulation
from engine.research.entered import entered, micro, order_of

EVERY = 60  # steps between two probed moments
TAKERS, MAKERS = 3, 3  # options probed in one clone, each by one order
ALONE = 6  # one moment in so many is the perpetual's
HORIZON = HORIZON_NS["impact"]
DRAWN = SIZES[2:]  # contracts: what less does drowns in what moves anyway
_SALT = 5


class Probe(msgspec.Struct, frozen=True):
    """`step` counts from the session's first. A taker took `contracts`, and `micro` is the micro-price after five
    seconds, in units, NaN where a side was empty; of a passive order at the touch `filled` is the share that was."""

    step: int
    instrument: str
    side: Side
    taker: bool
    contracts: float
    micro: float
    filled: float


class Prober:
    """Asks at every so many steps. Draws from dice of its own: the session is the same with and without it."""

    def __init__(self, simulation: Simulation, seed: int, names: Sequence[str], perpetual: str) -> None:
        self.simulation, self.done = simulation, list[Probe]()
        listed = {one.name: one for one in simulation.instruments}
        self._options = [listed[name] for name in names if listed[name].kind is Kind.OPTION]
        self._perpetual = listed[perpetual]
        self._dice = np.random.default_rng([seed, _SALT])

    def step(self, step: int) -> None:
        """At the end of each step of the session, counted from 0."""
        if step < WARM_STEPS or step % EVERY:
            return
        future, sent = Futures(self.simulation).future(), []
        for instrument, taker in self._drawn():
            side = Side.BUY if self._dice.random() < 0.5 else Side.SELL
            size = float(self._dice.choice(DRAWN))
            if order := _send(future, instrument, side, size, taker):
                sent.append((instrument, side, taker, order))
        future.advance(future.t + HORIZON)
        self.done += [_seen(future, step, *each) for each in sent]

    def _drawn(self) -> list[tuple[Instrument, bool]]:
        if self._dice.random() < 1.0 / ALONE or not self._options:
            return [(self._perpetual, bool(self._dice.random() < 0.5))]
        order = self._dice.permutation(len(self._options))[: TAKERS + MAKERS]
        return [(self._options[at], k < TAKERS) for k, at in enumerate(order)]


def _send(future: Simulation, instrument: Instrument, side: Side, size: float, taker: bool) -> str | None:
    """A market order, or a post-only one at the touch; None where there is no book or the venue refuses it."""
    exchange, n = future.exchange(instrument.name)
    price, touch = micro(future, instrument.name), exchange.books[n].half(side).best
    if price is None or touch is None:
        return None
    return entered(future, instrument.name, side, lots_of(instrument, size, price), None if taker else touch)


def _seen(future: Simulation, step: int, instrument: Instrument, side: Side, taker: bool, sent: str) -> Probe:
    order, price = order_of(future, instrument.name, sent), micro(future, instrument.name)
    lots = order.filled if taker else order.amount
    return Probe(
        step, instrument.name, side, taker,
        contracts=contracts(instrument, lots, price or order.price),
        micro=np.nan if price is None else price,
        filled=order.filled / order.amount,
    )  # fmt: skip
