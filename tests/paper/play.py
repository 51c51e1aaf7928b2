"""Commands of every sort, sensible and not, as hypothesis makes them up, and a small exchange to perform them on."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from engine.domain import DAY_NS, NS, Side
from engine.paper.floor.exchange import SETTABLE
from engine.paper.orders.protection import Limits
from engine.paper.orders.terms import TRIGGERS, Ask, Change, Refusal, Rules
from tests.paper.floor.slow_matching import Overlap, expected
from tests.paper.small import CALL, FREE, FUTURE, PERPETUAL, PUT, START, Listener, small, sound

MIDDLE = {PERPETUAL: 200_000, FUTURE: 200_100, CALL: 120, PUT: 120}
LONG_STEPS = (NS, 60 * NS, DAY_NS // 3)

numbers = st.sampled_from([PERPETUAL, PERPETUAL, FUTURE, CALL, CALL, PUT])
sides = st.sampled_from(list(Side))
clients = st.integers(0, 1)
which = st.integers(0, 30)
near = st.integers(-5, 5)
offsets = st.one_of(near, near, st.sampled_from([6, -60, 60, -30_000, 30_000]))
few = st.integers(1, 12)
lots = st.one_of(few, few, few, few, st.sampled_from([0, 400, 5_000_000]))
shows = st.sampled_from([0, 1, 2, 3, 3, 5])
advances = st.sampled_from(["implv", "implv", "implv", "implv", "usd", "usd", "nonsense", ""])
anchors = st.sampled_from([50.0, 48.0, 49.0, 51.0, 55.0, 52.0, 1_200.0, 1_150.0, 0.0, float("nan"), 9e9])


def some(most: int, **each: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """At most so many of these fields, often none: a request with all its oddities at once is only refused."""
    pairs = st.one_of(*(st.tuples(st.just(name), values) for name, values in each.items()))
    return st.lists(pairs, max_size=most).map(dict)


def asked(rarely: st.SearchStrategy[dict[str, Any]], **always: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.fixed_dictionaries({"client": clients, "side": sides, **always}), rarely).map(
        lambda both: both[1] | both[0]
    )


marked = st.just(True)
rare = some(
    2, tif=st.sampled_from(["immediate_or_cancel", "fill_or_kill", "good_til_day", "good_til_day"]),
    post_only=marked, reject_post_only=marked, reduce_only=marked, label=st.sampled_from(["a", "b"]), mmp=marked,
    show=shows, valid_until=st.sampled_from([START, START + 10**17, START + 10**17]),  # the first is always late
)  # fmt: skip
plain = asked(some(1, reduce_only=marked, mmp=marked, show=shows), n=numbers, offset=near, amount=few)
placements = asked(
    st.builds(lambda kind, other: {"kind": kind, **other},
              st.sampled_from(["limit", "limit", "market", "market_limit", "market_limit", "nonsense"]), rare),
    n=numbers, offset=offsets, amount=lots,
)  # fmt: skip
hidden = asked(
    some(1, reduce_only=marked, mmp=marked), n=numbers, offset=near, amount=st.integers(4, 15),
    show=st.sampled_from([2, 3]),
)  # fmt: skip
waits = asked(
    rare, n=numbers, offset=near, amount=few, kind=st.sampled_from(TRIGGERS), at=st.integers(-8, 8),
    trigger=st.sampled_from(["index", "mark", "last", "last", "last"]), trigger_offset=st.integers(-1, 8),
)  # fmt: skip
held = asked(
    some(1, tif=st.just("good_til_day"), reduce_only=marked, mmp=marked, show=shows, post_only=marked),
    n=st.sampled_from([CALL, CALL, CALL, PUT, FUTURE]), amount=few, advanced=advances, anchor=anchors,
)  # fmt: skip
changes = st.tuples(
    st.fixed_dictionaries({"client": clients, "which": st.one_of(st.integers(0, 3), which)}),
    some(2, offset=offsets, amount=lots, post_only=marked, reject_post_only=marked, reduce_only=st.booleans(),
         show=shows, mmp=st.booleans(), advanced=advances, anchor=anchors, at=st.integers(-8, 8),
         trigger_offset=st.integers(-1, 8)),
).map(lambda both: both[0] | both[1])  # fmt: skip
quotes = st.tuples(numbers, sides, st.integers(-6, 6), few, st.sampled_from([True, True, False]), st.booleans())
limits = st.builds(
    Limits, interval_ns=st.sampled_from([0, NS // 100, NS, NS]), frozen_ns=st.sampled_from([0, NS // 200, NS]),
    quantity=st.sampled_from([0.0, 0.3, 0.0005]), delta=st.sampled_from([0.0, 0.2]), vega=st.sampled_from([0.0, 5.0]),
)  # fmt: skip
states = st.sampled_from([*SETTABLE, "archivized", "delivered", "nonsense", *["open"] * 12])
books = st.sampled_from([PERPETUAL, CALL, PUT, FUTURE, None, None])
OFTEN: dict[str, st.SearchStrategy[Any]] = {
    "place": st.booleans().flatmap(lambda odd: placements if odd else plain),
    "hide": hidden,
    "quote": quotes,
    "wait": waits,
    "hold": held,
    "edit": changes,
    "tell": st.tuples(st.integers(-6, 6), st.integers(-3, 3)),
}
SELDOM: dict[str, st.SearchStrategy[Any]] = {
    "cancel": st.tuples(clients, which),
    "cancel all": st.tuples(clients, numbers),
    "pull": which,
    "pass time": st.sampled_from(LONG_STEPS),
    "clear": st.sampled_from([NS, NS, NS, DAY_NS // 3]),
    "crash": st.tuples(st.sampled_from([-0.3, -0.08, 0.08, 0.3]), clients),
    "protect": st.tuples(st.integers(0, 2), limits),
    "thaw": st.integers(0, 2),
    "trade itself": st.tuples(clients, st.sampled_from(["reject_taker", "cancel_maker"])),
    "set state": st.tuples(books, states),
    "print": st.tuples(numbers, sides, near, few, st.sampled_from(["block", "block_rfq", "combo"])),
    "liquidate": st.tuples(st.integers(0, 2), numbers, sides, near, few),
    "settle": st.sampled_from([FUTURE, CALL, PUT]),
}


KINDS = OFTEN | SELDOM
NAMES = [*OFTEN, *OFTEN, *OFTEN, *OFTEN, "place", "place", "place", "quote", "quote", "quote", *SELDOM]
commands = st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), KINDS[name]))


def price(n: int, offset: int) -> int:
    """Options have a tick of five units here: an odd offset is off the grid now and then."""
    return MIDDLE[n] + (offset * 5 if n in (CALL, PUT) and offset != 6 else offset)


class Play:
    """Performs commands on a small exchange, and listens. Accounts: two clients, two of the house."""

    def __init__(self, rules: Rules = FREE) -> None:
        self.rules = rules
        self.exchange, self.clients, self.house = small(coin=3.0, rules=rules)
        self.second = self.exchange.open_account("second house", 0.0, house=True)
        self.listener = Listener(self.exchange)
        self.quotes: list[int] = []  # numbers of the house's orders that rested
        self.t = START
        for account, side in zip(self.clients, Side, strict=True):  # somebody long and somebody short from the start
            self.exchange.quote(START, self.house, PERPETUAL, side.other, MIDDLE[PERPETUAL], 15)
            start = Ask(instrument=PERPETUAL, side=side, amount=15, price=MIDDLE[PERPETUAL])
            self.exchange.place(START, account, start)
            self.exchange.commit(START)
            self.listener.hear()
        for account in (self.clients[0], self.house):
            limits = Limits(interval_ns=NS, frozen_ns=NS // 100, quantity=1.5, delta=0.5, vega=60.0)
            self.exchange.set_protection(account, limits)

    def do(self, name: str, what: Any) -> Any:
        self.t += 1_000_000
        outcome = getattr(self, name.replace(" ", "_"))(what)
        self.exchange.commit(self.t)
        return outcome

    def sound(self) -> None:
        """What must hold of the exchange, and at this time: no marked order of a frozen account works."""
        sound(self.exchange)
        for account in self.exchange.accounts:
            if self.exchange.protections.frozen(self.t, account.id):
                assert not any(order.mmp for order in self.exchange.working(account.id))
            for order in self.exchange.working(account.id):
                assert not self.exchange.stats[order.instrument].closed

    def clone(self) -> None:
        """Go on in another exchange, loaded from this one's dump; the listener does not notice."""
        value = msgspec.msgpack.decode(msgspec.msgpack.encode(self.exchange.dump()))
        self.exchange = small(coin=3.0, rules=self.rules)[0]
        self.exchange.open_account("second house", 0.0, house=True)
        self.exchange.load(value)
        self.listener.exchange = self.exchange

    def place(self, what: dict[str, Any]) -> Any:
        given = dict(what)
        account, n = self.clients[given.pop("client")], given.pop("n")
        given["price"] = price(n, given.pop("offset"))
        ask = Ask(instrument=n, **given)
        wanted = self._expected(account, ask)
        resting = [(order, order.filled) for order in self.exchange.books[n].orders()]
        outcome = self.exchange.place(self.t, account, ask)
        if isinstance(outcome, Refusal):
            assert outcome.code != 10003 or wanted is None or isinstance(wanted, Overlap)
            return outcome
        assert not isinstance(wanted, Overlap)
        if wanted is not None:
            got = {order.id: order.filled - before for order, before in resting if order.filled != before}
            assert got == wanted
            assert sum(got.values()) == outcome.order.filled == sum(fill.trade.lots for fill in outcome.fills)
        return outcome

    def _expected(self, account: int, ask: Ask) -> dict[int, int] | Overlap | None:
        """What the slow book makes of a request; None where more is going on than matching."""
        book = self.exchange.books[ask.instrument]
        odd = ask.kind != "limit" or ask.advanced or ask.post_only or ask.reduce_only
        if odd or any(order.reduce_only for order in book.orders()):
            return None
        way = self.exchange.self_trading(account) == "cancel_maker"
        try:
            wanted = expected(book, account, ask.side, ask.price, ask.amount, gives_way=way)
        except Overlap as overlap:
            return overlap
        return {} if ask.tif == "fill_or_kill" and sum(wanted.values()) < ask.amount else wanted

    def wait(self, what: dict[str, Any]) -> Any:
        given = dict(what)
        at = given.pop("at")
        option_on_index = given["n"] in (CALL, PUT) and given["trigger"] == "index"
        given["trigger_price"] = 10_000_000 + 50 * at if option_on_index else price(given["n"], at)
        return self.place(given)

    def hide(self, what: dict[str, Any]) -> Any:
        return self.place(what)

    def hold(self, what: dict[str, Any]) -> Any:
        return self.place({**what, "offset": 0})

    def edit(self, what: dict[str, Any]) -> Any:
        given = dict(what)
        account = self.clients[given.pop("client")]
        orders = self.exchange.accounts[account].orders
        order = orders[-1 - given.pop("which") % len(orders)]
        for name, offset in (("price", "offset"), ("trigger_price", "at")):
            if offset in given:
                given[name] = price(order.instrument, given.pop(offset))
        return self.exchange.edit(self.t, account, order.id, Change(**given))

    def cancel(self, what: tuple[int, int]) -> Any:
        account = self.clients[what[0]]
        orders = self.exchange.accounts[account].orders
        return self.exchange.cancel(self.t, account, orders[-1 - what[1] % len(orders)].id)

    def cancel_all(self, what: tuple[int, int]) -> Any:
        return self.exchange.cancel_where(self.t, self.clients[what[0]], lambda order: order.instrument == what[1])

    def quote(self, what: tuple[int, Side, int, int, bool, bool]) -> None:
        n, side, offset, amount, keep, mmp = what
        at = price(n, offset if offset != 6 else 5)
        order = self.exchange.quote(self.t, self.house, n, side, at, amount, keep, mmp=mmp)
        if order.state == "open":
            self.quotes.append(order.id)

    def pull(self, what: int) -> None:
        resting = self.exchange.accounts[self.house].open
        order = resting.get(self.quotes[what % len(self.quotes)]) if self.quotes else None
        if order is not None:
            self.exchange.pull(self.t, order)

    def tell(self, what: tuple[int, int]) -> None:
        step, vols = what
        marks, index = self.exchange.marks, 100_000.0 + 2.5 * step
        ivs = marks.iv[marks.options] * 0.0 + 0.5 + 0.01 * vols
        marks.tell(self.t, index, dict.fromkeys(marks.forwards, index + 50.0), ivs)

    def pass_time(self, what: int) -> None:
        self.t += what
        self.exchange.reprice(self.t)

    def clear(self, what: int) -> None:
        """Funding, the end of a session, liquidations: what the venue does by itself."""
        self.t += what
        self.exchange.clearing.turn(self.t)

    def crash(self, what: tuple[float, int]) -> None:
        """The index jumps, and a client may have taken nearly all of its coin before: somebody cannot pay."""
        move, client = what
        marks, account = self.exchange.marks, self.exchange.accounts[self.clients[client]]
        index = 100_000.0 * (1.0 + move)
        marks.tell(self.t, index, dict.fromkeys(marks.forwards, index), marks.iv[marks.options])
        out = max(account.cash - 10**10, 0)
        account.cash -= out
        account.deposit -= out

    def protect(self, what: tuple[int, Limits]) -> None:
        self.exchange.set_protection([*self.clients, self.house][what[0]], what[1])

    def thaw(self, what: int) -> None:
        self.exchange.reset_protection([*self.clients, self.house][what])

    def trade_itself(self, what: tuple[int, str]) -> None:
        self.exchange.set_self_trading(self.clients[what[0]], what[1])

    def set_state(self, what: tuple[int | None, str]) -> Any:
        return self.exchange.set_state(self.t, *what)

    def print(self, what: tuple[int, Side, int, int, str]) -> None:
        n, side, offset, amount, kind = what
        self.exchange.print_off_book(self.t, n, side, price(n, offset), amount, taker=self.house, maker=self.second,
                                     kind=kind, number="7")  # fmt: skip

    def liquidate(self, what: tuple[int, int, Side, int, int]) -> None:
        which, n, side, offset, amount = what
        account = [*self.clients, self.second][which]
        self.exchange.liquidate(self.t, account, n, side, price(n, offset if offset != 6 else 5), amount)

    def settle(self, n: int) -> None:
        if not self.exchange.stats[n].closed and len(self.quotes) % 7 == 6:
            self.exchange.settle(self.t, n, 101_000.0)
