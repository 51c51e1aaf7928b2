"""Depth logs of Binance: the rebuilt book is the recorded best, and what is missing or wrong is said."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.research.imports import BadRecording, Best, EventRecording, Ladder, Level2, Printed, open_events

NS = 10**9
T0 = 1_721_347_020 * NS

# events, depth updates, best prices, trades; checks with the same number, checks in between; tick, lot
REAL = {
    ("cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"): (
        98_363, 44_795, 48_355, 5_235, 1_885, 42_886, 0.1, 1.0),
    ("usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"): (
        73_250, 16_110, 44_205, 12_935, 1_565, 14_545, 0.1, 0.001),
    ("usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz"): (
        71_979, 9_022, 52_260, 10_701, 625, 8_393, 0.1, 0.001),
    ("usdm_ethusdt_20240718.gz", "usdm_ethusdt_20240719.gz"): (
        69_908, 8_929, 47_328, 13_655, 834, 8_091, 0.01, 0.001),
}  # fmt: skip


@pytest.mark.parametrize("names", REAL)
def test_the_rebuilt_book_is_the_recorded_best_at_every_check(names: tuple[str, str], shared_data: Path) -> None:
    events, updates, bests, trades, same, between, tick, lot = REAL[names]
    log = open_events([shared_data / "binance_l2" / name for name in names])
    assert log.format == "Binance depth log"
    assert log.events == events
    assert (log.counts["depthUpdate"], log.counts["bookTicker"], log.counts["trade"]) == (updates, bests, trades)
    assert log.checks == (same, 0, between, 0)
    assert (log.gaps, log.bad_count, log.bad) == (0, 0, ())
    assert (log.tick, log.lot) == (tick, lot)
    assert log.inverse is names[0].startswith("cm_")
    assert 7.9 * 60 * NS < log.last_t - log.first_t < 10.8 * 60 * NS


def test_files_that_follow_each_other_are_one_recording_in_any_order(shared_data: Path) -> None:
    folder = shared_data / "binance_l2"
    first, second = folder / "usdm_btcusdt_20240718.gz", folder / "usdm_btcusdt_20240719.gz"
    log = open_events([second, first])
    assert log.paths == (first, second)
    events = list(log)
    assert len(events) == log.events
    assert all(a.t <= b.t for a, b in pairwise(events))
    assert (events[0].t, events[-1].t) == (log.first_t, log.last_t)
    assert Counter(type(event) for event in events)[Printed] == 10_701


def test_without_a_whole_book_there_are_best_prices_and_trades_only(shared_data: Path) -> None:
    log = open_events(shared_data / "binance_l2" / "usdm_btcusdt_20240719.gz")
    assert log.notes == ("there is no whole book in it to start from: its 5696 depth updates are left out",)
    assert {type(event) for event in log} == {Best, Printed}
    assert log.checks.made == 0


# ------------------------------------------------------------ made ones


def depth(u: int, pu: int, bids: Any = (), asks: Any = (), s: str = "BTCUSDT") -> dict[str, Any]:
    return {"e": "depthUpdate", "s": s, "U": pu + 1, "u": u, "pu": pu, "b": bids, "a": asks}


def best(u: int, bid: str, ask: str, size: str = "1") -> dict[str, Any]:
    return {"e": "bookTicker", "s": "BTCUSDT", "u": u, "b": bid, "B": size, "a": ask, "A": size}


def trade(price: str, size: str, seller: bool, by: str = "MARKET") -> dict[str, Any]:
    return {"e": "trade", "s": "BTCUSDT", "t": 1, "p": price, "q": size, "X": by, "m": seller}


def whole_book(u: int, bids: Any, asks: Any) -> dict[str, Any]:
    return {"lastUpdateId": u, "bids": bids, "asks": asks}


def line(said: dict[str, Any], at: int = 0) -> bytes:
    frame = said if "lastUpdateId" in said else {"stream": "x", "data": said}
    return b"%d %s" % (T0 + at, json.dumps(frame, separators=(",", ":")).encode())


def opened(folder: Path, *lines: bytes) -> EventRecording:
    path = folder / "log.txt"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return open_events(path)


BOOK = whole_book(10, [["100.0", "1"], ["99.5", "2"]], [["101.0", "1"], ["101.5", "3"]])


def test_the_book_starts_at_an_answer_and_takes_what_it_does_not_hold_yet(tmp_path: Path) -> None:
    log = opened(
        tmp_path,
        line(depth(8, 5, [["90.0", "1"]])),
        line(depth(12, 8, [["100.0", "0"]]), 1),
        line(BOOK, 2),
        line(depth(15, 12, [], [["101.0", "4"]]), 3),
    )
    assert [(event.t - T0, event.snapshot) for event in log if isinstance(event, Level2)] == [
        (2, True), (2, False), (3, False),
    ]  # fmt: skip
    ladder = Ladder()
    for event in log:
        assert isinstance(event, Level2)
        ladder.apply(event)
    assert ladder.best() == (99.5, 2.0, 101.0, 4.0)
    assert ladder.top(5) == (((99.5, 2.0),), ((101.0, 4.0), (101.5, 3.0)))
    assert log.notes == ("1 depth updates belong to no known book and are left out",)


def test_where_an_update_is_missing_the_book_is_unknown_until_the_next_answer(tmp_path: Path) -> None:
    log = opened(
        tmp_path,
        line(BOOK),
        line(depth(12, 10, [["100.0", "2"]])),
        line(depth(20, 15, [["100.0", "3"]])),
        line(depth(22, 20, [["100.0", "4"]])),
        line(whole_book(21, [["100.0", "4"]], [["101.0", "1"]])),
        line(depth(24, 22, [["100.0", "5"]])),
    )
    assert log.gaps == 1
    assert [(event.snapshot, event.bids) for event in log if isinstance(event, Level2)] == [
        (True, ((100.0, 1.0), (99.5, 2.0))),
        (False, ((100.0, 2.0),)),
        (True, ()),
        (True, ((100.0, 4.0),)),
        (False, ((100.0, 4.0),)),
        (False, ((100.0, 5.0),)),
    ]
    assert "the chain of updates breaks 1 times; the book is unknown until the next whole one" in log.notes


def test_an_answer_that_the_updates_do_not_reach_is_a_gap(tmp_path: Path) -> None:
    log = opened(tmp_path, line(BOOK), line(depth(20, 15, [["100.0", "3"]])))
    assert log.gaps == 1


def test_an_answer_older_than_the_book_changes_nothing(tmp_path: Path) -> None:
    log = opened(tmp_path, line(BOOK), line(depth(12, 10)), line({**BOOK, "lastUpdateId": 11}), line(depth(14, 12)))
    assert (log.gaps, log.events) == (0, 3)


def test_a_book_that_differs_from_the_best_is_counted(tmp_path: Path) -> None:
    log = opened(
        tmp_path,
        line(BOOK),
        line(best(11, "100.0", "101.0")),
        line(depth(12, 10, [["99.0", "1"]])),  # the last best before it is 11: the same
        line(best(15, "100.0", "101.0", "7")),
        line(depth(15, 12, [["98.0", "1"]])),  # the very number, another size
        line(depth(17, 15, [["100.0", "7"]])),  # in between, and the ask differs
        line(best(20, "100.0", "101.0", "7")),
    )
    assert log.checks == (1, 1, 2, 1)
    assert (log.checks.made, log.checks.off) == (3, 2)
    assert "the rebuilt book was held against the recorded best 3 times: 2 differ" in log.notes


def test_trades_have_the_sign_of_the_aggressor_and_forced_ones_are_none(tmp_path: Path) -> None:
    log = opened(
        tmp_path,
        line(trade("100.0", "2", True)),
        line(trade("100.5", "3", False)),
        line(trade("90.0", "1", True, "INSURANCE_FUND")),
        line({"e": "markPriceUpdate", "s": "BTCUSDT", "p": "100"}),
    )
    assert list(log) == [Printed(T0, 100.0, 2.0, -1), Printed(T0, 100.5, 3.0, 1)]
    assert log.notes == ("1 trades are not of the market (a liquidation's, say) and are left out",)
    assert log.counts == {"trade": 3, "markPriceUpdate": 1}


@pytest.mark.parametrize("time", [b"1721347020123", b"1721347020123000", b"1721347020123000000",
                                  b"2024-07-18T23:57:00.123Z", b"2024-07-18T23:57:00.1230000Z"])  # fmt: skip
def test_the_unit_of_a_time_is_told_by_its_digits(time: bytes, tmp_path: Path) -> None:
    frame = line(trade("100.0", "2", True)).partition(b" ")[2]
    assert [event.t for event in opened(tmp_path, time + b" " + frame)] == [T0 + 123_000_000]


def test_a_whole_book_may_come_in_a_frame(tmp_path: Path) -> None:
    frame = json.dumps({"stream": "btcusdt@depthSnapshot", "generated": True, "data": BOOK}).encode()
    log = opened(tmp_path, b"%d " % T0 + frame, line(depth(12, 10, [["100.0", "2"]])))
    assert [event.snapshot for event in log if isinstance(event, Level2)] == [True, False]


BAD = {
    "no json": b"1721347020123000000 {not json}",
    "no time": b"yesterday {}",
    "a time of another age": b"9721347020123000000 " + line(trade("1", "1", True)).partition(b" ")[2],
    "NaN": line(trade("nan", "1", True)),
    "infinite": line(depth(12, 10, [["100.0", "inf"]])),
    "negative": line(depth(12, 10, [["100.0", "-1"]])),
    "a price of nothing": line(best(12, "0", "1")),
    "a field missing": line({"e": "trade", "s": "BTCUSDT"}),
    "another type": line({**best(12, "1", "2"), "u": "many"}),
    "not text": b"1721347020123000000 {\"stream\":\"\xff\xfe\"}",
    "deep": b"1721347020123000000 " + b'{"data":' * 3000,
    "binary": bytes(range(11, 256)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_counted_and_listed_and_nothing_else_is_lost(name: str, tmp_path: Path) -> None:
    good = line(trade("100.0", "2", True))
    log = opened(tmp_path, good, BAD[name], good)
    assert log.events == 2
    assert (log.bad_count, [bad.number for bad in log.bad], [bad.file for bad in log.bad]) == (1, [2], ["log.txt"])
    assert log.bad[0].why


def test_time_never_falls_and_other_instruments_are_left_out(tmp_path: Path) -> None:
    other = {**trade("5", "5", True), "s": "ETHUSDT"}
    log = opened(tmp_path, line(trade("1", "1", True), 5), line(trade("2", "1", True), 3), line(other, 9))
    assert [event.t - T0 for event in log] == [5, 5]
    assert log.symbol == "BTCUSDT"
    assert set(log.notes) == {
        "1 lines are of another instrument than BTCUSDT and are left out",
        "1 lines go back in time; they keep the time before them",
    }


def test_a_file_that_was_cut_keeps_what_it_has(shared_data: Path, tmp_path: Path) -> None:
    packed = (shared_data / "binance_l2" / "usdm_btcusdt_20240718.gz").read_bytes()
    path = tmp_path / "cut.gz"
    path.write_bytes(packed[: len(packed) // 2])
    log = open_events(path)
    assert 3_000 < log.events < 11_000
    assert log.checks.off == 0
    assert [bad.why for bad in log.bad] == ["the file breaks off here: the compressed data is not complete"]


def test_a_file_without_an_event_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(line({"e": "markPriceUpdate", "s": "BTCUSDT"})))
    with pytest.raises(BadRecording, match="looks like a Binance depth log, but no line of it is an event of a market"):
        open_events(path)
