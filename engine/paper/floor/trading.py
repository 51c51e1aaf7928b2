"""What happens when orders meet: matching, the two accounts' money, the print, and what follows from it at once.

The crowd enters here, by `quote`, which checks nothing, because it is ours. Everything a crowd's turn needs is kept
short: this is where a simulation spends its time.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain import Instrument, Kind, Side
from engine.paper.clearing.accounts import VENUE, Account
from engine.paper.clearing.settlement import log
from engine.paper.floor.checks import Checks
from engine.paper.floor.state import Floor
from engine.paper.instruments.fees import Fees
from engine.paper.orders.matching import CANCELLED, FILLED, OPEN, Half, Order
from engine.paper.orders.protection import Protection
from engine.paper.orders.terms import BOOK_OPEN, Fill, Rules, Trade


class Trading(Floor):
    """A floor on which orders meet: what trades is booked, printed and counted at once."""

    def __init__(
        self, instruments: Sequence[Instrument], index: float, first_id: int = 1, rules: Rules | None = None,
        fees: Fees | None = None,
    ) -> None:  # fmt: skip
        super().__init__(instruments, index, first_id, rules, fees)
        self._checks = Checks(self)
        self._tripped: list[tuple[int, Protection]] = []  # accounts whose protection was set off by the running match

    # the crowd's door

    def quote(
        self, t: int, account: int, n: int, side: Side, price: int, lots: int, keep: bool = True, *, mmp: bool = False
    ) -> Order:
        """Enter an order unchecked: what crosses trades, the rest stays (`keep`) or is dropped.

        In a book that is not open, and for an `mmp` order while its account is frozen, it comes back cancelled.
        """
        order = Order(self._next, account, n, side, price, lots, t, t, mmp=mmp)
        self._next += 1
        if self.stats[n].state != BOOK_OPEN or (mmp and self.protections.frozen(t, account)):
            order.state = CANCELLED
            return order
        book = self.books[n]
        own, other = (book.bids, book.asks) if side is Side.BUY else (book.asks, book.bids)
        if other.ranks and other.ranks[0] <= price * other.sign:
            self._match(t, order, price)
        if order.state == OPEN:
            if keep:
                own.add(order)
                self._news.book(n)
                self.accounts[account].open[order.id] = order
            else:
                order.state = CANCELLED
        return order

    def pull(self, t: int, order: Order) -> None:
        """Cancel a crowd's order if it still rests."""
        if order.state == OPEN:
            self._end(t, order, CANCELLED, "user_request")

    # the venue's own

    def liquidate(self, t: int, account: int, n: int, side: Side, price: int, lots: int) -> Order:
        """An order of the venue's for an account in trouble: unchecked, takes what it can up to `price`, and marked
        as a liquidation. What is not taken is dropped."""
        order = Order(self._id(), account, n, side, price, lots, t, t, tif="immediate_or_cancel", liquidation=True)
        if not self.accounts[account].house:
            self._register(order)
            self.finished[order.id] = order
        if self.trades(n):
            self._match(t, order, price)
        if order.state == OPEN:
            order.state, order.reason = CANCELLED, "autoliquidation"
        self._note(order)
        return order

    def print_off_book(
        self, t: int, n: int, side: Side, price: int, lots: int, *, taker: int, maker: int, kind: str, number: str
    ) -> Trade | None:
        """A trade between two house accounts that no book sees: kind "block", "block_rfq" or "combo", and its id.

        It moves positions, cash, open interest and volume, and is announced among the public trades; last price, high
        and low stay as they are. None, and nothing done, while the instrument does not trade. Raises ValueError for
        an account that is not the house's, or for the same one twice.
        """
        holders = self.accounts[taker], self.accounts[maker]
        if taker == maker or not all(holder.house for holder in holders):
            raise ValueError("off the book only two different house accounts trade")
        if not self.trades(n):
            return None
        stats, money = self.stats[n], self.money[n]
        held = sum(abs(holder.size(n)) for holder in holders)
        stats.seq += 1
        self.days[n].block(t, lots, *money.volume(price, lots, self.marks.index))
        trade = self._told(t, n, side, price, lots, _direction(stats.tick_direction, price - stats.last), "", kind,
                           number)  # fmt: skip
        for holder, sign in zip(holders, (side.sign, -side.sign), strict=True):
            money.apply(holder, n, lots * sign, money.value(price, lots))
        stats.open_interest += (sum(abs(holder.size(n)) for holder in holders) - held) // 2
        self._news.trade(trade)
        return trade

    # within

    def _match(self, t: int, taker: Order, limit: int) -> None:
        """Trade with what rests up to `limit`, best price first, then oldest."""
        book = self.books[taker.instrument]
        half = book.asks if taker.side is Side.BUY else book.bids
        ranks, bound = half.ranks, limit * half.sign
        while taker.filled < taker.amount and ranks and ranks[0] <= bound:
            maker = next(iter(half.levels[ranks[0] * half.sign].orders.values()))
            if maker.account != taker.account:
                self._meet(t, taker, maker, half)
            elif not self._gives_way(t, taker, maker):
                break
        if self._tripped:
            self._protect(t, taker)

    def _gives_way(self, t: int, taker: Order, maker: Order) -> bool:
        """An account met its own order: the resting one goes, or the incoming one."""
        if taker.liquidation or taker.account in self.cancels_makers or self.accounts[taker.account].house:
            self._end(t, maker, CANCELLED)
            return True
        taker.state = CANCELLED  # reached only because what stood before went away during the match
        return False

    def _meet(self, t: int, taker: Order, maker: Order, half: Half) -> None:
        n = taker.instrument
        lots = min(taker.amount - taker.filled, maker.shown if maker.show else maker.amount - maker.filled)
        half.fill(maker, lots)
        price = maker.price
        taker.filled += lots
        taker.traded += lots * price
        self._news.book(n)
        trade = self._print(t, taker, maker, price, lots)
        buyer, seller = self.accounts[taker.account], self.accounts[maker.account]
        held = abs(buyer.size(n)) + abs(seller.size(n))
        value = self.money[n].value(price, lots)
        taker.updated = maker.updated = t
        if taker.filled == taker.amount:
            taker.state = FILLED
        if maker.filled == maker.amount:
            maker.state = FILLED
        self._book(taker, buyer, False, lots, value, trade)
        self._book(maker, seller, True, lots, value, trade)
        if maker.state == FILLED:
            self._gone(maker, seller)
        self.stats[n].open_interest += (abs(buyer.size(n)) + abs(seller.size(n)) - held) // 2
        if buyer.reducing or seller.reducing:
            self._shrink(t, taker.account, n)
            self._shrink(t, maker.account, n)

    def _print(self, t: int, taker: Order, maker: Order, price: int, lots: int) -> Trade:
        """The public trade, kept in the instrument's statistics."""
        n, stats = taker.instrument, self.stats[taker.instrument]
        stats.tick_direction = _direction(stats.tick_direction, price - stats.last)
        stats.last, stats.seq = price, stats.seq + 1
        self.days[n].trade(t, price, lots, *self.money[n].volume(price, lots, self.marks.index))
        marked = "M" * maker.liquidation + "T" * taker.liquidation
        trade = self._told(t, n, taker.side, price, lots, stats.tick_direction, marked)
        self._news.trade(trade)
        return trade

    def _told(self, t: int, n: int, side: Side, price: int, lots: int, direction: int, liquidation: str,
              kind: str = "", number: str = "") -> Trade:  # fmt: skip
        marks, expiry = self.marks, self.instruments[n].expiry
        ids = ("", 0, "")
        if kind:
            ids = (number * (kind == "block"), int(number) if kind == "block_rfq" else 0, number * (kind == "combo"))
        return Trade(self._id(), self.stats[n].seq, t, n, side, price, lots, direction, marks.price.item(n),
                     marks.index, marks.iv.item(n), marks.forwards[expiry] if expiry else marks.index, liquidation,
                     *ids)  # fmt: skip

    def _book(self, order: Order, holder: Account, maker: bool, lots: int, value: int, trade: Trade) -> None:
        """One side of a trade in its account: position, cash, fee, and for a client the fill."""
        n, money, sign = order.instrument, self.money[order.instrument], 1 if order.side is Side.BUY else -1
        profit = money.apply(holder, n, lots * sign, value)
        if order.mmp:
            self._count(order, holder.id, lots * sign, trade)
        if holder.house:
            if maker:
                got = self.hits.setdefault(order.account, {})
                got[n] = got.get(n, 0) + lots * sign
            return
        fee = money.fee(value, lots, maker)
        holder.cash -= fee
        holder.fees += fee
        self.accounts[VENUE].cash += fee
        log(holder, trade.t, self.marks, type="trade", instrument=n, side=order.side.value, lots=lots,
            position=holder.size(n), price=money.instrument.price(trade.price), fee=fee,
            cashflow=profit if money.inverse else -sign * value, trade=trade.id, order=order.id, maker=maker,
            session_rpl=holder.positions[n].session)  # fmt: skip
        fill = Fill(trade, order.side, order.id, order.kind, order.label, maker, fee, profit, order.state,
                    order.post_only, order.reduce_only, order.advanced, order.mmp)  # fmt: skip
        self._news.fill(order.account, fill)
        fills = self.fills.setdefault(order.account, [])
        fills.append(fill)
        if len(fills) > 2 * self.rules.kept:
            del fills[: self.rules.kept]
        self._news.order(order)

    def _gone(self, maker: Order, holder: Account) -> None:
        """A resting order was filled to the end; the book has already let it go."""
        del holder.open[maker.id]
        if not holder.house:
            holder.reducing -= maker.reduce_only
            self.finished[maker.id] = maker

    # what follows from a trade

    def _shrink(self, t: int, account: int, n: int) -> None:
        """After a trade, resting reduce-only orders are cut to the position, the newest first."""
        holder = self.accounts[account]
        if not holder.reducing:
            return
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

    def _count(self, order: Order, account: int, lots: int, trade: Trade) -> None:
        """A trade of a protected order, against its account's limits. `lots` are signed."""
        protection = self.protections.of.get(account)
        if protection is None:
            return
        i, mark = self.instruments[order.instrument], trade.mark
        if i.kind is Kind.OPTION:
            coins = lots * i.lot
            delta = coins * (self.marks.greeks.item(0, order.instrument) - mark)
        else:
            coins = delta = lots * i.lot / mark
        vega = lots * i.lot * self.marks.greeks.item(2, order.instrument)
        if protection.count(trade.t, abs(coins), delta, vega):
            self._tripped.append((account, protection))

    def _protect(self, t: int, taker: Order) -> None:
        """Those whose limits were reached are taken out of every book, once the match that did it is over."""
        tripped, self._tripped = self._tripped, []
        for account, protection in tripped:
            working = (*self.accounts[account].open.values(), *self.triggers.of(account))
            for order in [o for o in working if o.mmp]:
                self._end(t, order, CANCELLED, "mmp_trigger")
            if taker.mmp and taker.account == account and taker.state == OPEN:
                taker.state, taker.reason = CANCELLED, "mmp_trigger"
            if not self.accounts[account].house:
                self._news.protected(account, protection.until)


def _direction(before: int, move: int) -> int:
    """The venue's tick direction: 0 up, 1 up or level, 2 down, 3 down or level."""
    if move:
        return 0 if move > 0 else 2
    return before + 1 if before in (0, 2) else before
