"""A crowd on a coin's perpetual and futures alone, for the tests of the underlying market."""

from __future__ import annotations

from engine.domain import NS, Kind
from engine.paper.crowd.crowd import Crowd
from engine.paper.crowd.settings import Settings
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.listing import Spec, listing
from engine.paper.orders.terms import Announcement

START = 1_772_436_600 * NS
INDEX = {"BTC": 100_000.0, "ETH": 3_500.0}


def market(coin: str = "BTC", futures: int = 0) -> Exchange:
    spec = Spec(coin=coin, index=INDEX[coin], expiries=max(futures, 1), strikes=1, futures=futures)
    return Exchange([i for i in listing(START, spec) if i.kind is not Kind.OPTION], spec.index)


def crowd(
    seed: int = 1, settings: Settings | None = None, coins: tuple[str, ...] = ("BTC",), futures: int = 0
) -> Crowd:
    return Crowd({coin: market(coin, futures) for coin in coins}, seed, START, settings)


def heard(who: Crowd, seconds: float) -> list[Announcement]:
    """What is announced until so many seconds after the start."""
    who.advance(START + round(seconds * NS))
    return [said for exchange in who.exchanges.values() for said in exchange.drain()]


def middle(who: Crowd, coin: str = "BTC") -> float:
    """Of the perpetual's book, USD."""
    exchange = who.exchanges[coin]
    book = exchange.books[0]
    assert book.bids.best is not None
    assert book.asks.best is not None
    return (book.bids.best + book.asks.best) / 2 * exchange.instruments[0].tick
