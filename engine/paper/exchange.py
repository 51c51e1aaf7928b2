"""The paper venue's exchange: deterministic, without clock, socket or file. Everything is told the time.

A command (place, edit, cancel, or a crowd agent's turn) changes books and accounts at once and collects what there is
to announce. `commit` then says it, always in this order: to each account its own orders and trades, then the public
trades, then the public book changes, one per touched instrument. `drain` hands the announcements over.

Refusals are values (`Refusal`) with the venue's code. Clients' accounts are checked for everything; the crowd enters
by `quote`, which checks nothing, because it is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from engine.domain import Instrument, Side
from engine.paper.accounts import PICO, VENUE, Account, Money
from engine.paper.checks import Checks, late, not_open
from engine.paper.marks import Marks
from engine.paper.matching import CANCELLED, FILLED, OPEN, Order, OrderBook
from engine.paper.news import News
from engine.paper.protection import Limits, Protection
from engine.paper.terms import DELIVERED, Announcement, Ask, Change, Closed, Fill, Placed, Refusal, Rules, Stats, Trade


class Exchange:
    def __init__(
        self, instruments: Sequence[Instrument], index: float, first_id: int = 1, rules: Rules | None = None
    ) -> None:
        self.rules = rules or Rules()
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
        self._checks = Checks(self)
        self._next = first_id
        self._news = News(self._id)

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
                self._news.book(n)
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
        limit = self._checks.limit(order)
        refusal = late(t, ask.valid_until) or self._checks.refuse(order, limit, None)
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
        refusal = late(t, change.valid_until) or not_open(order)
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
        refusal = self._checks.refuse(wanted, self._checks.limit(wanted), order)
        return refusal if refusal is not None else self._replace(t, order, wanted)

    def cancel(self, t: int, account: int, order_id: int) -> Order | Refusal:
        order = self.order(account, order_id)
        refusal = not_open(order)
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
        self._news.commit(t, self.books)

    def drain(self) -> list[Announcement]:
        """What was announced since the last time, in order."""
        return self._news.drain()

    def settle(self, t: int, n: int, price: float) -> None:
        """Expiry: every order is cancelled, every position is paid out at the delivery price in USD."""
        book, money = self.books[n], self.money[n]
        for half in (book.bids, book.asks):
            for order in [o for at in half.prices() for o in half.levels[at].orders.values()]:
                self._end(t, order, CANCELLED, "settlement")
        self.stats[n].state = DELIVERED
        for account in self.accounts:
            if account.size(n):
                money.deliver(account, n, price)
                if not account.house:
                    self._news.money(account.id)
        self.stats[n].open_interest = 0
        self._news.closed(Closed(t, n, price))

    # still to come, said here so that the protocol can be built on it

    def working(self, account: int) -> Iterator[Order]:
        """The account's orders that rest ("open"), then those that wait ("untriggered")."""
        raise NotImplementedError

    def by_label(self, account: int, label: str, n: int | None = None) -> list[Order]:
        """The account's working orders of this label, of one instrument or all: what edit_by_label chooses from."""
        raise NotImplementedError

    def reprice(self, t: int) -> None:
        """Once a second: IV and USD orders follow the forward, orders of the day and of old forwards end."""
        raise NotImplementedError

    def set_self_trading(self, account: int, mode: str) -> None:
        """What happens when an account's order would meet its own: "reject_taker" (10003) or "cancel_maker"."""
        raise NotImplementedError

    def self_trading(self, account: int) -> str:
        raise NotImplementedError

    def set_protection(self, account: int, limits: Limits) -> None:
        """Market-maker protection over this coin's index; an interval of 0 removes it."""
        raise NotImplementedError

    def protection(self, account: int) -> Protection | None:
        """Its limits and until when it is frozen (ns, 0 when it is not); None where none is set."""
        raise NotImplementedError

    def reset_protection(self, account: int) -> bool:
        """Thaw, and count from nothing; False where none is set."""
        raise NotImplementedError

    def set_state(self, t: int, n: int | None, state: str) -> Refusal | None:
        """Put one instrument, or all (None), into one of `terms`' states; those that have ended stay as they are.

        Announced as `BookState` each, and as one `Platform` for all. What rests stays.
        """
        raise NotImplementedError

    def print_off_book(self, t: int, n: int, side: Side, price: int, lots: int, *, taker: int, maker: int, kind: str,
                       number: str) -> Trade:  # fmt: skip
        """A trade between two house accounts that no book sees: kind "block", "block_rfq" or "combo", its id.

        It moves positions, cash, open interest and volume, and is announced among the public trades; last price,
        high and low stay as they are.
        """
        raise NotImplementedError

    def liquidate(self, t: int, account: int, n: int, side: Side, price: int, lots: int) -> Order:
        """An order of the venue's own for an account in trouble: unchecked, takes what it can up to `price`, and is
        marked (`Trade.liquidation`, `Order.liquidation`)."""
        raise NotImplementedError

    def admit(self, t: int, account: int, sweep: bool = False) -> Refusal | None:
        """Charge one request to the account's matching-engine allowance: 10028 when it has none left. `place`,
        `edit` and `cancel` do so themselves; callers of `cancel_where` for a client ask first, with `sweep`."""
        raise NotImplementedError

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
        fills = self._news.fills(order.account)
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
        self._news.book(order.instrument)
        holder = self.accounts[order.account]
        holder.open[order.id] = order
        holder.reducing += order.reduce_only

    def _replace(self, t: int, order: Order, wanted: Order) -> Placed:
        kept = wanted.price == order.price and wanted.amount <= order.amount and wanted.reduce_only == order.reduce_only
        order.updated, order.replaced = t, True
        order.post_only, order.reject_post_only = wanted.post_only, wanted.reject_post_only
        if kept:
            self.books[order.instrument].reduce(order, order.amount - wanted.amount)
            self._news.book(order.instrument)
            self._note(order)
            return Placed(_copy(order), ())
        self._lift(order)
        order.price, order.amount, order.reduce_only = wanted.price, wanted.amount, wanted.reduce_only
        return self._enter(t, order, order.price)

    def _lift(self, order: Order) -> None:
        """Take a resting order out of its book and out of its account's open ones."""
        self.books[order.instrument].take_out(order)
        self._news.book(order.instrument)
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
            self._news.order(order)

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
            self._news.book(taker.instrument)
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
        self._news.trade(trade)
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
        self._news.fill(order.account, fill)
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
            over = -self._checks.room(account, n, side)
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
        self._news.book(order.instrument)
        order.updated = t
        self._note(order)


def _copy(order: Order) -> Order:
    return msgspec.structs.replace(order)
