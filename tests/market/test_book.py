"""The book against the simplest possible one, and every way in which it must not be believed."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import Instrument, Side, instrument_of
from engine.market.book import NO_SNAPSHOT, Book
from engine.market.deribit.wire import BookData, Level

OPTION = instrument_of("BTC-27MAR26-80000-C")
MS0 = 1_770_000_000_000
BIDS: list[Level] = [("new", 0.05, 2.0), ("new", 0.0495, 3.5)]
ASKS: list[Level] = [("new", 0.0515, 1.5), ("new", 0.052, 10.0)]


def snapshot(bids: list[Level] = BIDS, asks: list[Level] = ASKS, change_id: int = 10) -> BookData:
    return BookData(
        type="snapshot", timestamp=MS0, instrument_name=OPTION.name, change_id=change_id, bids=bids, asks=asks
    )


def change(
    bids: list[Level] | None = None, asks: list[Level] | None = None, change_id: int = 11, prev: int | None = 10
) -> BookData:
    return BookData(
        type="change", timestamp=MS0 + 5, instrument_name=OPTION.name, change_id=change_id, prev_change_id=prev,
        bids=bids or [], asks=asks or [],
    )  # fmt: skip


def book(bids: list[Level] = BIDS, asks: list[Level] = ASKS) -> Book:
    one = Book(OPTION)
    one.snapshot(snapshot(bids, asks))
    return one


def digest(one: Book) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(one.dump())).hexdigest()


def test_a_new_book_is_stale_and_takes_no_change() -> None:
    one = Book(OPTION)
    assert one.stale.startswith(NO_SNAPSHOT)
    assert not one.change(change())
    assert (one.best_bid, one.best_ask, one.bids, one.asks) == (None, None, {}, {})


def test_a_snapshot_is_the_book() -> None:
    one = book()
    assert (one.stale, one.change_id, one.t) == ("", 10, MS0 * 1_000_000)
    assert (one.best_bid, one.best_ask) == (500, 515)
    assert one.bids == {500: 20, 495: 35}
    assert one.levels(Side.BUY, 10) == [(500, 20), (495, 35)]
    assert one.levels(Side.SELL, 1) == [(515, 15)]
    assert one.levels(Side.SELL, 0) == []


def test_a_change_adds_alters_and_deletes() -> None:
    one = book()
    assert one.change(change([("change", 0.05, 1.0), ("new", 0.0505, 0.1), ("delete", 0.0495, 0.0)]))
    assert one.levels(Side.BUY, 5) == [(505, 1), (500, 10)]
    assert (one.change_id, one.t) == (11, (MS0 + 5) * 1_000_000)
    assert one.change(change(asks=[("delete", 0.0515, 0.0), ("delete", 0.052, 0.0)], change_id=99, prev=11))
    assert (one.best_ask, one.levels(Side.SELL, 5)) == (None, [])


def test_a_new_level_where_one_is_takes_its_place() -> None:
    one = book()
    assert one.change(change([("new", 0.05, 7.0)]))
    assert one.bids[500] == 70


def test_an_empty_book_is_a_book() -> None:
    one = book([], [])
    assert one.stale == ""
    assert one.change(change([("new", 0.05, 1.0)]))
    assert one.best_bid == 500


@pytest.mark.parametrize("prev", [9, 11, None])
def test_a_gap_drops_the_book_until_the_next_snapshot(prev: int | None) -> None:
    one = book()
    assert not one.change(change(prev=prev))
    assert one.stale == f"change {prev} is missing after 10"
    assert (one.bids, one.asks, one.best_bid, one.best_ask) == ({}, {}, None, None)
    assert not one.change(change(prev=10)), "what would have followed is not taken either"
    assert one.stale == f"change {prev} is missing after 10"
    one.snapshot(snapshot(change_id=50))
    assert (one.stale, one.best_bid) == ("", 500)
    assert one.change(change(prev=50, change_id=51))


BAD: list[tuple[list[Level], list[Level], str]] = [
    ([("delete", 0.04, 0.0)], [], "bad data: level 0.04 is deleted but not there"),
    ([("change", 0.04, 1.0)], [], "bad data: level 0.04 is changed but not there"),
    ([("new", 0.04, 0.0)], [], "bad data: a level of amount 0"),
    ([("new", 0.04, -1.0)], [], "bad data: a level of amount -1"),
    ([("new", 0.04, 0.15)], [], "bad data: amount 0.15 is not a multiple of 0.1"),
    ([("new", 0.04003, 1.0)], [], "bad data: price 0.04003 is not a multiple of 0.0001"),
    ([("new", 0.0, 1.0)], [], "bad data: a level at price 0"),
    ([("new", -0.01, 1.0)], [], "bad data: a level at price -0.01"),
    ([("new", float("nan"), 1.0)], [], "bad data: price nan is not a number"),
    ([("new", 0.04, float("inf"))], [], "bad data: amount inf is not a number"),
    ([("new", 1e300, 1.0)], [], "bad data: price 1e+300 is beyond what can be counted"),
    ([("new", 0.0515, 1.0)], [], "crossed: bid 515 is not below ask 515"),
    ([], [("new", 0.01, 1.0)], "crossed: bid 500 is not below ask 100"),
]


@pytest.mark.parametrize(("bids", "asks", "why"), BAD, ids=[why for _, _, why in BAD])
def test_what_cannot_be_drops_the_book(bids: list[Level], asks: list[Level], why: str) -> None:
    one = book()
    assert not one.change(change(bids, asks))
    assert one.stale == why
    assert (one.bids, one.asks, one.best_bid, one.best_ask) == ({}, {}, None, None)


def test_a_bad_snapshot_is_not_taken() -> None:
    one = book()
    one.snapshot(snapshot([("new", 0.06, 1.0)]))
    assert one.stale.startswith("crossed")
    assert one.bids == {}


def test_drop_forgets_and_says_why() -> None:
    one = book()
    one.drop("the link is down")
    assert (one.stale, one.bids, one.best_ask) == ("the link is down", {}, None)


# ------------------------------------------------------------ against the simplest possible book

PERPETUAL = instrument_of("BTC-PERPETUAL")
Model = dict[str, dict[float, float]]


def _levels(draw: st.DrawFn, side: dict[float, float], prices: list[float]) -> list[Level]:
    out: list[Level] = []
    for price in draw(st.lists(st.sampled_from(prices), max_size=4, unique=True)):
        amount = float(draw(st.integers(1, 500)) * 10)
        if price not in side:
            out.append(("new", price, amount))
        else:
            out.append(draw(st.sampled_from([("change", price, amount), ("delete", price, 0.0)])))
    return out


def _take(side: dict[float, float], levels: list[Level]) -> None:
    for action, price, amount in levels:
        if action == "delete":
            del side[price]
        else:
            side[price] = amount


@st.composite
def _stories(draw: st.DrawFn) -> list[BookData]:
    """A snapshot and changes that a venue could have sent."""
    bids: dict[float, float] = {}
    asks: dict[float, float] = {}
    story: list[BookData] = []
    last = 0
    for n in range(draw(st.integers(1, 12))):
        new_bids = _levels(draw, bids, [50_000 - i * 0.5 for i in range(1, 9)])
        new_asks = _levels(draw, asks, [50_000 + i * 0.5 for i in range(1, 9)])
        _take(bids, new_bids)
        _take(asks, new_asks)
        kind: Literal["snapshot", "change"] = "change" if n else "snapshot"
        prev = last if n else None
        story.append(BookData(type=kind, timestamp=MS0 + n, instrument_name="BTC-PERPETUAL", change_id=last + 3,
                              prev_change_id=prev, bids=new_bids, asks=new_asks))  # fmt: skip
        last += 3
    return story


def _tell(one: Book, data: BookData) -> bool:
    if data.type == "snapshot":
        one.snapshot(data)
        return not one.stale
    return one.change(data)


def _as_decimals(one: Book) -> Model:
    def side(levels: dict[int, int]) -> dict[float, float]:
        return {one.instrument.price(units): one.instrument.amount(lots) for units, lots in levels.items()}

    return {"bids": side(one.bids), "asks": side(one.asks)}


@settings(max_examples=150, deadline=None)
@given(_stories())
def test_it_is_the_simplest_book_after_every_message(story: list[BookData]) -> None:
    one = Book(PERPETUAL)
    model: Model = {"bids": {}, "asks": {}}
    for data in story:
        assert _tell(one, data)
        _take(model["bids"], data.bids)
        _take(model["asks"], data.asks)
        assert _as_decimals(one) == model
        best = (max(model["bids"], default=None), min(model["asks"], default=None))
        ours = tuple(None if units is None else PERPETUAL.price(units) for units in (one.best_bid, one.best_ask))
        assert ours == best
        prices = [PERPETUAL.price(units) for units, _ in one.levels(Side.SELL, 3)]
        assert prices == sorted(model["asks"])[:3]
        prices = [PERPETUAL.price(units) for units, _ in one.levels(Side.BUY, 3)]
        assert prices == sorted(model["bids"], reverse=True)[:3]


@settings(max_examples=150, deadline=None)
@given(_stories(), st.data())
def test_a_message_cut_out_makes_it_stale_and_never_wrong(story: list[BookData], data: st.DataObject) -> None:
    missing = data.draw(st.integers(0, len(story) - 1))
    one = Book(PERPETUAL)
    for n, message in enumerate(story):
        if n == missing:
            continue
        assert _tell(one, message) is (n < missing)
        assert bool(one.stale) is (n > missing)


@settings(max_examples=100, deadline=None)
@given(_stories(), st.data())
def test_a_loaded_book_goes_on_as_the_dumped_one(story: list[BookData], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(story)))
    if data.draw(st.booleans()) and at < len(story):
        story = [*story[:at], msgspec.structs.replace(story[at], type="change", prev_change_id=-1), *story[at:]]
    one = Book(PERPETUAL)
    for message in story[:at]:
        _tell(one, message)
    packed = msgspec.msgpack.encode(one.dump())
    other = Book.load(PERPETUAL, msgspec.msgpack.decode(packed))
    assert digest(other) == digest(one)
    for message in story[at:]:
        assert _tell(other, message) == _tell(one, message)
        assert digest(other) == digest(one)
        assert (other.best_bid, other.best_ask) == (one.best_bid, one.best_ask)
        assert other.levels(Side.BUY, 5) == one.levels(Side.BUY, 5)


def test_decimals_that_never_repeat_do_not_fill_memory() -> None:
    fine = Instrument(name="X", kind=OPTION.kind, coin="BTC", tick=0.0001, lot=0.1)
    one = Book(fine)
    one.snapshot(snapshot([], []))
    for n in range(10_000):
        added: Any = change([("new", (n + 1) * 0.0001, (n + 1) * 0.1)], change_id=n + 11, prev=n + 10)
        assert one.change(added)
    assert one.levels(Side.BUY, 1) == [(10_000, 10_000)]
    assert len(one._units) <= 4096
    assert len(one._lots) <= 4096
