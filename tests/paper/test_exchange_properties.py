"""Any sequence of commands, sensible or not, keeps what must hold of an exchange."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import Side
from engine.paper.exchange import Exchange
from engine.paper.terms import Ask, Change
from tests.paper.small import CALL, FUTURE, PERPETUAL, PUT, START, Listener, small, sound

MIDDLE = {PERPETUAL: 200_000, FUTURE: 200_100, CALL: 120, PUT: 120}
numbers = st.sampled_from([PERPETUAL, FUTURE, CALL, PUT])
sides = st.sampled_from(list(Side))
offsets = st.one_of(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from([6, -60, 60, -30_000, 30_000]))
lots = st.one_of(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.sampled_from([0, 400, 5_000_000]))
which = st.integers(0, 30)
places = st.fixed_dictionaries(
    {"n": numbers, "side": sides, "offset": offsets, "amount": lots, "client": st.integers(0, 1)},
    optional={
        "kind": st.just("market"),
        "tif": st.sampled_from(["immediate_or_cancel", "fill_or_kill"]),
        "post_only": st.booleans(),
        "reject_post_only": st.booleans(),
        "reduce_only": st.booleans(),
        "label": st.sampled_from(["a", "b"]),
        "valid_until": st.sampled_from([START, START + 10**12]),  # one is always late
    },
)
changes = st.fixed_dictionaries(
    {"client": st.integers(0, 1), "which": which},
    optional={"offset": offsets, "amount": lots, "post_only": st.booleans(), "reject_post_only": st.booleans(),
              "reduce_only": st.booleans()},
)  # fmt: skip
plain = st.fixed_dictionaries(
    {"n": numbers, "side": sides, "offset": st.integers(-5, 5), "amount": st.integers(1, 12),
     "client": st.integers(0, 1)},
    optional={"reduce_only": st.booleans()},
)  # fmt: skip
commands = st.one_of(
    st.tuples(st.just("place"), plain),
    st.tuples(st.just("place"), plain),
    st.tuples(st.just("place"), places),
    st.tuples(st.just("quote"), st.tuples(numbers, sides, st.integers(-6, 6), st.integers(1, 12), st.booleans())),
    st.tuples(st.just("quote"), st.tuples(numbers, sides, st.integers(-6, 6), st.integers(1, 12), st.booleans())),
    st.tuples(st.just("edit"), changes),
    st.tuples(st.just("cancel"), st.tuples(st.integers(0, 1), which)),
    st.tuples(st.just("cancel all"), st.tuples(st.integers(0, 1), numbers)),
    st.tuples(st.just("pull"), which),
    st.tuples(st.just("settle"), st.sampled_from([FUTURE, CALL, PUT])),
)


def price(n: int, offset: int) -> int:
    """Options have a tick of five units here: an odd offset is off the grid now and then."""
    return MIDDLE[n] + (offset * 5 if n in (CALL, PUT) and offset != 6 else offset)


class Play:
    """Performs commands on a small exchange, and listens."""

    def __init__(self) -> None:
        self.exchange, self.clients, self.house = small(coin=3.0)
        self.listener = Listener(self.exchange)
        self.quotes: list[Any] = []
        self.t = START
        for account, side in zip(self.clients, Side, strict=True):  # somebody long and somebody short from the start
            self.exchange.quote(START, self.house, PERPETUAL, side.other, MIDDLE[PERPETUAL], 15)
            self.exchange.place(
                START, account, Ask(instrument=PERPETUAL, side=side, amount=15, price=MIDDLE[PERPETUAL])
            )
            self.exchange.commit(START)
            self.listener.hear()

    def do(self, name: str, what: Any) -> None:
        self.t += 1_000_000
        getattr(self, name.replace(" ", "_"))(what)
        self.exchange.commit(self.t)

    def place(self, what: dict[str, Any]) -> None:
        given_ = dict(what)
        account, n = self.clients[given_.pop("client")], given_.pop("n")
        given_["price"] = price(n, given_.pop("offset"))
        self.exchange.place(self.t, account, Ask(instrument=n, **given_))

    def edit(self, what: dict[str, Any]) -> None:
        given_ = dict(what)
        account = self.clients[given_.pop("client")]
        orders = self.exchange.accounts[account].orders
        order = orders[given_.pop("which") % len(orders)] if orders else None
        if order is not None:
            if "offset" in given_:
                given_["price"] = price(order.instrument, given_.pop("offset"))
            self.exchange.edit(self.t, account, order.id, Change(**given_))

    def cancel(self, what: tuple[int, int]) -> None:
        account = self.clients[what[0]]
        orders = self.exchange.accounts[account].orders
        self.exchange.cancel(self.t, account, orders[what[1] % len(orders)].id if orders else 7)

    def cancel_all(self, what: tuple[int, int]) -> None:
        self.exchange.cancel_where(self.t, self.clients[what[0]], lambda order: order.instrument == what[1])

    def quote(self, what: tuple[int, Side, int, int, bool]) -> None:
        n, side, offset, amount, keep = what
        if not self.exchange.stats[n].closed:
            at = price(n, offset if offset != 6 else 5)
            self.quotes.append(self.exchange.quote(self.t, self.house, n, side, at, amount, keep))

    def pull(self, what: int) -> None:
        if self.quotes:
            self.exchange.pull(self.t, self.quotes[what % len(self.quotes)])

    def settle(self, n: int) -> None:
        if not self.exchange.stats[n].closed and len(self.quotes) % 7 == 6:
            self.exchange.settle(self.t, n, 101_000.0)


@settings(max_examples=200, deadline=None)
@given(st.lists(commands, min_size=25, max_size=60))
def test_any_commands_keep_the_exchange_sound(script: list[tuple[str, Any]]) -> None:
    play = Play()
    for name, what in script:
        play.do(name, what)
        sound(play.exchange)
        play.listener.hear()
    play.listener.agrees()


@settings(max_examples=50, deadline=None)
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
