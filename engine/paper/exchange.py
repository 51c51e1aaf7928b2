"""The paper venue's exchange: deterministic, without clock, socket or file. Everything is told the time.

A command (place, edit, cancel, or a crowd agent's turn) changes books and accounts at once and collects what there is
to announce. `commit` then says it, always in this order: to each account its own orders and trades, then the public
trades, then the public book changes, one per touched instrument. `drain` hands the announcements over.

Refusals are values (`Refusal`) with the venue's code. Clients' accounts are checked for everything; the crowd enters
by `quote`, which checks nothing, because it is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from engine.domain import Instrument, Kind, Side
from engine.paper import margin
from engine.paper.accounts import PICO, VENUE, Account, Money
from engine.paper.marks import Marks
from engine.paper.matching import CANCELLED, FILLED, OPEN, Order, OrderBook

MAX_OPEN = 1000


class Refusal(msgspec.Struct, frozen=True):
    code: int
    message: str
    reason: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants placed: units and lots. `price` is ignored for a market order."""

    instrument: int
    side: Side
    amount: int
    price: int = 0
    kind: str = "limit"
    tif: str = "good_til_cancelled"
    label: str = ""
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool = False
    valid_until: int = 0  # ns, 0 for never
    session: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants of an order that rests; None leaves it as it is."""

    price: int | None = None
    amount: int | None = None
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool | None = None
    valid_until: int = 0


class Trade(msgspec.Struct, frozen=True):
    """A public trade. `side` is the aggressor's."""

    id: int
    seq: int
    t: int
    instrument: int
    side: Side
    price: int
    lots: int
    tick_direction: int
    mark: float
    index: float
    iv: float
    underlying: float


class Fill(msgspec.Struct, frozen=True):
    """One account's half of a trade; money in pico."""

    trade: Trade
    side: Side
    order: int
    kind: str
    label: str
    maker: bool
    fee: int
    profit: int
    state: str
    post_only: bool
    reduce_only: bool


class Report(msgspec.Struct, frozen=True):
    """What one command meant for one client's account: its orders as they now are, its fills in order."""

    t: int
    account: int
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]


class Trades(msgspec.Struct, frozen=True):
    t: int
    instrument: int
    trades: tuple[Trade, ...]


class BookChange(msgspec.Struct, frozen=True):
    t: int
    instrument: int
    change_id: int
    prev_change_id: int
    bids: list[tuple[str, int, int]]
    asks: list[tuple[str, int, int]]


class Closed(msgspec.Struct, frozen=True):
    """An instrument expired and was delivered at this price (USD for futures and options alike)."""

    t: int
    instrument: int
    price: float


Announcement = Report | Trades | BookChange | Closed


class Placed(msgspec.Struct, frozen=True):
    order: Order
    fills: tuple[Fill, ...]


class Stats(msgspec.Struct):
    """Of one instrument, since the venue began."""

    first: int = 0
    last: int = 0
    tick_direction: int = 0
    seq: int = 0
    volume: int = 0
    high: int = 0
    low: int = 0
    open_interest: int = 0
    closed: bool = False


