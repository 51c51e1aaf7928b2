"""What the quotes of the whole chain do together: how many move, by how much of the underlying, since when they stand.

Market makers quote many options from one forward and move them in waves, each maker a little later than the quickest.
So an option that has not moved yet is told by those that have, and a forward that has come far since the last wave
tells of the next. Tickers are enough for that: the chain has no books.

An option with an order of ours in it, or lately, is left out until its ticker has been heard anew without one.
"""

from __future__ import annotations

from math import log
from typing import Any

import msgspec

from engine.domain import NS, Kind
from engine.forecast.context import Chain
from engine.forecast.decay import Sums, factors
from engine.market.state import Venue

WAVE = 0.08  # share of the quoted options that move in one step of a wave
LEAST = 1e-12  # sum of squared deltas under which nothing can be told
PRUNED = 600  # steps between two looks for what has expired


class Requotes:
    """Of the desk's own coin; `load(dump())` goes on exactly as it would have."""

    def __init__(self) -> None:
        self.chain: Chain | None = None  # as of the last step; None until a chain was heard
        self._heard: dict[str, None] = {}  # since the last step, in order of arrival
        self._quoted: dict[str, tuple[float, float]] = {}  # middle, coin delta of two-sided options
        self._weight = 0.0  # Σ delta² of these
        self._rate, self._move = Sums(), Sums()
        self._total = 0.0
        self._wave: tuple[int, float] | None = None  # when, ln of the underlying then
        self._t = 0

    def heard(self, name: str) -> None:
        """A ticker came."""
        self._heard[name] = None

    def ours(self, name: str) -> None:
        """News of an order or fill of ours: what its ticker shows of it is none of the market."""
        self._heard.pop(name, None)
        self._forget(name)

    def step(self, t: int, venue: Venue, under: float | None, steps: int) -> None:
        """After everything that came up to `t`; `under` is the perpetual's price in USD."""
        resting = {order.instrument for order in venue.resting.values()}
        count, moved = 0, 0.0
        for name in self._heard:
            push = None if name in resting else self._compare(name, venue, t)
            if push is None:
                self._forget(name)
            elif push:
                count, moved = count + 1, moved + push
        self._heard = {}
        if steps % PRUNED == 0:
            self._prune(t, venue)
        self._join(t, count, moved, under)

    def _compare(self, name: str, venue: Venue, t: int) -> float | None:
        """Δmiddle × delta since it was last heard; None for what is no two-sided option of the coin."""
        instrument, quote = venue.instruments.get(name), venue.quotes.get(name)
        if instrument is None or quote is None or instrument.kind is not Kind.OPTION or instrument.coin != venue.coin:
            return None
        if not quote.bid or not quote.ask or quote.delta is None or not quote.mark or instrument.expiry <= t:
            return None
        middle, delta = (quote.bid + quote.ask) / 2.0, quote.delta - quote.mark
        last = self._quoted.get(name)
        self._quoted[name] = middle, delta
        self._weight += delta * delta - (last[1] * last[1] if last is not None else 0.0)
        return 0.0 if last is None else (middle - last[0]) * delta

    def _join(self, t: int, count: int, moved: float, under: float | None) -> None:
        """`moved` ÷ Σ delta² is the log-move of the underlying that explains the chain's middles best, unmoved ones
        too (least squares)."""
        keep = factors(t - self._t)
        self._t = t
        share = count / len(self._quoted) if self._quoted else 0.0
        move = moved / self._weight if self._weight > LEAST else 0.0
        self._rate.add(share)
        self._move.add(move)
        self._rate.step(keep)
        self._move.step(keep)
        self._total += move
        if under and (share >= WAVE or self._wave is None):
            self._wave = t, log(under)
        if self._quoted:
            rates, moves = self._rate.sums, self._move.sums
            self.chain = Chain(
                rates=(rates[0], rates[1], rates[2]),
                moves=(moves[0], moves[1]),
                total=self._total,
                age=0.0 if self._wave is None else (t - self._wave[0]) / NS,
                since=log(under) - self._wave[1] if under and self._wave is not None else 0.0,
            )
        else:
            self.chain = None

    def _forget(self, name: str) -> None:
        last = self._quoted.pop(name, None)
        if last is not None:
            self._weight -= last[1] * last[1]

    def _prune(self, t: int, venue: Venue) -> None:
        listed = venue.instruments
        for name in [name for name in self._quoted if name not in listed or listed[name].expiry <= t]:
            self._forget(name)

    def dump(self) -> dict[str, Any]:
        return {
            "heard": list(self._heard),
            "quoted": [[name, *values] for name, values in self._quoted.items()],
            "weight": self._weight,
            "rate": self._rate.dump(),
            "move": self._move.dump(),
            "total": self._total,
            "wave": None if self._wave is None else list(self._wave),
            "t": self._t,
            "chain": msgspec.to_builtins(self.chain),
        }

    @classmethod
    def load(cls, value: dict[str, Any]) -> Requotes:
        made = cls()
        made.chain = msgspec.convert(value["chain"], Chain | None)
        made._heard = dict.fromkeys(value["heard"])
        made._quoted = {name: (middle, delta) for name, middle, delta in value["quoted"]}
        made._weight, made._total, made._t = value["weight"], value["total"], value["t"]
        made._rate, made._move = Sums.load(value["rate"]), Sums.load(value["move"])
        made._wave = None if value["wave"] is None else (value["wave"][0], value["wave"][1])
        return made
