"""What is pushed on which channel, and when: the exchange's announcements turned into channel data.

Raw channels follow every announcement. Those paced at 100 ms or a second (`agg2`) collect, and speak on the beat.
Only channels somebody watches cost anything. One publication is (channel, account or 0 for everyone, data).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.domain import NS, Kind, Side
from engine.market.deribit.account import ChangesData
from engine.market.deribit.data import BookData
from engine.paper.channels import Topic, topic
from engine.paper.exchange import Exchange
from engine.paper.own import OwnStatements
from engine.paper.statements import MS, Statements
from engine.paper.terms import Announcement, BookChange, Closed, Report, Trade, Trades

BEAT_NS = NS // 10
SECOND = 10  # beats
Publication = tuple[str, int, Any]


class Publisher:
    def __init__(self, exchange: Exchange, statements: Statements) -> None:
        self.exchange, self.say, self.own = exchange, statements, OwnStatements(statements)
        self.watched: dict[str, Topic] = {}
        self._counts: dict[str, int] = {}
        self._by_family: dict[tuple[str, int], dict[str, Topic]] = {}  # (family, instrument or -1) → topics
        self._books: dict[str, _Collected] = {}
        self._trades: dict[str, list[Trade]] = {}
        self._stale: dict[str, None] = {}  # tickers, windows, quotes that changed since they were said
        self._marked = 0

    def topic(self, channel: str) -> Topic | None:
        known = self.watched.get(channel)
        return known or topic(channel, self.exchange.instruments, self.say.coin)

    def watch(self, channel: str) -> None:
        """One more watcher of this channel, if it is one of ours."""
        subject = self.topic(channel)
        if subject is None:
            return
        self._counts[channel] = self._counts.get(channel, 0) + 1
        if channel in self.watched:
            return
        self.watched[channel] = subject
        for n in subject.numbers or (-1,):
            self._by_family.setdefault((subject.family, n), {})[channel] = subject
        if subject.family == "book" and subject.pace != "raw":
            self._books[channel] = _Collected(self.exchange, self.say, *subject.numbers)

    def unwatch(self, channel: str) -> None:
        if channel not in self.watched:
            return
        self._counts[channel] -= 1
        if self._counts[channel]:
            return
        del self._counts[channel]
        subject = self.watched.pop(channel)
        for n in subject.numbers or (-1,):
            self._by_family[subject.family, n].pop(channel)
        self._books.pop(channel, None)
        self._trades.pop(channel, None)
        self._stale.pop(channel, None)

    def first(self, subject: Topic, account: int, t: int) -> Iterator[Any]:
        """What a new subscriber is told at once. Collected changes must be flushed (`flush`) before."""
        family = subject.family
        if family == "book":
            yield from (self.say.snapshot(n, t) for n in subject.numbers)
        elif family in ("ticker", "window", "quote", "perpetual", "markprice.options", "deribit_price_index",
                        "deribit_volatility_index"):  # fmt: skip
            yield from self._now(subject, t)
        elif family == "user.portfolio":
            yield self.own.account(account)

    def flush(self, channel: str, t: int) -> Iterator[Publication]:
        """What a paced book channel has collected, so that a snapshot can follow."""
        if channel in self._books:
            data = self._books[channel].take(t)
            if data is not None:
                yield channel, 0, data

    def announce(self, said: Announcement) -> Iterator[Publication]:
        if isinstance(said, Report):
            yield from self._report(said)
        elif isinstance(said, Trades):
            yield from self._printed(said)
        elif isinstance(said, BookChange):
            yield from self._changed(said)
        elif isinstance(said, Closed):
            yield from self._closed(said)

    def beat(self, t: int) -> Iterator[Publication]:
        """At every 100 ms: what the paced channels have to say."""
        second = (t // BEAT_NS) % SECOND == 0
        self._check_marks()
        for channel, book in self._books.items():
            if second or self.watched[channel].pace == "100ms":
                data = book.take(t)
                if data is not None:
                    yield channel, 0, data
        yield from self._paced_trades(second)
        yield from self._portfolios() if second else ()
        for channel in [c for c in self._stale if second or self.watched[c].pace != "agg2"]:
            del self._stale[channel]
            for data in self._now(self.watched[channel], t):
                yield channel, 0, data

    # within

    def _topics(self, family: str, n: int) -> dict[str, Topic]:
        return self._by_family.get((family, n)) or {}

    def _touch(self, n: int) -> None:
        for family in ("ticker", "window", "quote"):
            for channel in self._topics(family, n):
                self._stale[channel] = None

    def _check_marks(self) -> None:
        """New marks: every ticker, the surface, the index and funding have news."""
        if self.exchange.marks.t == self._marked:
            return
        self._marked = self.exchange.marks.t
        for channel, subject in self.watched.items():
            if subject.family in ("ticker", "perpetual", "markprice.options", "deribit_price_index",
                                  "deribit_volatility_index"):  # fmt: skip
                self._stale[channel] = None

    def _changed(self, said: BookChange) -> Iterator[Publication]:
        self._touch(said.instrument)
        data = None
        for channel, subject in self._topics("book", said.instrument).items():
            if subject.pace == "raw":
                data = data or self.say.change(said)
                yield channel, 0, data
            else:
                self._books[channel].add(said)

    def _printed(self, said: Trades) -> Iterator[Publication]:
        self._touch(said.instrument)
        for channel, subject in self._topics("trades", said.instrument).items():
            if subject.pace == "raw":
                yield channel, 0, [self.say.trade(trade) for trade in said.trades]
            else:
                self._trades.setdefault(channel, []).extend(said.trades)

    def _paced_trades(self, second: bool) -> Iterator[Publication]:
        for channel in [c for c in self._trades if second or self.watched[c].pace == "100ms"]:
            yield channel, 0, [self.say.trade(trade) for trade in self._trades.pop(channel)]

    def _portfolios(self) -> Iterator[Publication]:
        """Every second: what accounts hold is worth something else now."""
        for channel in self._topics("user.portfolio", -1):
            for account in self.exchange.accounts:
                if not account.house and any(position.size for position in account.positions.values()):
                    yield channel, account.id, self.own.account(account.id)

    def _report(self, said: Report) -> Iterator[Publication]:
        """An account's own news: orders, then trades, then changes, by instrument; the portfolio last."""
        numbers = dict.fromkeys([o.instrument for o in said.orders] + [f.trade.instrument for f in said.fills])
        for n in numbers:
            orders = [self.own.order(order) for order in said.orders if order.instrument == n]
            fills = [self.own.fill(fill) for fill in said.fills if fill.trade.instrument == n]
            for channel in self._topics("user.orders", n):
                for order in orders:
                    yield channel, said.account, order
            for channel in self._topics("user.trades", n) if fills else ():
                yield channel, said.account, fills
            for channel in self._topics("user.changes", n):
                positions = [self.own.position(said.account, n)] if fills else []
                name = self.exchange.instruments[n].name
                data = ChangesData(instrument_name=name, orders=orders, trades=fills, positions=positions)
                yield channel, said.account, data
        for channel in self._topics("user.portfolio", -1):
            yield channel, said.account, self.own.account(said.account)

    def _closed(self, said: Closed) -> Iterator[Publication]:
        self._touch(said.instrument)
        for channel in self._topics("instrument.state", said.instrument):
            yield channel, 0, self.say.state(said.instrument, said.t, "closed")

    def _now(self, subject: Topic, t: int) -> Iterator[Any]:
        """The present state, for channels that say a state and not an event."""
        family, say = subject.family, self.say
        if family == "ticker":
            yield from (say.ticker(n, t) for n in subject.numbers)
        elif family == "window":
            yield from (say.window(n, t, subject.depth) for n in subject.numbers)
        elif family == "quote":
            yield from (self._quote(n, t) for n in subject.numbers)
        elif family == "perpetual":
            perpetual = [n for n in subject.numbers if self.exchange.instruments[n].kind is Kind.PERPETUAL]
            yield from (say.perpetual(t) for _ in perpetual)
        elif family == "markprice.options":
            yield say.mark_prices(t)
        else:
            yield say.index(t) if family == "deribit_price_index" else say.dvol(t)

    def _quote(self, n: int, t: int) -> dict[str, Any]:
        ticker = self.say.ticker(n, t)
        return {"timestamp": t // MS, "instrument_name": ticker.instrument_name,
                "best_bid_price": ticker.best_bid_price, "best_bid_amount": ticker.best_bid_amount,
                "best_ask_price": ticker.best_ask_price, "best_ask_amount": ticker.best_ask_amount}  # fmt: skip


class _Collected:
    """Changes of one book since a paced channel last spoke."""

    def __init__(self, exchange: Exchange, say: Statements, n: int) -> None:
        self.book, self.say, self.n = exchange.books[n], say, n
        self.since = self.book.change_id
        self.seen: dict[tuple[Side, int], bool] = {}  # touched level → whether it was there when last spoken of

    def add(self, said: BookChange) -> None:
        for side, rows in ((Side.BUY, said.bids), (Side.SELL, said.asks)):
            for action, price, _ in rows:
                self.seen.setdefault((side, price), action != "new")

    def take(self, t: int) -> BookData | None:
        if self.since == self.book.change_id:
            return None
        bids: list[tuple[str, int, int]] = []
        asks: list[tuple[str, int, int]] = []
        for (side, price), existed in self.seen.items():
            now = self.book.half(side).total(price)
            if existed or now:
                action = "delete" if not now else "change" if existed else "new"
                (bids if side is Side.BUY else asks).append((action, price, now))
        self.seen.clear()
        since, self.since = self.since, self.book.change_id
        return self.say.change(BookChange(t, self.n, self.book.change_id, since, bids, asks))
