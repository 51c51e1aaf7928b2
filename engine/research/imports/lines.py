"""The lines of a file, plain or compressed by gzip, of any size, read piece by piece.

Whatever stands in the file, lines come out: one that is longer than any recording's is left out and said, and where
compressed data breaks off or is damaged, what came before it is kept and the break is said.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from engine.research.imports.found import Bad, Progress, silent

PIECE = 1 << 18
LONGEST = 1 << 24  # bytes in a line; the longest real ones, instrument lists, have about a million
GZIP = b"\x1f\x8b"


class _Broken(Exception):
    pass


def lines(path: Path, bad: Bad, heard: Progress = silent) -> Iterator[tuple[int, bytes]]:
    """`(number from 1, line without its end)`. Raises OSError only."""
    number, rest, skipping = 1, b"", False
    try:
        for piece in _pieces(path, heard):
            *ended, rest = (rest + piece).split(b"\n")
            for line in ended:
                if not skipping and _fits(number, line, bad):
                    yield number, line
                number, skipping = number + 1, False
            if skipping or not _fits(number, rest, bad):
                rest, skipping = b"", True
    except _Broken as broken:
        bad.add(number, f"the file breaks off here: {broken}")
        return
    if rest:
        yield number, rest


def _fits(number: int, line: bytes, bad: Bad) -> bool:
    if len(line) > LONGEST:
        bad.add(number, f"it is longer than {LONGEST >> 20} MiB")
        return False
    return True


def head(path: Path, size: int) -> bytes:
    """The first bytes of what is in a file, as far as they can be read. Raises OSError only."""
    out = b""
    try:
        for piece in _pieces(path, silent):
            out += piece
            if len(out) >= size:
                break
    except _Broken:
        pass
    return out[:size]


def whole(path: Path, limit: int) -> bytes:
    """All that is in a small file. Raises ValueError with a sentence where it is larger than `limit` or damaged."""
    out = []
    left = limit
    try:
        for piece in _pieces(path, silent):
            out.append(piece)
            left -= len(piece)
            if left < 0:
                raise ValueError(f"is larger than {limit >> 20} MiB")
    except _Broken as broken:
        raise ValueError(f"is damaged: {broken}") from None
    return b"".join(out)


def _pieces(path: Path, heard: Progress) -> Iterator[bytes]:
    size, done = max(path.stat().st_size, 1), 0
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        for piece in _inflated(file) if start == GZIP else _read(file):
            yield piece
            if file.tell() > done:
                done = file.tell()
                heard(min(done / size, 1.0))


def _read(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    unzip = zlib.decompressobj(wbits=31)
    for data in _read(file):
        while data:
            if unzip.eof:  # another member, or the zeros that a tape ends with
                data = data.lstrip(b"\0")  # noqa: PLW2901
                unzip = zlib.decompressobj(wbits=31) if data else unzip
                continue
            try:
                yield unzip.decompress(data, 4 * PIECE)
            except zlib.error as error:
                raise _Broken(str(error)) from None
            data = unzip.unused_data if unzip.eof else unzip.unconsumed_tail  # noqa: PLW2901
    if not unzip.eof:
        raise _Broken("the compressed data is not complete")
