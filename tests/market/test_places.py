"""Places in the queue: the rule as a table, and against the venue's own line, which no client sees."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m
from engine.domain import MS, NS, Side, instrument_of
from engine.market import places
from engine.market.book import Book
from engine.market.deribit import wire
from engine.market.places import Place, Places
from engine.market.told import Print, Resting
from tests.link import World, ready

NAME = "BTC-27MAR26-80000-C"
T = 1_000 * NS


def book_of(bid_lots: int, t: int = T, units: int = 325) -> Book:
    book = Book(instrument_of(NAME))
    book.snapshot(wire.BookData(
        type="snapshot", timestamp=t // MS, instrument_name=NAME, change_id=1,
        bids=[("new", units / 10_000, bid_lots / 10)], asks=[("new", 0.0335, 5.0)],
    ))  # fmt: skip
    return book


def resting(lots: int = 20, units: int = 325) -> Resting:
    return Resting(NAME, Side.BUY, units, lots, "s-1")


def line(ahead: int = 50, lots: int = 20) -> Places:
    return {"v-1": Place(NAME, Side.BUY, 325, lots, ahead, T)}


def printed(units: int, lots: int, side: Side = Side.SELL, t: int = T + NS) -> Print:
    return Print(t, units, lots, side, True, False, "t-1")


def test_it_stands_behind_all_that_others_show() -> None:
    known: Places = {}
    places.settle(known, "v-1", resting(), book_of(50), 0, T)
    assert known == line(50)
    places.settle(known, "v-2", resting(), book_of(50), 20, T)  # of which 20 are ours already
    assert known["v-2"].ahead == 30
    places.settle(known, "v-1", None, book_of(50), 0, T)
    assert list(known) == ["v-2"]


def test_only_a_smaller_size_keeps_the_place() -> None:
    for lots, units, ahead in ((10, 325, 5), (20, 325, 5), (30, 325, 80), (10, 320, 0)):
        known = line(ahead=5)
        places.settle(known, "v-1", resting(lots, units), book_of(80), 0, T + NS)
        assert (known["v-1"].ahead, known["v-1"].lots) == (ahead, lots)


def test_what_trades_at_its_price_is_taken_from_before_it() -> None:
    for row, left in (
        (printed(325, 20), 30), (printed(325, 70), 0), (printed(320, 1), 0), (printed(330, 20), 50),
        (printed(325, 20, Side.BUY), 50), (printed(325, 20, t=T - 1), 50),
    ):  # fmt: skip
        known = line()
        places.printed(known, NAME, row)
        assert known["v-1"].ahead == left
        places.printed(known, "BTC-27MAR26-90000-C", row)
        assert known["v-1"].ahead == left


def test_never_more_stand_before_it_than_others_show() -> None:
    """Held against a book only once that surely tells of the order itself."""
    own = {(Side.BUY, 325): 20}
    for book, now, left in (
        (book_of(60, T + MS), T + MS, 40), (book_of(90, T + MS), T + MS, 50), (book_of(60, T), T + MS, 50),
        (book_of(60, T), T + NS, 40), (book_of(10, T + MS), T + MS, 0),
    ):  # fmt: skip
        known = line()
        places.bounded(known, book, own, now)
        assert known["v-1"].ahead == left
    book = book_of(60, T + MS)
    book.drop("gone")
    places.bounded(known := line(), book, own, T + NS)
    assert known["v-1"].ahead == 50


def test_a_fill_of_its_own_leaves_nobody_before_it() -> None:
    known = line()
    places.filled(known, "v-1")
    places.filled(known, "unheard of")
    assert known["v-1"].ahead == 0


MOVES = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "take", "mine", "shrink", "move"]), st.integers(1, 40)), max_size=12
)


def truth(world: World, order_id: str) -> tuple[int, int]:
    """Lots before an order in the venue's own line, and lots of others at its price."""
    exchange = world.venue.exchange
    for book in exchange.books:
        for price in book.bids.prices():
            queue = list(book.bids.levels[price].orders.values())
            for k, order in enumerate(queue):
                if order.id == int(order_id.rpartition("-")[2]):
                    others = [o.rest for o in queue if o.account != order.account]
                    return sum(o.rest for o in queue[:k] if o.account != order.account), sum(others)
    raise AssertionError("the venue knows no such order")


@settings(max_examples=12)
@given(MOVES)
def test_the_figure_is_never_less_than_the_truth(moves: Any) -> None:
    """Others join, leave and take; ours come, shrink and move. Never more than others show, either."""
    world, name = ready()
    for what, size in moves:
        step(world, name, what, size / 10)
        world.run(0.3)
        venue = world.core.market.venue
        assert set(venue.own.places) == set(venue.resting)
        for order_id, place in venue.own.places.items():
            ahead, others = truth(world, order_id)
            assert ahead <= place.ahead <= others


def step(world: World, name: str, what: str, amount: float) -> None:
    child = next(iter(world.desk.live_children), None)
    if what == "join":
        world.trade(Side.BUY, name, amount, 0.0325, rest=True)
    elif what == "leave":
        world.clear()
    elif what == "take":
        world._call(world._rival, "private/sell", {
            "instrument_name": name, "amount": amount, "price": 0.0325, "type": "limit", "post_only": False,
            "time_in_force": "immediate_or_cancel",
        })  # fmt: skip
    elif what == "mine":
        world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=amount, price=0.0325))
    elif child is not None:
        shrunk = m.EditChild(child=child.request.child, quantity=child.quantity / 20)
        away = m.EditChild(child=child.request.child, price=0.032 if child.price == 325 else 0.0325)
        world.do(shrunk if what == "shrink" else away)