class Exchange:
    def __init__(self, instruments: Sequence[Instrument], index: float, first_id: int = 1) -> None:
        self.instruments = tuple(instruments)
        self.number = {i.name: n for n, i in enumerate(self.instruments)}
        self.marks = Marks(self.instruments, index)
        self.books = [OrderBook() for _ in self.instruments]
        self.stats = [Stats() for _ in self.instruments]
        self.money = [Money(i) for i in self.instruments]
        self.accounts = [Account(VENUE, "venue", True, 0, 0)]
        self.finished: dict[int, Order] = {}  # clients' orders that are no longer open, by id
        self.fills: dict[int, list[Fill]] = {}  # clients' fills, by account
        self.hits: dict[int, dict[int, int]] = {}  # the crowd's account → instrument → lots got passively, signed
        self._next = first_id
        self._out: list[Announcement] = []
        self._dirty: dict[int, None] = {}
        self._orders: dict[int, dict[int, Order]] = {}
        self._fresh: dict[int, list[Fill]] = {}
        self._trades: dict[int, list[Trade]] = {}
        self._closed: list[Closed] = []

    # accounts

    def open_account(self, name: str, coin: float, house: bool = False) -> int:
        """A new account with this much paid in; its number."""
        paid = round(coin * PICO)
        self.accounts.append(Account(len(self.accounts), name, house, paid, paid))
        return len(self.accounts) - 1

    def order(self, account: int, order_id: int) -> Order | None:
        """A client's order in whatever state; None when it has none of that id."""
        order = self.accounts[account].open.get(order_id) or self.finished.get(order_id)
        return order if order is not None and order.account == account else None

    # the crowd's door

    def quote(self, t: int, account: int, n: int, side: Side, price: int, lots: int, keep: bool = True) -> Order:
        """Enter an order unchecked: what crosses trades, the rest stays (`keep`) or is dropped."""
        order = Order(self._id(), account, n, side, price, lots, t, t)
        self._match(t, order, price)
        if order.rest and order.state == OPEN:
            if keep:
                self.books[n].rest(order)
                self._dirty[n] = None
                self.accounts[account].open[order.id] = order
            else:
                order.state = CANCELLED
        return order

    def pull(self, t: int, order: Order) -> None:
        """Cancel a crowd's order if it still rests."""
        if order.state == OPEN:
            self._end(t, order, CANCELLED, "user_request")

    # a client's door

    def place(self, t: int, account: int, ask: Ask) -> Placed | Refusal:
        order = Order(self._id(), account, ask.instrument, ask.side, ask.price, ask.amount, t, t, kind=ask.kind,
                      tif=ask.tif, label=ask.label, post_only=ask.post_only, session=ask.session,
                      reject_post_only=ask.reject_post_only, reduce_only=ask.reduce_only)  # fmt: skip
        limit = self._limit(order)
        refusal = self._late(t, ask.valid_until) or self._refuse(order, limit, None)
        if refusal is not None:
            return refusal
        holder = self.accounts[account]
        holder.orders.append(order)
        if order.label:
            holder.labels.setdefault(order.label, []).append(order)
        return self._enter(t, order, limit)

    def edit(self, t: int, account: int, order_id: int, change: Change) -> Placed | Refusal:
        """A smaller amount at the same price keeps the queue place; anything else goes to the end of it."""
        order = self.order(account, order_id)
        refusal = self._late(t, change.valid_until) or _not_open(order)
        if refusal is not None or order is None:
            return refusal or Refusal(10004, "order_not_found")
        price = order.price if change.price is None else change.price
        amount = order.amount if change.amount is None else change.amount
        wanted = msgspec.structs.replace(order, price=price, amount=amount, post_only=change.post_only,
                                         reject_post_only=change.reject_post_only)  # fmt: skip
        if change.reduce_only is not None:
            wanted.reduce_only = change.reduce_only
        if amount <= order.filled:
            return Refusal(11008, "already_filled")
        refusal = self._refuse(wanted, self._limit(wanted), order)
        return refusal if refusal is not None else self._replace(t, order, wanted)

    def cancel(self, t: int, account: int, order_id: int) -> Order | Refusal:
        order = self.order(account, order_id)
        refusal = _not_open(order)
        if refusal is not None or order is None:
            return refusal or Refusal(10004, "order_not_found")
        self._end(t, order, CANCELLED, "user_request")
        return _copy(order)

    def cancel_where(self, t: int, account: int, picks: Callable[[Order], bool], reason: str = "user_request") -> int:
        """Cancel the account's open orders that `picks`; how many there were."""
        chosen = [order for order in self.accounts[account].open.values() if picks(order)]
        for order in chosen:
            self._end(t, order, CANCELLED, reason)
        return len(chosen)

    # announcements

    def commit(self, t: int) -> None:
        """End of a command: what it changed is announced, private before public."""
        for account, orders in self._orders.items():
            fills = tuple(self._fresh.pop(account, ()))
            self._out.append(Report(t, account, tuple(_copy(o) for o in orders.values()), fills))
        self._orders.clear()
        for n, trades in self._trades.items():
            self._out.append(Trades(t, n, tuple(trades)))
        self._trades.clear()
        for n in self._dirty:
            self._announce(t, n)
        self._dirty.clear()
        self._out += self._closed
        self._closed.clear()

    def drain(self) -> list[Announcement]:
        out, self._out = self._out, []
        return out

    def settle(self, t: int, n: int, price: float) -> None:
        """Expiry: every order is cancelled, every position is paid out at the delivery price in USD."""
        instrument, book = self.instruments[n], self.books[n]
        for half in (book.bids, book.asks):
            for order in [o for at in half.prices() for o in half.levels[at].orders.values()]:
                self._end(t, order, CANCELLED, "settlement")
        self.stats[n].closed = True
        for account in self.accounts:
            self._deliver(account, instrument, n, price)
        self.stats[n].open_interest = 0
        self._closed.append(Closed(t, n, price))

    def dump(self) -> dict[str, Any]:
        """Between commands, when all is committed and drained."""
        orders = {o.id: o for a in self.accounts for o in (*a.orders, *a.open.values())}
        return {
            "next": self._next, "orders": [msgspec.to_builtins(order) for order in orders.values()],
            "books": [book.dump() for book in self.books], "marks": self.marks.dump(),
            "stats": [msgspec.to_builtins(stats) for stats in self.stats],
            "accounts": [account.dump() for account in self.accounts],
            "fills": [[account, msgspec.to_builtins(fills)] for account, fills in self.fills.items()],
            "hits": [[account, list(map(list, got.items()))] for account, got in self.hits.items()],
            "finished": list(self.finished),
        }  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        """Into an exchange of the same listing; it goes on exactly as the dumped one would."""
        orders = {order.id: order for order in msgspec.convert(value["orders"], list[Order])}
        self._next = value["next"]
        for book, kept in zip(self.books, value["books"], strict=True):
            book.load(kept, orders)
        self.marks.load(value["marks"])
        self.stats = msgspec.convert(value["stats"], list[Stats])
        self.accounts = [Account.load(kept, orders) for kept in value["accounts"]]
        self.fills = {account: msgspec.convert(kept, list[Fill]) for account, kept in value["fills"]}
        self.hits = {account: dict(got) for account, got in value["hits"]}
        self.finished = {number: orders[number] for number in value["finished"]}

    # within

    def _id(self) -> int:
        self._next += 1
        return self._next - 1

    def _late(self, t: int, valid_until: int) -> Refusal | None:
        return Refusal(13888, "timed_out") if valid_until and t >= valid_until else None

    def _limit(self, order: Order) -> int:
        """The worst price it may trade at: a market order's is the venue's own bound."""
        if order.kind != "market":
            return order.price
        low, high = self.marks.band(order.instrument)
        return high if order.side is Side.BUY else low

    def _refuse(self, order: Order, limit: int, instead_of: Order | None) -> Refusal | None:
        """Every reason not to take this order, in the venue's order. Re-prices post-only and trims reduce-only."""
        instrument = self.instruments[order.instrument]
        if self.stats[order.instrument].closed:
            return Refusal(10012, "book_closed")
        if order.amount <= 0:
            return Refusal(10002, "qty_too_low")
        if order.kind != "market" and not instrument.on_tick(order.price):
            return Refusal(10043, "price_wrong_tick")
        return (
            self._out_of_band(order)
            or self._trim(order, instead_of)
            or self._post(order)
            or self._overlap(order, limit, instead_of)
            or self._poor(order, instead_of)
        )

    def _out_of_band(self, order: Order) -> Refusal | None:
        if order.kind == "market":
            return None
        low, high = self.marks.band(order.instrument)
        if order.price <= 0 or (order.side is Side.SELL and order.price < low):
            return Refusal(10005, "price_too_low")
        if order.side is Side.BUY and order.price > high:
            return Refusal(10007, "price_too_high")
        return None

    def _trim(self, order: Order, instead_of: Order | None) -> Refusal | None:
        """A reduce-only order is cut to what is left of the position."""
        if not order.reduce_only:
            return None
        room = self._room(order.account, order.instrument, order.side)
        if instead_of is not None and instead_of.reduce_only:
            room += instead_of.rest
        if room <= 0:
            return Refusal(11030, "other_reject", "reduce_only: there is no position to reduce")
        order.amount = order.filled + min(order.rest, room)
        return None

    def _room(self, account: int, n: int, side: Side) -> int:
        """Lots a further reduce-only order on this side may have."""
        holder = self.accounts[account]
        resting = sum(o.rest for o in holder.open.values() if o.reduce_only and o.instrument == n and o.side is side)
        return -holder.size(n) * side.sign - resting

    def _post(self, order: Order) -> Refusal | None:
        """A post-only order that would trade is refused, or moved one tick before the other side's best."""
        best = self.books[order.instrument].half(order.side.other).best
        if not order.post_only:
            return None
        if order.kind == "market" or order.tif in ("immediate_or_cancel", "fill_or_kill"):
            return Refusal(11055, "post_only_not_allowed")
        if best is None or (order.price - best) * order.side.sign < 0:
            return None
        if order.reject_post_only:
            return Refusal(11054, "post_only_reject")
        moved = self.instruments[order.instrument].step(best, -order.side.sign)
        if (moved - best) * order.side.sign >= 0:  # nothing lies below the smallest price
            return Refusal(11054, "post_only_reject")
        order.price = moved
        return None

    def _overlap(self, order: Order, limit: int, instead_of: Order | None) -> Refusal | None:
        """Self-trade prevention, reject_taker: refused when it would reach an own order."""
        left, own = order.rest, order.account
        limit = order.price if order.kind != "market" else limit
        if not any(o.side is not order.side for o in self.accounts[own].open.values()):
            return None
        for maker in self.books[order.instrument].reachable(order.side, limit):
            if left <= 0:
                break
            if maker.account == own and maker is not instead_of:
                return Refusal(10003, "order_overlap")
            left -= maker.rest
        return None

    def _poor(self, order: Order, instead_of: Order | None) -> Refusal | None:
        holder = self.accounts[order.account]
        if len(holder.open) >= MAX_OPEN:
            return Refusal(10047, "matching_engine_queue_full", "too many open orders")
        others = [o for o in holder.open.values() if o is not instead_of]
        before = list(holder.open.values())
        priced = order
        if order.kind == "market":
            priced = msgspec.structs.replace(order, price=self._worst(order))
        after = margin.available(holder, self.marks, [*others, priced])
        if after < 0 and after < margin.available(holder, self.marks, before) - 1e-12:
            return Refusal(10009, "not_enough_funds")
        return None

    def _worst(self, order: Order) -> int:
        """The price of the last lot a market order would take now."""
        worst, left = 0, order.rest
        for maker in self.books[order.instrument].reachable(order.side, self._limit(order)):
            worst, left = maker.price, left - maker.rest
            if left <= 0:
                break
        return worst

    def _enter(self, t: int, order: Order, limit: int) -> Placed:
        limit = order.price if order.kind != "market" else limit
        if order.tif == "fill_or_kill" and not self._fillable(order, limit):
            order.state, order.reason = CANCELLED, ""
        else:
            self._match(t, order, limit)
        if order.state == OPEN and order.rest:
            if order.kind == "market" or order.tif in ("immediate_or_cancel", "fill_or_kill"):
                order.state = CANCELLED
            else:
                self._rest(order)
        if order.state != OPEN:
            self.finished[order.id] = order
        self._note(order)
        fills = self._fresh.get(order.account, [])
        return Placed(_copy(order), tuple(f for f in fills if f.order == order.id))

    def _fillable(self, order: Order, limit: int) -> bool:
        left = order.rest
        for maker in self.books[order.instrument].reachable(order.side, limit):
            left -= maker.rest
            if left <= 0:
                return True
        return False

    def _rest(self, order: Order) -> None:
        self.books[order.instrument].rest(order)
        self._dirty[order.instrument] = None
        holder = self.accounts[order.account]
        holder.open[order.id] = order
        holder.reducing += order.reduce_only

    def _replace(self, t: int, order: Order, wanted: Order) -> Placed:
        kept = wanted.price == order.price and wanted.amount <= order.amount and wanted.reduce_only == order.reduce_only
        order.updated, order.replaced = t, True
        order.post_only, order.reject_post_only = wanted.post_only, wanted.reject_post_only
        if kept:
            self.books[order.instrument].reduce(order, order.amount - wanted.amount)
            self._dirty[order.instrument] = None
            self._note(order)
            return Placed(_copy(order), ())
        self._lift(order)
        order.price, order.amount, order.reduce_only = wanted.price, wanted.amount, wanted.reduce_only
        return self._enter(t, order, order.price)

    def _lift(self, order: Order) -> None:
        """Take a resting order out of its book and out of its account's open ones."""
        self.books[order.instrument].take_out(order)
        self._dirty[order.instrument] = None
        holder = self.accounts[order.account]
        del holder.open[order.id]
        holder.reducing -= order.reduce_only

    def _end(self, t: int, order: Order, state: str, reason: str) -> None:
        self._lift(order)
        order.state, order.reason, order.updated = state, reason, t
        if not self.accounts[order.account].house:
            self.finished[order.id] = order
            self._note(order)

    def _note(self, order: Order) -> None:
        if not self.accounts[order.account].house:
            self._orders.setdefault(order.account, {})[order.id] = order

    def _match(self, t: int, taker: Order, limit: int) -> None:
        book = self.books[taker.instrument]
        while taker.rest:
            maker = book.next_maker(taker.side, limit)
            if maker is None:
                return
            if maker.account == taker.account:  # only the crowd gets here: clients are refused before
                self._end(t, maker, CANCELLED, "self_trade")
                continue
            lots = min(taker.rest, maker.rest)
            book.fill(maker, lots)
            taker.filled += lots
            taker.traded += lots * maker.price
            self._dirty[taker.instrument] = None
            self._trade(t, taker, maker, lots)

    def _trade(self, t: int, taker: Order, maker: Order, lots: int) -> None:
        n, trade = taker.instrument, self._print(t, taker, maker.price, lots)
        held = self._held(n, taker, maker)
        value = self.money[n].value(maker.price, lots)
        for order in (taker, maker):
            order.updated = t
            if not order.rest:
                order.state = FILLED
            self._book(order, order is maker, lots, value, trade)
        if maker.state == FILLED:
            self._gone(maker)
        self.stats[n].open_interest += (self._held(n, taker, maker) - held) // 2
        for order in (taker, maker):
            if self.accounts[order.account].reducing:
                self._shrink(t, order.account, n)

    def _held(self, n: int, taker: Order, maker: Order) -> int:
        return abs(self.accounts[taker.account].size(n)) + abs(self.accounts[maker.account].size(n))

    def _print(self, t: int, taker: Order, price: int, lots: int) -> Trade:
        """The public trade, kept in the instrument's statistics."""
        n, stats, marks = taker.instrument, self.stats[taker.instrument], self.marks
        if price != stats.last:
            stats.tick_direction = 0 if price > stats.last else 2
        elif stats.tick_direction in (0, 2):
            stats.tick_direction += 1
        stats.first = stats.first or price
        stats.last, stats.seq, stats.volume = price, stats.seq + 1, stats.volume + lots
        stats.high, stats.low = max(stats.high, price), min(stats.low or price, price)
        expiry = self.instruments[n].expiry
        trade = Trade(self._id(), stats.seq, t, n, taker.side, price, lots, stats.tick_direction,
                      float(marks.price[n]), marks.index, float(marks.iv[n]),
                      marks.forwards[expiry] if expiry else marks.index)  # fmt: skip
        self._trades.setdefault(n, []).append(trade)
        return trade

    def _book(self, order: Order, maker: bool, lots: int, value: int, trade: Trade) -> None:
        """One side of a trade in its account: position, cash, fee, and for a client the fill."""
        holder, money = self.accounts[order.account], self.money[order.instrument]
        profit = money.apply(holder, order.instrument, lots * order.side.sign, value)
        fee = 0 if holder.house else money.fee(value, lots, maker)
        holder.cash -= fee
        holder.fees += fee
        self.accounts[VENUE].cash += fee
        if holder.house:
            if maker:
                got = self.hits.setdefault(order.account, {})
                got[order.instrument] = got.get(order.instrument, 0) + lots * order.side.sign
            return
        fill = Fill(trade, order.side, order.id, order.kind, order.label, maker, fee, profit, order.state,
                    order.post_only, order.reduce_only)  # fmt: skip
        self._fresh.setdefault(order.account, []).append(fill)
        self.fills.setdefault(order.account, []).append(fill)
        self._note(order)

    def _gone(self, maker: Order) -> None:
        """A resting order was filled to the end; the book has already let it go."""
        holder = self.accounts[maker.account]
        del holder.open[maker.id]
        holder.reducing -= maker.reduce_only
        if not holder.house:
            self.finished[maker.id] = maker

    def _shrink(self, t: int, account: int, n: int) -> None:
        """After a trade, resting reduce-only orders are cut to the position, the newest first."""
        holder = self.accounts[account]
        for side in Side:
            over = -self._room(account, n, side)
            mine = [o for o in holder.open.values() if o.reduce_only and o.instrument == n and o.side is side]
            for order in reversed(mine):
                cut = min(over, order.rest)
                if cut <= 0:
                    break
                over -= cut
                self._cut(t, order, cut)

    def _cut(self, t: int, order: Order, lots: int) -> None:
        if lots == order.rest:
            self._end(t, order, CANCELLED, "risk_mitigation")
            return
        self.books[order.instrument].reduce(order, lots)
        self._dirty[order.instrument] = None
        order.updated = t
        self._note(order)

    def _announce(self, t: int, n: int) -> None:
        book = self.books[n]
        changed = book.announce()
        if changed is None:
            return
        before, book.change_id = book.change_id, self._id()
        self._out.append(BookChange(t, n, book.change_id, before, *changed))

    def _deliver(self, account: Account, instrument: Instrument, n: int, price: float) -> None:
        """Close one account's position at the delivery price: a trade with the delivery itself."""
        size = account.size(n)
        if not size:
            return
        if not account.house:
            self._orders.setdefault(account.id, {})  # a report without orders: its money has changed
        account.cash += self._payout(account, instrument, n, price)
        account.positions[n].size = account.positions[n].cost = 0

    def _payout(self, account: Account, instrument: Instrument, n: int, price: float) -> int:
        position = account.positions[n]
        if instrument.kind is Kind.OPTION:
            inside = price - instrument.strike if instrument.call else instrument.strike - price
            per_lot = round(max(inside, 0.0) / price * instrument.lot * PICO)
            return position.size * per_lot
        return position.cost - position.size * round(instrument.lot / price * PICO)


def _not_open(order: Order | None) -> Refusal | None:
    if order is None:
        return Refusal(10004, "order_not_found")
    if order.state == FILLED:
        return Refusal(11008, "already_filled")
    return None if order.state == OPEN else Refusal(11044, "not_open_order")


def _copy(order: Order) -> Order:
    return msgspec.structs.replace(order)
