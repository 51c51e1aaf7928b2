"""Sessions on disk: one Parquet file each, so that what is trained on need not fit in memory.

A row is a step of an instrument, a row group is one stretch: its features by their names, then the book as it stood,
then what the venue hid, null where nothing is known of that.
What is not by step (the instrument, prints, probes) rides in the file's metadata. A file that is cut short or of other
features is not read but made anew.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.domain import Instrument
from engine.forecast.names import NAMES
from engine.research import hidden
from engine.research.dataset import COLUMNS, Floats, Stretch

_KEY = b"tidegate"
_NOW = tuple(f"now_{name}" for name in COLUMNS)
_HIDDEN = tuple(f"hidden_{name}" for name in hidden.NAMES)
_SEEN = [*((name, pa.float32()) for name in NAMES), *((name, pa.float64()) for name in _NOW)]
SCHEMA = pa.schema([*_SEEN, *((name, pa.float32()) for name in _HIDDEN)])


class _Header(msgspec.Struct):
    """Of one stretch; arrays as (shape, base64 of float64)."""

    session: str
    instrument: Instrument
    t: int
    steps: int
    prints: tuple[list[int], str]
    probes: tuple[list[int], str]
    own: tuple[list[int], str]


def write(path: Path, stretches: Sequence[Stretch]) -> None:
    """All or nothing: a file that is being written is not there yet."""
    headers = [_header(stretch) for stretch in stretches]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    schema = SCHEMA.with_metadata({_KEY: msgspec.json.encode(headers)})
    with pq.ParquetWriter(unfinished, schema, compression="zstd", use_dictionary=False) as file:
        for stretch in stretches:
            columns = [*stretch.x.T, *stretch.now.T, *(() if stretch.hidden is None else stretch.hidden.T)]
            arrays = [pa.array(np.ascontiguousarray(column)) for column in columns]
            arrays += [pa.nulls(len(stretch.x), pa.float32()) for _ in range(len(SCHEMA) - len(arrays))]
            file.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=len(stretch.x))
    unfinished.replace(path)


class Stored:
    """One session's file. Raises OSError or ValueError for one that cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._headers = _headers(path)

    @property
    def session(self) -> str:
        return self._headers[0].session if self._headers else self.path.stem

    @property
    def steps(self) -> list[int]:
        """Of each stretch."""
        return [header.steps for header in self._headers]

    def __iter__(self) -> Iterator[Stretch]:
        """The stretches, one at a time in memory."""
        with pq.ParquetFile(self.path) as file:
            for k, header in enumerate(self._headers):
                yield _stretch(header, file.read_row_group(k))


def _headers(path: Path) -> list[_Header]:
    try:
        schema = pq.read_schema(path)
        headers = msgspec.json.decode((schema.metadata or {}).get(_KEY, b""), type=list[_Header])
    except (pa.ArrowException, msgspec.DecodeError) as error:
        raise ValueError(f"{path.name} is no whole session: {error}") from None
    if schema.names != SCHEMA.names:
        raise ValueError(f"{path.name} holds other features than this code makes")
    return headers


def _header(stretch: Stretch) -> _Header:
    packed = [_packed(array) for array in (stretch.prints, stretch.probes, stretch.own)]
    return _Header(stretch.session, stretch.instrument, stretch.t, len(stretch.x), *packed)


def _packed(array: Floats) -> tuple[list[int], str]:
    data = np.ascontiguousarray(array, dtype="<f8")
    return list(data.shape), base64.b64encode(data.tobytes()).decode()


def _unpacked(value: tuple[list[int], str]) -> Floats:
    return np.frombuffer(base64.b64decode(value[1]), "<f8").reshape(value[0])


def _stretch(header: _Header, table: Any) -> Stretch:
    columns = [column.to_numpy() for column in table.columns[: len(_SEEN)]]
    x: NDArray[np.float32] = np.stack(columns[: len(NAMES)], axis=1)
    secrets = table.columns[len(_SEEN) :]
    unknown = secrets[0].null_count > 0
    return Stretch(
        header.session, header.instrument, header.t, x, np.stack(columns[len(NAMES) :], axis=1),
        _unpacked(header.prints), _unpacked(header.probes), _unpacked(header.own),
        None if unknown else np.stack([column.to_numpy() for column in secrets], axis=1),
    )  # fmt: skip
