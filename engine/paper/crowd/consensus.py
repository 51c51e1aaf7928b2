"""What all option makers of a coin start from: one reference of the chain at a time, and what trading has done to
volatility.

Nobody's quotes follow the forward from tick to tick: one of an option's ticks is worth many of the perpetual's. So a
new reference is made when the forward has moved by a band, when the surface has, or after some seconds; makers take
it over late, each in its own time, and move what is out by nearly half a tick. Between two references quotes stand
while the forward moves: that is what those who see it first can take.

The tape is the volatility that makers were made to buy and sell, by expiry. A trade's mark on it is concave in its
size and fades about as 1/√t, as a sum of exponentials; so a metaorder worked in pieces moves it about as the square
root of what was traded, and the move decays after its end (the propagator of Bouchaud et al. 2004; square root in
option volatility, Said et al. 2021).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from engine.domain import NS
from engine.paper.crowd.agents import Ground, Plain
from engine.paper.crowd.chain import PEAK, Chain, Flags, Reference
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.smile import Shape
from engine.paper.instruments.marks import Floats

KEPT = 16  # references: more than a slow maker may be waiting for
FADES = np.array((10.0, 60.0, 300.0, 1200.0))  # s, of the tape
SHARES = np.array((0.595, 0.243, 0.109, 0.053))  # ∝ 1/√fade
FEEL_S = 4.0  # over which the market's speed is felt
MOST_MARK = 0.05
RELATIVE = 0.7  # power of a trade's size in its mark


class ConsensusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Widths are coin from bid to ask; sizes coin; the rest as named. Sources: `option_makers`."""

    every_s: float = 0.1  # how often the forward is looked at
    band: float = 6.0  # usual deviations of a second that the forward moves before a new reference is made
    shape_band: float = 0.004  # of the logs of the surface's levels
    oldest_s: float = 30.0
    alarm: float = 14.0  # deviations of a look's usual move that frighten makers
    absent: float = 0.012  # share of options that nobody quotes
    bid_gap: float = 0.36  # share of options that nobody bids for, deep in the money
    ask_gap: float = 0.16
    interest_s: float = 20.0  # how often one option's standing in these is drawn anew
    impact: float = 0.2  # of the spread at the money, by one trade of the usual size


