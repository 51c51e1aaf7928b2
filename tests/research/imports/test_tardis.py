"""Tardis's files: rows become the frames that the venue would have sent, or events; what is no row is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import instrument_of
from engine.market.book import Book
from engine.market.deribit.wire import BookData, Push, TickerData, TradeData, decode
from engine.research.imports import BadRecording, Best, Level2, Printed, open_chains, open_events, open_recording
from tests.research.imports.made import BOOK, PERPETUAL, QUOTES, SNAPSHOT, T0, TRADES, raw_of, row, written

# ------------------------------------------------------------ the vendor's own rows


def test_the_sample_book(shared_data: Path) -> None:
    found = open_recording(shared_data / "tardis_csv" / "deribit_incremental_book_L2.csv")
    ((t, frame),) = found
    assert t == found.first_t == 1_585_699_200_355_684_000
    assert (found.format, found.frames, found.bad_count) == ("Tardis CSV", 1, 0)
    assert [i.name for i in found.instruments] == [PERPETUAL]
    assert found.notes[0] == "the change ids of 1 books are made here, from 1: the file has none"
    event = decode(frame)
    assert isinstance(event, Push)
    assert isinstance(event.data, BookData)
    assert (event.channel, event.data.type, event.data.timestamp) == (
        f"book.{PERPETUAL}.raw",
        "snapshot",
        1585699200245,
    )
    assert (len(event.data.asks), event.data.asks[0], event.data.bids) == (15, ("new", 6421.5, 18640.0), [])
    (level,) = open_events(shared_data / "tardis_csv" / "deribit_incremental_book_L2.csv")
    assert isinstance(level, Level2)
    assert (level.snapshot, len(level.asks)) == (True, 15)


def test_the_sample_chain(shared_data: Path) -> None:
    path = shared_data / "tardis_csv" / "deribit_options_chain.csv"
    found = open_recording(path)
    assert (found.frames, found.bad_count, len(found.instruments)) == (7, 0, 5)
    first = decode(next(iter(found))[1])
    assert isinstance(first, Push)
    ticker = first.data
    assert isinstance(ticker, TickerData)
    assert (ticker.best_bid_price, ticker.best_ask_amount, ticker.bid_iv, ticker.mark_iv) == (
        0.0205,
        15.2,
        55.91,
        62.89,
    )
    assert (ticker.underlying_index, ticker.underlying_price) == ("SYN.BTC-9JUN20", 9756.36)
    assert ticker.greeks is not None
    assert ticker.greeks.delta == -0.61752
    bare = [event.data for _, frame in found if isinstance(event := decode(frame), Push)][3]
    assert (bare.best_bid_price, bare.best_ask_price, bare.open_interest, bare.greeks.delta) == (0.0, 0.0, None, None)
    table = open_chains(path).table
    assert len(table) == 7
    assert table["bid_iv"].iloc[0] == pytest.approx(0.5591)
    assert table["bid"].isna().tolist() == [False, False, False, True, False, False, False]


def test_the_samples_of_another_exchange_are_events_or_refused(shared_data: Path) -> None:
    trades, ticker = (shared_data / "tardis_csv" / f"bitmex_{name}.csv" for name in ("trades", "derivative_ticker"))
    assert list(open_events(trades)) == [
        Printed(1_583_020_803_307_160_000, 8531.5, 2152.0, -1), Printed(1_583_020_803_307_160_000, 8531.0, 1000.0, 1),
    ]  # fmt: skip
    for path in (trades, ticker):
        with pytest.raises(BadRecording, match="is of bitmex; a session is made of Deribit's rows only"):
            open_recording(path)
    with pytest.raises(BadRecording, match="holds derivative_ticker, which are no events of a book"):
        open_events(ticker)
    with pytest.raises(BadRecording, match="holds trades, not option chains"):
        open_chains(trades)


# ------------------------------------------------------------ books


def books_of(path: Path) -> Book:
    book = Book(instrument_of(PERPETUAL))
    for _, frame in open_recording(path):
        event = decode(frame)
        assert isinstance(event, Push)
        if event.data.type == "snapshot":
            book.snapshot(event.data)
        else:
            assert book.change(event.data), book.stale
    return book


def test_changes_say_what_is_new_changed_or_gone(tmp_path: Path) -> None:
    path = written(
        tmp_path, BOOK,
        row("false", "bid", 1, 10, at=-9),
        *SNAPSHOT,
        row("false", "bid", 6400, 30, at=7), row("false", "bid", 6398, 20, at=7), row("false", "ask", 6500, 0, at=7),
        row("false", "bid", 6399.5, 0, at=8),
        row("false", "ask", 7000, 0, at=9),
    )  # fmt: skip
    found = open_recording(path)
    events = [event.data for _, frame in found if isinstance(event := decode(frame), Push)]
    assert [(data.type, data.change_id, data.prev_change_id) for data in events] == [
        ("snapshot", 1, None), ("change", 2, 1), ("change", 3, 2),
    ]  # fmt: skip
    assert events[0].bids == [("new", 6400.0, 100.0), ("new", 6399.5, 50.0)]
    assert (events[1].bids, events[1].asks) == ([("change", 6400.0, 30.0), ("new", 6398.0, 20.0)], [])
    assert events[2].bids == [("delete", 6399.5, 0.0)]
    assert "1 rows come before the first snapshot of their book and are left out" in found.notes
    book = books_of(path)
    assert (book.bids, book.asks) == ({12800: 3, 12796: 2}, {12801: 7})


@given(
    changes=st.lists(
        st.tuples(st.booleans(), st.integers(1, 12), st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=60
    )
)
def test_the_book_of_the_frames_is_the_book_of_the_rows(
    changes: list[tuple[bool, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows, at = list(SNAPSHOT), 0
    expected: dict[str, dict[float, int]] = {"bid": {6400.0: 100, 6399.5: 50}, "ask": {6400.5: 70}}
    for buy, distance, size, later in changes:
        side, price = ("bid", 6400.5 - distance / 2) if buy else ("ask", 6400 + distance / 2)
        at += later
        rows.append(row("false", side, price, size * 10, at=at + 1))
        expected[side].pop(price, None)
        if size:
            expected[side][price] = size * 10
    folder = tmp_path_factory.mktemp("rows")
    book = books_of(written(folder, BOOK, *rows))
    assert {units * 0.5: lots * 10 for units, lots in book.bids.items()} == expected["bid"]
    assert {units * 0.5: lots * 10 for units, lots in book.asks.items()} == expected["ask"]


def test_a_second_snapshot_takes_the_place_of_the_book(tmp_path: Path) -> None:
    path = written(tmp_path, BOOK, *SNAPSHOT, row("true", "bid", 6000, 10, at=9), row("false", "bid", 6400, 10, at=10))
    book = books_of(path)
    assert (book.bids, book.asks) == ({12000: 1, 12800: 1}, {})


def test_columns_may_stand_in_any_order_behind_the_first_four(tmp_path: Path) -> None:
    heading = "exchange,symbol,timestamp,local_timestamp,amount,price,side,is_snapshot"
    book = books_of(written(tmp_path, heading, row(100, 6400, "bid", "true")))
    assert book.bids == {12800: 10}


# ------------------------------------------------------------ trades, tickers, quotes


def test_trades_of_one_message_are_one_frame(tmp_path: Path) -> None:
    path = written(
        tmp_path, TRADES,
        row("77", "buy", 6400.5, 10), row("78", "buy", 6401, 20), row("", "sell", 6400, 30, at=4),
        row("80", "unknown", 6400, 30, at=5), row("1", "buy", 1, 1, at=6, symbol="XRP_USDC-PERPETUAL"),
    )  # fmt: skip
    found = open_recording(path)
    prints = [event.data for _, frame in found if isinstance(event := decode(frame), Push)]
    assert [len(each) for each in prints] == [2, 1]
    first, last = prints[0][0], prints[1][0]
    assert isinstance(first, TradeData)
    assert (first.trade_id, first.trade_seq, first.direction, first.price, first.amount) == ("77", 1, "buy", 6400.5, 10)
    assert (last.trade_id, last.trade_seq, last.direction) == ("BTC-PERPETUAL-3", 3, "sell")
    assert set(found.notes) >= {
        "1 trades do not say who was the aggressor and are left out",
        "1 instruments are not inverse BTC or ETH and are left out (XRP_USDC-PERPETUAL …)",
    }
    assert [event.sign for event in open_events(path) if isinstance(event, Printed)] == [1, 1, -1]


def test_a_ticker_of_a_future(tmp_path: Path) -> None:
    heading = (
        "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,"
        "last_price,index_price,mark_price"
    )
    path = written(tmp_path, heading, row("", -0.0001, "", 5000, 6400, 6400.25, 6400.5))
    ((_, frame),) = open_recording(path)
    event = decode(frame)
    assert isinstance(event, Push)
    assert (event.data.current_funding, event.data.mark_price, event.data.index_price) == (-0.0001, 6400.5, 6400.25)
    assert (event.data.best_bid_price, event.data.open_interest) == (None, 5000.0)


def test_quotes_are_events_but_no_frames(tmp_path: Path) -> None:
    path = written(tmp_path, QUOTES, row(70, 6400.5, 6400, 100), row("", "", 6400, 100, at=1), row(7, 6400, 6400, 1))
    assert list(open_events(path)) == [Best(T0 * 1000, 6400.0, 100.0, 6400.5, 70.0)]
    with pytest.raises(BadRecording, match="holds best prices only"):
        open_recording(path)


def test_files_of_one_instrument_are_one_recording_of_events(tmp_path: Path) -> None:
    book = written(tmp_path, BOOK, *SNAPSHOT, row("false", "bid", 6400, 30, at=7), name="book.csv")
    trades = written(tmp_path, TRADES, row("1", "buy", 6400.5, 10, at=3), name="trades.csv")
    found = open_events([book, trades])
    assert [type(event) for event in found] == [Level2, Printed, Level2]
    assert (found.symbol, found.inverse, found.tick, found.events) == (PERPETUAL, True, 0.5, 3)
    other = written(tmp_path, TRADES, row("1", "buy", 1, 10, exchange="ftx"), name="other.csv")
    with pytest.raises(BadRecording, match="is of another exchange than"):
        open_events([book, other])


# ------------------------------------------------------------ bad rows

BAD = {
    "too few cells": "deribit,BTC-PERPETUAL,1",
    "too many cells": row("false", "bid", 6400, 30, 5),
    "no time": row("false", "bid", 6400, 30).replace(str(T0), "soon"),
    "a time of another age": row("false", "bid", 6400, 30).replace(str(T0), "9" * 19),
    "NaN": row("false", "bid", "nan", 30),
    "infinite": row("false", "bid", 6400, "inf"),
    "negative": row("false", "bid", 6400, -30),
    "no price": row("false", "bid", "", 30),
    "a price of nothing": row("false", "bid", 0, 30),
    "no amount": row("false", "bid", 6400, ""),
    "not a number": row("false", "bid", "6_400", 30),
    "no side": row("false", "middle", 6400, 30),
    "neither true nor false": row("perhaps", "bid", 6400, 30),
    "another exchange": row("false", "bid", 6400, 30, exchange="bitmex"),
    "another line": "# a remark",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_counted_and_listed_and_nothing_else_is_lost(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, BOOK, *SNAPSHOT, BAD[name], row("false", "bid", 6400, 30, at=9))
    found = open_recording(path)
    assert (found.frames, found.bad_count, [bad.number for bad in found.bad]) == (2, 1, [6])
    assert found.bad[0].why
    assert "what 1 bad rows said of a level is missing in its book until the next snapshot" in found.notes
    assert open_events(path).bad == found.bad


def test_bytes_that_are_no_text_are_a_bad_row(tmp_path: Path) -> None:
    path = written(tmp_path, BOOK, *SNAPSHOT)
    path.write_bytes(
        path.read_bytes() + row("false", "bid", 6400, 30).encode().replace(b"PERPETUAL", b"\xff\xfe") + b"\n"
    )
    assert [bad.why for bad in open_recording(path).bad] == ["it is not text in UTF-8"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["exchange,symbol,timestamp,local_timestamp,price"], "its columns are those of none of options_chain, "),
        ([BOOK], "is of no exchange"),
        ([BOOK, "deribit,BTC-PERPETUAL"], "no line of it is a frame of Deribit"),
        ([BOOK, row("false", "bid", 1, 1)], "no line of it is a frame of Deribit"),
    ],
)
def test_a_file_without_a_frame_is_refused_in_a_sentence(lines: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=sentence):
        open_recording(written(tmp_path, *lines))


def test_compressed_and_cut_it_keeps_what_it_has(tmp_path: Path) -> None:
    rows = [BOOK, *SNAPSHOT, *(row("false", "bid", 6400 - n % 40, n % 7 * 10, at=n) for n in range(1, 20_000))]
    packed = gzip.compress("\n".join(rows).encode())
    path = tmp_path / "book.csv.gz"
    path.write_bytes(packed)
    full = open_recording(path)
    assert (full.bad_count, full.frames > 15_000) == (0, True)
    path.write_bytes(packed[: len(packed) // 2])
    half = open_recording(path)
    assert 5_000 < half.frames < full.frames
    assert [bad.why for bad in half.bad] == ["the file breaks off here: the compressed data is not complete"]


# ------------------------------------------------------------ the raw feed


def test_the_raw_feed_gives_the_frames_as_they_were(shared_data: Path, tmp_path: Path) -> None:
    log = shared_data / "deribit_frames" / "2021-07-22.ws.txt"
    found = open_recording(raw_of(log, tmp_path))
    assert (found.format, found.frames, found.bad_count) == ("Tardis raw feed", 136, 0)
    assert [frame for _, frame in found] == [frame for _, frame in open_recording(log)]
    assert found.first_t == 1_626_993_724_001_000_000
    assert found.notes[0] == "the connection was lost 1 times while it was recorded"


def test_bad_lines_of_the_raw_feed(shared_data: Path, tmp_path: Path) -> None:
    path = raw_of(shared_data / "deribit_frames" / "2021-07-22.ws.txt", tmp_path)
    lines = path.read_bytes().splitlines()
    frame = lines[1].partition(b" ")[2]
    lines[5:5] = [b"2021-13-45T22:42:03.0Z " + frame, b"2021-07-22T22:42:03.0Z {", b"soon " + frame, b"\xff\x00"]
    path.write_bytes(b"\n".join(lines))
    found = open_recording(path)
    assert (found.frames, found.bad_count, [bad.number for bad in found.bad]) == (136, 4, [6, 7, 8, 9])


def test_the_raw_feed_of_another_venue_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, '2021-07-22T22:42:03.8043180Z {"table":"trade","action":"insert","data":[]}')
    with pytest.raises(BadRecording, match="looks like a Tardis raw feed, but no line of it is a frame of Deribit"):
        open_recording(path)
