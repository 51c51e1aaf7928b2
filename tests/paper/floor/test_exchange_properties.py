"""Any sequence of commands, sensible or not, keeps what must hold of an exchange."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import Side
from engine.paper.floor.exchange import Exchange
from engine.paper.orders.terms import Ask
from tests.paper.play import Play, commands
from tests.paper.small import CALL, PERPETUAL, START, small


@settings(max_examples=150, deadline=None)
@given(st.lists(commands, min_size=30, max_size=60), st.integers(0, 60))
def test_any_commands_keep_the_exchange_sound(script: list[tuple[str, Any]], moment: int) -> None:
    play = Play()
    for place, (name, what) in enumerate(script):
        if place == moment:
            play.clone()
        play.do(name, what)
        play.sound()
        play.listener.hear()
    play.listener.agrees()


@settings(max_examples=25, deadline=None)
@given(st.lists(commands, min_size=20, max_size=40))
def test_the_same_commands_give_the_same_news(script: list[tuple[str, Any]]) -> None:
    told = []
    for _ in range(2):
        play = Play()
        for name, what in script:
            play.do(name, what)
        told.append(play.exchange.drain())
    assert told[0] == told[1]


def test_a_refused_command_changes_nothing() -> None:
    exchange, clients, house = small()
    exchange.quote(START, house, PERPETUAL, Side.SELL, 200_002, 5)
    exchange.commit(START)
    exchange.drain()
    before = _picture(exchange)
    for wanted in (
        Ask(instrument=PERPETUAL, side=Side.BUY, amount=0, price=200_000),
        Ask(instrument=PERPETUAL, side=Side.BUY, amount=9_000_000, price=200_002),
        Ask(instrument=CALL, side=Side.BUY, amount=1, price=121),
    ):
        exchange.place(START, clients[0], wanted)
        exchange.commit(START)
    assert exchange.drain() == []
    assert _picture(exchange) == before


def _picture(exchange: Exchange) -> Any:
    return [(a.cash, dict(a.positions), list(a.open)) for a in exchange.accounts], [
        (list(b.bids.levels), list(b.asks.levels), b.change_id) for b in exchange.books
    ]
