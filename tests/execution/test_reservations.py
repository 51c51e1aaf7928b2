"""Whatever is approved, filled, cancelled or lost, in whatever order: no limit is passed, nothing stays reserved."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m
from engine.config import Config, Limits, Named
from engine.domain import Side
from engine.execution import exposure, risk
from engine.execution.desk import Child, Desk
from engine.execution.evolve import evolve
from tests.execution.desks import OTHER, desk_of, picture_of, request
from tests.execution.still import CALL, NAME, NOW, Still

LIMITS = Limits(
    position_delta=6.0, position_gamma=3e-4, position_vega=1_300.0, short_per_expiry=9.0, open_orders=5,
    instruments=(Named(name=NAME, position_contracts=12.0),), orders_per_10s=1000, margin_share=0.9, repeats=10_000,
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from([CALL, OTHER]), st.sampled_from(list(Side)), st.integers(1, 80)),
        st.tuples(st.just("fill"), st.integers(0, 5), st.integers(1, 80), st.booleans()),
        st.tuples(st.just("end"), st.integers(0, 5), st.sampled_from(["cancelled", "rejected", "lapsed"])),
    ),
    max_size=60,
)


class Book:
    """A desk that sends whatever it may, and a venue that does as it is told."""

    def __init__(self) -> None:
        self.desk: Desk = desk_of(config=Config(limits=LIMITS))
        self.picture: Still = picture_of()
        self.picture.venue.account["equity"] = 3.0
        self.picture.venue.books[OTHER.name] = self.picture.venue.books[NAME]
        self.k = 10

    def fact(self, fact: m.Fact) -> None:
        self.k += 1
        evolve(self.desk, msgspec.structs.replace(fact, n=self.desk.facts + 1, t=NOW))

    def order(self, instrument: Any, side: Side, lots: int) -> None:
        price = 325 if side is Side.BUY else 335
        order = risk.Wanted(instrument=instrument, side=side, quantity=lots, price=price, post_only=True)
        if not risk.blocked(self.desk, self.picture, order):
            self.fact(request(self.k, instrument=instrument.name, side=side, quantity=lots, price=price))

    def fill(self, child: Child, lots: int, late: bool) -> None:
        """Some of it; what fills the rest ends it. A late one comes after the end."""
        request, lots = child.request, min(lots, child.remaining)
        if late:
            self.fact(m.OrderEnded(child=request.child, state="cancelled", reason=""))
            lots = 0
        if lots:
            fill = m.Filled(trade=f"t{self.k}", child=request.child, instrument=request.instrument, side=request.side,
                            quantity=lots, price=request.price, fee=0.0, maker=True, at=NOW)  # fmt: skip
            self.fact(fill)
        if not late and not child.remaining:
            self.fact(m.OrderEnded(child=request.child, state="filled", reason=""))


def play(steps: list[Any]) -> Book:
    book = Book()
    for what, *rest in steps:
        live = book.desk.live_children
        if what == "order":
            book.order(*rest)
        elif rest[0] < len(live) and what == "fill":
            book.fill(live[rest[0]], *rest[1:])
        elif rest[0] < len(live):
            state: m.OrderState = "cancelled" if live[rest[0]].state == "open" else rest[1]
            book.fact(m.OrderEnded(child=live[rest[0]].request.child, state=state, reason=""))
        within(book)
    return book


def within(book: Book) -> None:
    desk, picture = book.desk, book.picture
    for greek, most in zip(get_args(exposure.Greek), (6.0, 3e-4, 1_300.0), strict=True):
        span = exposure.span(desk, picture, greek)
        assert -most - 1e-9 <= span.low <= span.now <= span.high <= most + 1e-9
    assert exposure.short(desk, picture, CALL, 0) <= 9.0 + 1e-9
    for side in Side:
        held = desk.positions.get(NAME, 0)
        assert exposure.reach(held, CALL, side, 0, desk.live_children) <= 12.0 + 1e-9
    assert len(desk.live_children) <= 5


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_sequence_of_approvals_passes_a_limit(steps: list[Any]) -> None:
    play(steps)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_reservation_is_freed_once_and_a_fill_becomes_a_position(steps: list[Any]) -> None:
    """When everything has ended nothing is reserved, and the book is what was filled: no more, no less."""
    book = play(steps)
    for child in list(book.desk.live_children):
        before = reserved(book)
        rest = child.remaining
        book.fact(m.OrderEnded(child=child.request.child, state="cancelled", reason=""))
        assert reserved(book) == before - rest
    assert reserved(book) == 0
    filled: dict[str, int] = {}
    for child in book.desk.children.values():
        name = child.request.instrument
        filled[name] = filled.get(name, 0) + child.request.side.sign * child.filled
    assert {k: lots for k, lots in filled.items() if lots} == {k: n for k, n in book.desk.positions.items() if n}
    for greek in get_args(exposure.Greek):
        span = exposure.span(book.desk, book.picture, greek)
        assert span.low == span.now == span.high


def reserved(book: Book) -> int:
    return sum(child.remaining for child in book.desk.live_children)
