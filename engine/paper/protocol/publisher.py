"""What subscribers hear, and when: each announcement at once to raw channels, collected to the slower ones.

Every 100 ms `beat` flushes the paced channels, agg2 ones once a second. A channel that nobody watches costs nothing.
A paced book channel keeps the chain of change ids whole: it says the net change since it last spoke, with the id it
ended at then as `prev_change_id`. One publication is (channel, account or 0 for everyone, data).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine.domain import NS
from engine.paper.orders.terms import (
    Announcement,
    BookChange,
    BookState,
    Closed,
    Platform,
    Protected,
    Report,
    Trade,
    Trades,
)
from engine.paper.protocol.channels import Directory, Topic
from engine.paper.protocol.collected import CollectedBook, Incremental, OwnNews
from engine.paper.protocol.history import History
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.present import Present, content

BEAT_NS = NS // 10
SECOND = 10  # beats
Publication = tuple[str, int, Any]
OF_MARKS = ("ticker", "incremental_ticker", "perpetual", "markprice.options", "deribit_price_index",
            "deribit_price_ranking", "deribit_price_statistics", "deribit_volatility_index",
            "estimated_expiration_price")  # fmt: skip
OF_BOOK = ("ticker", "incremental_ticker", "window", "quote")
OF_TRADES = ("ticker", "incremental_ticker", "chart.trades")
ONLY_NEWS = ("window", "quote")  # said only when other than before
ONLY_CHANGES = (*ONLY_NEWS, "incremental_ticker")


class Publisher:
    """Of one coin. `watch` and `unwatch` say what is listened to; nothing is made for what is not."""

    def __init__(self, own: OwnStatements, history: History) -> None:
        self.own, self.say, self.exchange = own, own.say, own.exchange
        self.directory = Directory(self.exchange.instruments, self.exchange.number, self.say.coin)
        self.watched: dict[str, Topic] = {}
        self._counts: dict[str, int] = {}
        self._by: dict[tuple[str, int], dict[str, Topic]] = {}  # (family, instrument or -1) → topics
        self._moved: dict[int, dict[str, None]] = {}  # instrument → channels that a change of its book makes stale
        self._traded: dict[int, dict[str, None]] = {}  # …that a print makes stale
        self._marked: dict[str, None] = {}  # …that new marks make stale
        self._stale: dict[str, None] = {}
        self._last: dict[str, Any] = {}
        self._books: dict[str, CollectedBook] = {}
        self._tickers: dict[str, Incremental] = {}
        self._trades: dict[str, list[Trade]] = {}
        self._own: dict[tuple[str, int], OwnNews] = {}
        self._announcers: dict[type, Callable[[Any], Iterable[Publication]]] = {
            Report: self._report, Trades: self._printed, BookChange: self._changed, Closed: self._closed,
            BookState: self._state, Platform: self._platform, Protected: self._protected,
        }  # fmt: skip
        self._present = Present(self.say, history)

    def listed(self) -> None:
        """The exchange lists more: channels are found for it, and those of many instruments have it in them."""
        self.directory = Directory(self.exchange.instruments, self.exchange.number, self.say.coin)
        for channel in self.watched:
            subject = self.directory.topic(channel)
            if subject is not None:
                self._index(channel, subject)

    def topic(self, channel: str) -> Topic | None:
        return self.watched.get(channel) or self.directory.topic(channel)

    def watch(self, channel: str) -> None:
        """One more watcher of this channel, if it is one of ours."""
        subject = self.topic(channel)
        if subject is None:
            return
        self._counts[channel] = self._counts.get(channel, 0) + 1
        if channel in self.watched:
            return
        self._index(channel, subject)
        if subject.family == "book" and subject.pace != "raw":
            self._books[channel] = CollectedBook(self.exchange.books[subject.numbers[0]], self.say, *subject.numbers)
        elif subject.family == "incremental_ticker":
            self._tickers[channel] = Incremental(self.say, *subject.numbers)

    def unwatch(self, channel: str) -> None:
        if channel not in self.watched:
            return
        self._counts[channel] -= 1
        if self._counts[channel]:
            return
        del self._counts[channel]
        subject = self.watched.pop(channel)
        for n in subject.numbers or (-1,):
            self._by[subject.family, n].pop(channel)
        for index in self._indices(subject):
            index.pop(channel, None)
        kept: tuple[dict[str, Any], ...] = (self._books, self._tickers, self._trades, self._stale, self._last)
        for each in kept:
            each.pop(channel, None)
        for key in [key for key in self._own if key[0] == channel]:
            del self._own[key]

    def first(self, subject: Topic, account: int, t: int) -> Iterator[Any]:
        """What a new subscriber is told at once. Collected changes must be flushed (`flush`) before."""
        family = subject.family
        if family == "book":
            yield self.say.snapshot(subject.numbers[0], t)
        elif family == "incremental_ticker":
            yield Incremental(self.say, *subject.numbers).whole(t)
        elif family == "user.portfolio":
            yield self.own.account(account)
        elif family in self._present.families and family != "chart.trades":
            yield self._present.families[family](subject, t)

    def flush(self, channel: str, t: int) -> Iterator[Publication]:
        """What a channel that says only what is new has not said yet, so that all who hear it next, one that comes
        now among them, know the same before."""
        subject = self.watched.get(channel)
        if subject is None:
            return
        book, data = self._books.get(channel), None
        if book is not None:
            data = book.take(t)
        elif subject.family in ONLY_CHANGES:
            data = self._now(subject, t)
        if data is not None:
            yield channel, 0, data

    def announce(self, said: Announcement) -> Iterable[Publication]:
        """What is to be said of this at once; the rest is kept for `beat`."""
        return self._announcers[type(said)](said) if self.watched else ()

    def marked(self) -> None:
        """The marks were told anew: tickers, the surface, the index and funding have news."""
        self._stale.update(self._marked)

    def beat(self, t: int) -> Iterator[Publication]:
        """At every 100 ms: what the paced channels have to say."""
        if not self.watched:
            return
        second = (t // BEAT_NS) % SECOND == 0
        for channel, book in self._books.items():
            if second or self.watched[channel].pace == "100ms":
                data = book.take(t)
                if data is not None:
                    yield channel, 0, data
        yield from self._paced_trades(second)
        yield from self._paced_own(second)
        yield from self._portfolios() if second else ()
        for channel in [c for c in self._stale if second or self.watched[c].pace != "agg2"]:
            del self._stale[channel]
            data = self._now(self.watched[channel], t)
            if data is not None:
                yield channel, 0, data

    # within: public news

    def _index(self, channel: str, subject: Topic) -> None:
        """The channel is found by what concerns it from now on."""
        self.watched[channel] = subject
        for n in subject.numbers or (-1,):
            self._by.setdefault((subject.family, n), {})[channel] = subject
        for index in self._indices(subject):
            index[channel] = None

    def _indices(self, subject: Topic) -> Iterator[dict[str, None]]:
        """Where it stands what makes this channel stale."""
        for families, by_number in ((OF_BOOK, self._moved), (OF_TRADES, self._traded)):
            if subject.family in families:
                for n in subject.numbers:
                    yield by_number.setdefault(n, {})
        if subject.family in OF_MARKS:
            yield self._marked

    def _changed(self, said: BookChange) -> Iterable[Publication]:
        n = said.instrument
        stale = self._moved.get(n)
        if stale:
            self._stale.update(stale)
        topics = self._by.get(("book", n))
        if not topics:
            return ()
        out: list[Publication] = []
        for channel, subject in topics.items():
            if subject.pace == "raw":
                out.append((channel, 0, out[0][2] if out else self.say.change(said)))
            else:
                self._books[channel].add(said)
        return out

    def _printed(self, said: Trades) -> Iterator[Publication]:
        stale = self._traded.get(said.instrument)
        if stale:
            self._stale.update(stale)
        data = None
        for channel, subject in self._topics("trades", said.instrument):
            if subject.pace == "raw":
                data = data or [self.say.trade(trade) for trade in said.trades]
                yield channel, 0, data
            else:
                self._trades.setdefault(channel, []).extend(said.trades)

    def _paced_trades(self, second: bool) -> Iterator[Publication]:
        for channel in [c for c in self._trades if second or self.watched[c].pace == "100ms"]:
            yield channel, 0, [self.say.trade(trade) for trade in self._trades.pop(channel)]

    def _closed(self, said: Closed) -> Iterator[Publication]:
        yield from self._state(BookState(said.t, said.instrument, "delivered"))

    def _state(self, said: BookState) -> Iterator[Publication]:
        for index in (self._moved, self._traded):
            self._stale.update(index.get(said.instrument, {}))
        for channel, _ in self._topics("instrument.state", said.instrument):
            yield channel, 0, self.say.state(said.instrument, said.t, said.state)

    def _platform(self, said: Platform) -> Iterator[Publication]:
        for channel, _ in self._topics("platform_state", -1):
            yield channel, 0, {"price_index": self.say.index_name, "locked": said.locked}

    # within: an account's own news, orders before trades before changes, the portfolio last

    def _report(self, said: Report) -> Iterator[Publication]:
        numbers = dict.fromkeys([o.instrument for o in said.orders] + [f.trade.instrument for f in said.fills])
        for n in numbers:
            orders = [self.own.order(order) for order in said.orders if order.instrument == n]
            fills = [self.own.fill(fill) for fill in said.fills if fill.trade.instrument == n]
            news = OwnNews(self.own, said.account)
            news.add(n, orders, fills)
            for family in ("user.orders", "user.trades", "user.changes"):
                for channel, subject in self._topics(family, n):
                    if subject.pace != "raw":
                        key = (channel, said.account)
                        self._own.setdefault(key, OwnNews(self.own, said.account)).add(n, orders, fills)
                    else:
                        yield from ((channel, said.account, data) for data in news.raw(family))
        for channel, _ in self._topics("user.portfolio", -1):
            yield channel, said.account, self.own.account(said.account)

    def _paced_own(self, second: bool) -> Iterator[Publication]:
        for key in [key for key in self._own if second or self.watched[key[0]].pace == "100ms"]:
            channel, account = key
            news = self._own.pop(key)
            yield from ((channel, account, data) for data in news.paced(self.watched[channel].family))

    def _portfolios(self) -> Iterator[Publication]:
        """Every second: what accounts hold is worth something else now."""
        for channel, _ in self._topics("user.portfolio", -1):
            for account in self.exchange.accounts:
                if not account.house and any(position.size for position in account.positions.values()):
                    yield channel, account.id, self.own.account(account.id)

    def _protected(self, said: Protected) -> Iterator[Publication]:
        for channel, _ in self._topics("user.mmp_trigger", -1):
            yield channel, said.account, self.own.protected(said.until)

    # within: the present state, for channels that say a state and not an event

    def _topics(self, family: str, n: int) -> list[tuple[str, Topic]]:
        found = self._by.get((family, n))
        return list(found.items()) if found else []

    def _now(self, subject: Topic, t: int) -> Any | None:
        """None when there is no news."""
        channel = subject.channel
        if subject.family == "incremental_ticker":
            return self._tickers[channel].change(t)
        data = self._present.families[subject.family](subject, t)
        if subject.family in ONLY_NEWS:
            before, self._last[channel] = self._last.get(channel), content(data)
            if before == self._last[channel]:
                return None
        return data
