"""A track says what the book was and what traded, whoever told it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import NS, Instrument, Side, instrument_of
from engine.market.book import Book
from engine.market.deribit.wire import BookData, Push, decode
from engine.paper.instruments.listing import Spec
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.research import recorded
from engine.research.imports import Best, Event, Level2, Printed
from engine.research.track import Track, Tracker, event_track, paper_tracks

START = 1_772_000_000 * NS
PERPETUAL = instrument_of("BTC-PERPETUAL")
SMALL = VenueSettings(listing=(Spec(expiries=1, strikes=3, futures=0),))


Levels = Sequence[tuple[float, float]]


def tracked(*states: tuple[int, Levels, Levels]) -> Track:
    tracker = Tracker(PERPETUAL)
    for t, bids, asks in states:
        tracker.book(t, bids, asks)
    return tracker.track()


def test_micro_price_and_depth() -> None:
    track = tracked((1, [(10, 3.0), (9, 5.0)], [(12, 1.0), (13, 2.0)]))
    assert track.micro[0] == pytest.approx((10 * 1 + 12 * 3) / 4)
    assert track.mid[0] == 11.0
    assert (track.bid_depth[0], track.ask_depth[0]) == (8.0, 3.0)


@pytest.mark.parametrize(
    ("before", "after", "flow"),
    [
        (((10, 5.0), (11, 5.0)), ((10, 8.0), (11, 5.0)), 3.0),  # the bid's queue grows
        (((10, 5.0), (11, 5.0)), ((10, 5.0), (11, 2.0)), 3.0),  # the ask's shrinks
        (((10, 5.0), (12, 5.0)), ((11, 4.0), (12, 5.0)), 4.0),  # a better bid
        (((10, 5.0), (12, 5.0)), ((9, 7.0), (12, 5.0)), -5.0),  # the bid is gone
        (((10, 5.0), (12, 5.0)), ((10, 5.0), (11, 6.0)), -6.0),  # a better ask
    ],
)
def test_order_flow_imbalance_by_hand(
    before: tuple[tuple[float, float], ...], after: tuple[tuple[float, float], ...], flow: float
) -> None:
    track = tracked(*((t, [bid], [ask]) for t, (bid, ask) in enumerate((before, after))))
    assert track.ofi.tolist() == [0.0, flow]


def test_a_side_that_comes_and_goes_is_flow_too() -> None:
    track = tracked((1, [], [(11, 2.0)]), (2, [(10, 5.0)], [(11, 2.0)]), (3, [], [(11, 2.0)]))
    assert track.ofi.tolist() == [0.0, 5.0, -5.0]
    assert np.isnan(track.micro[[0, 2]]).all()


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30, unique=True), st.integers(0, 10**9))
def test_at_is_the_last_state_not_later(times: list[int], asked: int) -> None:
    times.sort()
    track = tracked(*((t, [(10, 1.0)], [(11, 1.0)]) for t in times))
    past = [k for k, t in enumerate(times) if t <= asked]
    assert track.at(np.array([asked]))[0] == (past[-1] if past else -1)


def test_between_opens_with_the_state_that_holds() -> None:
    tracker = Tracker(PERPETUAL)
    for t in (10, 20, 30):
        tracker.book(t, [(t, 1.0)], [(t + 1, 1.0)])
        tracker.trade(t + 1, t, 1.0, 1.0)
    cut = tracker.track().between(15, 30)
    assert cut.t.tolist() == [15, 20]
    assert cut.bid.tolist() == [10, 20]
    assert cut.trade_t.tolist() == [21]


def test_prints_of_one_order_are_joined() -> None:
    tracker = Tracker(PERPETUAL)
    ms = 1_000_000
    for t, size, sign in ((ms, 1.0, 1.0), (ms, 2.0, 1.0), (ms, 4.0, -1.0), (2 * ms, 8.0, -1.0)):
        tracker.trade(t, 10, size, sign)
    when, lots, signs = tracker.track().orders()
    assert (when.tolist(), lots.tolist(), signs.tolist()) == ([ms, ms, 2 * ms], [3.0, 4.0, 8.0], [1.0, -1.0, -1.0])


def test_events_give_levels_and_a_best_that_is_newer() -> None:
    instrument = Instrument(name="X", kind=PERPETUAL.kind, coin="BTC", tick=0.1, lot=1.0)
    events: list[Event] = [
        Level2(1, True, ((10.0, 4.0), (9.9, 6.0)), ((10.2, 8.0), (10.3, 2.0))),
        Best(2, 9.9, 6.0, 10.1, 1.0),
        Printed(3, 10.1, 2.0, 1),
        Level2(4, False, ((9.8, 2.0),), ()),
    ]
    track = event_track(events, instrument, unit=2.0)
    assert track.bid.tolist() == [100, 99, 99]
    assert track.ask.tolist() == [102, 101, 101]
    assert track.bids[:, :2].tolist() == [[2.0, 3.0], [3.0, 0.0], [3.0, 1.0]]
    assert track.asks[1, :3].tolist() == [0.5, 4.0, 1.0]
    assert (track.price.tolist(), track.size.tolist()) == ([101], [1.0])


def test_the_paper_market_seen_by_its_client() -> None:
    simulation = Simulation(3, START, SMALL)
    names = ["BTC-PERPETUAL", simulation.instruments[-1].name]
    tracks = paper_tracks(simulation, names, 20.0)
    for name in names:
        exchange, n = simulation.exchange(name)
        track, book = tracks[name], exchange.books[n]
        assert track.t[-1] == simulation.t
        assert (track.bid[-1], track.ask[-1]) == (book.bids.best, book.asks.best)
        assert track.bid_size[-1] == book.bids.total(int(track.bid[-1]))
        assert (np.diff(track.t) >= 0).all()
    perpetual = tracks["BTC-PERPETUAL"]
    quoted = np.isfinite(perpetual.mid)
    assert quoted[1:].all()
    assert (perpetual.ask > perpetual.bid)[quoted].all()
    assert len(perpetual.trade_t) > 0


def test_a_track_of_the_frames_ends_where_the_book_ends() -> None:
    """The book a client keeps is the track's last row."""
    simulation = Simulation(4, START, SMALL)
    twin = simulation.clone()
    track = paper_tracks(simulation, ["BTC-PERPETUAL"], 5.0)["BTC-PERPETUAL"]
    book = Book(PERPETUAL)
    frames = twin.subscribe(["book.BTC-PERPETUAL.raw"])
    for frame in [*frames, *(frame for _, frame in twin.advance(START + 5 * NS))]:
        said = decode(frame)
        if isinstance(said, Push) and isinstance(said.data, BookData):
            book.snapshot(said.data) if said.data.type == "snapshot" else book.change(said.data)
    assert book.stale == ""
    assert track.bids[-1].tolist() == [lots for _, lots in book.levels(Side.BUY, 10)]
    assert track.asks[-1].tolist() == [lots for _, lots in book.levels(Side.SELL, 10)]


def test_the_recorded_inverse_perpetual(shared_data: Path) -> None:
    earlier, later = recorded.perpetual(shared_data)
    assert earlier.t[-1] <= later.t[0]
    for track in (earlier, later):
        assert track.seconds > 300
        assert (track.ask > track.bid).all()
        assert (track.bids[:, 0] > 0).all()
        assert len(track.trade_t) > 2000
        near = track.mid[track.at(track.trade_t)]
        assert np.median(np.abs(track.price - near)) < 20, "trades lie at the book"
