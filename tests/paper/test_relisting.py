"""What comes near is listed when something is over, and everybody goes on with it."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from engine.domain import NS, Kind
from engine.paper.crowd.settings import Settings
from engine.paper.instruments.listing import BTC, Spec, expiries, listing, renewed
from engine.paper.orders.terms import DELIVERED, BookState
from engine.paper.venue import PaperVenue, VenueSettings
from tests.paper.client import Client
from tests.paper.small import FUTURE, START, small, sound

EVENING = int(dt.datetime(2026, 1, 5, 19, 59, tzinfo=dt.UTC).timestamp()) * NS  # from eight on, tomorrow is too near
SOON = Spec(expiries=1, strikes=3, futures=1, minutes=2.0)


@pytest.mark.parametrize("days", [1, 3, 4, 25])
def test_what_is_listed_in_addition_is_what_a_later_start_would_list(days: int) -> None:
    known = listing(EVENING, BTC)
    later = EVENING + days * 24 * 3600 * NS
    new = renewed(later, BTC, 120_000.0, known)
    assert {i.expiry for i in new if i.kind is Kind.OPTION} == set(expiries(later, 6)) - {i.expiry for i in known}
    assert not {i.name for i in new} & {i.name for i in known}
    assert renewed(later, BTC, 120_000.0, [*known, *new]) == []
    for i in new:
        assert i.kind is Kind.FUTURE or 20_000.0 < i.strike < 300_000.0


def test_an_exchange_lists_more() -> None:
    exchange, (one, _), _ = small()
    new = renewed(START + 3 * 24 * 3600 * NS, SOON, 101_000.0, exchange.instruments)
    exchange.enlist(START, new)
    exchange.commit(START)
    said = [(each.instrument, each.state) for each in exchange.drain() if isinstance(each, BookState)]
    first = len(exchange.instruments) - len(new)
    assert said == [(n, state) for n in range(first, first + len(new)) for state in ("created", "open")]
    marks = exchange.marks
    marks.tell(START + NS, 100_000.0, {}, marks.iv[marks.options] + 0.5)
    assert float(marks.price[exchange.number[new[1].name]]) > 0.0
    twin, _, _ = small()
    twin.load(msgspec.msgpack.decode(msgspec.msgpack.encode(exchange.dump())))
    assert twin.instruments == exchange.instruments
    assert twin.dump() == exchange.dump()
    assert twin.accounts[one].size(FUTURE) == 0
    sound(twin)


@pytest.mark.parametrize("crowd", [None, Settings()], ids=["nobody", "crowd"])
def test_a_venue_goes_on_over_an_expiry(crowd: Settings | None) -> None:
    venues = [PaperVenue(1, EVENING, VenueSettings(listing=(SOON,), crowd=crowd)) for _ in range(2)]
    venue, twin = venues
    before = len(venue.exchange.instruments)
    venue.advance(EVENING + 150 * NS)
    exchange = venue.exchange
    new = range(before, len(exchange.instruments))
    assert [exchange.instruments[n].name for n in new][:2] == ["BTC-7JAN26", "BTC-7JAN26-99000-C"]
    assert [stats.state for stats in exchange.stats].count(DELIVERED) == 6
    if crowd is not None:
        assert sum(bool(exchange.books[n].bids.ranks and exchange.books[n].asks.ranks) for n in new) > len(new) // 2
    assert all(not exchange.books[n].bids.ranks for n, stats in enumerate(exchange.stats) if stats.closed)
    twin.load(msgspec.msgpack.decode(msgspec.msgpack.encode(venue.dump())))
    for each in venues:
        each.advance(EVENING + 170 * NS)
        sound(each.exchange)
    assert msgspec.msgpack.encode(twin.dump()) == msgspec.msgpack.encode(venue.dump())


@pytest.mark.parametrize("crowd", [None, Settings()], ids=["nobody", "crowd"])
def test_what_is_listed_anew_is_never_told_as_worth_nothing(crowd: Settings | None) -> None:
    client = Client(PaperVenue(1, EVENING, VenueSettings(listing=(SOON,), crowd=crowd)))
    client.call("public/subscribe", channels=["markprice.options.btc_usd"])
    client.wait(150.0)
    told = [row for push in client.pushed for row in push.data]
    new = {row.instrument_name for row in told} & {"BTC-7JAN26-99000-C"}
    assert new
    assert all(row.iv > 0.0 for row in told)
    ticker = client.call("public/ticker", instrument_name=new.pop())
    assert ticker["settlement_price"] == pytest.approx(ticker["mark_price"], rel=0.2)
