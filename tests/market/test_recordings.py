"""Real frames: after each one the book equals a book kept by the simplest possible code, and a lost one shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.market.book import Book
from engine.market.deribit.wire import BookData, Garbage, Push, decode
from engine.research.imports import open_recording

LOGS = ["2021-04-17.ws.txt", "2021-07-22.ws.txt"]
SNAPSHOTS = {"2021-04-17.ws.txt": 10, "2021-07-22.ws.txt": 10}
CHANGES = {"2021-04-17.ws.txt": 46, "2021-07-22.ws.txt": 36}
BOTH = pytest.mark.parametrize("log", LOGS)

Plain = dict[str, dict[str, dict[float, float]]]  # instrument → "bids" or "asks" → price → amount


def frames_of(path: Path) -> Iterator[bytes]:
    """The venue's frames by the plainest reading of the file."""
    for line in path.read_text("utf-8").splitlines():
        if line[:1].isdigit():
            yield line.split(": ", 1)[1].encode()


def keep(plain: Plain, frame: bytes) -> str:
    """The independent book. Returns the name of the instrument whose book the frame was about."""
    params: dict[str, Any] = json.loads(frame).get("params", {})
    if not params.get("channel", "").startswith("book."):
        return ""
    data = params["data"]
    name: str = data["instrument_name"]
    if data["type"] == "snapshot":
        plain[name] = {"bids": {}, "asks": {}}
    for side in ("bids", "asks"):
        for action, price, amount in data[side]:
            if action == "delete":
                del plain[name][side][price]
            else:
                plain[name][side][price] = amount
    return name


def take(books: dict[str, Book], frame: bytes) -> BookData | None:
    event = decode(frame)
    assert not isinstance(event, Garbage)
    if not isinstance(event, Push) or event.family != "book":
        return None
    data: BookData = event.data
    book = books[data.instrument_name]
    if data.type == "snapshot":
        book.snapshot(data)
    else:
        book.change(data)
    return data


def decimals(book: Book) -> dict[str, dict[float, float]]:
    of = book.instrument
    return {
        "bids": {of.price(units): of.amount(lots) for units, lots in book.bids.items()},
        "asks": {of.price(units): of.amount(lots) for units, lots in book.asks.items()},
    }


def empty_books(path: Path) -> dict[str, Book]:
    return {instrument.name: Book(instrument) for instrument in open_recording(path).instruments}


@BOTH
def test_after_every_real_frame_the_book_equals_the_simplest_one(shared_data: Path, log: str) -> None:
    path = shared_data / "deribit_frames" / log
    books, plain = empty_books(path), Plain()
    counts = {"snapshot": 0, "change": 0}
    for frame in frames_of(path):
        name = keep(plain, frame)
        data = take(books, frame)
        assert (data.instrument_name if data else "") == name
        counts[data.type if data else "none"] = counts.get(data.type if data else "none", 0) + 1
        for known, levels in plain.items():
            assert books[known].stale == ""  # no break in any chain
            assert decimals(books[known]) == levels
            best = (max(levels["bids"], default=None), min(levels["asks"], default=None))
            of = books[known].instrument
            bid, ask = books[known].best_bid, books[known].best_ask
            assert (None if bid is None else of.price(bid), None if ask is None else of.price(ask)) == best
    assert (counts["snapshot"], counts["change"]) == (SNAPSHOTS[log], CHANGES[log])
    assert len(plain) == 10


@BOTH
def test_with_any_one_change_cut_out_the_book_is_stale_from_the_next_and_never_wrong(
    shared_data: Path, log: str
) -> None:
    path = shared_data / "deribit_frames" / log
    frames = list(frames_of(path))
    cuts = [n for n, frame in enumerate(frames) if b'"type":"change"' in frame]
    assert len(cuts) == CHANGES[log]
    marked = 0
    for cut in cuts:
        books, plain = empty_books(path), Plain()
        victim = json.loads(frames[cut])["params"]["data"]["instrument_name"]
        told = False  # whether the victim's chain has gone on since the cut
        for n, frame in enumerate(frames):
            name = keep(plain, frame)
            if n == cut:
                continue
            take(books, frame)
            told = told or (n > cut and name == victim)
            for known, levels in plain.items():
                lost = known == victim and n > cut
                assert bool(books[known].stale) is (lost and told)
                if not lost:
                    assert decimals(books[known]) == levels
        marked += told
        if told:
            assert "is missing after" in books[victim].stale
            assert not books[victim].bids
    assert marked >= len(cuts) - 10  # all but at most the last change of each of the ten instruments
