"""Files put together, and files that are none: what opens says so, what does not says why, and nothing ever crashes."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.research.imports import (
    FORMATS,
    BadRecording,
    format_of,
    open_chains,
    open_events,
    open_recording,
    open_surface,
)
from tests.research.imports.made import CALL, book, line, raw_of, ticker, write

OPENERS: dict[str, Callable[[Path], Any]] = {
    "frames": open_recording, "events": open_events, "chains": open_chains, "surface": open_surface,
}  # fmt: skip
PUT = "BTC-27MAR26-80000-P"

REAL = {
    "deribit_frames/2021-07-22.ws.txt": ("Deribit frame log", {"frames"}),
    "deribit_frames/2021-04-17.http.txt": ("Deribit instrument list", {"frames"}),
    "deribit_chains/btc_2023-04-12_to_14.parquet": ("chain file", {"frames", "chains"}),
    "deribit_surface/btc_2026-08-01.json.gz": ("surface snapshot", {"frames", "surface"}),
    "deribit_surface/btc_2026-05-21_quotes.json": ("surface snapshot", {"frames", "surface"}),
    "binance_l2/cm_btcusd_perp_20240808.gz": ("Binance depth log", {"events"}),
    "binance_l2/usdm_btcusdt_20230404.dat.gz": ("Binance depth log", {"events"}),
    "tardis_csv/deribit_options_chain.csv": ("Tardis CSV", {"frames", "events", "chains"}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_recognised_and_give_what_they_have(name: str, shared_data: Path) -> None:
    known, gives = REAL[name]
    found = format_of(shared_data / name)
    assert (found.name, set(found.gives)) == (known, gives)
    for what in OPENERS.keys() - gives:
        with pytest.raises(BadRecording, match=f"is a {known}: it gives .*, not "):
            OPENERS[what](shared_data / name)


# ------------------------------------------------------------ several files


def test_files_are_merged_in_order_of_time(shared_data: Path, tmp_path: Path) -> None:
    """The log of July, dealt out to a frame log (compressed) and a raw feed, and its chain of CSV rows years before."""
    log = shared_data / "deribit_frames" / "2021-07-22.ws.txt"
    books: list[bytes] = []
    others: list[bytes] = []
    for each in log.read_bytes().splitlines():
        (books if b'"channel":"book.' in each else others).append(each)
    packed = tmp_path / "books.ws.txt.gz"
    packed.write_bytes(gzip.compress(b"\n".join(books)))
    rest = write(tmp_path, *others, name="others.ws.txt")
    rows = shared_data / "tardis_csv" / "deribit_options_chain.csv"
    found = open_recording([rest, packed, rows])
    alone = open_recording(log)
    assert found.paths == (rows, rest, packed)
    assert found.format == "Tardis CSV and Deribit frame log"
    assert found.frames == alone.frames + 7
    frames = list(found)
    assert frames[7:] == list(alone)
    assert all(a[0] <= b[0] for a, b in pairwise(frames))
    assert {i.name for i in found.instruments} > {i.name for i in alone.instruments}
    assert (found.first_t, found.last_t) == (frames[0][0], frames[-1][0])


def test_the_grid_is_that_of_all_files(tmp_path: Path) -> None:
    fine = write(tmp_path, line("1770000000", book(CALL, [(0.0049, 0.1)])), name="a.ws.txt")
    coarse = write(
        tmp_path, *[line("1770000001", book(PUT, [(0.0005 * n, 1.0) for n in range(1, 7)]))], name="b.ws.txt"
    )
    assert [i.tick for i in open_recording(coarse).instruments] == [0.0005]
    assert [i.tick for i in open_recording([fine, coarse]).instruments] == [0.0001, 0.0001]


def test_a_list_may_be_named_and_compressed(shared_data: Path, tmp_path: Path) -> None:
    log = shutil.copy(shared_data / "deribit_frames" / "2021-04-17.ws.txt", tmp_path / "log.txt")
    packed = tmp_path / "list.gz"
    packed.write_bytes(gzip.compress((shared_data / "deribit_frames" / "2021-04-17.http.txt").read_bytes()))
    found = open_recording([Path(log), packed])
    assert found.notes == ("list.gz: it lists 922 instruments",)
    assert {i.tick for i in found.instruments} == {0.0005}
    beside = shutil.copy(packed, tmp_path / "log.http.txt.gz")
    assert open_recording(Path(log)).notes == (f"instruments are from {Path(beside).name}, which lists 922",)
    with pytest.raises(BadRecording, match="no line of it is a frame of Deribit"):
        open_recording(packed)


def test_two_records_of_one_book_at_one_time_are_refused(shared_data: Path, tmp_path: Path) -> None:
    log = shared_data / "deribit_frames" / "2021-07-22.ws.txt"
    raw = raw_of(log, tmp_path)
    with pytest.raises(BadRecording, match=r"both hold the book of .* at the same time: take one"):
        open_recording([log, raw])
    with pytest.raises(BadRecording, match="a file is named twice"):
        open_recording([log, log])
    with pytest.raises(BadRecording, match="no file is named"):
        open_recording([])
    with pytest.raises(BadRecording, match="these files are not all in one format"):
        open_events([
            shared_data / "binance_l2" / "usdm_btcusdt_20240718.gz", shared_data / "tardis_csv" / "bitmex_trades.csv",
        ])  # fmt: skip


def test_books_that_follow_each_other_are_one(tmp_path: Path) -> None:
    first = write(tmp_path, line("1770000000", book(CALL, [(0.05, 1.0)])), name="a.ws.txt")
    second = write(tmp_path, line("1770000005", book(CALL, [(0.06, 1.0)])), name="b.ws.txt")
    assert open_recording([second, first]).frames == 2


def test_progress_is_that_of_all_files(tmp_path: Path) -> None:
    heard: list[float] = []
    files = [write(tmp_path, *[line("1770000000", ticker(CALL))] * 2000, name=f"{n}.ws.txt") for n in range(3)]
    open_recording(files, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


# ------------------------------------------------------------ times that cannot be


def test_one_wrong_time_does_not_drag_the_rest_into_the_future(tmp_path: Path) -> None:
    times = ["1770000000", "1790000000", "1770000001", "99999999999", "1770000002"]
    found = open_recording(write(tmp_path, *(line(t, ticker(CALL)) for t in times)))
    assert [t // 10**9 for t, _ in found] == [1_770_000_000, 1_770_000_001, 1_770_000_002]
    assert {bad.number: bad.why for bad in found.bad} == {
        2: "its time, 2026-09-21 14:13:20 UTC, is far ahead of the lines around it",
        4: "its time is no time: it lies after the year 2100",
    }


def test_a_real_leap_stays(tmp_path: Path) -> None:
    times = ["1770000000", "1790000000", "1790000001"]
    found = open_recording(write(tmp_path, *(line(t, ticker(CALL)) for t in times)))
    assert (found.frames, found.bad_count) == (3, 0)


# ------------------------------------------------------------ files that are none


@pytest.mark.parametrize("what", OPENERS)
def test_a_file_that_is_none_is_refused_in_a_sentence(what: str, tmp_path: Path) -> None:
    names = ", ".join(known.name for known in FORMATS)
    cases = {
        "empty": (b"", "is empty"),
        "blank": (b"\n\n  \n", "is empty"),
        "empty.gz": (gzip.compress(b""), "is empty"),
        "cut.gz": (gzip.compress(b"text")[:6], "is empty"),
        "prose": (b"a text\n" * 50, f"is in no format known here ({names})"),
        "binary": (bytes(range(256)) * 300, f"is in no format known here ({names})"),
        "zip": (b"PK\x03\x04" + bytes(500), f"is in no format known here ({names})"),
        "other.json": (b'{"data": []}', f"is in no format known here ({names})"),
        "other.csv": (b"time,price\n1,2\n", f"is in no format known here ({names})"),
    }
    for name, (content, sentence) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BadRecording) as refused:
            OPENERS[what](path)
        assert str(refused.value) == f"'{path}' {sentence}"
    for path, sentence in ((tmp_path, "is not a file"), (tmp_path / "nothing", "there is no file")):
        with pytest.raises(BadRecording, match=sentence):
            OPENERS[what](path)


# ------------------------------------------------------------ any bytes at all

SPLICES = [
    b"9" * 19,
    b"nan",
    b"-1",
    b"1e999",
    b"1e308",
    b"null",
    b"\n",
    b"\r",
    b",",
    b'"',
    b"{",
    b"]",
    b"\xff",
    b"\x00",
    b"9" * 19,
]


@st.composite
def damages(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """A few bytes changed, cut out, put in or said twice, at places of any file."""
    cuts = draw(st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from([*SPLICES, b""])), min_size=1, max_size=8
    ))  # fmt: skip
    end = draw(st.floats(0.1, 1))

    def damage(content: bytes) -> bytes:
        out = bytearray(content)
        for share, length, splice in cuts:
            place = int(share * len(out))
            out[place : place + length] = splice
        return bytes(out[: max(int(end * len(out)), 1)])

    return damage


@pytest.fixture(scope="module")
def small(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """A small piece of a real file of each format, some compressed."""
    folder = tmp_path_factory.mktemp("small")
    frames = shared_data / "deribit_frames"
    log = (frames / "2021-07-22.ws.txt").read_bytes()
    with gzip.open(shared_data / "binance_l2" / "usdm_btcusdt_20240718.gz") as packed:
        depth = packed.read(60_000)
    with gzip.open(shared_data / "deribit_surface" / "btc_2026-08-01.json.gz") as packed:
        surface = packed.read()
    rows = (shared_data / "tardis_csv" / "deribit_options_chain.csv").read_bytes()
    return [
        ("log", log[:12_000]), ("log.gz", gzip.compress(log[:12_000])),
        ("raw", raw_of(frames / "2021-07-22.ws.txt", folder).read_bytes()[:12_000]),
        ("list", (frames / "2021-04-17.http.txt").read_bytes()[:3_000] + b"}]}"),
        ("depth", depth), ("surface", surface), ("surface.gz", gzip.compress(surface)), ("rows", rows),
        ("book", (shared_data / "tardis_csv" / "deribit_incremental_book_L2.csv").read_bytes()),
        ("quotes", (shared_data / "deribit_surface" / "btc_2026-05-21_quotes.json").read_bytes()[:20_000] + b"]}"),
    ]  # fmt: skip


@settings(max_examples=150)
@given(which=st.integers(0, 9), damage=damages())
def test_whatever_stands_in_a_file_it_opens_or_is_refused_in_a_sentence(
    which: int, damage: Callable[[bytes], bytes], small: list[tuple[str, bytes]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    name, content = small[which]
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(damage(content))
    for what, opener in OPENERS.items():
        found, refused = opened(opener, path)
        if found is None:
            assert str(path) in refused
            continue
        assert len(found.bad) == min(found.bad_count, 1000)
        if what in ("frames", "events"):
            times = [item[0] for item in found]
            assert times == sorted(times)
            assert times[-1] < 2**63


def opened(opener: Callable[[Path], Any], path: Path) -> tuple[Any, str]:
    try:
        return opener(path), ""
    except BadRecording as error:
        return None, str(error)
