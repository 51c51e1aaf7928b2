"""A block of the tape: its header, its checksums, and how blocks are found in a damaged file.

    magic "TGB1" · first n · last n · first t · last t · stored size · raw size · crc of the payload · crc of the header

All little-endian. The payload is zlib of items, each a four-byte length and one msgpack message. The header has its
own checksum: where it holds, its length can be trusted and a broken payload is stepped over; where it does not, the
next header is searched for. Either way a broken block loses itself and not the rest.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from engine.messages import Forecasts, Input, unpack_taped

Item = Input | Forecasts

MAGIC = b"TGB1"
MAX_RAW = 256 << 20  # a header that says more is not believed
_FIELDS = struct.Struct("<4sqqqqIII")
_CRC = struct.Struct("<I")
_SIZE = struct.Struct("<I")
HEADER = _FIELDS.size + _CRC.size
_CHUNK = 1 << 16


class Header(NamedTuple):
    """Numbers and times of a block's first and last item; `stored` and `raw` are sizes of its payload in bytes."""

    first: int
    last: int
    t_first: int
    t_last: int
    stored: int
    raw: int
    crc: int


class Broken(NamedTuple):
    """A stretch of a file that holds no readable block."""

    reason: str


class Block(NamedTuple):
    header: Header
    items: list[Item]


def encode(span: tuple[int, int, int, int], bodies: Sequence[bytes]) -> bytes:
    """One block of `bodies` (packed messages); `span` is first n, last n, first t, last t."""
    raw = b"".join(part for body in bodies for part in (_SIZE.pack(len(body)), body))
    stored = zlib.compress(raw, 1)
    fields = _FIELDS.pack(MAGIC, *span, len(stored), len(raw), zlib.crc32(stored))
    return fields + _CRC.pack(zlib.crc32(fields)) + stored


def scan(path: Path, after: int | None = None) -> Iterator[Block | Header | Broken]:
    """Goes through a file of blocks. Blocks that hold a number above `after` are read whole; of the others, and of
    all without `after`, only the header. Memory is bounded by the largest block."""
    with path.open("rb") as file:
        end = path.stat().st_size
        while file.tell() < end:
            at = file.tell()
            header = _header(file.read(HEADER))
            if header is None:
                yield Broken(_why(file, at, end))
                file.seek(_next_header(file, at + 1))
            elif at + HEADER + header.stored > end:
                yield Broken(f"{path.name} ends in the middle of a block")
                file.seek(_next_header(file, at + 1))
            elif after is None or header.last <= after:
                yield header
                file.seek(at + HEADER + header.stored)
            else:
                yield _block(header, file.read(header.stored), path.name)


def first_header(path: Path) -> Header | None:
    """The header of a file's first block, None where that is broken."""
    with path.open("rb") as file:
        return _header(file.read(HEADER))


def _header(data: bytes) -> Header | None:
    if len(data) < HEADER or data[:4] != MAGIC:
        return None
    if _CRC.unpack_from(data, _FIELDS.size)[0] != zlib.crc32(data[: _FIELDS.size]):
        return None
    header = Header(*_FIELDS.unpack_from(data)[1:])
    return header if header.raw <= MAX_RAW else None


def _block(header: Header, stored: bytes, name: str) -> Block | Broken:
    if zlib.crc32(stored) != header.crc:
        return Broken(f"a block in {name} fails its checksum")
    try:
        raw = zlib.decompressobj().decompress(stored, header.raw)
        return Block(header, list(_items(raw)))
    except (zlib.error, struct.error, msgspec.DecodeError) as error:
        return Broken(f"a block in {name} cannot be understood: {error}")


def _items(raw: bytes) -> Iterator[Item]:
    view, at = memoryview(raw), 0
    while at < len(view):
        (size,) = _SIZE.unpack_from(view, at)
        at += _SIZE.size
        yield unpack_taped(view[at : at + size])
        at += size


def _why(file: BinaryIO, at: int, end: int) -> str:
    name = Path(file.name).name
    return f"{name} ends in the middle of a block" if end - at < HEADER else f"a block's header in {name} is broken"


def _next_header(file: BinaryIO, start: int) -> int:
    """Where the next header that holds its checksum begins, or the end of the file."""
    at, carry = start, b""
    file.seek(at)
    while chunk := file.read(_CHUNK):
        window = carry + chunk
        base, found = at - len(carry), -1
        while (found := window.find(MAGIC, found + 1)) >= 0:
            file.seek(base + found)
            if _header(file.read(HEADER)) is not None:
                return base + found
        at += len(chunk)
        file.seek(at)
        carry = window[-(len(MAGIC) - 1) :]
    return at
