"""Who makes a market in options: a few desks, each late by its own time, with its own opinion, width and size.

A turn of a maker: what it was hit for goes into its inventory and onto the tape; then it takes over the newest
reference that is old enough for it to have heard of, adds its opinion of level and skew, what trading did to
volatility and what it would rather be rid of, and looks which of its quotes are out. Out is a quote whose middle is
nearly half a tick from where it should be, one that has become far too wide or narrow, or one that is not whole. It
moves the worst of those first, and only so many a turn: the rest stand as they are until the next.

It is out of the market for some seconds when the venue's market-maker protection takes it out, or when the underlying
leaps and it is one of the timid.

Widths: bid to ask in coin is (w₀ + w₁ √years) × vega against the at-the-money's × the maker's factor, at least a
tick, and far more in the money, where quotes are an obligation. Sizes at a price are log-normal around a median that
falls with delta. Where the figures come from is said at `OptionSettings`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine.domain import NS, Kind
from engine.paper.crowd.agents import Ground, Plain
from engine.paper.crowd.chain import Flags, Reference
from engine.paper.crowd.consensus import Consensus
from engine.paper.crowd.dice import Stream
from engine.paper.crowd.quotes import NOWHERE, Quotes
from engine.paper.instruments.marks import Floats
from engine.paper.orders.protection import Limits

TABLE = 509  # sizes a maker has in store
CALM = 5.0  # times the usual variance of some seconds, up to which nobody widens
MOST_LEAN = 0.006  # of log-volatility
NARROW, WIDE = 0.6, 1.6  # of the width a quote was put with, beyond which it is out


class OptionMakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The rows have a value for each maker; widths and sizes are coin (BTC's; `scale` by coin); the rest as named.

    Spreads: the BTC quotes of 21 May 2026 and the whole-venue snapshot of 1 August 2026, by delta and expiry (at the
    money 0.00075 at a day, 0.001 from 2 to 50 days, 0.0015 to 0.002 beyond 100; a tick far out; 0.004 at a delta of
    0.68), deep in the money the chain of April 2023 (0.0125). Sizes: that chain's best bids and asks (medians 12 coin
    at the money, 25 at a delta of 0.17, 40 at 0.03; quartiles 5 and 20 at the money). ETH: the frames of 2021.
    """

    every_s: tuple[float, ...] = (0.30, 0.40, 0.55, 0.80)  # between a maker's turns, in the mean
    late_ms: tuple[float, ...] = (60.0, 150.0, 300.0, 600.0)
    widths: tuple[float, ...] = (1.0, 1.25, 1.6, 2.1)
    timid: tuple[bool, ...] = (True, False, True, False)
    width: float = 1.0  # of everybody's
    at_once: float = 0.00065  # w₀
    by_term: float = 0.0012  # w₁
    inside: float = 0.0115  # further width deep in the money
    scale: tuple[tuple[str, float], ...] = (("BTC", 1.0), ("ETH", 15.0))
    size: float = 1.0  # of everybody's
    near_size: float = 6.0  # coin at a price, median, at the money; twice that deep in it
    far_size: float = 20.0  # … and what is added far out of it
    long_days: float = 60.0  # beyond which what is added falls with the time left
    size_spread: float = 0.9  # of its log
    second: float = 0.6  # chance of a second level behind the first
    batch: int = 32  # quotes a turn
    slack: float = 0.42  # ticks
    covers: float = 0.75  # share of the options that a maker quotes
    opinion: float = 0.001  # deviation of its log-volatility near expiry; half of that of its skew
    opinion_half_life: float = 300.0
    lean: float = 0.002  # of log-volatility, by ten usual sizes held in an expiry
    holds_s: float = 900.0  # half-life of what it holds: it is laid off elsewhere
    fidget: float = 0.25  # chance a turn of showing one option anew with other sizes
    protect: float = 8.0  # usual sizes within `protect_s` that take it out of the market
    protect_s: float = 3.0
    away_s: float = 3.0

    def spread(self, years: Any) -> Any:
        """What is usual at the money, coin, by the time left (a number or an array)."""
        return self.at_once + self.by_term * years**0.5


