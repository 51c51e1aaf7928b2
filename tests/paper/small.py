"""A small paper exchange, and what must hold of any, whatever was asked of it."""

from __future__ import annotations

from engine.domain import NS, Instrument, Kind, Side
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.listing import Spec, listing
from engine.paper.orders.matching import CANCELLED, FILLED, OPEN, REJECTED, TRIGGERED, UNTRIGGERED, Half, Order
from engine.paper.orders.terms import (
    Announcement,
    Ask,
    BookChange,
    BookState,
    Closed,
    Placed,
    Platform,
    Protected,
    Refusal,
    Report,
    Rules,
    Trades,
)

START = 1_780_000_000 * NS
SMALL = Spec(expiries=1, strikes=1, futures=1)
PERPETUAL, FUTURE, CALL, PUT = 0, 1, 2, 3


FREE = Rules(order_rate=0, sweep_rate=0, show_lots=2, show_ratio=20)  # ask as often as one likes; small icebergs
OVER = (FILLED, CANCELLED, REJECTED, TRIGGERED)
NEXT = {OPEN: (OPEN, FILLED, CANCELLED), UNTRIGGERED: (UNTRIGGERED, CANCELLED, REJECTED, TRIGGERED)}


def small(clients: int = 2, coin: float = 10.0, rules: Rules = FREE) -> tuple[Exchange, list[int], int]:
    """Exchange, clients' account numbers, and a house account. Marks: index 100,000, options near 0.012."""
    instruments = listing(START, SMALL)
    exchange = Exchange(instruments, SMALL.index, rules=rules, start_ns=START)
    marks = exchange.marks
    marks.tell(START, 100_000.0, {instruments[FUTURE].expiry: 100_050.0}, marks.iv[marks.options] + 0.5)
    accounts = [exchange.open_account(f"client {k}", coin) for k in range(clients)]
    return exchange, accounts, exchange.open_account("house", 0.0, house=True)


def ask(side: Side, lots: int, price: int = 0, n: int = PERPETUAL, **more: object) -> Ask:
    return Ask(instrument=n, side=side, amount=lots, price=price, **more)  # type: ignore[arg-type]


def placed(outcome: Placed | Refusal) -> Placed:
    assert isinstance(outcome, Placed), outcome
    return outcome


def refused(outcome: object) -> int:
    assert isinstance(outcome, Refusal), outcome
    return outcome.code


def levels(half: Half) -> dict[int, int]:
    return {price: half.total(price) for price in half.prices()}


def sound(exchange: Exchange) -> None:
    """What must hold after every command."""
    for n, book in enumerate(exchange.books):
        bid, ask_ = book.bids.best, book.asks.best
        assert bid is None or ask_ is None or bid < ask_, f"{exchange.instruments[n].name} is crossed"
        for side in Side:
            _sound_half(exchange, n, side)
    _sound_money(exchange)
    for account in exchange.accounts[1:]:
        if not account.house:
            _sound_orders(exchange, account.id)


def _sound_half(exchange: Exchange, n: int, side: Side) -> None:
    half = exchange.books[n].half(side)
    assert half.ranks == sorted(half.ranks)
    assert [rank * half.sign for rank in half.ranks] == sorted(half.levels, reverse=side is Side.BUY)
    for price, level in half.levels.items():
        assert level.total == sum(order.shown if order.show else order.rest for order in level.orders.values()) > 0
        for order in level.orders.values():
            assert 0 < order.shown <= min(order.show, order.rest) if order.show else not order.shown
            assert (order.price, order.side, order.instrument, order.state) == (price, side, n, OPEN)
            assert order.rest > 0
            assert exchange.accounts[order.account].open[order.id] is order
            assert exchange.instruments[n].on_tick(price)


def _sound_money(exchange: Exchange) -> None:
    """Nothing is made or lost: money to the last pico, every contract has two sides."""
    money, sizes = 0, [0] * len(exchange.instruments)
    for account in exchange.accounts:
        money += account.cash - account.deposit
        for n, position in account.positions.items():
            sizes[n] += position.size
            if exchange.instruments[n].kind is not Kind.OPTION:
                money += position.cost
            assert position.size or not position.cost
    assert money == 0
    assert not any(sizes)
    for n, stats in enumerate(exchange.stats):
        held = sum(max(account.size(n), 0) for account in exchange.accounts)
        assert stats.open_interest == held


