"""What the chain's quotes do together: told from tickers alone, the same whatever we do, exact through a dump."""

from __future__ import annotations

from math import log

import msgspec
import pytest

from engine.core.requotes import PRUNED, Requotes
from engine.domain import NS, Side
from engine.market.state import Venue
from engine.market.told import Quote, Resting
from tests.forecast.market import OPTION, START

STEP = NS // 10
UNDER = 80_000.0
NAMES = [f"{OPTION.name}-{k}" for k in range(10)]


def chain(delta: float = 0.5, mark: float = 0.02) -> Venue:
    """Ten options of one delta, each at 0.02 coin."""
    venue = Venue(OPTION.coin)
    for name in NAMES:
        venue.instruments[name] = msgspec.structs.replace(OPTION, name=name)
        venue.quotes[name] = Quote(t=START, bid=0.0195, ask=0.0205, mark=mark, delta=delta + mark)
    return venue


def heard(requotes: Requotes, names: list[str]) -> None:
    for name in names:
        requotes.heard(name)


def begun(venue: Venue) -> Requotes:
    requotes = Requotes()
    heard(requotes, NAMES)
    requotes.step(START, venue, UNDER, 1)
    return requotes


def push(venue: Venue, requotes: Requotes, name: str, coin: float) -> None:
    quote = venue.quotes[name]
    assert quote.bid
    assert quote.ask
    venue.quotes[name] = msgspec.structs.replace(quote, bid=quote.bid + coin, ask=quote.ask + coin)
    requotes.heard(name)


def test_nothing_is_said_before_a_chain_is_heard() -> None:
    requotes = Requotes()
    requotes.step(START, chain(), UNDER, 1)
    assert requotes.chain is None


@pytest.mark.parametrize("moved", [1, 4, 10])
def test_moves_are_what_the_underlying_would_have_to_do(moved: int) -> None:
    """Ten options of delta ½ are all worth 0.001 × ½ more when the forward rises by 0.001; of those that have not
    moved yet it is told that it has risen by their share less."""
    venue = chain()
    requotes = begun(venue)
    for name in NAMES[:moved]:
        push(venue, requotes, name, 0.001 * 0.5)
    requotes.step(START + STEP, venue, UNDER, 2)
    assert requotes.chain is not None
    assert requotes.chain.total == pytest.approx(0.001 * moved / 10)
    assert requotes.chain.rates[2] == pytest.approx(moved / 10)


def test_a_put_that_falls_tells_of_a_rise() -> None:
    venue = chain(delta=-0.4)
    requotes = begun(venue)
    for name in NAMES:
        push(venue, requotes, name, -0.0004)
    requotes.step(START + STEP, venue, UNDER, 2)
    assert requotes.chain is not None
    assert requotes.chain.total == pytest.approx(0.001)


def test_a_wave_is_many_at_once_and_the_underlying_is_counted_from_it() -> None:
    venue = chain()
    requotes = begun(venue)
    requotes.step(START + 5 * NS, venue, UNDER * 1.001, 2)
    assert requotes.chain is not None
    assert requotes.chain.age == 5.0
    assert requotes.chain.since == pytest.approx(log(1.001))
    push(venue, requotes, NAMES[0], 0.0005)
    requotes.step(START + 6 * NS, venue, UNDER * 1.002, 3)
    assert requotes.chain.age == 0.0
    assert requotes.chain.since == 0.0


@pytest.mark.parametrize("known", [True, False])
def test_what_we_do_to_a_ticker_is_none_of_the_chain(known: bool) -> None:
    """An order of ours at the touch, known by its resting or by the news of it, and its going again."""
    venue = chain()
    requotes, still = begun(venue), begun(chain())
    name = NAMES[0]
    if known:
        venue.resting["1"] = Resting(name, Side.BUY, 199, 10, "ours")
    else:
        requotes.ours(name)
    quote = venue.quotes[name]
    venue.quotes[name] = msgspec.structs.replace(quote, bid=0.0199)
    requotes.heard(name)
    requotes.step(START + STEP, venue, UNDER, 2)
    venue.resting.clear()
    requotes.ours(name)
    venue.quotes[name] = quote
    requotes.heard(name)
    for k in (2, 3):
        requotes.step(START + k * STEP, venue, UNDER, 1 + k)
    for k in (1, 2, 3):
        still.step(START + k * STEP, chain(), UNDER, 1 + k)
    assert requotes.chain == still.chain


def test_what_has_expired_or_has_one_side_counts_no_more() -> None:
    venue = chain()
    requotes = begun(venue)
    venue.quotes[NAMES[0]] = msgspec.structs.replace(venue.quotes[NAMES[0]], bid=None)
    requotes.heard(NAMES[0])
    del venue.instruments[NAMES[1]]
    requotes.step(START + STEP, venue, UNDER, PRUNED)
    for name in NAMES[2:]:
        push(venue, requotes, name, 0.0005)
    requotes.step(START + 2 * STEP, venue, UNDER, PRUNED + 1)
    assert requotes.chain is not None
    assert requotes.chain.total == pytest.approx(0.001)
    assert requotes.chain.rates[0] == pytest.approx(1.0)


def test_a_dump_goes_on_exactly() -> None:
    venue = chain()
    first = begun(venue)
    push(venue, first, NAMES[3], 0.0005)
    first.step(START + STEP, venue, UNDER, 2)
    first.heard(NAMES[4])
    second = Requotes.load(msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
    assert second.chain == first.chain
    for requotes in (first, second):
        push(venue, requotes, NAMES[5], 0.0)
        requotes.step(START + 2 * STEP, venue, UNDER * 1.01, 3)
    assert second.chain == first.chain
    assert second.dump() == first.dump()
