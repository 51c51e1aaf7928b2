"""One instrument over time as arrays: the same for a recording and for the paper venue, so that the same function
can be asked about both.

A `Tracker` is told what happens, one event at a time, and remembers every state of the book. Builders feed it: from
normalised events (recordings of other venues), from Deribit frames (recordings and the paper venue alike).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.domain import NS, Instrument, Side
from engine.market.book import Book
from engine.market.deribit.wire import BookData, Push, TradeData, decode
from engine.paper.simulation import Simulation
from engine.research.imports.events import Best, Event, Levels, Printed
from engine.research.imports.ladder import Ladder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEVELS = 10
NEAR = 5  # levels that count as the book's near depth
STEP_NS = NS // 10
SAME_NS = 1_000_000  # prints of one side in one millisecond of the venue are one order's


class Track(msgspec.Struct, frozen=True, eq=False):
    """Book states, one a row, in order of time: `t` ns, `bid` and `ask` units (NaN where that side is empty), sizes
    lots (0 there); `bids`, `asks` (n, LEVELS) lots by level, best first. A state holds until the next one.
    Trades, one a print: `trade_t` ns, `price` units, `size` lots, `sign` +1 where the aggressor bought."""

    instrument: Instrument
    t: Ints
    bid: Floats
    ask: Floats
    bids: Floats
    asks: Floats
    trade_t: Ints
    price: Floats
    size: Floats
    sign: Floats

    @property
    def name(self) -> str:
        return self.instrument.name

    @property
    def tick(self) -> float:
        """The smallest, decimal."""
        return self.instrument.tick

    @property
    def seconds(self) -> float:
        return float(self.t[-1] - self.t[0]) / NS if len(self.t) else 0.0

    @property
    def bid_size(self) -> Floats:
        return np.asarray(self.bids[:, 0])

    @property
    def ask_size(self) -> Floats:
        return np.asarray(self.asks[:, 0])

    @property
    def bid_depth(self) -> Floats:
        """Lots on the first levels together."""
        return np.asarray(self.bids[:, :NEAR].sum(axis=1))

    @property
    def ask_depth(self) -> Floats:
        return np.asarray(self.asks[:, :NEAR].sum(axis=1))

    @property
    def mid(self) -> Floats:
        """Units; NaN where a side is empty."""
        return (self.bid + self.ask) / 2.0

    @property
    def micro(self) -> Floats:
        """Bid and ask weighted by the other side's size, units; NaN where a side is empty."""
        with np.errstate(invalid="ignore"):
            return (self.bid * self.ask_size + self.ask * self.bid_size) / (self.bid_size + self.ask_size)

    @property
    def ofi(self) -> Floats:
        """(n,) lots: what each event added to the bid's queue less what it added to the ask's (Cont, Kukanov and
        Stoikov 2014); 0 for the first."""
        out = np.zeros(len(self.t))
        out[1:] = _joined(self.bid, self.bid_size, 1.0) - _joined(self.ask, self.ask_size, -1.0)
        return out

    def grid(self, step_ns: int = STEP_NS) -> Ints:
        """Times `step_ns` apart from the first event to the last."""
        return np.arange(self.t[0], self.t[-1] + 1, step_ns, dtype=np.int64) if len(self.t) else np.zeros(0, np.int64)

    def at(self, times: Ints) -> Ints:
        """The row that holds at each time; −1 before the first."""
        return np.searchsorted(self.t, times, side="right") - 1

    def between(self, begin: int, end: int) -> Track:
        """What happened in [begin, end), ns; the state that holds at `begin` opens it."""
        rows, prints = np.searchsorted(self.t, (begin, end)), np.searchsorted(self.trade_t, (begin, end))
        first = max(int(np.searchsorted(self.t, begin, side="right")) - 1, 0)
        book, trades = slice(first, int(rows[1])), slice(int(prints[0]), int(prints[1]))
        return Track(
            self.instrument, np.maximum(self.t[book], begin), self.bid[book], self.ask[book], self.bids[book],
            self.asks[book], self.trade_t[trades], self.price[trades], self.size[trades], self.sign[trades],
        )  # fmt: skip

    def orders(self) -> tuple[Ints, Floats, Floats]:
        """Prints of one side at one moment joined into the order that made them: (t, lots, sign)."""
        if not len(self.trade_t):
            return self.trade_t, self.size, self.sign
        moment = self.trade_t // SAME_NS
        first = np.flatnonzero(np.r_[True, (np.diff(moment) != 0) | (np.diff(self.sign) != 0)])
        return self.trade_t[first], np.add.reduceat(self.size, first), self.sign[first]


def _joined(price: Floats, size: Floats, sign: float) -> Floats:
    """One side's part of the order-flow imbalance; `sign` is +1 for bids."""
    worst = np.where(np.isnan(price), -np.inf, price * sign)
    now, before = worst[1:], worst[:-1]
    return np.asarray(np.where(now >= before, size[1:], 0.0) - np.where(now <= before, size[:-1], 0.0))


