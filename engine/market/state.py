"""What the venue has told: instruments, books, tickers, prints, our own resting orders. Rebuilt from inputs alone.

`Venue.observe` takes one input, updates itself and returns the calls that the protocol itself needs (introductions,
subscriptions, heartbeats, a fresh snapshot for a broken book). It decides nothing about orders: what it learned about
them stands in `news` until the next input, for `execution` to turn into facts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Kind, OffGrid, Side, instrument_of
from engine.market.book import Book
from engine.market.deribit import wire
from engine.market.meter import Meter
from engine.market.told import (
    Answered,
    Changes,
    News,
    Placed,
    Print,
    Quote,
    Resting,
    epoch_of,
    quote_of,
    tradable,
    vol_of,
)

RESYNC_NS = 3 * NS  # ask again for a snapshot, or an introduction, that has not come
PRINTS_KEPT = 60
OWN_TRADES = 200
ENDED_KEPT = 200

BEAT_S = 10
CLIENT = {"client_name": "tidegate", "client_version": "0.1"}


class Venue:
    """See the module. Public attributes are read by views, features and decisions; only `observe` writes them."""

    def __init__(self, coin: str, *, cancel_on_disconnect: bool = True) -> None:
        self.coin = coin
        self.cancel_on_disconnect = cancel_on_disconnect
        self.now = 0  # time of the last input
        self.meter = Meter()
        self.up = False
        self.authenticated = False
        self.down_reason = "not connected yet"
        self.introduced = False  # the venue has said what it lists, on this connection
        self.listening = False  # and that it will tell us of our orders
        self.introducing = 0  # when it was last asked for both
        self.epoch = ""
        self.heard = 0  # time of the last frame
        self.lag: float | None = None  # smoothed, ns: receipt against the venue's stamp
        self.garbage = 0
        self.gaps = 0
        self.calls = 0  # numbers the calls made here
        self.awaiting: dict[str, str] = {}  # call id → method
        self.asked: set[str] = set()  # channels asked for
        self.focus: tuple[str, ...] = ()
        self.instruments: dict[str, Instrument] = {}
        self.books: dict[str, Book] = {}
        self.resyncs: dict[str, int] = {}  # instrument → when a snapshot was last asked for
        self.quotes: dict[str, Quote] = {}
        self.states: dict[str, str] = {}
        self.prints: dict[str, deque[Print]] = {}
        self.resting: dict[str, Resting] = {}
        self.ended: list[str] = []  # venue ids of the last orders that ended: older news of them may still come
        self.own_trades: list[str] = []  # ids of our last fills: their public prints are not the market's flow
        self.index: float | None = None
        self.dvol: float | None = None
        self.account: dict[str, float] = {}
        self._transient()

    def _transient(self) -> None:
        """What the present input brought; gone with the next."""
        self.news: list[News] = []
        self.touched: list[str] = []  # books that changed
        self.dropped: list[str] = []  # books that broke
        self.printed: list[tuple[str, Print]] = []
        self.quoted: list[str] = []  # tickers

    # ------------------------------------------------------------ reading

    def own_lots(self, name: str) -> dict[tuple[Side, int], int]:
        """Our resting lots by side and price: to be taken out of the book wherever it is read."""
        out: dict[tuple[Side, int], int] = {}
        for order in self.resting.values():
            if order.instrument == name:
                key = (order.side, order.units)
                out[key] = out.get(key, 0) + order.lots
        return out

    def state_of(self, name: str) -> str:
        """Market state of an instrument: "open" unless the venue said otherwise."""
        return self.states.get(name, "open")

    @property
    def perpetual(self) -> str:
        return f"{self.coin}-PERPETUAL"

    def coins(self) -> list[str]:
        """Coins that options are listed on; a recording may hold several."""
        found = {i.coin for i in self.instruments.values() if i.kind is Kind.OPTION}
        return sorted(found, key=lambda coin: (coin != self.coin, coin))

    def expiries(self, coin: str = "") -> list[int]:
        """Option expiries of a coin (the desk's own unless said), ascending."""
        coin = coin or self.coin
        return sorted({i.expiry for i in self.instruments.values() if i.kind is Kind.OPTION and i.coin == coin})

    def forward(self, expiry: int, coin: str = "") -> float | None:
        """The venue's forward of an expiry, USD, from the freshest ticker that names it."""
        best: Quote | None = None
        for instrument in self.options_of(expiry, coin):
            quote = self.quotes.get(instrument.name)
            if quote and quote.forward and (best is None or quote.t > best.t):
                best = quote
        return best.forward if best else None

    def options_of(self, expiry: int, coin: str = "") -> Iterable[Instrument]:
        coin = coin or self.coin
        return (i for i in self.instruments.values() if i.kind is Kind.OPTION and i.expiry == expiry and i.coin == coin)

    # ------------------------------------------------------------ observing

    def observe(self, item: m.Input) -> list[m.Effect]:
        """Take one input in; what the protocol itself now needs comes back, to be sent at once."""
        self._transient()
        self.now = item.t
        match item:
            case m.Frame():
                return self._frame(item)
            case m.Link():
                return self._link(item)
            case m.Tick():
                return [*self._introduce_late(item.t), *self._resync_late(item.t)]
            case m.Focus():
                self.focus = item.instruments
                return self._resubscribe()
            case m.Started():
                self._list(item.instruments)
            case m.Failed(call=call):
                self.awaiting.pop(call, None)
        return []

    def expect(self, call: m.Call) -> None:
        """Remember a call made elsewhere, so that its answer is understood and its cost counted."""
        self.awaiting[call.id] = call.method
        self.meter.spend(self.now, call.method)

    def _call(self, method: str, params: dict[str, Any]) -> m.Call:
        self.calls += 1
        call = m.Call(id=f"venue-{self.calls}", method=method, params=params)
        self.expect(call)
        return call

    def _link(self, item: m.Link) -> list[m.Effect]:
        self.up, self.authenticated, self.down_reason = item.up, item.up and item.authenticated, item.reason
        self.awaiting.clear()
        self.asked.clear()
        self.resyncs.clear()
        for name, book in self.books.items():
            book.drop("the connection was lost" if not item.up else "no snapshot yet")
            self.dropped.append(name)
        self.introduced = self.listening = False
        self.account = {}
        if not item.up:
            return []
        self.heard = item.t
        return self._introduce(item.t)

    def _introduce(self, t: int) -> list[m.Effect]:
        """Who we are, what is listed, and that we want to hear of our orders."""
        self.introducing = t
        out: list[m.Effect] = []
        if not self.introduced:
            out.append(self._call("public/hello", CLIENT))
            out.append(self._call("public/set_heartbeat", {"interval": BEAT_S}))
            out.append(self._call("public/get_instruments", {"currency": self.coin, "expired": False}))
            if self.authenticated and self.cancel_on_disconnect:
                out.append(self._call("private/enable_cancel_on_disconnect", {"scope": "connection"}))
        if self.authenticated and not self.listening:
            channels = [self._own_channel, f"user.portfolio.{self.coin.lower()}"]
            out.append(self._call("private/subscribe", {"channels": channels}))
        if self.authenticated and not self.account:
            out.append(self._summary())
        return out

    def _summary(self) -> m.Call:
        """What the account is worth and how much may be asked for: the portfolio's channel speaks only of changes.
        Its id is not one of the numbered, so that the answers on older tapes keep meaning what they did."""
        params = {"currency": self.coin, "extended": True}
        call = m.Call(id="venue-account", method="private/get_account_summary", params=params)
        self.expect(call)
        return call

    def _introduce_late(self, t: int) -> list[m.Effect]:
        """What the venue refused or did not answer is asked again: a deaf desk must not trade."""
        lacking = not self.introduced or (self.authenticated and not (self.listening and self.account))
        return self._introduce(t) if self.up and lacking and t - self.introducing >= RESYNC_NS else []

    @property
    def _own_channel(self) -> str:
        return f"user.changes.any.{self.coin}.raw"

    def _frame(self, item: m.Frame) -> list[m.Effect]:
        self.heard = item.t
        event = wire.decode(item.data)
        match event:
            case wire.Push():
                return self._push(event, item.t)
            case wire.Reply():
                return self._reply(event, item.t)
            case wire.Heartbeat(test_request=True):
                return [self._call("public/test", {})]
            case wire.Garbage():
                self.garbage += 1
        return []

    def _push(self, push: wire.Push, t: int) -> list[m.Effect]:
        data = push.data
        match data:
            case wire.BookData():
                return self._book(data, t)
            case wire.TickerData():
                self._ticker(data, t)
            case wire.IndexData():
                self.index = data.price
            case wire.DvolData():
                self.dvol = data.volatility
            case wire.ChangesData():
                self._changes(data.orders, data.trades)
            case wire.AccountData():
                self._account(data)
            case wire.StateData():
                self.states[data.instrument_name] = _STATES.get(data.state, data.state)
                return self._list_anew(data.instrument_name)
            case list() if push.family == "trades":
                for trade in data:
                    self._trade(trade)
            case list() if push.family == "markprice":
                self._marks(data, t)
        return []

    def _book(self, data: wire.BookData, t: int) -> list[m.Effect]:
        name = data.instrument_name
        if self.up and self._book_channel(name) not in self.asked:
            return []  # still on its way when it was left
        book = self.books.get(name)
        if book is None:
            if name not in self.instruments:
                self.garbage += 1
                return []
            book = self.books[name] = Book(self.instruments[name])
        was_sound = not book.stale
        if data.type == "snapshot":  # stamped when the book last changed, which may be long ago
            book.snapshot(data)
            self.resyncs.pop(name, None)
        else:
            self._lag(t, data.timestamp)
            book.change(data)
        if not book.stale:
            self.touched.append(name)
            return []
        if was_sound:
            self.gaps += 1
            self.dropped.append(name)
        return self._resync(name, t)

    def _resync(self, name: str, t: int) -> list[m.Effect]:
        """Ask for a fresh snapshot: subscribing again sends none, so unsubscribe first. Not twice at once."""
        if not self.up or t - self.resyncs.get(name, -RESYNC_NS) < RESYNC_NS:
            return []
        self.resyncs[name] = t
        channels = {"channels": [self._book_channel(name)]}
        scope = "private" if self.authenticated else "public"
        return [self._call(f"{scope}/unsubscribe", channels), self._call(f"{scope}/subscribe", channels)]

    def _resync_late(self, t: int) -> list[m.Effect]:
        return [
            effect
            for name, book in self.books.items()
            if book.stale and self._book_channel(name) in self.asked
            for effect in (self._resync(name, t) if name in self.resyncs else self._await_snapshot(name, t))
        ]

    def _await_snapshot(self, name: str, t: int) -> list[m.Effect]:
        self.resyncs[name] = t
        return []

    def _ticker(self, data: wire.TickerData, t: int) -> None:
        self._lag(t, data.timestamp)
        self.quotes[data.instrument_name] = quote_of(data)
        self.quoted.append(data.instrument_name)
        self.states[data.instrument_name] = data.state

    def _marks(self, data: list[wire.MarkPrice], t: int) -> None:
        for row in data:
            quote = self.quotes.get(row.instrument_name)
            if quote is not None:
                quote.mark, quote.mark_iv = row.mark_price, vol_of(row.iv)

    def _trade(self, data: wire.TradeData) -> None:
        instrument = self.instruments.get(data.instrument_name)
        if instrument is None:
            return
        try:
            units, lots = instrument.units(data.price), instrument.lots(data.amount)
        except OffGrid:
            self.garbage += 1
            return
        plain = not (data.block_trade_id or data.block_rfq_id or data.combo_id)
        row = Print(data.timestamp * wire.MS, units, lots, Side(data.direction), plain, bool(data.liquidation),
                    data.trade_id)  # fmt: skip
        self.prints.setdefault(instrument.name, deque(maxlen=PRINTS_KEPT)).append(row)
        if data.trade_id not in self.own_trades:
            self.printed.append((instrument.name, row))

    def _account(self, data: wire.AccountData) -> None:
        self.account = {
            "equity": data.equity, "margin": data.initial_margin, "delta": data.delta_total, "t": float(self.now),
        }  # fmt: skip

    def _changes(self, orders: list[wire.OrderData], trades: list[wire.UserTradeData]) -> None:
        for order in orders:
            self._rest(order)
        self._own(trades)
        self.news.append(Changes(orders, trades))

    def _own(self, trades: list[wire.UserTradeData]) -> None:
        self.own_trades = [*self.own_trades, *(trade.trade_id for trade in trades)][-OWN_TRADES:]

    def _rest(self, order: wire.OrderData) -> None:
        instrument = self.instruments.get(order.instrument_name)
        if order.order_state != "open":
            self.resting.pop(order.order_id, None)
            self.ended = [*self.ended, order.order_id][-ENDED_KEPT:]
            return
        if instrument is None or isinstance(order.price, str) or order.order_id in self.ended:
            return
        try:
            self.resting[order.order_id] = Resting(
                instrument.name, Side(order.direction), instrument.units(order.price),
                instrument.lots(order.amount) - instrument.lots(order.filled_amount), order.label,
            )  # fmt: skip
        except OffGrid:
            self.garbage += 1

    def _lag(self, t: int, stamp_ms: int) -> None:
        lag = t - stamp_ms * wire.MS
        self.lag = lag if self.lag is None else 0.95 * self.lag + 0.05 * lag

    # ------------------------------------------------------------ answers

    def _reply(self, reply: wire.Reply, t: int) -> list[m.Effect]:
        call = str(reply.id)
        method = self.awaiting.pop(call, None)
        if method is None:
            return []
        result = None if reply.result is None else bytes(reply.result)
        self.news.append(Answered(call, method, result, reply.error))
        if result is None:
            return []
        try:
            return self._answered(method, result)
        except msgspec.ValidationError:
            self.garbage += 1
            return []

    def _answered(self, method: str, result: bytes) -> list[m.Effect]:
        match method:
            case "public/get_instruments":
                self.introduced = True
                self._list(tradable(msgspec.json.decode(result, type=list[wire.InstrumentData])))
                return self._resubscribe()
            case "public/hello":
                self.epoch = epoch_of(msgspec.json.decode(result))
            case "private/get_account_summary":
                data = msgspec.json.decode(result, type=wire.AccountData)
                self._account(data)
                self.meter.learn(data.limits)
            case "private/subscribe":
                self.listening |= self._own_channel in msgspec.json.decode(result, type=list[str])
            case "private/get_open_orders_by_currency":
                orders = msgspec.json.decode(result, type=list[wire.OrderData])
                self.resting.clear()
                for order in orders:
                    self._rest(order)
            case "private/buy" | "private/sell" | "private/edit":
                placed = msgspec.json.decode(result, type=Placed)
                self._rest(placed.order)
                self._own(placed.trades)
            case "private/cancel":
                self._rest(msgspec.json.decode(result, type=wire.OrderData))
        return []

    def _list_anew(self, name: str) -> list[m.Effect]:
        """Something was listed that we do not know: ask what there is, once for all that is listed together."""
        if not self.up or name in self.instruments or "public/get_instruments" in self.awaiting.values():
            return []
        try:
            instrument_of(name)
        except ValueError:
            return []  # a combo: they come and go all day
        return [self._call("public/get_instruments", {"currency": self.coin, "expired": False})]

    def _list(self, instruments: Iterable[Instrument]) -> None:
        for instrument in instruments:
            self.instruments[instrument.name] = instrument

    # ------------------------------------------------------------ subscriptions

    def _book_channel(self, name: str) -> str:
        return f"book.{name}.{'raw' if self.authenticated else '100ms'}"

    def _wanted(self) -> set[str]:
        fast = "raw" if self.authenticated else "100ms"
        coin = self.coin.lower()
        out = {
            f"markprice.options.{coin}_usd",
            f"deribit_price_index.{coin}_usd",
            f"deribit_volatility_index.{coin}_usd",
        }
        out |= {f"ticker.{name}.100ms" for name in self.instruments}
        out |= {f"instrument.state.any.{self.coin}"}
        for name in {*self.focus, self.perpetual} & self.instruments.keys():
            out |= {self._book_channel(name), f"trades.{name}.{fast}"}
        return out

    def _resubscribe(self) -> list[m.Effect]:
        """Ask for what is wanted and not asked for, leave what is no longer wanted."""
        if not self.up or not self.instruments:
            return []
        wanted = self._wanted()
        new, old = sorted(wanted - self.asked), sorted(self.asked - wanted)
        self.asked = wanted
        scope = "private" if self.authenticated else "public"
        for channel in old:
            if channel.startswith("book."):
                self.books.pop(channel.split(".")[1], None)
        for channel in new:
            if channel.startswith("book."):  # stale from the start: one whose snapshot never comes is asked for again
                name = channel.split(".")[1]
                self.books.setdefault(name, Book(self.instruments[name]))
        out: list[m.Effect] = [self._call(f"{scope}/unsubscribe", {"channels": old})] if old else []
        for start in range(0, len(new), 200):  # a request is at most 32 kB
            out.append(self._call(f"{scope}/subscribe", {"channels": new[start : start + 200]}))
        return out

    # ------------------------------------------------------------ snapshots of itself

    def dump(self) -> Any:
        out = {name: _plain(value) for name, value in vars(self).items() if name not in _UNKEPT}
        out["books"] = {name: book.dump() for name, book in self.books.items()}
        return out

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Venue:
        self = cls(value["coin"])
        for name, raw in value.items():
            if name != "books":
                setattr(self, name, msgspec.convert(raw, _KEPT[name]) if name in _KEPT else raw)
        self.prints = {name: deque(rows, PRINTS_KEPT) for name, rows in self.prints.items()}
        self.books = {name: Book.load(self.instruments[name], raw) for name, raw in value["books"].items()}
        return self


_UNKEPT = {"news", "touched", "dropped", "printed", "quoted", "books"}
_KEPT: dict[str, Any] = {  # what a loaded value must become, and must not share with what it was loaded from
    "awaiting": dict[str, str],
    "resyncs": dict[str, int],
    "states": dict[str, str],
    "account": dict[str, float],
    "meter": Meter,
    "asked": set[str],
    "focus": tuple[str, ...],
    "instruments": dict[str, Instrument],
    "quotes": dict[str, Quote],
    "prints": dict[str, list[Print]],
    "resting": dict[str, Resting],
}
_STATES = {
    "started": "open",
    "created": "open",
    "closed": "halted",
    "settled": "settlement",
    "terminated": "archivized",
}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        value = {key: list(rows) if isinstance(rows, deque) else rows for key, rows in value.items()}
    return msgspec.to_builtins(sorted(value) if isinstance(value, set) else value)
