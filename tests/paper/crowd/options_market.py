"""An options market without a protocol: an exchange and its crowd, and what its middles say."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine.domain import NS, Instrument, Kind
from engine.paper.crowd.consensus import Consensus
from engine.paper.crowd.crowd import Crowd
from engine.paper.crowd.option_makers import OptionMaker
from engine.paper.crowd.settings import Settings
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.listing import Spec, listing

START = 1_780_000_000 * NS
CHAIN = Spec(expiries=3, strikes=9, futures=1)


class Options:
    """One coin's crowd on its own exchange."""

    def __init__(self, seed: int = 3, spec: Spec = CHAIN, settings: Settings | None = None) -> None:
        self.exchange = Exchange(listing(START, spec), spec.index)
        self.crowd = Crowd({spec.coin: self.exchange}, seed, START, settings)
        agents = [agent for _, _, agent in self.crowd.cast]
        self.consensus = next(agent for agent in agents if isinstance(agent, Consensus))
        self.makers = [agent for agent in agents if isinstance(agent, OptionMaker)]
        self.numbers = [n for n, i in enumerate(self.exchange.instruments) if i.kind is Kind.OPTION]

    def advance(self, seconds: float) -> None:
        self.crowd.advance(self.crowd.t + round(seconds * NS))
        self.exchange.drain()

    def touch(self, n: int) -> tuple[int | None, int | None]:
        book = self.exchange.books[n]
        return book.bids.best, book.asks.best

    def micro(self, n: int) -> float | None:
        book, (bid, ask) = self.exchange.books[n], self.touch(n)
        if bid is None or ask is None:
            return None
        there, here = book.asks.total(ask), book.bids.total(bid)
        return (bid * there + ask * here) / (there + here)

    def middles(self) -> Iterator[tuple[Instrument, float, float]]:
        """(instrument, middle, half of its tick), units, where both sides stand."""
        for n in self.numbers:
            bid, ask = self.touch(n)
            i = self.exchange.instruments[n]
            if bid is not None and ask is not None:
                yield i, (bid + ask) / 2.0, i.tick_units((bid + ask) / 2.0) / 2.0

    def state(self) -> bytes:
        return msgspec.msgpack.encode([self.exchange.dump(), self.crowd.dump()])