def _sound_orders(exchange: Exchange, account: int) -> None:
    """Each order is in exactly one state and one place; its fills add up."""
    holder = exchange.accounts[account]
    got: dict[int, int] = {}
    for fill in exchange.fills.get(account, []):
        got[fill.order] = got.get(fill.order, 0) + fill.trade.lots
    for order in holder.orders:
        resting = order.id in exchange.books[order.instrument].half(order.side).levels.get(order.price, _NONE).orders
        assert (order.id in holder.open) == resting == (order.state == OPEN)
        assert (order.id in exchange.triggers.waiting) == (order.state == UNTRIGGERED)
        assert (order.id in exchange.finished) == (order.state in OVER)
        assert (order.rest == 0) == (order.state == FILLED)
        assert order.filled == got.get(order.id, 0) <= order.amount
        assert exchange.order(account, order.id) is order
        assert not (order.tif == "fill_or_kill" and order.state == CANCELLED and order.filled)
    assert [o for o in holder.orders if o.state == OPEN] == sorted(holder.open.values(), key=lambda o: o.id)
    assert holder.reducing == sum(order.reduce_only for order in holder.open.values())
    for n in range(len(exchange.instruments)):
        for side in Side:
            reducing = [o for o in holder.open.values() if o.reduce_only and (o.instrument, o.side) == (n, side)]
            assert sum(o.rest for o in reducing) <= max(0, -holder.size(n) * side.sign)


class _Nothing:
    orders: dict[int, Order] = {}  # noqa: RUF012


_NONE = _Nothing()


class Listener:
    """Knows the exchange by its announcements alone, and checks their order."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.books: list[dict[tuple[Side, int], int]] = [{} for _ in exchange.instruments]
        self.change_ids = [0] * len(exchange.instruments)
        self.states = ["open"] * len(exchange.instruments)
        self.prints = [0] * len(exchange.instruments)
        self.orders: dict[int, Order] = {}
        self.fills: dict[int, list[int]] = {}  # account → trade ids
        self.public: list[int] = []
        self.protected: list[int] = []

    def hear(self) -> None:
        said = self.exchange.drain()
        ranks = [RANKS[type(each)] for each in said]
        assert ranks == sorted(ranks), "private news come before public ones, books after trades, states last"
        assert len({each.account for each in said if isinstance(each, Report)}) == ranks.count(0)
        assert len({each.instrument for each in said if isinstance(each, BookChange)}) == ranks.count(3)
        for each in said:
            self._hear(each)

    def _hear(self, said: Announcement) -> None:
        if isinstance(said, Report):
            for order in said.orders:
                self._order(order)
            self.fills.setdefault(said.account, []).extend(fill.trade.id for fill in said.fills)
        elif isinstance(said, Protected):
            self.protected.append(said.account)
        elif isinstance(said, Trades):
            self.public.extend(trade.id for trade in said.trades)
            self.prints[said.instrument] += len(said.trades)
        elif isinstance(said, BookChange):
            self._change(said)
        elif isinstance(said, Closed):
            self.states[said.instrument] = "delivered"
        elif isinstance(said, BookState):
            assert self.states[said.instrument] != said.state
            self.states[said.instrument] = said.state

    def _order(self, order: Order) -> None:
        """Each time it is told of an order, something about it is new, and it goes the way orders go."""
        before = self.orders.get(order.id)
        if before is not None:
            assert before != order, "the same thing is said twice"
            assert order.state in NEXT[before.state], f"{before.state} → {order.state}"
            assert order.filled >= before.filled
            assert order.updated >= before.updated
        self.orders[order.id] = order

    def _change(self, said: BookChange) -> None:
        assert said.prev_change_id == self.change_ids[said.instrument]
        self.change_ids[said.instrument] = said.change_id
        book = self.books[said.instrument]
        for side, rows in ((Side.BUY, said.bids), (Side.SELL, said.asks)):
            for action, price, lots in rows:
                assert (action == "new") == ((side, price) not in book)
                assert (action == "delete") == (lots == 0)
                if lots:
                    book[side, price] = lots
                else:
                    del book[side, price]

    def agrees(self) -> None:
        """All that was heard is all that is so, and each thing was heard once, in order."""
        for n, book in enumerate(self.exchange.books):
            mine = {(side, price): lots for side in Side for price, lots in levels(book.half(side)).items()}
            assert self.books[n] == mine
        for account in self.exchange.accounts:
            if not account.house:
                assert {o.id: o for o in account.orders} == {i: o for i, o in self.orders.items()
                                                             if o.account == account.id}  # fmt: skip
                heard = self.fills.get(account.id, [])
                assert heard == [fill.trade.id for fill in self.exchange.fills.get(account.id, [])]
                assert heard == sorted(heard)
                assert set(heard) <= set(self.public)
        assert self.public == sorted(set(self.public), key=self.public.index)
        assert self.prints == [stats.seq for stats in self.exchange.stats]
        assert self.states == [stats.state for stats in self.exchange.stats]


RANKS: dict[type, int] = {Report: 0, Protected: 1, Trades: 2, BookChange: 3, Closed: 4, BookState: 4, Platform: 4}


def option(exchange: Exchange) -> Instrument:
    return exchange.instruments[CALL]