class OptionMaker(Plain):
    """One desk. `place` is where it stands in the settings' rows."""

    def __init__(
        self, ground: Ground, account: int, consensus: Consensus, dice: Stream, s: OptionMakerSettings, place: int
    ) -> None:
        self.exchange, self.account, self.consensus, self.dice = ground.exchange, account, consensus, dice
        self.settings, self.place, self.chain = s, place, consensus.chain
        self.every, self.late = round(s.every_s[place] * NS), round(s.late_ms[place] * 1e6)
        self.scale = s.size * dict(s.scale).get(ground.coin, 1.0)
        self.table = np.exp(s.size_spread * dice.rng.standard_normal(TABLE)).tolist()
        self.dealt = 0  # how many of the table's sizes were used
        self.opinion = [0.0, 0.0]  # of the log of volatility, of its skew
        self.heard = -1  # number of the reference taken over
        self.away = 0  # until when it quotes nothing
        self.t = 0
        self.quotes = Quotes(self.exchange, account, self.chain)
        self.keen = self.gain = self.held = self.width = np.zeros(0)
        self.bids: Flags = np.zeros(0, dtype=np.bool_)
        self.asks: Flags = np.zeros(0, dtype=np.bool_)
        self.holding = False
        self._protect()
        self.listed(self.chain.numbers)

    def turn(self, t: int) -> int:
        chance, noise = self.dice.uniforms(5), self.dice.normals(2)
        self._drift(t, noise)
        self._take_hits(t)
        s, frozen = self.settings, self.exchange.protections.frozen(t, self.account)
        if s.timid[self.place] and 0 <= t - self.late - self.consensus.alarm < 2 * self.every:
            self.away = max(self.away, t + round(s.away_s * (0.5 + chance[3]) * NS))
        if frozen or t < self.away:
            self.quotes.leave(t, np.flatnonzero(self.quotes.standing))
        else:
            self._quote(t, chance)
        return t + round(self.every * (0.5 + chance[0]))

    def listed(self, numbers: Sequence[int]) -> None:
        more = sum(self.exchange.instruments[n].kind is Kind.OPTION for n in numbers)
        rng = self.dice.rng
        pair = self.chain.pair  # a call and a put of one strike are quoted alike, or not at all
        self.keen = np.append(self.keen, rng.random(more))[pair]
        self.gain = np.append(self.gain, np.exp(0.15 * rng.standard_normal(more)))[pair]
        self.held = np.append(self.held, np.zeros(more))
        self.quotes.more(more)
        self.heard = -1

    def dump(self) -> Any:
        arrays = [a.tolist() for a in (self.keen, self.gain, self.held, self.width, self.bids, self.asks)]
        return [self.dealt, list(self.opinion), self.heard, self.away, self.t, self.holding, arrays,
                self.quotes.dump()]  # fmt: skip

    def load(self, value: Any) -> None:
        self.dealt, opinion, self.heard, self.away, self.t, self.holding, arrays, quotes = value
        self.opinion = list(opinion)
        self.keen, self.gain, self.held, self.width = (np.array(a) for a in arrays[:4])
        self.bids, self.asks = (np.array(a, dtype=np.bool_) for a in arrays[4:])
        self.quotes.load(quotes)

    # what it thinks

    def _drift(self, t: int, noise: list[float]) -> None:
        """Opinions wander and come back; what it holds is laid off."""
        s, passed = self.settings, (t - self.t) / NS if self.t else 0.0
        keep = 0.5 ** (passed / s.opinion_half_life)
        spread = s.opinion * (1.0 - keep * keep) ** 0.5
        self.opinion[0] = keep * self.opinion[0] + spread * noise[0]
        self.opinion[1] = keep * self.opinion[1] + 0.5 * spread * noise[1]
        if self.holding:
            self.held *= 0.5 ** (passed / s.holds_s)
        self.t = t

    def _take_hits(self, t: int) -> None:
        hits = self.exchange.hits.pop(self.account, None)
        if not hits:
            return
        reference = self.consensus.now
        for n, lots in hits.items():
            row = self.chain.row[n]
            size = lots * self.chain.instruments[row].lot / self._median(reference, row)
            self.held[row] += size
            self.quotes.broken[row] = True
            if size:
                self.consensus.print(t, row, size)
        self.holding = True

    def fair(self, reference: Reference, pressed: Floats) -> Floats:
        """Where the middles should be by this reference, units; `pressed` is what trading did to each expiry."""
        slot = self.chain.slot
        less: Floats | float = 0.0
        if self.holding:
            held = np.bincount(slot, self.held * reference.arch, len(self.chain.expiries))
            less = np.clip(self.settings.lean / 10.0 * held, -MOST_LEAN, MOST_LEAN)[slot]
        view = (self.opinion[0] + self.opinion[1] * reference.far - less) / (1.0 + 2.0 * np.sqrt(reference.years))
        return np.asarray(reference.fair + reference.vega * (pressed[slot] + view))

    def _widths(self, reference: Reference) -> Floats:
        """From bid to ask, units."""
        s, unit = self.settings, self.chain.instruments[0].tick
        nervous = min(max(reference.stress / CALM, 1.0), 9.0) ** 0.5
        outside = s.spread(reference.years) * reference.arch
        coin = (outside + s.inside * reference.inside) * self.gain * (s.width * s.widths[self.place] * nervous)
        return np.asarray(np.maximum(coin / unit, reference.tick))

    def _median(self, reference: Reference, row: int) -> float:
        """Coin that usually stands at a price of this option."""
        s = self.settings
        near = s.near_size * (1.0 + float(reference.inside[row]))
        long = min(s.long_days / 365.0 / float(reference.years[row]), 1.0)
        return self.scale * (near + s.far_size * long * math.exp(-float(reference.delta[row]) / 0.13))

    # what it does

    def _quote(self, t: int, chance: list[float]) -> None:
        reference, quotes, s = self.consensus.at(t - self.late), self.quotes, self.settings
        if reference.number != self.heard:
            self._take_over(reference)
        fair = self.fair(reference, self.consensus.pressed(t))
        out = np.abs(fair - quotes.middle) / reference.tick
        ratio = self.width / quotes.wide
        out[quotes.broken | (ratio > WIDE) | (ratio < NARROW)] += 1.0
        if chance[1] < s.fidget:
            self._fidget(t, reference, int(chance[2] * len(out)), float(chance[4]))
        chosen = np.flatnonzero((out > s.slack) & (self.bids | self.asks | quotes.standing))
        if len(chosen) > s.batch:
            chosen = chosen[np.argsort(-out[chosen], kind="stable")[: s.batch]]
        for row in chosen.tolist():
            self._show(t, reference, row, float(fair[row]))

    def _take_over(self, reference: Reference) -> None:
        """A new reference: which options it quotes, how wide; what it quotes no more is pulled when it is out."""
        self.heard = reference.number
        self.width = self._widths(reference)
        bids, asks = self.consensus.wanted(reference)
        mine = (self.keen < self.settings.covers) | (self.chain.pair // 2 % len(self.settings.widths) == self.place)
        bids, asks = bids & mine, asks & mine
        if len(self.bids) == len(bids):
            self.quotes.broken |= (self.bids != bids) | (self.asks != asks)
        self.bids, self.asks = bids, asks

    def _show(self, t: int, reference: Reference, row: int, fair: float) -> None:
        """Make this option's quotes be where they should."""
        chain, quotes, wide = self.chain, self.quotes, float(self.width[row])
        ask = max(chain.snapped(fair + wide / 2.0), 1)
        bid = chain.snapped(2.0 * fair - ask)
        if bid >= ask:
            bid = chain.stepped(ask, -1)
        both = bid >= 1 and self.bids[row] and self.asks[row]
        quotes.middle[row], quotes.wide[row] = (bid + ask) / 2.0 if both else fair, wide
        quotes.broken[row] = False
        median = self._median(reference, row) / chain.instruments[row].lot
        wanted: dict[int, int] = {}
        if bid >= 1 and self.bids[row]:
            self._levels(wanted, bid, -1, median)
        if self.asks[row]:
            self._levels(wanted, ask, 1, median)
        quotes.show(t, row, wanted)

    def _levels(self, wanted: dict[int, int], price: int, away: int, median: float) -> None:
        """The best price, and often one behind it. Asks are entered as negative prices."""
        size = self._deal()
        wanted[-away * price] = max(1, round(median * size))
        if size % 1.0 < self.settings.second:  # the size's digits decide as well as any dice
            behind = self.chain.stepped(price, away * (1 + (self.dealt & 1)))
            if behind >= 1:
                wanted[-away * behind] = max(1, round(1.5 * median * self._deal()))

    def _deal(self) -> float:
        self.dealt += 1
        return float(self.table[self.dealt % TABLE])

    def _fidget(self, t: int, reference: Reference, row: int, chance: float) -> None:
        """Another size at one of an option's prices, mostly one behind the best."""
        mine = self.quotes.orders[row]
        if not mine:
            return
        prices = sorted(mine)
        price = prices[0] if chance < 0.5 else prices[-1]
        order = mine.pop(price)
        self.exchange.pull(t, order)
        if self.quotes.middle[row] != NOWHERE:
            lots = max(1, round(self._median(reference, row) * self._deal() / self.chain.instruments[row].lot))
            self.quotes.show(t, row, {**dict.fromkeys(mine, 1), price: lots})

    def _protect(self) -> None:
        """The venue's protection, over what it is usually traded with."""
        s = self.settings
        limits = Limits(interval_ns=round(s.protect_s * NS), frozen_ns=round(s.away_s * NS),
                        quantity=s.protect * 2.0 * s.near_size * self.scale)  # fmt: skip
        self.exchange.set_protection(self.account, limits)
