"""What the venue has told: instruments, books, tickers, prints, our own resting orders. Rebuilt from inputs alone.

`Venue.observe` takes one input, updates itself and returns the calls that the protocol itself needs (introductions,
subscriptions, heartbeats, a fresh snapshot for a broken book). It decides nothing about orders: what it learned about
them stands in `news` until the next input, for `execution` to turn into facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine import messages as m
from engine.domain import OffGrid, Side, instrument_of
from engine.market import kept, places
from engine.market.book import Book
from engine.market.books import Books
from engine.market.deribit import wire
from engine.market.listed import Listed
from engine.market.meter import Meter
from engine.market.own import Own
from engine.market.talk import Talk
from engine.market.told import Answered, Changes, News, Placed, Print, Resting, epoch_of, tradable


class Venue(Listed):
    """See the module. Public attributes are read by views, features and decisions; only `observe` writes them."""

    def __init__(self, coin: str, *, cancel_on_disconnect: bool = True) -> None:
        super().__init__(coin)
        self.talk = Talk(coin, cancel_on_disconnect=cancel_on_disconnect)
        self.own = Own()
        self.followed = Books(self.talk)
        self.now = 0  # time of the last input
        self.heard = 0  # time of the last frame
        self.lag: float | None = None  # smoothed, ns: receipt against the venue's stamp
        self.garbage = 0
        self.focus: tuple[str, ...] = ()
        self._turn()

    def _turn(self) -> None:
        """What the present input brought; gone with the next."""
        self.followed.turn()
        self.news: list[News] = []
        self.printed: list[tuple[str, Print]] = []
        self.quoted: list[str] = []  # tickers

    # ------------------------------------------------------------ reading

    def own_lots(self, name: str) -> dict[tuple[Side, int], int]:
        """Our resting lots by side and price: to be taken out of the book wherever it is read."""
        return self.own.lots(name)

    @property
    def account(self) -> dict[str, float]:
        return self.own.account

    @property
    def resting(self) -> dict[str, Resting]:
        return self.own.resting

    @property
    def books(self) -> dict[str, Book]:
        return self.followed.by_name

    @property
    def up(self) -> bool:
        return self.talk.up

    @property
    def authenticated(self) -> bool:
        return self.talk.authenticated

    @property
    def listening(self) -> bool:
        """The venue has said that it will tell us of our orders."""
        return self.talk.listening

    @property
    def awaiting(self) -> dict[str, str]:
        return self.talk.awaiting

    @property
    def meter(self) -> Meter:
        return self.talk.meter

    @property
    def epoch(self) -> str:
        return self.talk.epoch

    # ------------------------------------------------------------ observing

    def observe(self, item: m.Input) -> list[m.Effect]:
        """Take one input in; what the protocol itself now needs comes back, to be sent at once."""
        self._turn()
        self.now = item.t
        match item:
            case m.Frame():
                return self._frame(item)
            case m.Link():
                return self._link(item)
            case m.Tick():
                self._bound_places(self.books)
                late = self.talk.introduce_late(item.t, account=bool(self.account))
                return [*late, *self.followed.resync_late(item.t)]
            case m.Focus():
                self.focus = item.instruments
                return self._resubscribe()
            case m.Started():
                self.learn(item.instruments)
            case m.Failed(call=call):
                self.talk.awaiting.pop(call, None)
        return []

    def expect(self, call: m.Call) -> None:
        """Remember a call made elsewhere, so that its answer is understood and its cost counted."""
        self.talk.expect(call, self.now)

    def _link(self, item: m.Link) -> list[m.Effect]:
        self.talk.link(item)
        self.followed.link(up=item.up)
        self.own.account = {}
        if not item.up:
            return []
        self.heard = item.t
        return self.talk.introduce(item.t, account=False)

    def _resubscribe(self) -> list[m.Effect]:
        """Ask for what is wanted and not asked for, leave what is no longer wanted."""
        if not self.up or not self.instruments:
            return []
        wanted = self.talk.wanted(self.instruments, {*self.focus, self.perpetual} & self.instruments.keys())
        new, old = sorted(wanted - self.talk.asked), sorted(self.talk.asked - wanted)
        self.followed.leave(old)
        self.followed.open(new, self.instruments)
        return self.talk.turn_to(new, old, self.now)

    # ------------------------------------------------------------ frames

    def _frame(self, item: m.Frame) -> list[m.Effect]:
        self.heard = item.t
        event = wire.decode(item.data)
        match event:
            case wire.Push():
                return self._push(event, item.t)
            case wire.Reply():
                return self._reply(event)
            case wire.Heartbeat(test_request=True):
                return [self.talk.call("public/test", {}, item.t)]
            case wire.Garbage():
                self.garbage += 1
        return []

    def _push(self, push: wire.Push, t: int) -> list[m.Effect]:
        data = push.data
        match data:
            case wire.BookData():
                return self._book(data, t)
            case wire.TickerData():
                self._lag(t, data.timestamp)
                self.take_ticker(data)
                self.quoted.append(data.instrument_name)
            case wire.IndexData():
                self.index = data.price
            case wire.DvolData():
                self.dvol = data.volatility
            case wire.ChangesData():
                self._changes(data.orders, data.trades)
            case wire.AccountData():
                self.own.worth(data, t)
            case wire.StateData():
                self.take_state(data)
                return self._list_anew(data.instrument_name)
            case list() if push.family == "trades":
                for trade in data:
                    self._trade(trade)
            case list() if push.family == "markprice":
                self.take_marks(data)
        return []

    def _book(self, data: wire.BookData, t: int) -> list[m.Effect]:
        name = data.instrument_name
        if not self.followed.expected(name):
            return []
        instrument = self.instruments.get(name)
        if instrument is None:
            self.garbage += 1
            return []
        if data.type != "snapshot":  # which is stamped when the book last changed, and that may be long ago
            self._lag(t, data.timestamp)
        effects = self.followed.take(data, instrument, t)
        if self.own.places:
            self._bound_places((name,))
        return effects

    def _trade(self, data: wire.TradeData) -> None:
        instrument = self.instruments.get(data.instrument_name)
        if instrument is None:
            return
        try:
            row = self.take_trade(data, instrument)
        except OffGrid:
            self.garbage += 1
            return
        places.printed(self.own.places, instrument.name, row)
        if data.trade_id not in self.own.own_trades:
            self.printed.append((instrument.name, row))

    def _changes(self, orders: list[wire.OrderData], trades: list[wire.UserTradeData]) -> None:
        self._rest(orders)
        self.own.filled(trades)
        for trade in trades:
            if trade.liquidity == "M":
                places.filled(self.own.places, trade.order_id)
        self.news.append(Changes(orders, trades))

    def _rest(self, orders: Iterable[wire.OrderData]) -> None:
        for order in orders:
            try:
                self.own.rest(order, self.instruments.get(order.instrument_name))
                self._line_up(order)
            except OffGrid:
                self.garbage += 1

    def _line_up(self, order: wire.OrderData) -> None:
        """Its place in the queue."""
        now, own = self.resting.get(order.order_id), 0
        if now is not None:
            mine = self.own_lots(now.instrument)
            own = mine[now.side, now.units] - now.lots
        book = self.books.get(order.instrument_name)
        places.settle(self.own.places, order.order_id, now, book, own, order.last_update_timestamp * wire.MS)

    def _bound_places(self, names: Iterable[str]) -> None:
        for name in {place.instrument for place in self.own.places.values()}.intersection(names):
            places.bounded(self.own.places, self.books[name], self.own_lots(name), self.now)

    def _lag(self, t: int, stamp_ms: int) -> None:
        lag = t - stamp_ms * wire.MS
        self.lag = lag if self.lag is None else 0.95 * self.lag + 0.05 * lag

    def _list_anew(self, name: str) -> list[m.Effect]:
        """Something was listed that we may not know: ask what there is."""
        if name in self.instruments:
            return []
        try:
            instrument_of(name)
        except ValueError:
            return []  # a combo: they come and go all day
        return self.talk.list_anew(self.now)

    # ------------------------------------------------------------ answers

    def _reply(self, reply: wire.Reply) -> list[m.Effect]:
        call = str(reply.id)
        method = self.talk.awaiting.pop(call, None)
        if method is None:
            return []
        result = None if reply.result is None else bytes(reply.result)
        self.news.append(Answered(call, method, result, reply.error))
        try:
            return [] if result is None else self._answered(method, result)
        except msgspec.ValidationError:
            self.garbage += 1
            return []

    def _answered(self, method: str, result: bytes) -> list[m.Effect]:
        match method:
            case "public/get_instruments":
                self.talk.introduced = True
                self.learn(tradable(msgspec.json.decode(result, type=list[wire.InstrumentData])))
                return self._resubscribe()
            case "public/hello":
                self.talk.epoch = epoch_of(msgspec.json.decode(result))
            case "private/get_account_summary":
                data = msgspec.json.decode(result, type=wire.AccountData)
                self.own.worth(data, self.now)
                self.talk.meter.learn(data.limits)
            case "private/subscribe":
                self.talk.listening |= self.talk.own_channel in msgspec.json.decode(result, type=list[str])
            case "private/get_open_orders_by_currency":
                orders = msgspec.json.decode(result, type=list[wire.OrderData])
                self.own.resting.clear()
                self._rest(orders)
                self.own.places = {k: place for k, place in self.own.places.items() if k in self.resting}
            case "private/buy" | "private/sell" | "private/edit":
                placed = msgspec.json.decode(result, type=Placed)
                self._rest([placed.order])
                self.own.filled(placed.trades)
            case "private/cancel":
                self._rest([msgspec.json.decode(result, type=wire.OrderData)])
        return []

    # ------------------------------------------------------------ snapshots of itself

    def dump(self) -> Any:
        """One flat table of all parts."""
        out = {name: value for part in self._parts for name, value in kept.dump(part).items()}
        return {**out, "books": self.followed.dump()}

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Venue:
        self = cls(value["coin"])
        for part in self._parts:
            kept.load(part, value)
        self.followed.load(value["books"], self.instruments)
        return self

    @property
    def _parts(self) -> tuple[object, ...]:
        return self, self.talk, self.own, self.followed
