"""Recordings as frames: the real ones, made-up ones, damaged ones, and files that are none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.domain import Instrument
from engine.research.imports import FORMATS, BadRecording, open_recording
from tests.research.imports.made import CALL, book, line, ticker, write


def grid(instrument: Instrument) -> tuple[float, tuple[tuple[float, float], ...], float]:
    return instrument.tick, instrument.tick_steps, instrument.lot


# ------------------------------------------------------------ the real ones


def test_the_log_of_april_with_its_list_beside_it(shared_data: Path) -> None:
    log = open_recording(shared_data / "deribit_frames" / "2021-04-17.ws.txt")
    assert log.format == "Deribit frame log"
    assert (log.frames, log.bad_count, log.bad) == (149, 0, ())
    assert log.notes == ("instruments are from 2021-04-17.http.txt, which lists 922",)
    assert len(log.instruments) == 10
    assert {grid(i) for i in log.instruments if i.coin == "BTC"} == {(0.0005, (), 0.1)}
    assert {grid(i) for i in log.instruments if i.coin == "ETH"} == {(0.0005, (), 1.0)}


def test_the_log_of_july_without_one(shared_data: Path) -> None:
    log = open_recording(shared_data / "deribit_frames" / "2021-07-22.ws.txt")
    assert (log.frames, log.bad_count) == (136, 0)
    assert [note for note in log.notes if "7 BTC options are known by their names; tick 0.0005, lot 0.1" in note]
    assert {grid(i) for i in log.instruments if i.coin == "BTC"} == {(0.0005, (), 0.1)}
    frames = list(log)
    assert len(frames) == log.frames
    assert frames[0][0] == log.first_t == 1_626_993_723_804_318_000
    assert frames[-1][0] == log.last_t
    assert frames == sorted(frames, key=lambda frame: frame[0])
    assert list(log) == frames, "it can be read again"
    raw = (shared_data / "deribit_frames" / "2021-07-22.ws.txt").read_bytes()
    assert all(frame in raw for _, frame in frames)


# ------------------------------------------------------------ lines


def test_only_the_venues_frames_are_frames(tmp_path: Path) -> None:
    log = open_recording(write(
        tmp_path,
        b"wss://www.deribit.com/ws/api/v2 <-> 1770000000.5",
        b'wss://www.deribit.com/ws/api/v2 <- 1770000000.6: {"jsonrpc":"2.0","id":0,"method":"public/subscribe"}',
        b"https://www.deribit.com/api/v2/public/get_time -> 1770000000.6: {}",
        b'configuration: {"a":1}',
        b"",
        line("1770000000.123456789", ticker(CALL)),
        line("1770000001", b'{"jsonrpc":"2.0","id":0,"result":[]}'),
    ))  # fmt: skip
    assert [(t, frame) for t, frame in log] == [
        (1_770_000_000_123_456_789, ticker(CALL)),
        (1_770_000_001_000_000_000, b'{"jsonrpc":"2.0","id":0,"result":[]}'),
    ]
    assert (log.first_t, log.last_t) == (1_770_000_000_123_456_789, 1_770_000_001_000_000_000)
    assert log.bad == ()


def test_bad_lines_are_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    good = line("1770000000.1", ticker(CALL))
    log = open_recording(
        write(tmp_path, good, b"what is this", good[:-9], b"1770000000.2: not json", b"\xff\x00", good)
    )
    assert [bad.number for bad in log.bad] == [2, 3, 4, 5]
    assert log.bad[0].why == "it is not 'TIME: JSON'"
    assert all(bad.why for bad in log.bad)
    assert (log.bad_count, log.frames, len(list(log))) == (4, 2, 2)


def test_of_very_many_bad_lines_a_thousand_are_named_and_all_are_counted(tmp_path: Path) -> None:
    log = open_recording(write(tmp_path, line("1770000000", ticker(CALL)), *[b"noise"] * 1500))
    assert (len(log.bad), log.bad_count) == (1000, 1500)


def test_time_never_falls_and_it_is_said(tmp_path: Path) -> None:
    times = ["1770000005", "1770000004", "1770000006"]
    log = open_recording(write(tmp_path, *(line(t, ticker(CALL)) for t in times)))
    assert [t // 10**9 for t, _ in log] == [1_770_000_005, 1_770_000_005, 1_770_000_006]
    assert "1 lines go back in time; they keep the time before them" in log.notes


def test_progress_goes_up_to_the_whole(tmp_path: Path) -> None:
    heard: list[float] = []
    log = open_recording(write(tmp_path, *[line("1770000000", ticker(CALL))] * 20_000), heard.append)
    assert log.frames == 20_000
    assert heard == sorted(heard)
    assert len(heard) > 3
    assert heard[-1] == 1.0


# ------------------------------------------------------------ instruments


def test_todays_grid_is_believed_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    levels = [(0.0049, 0.1), (0.0485, 1.0)]
    log = open_recording(write(tmp_path, line("1770000000", book(CALL, levels))))
    assert [grid(i) for i in log.instruments] == [(0.0001, ((0.005, 0.0005),), 0.1)]
    assert "tick 0.0001, 0.0005 above 0.005, lot 0.1, as published today" in log.notes[0]


def test_few_prices_on_the_coarse_tick_prove_nothing(tmp_path: Path) -> None:
    log = open_recording(write(tmp_path, line("1770000000", book(CALL, [(0.0005, 1.0), (0.001, 1.0), (0.05, 1.0)]))))
    assert log.instruments[0].tick == 0.0001


def test_many_prove_it(tmp_path: Path) -> None:
    levels = [(0.0005 * n, 1.0) for n in range(1, 7)]
    log = open_recording(write(tmp_path, line("1770000000", book(CALL, levels))))
    assert grid(log.instruments[0]) == (0.0005, (), 0.1)
    assert "tick 0.0005, lot 0.1, as observed" in log.notes[0]


def test_decimals_off_todays_grid_make_a_finer_one(tmp_path: Path) -> None:
    name = "BTC-PERPETUAL"
    frames = [book(name, [(50_000.25, 10.0), (49_999.5, 5.0)]), book(CALL, [(0.05, 0.01), (0.04, 0.02)])]
    log = open_recording(write(tmp_path, *(line("1770000000", frame) for frame in frames)))
    assert [grid(i) for i in log.instruments] == [
        (0.25, (), 5.0),
        (0.0001, ((0.005, 0.0005),), 0.01),
    ]


def test_a_name_that_is_not_ours_is_left_out_and_said(tmp_path: Path) -> None:
    log = open_recording(
        write(tmp_path, line("1770000000", ticker("XRP_USDC-PERPETUAL")), line("1770000000", ticker(CALL)))
    )
    assert [i.name for i in log.instruments] == [CALL]
    assert "left out: 'XRP_USDC-PERPETUAL' is not an inverse BTC or ETH instrument" in log.notes


LISTED = (
    b'[{"instrument_name":"BTC-27MAR26-80000-C","kind":"option","base_currency":"BTC","quote_currency":"BTC",'
    b'"tick_size":0.002,"min_trade_amount":0.5,"contract_size":1.0,"expiration_timestamp":1774598400000,'
    b'"option_type":"call","strike":80000.0}]'
)


def test_an_instrument_list_in_the_log_itself_is_believed(tmp_path: Path) -> None:
    answer = b'{"jsonrpc":"2.0","id":1,"result":' + LISTED + b"}"
    log = open_recording(write(tmp_path, line("1770000000", answer), line("1770000000", ticker(CALL))))
    assert [grid(i) for i in log.instruments] == [(0.002, (), 0.5)]
    assert log.notes == ()


def test_a_list_beside_the_log_is_believed_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    address = b"https://www.deribit.com/api/v2/public/get_instruments?currency=BTC -> 1770000000.1: "
    write(
        tmp_path,
        address + b'{"result":' + LISTED + b"}",
        address + b'{"result":5}',
        b"other",
        name="2026-02-02.http.txt",
    )
    log = open_recording(write(tmp_path, line("1770000000", ticker(CALL))))
    assert [grid(i) for i in log.instruments] == [(0.002, (), 0.5)]
    assert log.notes[0].startswith("line 2 of 2026-02-02.http.txt is not an instrument list: ")
    assert log.notes[1] == "instruments are from 2026-02-02.http.txt, which lists 1"


# ------------------------------------------------------------ files that are none


def test_files_that_are_no_recordings_are_refused_in_a_sentence(tmp_path: Path) -> None:
    cases = {
        "none.txt": (None, "there is no file '{path}'"),
        "empty.txt": (b"", "'{path}' is empty"),
        "prose.md": (b"# A heading\n\nand text: of it\n", "'{path}' is in no format known here ({names})"),
        "noise.gz": (random.Random(1).randbytes(5000), "'{path}' is in no format known here ({names})"),
        "other.txt": (
            b"wss://fstream.binance.com/stream <-> 1770000000.5\n1770000000.6: {\"stream\":\"x\",\"data\":{}}\n",
            "'{path}' looks like a Deribit frame log, but no line of it is a frame of Deribit",
        ),
    }  # fmt: skip
    names = ", ".join(known.name for known in FORMATS)
    for name, (content, sentence) in cases.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(BadRecording) as refused:
            open_recording(path)
        assert str(refused.value) == sentence.format(path=path, names=names)
    with pytest.raises(BadRecording, match="is not a file"):
        open_recording(tmp_path)
