"""What trading does to the price of one book: everybody reads the tape and believes a part of it.

A trade's mark is concave in its size, the square root or less, and fades about as 1/√t, as a sum of exponentials. So
a metaorder worked in pieces moves the price about as the square root of what was traded, and the move decays slowly
after its end (the propagator of Bouchaud, Gefen, Potters, Wyart 2004). Trades that only picked a quote that was left
behind tell nothing new and are not marked. What is on the tape is a premium over the efficient price: the perpetual's
premium over its index comes from here.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from engine.domain import NS, Instrument
from engine.paper.crowd.sizes import BP
from engine.paper.crowd.world import World

FADES = (3.0, 20.0, 120.0, 900.0)  # s
SHARES = (0.54, 0.28, 0.13, 0.05)  # about ∝ 1/√fade
OFTEN_NS = NS // 50


class TapeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The mark of a trade of `usd` is `bp`. Chosen so that a million worked in a minute moves the price by some 2.7
    basis points, half a daily deviation times the root of its share of a day's volume (Tóth et al. 2011), and sizes
    from a quarter of a million to four by a power of about 0.6: flow of both sides and the makers' tolerance add to
    `power`.
    """

    bp: float = 0.1
    usd: float = 10_000.0
    power: float = 0.33  # of a trade's size in its mark
    news_bp: float = 0.4  # a trade with more than this in it told nothing new


class Tape:
    """Of one book."""

    def __init__(self, settings: TapeSettings) -> None:
        self.s, self.t = settings, 0
        self.marks = [0.0] * len(FADES)
        self.share = 0.0  # the sum now, of the price

    def add(self, t: int, lots: int, lot: float, price: float, worth: float) -> None:
        """Makers were left with so many `lots` (signed) at `price`, when it was worth `worth`; both units."""
        sign = -1.0 if lots > 0 else 1.0
        if sign * (worth / price - 1.0) * 1e4 > self.s.news_bp:
            return
        mark = sign * self.s.bp * (abs(lots) * lot / self.s.usd) ** self.s.power * BP
        self._fade(t)
        self.marks = [value + share * mark for value, share in zip(self.marks, SHARES, strict=True)]
        self.share += mark

    def at(self, t: int) -> float:
        """By what share of the price trading has moved it."""
        if t - self.t > OFTEN_NS:
            self._fade(t)
        return self.share

    def _fade(self, t: int) -> None:
        seconds = (t - self.t) / NS
        self.marks = [value * math.exp(-seconds / fade) for value, fade in zip(self.marks, FADES, strict=True)]
        self.share, self.t = sum(self.marks), t

    def dump(self) -> list[Any]:
        return [self.t, list(self.marks), self.share]

    def load(self, value: list[Any]) -> None:
        self.t, self.marks, self.share = value[0], list(value[1]), value[2]


def worth_of(world: World, tape: Tape, instrument: Instrument, t: int, late_ns: int) -> float:
    """What a future was worth so long ago, units: the efficient price with what the tape adds."""
    return world.fair(instrument.expiry, late_ns) * (1.0 + tape.at(t)) / instrument.tick
