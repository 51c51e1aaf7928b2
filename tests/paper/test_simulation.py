"""The whole paper venue in memory, as a subscribed client sees it."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from engine.domain import NS, Kind, Side
from engine.market.deribit.data import BookData
from engine.market.deribit.wire import Push, Reply, decode, request
from engine.paper.crowd.crowd import Crowd
from engine.paper.simulation import Simulation
from tests.paper.simulated import channels, simulation
from tests.paper.small import START, levels, sound


def call(sim: Simulation, method: str, **params: Any) -> list[bytes]:
    return sim.request(request(1, method, params))


def played(seed: int, seconds: int, orders: bool = True) -> tuple[str, Simulation]:
    """Everything a client hears in a session with some orders of its own, hashed."""
    sim = simulation(seed)
    heard = hashlib.sha256()
    for frame in sim.subscribe(channels(sim)):
        heard.update(frame)
    for second in range(1, seconds + 1):
        for t, frame in sim.advance(START + second * NS):
            heard.update(t.to_bytes(8, "big") + frame)
        if orders and second % 3 == 0:
            for frame in call(sim, "private/buy", instrument_name="BTC-PERPETUAL", amount=50_000, type="market"):
                heard.update(frame)
    return heard.hexdigest(), sim


def test_the_same_seed_and_inputs_give_the_same_frames() -> None:
    assert played(7, 20)[0] == played(7, 20)[0]


def test_another_seed_gives_another_market() -> None:
    assert played(7, 5)[0] != played(8, 5)[0]


def test_advancing_in_small_steps_changes_nothing() -> None:
    heard = []
    for step in (NS, NS // 7):
        sim = simulation()
        sim.subscribe(channels(sim))
        frames = []
        while sim.t < START + 10 * NS:
            frames += sim.advance(min(sim.t + step, START + 10 * NS))
        heard.append(frames)
    assert heard[0] == heard[1]
    assert [t for t, _ in heard[0]] == sorted(t for t, _ in heard[0])


def test_orders_change_what_agents_see_and_not_their_dice() -> None:
    quiet, busy = played(7, 20, orders=False)[1], played(7, 20)[1]
    assert isinstance(quiet.venue.crowd, Crowd)
    assert isinstance(busy.venue.crowd, Crowd)
    assert quiet.venue.crowd.worlds["BTC"].dump() == busy.venue.crowd.worlds["BTC"].dump()
    assert quiet.venue.crowd.streams() == busy.venue.crowd.streams()
    assert busy.venue.exchange.books[0].change_id != quiet.venue.exchange.books[0].change_id


@pytest.mark.parametrize("pace", ["raw", "100ms", "agg2"])
def test_books_by_changes_equal_the_exchange(pace: str) -> None:
    sim = simulation()
    books: dict[str, dict[tuple[str, float], float]] = {}
    last: dict[str, int] = {}
    frames = sim.subscribe(channels(sim, pace))
    for second in range(12):
        for frame in frames:
            said = decode(frame)
            if isinstance(said, Push) and isinstance(said.data, BookData):
                _apply(books, last, said.data)
        frames = [frame for _, frame in sim.advance(sim.t + NS)] if second < 11 else []
    for n, instrument in enumerate(sim.instruments):
        book = sim.venue.exchange.books[n]
        if last[instrument.name] == book.change_id:  # a paced channel may have something to say yet
            mine = {(instrument.units(price), side): lots for (side, price), lots in books[instrument.name].items()}
            now = {(p, side): instrument.amount(lots) for side, half in (("bid", book.bids), ("ask", book.asks))
                   for p, lots in levels(half).items()}  # fmt: skip
            assert mine == now
    assert sum(last[i.name] == sim.venue.exchange.books[n].change_id for n, i in enumerate(sim.instruments)) >= 5


def _apply(books: dict[str, dict[tuple[str, float], float]], last: dict[str, int], data: BookData) -> None:
    name = data.instrument_name
    if data.type == "snapshot":
        books[name] = {}
    else:
        assert data.prev_change_id == last[name]
        assert data.change_id > last[name]
    last[name] = data.change_id
    for side, rows in (("bid", data.bids), ("ask", data.asks)):
        for action, price, amount in rows:
            assert (action == "new") == ((side, price) not in books[name])
            if action == "delete":
                del books[name][side, price]
            else:
                books[name][side, price] = amount


def test_a_second_subscriber_breaks_nobodys_chain() -> None:
    """A snapshot for one does not fall between what another was told and will be told."""
    sim = simulation()
    channel = "book.BTC-PERPETUAL.agg2"
    venue, one, two = sim.venue, sim.venue.connect(), sim.venue.connect()
    books: dict[int, dict[str, dict[tuple[str, float], float]]] = {1: {}, 2: {}}
    last: dict[int, dict[str, int]] = {1: {}, 2: {}}
    venue.receive(one, request(1, "public/subscribe", {"channels": [channel]}), START + NS)
    venue.receive(two, request(1, "public/subscribe", {"channels": [channel]}), START + NS + NS // 2)
    venue.advance(START + 5 * NS)
    for key, line in ((1, one), (2, two)):
        for _, frame in line.take():
            said = decode(frame)
            if isinstance(said, Push) and isinstance(said.data, BookData):
                _apply(books[key], last[key], said.data)
    assert books[1] == books[2]
    assert last[1] == last[2]


def test_the_crowd_keeps_the_exchange_sound_and_alive() -> None:
    _, sim = played(3, 60)
    exchange = sim.venue.exchange
    sound(exchange)
    options = [n for n, i in enumerate(sim.instruments) if i.kind is Kind.OPTION]
    two_sided = [n for n in options if exchange.books[n].bids.ranks and exchange.books[n].asks.ranks]
    assert len(two_sided) >= 0.8 * len(options)
    for n in (0, *two_sided):
        book, instrument = exchange.books[n], sim.instruments[n]
        bid, ask = book.bids.best, book.asks.best
        assert bid is not None
        assert ask is not None
        mark = float(exchange.marks.price[n]) / instrument.tick
        ticks = 4 * instrument.tick_units(mark) if instrument.kind is Kind.OPTION else 40  # a mark is a second old
        assert bid - ticks <= mark <= ask + ticks, "quotes stand around the mark"
        least = 1 if instrument.kind is Kind.OPTION else 3
        assert len(book.bids.ranks) >= least
        assert len(book.asks.ranks) >= least
    assert exchange.stats[0].seq > 50


def test_an_order_is_told_to_its_account_before_the_public() -> None:
    sim = simulation()
    sim.subscribe(channels(sim))
    sim.advance(START + 2 * NS)
    frames = call(sim, "private/buy", instrument_name="BTC-PERPETUAL", amount=10, type="market", label="x")
    said = [decode(frame) for frame in frames]
    reply, pushes = said[0], [each for each in said[1:] if isinstance(each, Push)]
    assert isinstance(reply, Reply)
    assert reply.error is None
    assert reply.result is not None
    assert msgspec.json.decode(reply.result)["order"]["order_state"] == "filled"
    assert [push.family for push in pushes] == ["orders", "user_trades", "changes", "portfolio", "trades", "book"]


def test_what_nobody_watches_is_not_said() -> None:
    sim = simulation()
    sim.subscribe(channels(sim))
    call(sim, "public/unsubscribe_all")
    assert sim.advance(START + 3 * NS) == []
    assert not any(market.publisher.watched for market in sim.venue.markets.values())


def test_resting_orders_meet_the_crowd() -> None:
    sim = simulation()
    sim.subscribe(channels(sim))
    sim.advance(START + 2 * NS)
    for side, method in ((Side.BUY, "private/buy"), (Side.SELL, "private/sell")):
        best = sim.venue.exchange.books[0].half(side).best
        assert best is not None
        call(sim, method, instrument_name="BTC-PERPETUAL", amount=100, price=best * 0.5, post_only=True)
    frames = [decode(frame) for _, frame in sim.advance(START + 60 * NS)]
    fills = [each for each in frames if isinstance(each, Push) and each.family == "user_trades"]
    assert fills, "one of two orders at the touch is hit within a minute"
    sound(sim.venue.exchange)