class Tracker:
    """Grows a track. Times must not fall; sizes are lots, prices units, best levels first."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._t: list[int] = []
        self._touch: list[tuple[float, float]] = []
        self._sizes: list[list[float]] = []  # LEVELS of bids, then of asks
        self._trades: list[tuple[int, float, float, float]] = []

    def book(self, t: int, bids: Sequence[tuple[float, float]], asks: Sequence[tuple[float, float]]) -> None:
        """The first levels as they now are."""
        self._t.append(t)
        self._touch.append((bids[0][0] if bids else np.nan, asks[0][0] if asks else np.nan))
        sizes = [0.0] * (2 * LEVELS)
        for k, (_, lots) in enumerate(bids[:LEVELS]):
            sizes[k] = lots
        for k, (_, lots) in enumerate(asks[:LEVELS], LEVELS):
            sizes[k] = lots
        self._sizes.append(sizes)

    def trade(self, t: int, price: float, lots: float, sign: float) -> None:
        self._trades.append((t, price, lots, sign))

    def track(self, end: int = 0) -> Track:
        """So far; with `end` the last state is said to have held until then."""
        if self._t and self._t[-1] < end:
            self._t.append(end)
            self._touch.append(self._touch[-1])
            self._sizes.append(self._sizes[-1])
        touch = np.array(self._touch, dtype=np.float64).reshape(-1, 2)
        sizes = np.array(self._sizes, dtype=np.float64).reshape(-1, 2 * LEVELS)
        trades = np.array([row[1:] for row in self._trades], dtype=np.float64).reshape(-1, 3)
        return Track(
            self.instrument, np.array(self._t, dtype=np.int64), touch[:, 0], touch[:, 1], sizes[:, :LEVELS],
            sizes[:, LEVELS:], np.array([row[0] for row in self._trades], dtype=np.int64), *trades.T,
        )  # fmt: skip


class Watched:
    """Tracks of some instruments of a Deribit-speaking venue, grown from its frames."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        known = tuple(instruments)
        self.trackers = {i.name: Tracker(i) for i in known}
        self._books = {i.name: Book(i) for i in known}
        self.t = 0

    def take(self, t: int, frame: bytes) -> None:
        """One frame as it came; those of other instruments and channels are passed over."""
        self.t = max(self.t, t)
        match decode(frame):
            case Push(data=BookData() as data) if data.instrument_name in self._books:
                self._changed(t, data)
            case Push(data=[TradeData(), *_] as prints):
                for data in prints:
                    self._printed(t, data)

    def tracks(self) -> dict[str, Track]:
        """By name, each up to the last frame of all."""
        return {name: tracker.track(self.t) for name, tracker in self.trackers.items()}

    def _changed(self, t: int, data: BookData) -> None:
        book = self._books[data.instrument_name]
        if data.type == "snapshot":
            book.snapshot(data)
        else:
            book.change(data)
        if not book.stale:
            self.trackers[data.instrument_name].book(t, book.levels(Side.BUY, LEVELS), book.levels(Side.SELL, LEVELS))

    def _printed(self, t: int, data: TradeData) -> None:
        tracker = self.trackers.get(data.instrument_name)
        if tracker is None or data.block_trade_id is not None or data.liquidation is not None:
            return
        i = tracker.instrument
        sign = 1.0 if data.direction == "buy" else -1.0
        tracker.trade(t, i.units(data.price), i.lots(data.amount), sign)


def tops(events: Iterable[Event], depth: int) -> Iterator[tuple[Event, Levels, Levels]]:
    """Each event with the first bids and asks after it, decimal; those of a print are not looked at.

    Where the venue also sends its best prices they are the touch, since they are never later than its levels; the
    levels behind are the rebuilt book's.
    """
    ladder, best = Ladder(), None
    for event in events:
        if isinstance(event, Printed):
            yield event, (), ()
            continue
        if isinstance(event, Best):
            best = event
        else:
            ladder.apply(event)
        bids, asks = ladder.top(depth + 2)
        if best is not None:
            bids = ((best.bid, best.bid_size), *(level for level in bids if level[0] < best.bid))
            asks = ((best.ask, best.ask_size), *(level for level in asks if level[0] > best.ask))
        yield event, bids[:depth], asks[:depth]


def event_track(events: Iterable[Event], instrument: Instrument, unit: float = 1.0) -> Track:
    """From normalised events, whose prices are decimals; a size of `unit` there is a lot here."""
    tracker, tick = Tracker(instrument), instrument.tick
    for event, bids, asks in tops(events, LEVELS):
        if isinstance(event, Printed):
            tracker.trade(event.t, round(event.price / tick), event.size / unit, float(event.sign))
            continue
        tracker.book(
            event.t, [(round(p / tick), s / unit) for p, s in bids], [(round(p / tick), s / unit) for p, s in asks]
        )
    return tracker.track()


def frame_tracks(frames: Iterable[tuple[int, bytes]], instruments: Iterable[Instrument]) -> dict[str, Track]:
    """By name, from a recording's `(t, frame)`s."""
    watched = Watched(instruments)
    for t, frame in frames:
        watched.take(t, frame)
    return watched.tracks()


def paper_tracks(simulation: Simulation, names: Sequence[str], seconds: float) -> dict[str, Track]:
    """By name, from as much of the simulation's market, seen by its client on the raw channels."""
    by_name: Mapping[str, Instrument] = {i.name: i for i in simulation.instruments}
    watched = Watched(by_name[name] for name in names)
    for t, frame in _heard(simulation, names, seconds):
        watched.take(t, frame)
    watched.t = simulation.t
    return watched.tracks()


def _heard(simulation: Simulation, names: Sequence[str], seconds: float) -> Iterator[tuple[int, bytes]]:
    channels = [f"{family}.{name}.raw" for name in names for family in ("book", "trades")]
    yield from ((simulation.t, frame) for frame in simulation.subscribe(channels))
    end = simulation.t + round(seconds * NS)
    while simulation.t < end:
        yield from simulation.advance(min(simulation.t + NS, end))