class Consensus(Plain):
    """Makes the references and keeps the tape of one coin."""

    def __init__(
        self, ground: Ground, settings: ConsensusSettings, dice: Stream, spread: Callable[[float], float]
    ) -> None:
        self.spread = spread  # at the money, coin, by years
        self.ground, self.world, self.settings, self.dice = ground, ground.world, settings, dice
        self.chain = Chain()
        self.interest = np.zeros((0, 2))
        self.coming: list[list[float]] = []  # row and new interest, from the next reference on: for all makers at once
        self.past: deque[Reference] = deque(maxlen=KEPT)
        self.seen = self.world.log_price
        self.speed = 1.0  # variance of late against the usual
        self.alarm = 0  # when makers were last frightened
        self.tape = np.zeros((len(FADES), 0))
        self.taped = 0
        self.listed(range(len(ground.exchange.instruments)))

    @property
    def now(self) -> Reference:
        return self.past[-1]

    def at(self, t: int) -> Reference:
        """The newest reference that was made at or before `t`, or the oldest kept."""
        for reference in reversed(self.past):
            if reference.t <= t:
                return reference
        return self.past[0]

    def turn(self, t: int) -> int:
        chance = self.dice.uniforms(4)
        s, last = self.settings, self.past[-1]
        self._feel(t)
        if chance[0] * s.interest_s < s.every_s:
            self.coming.append([int(chance[1] * len(self.chain)), *chance[2:]])
        moved = abs(self.world.log_price - last.log_price)
        if moved > s.band * self.world.usual_deviation() or t - last.t > s.oldest_s * NS or self._reshaped(last.shape):
            self._make(t)
        return t + round(s.every_s * NS)

    def listed(self, numbers: Sequence[int]) -> None:
        before, expiries = len(self.chain), self.chain.expiries
        self.chain.add(self.ground.exchange.instruments, numbers)
        self.interest = np.vstack([self.interest, self.dice.rng.random((len(self.chain) - before, 2))])
        tape = np.zeros((len(FADES), len(self.chain.expiries)))  # the slots are others now, and so are the rows
        tape[:, [self.chain.expiries.index(expiry) for expiry in expiries]] = self.tape
        self.tape = tape
        self.past.clear()
        if len(self.chain):
            self._make(self.world.t)

    def wanted(self, reference: Reference) -> tuple[Flags, Flags]:
        """Which options anybody bids for, and offers: all but a few, fewer the deeper in the money."""
        s, (one, two) = self.settings, self.interest.T
        there = reference.live & (one >= s.absent)
        bids = there & (one >= s.bid_gap * reference.inside)
        return bids, there & (0.7 * one + 0.3 * two >= s.ask_gap * reference.inside)

    def print(self, t: int, row: int, size: float) -> None:
        """Makers have got so many usual sizes (signed) of an option."""
        self._fade(t)
        r = self.now
        years, arch = float(r.years[row]), float(r.arch[row])
        spread = self.spread(years) / (PEAK * math.sqrt(years) * r.shape.atm(years))  # of the log of volatility
        mark = -math.copysign(abs(size) ** RELATIVE, size) * self.settings.impact * spread * arch
        self.tape[:, self.chain.slot[row]] += np.clip(mark, -MOST_MARK, MOST_MARK) * SHARES

    def pressed(self, t: int) -> Floats:
        """By expiry, what trading has done to the log of volatility; a quarter of it is everywhere."""
        self._fade(t)
        return _everywhere(self.tape)

    def to_press(self, t: int) -> Floats:
        """What `pressed` will say at `t` if nothing trades until then; it leaves the tape as it is."""
        return _everywhere(self.tape * self._kept(t))

    def dump(self) -> Any:
        past = [
            [r.number, r.t, r.log_price, msgspec.to_builtins(r.shape), r.forwards, r.stress, r.averages]
            for r in self.past
        ]
        return [past, self.seen, self.speed, self.alarm, self.tape.tolist(), self.taped, self.interest.tolist(),
                list(map(list, self.coming))]  # fmt: skip

    def load(self, value: Any) -> None:
        past, self.seen, self.speed, self.alarm, tape, self.taped, interest, coming = value
        self.tape, self.interest, self.coming = np.array(tape), np.array(interest), list(map(list, coming))
        self.past.clear()
        for number, t, log_price, shape, forwards, stress, averages in past:
            of = msgspec.convert(shape, Shape)
            made = self.chain.reference(number, t, log_price, of, list(forwards), stress, list(averages))
            self.past.append(made)

    def _make(self, t: int) -> None:
        for row, *interest in self.coming:
            self.interest[int(row)] = interest
        self.coming = []
        number = self.past[-1].number + 1 if self.past else 0
        known = dict(zip(self.world.expiries, self.world.forwards(self.world.price).tolist(), strict=True))
        forwards = [known[expiry] for expiry in self.chain.expiries]
        shape, stress, marks = self.world.smile.shape(), max(self.speed, 1.0), self.ground.exchange.marks
        averages = [0.0 if math.isnan(mean) else mean for e in self.chain.expiries for mean in [marks.average(e, t)]]
        self.past.append(self.chain.reference(number, t, self.world.log_price, shape, forwards, stress, averages))

    def _reshaped(self, old: Shape) -> bool:
        new, band = self.world.smile.shape(), self.settings.shape_band
        return (
            abs(new.short / old.short - 1.0) > 2.0 * band
            or abs(new.middle / old.middle - 1.0) > 2.0 * band
            or abs(new.long / old.long - 1.0) > 2.0 * band
            or abs(new.rho - old.rho) > 2.0 * band
            or abs(new.eta / old.eta - 1.0) > 2.0 * band
        )

    def _feel(self, t: int) -> None:
        """How fast the market is: the variance of its looks of late against the usual."""
        s = self.settings
        usual = self.world.usual_deviation() * math.sqrt(s.every_s)
        moved, self.seen = self.world.log_price - self.seen, self.world.log_price
        self.speed += s.every_s / FEEL_S * ((moved / usual) ** 2 - self.speed)
        if abs(moved) > s.alarm * usual:
            self.alarm = t

    def _fade(self, t: int) -> None:
        if t > self.taped:
            self.tape *= self._kept(t)
            self.taped = t

    def _kept(self, t: int) -> Floats:
        return np.asarray(np.exp((self.taped - t) / NS / FADES)[:, None])


def _everywhere(tape: Floats) -> Floats:
    own = tape.sum(axis=0)
    return np.asarray(0.75 * own + 0.25 * own.mean())
