"""Keyframes: the dumped state at an input's number, so that a jump need not replay from the first.

`keyframes/000000012345.key` holds one packed dump: magic "TGK1", number, raw size, checksum of all of it, zlib. One
that fails its checksum is passed over for an earlier one; the inputs from there on give the same state, only slower.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from engine.shell.store.folders import write_whole

_MAGIC = b"TGK1"
_FIELDS = struct.Struct("<4sqQ")
_CRC = struct.Struct("<I")
_HEADER = _FIELDS.size + _CRC.size
MAX_RAW = 1 << 30


def put(folder: Path, n: int, dump: bytes) -> None:
    """Keeps the packed dump of the state just after input `n`. Raises OSError."""
    stored = zlib.compress(dump, 1)
    fields = _FIELDS.pack(_MAGIC, n, len(dump))
    write_whole(_path(folder, n), fields + _CRC.pack(zlib.crc32(stored, zlib.crc32(fields))) + stored)


def numbers(folder: Path) -> list[int]:
    """Numbers of the inputs after which there is a keyframe, ascending."""
    return sorted(int(path.stem) for path in (folder / "keyframes").glob("*.key") if path.stem.isdecimal())


def nearest(folder: Path, n: int) -> tuple[int, bytes] | None:
    """The last readable keyframe at or before input `n`, with its number."""
    for number in reversed([number for number in numbers(folder) if number <= n]):
        dump = _load(_path(folder, number), number)
        if dump is not None:
            return number, dump
    return None


def _load(path: Path, n: int) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) < _HEADER:
        return None
    fields, stored = data[: _FIELDS.size], data[_HEADER:]
    if _CRC.unpack_from(data, _FIELDS.size)[0] != zlib.crc32(stored, zlib.crc32(fields)):
        return None
    magic, number, raw = _FIELDS.unpack(fields)
    if (magic, number) != (_MAGIC, n) or raw > MAX_RAW:
        return None
    return zlib.decompressobj().decompress(stored, raw)


def _path(folder: Path, n: int) -> Path:
    return folder / "keyframes" / f"{n:012d}.key"
